/* Logistic regression, y in {0, 1}, by Newton's method on secure sums. */

#ifndef MODEL_LOGISTIC_H
#define MODEL_LOGISTIC_H

#include "model/design.h"
#include "model/task.h"

enum { LOGISTIC_BLOCK = 512 }; /* rows that stay in the cache */

extern const struct task_ops logistic_ops;

/* probability[count] of rows first..first + count - 1 at beta[width]. */
void logistic_predict(double *probability, const struct design *rows,
                      size_t first, size_t count, const double *beta);

/* As newton_kind's evaluate: the negative log likelihood. */
void logistic_evaluate(double *objective, double *gradient, double *hessian,
                       const struct design *rows, const double *beta,
                       double *scratch);

/* The same without the Hessian. scratch[2 * LOGISTIC_BLOCK] */
void logistic_gradient(double *objective, double *gradient,
                       const struct design *rows, const double *beta,
                       double *scratch);

#endif
