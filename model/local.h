/* What one site can do with its own rows alone, beside the joint model: the
 * reason to take part. Private to the site. */

#ifndef MODEL_LOCAL_H
#define MODEL_LOCAL_H

#include <stddef.h>

#include "model/design.h"

/* beta[width] of a ridge logistic regression on the training rows, l2 > 0.
 * Returns 0; -EDOM if they have one class only or no optimum is found;
 * -ENOMEM. */
int local_fit(double *beta, const struct design *rows, double l2);

/* Exact area under the ROC curve of beta[width] on rows first..first + count -
 * 1. NAN: one class, no row, no memory. */
double local_auc(const struct design *rows, size_t first, size_t count,
                 const double *beta);

#endif
