#include "sim/lab/reference.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/csv.h"
#include "model/number.h"

static char *keep(const char *text)
{
    char *copy = strdup(text);

    assert(copy != NULL);
    return copy;
}

static void *room(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    assert(memory != NULL);
    return memory;
}

/* The next name of `header`; whether its column is text. */
static bool next_name(char *name, size_t size, const char **header)
{
    const size_t length = strcspn(*header, ",");
    const bool text = length > 0 && (*header)[length - 1] == '$';

    snprintf(name, size, "%.*s", (int)(length - text), *header);
    *header += length + ((*header)[length] == ',');
    return text;
}

static int check_header(struct reference *r, bool *text, const struct csv *csv,
                        const char *header, struct error *error)
{
    char name[128];

    for (size_t c = 0; c < csv->count || *header != '\0'; c++) {
        const bool is_text = next_name(name, sizeof name, &header);
        const char *found = c < csv->count ? csv->fields[c] : "";
        if (strcmp(found, name) != 0)
            return error_set(error, -EINVAL,
                             "column %zu: found '%.40s', expected '%.40s'", c,
                             found, name);
        text[c] = is_text;
        r->names[r->columns++] = keep(name);
    }
    return 0;
}

static int take_row(struct reference *r, const bool *text,
                    const struct csv *csv, struct error *error)
{
    for (size_t c = 0; c < r->columns; c++) {
        const size_t place = r->rows * r->columns + c;
        const char *field = c < csv->count ? csv->fields[c] : "";
        r->v[place] = (double)NAN;
        if (text[c])
            r->words[place] = keep(field);
        else if (!number_parse(&r->v[place], field) || !isfinite(r->v[place]))
            return error_set(error, -EINVAL,
                             "line %zu: found '%.40s' as %s, expected a number",
                             csv->line, field, r->names[c]);
    }
    r->rows++;
    return csv->count <= r->columns
               ? 0
               : error_set(error, -EINVAL, "line %zu: found %zu fields",
                           csv->line, csv->count);
}

static int read_all(struct reference *r, struct csv *csv, const char *header,
                    size_t rows, struct error *error)
{
    int code = csv_next(csv, error), more = 1;

    if (code != 1)
        return code < 0 ? code : error_set(error, -EINVAL, "found no header");
    bool *text = room(csv->count + 1, sizeof *text);
    r->names = room(csv->count + 1, sizeof *r->names);
    r->v = room(rows * csv->count + 1, sizeof *r->v);
    r->words = room(rows * csv->count + 1, sizeof *r->words);
    r->got = room(rows + 1, sizeof *r->got);
    code = check_header(r, text, csv, header, error);
    while (code == 0 && r->rows < rows && (more = csv_next(csv, error)) == 1)
        code = take_row(r, text, csv, error);
    free(text);
    if (code == 0 && more < 0)
        return more;
    if (code == 0 && (r->rows < rows || csv_next(csv, error) != 0))
        code = error_set(error, -EINVAL, "found %s than %zu rows",
                         r->rows < rows ? "fewer" : "more", rows);
    return code;
}

int reference_open(struct reference *r, struct verify *v, const char *file,
                   const char *header, size_t rows)
{
    char path[4096];
    struct error error = {{0}};
    struct csv csv;

    *r = (struct reference){.file = file};
    snprintf(path, sizeof path, "%s/%s", v->dir, file);
    int code = csv_open(&csv, path, &error);
    if (code == 0) {
        code = read_all(r, &csv, header, rows, &error);
        csv_close(&csv);
    }
    if (code == 0)
        return 0;
    verify_fail(v, file, error.text);
    reference_close(r);
    return -1;
}

void reference_close(struct reference *r)
{
    for (size_t c = 0; c < r->columns; c++)
        free(r->names[c]);
    for (size_t t = 0; r->words != NULL && t < r->rows * r->columns; t++)
        free(r->words[t]);
    free(r->names);
    free(r->words);
    free(r->v);
    free(r->got);
    *r = (struct reference){0};
}

double reference_at(const struct reference *r, size_t row, size_t column)
{
    assert(row < r->rows && column < r->columns);
    return r->v[row * r->columns + column];
}

const char *reference_word(const struct reference *r, size_t row, size_t column)
{
    assert(row < r->rows && column < r->columns);
    return r->words[row * r->columns + column];
}

/* How far apart, in units of what is allowed. */
static double distance(double want, double got, enum reference_kind kind)
{
    const double root = verify_root(want);

    switch (kind) {
    case REFERENCE_ROOT:
        return fabs(root - verify_root(got)) / (1e-10 * fmax(1, root));
    case REFERENCE_GAP:
        return fabs(want - got) / (1e-13 * fmax(1, fabs(want)));
    case REFERENCE_PLAIN:
        return fabs(want - got) / (1e-10 * fmax(1, fabs(want)));
    default:
        if (want > 1e6)
            return got > 1e6 ? 0 : 2;
        return fabs(want - got) / (1e-2 * fabs(want) + 1e-12);
    }
}

void reference_judge(const struct reference *r, struct verify *v, size_t column,
                     enum reference_kind kind)
{
    double worst = 0;
    size_t at = 0;
    char what[160];

    for (size_t t = 0; t < r->rows; t++) {
        double want = reference_at(r, t, column);
        if (kind == REFERENCE_LOOSE && t > 5 && t + 1 < r->rows)
            continue;
        double far = verify_worst(0, distance(want, r->got[t], kind));
        if (far > worst) {
            worst = far;
            at = t;
        }
    }
    snprintf(what, sizeof what, "%s, %zu rows, worst in %zu", r->names[column],
             r->rows, at);
    verify_near(v, r->file, what, reference_at(r, at, column), r->got[at],
                worst <= 1 ? HUGE_VAL : -1);
}
