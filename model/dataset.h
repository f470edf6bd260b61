/* One site's rows, from a CSV file (RFC 4180, with or without quotes, CRLF,
 * UTF-8 byte order mark). A field that is empty, "NA", "NaN" or "?" is missing.
 */

#ifndef MODEL_DATASET_H
#define MODEL_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/error.h"
#include "model/task.h"

struct dataset {
    char *path;
    size_t row_count;
    size_t column_count; /* features after one-hot coding */
    char **names;        /* [column_count] "age", "cp=2" */
    double *x;           /* [row_count, column_count], NAN: missing (mean) */
    double *y;           /* [row_count] */
    uint8_t *test;       /* [row_count] 1: a test row, 0: a training row */
    size_t dropped;      /* rows left out for missing values */
    bool filtered;       /* by a column that the file has */
    uint8_t fingerprint[32]; /* BLAKE2b of what was read */
};

/* Keep the rows whose `column` equals `equals`; column NULL: all rows. */
struct dataset_filter {
    const char *column, *equals;
    bool optional; /* a file without the column is the site's own: all rows */
};

/* Reads the columns that spec names. Errors name file, line and column. -ENOENT
 * etc. from the system, -EINVAL for content, -ENOMEM. Sets *dataset to NULL on
 * failure. */
int dataset_read(struct dataset **dataset, const char *path,
                 const struct dataset_filter *filter,
                 const struct task_spec *spec, struct error *error);
void dataset_free(struct dataset *dataset);

/* The header line of a file: names[*count], owned by the caller, each and the
 * array malloc'ed. For `features:` left out of a study. */
int dataset_header(char ***names, size_t *count, const char *path,
                   struct error *error);

#endif
