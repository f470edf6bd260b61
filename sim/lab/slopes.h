/* Gradients of the lab's models, a block of rows at a time: scores of all its
 * rows, their slopes, then one pass that adds rows times slopes. A softmax of
 * two classes needs only the difference of its scores.
 */

#ifndef LAB_SLOPES_H
#define LAB_SLOPES_H

#include <stdbool.h>

#include "sim/lab/learner.h"

/* How, besides what. */
struct slopes_way {
    double *room;   /* scratch: [slopes_room()] */
    bool single;    /* products may be of single precision */
    const float *x; /* then: x again, or NULL */
};

/* Whether its products are of single precision where that is asked for. */
bool slopes_is_deep(const struct learner *learner);
/* A perceptron's gradient of single precision, [d] in room[slopes_room()];
 * without lambda. */
const float *slopes_deep(const struct learner *learner, size_t i,
                         const float *x, struct chance *chance, double *room);
size_t slopes_room(const struct learner *learner);
/* g[d] of node i at x[d]; chance: of its batch. The same as learner_value()'s
 * derivative, where there is no batch. */
void slopes_of(double *g, const struct learner *learner, size_t i,
               const double *x, struct chance *chance,
               const struct slopes_way *way);

#endif
