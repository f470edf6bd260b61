/* The study file's `sites:`: the roster, and where each site's rows are. */

#ifndef NODE_SITES_H
#define NODE_SITES_H

#include "model/error.h"
#include "node/reader.h"
#include "node/study.h"

/* Fills study->sites from the list, 3 to `most`. Returns 0, -EINVAL or
 * -ENOMEM. */
int sites_read(struct study *study, const struct reader *reader, int list,
               uint32_t most, struct error *error);

#endif
