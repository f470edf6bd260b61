#include "model/columns.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/number.h"

static int no_memory(const struct csv *csv, struct error *error)
{
    return error_set(error, -ENOMEM, "%s: out of memory", csv->path);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int columns_distinct(const struct csv *csv, struct error *error)
{
    char **sorted = malloc(csv->count * sizeof *sorted);
    int code = 0;

    if (sorted == NULL)
        return no_memory(csv, error);
    memcpy(sorted, csv->fields, csv->count * sizeof *sorted);
    qsort(sorted, csv->count, sizeof *sorted, compare);
    for (size_t i = 1; i < csv->count && code == 0; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            code = error_set(error, -EINVAL,
                             "%s:%zu: found two columns named '%s', expected "
                             "distinct names in the header",
                             csv->path, csv->line, sorted[i]);
    free(sorted);
    return code;
}

static ptrdiff_t find(const struct csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->count; i++)
        if (strcmp(csv->fields[i], name) == 0)
            return (ptrdiff_t)i;
    return COLUMNS_NONE;
}

/* Levenshtein's distance, of the first characters of long names. */
static size_t distance(const char *a, const char *b)
{
    enum { LONG = 40 };
    size_t row[LONG + 1], la = strlen(a), lb = strlen(b);

    la = la < LONG ? la : LONG;
    lb = lb < LONG ? lb : LONG;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            best = best < row[j] + 1 ? best : row[j] + 1;
            row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
        }
    }
    return row[lb];
}

static int absent(const struct csv *csv, const char *name, struct error *error)
{
    size_t best = SIZE_MAX, at = 0;

    if (csv->count == 1 && strpbrk(csv->fields[0], ";\t") != NULL)
        return error_set(error, -EINVAL,
                         "%s:%zu: found one column '%.60s', expected names "
                         "parted by ','; convert the file's separator",
                         csv->path, csv->line, csv->fields[0]);
    for (size_t i = 0; i < csv->count; i++) {
        size_t d = distance(csv->fields[i], name);
        if (d < best) {
            best = d;
            at = i;
        }
    }
    return error_set(error, -EINVAL,
                     "%s:%zu: found no column '%s', which the study names, "
                     "among %zu columns; the nearest is '%s'",
                     csv->path, csv->line, name, csv->count, csv->fields[at]);
}

static int require(size_t *field, const struct csv *csv, const char *name,
                   struct error *error)
{
    ptrdiff_t at = find(csv, name);

    if (at == COLUMNS_NONE)
        return absent(csv, name, error);
    *field = (size_t)at;
    return 0;
}

static const struct task_categorical *coded(const struct task_spec *spec,
                                            const char *name)
{
    for (size_t i = 0; i < spec->categorical_count; i++)
        if (strcmp(spec->categorical[i].column, name) == 0)
            return &spec->categorical[i];
    return NULL;
}

static bool is_taken(const struct columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->source_count; i++) {
        assert(columns->sources[i].name != NULL);
        if (strcmp(columns->sources[i].name, name) == 0)
            return true;
    }
    return false;
}

static int add(struct columns *columns, const struct csv *csv, const char *name,
               const struct task_spec *spec, struct error *error)
{
    struct columns_source *s = &columns->sources[columns->source_count];
    int code;

    if (is_taken(columns, name))
        return error_set(error, -EINVAL,
                         "%s: the study names the feature '%s' twice",
                         csv->path, name);
    if (strcmp(name, spec->target) == 0)
        return error_set(error, -EINVAL,
                         "%s: the study names '%s' both as the target and as "
                         "a feature",
                         csv->path, name);
    code = require(&s->field, csv, name, error);
    if (code != 0)
        return code;
    s->name = name;
    s->code = coded(spec, name);
    s->first = columns->count;
    columns->count += s->code == NULL ? 1 : s->code->level_count - 1;
    columns->source_count++;
    return 0;
}

static int add_all(struct columns *columns, const struct csv *csv,
                   const struct task_spec *spec, struct error *error)
{
    int code = 0;

    for (size_t i = 0; i < spec->feature_count && code == 0; i++)
        code = add(columns, csv, spec->features[i], spec, error);
    for (size_t i = 0; i < spec->categorical_count && code == 0; i++)
        if (!is_taken(columns, spec->categorical[i].column))
            code = add(columns, csv, spec->categorical[i].column, spec, error);
    return code;
}

static char *join(const char *column, const char *level)
{
    size_t size = strlen(column) + strlen(level) + 2;
    char *name = malloc(size);

    if (name != NULL)
        snprintf(name, size, "%s%s%s", column, level[0] == '\0' ? "" : "=",
                 level);
    return name;
}

static int name_all(struct columns *columns, const struct csv *csv,
                    struct error *error)
{
    columns->names = calloc(columns->count + 1, sizeof *columns->names);
    if (columns->names == NULL)
        return no_memory(csv, error);
    for (size_t i = 0; i < columns->source_count; i++) {
        const struct columns_source *s = &columns->sources[i];
        size_t width = s->code == NULL ? 1 : s->code->level_count - 1;
        assert(s->name != NULL);
        for (size_t j = 0; j < width; j++) {
            char *name = join(s->name, s->code ? s->code->levels[j + 1] : "");
            if (name == NULL)
                return no_memory(csv, error);
            columns->names[s->first + j] = name;
        }
    }
    return 0;
}

int columns_match(struct columns *columns, const struct csv *csv,
                  const struct task_spec *spec,
                  const struct dataset_filter *filter, struct error *error)
{
    size_t most = spec->feature_count + spec->categorical_count;
    int code = columns_distinct(csv, error);

    *columns = (struct columns){
        .width = csv->count, .split = COLUMNS_NONE, .filter = COLUMNS_NONE};
    columns->sources = calloc(most + 1, sizeof *columns->sources);
    if (columns->sources == NULL)
        return no_memory(csv, error);
    if (code == 0)
        code = require(&columns->target, csv, spec->target, error);
    if (code == 0)
        code = add_all(columns, csv, spec, error);
    if (code == 0)
        code = name_all(columns, csv, error);
    if (code == 0 && spec->split_column != NULL) {
        columns->split = find(csv, spec->split_column);
        if (columns->split == COLUMNS_NONE)
            code = absent(csv, spec->split_column, error);
    }
    if (code == 0 && filter != NULL && filter->column != NULL) {
        columns->filter = find(csv, filter->column);
        if (columns->filter == COLUMNS_NONE && !filter->optional)
            code = absent(csv, filter->column, error);
    }
    if (code != 0)
        columns_free(columns);
    return code;
}

void columns_free(struct columns *columns)
{
    for (size_t i = 0; columns->names != NULL && i < columns->count; i++)
        free(columns->names[i]);
    free(columns->names);
    free(columns->sources);
    *columns = (struct columns){0};
}

size_t columns_level(const struct task_categorical *code, const char *text)
{
    double value, level;

    for (size_t i = 0; i < code->level_count; i++)
        if (strcmp(code->levels[i], text) == 0)
            return i;
    if (!number_parse(&value, text))
        return code->level_count;
    for (size_t i = 0; i < code->level_count; i++)
        if (number_parse(&level, code->levels[i]) && level == value)
            return i;
    return code->level_count;
}
