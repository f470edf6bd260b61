#include "sim/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/csv.h"

/* The place of `column` in the header just read, or `count`. */
static size_t find_column(const struct csv *csv, const char *column)
{
    size_t place = 0;

    if (column == NULL)
        return csv->count;
    while (place < csv->count && strcmp(csv->fields[place], column) != 0)
        place++;
    return place;
}

/* Reading cuts the text up, so the bytes come from a second copy. */
static int copy_matching(size_t *rows, FILE *to, struct csv *csv,
                         const struct csv *bytes,
                         const struct dataset_filter *filter,
                         struct error *error)
{
    const bool filters = filter->column != NULL;
    bool is_header = true;
    size_t place = 0, from = 0;
    int code;

    *rows = 0;
    for (; (code = csv_next(csv, error)) > 0; from = csv->at) {
        if (is_header) {
            place = find_column(csv, filter->column);
            if (filters && place == csv->count)
                return error_set(error, -EINVAL,
                                 "%s:%zu: found no column '%s', which the "
                                 "study's `rows:` names",
                                 csv->path, csv->line, filter->column);
        } else if (filters &&
                   (place >= csv->count ||
                    strcmp(csv->fields[place], filter->equals) != 0)) {
            continue;
        }
        fwrite(bytes->text + from, 1, csv->at - from, to);
        if (bytes->text[csv->at - 1] != '\n')
            fputc('\n', to);
        *rows += !is_header;
        is_header = false;
    }
    return code;
}

static int write_parcel(size_t *rows, const char *path, struct csv *csv,
                        const struct csv *bytes,
                        const struct dataset_filter *filter,
                        struct error *error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "wb");

    if (to == NULL)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    int code = copy_matching(rows, to, csv, bytes, filter, error);
    bool failed = ferror(to) != 0;
    failed = fclose(to) != 0 || failed;
    if (code == 0 && failed)
        code = error_set(error, -EIO,
                         "%s: cannot be written whole (%s); make room on the "
                         "disk",
                         path, strerror(errno));
    if (code != 0) /* part of a site's rows is no site's rows */
        unlink(path);
    return code;
}

int parcel_rows(size_t *rows, const char *to, const char *from,
                const struct dataset_filter *filter, struct error *error)
{
    struct csv csv = {0}, bytes = {0};
    int code = csv_open(&csv, from, error);

    if (code == 0)
        code = csv_open(&bytes, from, error);
    if (code == 0 && csv.size != bytes.size)
        code = error_set(error, -EIO, "%s: changed while it was read", from);
    if (code == 0)
        code = write_parcel(rows, to, &csv, &bytes, filter, error);
    csv_close(&bytes);
    csv_close(&csv);
    if (code == 0 && *rows == 0)
        code = error_set(error, -EINVAL,
                         "%s: found no row%s%s%s%s, expected at least one; "
                         "correct `rows:` in the study",
                         from, filter->column == NULL ? "" : " with ",
                         filter->column == NULL ? "" : filter->column,
                         filter->column == NULL ? "" : " = ",
                         filter->column == NULL ? "" : filter->equals);
    return code;
}
