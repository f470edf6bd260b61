/* Sums over all nodes of a course. */

#ifndef LAB_COURSE_SUMS_H
#define LAB_COURSE_SUMS_H

#include "sim/lab/course_body.h"

/* mean[d] of the rows of x but those `without`, or NULL. */
void course_sums_mean(double *mean, struct course *course,
                      const struct states *x, const bool *without);
/* Squared distances of all v[0] but those `without`, or NULL, to mean[d] and to
 * the problem's best, or mean. */
void course_sums_squares(double *cons, double *err, struct course *course,
                         const double *mean, const bool *without);

#endif
