/* The fastest mixing weights of a graph, by a log-barrier Newton method: FDLA
 * minimises ||W - 11'/n||_2 over symmetric W on the graph with W 1 = 1, FMMC
 * over those without a negative entry. Xiao and Boyd 2004; Boyd, Diaconis and
 * Xiao, "Fastest mixing Markov chain on a graph", SIAM Review 46, 2004. */

#ifndef LAB_FASTEST_H
#define LAB_FASTEST_H

#include <stdbool.h>

#include "gossip/graph.h"
#include "model/error.h"

/* Half a minute to a minute. */
enum { FASTEST_NODES_MAX = 1001, FASTEST_EDGES_MAX = 2000 };

/* weight[edges] in the order of pairs i < j, i ascending, then j. Returns 0,
 * -E2BIG, -ENOMEM or -EINVAL with an error. */
int fastest_weights(double *weight, const struct graph *graph, bool nonnegative,
                    struct error *error);

#endif
