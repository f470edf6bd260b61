/* From a finished state of model/train.h to what a person reads. */

#ifndef MODEL_OUTCOME_H
#define MODEL_OUTCOME_H

#include "model/task.h"

/* task_ops' report. Requires a finished or failed state. */
int outcome_fill(const struct task *task, const void *state,
                 struct task_report *report, struct error *error);

#endif
