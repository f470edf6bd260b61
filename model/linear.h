/* Linear regression by least squares, ridge optional, on secure sums. */

#ifndef MODEL_LINEAR_H
#define MODEL_LINEAR_H

#include "model/task.h"

extern const struct task_ops linear_ops;

#endif
