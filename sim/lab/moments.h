/* The exact expected error of random pairwise gossip: E[err(t)] is a quadratic
 * form of the start whose matrix M_t obeys M_{t+1} = E[W M_t W]. */

#ifndef LAB_MOMENTS_H
#define LAB_MOMENTS_H

#include "sim/lab/named.h"

struct moments {
    struct graph *graph;
    double *m;      /* [n, n] */
    double *next;   /* [n, n] */
    double lambda2; /* of E[W] */
};

/* Node i wakes uniformly and takes a uniform neighbour. Returns 0 or -1. */
int moments_open(struct moments *moments, const char *graph, size_t n);
void moments_advance(struct moments *moments, size_t ticks);
/* For the start of the reference's formula. */
double moments_error(const struct moments *moments);
void moments_close(struct moments *moments);

#endif
