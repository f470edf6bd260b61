/* Which pods mix in which step, and with what weights: a fixed matrix, or
 * several in turn. */

#ifndef GOSSIP_SCHEDULE_H
#define GOSSIP_SCHEDULE_H

#include "gossip/mixing.h"

enum schedule_graph {
    SCHEDULE_RING,
    SCHEDULE_COMPLETE,
    SCHEDULE_TORUS,       /* the most square one */
    SCHEDULE_EXPONENTIAL, /* one peer: in step k pod i hears i + 2^(k mod tau).
                             Ying et al., NeurIPS 2021 */
    SCHEDULE_BASE,        /* Base-(k+1): gossip/base.h */
    SCHEDULE_EDGES        /* as listed */
};

enum schedule_weights {
    SCHEDULE_METROPOLIS,
    SCHEDULE_LAZY /* (I + metropolis) / 2 */
};

struct schedule_spec {
    enum schedule_graph graph;
    enum schedule_weights weights; /* of graphs without weights of their own */
    size_t n, k;                   /* k: of Base-(k+1) */
    const uint32_t (*edges)[2];    /* [edge_count] */
    size_t edge_count;
};

struct schedule {
    size_t n, count;
    struct mixing **mixes; /* [count], sparse */
};

/* NULL: it fits; else what does not, for a person. */
const char *schedule_refuses(const struct schedule_spec *spec);

/* Requires that schedule_refuses does not. NULL if out of memory. */
struct schedule *schedule_new(const struct schedule_spec *spec);
void schedule_free(struct schedule *schedule);

/* The matrix of a step, from 0; borrowed. */
const struct mixing *schedule_at(const struct schedule *schedule,
                                 uint64_t step);

/* (I + P) / 2 with P the cycle of `hop`, as a circulant. */
struct mixing *schedule_hop(size_t n, size_t hop);

#endif
