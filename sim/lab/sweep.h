/* sweep: {key: network.loss, values: [0, 0.01, 0.1]}: the whole experiment once
 * with each value in that key's place. */

#ifndef LAB_SWEEP_H
#define LAB_SWEEP_H

#include "sim/lab/experiment.h"

int sweep_read(struct experiment *experiment, const struct reader *reader,
               int node, struct error *error);
/* Reads the experiment again with value `place`; its entries stay where they
 * are. Nothing without a sweep. */
int sweep_apply(struct experiment *experiment, size_t place,
                struct error *error);

#endif
