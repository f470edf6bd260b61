/* `starling sim world` of a study with `pods:`. */

#ifndef SIM_MANYPODS_H
#define SIM_MANYPODS_H

#include "node/study.h"
#include "sim/options.h"

/* Reads all sites' rows, runs, writes DIR/rounds.csv and DIR/result.json (with
 * --json to stdout too). Returns the exit status, after one line on stderr. */
int manypods_run(struct study *study, const struct options *options);

#endif
