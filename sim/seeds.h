/* Many seeds of one study: a line each, in order, and a summary. Not for users
 * of sim/runs.h. */

#ifndef SIM_SEEDS_H
#define SIM_SEEDS_H

#include <stdio.h>

#include "sim/run.h"

/* Returns the program's status: 0 if no checker fired. */
int seeds_run(struct run_input *input, const struct options *options);

/* The trace file of a run in options->out, or NULL with an error. */
FILE *seeds_trace(const struct options *options, uint64_t seed,
                  struct error *error);

#endif
