/* Graphs of people that studies of averaging use, numbered as networkx numbers
 * them. */

#ifndef LAB_SOCIAL_H
#define LAB_SOCIAL_H

#include <stddef.h>
#include <stdint.h>

#include "gossip/graph.h"
#include "model/error.h"

/* "karate", "davis", "florentine". Returns 0, -ENOENT, or -EINVAL if n is not
 * what it has. */
int social_edges(struct graph_edges *edges, const char *name, size_t n,
                 struct error *error);

#endif
