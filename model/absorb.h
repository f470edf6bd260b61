/* The public half of Newton's method: from an opened sum to the next state,
 * with + - * / and sqrt alone, in a fixed order. */

#ifndef MODEL_ABSORB_H
#define MODEL_ABSORB_H

#include "model/task.h"

/* task_ops' absorb for the tasks of model/newton.h. */
void absorb_sum(const struct task *task, void *next, const void *state,
                const struct task_sum *sum);

#endif
