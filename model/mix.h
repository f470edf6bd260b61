/* The public half of model/train.h: from an opened sum to the next state, with
 * + - * / and sqrt alone, in a fixed order. */

#ifndef MODEL_MIX_H
#define MODEL_MIX_H

#include "model/task.h"

/* task_ops' absorb. */
void mix_absorb(const struct task *task, void *next, const void *state,
                const struct task_sum *sum);

#endif
