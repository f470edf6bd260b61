/* Averaging: synchronous, accelerated, push-sum, pairs, clipped. */

#ifndef LAB_ALG_GOSSIP_H
#define LAB_ALG_GOSSIP_H

#include "sim/lab/alg.h"

extern const struct alg alg_gossip_sync, alg_gossip_push_sum,
    alg_gossip_chebyshev, alg_gossip_second_order, alg_gossip_pairwise,
    alg_gossip_clipped;

#endif
