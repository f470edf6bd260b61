#include "sim/lab/sequence.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/base.h"
#include "gossip/schedule.h"
#include "sim/lab/chance.h"
#include "sim/lab/drawn.h"

const char *const sequence_list[] = {"static-exponential",
                                     "one-peer-exponential",
                                     "one-peer-hypercube",
                                     "base",
                                     "simple-base",
                                     "equi-static",
                                     "equi-dynamic",
                                     "u-equi-static",
                                     "ou-equi-dynamic",
                                     "matching",
                                     NULL};

struct sequence *sequence_new(enum sequence_kind kind, size_t n, size_t degree,
                              uint64_t seed)
{
    struct sequence *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->kind = kind;
    s->n = n;
    s->degree = degree;
    s->seed = seed;
    return s;
}

static bool append(struct sequence *s, struct mixing *m)
{
    struct mixing **more =
        m == NULL ? NULL : realloc(s->mixes, (s->count + 1) * sizeof *s->mixes);

    if (more == NULL) {
        mixing_free(m);
        return false;
    }
    s->mixes = more;
    s->mixes[s->count++] = m;
    return true;
}

struct sequence *sequence_fixed(struct mixing *m)
{
    struct sequence *s =
        m == NULL ? NULL : sequence_new(SEQUENCE_CYCLE, m->n, 0, 0);

    if (s == NULL) {
        mixing_free(m);
        return NULL;
    }
    if (append(s, m))
        return s;
    sequence_free(s);
    return NULL;
}

void sequence_free(struct sequence *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        mixing_free(s->mixes[i]);
    free(s->mixes);
    table_free(&s->sends);
    mixing_free(s->drawn);
    free(s);
}

static size_t hops(size_t n)
{
    size_t tau = 0;

    while (((size_t)1 << tau) < n)
        tau++;
    return tau;
}

static bool fill_static(struct sequence *s)
{
    const size_t tau = hops(s->n);
    size_t offsets[MIXING_OFFSETS_MAX] = {0};
    double shares[MIXING_OFFSETS_MAX];

    for (size_t j = 0; j <= tau; j++) {
        offsets[j] = j == 0 ? 0 : (size_t)1 << (j - 1);
        shares[j] = 1 / (double)(tau + 1);
    }
    return append(s, mixing_circulant(s->n, offsets, shares, tau + 1));
}

static bool fill_one_peer(struct sequence *s)
{
    const size_t tau = hops(s->n);
    bool fine = true;

    for (size_t j = 0; j < tau; j++)
        fine = fine && append(s, schedule_hop(s->n, (size_t)1 << j));
    return fine && (tau > 0 || append(s, mixing_average(s->n)));
}

static struct mixing *halves(const uint32_t *partner, size_t n)
{
    struct mixing_entry *entries = malloc((2 * n + 1) * sizeof *entries);

    if (entries == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        entries[2 * i] = (struct mixing_entry){(uint32_t)i, (uint32_t)i, 0.5};
        entries[2 * i + 1] =
            (struct mixing_entry){(uint32_t)i, partner[i], 0.5};
    }
    struct mixing *m = mixing_of(entries, 2 * n, n);
    free(entries);
    return m;
}

static bool fill_hypercube(struct sequence *s)
{
    uint32_t *partner = malloc((s->n + 1) * sizeof *partner);
    bool fine = partner != NULL;

    for (size_t bit = 1; fine && bit < s->n; bit *= 2) {
        for (size_t i = 0; i < s->n; i++)
            partner[i] = (uint32_t)(i ^ bit);
        fine = append(s, halves(partner, s->n));
    }
    free(partner);
    return fine;
}

/* The mean of m matrices A^(p): n-1 parts from i + p, one part kept; both ways:
 * half of them from i - p. */
static bool fill_equi(struct sequence *s, size_t m, uint64_t seed, bool both)
{
    struct chance chance = chance_of(seed, CHANCE_GRAPH, 0, 0);
    struct mixing_entry *entries = malloc(3 * s->n * m * sizeof *entries);
    const double n = (double)s->n;
    size_t count = 0;

    for (size_t k = 0; entries != NULL && k < m; k++) {
        size_t p = 1 + (size_t)chance_below(&chance, s->n - 1);
        for (size_t i = 0; i < s->n; i++) {
            entries[count++] = (struct mixing_entry){(uint32_t)i, (uint32_t)i,
                                                     1 / n / (double)m};
            const double part = (n - 1) / n / (double)m / (both ? 2 : 1);
            entries[count++] = (struct mixing_entry){
                (uint32_t)i, (uint32_t)((i + p) % s->n), part};
            if (both)
                entries[count++] = (struct mixing_entry){
                    (uint32_t)i, (uint32_t)((i + s->n - p) % s->n), part};
        }
    }
    bool fine = entries != NULL && append(s, mixing_of(entries, count, s->n));
    free(entries);
    return fine;
}

static int refuse(const struct named_spec *spec, size_t n, struct error *error)
{
    const char *name = spec->name;

    if ((strcmp(name, "base") == 0 || strcmp(name, "simple-base") == 0) &&
        (spec->k == 0 || spec->k >= n))
        return error_set(error, -EINVAL,
                         "%s: found k %zu, expected k: from 1 to %zu", name,
                         spec->k, n - 1);
    if (strcmp(name, "one-peer-hypercube") == 0 && (n & (n - 1)) != 0)
        return error_set(error, -EINVAL,
                         "%s: found %zu nodes, expected a power of two", name,
                         n);
    if (strcmp(name, "matching") == 0 && n % 2 != 0)
        return error_set(error, -EINVAL,
                         "%s: found %zu nodes, expected an even number", name,
                         n);
    if (strstr(name, "equi-static") != NULL && spec->m == 0)
        return error_set(error, -EINVAL,
                         "%s: found no m, expected m: how many matrices", name);
    return 0;
}

static int fill(struct sequence *s, const struct named_spec *spec)
{
    const char *name = spec->name;
    bool fine = true;

    if (strcmp(name, "static-exponential") == 0)
        fine = fill_static(s);
    else if (strcmp(name, "one-peer-exponential") == 0)
        fine = fill_one_peer(s);
    else if (strcmp(name, "one-peer-hypercube") == 0)
        fine = fill_hypercube(s);
    else if (strcmp(name, "equi-static") == 0)
        fine = fill_equi(s, spec->m, spec->seed, false);
    else if (strcmp(name, "u-equi-static") == 0)
        fine = fill_equi(s, spec->m, spec->seed, true);
    else if (strcmp(name, "ou-equi-dynamic") == 0)
        s->kind = SEQUENCE_OU_EQUI;
    else if (strcmp(name, "matching") == 0)
        s->kind = SEQUENCE_MATCHING;
    else if (strcmp(name, "equi-dynamic") == 0)
        s->kind = SEQUENCE_EQUI_DYNAMIC;
    else
        fine = base_rounds(&s->mixes, &s->count, s->n, spec->k,
                           strcmp(name, "simple-base") == 0) == 0;
    return fine ? 0 : -ENOMEM;
}

int sequence_named(struct sequence **sequence, const struct named_spec *spec,
                   size_t n, struct error *error)
{
    bool known = false;

    *sequence = NULL;
    for (size_t i = 0; sequence_list[i] != NULL; i++)
        known = known || strcmp(sequence_list[i], spec->name) == 0;
    if (!known)
        return -ENOENT;
    if (n < 2)
        return error_set(error, -EINVAL,
                         "%s: found %zu nodes, expected at least 2", spec->name,
                         n);
    int code = refuse(spec, n, error);
    if (code != 0)
        return code;
    *sequence = sequence_new(SEQUENCE_CYCLE, n, 0, spec->seed);
    if (*sequence != NULL && fill(*sequence, spec) == 0)
        return 0;
    sequence_free(*sequence);
    *sequence = NULL;
    return error_set(error, -ENOMEM, "%s: out of memory", spec->name);
}

static struct mixing *draw_matching(const struct sequence *s, uint64_t step)
{
    struct chance chance = chance_of(s->seed, CHANCE_GRAPH, 0, step);
    uint32_t *order = malloc(2 * s->n * sizeof *order);

    if (order == NULL)
        return NULL;
    uint32_t *partner = order + s->n;
    for (size_t i = 0; i < s->n; i++)
        order[i] = (uint32_t)i;
    chance_shuffle(&chance, order, s->n);
    for (size_t i = 0; i + 1 < s->n; i += 2) {
        partner[order[i]] = order[i + 1];
        partner[order[i + 1]] = order[i];
    }
    struct mixing *m = halves(partner, s->n);
    free(order);
    return m;
}

static struct mixing *draw_equi(const struct sequence *s, uint64_t step)
{
    struct chance chance = chance_of(s->seed, CHANCE_GRAPH, 1, step);
    const size_t p = 1 + (size_t)chance_below(&chance, s->n - 1);
    const double keep = 0.5 + 0.5 / (double)s->n;

    return mixing_circulant(s->n, (size_t[]){0, p}, (double[]){keep, 1 - keep},
                            2);
}

/* From a node drawn at random on, i and i + p average if both are still free.
 */
static struct mixing *draw_ou_equi(const struct sequence *s, uint64_t step)
{
    struct chance chance = chance_of(s->seed, CHANCE_GRAPH, 2, step);
    const size_t p = 1 + (size_t)chance_below(&chance, s->n - 1);
    const size_t first = (size_t)chance_below(&chance, s->n);
    uint32_t *partner = malloc(s->n * sizeof *partner);

    if (partner == NULL)
        return NULL;
    for (size_t i = 0; i < s->n; i++)
        partner[i] = (uint32_t)i;
    for (size_t k = 0; k < s->n; k++) {
        const size_t i = (first + k) % s->n, j = (i + p) % s->n;
        if (partner[i] != i || partner[j] != j)
            continue;
        partner[i] = (uint32_t)j;
        partner[j] = (uint32_t)i;
    }
    struct mixing *m = halves(partner, s->n);
    free(partner);
    return m;
}

/* All that a node receives, and its own, count the same. */
static struct mixing *average_received(struct mixing_entry *entries,
                                       size_t count, size_t n)
{
    struct mixing *m = mixing_of(entries, count, n);

    for (size_t i = 0; m != NULL && i < n; i++)
        for (size_t e = m->start[i]; e < m->start[i + 1]; e++)
            m->weight[e] = 1 / (double)(m->start[i + 1] - m->start[i]);
    return m;
}

static struct mixing *draw_local(const struct sequence *s, uint64_t step)
{
    struct mixing_entry *entries =
        malloc((s->n * s->degree + 1) * sizeof *entries);
    uint32_t *order = calloc(s->n, sizeof *order);
    size_t count = 0;

    for (size_t i = 0; entries != NULL && order != NULL && i < s->n; i++) {
        struct chance chance = chance_of(s->seed, CHANCE_SENDS, i, step);
        for (size_t j = 0; j + 1 < s->n; j++)
            order[j] = (uint32_t)(j + (j >= i));
        for (size_t k = 0; k < s->degree; k++) {
            size_t other = k + (size_t)chance_below(&chance, s->n - 1 - k);
            uint32_t to = order[other];
            order[other] = order[k];
            entries[count++] = (struct mixing_entry){to, (uint32_t)i, 1};
        }
    }
    struct mixing *m = entries == NULL || order == NULL
                           ? NULL
                           : average_received(entries, count, s->n);
    free(entries);
    free(order);
    return m;
}

static struct mixing *draw_oracle(const struct sequence *s, uint64_t step)
{
    struct chance chance = chance_of(s->seed, CHANCE_SENDS, 0, step);
    const size_t count = s->n * s->degree;
    uint32_t *points = malloc((count + 1) * sizeof *points);
    struct mixing_entry *entries = malloc((count + 1) * sizeof *entries);
    struct mixing *m = NULL;

    for (size_t i = 0; points != NULL && i < count; i++)
        points[i] = (uint32_t)(i / s->degree);
    if (points != NULL && entries != NULL &&
        drawn_pairs(points, count, &chance)) {
        for (size_t i = 0; i < count; i++)
            entries[i] = (struct mixing_entry){points[i], points[i ^ 1], 1};
        m = average_received(entries, count, s->n);
    }
    free(points);
    free(entries);
    return m;
}

static struct mixing *read_sends(const struct sequence *s, uint64_t step)
{
    const struct table *t = &s->sends;
    size_t low = 0, high = t->rows, count = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->v[3 * middle] < (double)step)
            low = middle + 1;
        else
            high = middle;
    }
    for (high = low; high < t->rows && t->v[3 * high] <= (double)step;)
        high++;
    struct mixing_entry *entries = malloc((high - low + 1) * sizeof *entries);
    for (; entries != NULL && low < high; low++)
        entries[count++] = (struct mixing_entry){
            (uint32_t)t->v[3 * low + 2], (uint32_t)t->v[3 * low + 1], 1};
    struct mixing *m =
        entries == NULL ? NULL : average_received(entries, count, s->n);
    free(entries);
    return m;
}

const struct mixing *sequence_at(struct sequence *s, uint64_t step)
{
    if (s->kind == SEQUENCE_CYCLE)
        return s->mixes[step % s->count];
    mixing_free(s->drawn);
    s->drawn = NULL;
    switch (s->kind) {
    case SEQUENCE_MATCHING:
        return s->drawn = draw_matching(s, step);
    case SEQUENCE_EQUI_DYNAMIC:
        return s->drawn = draw_equi(s, step);
    case SEQUENCE_OU_EQUI:
        return s->drawn = draw_ou_equi(s, step);
    case SEQUENCE_ORACLE:
        return s->drawn = draw_oracle(s, step);
    case SEQUENCE_LOCAL:
        return s->drawn = draw_local(s, step);
    default:
        return s->drawn = read_sends(s, step);
    }
}
