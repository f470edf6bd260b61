/* The common result of a local cluster, OUT/result.json and OUT/rounds.csv, out
 * of what every node wrote into OUT/SITE. */

#ifndef SIM_MERGE_H
#define SIM_MERGE_H

#include <jansson.h>

#include "model/error.h"
#include "node/study.h"

/* lost_bytes[site_count]: what each site sent before it was killed and did not
 * save the count of: its own result lacks it. A site without a result (killed
 * and never started again) is named in the notes. *result is the caller's:
 * json_decref. -EINVAL: the sites do not agree on the state's hash; -ENOENT: no
 * site has a result. */
int merge_results(json_t **result, const struct study *study, const char *out,
                  const uint64_t *lost_bytes, double wall_seconds,
                  struct error *error);

#endif
