/* AGREE: one value that t members fix together, in ballots of two phases with
 * a lock (PROTOCOL.md, section 4; Castro and Liskov, OSDI 1999; Buchman et al.,
 * arXiv 1807.04938). */

#ifndef GOSSIP_AGREE_H
#define GOSSIP_AGREE_H

#include "gossip/engine.h"

void agree_reset(struct agree *a); /* keeps the mails' memory */

/* Messages of this attempt, signatures of the sender checked. */
void agree_receive_propose(struct gossip *g, const struct wire_message *m,
                           const uint8_t *head, size_t size);
void agree_receive_vote(struct gossip *g, const struct wire_message *m);
/* A vote for what is fixed already, which it cannot change: t COMMITs are here,
 * or t PREPAREs of this ballot. Its signature is checked only when another vote
 * contradicts it (evidence_compare checks both), or another signature comes for
 * it; until then it is kept. */
bool agree_is_late(const struct gossip *g, const struct wire_message *m);
void agree_receive_lock(struct gossip *g, const struct wire_message *m);
void agree_receive_cert(struct gossip *g, const struct wire_message *m);

/* 0 if the quorum holds t valid votes of `type` over the value's hash. */
int agree_check(const struct gossip *g, const struct wire_message *m,
                enum wire_type type);

/* Does what can be done now; true if anything was. */
bool agree_advance(struct gossip *g, enum wire_kind kind);
uint64_t agree_wake(const struct gossip *g, enum wire_kind kind);

uint32_t agree_proposer(const struct gossip *g, uint32_t ballot);

/* The value of our newest PREPARE if its proposal is still here, else NULL. */
const struct wire_value *agree_prepared(const struct gossip *g,
                                        enum wire_kind kind);

#endif
