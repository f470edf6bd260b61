/* Gives one site its own rows of a table that serves several sites: the bytes
 * of its records as they stand (RFC 4180: a quoted field may hold commas, line
 * ends and doubled quotes), under the header of the table. */

#ifndef SIM_PARCEL_H
#define SIM_PARCEL_H

#include <stddef.h>

#include "model/dataset.h"
#include "model/error.h"

/* Writes `to`, readable by its owner only, with *rows records: all of them if
 * the filter has no column. Returns 0, or a negative errno: -EINVAL if no row
 * matches or the file lacks the filter's column. */
int parcel_rows(size_t *rows, const char *to, const char *from,
                const struct dataset_filter *filter, struct error *error);

#endif
