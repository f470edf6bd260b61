/* The reference's geometric graph, on integers and without chance: positions
 * (577 i + 101) mod 1009 and (31 i^2 + 7 i + 3) mod 1009. */

#ifndef LAB_GEOMETRY_H
#define LAB_GEOMETRY_H

#include "gossip/graph.h"

/* i ~ j if they are within `percent` of the side. NULL if out of memory. */
struct graph *geometry_graph(size_t n, size_t percent);
/* The smallest percentage that makes it connected. */
size_t geometry_radius(size_t n);

#endif
