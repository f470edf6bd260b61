/* CHECK: no sum is absorbed on one member's word (PROTOCOL.md, section 3).
 *
 * U fixes H(Y) of each survivor, so the sum of a slice is a fact: whoever holds
 * its masked lanes adds them up itself and signs what came out. Others take a
 * SUM that c + 1 holders attest, or ask for the lanes and add them up too.
 */

#ifndef GOSSIP_CHECK_H
#define GOSSIP_CHECK_H

#include "gossip/engine.h"

void check_reset(struct gossip *g); /* of an attempt */

/* All secrets are rebuilt: adds up, says SUM and CHECK, accepts, audits. */
bool check_advance(struct gossip *g);
uint64_t check_wake(const struct gossip *g);

/* A SUM of this attempt, its hash and range checked; body: lanes. */
void check_receive_sum(struct gossip *g, const struct wire_message *m,
                       const uint8_t *head, size_t size, const uint8_t *body,
                       size_t body_size);
void check_receive(struct gossip *g, const struct wire_message *m,
                   const uint8_t *head, size_t size);

/* Slices whose masked lanes we ask for, as WANT says it; and the answer. */
uint64_t check_audits(const struct gossip *g);
void check_answer(struct gossip *g, uint32_t to, uint64_t audits,
                  uint32_t tick);

#endif
