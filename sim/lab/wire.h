/* The key network: of an experiment: what its links and nodes do wrong, and how
 * long all takes. */

#ifndef LAB_WIRE_H
#define LAB_WIRE_H

#include "sim/lab/experiment.h"

int wire_read(struct experiment *experiment, const struct reader *reader,
              int node, struct error *error);

#endif
