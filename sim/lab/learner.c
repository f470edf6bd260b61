#include "sim/lab/learner.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/kernel.h"
#include "model/csv.h"
#include "model/number.h"
#include "sim/lab/states.h"

enum {
    HIDDEN_MAX = 4096,
    LINE = 16 /* floats of a cache line */
};

const char learner_splits[] = "iid|label|dirichlet|column";

size_t learner_size(const struct learner *r)
{
    const size_t inputs = r->features + 1;

    return r->hidden == 0 ? r->classes * inputs
                          : r->hidden * inputs + r->classes * (r->hidden + 1);
}

void learner_init(double *x, const struct learner *r, uint64_t seed)
{
    const size_t size = learner_size(r), first = r->hidden * (r->features + 1);
    struct chance chance = chance_of(seed, CHANCE_START, 0, 0);

    memset(x, 0, size * sizeof *x);
    for (size_t k = 0; r->hidden > 0 && k < size; k++) {
        double inputs = (double)(k < first ? r->features : r->hidden);
        x[k] = (2 * chance_real(&chance) - 1) / sqrt(inputs);
    }
}

/* p[classes] becomes the softmax of itself. Returns log of its sum. */
static double softmax(double *p, size_t classes)
{
    double most = -HUGE_VAL, sum = 0;

    for (size_t c = 0; c < classes; c++)
        most = fmax(most, p[c]);
    for (size_t c = 0; c < classes; c++)
        sum += p[c] = p[c] < most ? exp(p[c] - most) : 1;
    for (size_t c = 0; c < classes; c++)
        p[c] /= sum;
    return most + log(fmax(sum, 1)); /* the largest alone gives 1 */
}

/* h[hidden + 1] of a row, the last one 1; or the row itself. */
static const double *lift(double *h, const struct learner *r, const double *x,
                          const double *z)
{
    const size_t inputs = r->features + 1;

    if (r->hidden == 0)
        return z;
    for (size_t u = 0; u < r->hidden; u++)
        h[u] = fmax(kernel_dot(x + u * inputs, z, inputs), 0);
    h[r->hidden] = 1;
    return h;
}

size_t learner_stride(size_t features)
{
    const size_t inputs = features + 1;

    return inputs < LINE ? inputs : (inputs + LINE - 1) / LINE * LINE;
}

void learner_row(double *z, const struct learner *r, size_t row)
{
    if (r->z == NULL)
        kernel_widen(z, r->packed + row * r->stride, r->stride);
    else
        memcpy(z, r->z + row * r->stride, r->stride * sizeof *z);
}

void learner_pack(struct learner *r)
{
    const size_t count = r->start[r->n] * r->stride;

    for (size_t k = 0; k < count; k++)
        if (fabs((double)(float)r->z[k] - r->z[k]) > 0)
            return;
    r->packed = states_room((count + 1) * sizeof *r->packed);
    if (r->packed == NULL)
        return; /* as it was */
    kernel_narrow(r->packed, r->z, count);
    free(r->z);
    r->z = NULL;
}

double learner_value(const struct learner *r, const double *x)
{
    const size_t inputs = r->features + 1;
    const size_t wide = r->hidden == 0 ? inputs : r->hidden + 1;
    double room[HIDDEN_MAX + 1], p[LEARNER_CLASSES_MAX], sum = 0;
    double *z = malloc(r->stride * sizeof *z);

    if (z == NULL)
        return NAN;

    for (size_t i = 0; i < r->n; i++) {
        double own = 0;
        for (size_t row = r->start[i]; row < r->start[i + 1]; row++) {
            learner_row(z, r, row);
            const double *h = lift(room, r, x, z);
            for (size_t c = 0; c < r->classes; c++)
                p[c] = kernel_dot(x + r->hidden * inputs + c * wide, h, wide);
            double right = p[r->label[row]];
            own += softmax(p, r->classes) - right;
        }
        if (r->start[i + 1] > r->start[i])
            sum += own / (double)(r->start[i + 1] - r->start[i]);
    }
    free(z);
    return sum / (double)r->n +
           r->lambda / 2 * kernel_dot(x, x, learner_size(r));
}

/* The file as it stands, before it is split. */
struct rows {
    size_t count, room, features;
    double *z;       /* [count, features + 1] */
    uint32_t *label; /* [count] */
    uint32_t *node;  /* [count] */
    double *own;     /* [count] the column's value */
};

static void free_rows(struct rows *w)
{
    free(w->z);
    free(w->label);
    free(w->node);
    free(w->own);
}

static bool grow(struct rows *w)
{
    size_t room = w->room == 0 ? 256 : 2 * w->room;
    double *z = realloc(w->z, room * (w->features + 1) * sizeof *z);

    if (z != NULL)
        w->z = z;
    uint32_t *label = realloc(w->label, room * sizeof *label);
    if (label != NULL)
        w->label = label;
    double *own = realloc(w->own, room * sizeof *own);
    if (own != NULL)
        w->own = own;
    if (z == NULL || label == NULL || own == NULL)
        return false;
    w->room = room;
    return true;
}

static int take_row(struct rows *w, const struct csv *csv, size_t target,
                    size_t column, struct error *error)
{
    double *z = w->z + w->count * (w->features + 1), value;
    size_t k = 0;

    for (size_t c = 0; c < csv->count; c++) {
        if (!number_parse(&value, csv->fields[c]) || !isfinite(value))
            return error_set(error, -EINVAL,
                             "%s:%zu: found '%.40s' in column %zu, expected a "
                             "number",
                             csv->path, csv->line, csv->fields[c], c + 1);
        if (c == target && !(value >= 0 && value < LEARNER_CLASSES_MAX &&
                             floor(value) >= value))
            return error_set(error, -EINVAL,
                             "%s:%zu: found the label %.17g, expected a whole "
                             "number from 0 to %d",
                             csv->path, csv->line, value,
                             LEARNER_CLASSES_MAX - 1);
        if (c == target)
            w->label[w->count] = (uint32_t)value;
        else if (c == column)
            w->own[w->count] = value;
        else
            z[k++] = value;
    }
    z[k] = 1;
    w->count++;
    return 0;
}

static size_t find(const struct csv *csv, const char *name)
{
    for (size_t c = 0; name != NULL && c < csv->count; c++)
        if (strcmp(csv->fields[c], name) == 0)
            return c;
    return SIZE_MAX;
}

static int read_rows(struct rows *w, struct csv *csv,
                     const struct learner_spec *spec, struct error *error)
{
    int more = csv_next(csv, error);
    const size_t columns = csv->count, target = find(csv, spec->target);
    const size_t column = find(csv, spec->column);

    if (more < 0)
        return more;
    if (target == SIZE_MAX || (spec->column != NULL && column == SIZE_MAX))
        return error_set(error, -EINVAL,
                         "%s:1: found no column '%s', expected it in the "
                         "header",
                         csv->path,
                         target == SIZE_MAX ? spec->target : spec->column);
    w->features = columns - 1 - (column != SIZE_MAX);
    while ((more = csv_next(csv, error)) == 1) {
        if (csv->count != columns)
            return error_set(error, -EINVAL,
                             "%s:%zu: found %zu columns, expected %zu as in "
                             "the header",
                             csv->path, csv->line, csv->count, columns);
        if (w->count == w->room && !grow(w))
            return error_set(error, -ENOMEM, "%s: out of memory", csv->path);
        int code = take_row(w, csv, target, column, error);
        if (code != 0)
            return code;
    }
    return more;
}

/* Marsaglia and Tsang, ACM TOMS 26, 2000; for small alpha their boost. */
static double gamma_draw(double alpha, struct chance *chance)
{
    double boost = 1;

    if (alpha < 1) {
        boost = pow(chance_real(chance), 1 / alpha);
        alpha += 1;
    }
    const double d = alpha - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = chance_normal(chance), v = 1 + c * x;
        v = v * v * v;
        if (v > 0 &&
            log(1 - chance_real(chance)) < x * x / 2 + d - d * v + d * log(v))
            return boost * d * v;
    }
}

/* Rows order[from..to), all of one label, go to nodes in Dirichlet shares. */
static void deal_label(struct rows *w, const uint32_t *order, size_t count,
                       size_t n, double *share, double alpha,
                       struct chance *chance)
{
    double sum = 0, passed = 0;
    size_t at = 0;

    for (size_t i = 0; i < n; i++)
        sum += share[i] = gamma_draw(alpha, chance);
    for (size_t i = 0; i < n; i++) {
        passed += sum > 0 ? share[i] / sum : 1 / (double)n;
        size_t to = i + 1 == n ? count : (size_t)(passed * (double)count + 0.5);
        for (; at < to && at < count; at++)
            w->node[order[at]] = (uint32_t)i;
    }
}

static void deal(struct rows *w, uint32_t *order, double *share,
                 const struct learner_spec *spec, size_t n)
{
    struct chance chance = chance_of(spec->seed, CHANCE_SPLIT, 0, 0);
    size_t at = 0;

    for (size_t r = 0; r < w->count; r++)
        order[r] = (uint32_t)r;
    chance_shuffle(&chance, order, w->count);
    if (spec->split == LEARNER_IID) {
        for (size_t r = 0; r < w->count; r++)
            w->node[order[r]] = (uint32_t)(r * n / w->count);
        return;
    }
    uint32_t *sorted = order + w->count;
    for (uint32_t label = 0; label < LEARNER_CLASSES_MAX; label++) {
        const size_t from = at;
        for (size_t r = 0; r < w->count; r++)
            if (w->label[order[r]] == label)
                sorted[at++] = order[r];
        if (spec->split == LEARNER_DIRICHLET && at > from)
            deal_label(w, sorted + from, at - from, n, share, spec->alpha,
                       &chance);
    }
    for (size_t r = 0; spec->split == LEARNER_LABEL && r < w->count; r++)
        w->node[sorted[r]] = (uint32_t)(r * n / w->count);
}

static int split_rows(struct rows *w, const struct learner_spec *spec, size_t n,
                      struct error *error)
{
    uint32_t *order = malloc((2 * w->count + 1) * sizeof *order);
    double *share = malloc((n + 1) * sizeof *share);
    int code = 0;

    w->node = calloc(w->count + 1, sizeof *w->node);
    if (order == NULL || share == NULL || w->node == NULL) {
        error_set(error, -ENOMEM, "%s: out of memory", spec->data);
        code = -ENOMEM;
    } else if (spec->split != LEARNER_COLUMN) {
        deal(w, order, share, spec, n);
    }
    for (size_t r = 0;
         code == 0 && spec->split == LEARNER_COLUMN && r < w->count; r++) {
        if (!(w->own[r] >= 0 && w->own[r] < (double)n))
            code = error_set(error, -EINVAL,
                             "%s:%zu: found %.17g in column '%s', expected a "
                             "node from 0 to %zu",
                             spec->data, r + 2, w->own[r], spec->column, n - 1);
        else
            w->node[r] = (uint32_t)w->own[r];
    }
    free(order);
    free(share);
    return code;
}

/* Rows node by node, each node's in the file's order. */
static int place_rows(struct learner *r, const struct rows *w)
{
    const size_t inputs = r->features + 1;
    size_t *next = calloc(r->n + 1, sizeof *next);

    r->start = calloc(r->n + 1, sizeof *r->start);
    r->stride = learner_stride(r->features);
    r->z = states_room((w->count * r->stride + 1) * sizeof *r->z);
    r->label = malloc((w->count + 1) * sizeof *r->label);
    if (next == NULL || r->start == NULL || r->z == NULL || r->label == NULL) {
        free(next);
        return -ENOMEM;
    }
    for (size_t k = 0; k < w->count; k++)
        r->start[w->node[k] + 1]++;
    for (size_t i = 0; i < r->n; i++)
        r->start[i + 1] += r->start[i];
    memcpy(next, r->start, r->n * sizeof *next);
    for (size_t k = 0; k < w->count; k++) {
        size_t to = next[w->node[k]]++;
        memcpy(r->z + to * r->stride, w->z + k * inputs, inputs * sizeof *r->z);
        r->label[to] = w->label[k];
        if (w->label[k] >= r->classes)
            r->classes = w->label[k] + (size_t)1;
    }
    free(next);
    return 0;
}

int learner_read(struct learner **learner, const struct learner_spec *spec,
                 size_t n, struct error *error)
{
    struct rows w = {0};
    struct csv csv;
    struct learner *r = NULL;
    int code = csv_open(&csv, spec->data, error);

    *learner = NULL;
    if (code != 0)
        return code;
    code = read_rows(&w, &csv, spec, error);
    csv_close(&csv);
    if (code == 0 && w.count == 0)
        code =
            error_set(error, -EINVAL,
                      "%s: found no rows, expected at least one", spec->data);
    if (code == 0)
        code = split_rows(&w, spec, n, error);
    if (code == 0) {
        r = calloc(1, sizeof *r);
        code = -ENOMEM;
        if (r != NULL) {
            *r = (struct learner){.n = n,
                                  .features = w.features,
                                  .classes = 2,
                                  .hidden = spec->hidden,
                                  .batch = spec->batch,
                                  .lambda = spec->lambda};
            code = place_rows(r, &w);
        }
        if (code == 0)
            learner_pack(r);
        if (code != 0)
            error_set(error, code, "%s: out of memory", spec->data);
    }
    free_rows(&w);
    if (code != 0)
        learner_free(r);
    else
        *learner = r;
    return code;
}

void learner_free(struct learner *r)
{
    if (r == NULL)
        return;
    free(r->start);
    free(r->z);
    free(r->packed);
    free(r->label);
    free(r);
}
