/* The vectors that pods offer each other: our own, and what each neighbour's
 * members sign. Inside of gossip/mix. */

#ifndef GOSSIP_MIXOFFER_H
#define GOSSIP_MIXOFFER_H

#include "gossip/mixer.h"

/* Offers a step's own vector to all that hear it: each member of theirs has one
 * partner here. */
void mixoffer_make(struct mix *m, const struct mixer_entry *e);
/* m->incoming is an OFFER of step `seq`, its signature not checked yet;
 * body[size]: the words that came with it. */
void mixoffer_receive(struct mix *m, uint32_t from_pod, uint64_t seq,
                      const uint8_t *body, size_t size);
/* To another pod: what it asks for, or how far we are. */
void mixoffer_answer(struct mix *m, uint32_t pod, uint32_t to, uint64_t seq);

#endif
