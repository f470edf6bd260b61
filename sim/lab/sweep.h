/* sweep: {key: network.loss, values: [0, 0.01, 0.1]}: the whole experiment with
 * each value of one number. */

#ifndef LAB_SWEEP_H
#define LAB_SWEEP_H

#include "sim/lab/experiment.h"

int sweep_read(struct experiment *experiment, const struct reader *reader,
               int node, struct error *error);
/* Whether the values change matrices, and so what may be refused. */
bool sweep_shapes(const struct experiment *experiment);
/* Puts value `place` where the key says. Nothing without a sweep. */
void sweep_apply(struct experiment *experiment, size_t place);

#endif
