/* From a finished state of model/newton.h to what a person reads. */

#ifndef MODEL_REPORT_H
#define MODEL_REPORT_H

#include "model/task.h"

/* task_ops' report. Requires a finished or failed state. */
int report_fill(const struct task *task, const void *state,
                struct task_report *report, struct error *error);

#endif
