/* The undirected graphs that have a name, without chance: path, ring, torus and
 * so on. Nodes are numbered row by row, or as networkx numbers them. */

#ifndef LAB_NAMED_H
#define LAB_NAMED_H

#include <stddef.h>
#include <stdint.h>

#include "gossip/graph.h"
#include "model/error.h"

enum { NAMED_OFFSETS_MAX = 64 };

struct named_spec {
    const char *name;
    size_t rows, columns; /* grid, torus; 0: the most square ones */
    size_t offsets[NAMED_OFFSETS_MAX], offset_count; /* circulant */
    size_t k, m, degree, clique;                     /* 0: not given */
    double p, q, radius;                             /* below 0: not given */
    uint64_t seed;
};

extern const char *const named_list[]; /* NULL ends them */

/* Returns 0; -ENOENT if the name is none of these; -EINVAL with an error that
 * says what does not fit, -ENOMEM. */
int named_graph(struct graph **graph, const struct named_spec *spec, size_t n,
                struct error *error);

#endif
