/* The Base-(k+1) graphs: sequences of sparse matrices whose product is the
 * exact average. Takezawa et al., "Beyond exponential graph", NeurIPS 2023;
 * construction of the reference's TOPOLOGIES.md, section 4. */

#ifndef GOSSIP_BASE_H
#define GOSSIP_BASE_H

#include <stdbool.h>
#include <stddef.h>

#include "gossip/mixing.h"

/* (*rounds)[*count], each owned by the caller; k >= 1, n >= 1. simple: Simple
 * Base-(k+1). Returns 0 or -ENOMEM. */
int base_rounds(struct mixing ***rounds, size_t *count, size_t n, size_t k,
                bool simple);
size_t base_length(size_t n, size_t k, bool simple);

#endif
