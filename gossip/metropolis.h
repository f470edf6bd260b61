/* Metropolis weights: 1 / (1 + max(d_i, d_j)) for a pair, the rest a node
 * keeps. Xiao and Boyd, "Fast linear iterations for distributed averaging",
 * Systems and Control Letters 53, 2004. */

#ifndef GOSSIP_METROPOLIS_H
#define GOSSIP_METROPOLIS_H

#include "gossip/mixing.h"

/* NULL if out of memory. */
struct mixing *metropolis_of(const struct graph *graph);

#endif
