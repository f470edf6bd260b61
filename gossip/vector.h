/* A member's own vector: encoded once a round, masked once an attempt
 * (PROTOCOL.md, section 3). */

#ifndef GOSSIP_VECTOR_H
#define GOSSIP_VECTOR_H

#include "gossip/engine.h"

/* The driver's answer to CONTRIBUTE; encodes it, once a round. */
void vector_contributed(struct gossip *g, const struct gossip_event *event);

/* g->masked: the vector under b and the pairwise masks with V's members.
 * -1: one of them has a weak key. */
int vector_mask(struct gossip *g, const struct wire_value *v);

/* The pairwise seed s_ij, from msk of i and mpk of j. -1: a weak key. */
int vector_seed(uint8_t seed[PRG_SEED_BYTES], const struct gossip *g,
                const uint8_t secret[X25519_BYTES], uint32_t i, uint32_t j);

#endif
