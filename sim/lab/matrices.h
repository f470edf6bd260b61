/* The mixing matrices of an entry of an experiment, and whether its algorithm
 * may run on them. */

#ifndef LAB_MATRICES_H
#define LAB_MATRICES_H

#include "sim/lab/course.h"
#include "sim/lab/experiment.h"
#include "sim/lab/spectrum.h"

/* How many nodes the experiment's first matrix or graph file has. */
int matrices_nodes(size_t *n, const struct experiment *experiment,
                   struct error *error);

/* *columns stays NULL unless the weights have columns of their own. */
int matrices_build(struct sequence **mixes, struct sequence **columns,
                   const struct experiment *experiment,
                   const struct experiment_entry *entry, size_t n,
                   uint64_t seed, struct error *error);

/* Refuses what is outside the algorithm's range, with the reason; note[size]
 * may say what a person should know. */
int matrices_check(char *note, size_t size, const struct course_plan *plan,
                   const struct spectrum *spectrum,
                   const struct experiment *experiment,
                   const struct experiment_entry *entry, struct error *error);

#endif
