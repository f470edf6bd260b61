#include "gossip/mixing.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/kernel.h"

static int compare(const void *a, const void *b)
{
    const struct mixing_entry *x = a, *y = b;

    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->column > y->column) - (x->column < y->column);
}

static struct mixing *sparse_new(size_t n, size_t room)
{
    struct mixing *m = calloc(1, sizeof *m);

    if (m == NULL)
        return NULL;
    m->kind = MIXING_SPARSE;
    m->n = n;
    m->start = calloc(n + 1, sizeof *m->start);
    m->column = malloc((room + 1) * sizeof *m->column);
    m->weight = malloc((room + 1) * sizeof *m->weight);
    if (m->start != NULL && m->column != NULL && m->weight != NULL)
        return m;
    mixing_free(m);
    return NULL;
}

static void put(struct mixing *m, size_t *at, size_t column, double weight)
{
    m->column[*at] = (uint32_t)column;
    m->weight[(*at)++] = weight;
}

struct mixing *mixing_of(struct mixing_entry *entries, size_t count, size_t n)
{
    struct mixing *m = sparse_new(n, count + n);
    size_t at = 0, e = 0;

    if (m == NULL)
        return NULL;
    if (count > 0)
        qsort(entries, count, sizeof *entries, compare);
    for (size_t i = 0; i < n; i++) {
        bool diagonal = false;
        m->start[i] = at;
        for (; e < count && entries[e].row == i; e++) {
            size_t column = entries[e].column;
            assert(column < n);
            if (at > m->start[i] && m->column[at - 1] == column) {
                m->weight[at - 1] += entries[e].weight;
                continue;
            }
            if (!diagonal && column > i)
                put(m, &at, i, 0);
            diagonal = diagonal || column >= i;
            put(m, &at, column, entries[e].weight);
        }
        if (!diagonal)
            put(m, &at, i, 0);
    }
    assert(e == count);
    m->start[n] = at;
    return m;
}

struct mixing *mixing_weigh(const struct graph *g,
                            double (*weight)(double own, double other,
                                             double constant),
                            double constant)
{
    struct mixing_entry *entries =
        malloc((g->start[g->n] + g->n) * sizeof *entries);
    size_t count = 0;

    if (entries == NULL)
        return NULL;
    for (size_t i = 0; i < g->n; i++) {
        double left = 1;
        for (size_t e = g->start[i]; e < g->start[i + 1]; e++) {
            uint32_t j = g->to[e];
            double w = weight((double)graph_degree(g, i),
                              (double)graph_degree(g, j), constant);
            left -= w;
            entries[count++] = (struct mixing_entry){(uint32_t)i, j, w};
        }
        entries[count++] =
            (struct mixing_entry){(uint32_t)i, (uint32_t)i, left};
    }
    struct mixing *m = mixing_of(entries, count, g->n);
    free(entries);
    return m;
}

static double by_larger(double own, double other, double constant)
{
    return constant / (1 + (own > other ? own : other));
}

struct mixing *mixing_metropolis(const struct graph *g)
{
    return mixing_weigh(g, by_larger, 1);
}

struct mixing *mixing_average(size_t n)
{
    struct mixing *m = calloc(1, sizeof *m);

    if (m != NULL) {
        m->kind = MIXING_AVERAGE;
        m->n = n;
    }
    return m;
}

struct mixing *mixing_circulant(size_t n, const size_t *offsets,
                                const double *shares, size_t count)
{
    struct mixing *m = calloc(1, sizeof *m);

    assert(count <= MIXING_OFFSETS_MAX);
    if (m == NULL)
        return NULL;
    m->kind = MIXING_CIRCULANT;
    m->n = n;
    m->offset_count = count;
    memcpy(m->offset, offsets, count * sizeof *offsets);
    memcpy(m->share, shares, count * sizeof *shares);
    return m;
}

void mixing_free(struct mixing *m)
{
    if (m == NULL)
        return;
    free(m->start);
    free(m->column);
    free(m->weight);
    free(m);
}

static struct mixing *copy_of(const struct mixing *m)
{
    const size_t count = m->start[m->n];
    struct mixing *copy = sparse_new(m->n, count);
    if (copy == NULL)
        return NULL;
    memcpy(copy->start, m->start, (m->n + 1) * sizeof *m->start);
    memcpy(copy->column, m->column, count * sizeof *m->column);
    memcpy(copy->weight, m->weight, count * sizeof *m->weight);
    return copy;
}

struct mixing *mixing_sparse(const struct mixing *m)
{
    if (m->kind == MIXING_SPARSE)
        return copy_of(m);
    const size_t n = m->n,
                 in_row = m->kind == MIXING_AVERAGE ? n : m->offset_count;
    struct mixing_entry *entries = malloc(n * in_row * sizeof *entries);
    if (entries == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < in_row; k++)
            entries[i * in_row + k] =
                m->kind == MIXING_AVERAGE
                    ? (struct mixing_entry){(uint32_t)i, (uint32_t)k,
                                            1.0 / (double)n}
                    : (struct mixing_entry){(uint32_t)i,
                                            (uint32_t)((i + m->offset[k]) % n),
                                            m->share[k]};
    struct mixing *sparse = mixing_of(entries, n * in_row, n);
    free(entries);
    return sparse;
}

void mixing_laze(struct mixing *m)
{
    assert(m->kind == MIXING_SPARSE);
    for (size_t i = 0; i < m->n; i++)
        for (size_t e = m->start[i]; e < m->start[i + 1]; e++)
            m->weight[e] = (m->weight[e] + (m->column[e] == i)) / 2;
}

void mixing_row(double *out, const struct mixing *m, size_t i, const double *x,
                size_t d)
{
    mixing_columns(out, m, i, x, d, d, false);
}

void mixing_columns(void *out, const struct mixing *m, size_t i, const void *x,
                    size_t stride, size_t d, bool single)
{
    uint32_t columns[MIXING_OFFSETS_MAX];
    const uint32_t *column = columns;
    const double *weight = m->share;
    size_t count = m->offset_count;

    assert(m->kind != MIXING_AVERAGE && i < m->n);
    if (m->kind == MIXING_SPARSE) {
        column = m->column + m->start[i];
        weight = m->weight + m->start[i];
        count = m->start[i + 1] - m->start[i];
    }
    for (size_t k = 0; m->kind == MIXING_CIRCULANT && k < count; k++) {
        size_t j = i + m->offset[k];
        columns[k] = (uint32_t)(j < m->n ? j : j % m->n);
    }
    memset(out, 0, d * (single ? sizeof(float) : sizeof(double)));
    if (single)
        kernel_gather_single(out, weight, column, count, x, stride, d);
    else
        kernel_gather(out, weight, column, count, x, stride, d);
}

size_t mixing_find(const struct mixing *m, size_t i, size_t j)
{
    size_t low = m->start[i], high = m->start[i + 1];

    assert(m->kind == MIXING_SPARSE);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->column[middle] == j)
            return middle;
        if (m->column[middle] < j)
            low = middle + 1;
        else
            high = middle;
    }
    return SIZE_MAX;
}

size_t mixing_links(const struct mixing *m)
{
    size_t links = 0;

    if (m->kind == MIXING_AVERAGE)
        return m->n * (m->n - 1);
    if (m->kind == MIXING_CIRCULANT) {
        for (size_t k = 0; k < m->offset_count; k++)
            links += m->offset[k] % m->n != 0 ? m->n : 0;
        return links;
    }
    for (size_t i = 0; i < m->n; i++)
        for (size_t e = m->start[i]; e < m->start[i + 1]; e++)
            links += m->column[e] != i && fpclassify(m->weight[e]) != FP_ZERO;
    return links;
}

static void check_sparse(struct mixing_sums *s, const struct mixing *m,
                         double *columns)
{
    for (size_t i = 0; i < m->n; i++) {
        double row = 0;
        for (size_t e = m->start[i]; e < m->start[i + 1]; e++) {
            size_t back = mixing_find(m, m->column[e], i);
            double other = back == SIZE_MAX ? 0 : m->weight[back];
            row += m->weight[e];
            columns[m->column[e]] += m->weight[e];
            s->asymmetry = fmax(s->asymmetry, fabs(m->weight[e] - other));
            s->least = fmin(s->least, m->weight[e]);
        }
        if (!(fabs(row - 1) <= s->row_worst)) {
            s->row_worst = fabs(row - 1);
            s->row = i;
            s->row_sum = row;
        }
    }
    for (size_t i = 0; i < m->n; i++)
        if (!(fabs(columns[i] - 1) <= s->column_worst)) {
            s->column_worst = fabs(columns[i] - 1);
            s->column = i;
            s->column_sum = columns[i];
        }
}

void mixing_check(struct mixing_sums *s, const struct mixing *m)
{
    *s = (struct mixing_sums){0};
    if (m->kind == MIXING_AVERAGE)
        return;
    if (m->kind == MIXING_CIRCULANT) {
        double sum = 0;
        for (size_t k = 0; k < m->offset_count; k++)
            sum += m->share[k];
        s->row_worst = s->column_worst = fabs(sum - 1);
        s->asymmetry = 1; /* asked of directed exponential graphs only */
        return;
    }
    double *columns = calloc(m->n, sizeof *columns);
    assert(columns != NULL);
    check_sparse(s, m, columns);
    free(columns);
}

void mixing_dense(double *dense, const struct mixing *m)
{
    struct mixing *sparse = mixing_sparse(m);

    assert(sparse != NULL);
    memset(dense, 0, m->n * m->n * sizeof *dense);
    for (size_t i = 0; i < m->n; i++)
        for (size_t e = sparse->start[i]; e < sparse->start[i + 1]; e++)
            dense[i * m->n + sparse->column[e]] = sparse->weight[e];
    mixing_free(sparse);
}

struct graph *mixing_graph(const struct mixing *m)
{
    struct graph_edges edges = {0};
    struct mixing *sparse = mixing_sparse(m);

    if (sparse == NULL)
        return NULL;
    for (size_t i = 0; i < m->n; i++)
        for (size_t e = sparse->start[i]; e < sparse->start[i + 1]; e++)
            if (fpclassify(sparse->weight[e]) != FP_ZERO)
                graph_add(&edges, i, sparse->column[e]);
    mixing_free(sparse);
    return graph_of(&edges, m->n);
}
