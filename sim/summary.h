/* What a finished world leaves: result.json, rounds.csv and a few lines. */

#ifndef SIM_SUMMARY_H
#define SIM_SUMMARY_H

#include <stdbool.h>

#include "model/error.h"
#include "model/task.h"
#include "sim/world.h"

/* The result as any member has it. Free with task_report_free. */
int summary_report(struct task_report *report, const struct world *world,
                   const struct study *study, struct error *error);

/* Writes the files into `folder`. Prints result.json (json), or lines for a
 * person, to stdout. A task that gave up is an error, and leaves no file. */
int summary_write(const struct world *world, const struct world_config *config,
                  const char *folder, bool json, double wall_seconds,
                  struct error *error);

/* An earlier run's result must not pass for that of a run that fails. */
void summary_remove(const char *folder);

#endif
