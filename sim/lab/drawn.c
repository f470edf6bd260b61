#include "sim/lab/drawn.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PASSES_MAX = 1000 };

const char *const drawn_list[] = {
    "erdos-renyi", "regular", "watts-strogatz", "barabasi-albert", "geometric",
    "communities", NULL};

struct pair {
    uint64_t key;
    size_t place;
};

static int compare(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

bool drawn_pairs(uint32_t *points, size_t count, struct chance *chance)
{
    const size_t pairs = count / 2;
    struct pair *sorted = malloc((pairs + 1) * sizeof *sorted);
    size_t bad = 1;

    chance_shuffle(chance, points, count);
    for (size_t pass = 0; sorted != NULL && bad > 0 && pass < PASSES_MAX;
         pass++) {
        bad = 0;
        for (size_t i = 0; i < pairs; i++) {
            uint64_t a = points[2 * i], b = points[2 * i + 1];
            sorted[i] = (struct pair){a < b ? a << 32 | b : b << 32 | a, i};
        }
        qsort(sorted, pairs, sizeof *sorted, compare);
        for (size_t i = 0; i < pairs; i++) {
            bool loop = sorted[i].key >> 32 == (sorted[i].key & UINT32_MAX);
            if (!loop && (i == 0 || sorted[i - 1].key != sorted[i].key))
                continue;
            size_t other = (size_t)chance_below(chance, pairs);
            size_t here = 2 * sorted[i].place + 1;
            uint32_t kept = points[here];
            points[here] = points[2 * other + 1];
            points[2 * other + 1] = kept;
            bad++;
        }
    }
    free(sorted);
    return bad == 0;
}

static int regular(struct graph_edges *e, const struct named_spec *s, size_t n,
                   struct chance *chance, struct error *error)
{
    const size_t count = n * s->degree;

    if (s->degree == 0 || s->degree >= n || count % 2 != 0)
        return error_set(error, -EINVAL,
                         "regular: found %zu nodes of degree %zu, expected a "
                         "degree from 1 to %zu and an even product",
                         n, s->degree, n - 1);
    if (s->degree == n - 1) {
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < i; j++)
                graph_add(e, i, j);
        return 0;
    }
    uint32_t *points = malloc(count * sizeof *points);
    if (points == NULL)
        return error_set(error, -ENOMEM, "regular: out of memory");
    for (size_t i = 0; i < count; i++)
        points[i] = (uint32_t)(i / s->degree);
    bool fine = drawn_pairs(points, count, chance);
    for (size_t i = 0; fine && i < count; i += 2)
        graph_add(e, points[i], points[i + 1]);
    free(points);
    return fine ? 0
                : error_set(error, -EINVAL,
                            "regular: found no graph of degree %zu on %zu "
                            "nodes in %d passes; try another seed",
                            s->degree, n, PASSES_MAX);
}

/* Skips of geometric length over the pairs: time goes with the edges. Batagelj
 * and Brandes, Physical Review E 71, 2005. */
static int erdos_renyi(struct graph_edges *e, const struct named_spec *s,
                       size_t n, struct chance *chance, struct error *error)
{
    size_t v = 1;
    double w = -1;

    if (!(s->p > 0 && s->p <= 1))
        return error_set(error, -EINVAL,
                         "erdos-renyi: found %s, expected p: above 0, at most "
                         "1",
                         s->p < 0 ? "no p" : "p 0");
    const double rate = log1p(-s->p);
    while (v < n) {
        double skip = s->p < 1 ? floor(log1p(-chance_real(chance)) / rate) : 0;
        w += 1 + skip;
        while (v < n && w >= (double)v)
            w -= (double)v++;
        if (v < n)
            graph_add(e, v, (size_t)w);
    }
    return 0;
}

static bool there(const struct graph_edges *e, size_t i, size_t j)
{
    for (size_t k = 0; k < e->count; k++)
        if ((e->pairs[k][0] == i && e->pairs[k][1] == j) ||
            (e->pairs[k][0] == j && e->pairs[k][1] == i))
            return true;
    return false;
}

/* Lap by lap around the ring lattice, the far end moves with chance p. */
static int watts_strogatz(struct graph_edges *e, const struct named_spec *s,
                          size_t n, struct chance *chance, struct error *error)
{
    if (s->k < 2 || s->k % 2 != 0 || s->k >= n || !(s->p >= 0))
        return error_set(error, -EINVAL,
                         "watts-strogatz: found %s and k %zu, expected p: and "
                         "an even k: from 2, below the %zu nodes",
                         s->p < 0 ? "no p" : "p", s->k, n);
    for (size_t lap = 1; lap <= s->k / 2; lap++)
        for (size_t i = 0; i < n; i++)
            graph_add(e, i, (i + lap) % n);
    for (size_t k = 0; k < e->count && !e->failed; k++) {
        size_t i = e->pairs[k][0], to;
        if (chance_real(chance) >= s->p)
            continue;
        for (size_t tries = 0; tries < n; tries++) {
            to = (size_t)chance_below(chance, n);
            if (to == i || there(e, i, to))
                continue;
            e->pairs[k][1] = (uint32_t)to;
            break;
        }
    }
    return 0;
}

/* From a star on m + 1 nodes, as networkx; each new node takes m others by
 * their degrees. */
static int barabasi_albert(struct graph_edges *e, const struct named_spec *s,
                           size_t n, struct chance *chance, struct error *error)
{
    if (s->m < 1 || s->m >= n)
        return error_set(error, -EINVAL,
                         "barabasi-albert: found m %zu, expected m: from 1, "
                         "below the %zu nodes",
                         s->m, n);
    for (size_t i = 1; i <= s->m; i++)
        graph_add(e, 0, i);
    for (size_t i = s->m + 1; i < n && !e->failed; i++) {
        const size_t ends = 2 * e->count, from = e->count;
        while (e->count - from < s->m && !e->failed) {
            size_t end = (size_t)chance_below(chance, ends);
            size_t to = e->pairs[end / 2][end % 2];
            bool again = false;
            for (size_t k = from; k < e->count; k++)
                again = again || e->pairs[k][1] == to;
            if (!again)
                graph_add(e, i, to);
        }
    }
    return 0;
}

static int geometric(struct graph_edges *e, const struct named_spec *s,
                     size_t n, struct chance *chance, struct error *error)
{
    double *at = calloc(2 * n, sizeof *at);

    if (at == NULL)
        return error_set(error, -ENOMEM, "geometric: out of memory");
    if (!(s->radius > 0)) {
        free(at);
        return error_set(error, -EINVAL,
                         "geometric: found %s, expected radius: above 0, in "
                         "the unit square",
                         s->radius < 0 ? "no radius" : "radius 0");
    }
    for (size_t i = 0; i < 2 * n; i++)
        at[i] = chance_real(chance);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (hypot(at[2 * i] - at[2 * j], at[2 * i + 1] - at[2 * j + 1]) <=
                s->radius)
                graph_add(e, i, j);
    free(at);
    return 0;
}

/* A stochastic block model of equal blocks of `clique` nodes: links with chance
 * p inside and q between. */
static int communities(struct graph_edges *e, const struct named_spec *s,
                       size_t n, struct chance *chance, struct error *error)
{
    if (s->clique < 2 || n % s->clique != 0 || !(s->p >= 0) || !(s->q >= 0))
        return error_set(error, -EINVAL,
                         "communities: found %s, %s and cliques of %zu, "
                         "expected p: inside, q: between, and clique: a "
                         "divisor of the %zu nodes, at least 2",
                         s->p < 0 ? "no p" : "p", s->q < 0 ? "no q" : "q",
                         s->clique, n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (chance_real(chance) <
                (i / s->clique == j / s->clique ? s->p : s->q))
                graph_add(e, i, j);
    return 0;
}

int drawn_graph(struct graph **graph, const struct named_spec *spec, size_t n,
                struct error *error)
{
    static int (*const builders[])(
        struct graph_edges * edges, const struct named_spec *spec, size_t n,
        struct chance *chance,
        struct error *error) = {erdos_renyi,     regular,   watts_strogatz,
                                barabasi_albert, geometric, communities};
    struct chance chance = chance_of(spec->seed, CHANCE_GRAPH, 0, 0);
    struct graph_edges edges = {0};

    *graph = NULL;
    for (size_t i = 0; drawn_list[i] != NULL; i++) {
        if (strcmp(drawn_list[i], spec->name) != 0)
            continue;
        int code = builders[i](&edges, spec, n, &chance, error);
        *graph = graph_of(&edges, n);
        if (code == 0 && *graph == NULL)
            code = error_set(error, -ENOMEM, "%s: out of memory", spec->name);
        if (code != 0) {
            graph_free(*graph);
            *graph = NULL;
        }
        return code;
    }
    return -ENOENT;
}
