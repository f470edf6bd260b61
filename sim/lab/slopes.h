/* Gradients of the lab's models, a block of rows at a time: scores of all its
 * rows, their slopes, then one pass that adds rows times slopes. A softmax of
 * two classes needs only the difference of its scores.
 */

#ifndef LAB_SLOPES_H
#define LAB_SLOPES_H

#include "sim/lab/learner.h"

/* Numbers of scratch that slopes_of() needs. */
size_t slopes_room(const struct learner *learner);
/* g[d] of node i at x[d]; chance: of its batch. The same as learner_value()'s
 * derivative, where there is no batch. single: x again, where it is of single
 * precision, or NULL; a hidden layer's scores are of single precision then. */
void slopes_of(double *g, const struct learner *learner, size_t i,
               const double *x, const float *single, struct chance *chance,
               double *room);

#endif
