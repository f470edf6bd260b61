/* The private half of model/train.h: what a site computes from its rows. */

#ifndef MODEL_LEARN_H
#define MODEL_LEARN_H

#include "model/task.h"

/* spec->training against the method: one line says what does not fit. Returns
 * 0 or -EINVAL. */
int learn_check(const struct task_spec *spec, struct error *error);

/* The members of task_ops. memory: scaffold's own control variate, before and
 * after the round that it was computed in, so that a round that is tried again
 * begins from the former. */
size_t learn_memory_size(const struct task *task);
int learn_contribute(struct task *task, double *x, void *memory,
                     const void *state, struct prg *prg, struct error *error);

#endif
