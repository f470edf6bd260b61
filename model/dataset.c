#include "model/dataset.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/columns.h"
#include "model/csv.h"
#include "model/number.h"

struct reading {
    struct csv csv;
    struct columns columns;
    const struct task_spec *spec;
    const struct dataset_filter *filter;
    struct dataset *data;
    size_t room;    /* rows */
    size_t matched; /* rows that pass the filter */
    double classes; /* y is 0..classes - 1; 0: any number */
};

static int no_memory(const char *path, struct error *error)
{
    return error_set(error, -ENOMEM, "%s: out of memory", path);
}

static int wrong(const struct reading *r, const char *column, const char *found,
                 const char *expected, struct error *error)
{
    return error_set(error, -EINVAL,
                     "%s:%zu: column '%s': found '%.60s', expected %s",
                     r->csv.path, r->csv.line, column, found, expected);
}

static int grow(struct reading *r, struct error *error)
{
    struct dataset *d = r->data;

    if (d->row_count < r->room)
        return 0;
    size_t room = r->room == 0 ? 256 : r->room * 2;
    double *x = realloc(d->x, room * (d->column_count + 1) * sizeof *x);
    if (x != NULL)
        d->x = x;
    double *y = realloc(d->y, room * sizeof *y);
    if (y != NULL)
        d->y = y;
    uint8_t *test = realloc(d->test, room);
    if (test != NULL)
        d->test = test;
    if (x == NULL || y == NULL || test == NULL)
        return no_memory(r->csv.path, error);
    r->room = room;
    return 0;
}

static int read_number(double *value, const struct reading *r,
                       const char *column, const char *text,
                       struct error *error)
{
    if (number_is_missing(text)) {
        if (r->spec->missing == TASK_MISSING_FAIL)
            return wrong(r, column, text,
                         "a value; the study says `missing: fail`", error);
        *value = NAN;
        return 0;
    }
    if (number_is_infinite(text))
        return wrong(r, column, text, "a finite number", error);
    if (!number_parse(value, text))
        return wrong(r, column, text, "a number", error);
    if (!isfinite(*value))
        return wrong(r, column, text, "a finite number", error);
    return 0;
}

static int unknown_level(const struct reading *r,
                         const struct columns_source *s, const char *text,
                         struct error *error)
{
    char known[200] = "";

    for (size_t i = 0; i < s->code->level_count; i++) {
        size_t used = strlen(known), more = strlen(s->code->levels[i]);
        if (used + more + 12 > sizeof known) {
            memcpy(known + used, ", …", sizeof ", …");
            break;
        }
        if (i > 0) {
            known[used++] = ',';
            known[used++] = ' ';
        }
        memcpy(known + used, s->code->levels[i], more + 1);
    }
    return error_set(error, -EINVAL,
                     "%s:%zu: column '%s': found '%.60s', expected one of the "
                     "study's levels: %s",
                     r->csv.path, r->csv.line, s->name, text, known);
}

static int read_level(double *x, const struct reading *r,
                      const struct columns_source *s, const char *text,
                      struct error *error)
{
    const bool missing = number_is_missing(text);
    size_t level = columns_level(s->code, text);

    if (missing && level == s->code->level_count) {
        if (r->spec->missing == TASK_MISSING_FAIL)
            return wrong(r, s->name, text,
                         "a value; the study says `missing: fail`", error);
        for (size_t i = 1; i < s->code->level_count; i++)
            x[i - 1] = NAN;
        return 0;
    }
    if (level == s->code->level_count)
        return unknown_level(r, s, text, error);
    for (size_t i = 1; i < s->code->level_count; i++)
        x[i - 1] = i == level ? 1 : 0;
    return 0;
}

static int read_split(uint8_t *test, const struct reading *r,
                      struct error *error)
{
    const struct task_spec *spec = r->spec;

    *test = 0;
    if (r->columns.split == COLUMNS_NONE)
        return 0;
    const char *text = r->csv.fields[r->columns.split];
    if (strcmp(text, spec->split_train) == 0)
        return 0;
    *test = 1;
    if (spec->split_test != NULL && strcmp(text, spec->split_test) == 0)
        return 0;
    return error_set(error, -EINVAL,
                     "%s:%zu: column '%s': found '%.60s', expected '%s' or "
                     "'%s'",
                     r->csv.path, r->csv.line, spec->split_column, text,
                     spec->split_train,
                     spec->split_test ? spec->split_test : "");
}

static int read_target(double *y, const struct reading *r, struct error *error)
{
    const char *text = r->csv.fields[r->columns.target];
    int code = read_number(y, r, r->spec->target, text, error);

    if (code != 0 || r->classes == 0 || isnan(*y) ||
        (*y >= 0 && *y < r->classes && *y == floor(*y)))
        return code;
    if (r->classes == 2)
        return error_set(error, -EINVAL,
                         "%s:%zu: column '%s': found %.60s, expected 0 or 1",
                         r->csv.path, r->csv.line, r->spec->target, text);
    return error_set(error, -EINVAL,
                     "%s:%zu: column '%s': found %.60s, expected a class, a "
                     "whole number 0 to %.0f",
                     r->csv.path, r->csv.line, r->spec->target, text,
                     r->classes - 1);
}

static bool is_kept(const double *x, size_t count, double y,
                    enum task_missing missing)
{
    if (isnan(y))
        return false;
    for (size_t i = 0; i < count && missing != TASK_MISSING_MEAN; i++)
        if (isnan(x[i]))
            return false;
    return true;
}

static int read_row(struct reading *r, struct error *error)
{
    struct dataset *d = r->data;
    const struct columns *c = &r->columns;

    if (r->csv.count != c->width)
        return error_set(error, -EINVAL,
                         "%s:%zu: found %zu fields, expected %zu as in the "
                         "header",
                         r->csv.path, r->csv.line, r->csv.count, c->width);
    if (c->filter != COLUMNS_NONE &&
        strcmp(r->csv.fields[c->filter], r->filter->equals) != 0)
        return 0;
    r->matched++;
    int code = grow(r, error);
    if (code != 0)
        return code;
    double *x = d->x + d->row_count * d->column_count;
    code = read_split(&d->test[d->row_count], r, error);
    if (code == 0)
        code = read_target(&d->y[d->row_count], r, error);
    for (size_t i = 0; i < c->source_count && code == 0; i++) {
        const struct columns_source *s = &c->sources[i];
        const char *text = r->csv.fields[s->field];
        code = s->code == NULL
                   ? read_number(x + s->first, r, s->name, text, error)
                   : read_level(x + s->first, r, s, text, error);
    }
    if (code != 0)
        return code;
    if (is_kept(x, d->column_count, d->y[d->row_count], r->spec->missing))
        d->row_count++;
    else
        d->dropped++;
    return 0;
}

static void hash(struct dataset *d)
{
    crypto_generichash_state state;
    uint64_t sizes[2] = {d->row_count, d->column_count};

    crypto_generichash_init(&state, NULL, 0, sizeof d->fingerprint);
    crypto_generichash_update(&state, (uint8_t *)sizes, sizeof sizes);
    for (size_t i = 0; i < d->column_count; i++)
        crypto_generichash_update(&state, (uint8_t *)d->names[i],
                                  strlen(d->names[i]) + 1);
    crypto_generichash_update(&state, (uint8_t *)d->x,
                              d->row_count * d->column_count * sizeof *d->x);
    crypto_generichash_update(&state, (uint8_t *)d->y,
                              d->row_count * sizeof *d->y);
    crypto_generichash_update(&state, d->test, d->row_count);
    crypto_generichash_final(&state, d->fingerprint, sizeof d->fingerprint);
}

static int check_rows(const struct reading *r, struct error *error)
{
    const struct dataset *d = r->data;
    size_t train = 0;

    if (r->csv.line <= 1 && r->matched == 0)
        return error_set(error, -EINVAL,
                         "%s: found a header and no rows, expected at least "
                         "one row",
                         d->path);
    if (r->matched == 0)
        return error_set(error, -EINVAL,
                         "%s: found no row whose column '%s' equals '%s'; "
                         "check the site's `rows:`",
                         d->path, r->filter->column, r->filter->equals);
    for (size_t i = 0; i < d->row_count; i++)
        train += d->test[i] == 0;
    if (train > 0)
        return 0;
    return error_set(error, -EINVAL,
                     "%s: found no training row (%zu test rows, %zu rows left "
                     "out for missing values), expected at least one",
                     d->path, d->row_count, d->dropped);
}

static int read_rows(struct reading *r, struct error *error)
{
    struct dataset *d = r->data;
    int code = csv_next(&r->csv, error);

    if (code < 0)
        return code;
    if (code == 0)
        return error_set(error, -EINVAL,
                         "%s: found blank lines only, expected a header line",
                         d->path);
    code = columns_match(&r->columns, &r->csv, r->spec, r->filter, error);
    if (code != 0)
        return code;
    d->column_count = r->columns.count;
    d->filtered = r->columns.filter != COLUMNS_NONE;
    bool any = false;
    while ((code = csv_next(&r->csv, error)) > 0) {
        any = true;
        code = read_row(r, error);
        if (code != 0)
            return code;
    }
    if (code == 0 && !any)
        r->csv.line = 0;
    return code == 0 ? check_rows(r, error) : code;
}

int dataset_read(struct dataset **dataset, const char *path,
                 const struct dataset_filter *filter,
                 const struct task_spec *spec, struct error *error)
{
    struct reading r = {.spec = spec, .filter = filter};
    int code;

    *dataset = NULL;
    if (strcmp(spec->kind, "logistic") == 0)
        r.classes = 2;
    else if (strcmp(spec->kind, "linear") != 0)
        r.classes = spec->training.classes;
    code = csv_open(&r.csv, path, error);
    if (code != 0)
        return code;
    r.data = calloc(1, sizeof *r.data);
    if (r.data != NULL)
        r.data->path = malloc(strlen(path) + 1);
    if (r.data == NULL || r.data->path == NULL) {
        code = no_memory(path, error);
        goto fail;
    }
    memcpy(r.data->path, path, strlen(path) + 1);
    code = read_rows(&r, error);
    if (code != 0)
        goto fail;
    r.data->names = r.columns.names;
    r.columns.names = NULL;
    hash(r.data);
    *dataset = r.data;
    r.data = NULL;
fail:
    columns_free(&r.columns);
    csv_close(&r.csv);
    dataset_free(r.data);
    return code;
}

void dataset_free(struct dataset *dataset)
{
    if (dataset == NULL)
        return;
    for (size_t i = 0; dataset->names != NULL && i < dataset->column_count; i++)
        free(dataset->names[i]);
    free(dataset->names);
    free(dataset->path);
    free(dataset->x);
    free(dataset->y);
    free(dataset->test);
    free(dataset);
}

static char **copy_names(const struct csv *csv)
{
    char **names = calloc(csv->count, sizeof *names);

    for (size_t i = 0; names != NULL && i < csv->count; i++) {
        size_t size = strlen(csv->fields[i]) + 1;
        names[i] = malloc(size);
        if (names[i] == NULL) {
            while (i > 0)
                free(names[--i]);
            free(names);
            return NULL;
        }
        memcpy(names[i], csv->fields[i], size);
    }
    return names;
}

int dataset_header(char ***names, size_t *count, const char *path,
                   struct error *error)
{
    struct csv csv;
    int code = csv_open(&csv, path, error);

    *names = NULL;
    *count = 0;
    if (code != 0)
        return code;
    code = csv_next(&csv, error);
    if (code == 0)
        code = error_set(error, -EINVAL,
                         "%s: found blank lines only, expected a header line",
                         path);
    else if (code == 1)
        code = columns_distinct(&csv, error);
    if (code == 0) {
        *names = copy_names(&csv);
        *count = csv.count;
        if (*names == NULL) {
            *count = 0;
            code = no_memory(path, error);
        }
    }
    csv_close(&csv);
    return code;
}
