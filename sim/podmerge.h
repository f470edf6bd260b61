/* As sim/merge.h for a study of several pods: each has a model of its own in
 * mode gossip, all have the same in mode exact. */

#ifndef SIM_PODMERGE_H
#define SIM_PODMERGE_H

#include <jansson.h>

#include "model/error.h"
#include "node/study.h"

/* Writes OUT/rounds.csv: round,virtual_ms,bytes_sent,loss,distance,left_out. */
int podmerge_rounds(const struct study *study, const char *out,
                    struct error *error);

/* The result with an entry for each pod. lost_bytes[site_count]. -EINVAL: sites
 * that should agree on the state's hash do not; -ENOENT: a pod without any
 * site's result. */
int podmerge_results(json_t **result, const struct study *study,
                     const char *out, const uint64_t *lost_bytes,
                     struct error *error);

#endif
