#include "sim/lab/reference.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/csv.h"
#include "model/number.h"

enum { ROWS_MAX = 4096 };

static char *keep(const char *text)
{
    char *copy = strdup(text);

    assert(copy != NULL);
    return copy;
}

static void take_row(struct reference *r, const struct csv *csv)
{
    for (size_t c = 0; c < r->columns; c++) {
        double *v = &r->v[r->rows * r->columns + c];
        if (c >= csv->count || !number_parse(v, csv->fields[c]))
            *v = (double)NAN;
    }
    r->words[r->rows++] = keep(csv->fields[0]);
}

int reference_open(struct reference *r, struct verify *v, const char *file)
{
    char path[4096];
    struct error error = {{0}};
    struct csv csv;

    *r = (struct reference){.file = file};
    snprintf(path, sizeof path, "%s/%s", v->dir, file);
    if (csv_open(&csv, path, &error) != 0) {
        verify_skip(v, file, error.text);
        return -1;
    }
    if (csv_next(&csv, &error) == 1) {
        r->columns = csv.count;
        r->names = calloc(csv.count, sizeof *r->names);
        r->v = malloc(ROWS_MAX * csv.count * sizeof *r->v);
        r->words = calloc(ROWS_MAX, sizeof *r->words);
        r->got = calloc(ROWS_MAX, sizeof *r->got);
        assert(r->names != NULL && r->v != NULL && r->words != NULL &&
               r->got != NULL);
        for (size_t c = 0; c < csv.count; c++)
            r->names[c] = keep(csv.fields[c]);
        while (r->rows < ROWS_MAX && csv_next(&csv, &error) == 1)
            take_row(r, &csv);
    }
    csv_close(&csv);
    return 0;
}

void reference_close(struct reference *r)
{
    for (size_t c = 0; c < r->columns; c++)
        free(r->names[c]);
    for (size_t t = 0; t < r->rows; t++)
        free(r->words[t]);
    free(r->names);
    free(r->words);
    free(r->v);
    free(r->got);
    *r = (struct reference){0};
}

double reference_at(const struct reference *r, size_t row, size_t column)
{
    assert(row < r->rows);
    return column < r->columns ? r->v[row * r->columns + column] : (double)NAN;
}

const char *reference_word(const struct reference *r, size_t row)
{
    assert(row < r->rows);
    return r->words[row];
}

/* How far apart, in units of what is allowed. */
static double distance(double want, double got, enum reference_kind kind)
{
    double root = sqrt(fmax(want, 0));

    switch (kind) {
    case REFERENCE_ROOT:
        return fabs(root - sqrt(fmax(got, 0))) / (1e-10 * fmax(1, root));
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
        if (isnan(want) && isnan(r->got[t]))
            continue;
        double far = distance(want, r->got[t], kind);
        if (!(far <= worst)) {
            worst = far;
            at = t;
        }
    }
    if (r->rows == 0)
        worst = HUGE_VAL;
    snprintf(what, sizeof what, "%s, %zu rows, worst in %zu", r->names[column],
             r->rows, at);
    const double want = r->rows == 0 ? 0 : reference_at(r, at, column);
    verify_near(v, r->file, what, want, r->rows == 0 ? 0 : r->got[at],
                worst <= 1 ? HUGE_VAL : -1);
}
