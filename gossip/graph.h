/* Undirected simple graphs as sorted neighbour lists. */

#ifndef GOSSIP_GRAPH_H
#define GOSSIP_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct graph {
    size_t n;
    size_t *start; /* [n + 1] */
    uint32_t *to;  /* [start[n]] neighbours of each node, ascending */
};

struct graph_edges { /* zero at the start */
    uint32_t (*pairs)[2];
    size_t count, room;
    bool failed; /* out of memory */
};

void graph_add(struct graph_edges *edges, size_t i, size_t j);
/* Drops loops and repeated edges; frees the edges. NULL if out of memory. */
struct graph *graph_of(struct graph_edges *edges, size_t n);
void graph_free(struct graph *graph);

size_t graph_degree(const struct graph *graph, size_t i);
size_t graph_degree_max(const struct graph *graph);
size_t graph_parts(const struct graph *graph); /* connected components */
bool graph_is_tree(const struct graph *graph);

#endif
