/* Durable records: what is on disk before it is said, and how a restarted
 * member finds its place (PROTOCOL.md, section 5). Secrets, shares and
 * masked vectors are never among them. */

#ifndef GOSSIP_RECORD_H
#define GOSSIP_RECORD_H

#include "gossip/engine.h"

/* Bytes that one SAVE of each kind may take. */
size_t record_state_size(const struct gossip *g);
size_t record_carry_at(const struct gossip *g); /* in the state's, if any */
size_t record_promise_size(const struct gossip *g);
size_t record_sum_size(const struct gossip *g);
size_t record_lanes_at(const struct gossip *g); /* in the sum's: the lanes */
size_t record_evidence_size(const struct gossip *g);

/* Adds the SAVE effect: the round and attempt with KEYS, votes, locks and
 * certificates said in it; the state with the result that made it; the open
 * sum, with config.keeps_sum; the end. */
void record_promise(struct gossip *g);
void record_state(struct gossip *g);
void record_sum(struct gossip *g);
void record_end(struct gossip *g);
void record_evidence(struct gossip *g);

/* The carry that a loaded sum was saved with is the engine's. */
void record_take_carry(struct gossip *g);

/* Reads one record into the engine. Returns 0, or -1 if it is malformed. */
int record_load(struct gossip *g, const struct gossip_record *record);

#endif
