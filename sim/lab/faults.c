#include "sim/lab/faults.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/chance.h"
#include "sim/lab/weights.h"

const char faults_rules[] = "self|symmetric|renormalise|lost|returned";

static int compare(const double *a, const double *b, size_t columns)
{
    for (size_t c = 0; c < columns; c++)
        if (a[c] < b[c] || a[c] > b[c])
            return a[c] < b[c] ? -1 : 1;
    return 0;
}

static int compare_three(const void *a, const void *b)
{
    return compare(a, b, 3);
}

static int compare_two(const void *a, const void *b)
{
    return compare(a, b, 2);
}

int faults_prepare(struct faults *f, size_t n, struct error *error)
{
    if (f->drop.rows > 0)
        qsort(f->drop.v, f->drop.rows, 3 * sizeof *f->drop.v, compare_three);
    if (f->offline.rows > 0)
        qsort(f->offline.v, f->offline.rows, 2 * sizeof *f->offline.v,
              compare_two);
    if (f->byzantine.rows == 0)
        return 0;
    qsort(f->byzantine.v, f->byzantine.rows, 3 * sizeof *f->byzantine.v,
          compare_three);
    f->liar = calloc(n, sizeof *f->liar);
    if (f->liar == NULL)
        return error_set(error, -ENOMEM, "network: out of memory");
    size_t liars = 0;
    for (size_t r = 0; r < f->byzantine.rows; r++) {
        bool *liar = &f->liar[(size_t)f->byzantine.v[3 * r]];
        liars += !*liar;
        *liar = true;
    }
    if (liars == n)
        return error_set(error, -EINVAL,
                         "byzantine: found that all %zu nodes send what they "
                         "like, expected one that does not",
                         n);
    return 0;
}

void faults_free(struct faults *f)
{
    table_free(&f->drop);
    table_free(&f->offline);
    table_free(&f->byzantine);
    free(f->liar);
    f->liar = NULL;
}

static const double *find(const struct table *t, const double *key,
                          size_t columns)
{
    size_t low = 0, high = t->rows;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(t->v + middle * t->columns, key, columns);
        if (order == 0)
            return t->v + middle * t->columns;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool faults_lost(const struct faults *f, uint64_t step, size_t from, size_t to)
{
    const double key[] = {(double)step, (double)from, (double)to};

    if (f->loss > 0) {
        struct chance c = chance_of(f->seed, CHANCE_LOSS,
                                    (uint64_t)from << 32 | (uint64_t)to, step);
        if (chance_real(&c) < f->loss)
            return true;
    }
    return f->drop.rows > 0 && find(&f->drop, key, 3) != NULL;
}

bool faults_offline(const struct faults *f, uint64_t step, size_t node)
{
    const double key[] = {(double)step, (double)node};

    if (f->away > 0) {
        struct chance c = chance_of(f->seed, CHANCE_OFFLINE, node, step);
        if (chance_real(&c) < f->away)
            return true;
    }
    return f->offline.rows > 0 && find(&f->offline, key, 2) != NULL;
}

bool faults_any_offline(const struct faults *f, uint64_t step)
{
    const double key[] = {(double)step};

    if (f->away > 0)
        return true;
    return f->offline.rows > 0 && find(&f->offline, key, 1) != NULL;
}

bool faults_lie(double *value, const struct faults *f, size_t from, size_t to)
{
    const double key[] = {(double)from, (double)to};

    if (f->liar == NULL || !f->liar[from])
        return false;
    const double *row = find(&f->byzantine, key, 2);
    if (row == NULL)
        return false;
    *value = row[2];
    return true;
}

bool faults_none(const struct faults *f)
{
    return f->drop.rows == 0 && f->offline.rows == 0 && !(f->loss > 0) &&
           !(f->away > 0);
}

static double *own(struct mixing *m, size_t i)
{
    size_t place = mixing_find(m, i, i);

    assert(place != SIZE_MAX); /* rows always hold the diagonal */
    return &m->weight[place];
}

static void drop_link(struct mixing *m, size_t i, size_t e,
                      enum faults_rule rule)
{
    if (rule == FAULTS_SELF || rule == FAULTS_SYMMETRIC)
        *own(m, i) += m->weight[e];
    if (rule == FAULTS_RETURNED)
        *own(m, m->column[e]) += m->weight[e];
    m->weight[e] = 0;
}

static void renormalise(struct mixing *m, size_t i)
{
    double left = 0;

    for (size_t e = m->start[i]; e < m->start[i + 1]; e++)
        left += m->weight[e];
    for (size_t e = m->start[i]; left > 0 && e < m->start[i + 1]; e++)
        m->weight[e] /= left;
}

static struct mixing *online_mixing(const struct faults *f,
                                    const struct mixing *m, uint64_t step)
{
    struct graph *graph = mixing_graph(m);
    bool *on = malloc((m->n + 1) * sizeof *on);
    struct mixing *among = NULL;

    for (size_t i = 0; on != NULL && i < m->n; i++)
        on[i] = !faults_offline(f, step, i);
    if (graph != NULL && on != NULL)
        among = weights_among(graph, on);
    graph_free(graph);
    free(on);
    return among;
}

struct mixing *faults_mixing(const struct faults *f, const struct mixing *m,
                             uint64_t step, enum faults_rule rule)
{
    struct mixing *real = faults_any_offline(f, step)
                              ? online_mixing(f, m, step)
                              : mixing_sparse(m);

    if (real == NULL || (f->drop.rows == 0 && !(f->loss > 0)))
        return real;
    for (size_t i = 0; i < real->n; i++) {
        bool any = false;
        for (size_t e = real->start[i]; e < real->start[i + 1]; e++) {
            size_t j = real->column[e];
            bool lost = j != i && faults_lost(f, step, j, i);
            if (rule == FAULTS_SYMMETRIC && j != i)
                lost = lost || faults_lost(f, step, i, j);
            if (lost)
                drop_link(real, i, e, rule);
            any = any || lost;
        }
        if (any && rule == FAULTS_RENORMALISE)
            renormalise(real, i);
    }
    return real;
}
