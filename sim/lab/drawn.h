/* Random graphs, each a function of its seed. They are not the graphs that
 * another program draws from the same seed: import an edge list for those. */

#ifndef LAB_DRAWN_H
#define LAB_DRAWN_H

#include <stdbool.h>

#include "sim/lab/chance.h"
#include "sim/lab/named.h"

extern const char *const drawn_list[]; /* NULL ends them */

/* As named_graph(). May be disconnected: it is drawn once and not mended. */
int drawn_graph(struct graph **graph, const struct named_spec *spec, size_t n,
                struct error *error);

/* points[count], `degree` copies of each node, become pairs (0, 1), (2, 3), ...
 * that are neither loops nor there twice: the pairing model, mended by
 * switching with random other pairs. Returns whether that came to an end. */
bool drawn_pairs(uint32_t *points, size_t count, struct chance *chance);

#endif
