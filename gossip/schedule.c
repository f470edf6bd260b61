#include "gossip/schedule.h"

#include <stdlib.h>

#include "gossip/base.h"

static size_t rows_of(size_t n)
{
    size_t rows = 1;

    for (size_t r = 1; r * r <= n; r++)
        if (n % r == 0)
            rows = r;
    return rows;
}

static struct graph *draw(const struct schedule_spec *spec)
{
    const size_t n = spec->n, rows = rows_of(n), columns = n / rows;
    struct graph_edges edges = {0};

    for (size_t i = 0; i < n; i++) {
        size_t r = i / columns, c = i % columns;
        if (spec->graph == SCHEDULE_RING)
            graph_add(&edges, i, (i + 1) % n);
        for (size_t j = 0; spec->graph == SCHEDULE_COMPLETE && j < i; j++)
            graph_add(&edges, i, j);
        if (spec->graph == SCHEDULE_TORUS) {
            graph_add(&edges, i, r * columns + (c + 1) % columns);
            graph_add(&edges, i, (r + 1) % rows * columns + c);
        }
    }
    for (size_t e = 0; spec->graph == SCHEDULE_EDGES && e < spec->edge_count;
         e++)
        graph_add(&edges, spec->edges[e][0], spec->edges[e][1]);
    return graph_of(&edges, n);
}

const char *schedule_refuses(const struct schedule_spec *spec)
{
    if (spec->graph == SCHEDULE_BASE && (spec->k < 1 || spec->k >= spec->n))
        return "k: expected at least 1 and fewer than there are pods";
    if (spec->graph == SCHEDULE_TORUS && rows_of(spec->n) < 2)
        return "a torus needs a number of pods that is no prime";
    if (spec->graph != SCHEDULE_EDGES)
        return NULL;
    struct graph *g = draw(spec);
    bool joined = g != NULL && graph_parts(g) == 1;
    graph_free(g);
    return joined ? NULL : "the edges do not join all pods";
}

struct mixing *schedule_hop(size_t n, size_t hop)
{
    return mixing_circulant(n, (size_t[]){0, hop}, (double[]){0.5, 0.5}, 2);
}

static size_t hops(size_t n)
{
    size_t tau = 0;

    while (((size_t)1 << tau) < n)
        tau++;
    return tau;
}

static void fill_static(struct schedule *s, const struct schedule_spec *spec)
{
    struct graph *g = draw(spec);

    if (g != NULL)
        s->mixes[0] = mixing_metropolis(g);
    if (s->mixes[0] != NULL && spec->weights == SCHEDULE_LAZY)
        mixing_laze(s->mixes[0]);
    graph_free(g);
}

/* Rows written out: a pod looks at its own row only. */
static bool write_out(struct schedule *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct mixing *m = s->mixes[i];
        if (m == NULL)
            return false;
        if (m->kind == MIXING_SPARSE)
            continue;
        s->mixes[i] = mixing_sparse(m);
        mixing_free(m);
        if (s->mixes[i] == NULL)
            return false;
    }
    return true;
}

struct schedule *schedule_new(const struct schedule_spec *spec)
{
    struct schedule *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->n = spec->n;
    if (spec->graph == SCHEDULE_BASE) {
        if (base_rounds(&s->mixes, &s->count, spec->n, spec->k, false) != 0)
            goto fail;
    } else {
        bool turns = spec->graph == SCHEDULE_EXPONENTIAL;
        s->count = turns ? hops(spec->n) : 1;
        s->mixes = calloc(s->count + 1, sizeof *s->mixes);
        if (s->mixes == NULL)
            goto fail;
        if (!turns)
            fill_static(s, spec);
        for (size_t j = 0; turns && j < s->count; j++)
            s->mixes[j] = schedule_hop(spec->n, (size_t)1 << j);
    }
    if (write_out(s))
        return s;
fail:
    schedule_free(s);
    return NULL;
}

void schedule_free(struct schedule *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; s->mixes != NULL && i < s->count; i++)
        mixing_free(s->mixes[i]);
    free(s->mixes);
    free(s);
}

const struct mixing *schedule_at(const struct schedule *s, uint64_t step)
{
    return s->mixes[step % s->count];
}
