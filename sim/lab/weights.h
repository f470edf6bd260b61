/* Mixing weights from a graph. Xiao and Boyd, "Fast linear iterations for
 * distributed averaging", Systems and Control Letters 53, 2004. */

#ifndef LAB_WEIGHTS_H
#define LAB_WEIGHTS_H

#include "gossip/mixing.h"
#include "model/error.h"

enum weights_rule {
    WEIGHTS_METROPOLIS, /* 1 / (1 + max(d_i, d_j)) */
    WEIGHTS_MAX_DEGREE, /* I - L / (d_max + 1) */
    WEIGHTS_LAZY,       /* (I + metropolis) / 2 */
    WEIGHTS_BEST,       /* I - 2 / (l_2 + l_max) L */
    WEIGHTS_FDLA,
    WEIGHTS_FMMC,
    WEIGHTS_UNIFORM /* 1 / (d_i + 1): row-stochastic */
};

extern const char weights_rules[]; /* in this order, parted by '|' */

/* Returns 0, -EINVAL or -ENOMEM with an error. */
int weights_of(struct mixing **mixing, const struct graph *graph,
               enum weights_rule rule, struct error *error);

/* Metropolis weights of the graph among those with on[n]; the others keep what
 * they have. NULL if out of memory. */
struct mixing *weights_among(const struct graph *graph, const bool *on);

#endif
