/* The opened sum: rebuilt secrets, slice sums, results of other attempts
 * (PROTOCOL.md, section 3, OPEN to absorb). */

#ifndef GOSSIP_OPEN_H
#define GOSSIP_OPEN_H

#include "gossip/engine.h"

void open_reset(struct result *result); /* keeps the memory */

/* This attempt's U is certified: collect its sum. */
void open_begin(struct gossip *g);

/* CERT or SUM of this round, of whatever attempt: a complete result counts
 * wherever it comes from. The sender's signature is checked. */
void open_receive_cert(struct gossip *g, const struct wire_message *m,
                       const uint8_t *head, size_t size);
void open_receive_sum(struct gossip *g, const struct wire_message *m,
                      const uint8_t *head, size_t size, const uint8_t *body,
                      size_t body_size);

/* Rebuilds the secrets once t shares are here; sums what is ours to sum. */
bool open_advance(struct gossip *g);
/* The whole sum is here: asks the driver to absorb it. */
bool open_absorb(struct gossip *g);
/* As it was, if a life before this one opened the round's sum. */
bool open_resume(struct gossip *g);
bool open_complete(const struct result *result);

/* Adds up the slice into the result: `masked` [members][slice_max] lanes of
 * U's members. False: a key is weak. */
bool open_sum_slice(struct gossip *g, uint32_t slice, const uint8_t *masked);
/* Signs and sends what the result holds of the slice. */
void open_say_sum(struct gossip *g, uint32_t slice);
/* When a slice becomes ours to say. */
uint64_t open_turn(const struct gossip *g, uint32_t slice);
uint64_t open_wake(const struct gossip *g);

#endif
