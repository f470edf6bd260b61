/* Means and standard deviations (n - 1) of all columns over all sites' training
 * rows by two exact sums: first the means, then the squares about them.
 *
 * Column 0 is y, column j > 0 the feature j - 1; `width` counts both. What is
 * missing (missing: mean) is left out. Both halves: a site's vectors, and what
 * follows from their sums, which has equal bits on every machine.
 */

#ifndef MODEL_POOLED_H
#define MODEL_POOLED_H

#include "model/dataset.h"
#include "model/task.h"

enum { POOLED_TRAIN, POOLED_TEST, POOLED_COUNTS }; /* of the means' vector */

/* Whether the lanes hold the members' sums of columns: 0 or -EINVAL. */
int pooled_check(const struct task_spec *spec, struct error *error);

size_t pooled_means_length(const struct task_spec *spec, size_t width);
size_t pooled_scales_length(size_t width);

/* x[pooled_means_length]: this site's counts of rows, sums of columns.
 * Returns 0, or -ERANGE for numbers beyond 1e15. */
int pooled_send_means(double *x, const struct task_spec *spec,
                      const struct dataset *data, struct error *error);
/* x[pooled_scales_length]: squares about means[width]. As above. */
int pooled_send_scales(double *x, const struct task_spec *spec,
                       const struct dataset *data, const double *means,
                       struct error *error);

/* scale[2 * width]: the first half becomes the means. Returns width, or the
 * first column that no training row has. */
size_t pooled_take_means(double *scale, const struct task_spec *spec,
                         size_t width, const double *sums);
/* The sum of y over training rows, of the means' vector. */
double pooled_target_sum(const double *sums);
/* The second half becomes the SDs of n rows. Returns width, or the first column
 * that is constant. */
size_t pooled_take_scales(double *scale, double n, size_t width,
                          const double *sums);

#endif
