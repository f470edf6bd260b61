/* One item of an experiment's algorithms:, a name with its parameters. */

#ifndef LAB_ENTRY_H
#define LAB_ENTRY_H

#include "sim/lab/experiment.h"

int entry_read(struct experiment_entry *entry, struct experiment *experiment,
               const struct reader *reader, int node, struct error *error);

#endif
