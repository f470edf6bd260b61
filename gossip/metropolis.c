#include "gossip/metropolis.h"

#include <stdlib.h>

struct mixing *metropolis_of(const struct graph *g)
{
    struct mixing_entry *entries =
        malloc((g->start[g->n] + g->n) * sizeof *entries);
    size_t count = 0;

    if (entries == NULL)
        return NULL;
    for (size_t i = 0; i < g->n; i++) {
        double left = 1;
        for (size_t e = g->start[i]; e < g->start[i + 1]; e++) {
            size_t j = g->to[e], di = graph_degree(g, i),
                   dj = graph_degree(g, j);
            double w = 1 / (1 + (double)(di > dj ? di : dj));
            left -= w;
            entries[count++] =
                (struct mixing_entry){(uint32_t)i, (uint32_t)j, w};
        }
        entries[count++] =
            (struct mixing_entry){(uint32_t)i, (uint32_t)i, left};
    }
    struct mixing *m = mixing_of(entries, count, g->n);
    free(entries);
    return m;
}
