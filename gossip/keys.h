/* KEYS, SHARES, ACK (PROTOCOL.md, section 3), and V from the ACKs. */

#ifndef GOSSIP_KEYS_H
#define GOSSIP_KEYS_H

#include "gossip/engine.h"

/* Draws this attempt's ephemeral keys and writes our KEYS; nothing is sent. */
void keys_make(struct gossip *g);
void keys_wipe(struct gossip *g);

/* A KEYS of this attempt, signature checked. */
void keys_receive(struct gossip *g, const struct wire_message *m,
                  const uint8_t *head, size_t size);
void keys_receive_shares(struct gossip *g, const struct wire_message *m);
void keys_receive_ack(struct gossip *g, const struct wire_message *m,
                      const uint8_t *head, size_t size);

/* Seals and sends everybody's shares whose KEYS are here, once each. */
void keys_share(struct gossip *g);
/* Opens what arrived sealed and can be opened by now. */
void keys_open(struct gossip *g);
void keys_ack(struct gossip *g);

/* H("share", share): public, as the share is 256 random bits. */
void keys_share_hash(uint8_t hash[GOSSIP_HASH_BYTES],
                     const uint8_t share[SHAMIR_BYTES]);

/* Who has acknowledged our KEYS of this attempt. */
uint64_t keys_acknowledged(const struct gossip *g);

/* Whose ACKs a V would best be made of; `turn` breaks ties. */
uint64_t keys_senders(const struct gossip *g, uint32_t turn);
/* V from the ACKs of `senders`, all here: members among them whose same
 * H(KEYS), as we hold it, each of them acknowledges. */
void keys_value(const struct gossip *g, struct wire_value *value,
                uint64_t senders);

/* The KEYS that this V names are all here. */
bool keys_are_of(const struct gossip *g, const struct wire_value *v);

#endif
