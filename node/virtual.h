/* The study file's `network:`: the weather of the virtual world (latency, loss,
 * crashes, partitions). Simulation only; no part of the charter. */

#ifndef NODE_VIRTUAL_H
#define NODE_VIRTUAL_H

#include "model/error.h"
#include "node/reader.h"
#include "node/study.h"

/* Fills the simulation fields of a study whose sites are known. Returns 0 or
 * -EINVAL. */
int virtual_read(struct study *study, const struct reader *reader, int node,
                 struct error *error);

#endif
