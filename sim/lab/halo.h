/* Rows of others that a process needs to compute its own rows of W x, and its
 * own that they need: each process can tell both from W alone. */

#ifndef LAB_HALO_H
#define LAB_HALO_H

#include "gossip/mixing.h"

struct halo {
    size_t ranks;
    size_t *get, *give;    /* [ranks + 1] where each one's rows begin in: */
    uint32_t *got, *given; /* rows, ascending */
};

struct halo_links {            /* nodes that hear each other besides: */
    const size_t *first;       /* [n + 1], or NULL: none */
    const uint32_t *neighbour; /* [first[n]] */
};

/* Process r has rows start[r] to start[r + 1]. Nothing of MIXING_AVERAGE.
 * Returns 0 or -ENOMEM. */
int halo_of(struct halo *halo, const struct mixing *mixing,
            const struct halo_links *links, const size_t *start, size_t ranks,
            size_t rank);
void halo_free(struct halo *halo);

#endif
