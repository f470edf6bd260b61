#include "gossip/graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void graph_add(struct graph_edges *e, size_t i, size_t j)
{
    if (e->failed || i == j)
        return;
    if (e->count == e->room) {
        size_t room = e->room == 0 ? 64 : 2 * e->room;
        void *more = realloc(e->pairs, room * sizeof *e->pairs);
        if (more == NULL) {
            e->failed = true;
            return;
        }
        e->pairs = more;
        e->room = room;
    }
    e->pairs[e->count][0] = (uint32_t)i;
    e->pairs[e->count++][1] = (uint32_t)j;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Sorts every list and drops what is there twice. */
static void tidy(struct graph *g)
{
    size_t kept = 0, from = 0;

    for (size_t i = 0; i < g->n; i++) {
        size_t to = g->start[i + 1];
        if (to > from)
            qsort(&g->to[from], to - from, sizeof *g->to, compare);
        size_t first = kept;
        for (size_t e = from; e < to; e++)
            if (kept == first || g->to[kept - 1] != g->to[e])
                g->to[kept++] = g->to[e];
        from = to;
        g->start[i + 1] = kept;
    }
}

static struct graph *fill(const struct graph_edges *e, size_t n)
{
    struct graph *g = calloc(1, sizeof *g);
    size_t *next = calloc(n + 1, sizeof *next);

    if (g != NULL) {
        g->n = n;
        g->start = calloc(n + 1, sizeof *g->start);
        g->to = malloc((2 * e->count + 1) * sizeof *g->to);
    }
    if (g == NULL || next == NULL || g->start == NULL || g->to == NULL) {
        free(next);
        graph_free(g);
        return NULL;
    }
    for (size_t k = 0; k < e->count; k++)
        for (size_t side = 0; side < 2; side++)
            g->start[e->pairs[k][side] + 1]++;
    for (size_t i = 0; i < n; i++)
        g->start[i + 1] += g->start[i];
    memcpy(next, g->start, n * sizeof *next);
    for (size_t k = 0; k < e->count; k++)
        for (size_t side = 0; side < 2; side++)
            g->to[next[e->pairs[k][side]]++] = e->pairs[k][1 - side];
    free(next);
    tidy(g);
    return g;
}

struct graph *graph_of(struct graph_edges *e, size_t n)
{
    struct graph *g = e->failed ? NULL : fill(e, n);

    free(e->pairs);
    *e = (struct graph_edges){0};
    return g;
}

void graph_free(struct graph *g)
{
    if (g == NULL)
        return;
    free(g->start);
    free(g->to);
    free(g);
}

size_t graph_degree(const struct graph *g, size_t i)
{
    assert(i < g->n);
    return g->start[i + 1] - g->start[i];
}

size_t graph_degree_max(const struct graph *g)
{
    size_t most = 0;

    for (size_t i = 0; i < g->n; i++)
        if (graph_degree(g, i) > most)
            most = graph_degree(g, i);
    return most;
}

size_t graph_parts(const struct graph *g)
{
    uint32_t *stack = malloc((g->n + 1) * sizeof *stack);
    bool *seen = calloc(g->n + 1, sizeof *seen);
    size_t parts = 0;

    for (size_t i = 0; stack != NULL && seen != NULL && i < g->n; i++) {
        size_t height = 0;
        if (seen[i])
            continue;
        parts++;
        seen[i] = true;
        stack[height++] = (uint32_t)i;
        while (height > 0) {
            size_t at = stack[--height];
            for (size_t e = g->start[at]; e < g->start[at + 1]; e++) {
                if (seen[g->to[e]])
                    continue;
                seen[g->to[e]] = true;
                stack[height++] = g->to[e];
            }
        }
    }
    free(stack);
    free(seen);
    return parts;
}

bool graph_is_tree(const struct graph *g)
{
    return g->start[g->n] == 2 * (g->n - 1) && graph_parts(g) == 1;
}
