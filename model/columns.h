/* Which fields of a CSV file a study reads, and what becomes of them: the
 * header line against the study's task. */

#ifndef MODEL_COLUMNS_H
#define MODEL_COLUMNS_H

#include <stddef.h>

#include "model/csv.h"
#include "model/dataset.h"
#include "model/error.h"
#include "model/task.h"

enum { COLUMNS_NONE = -1 };

struct columns_source {
    size_t field;
    size_t first;                        /* column of x it begins at */
    const struct task_categorical *code; /* NULL: numeric, one column */
    const char *name;                    /* of the spec */
};

struct columns {
    size_t width;                   /* fields in a line */
    struct columns_source *sources; /* [source_count] in the order of x */
    size_t source_count;
    char **names; /* [count] of x, after one-hot coding */
    size_t count;
    size_t target;
    ptrdiff_t split, filter; /* COLUMNS_NONE: there is none */
};

/* Matches the current record of `csv`, the header. Returns 0; -EINVAL for a
 * duplicate name or a column that is not there (the nearest is named);
 * -ENOMEM. */
int columns_match(struct columns *columns, const struct csv *csv,
                  const struct task_spec *spec,
                  const struct dataset_filter *filter, struct error *error);
void columns_free(struct columns *columns);

/* The header's names must differ. Returns 0, -EINVAL or -ENOMEM. */
int columns_distinct(const struct csv *csv, struct error *error);

/* The index of `text` among the levels, as text or as number ("1" is "1.0"),
 * or level_count. */
size_t columns_level(const struct task_categorical *code, const char *text);

#endif
