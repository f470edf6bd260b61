/* Who is in the sum, U, and the shares that open it: RECV, UNMASK (PROTOCOL.md,
 * section 3). */

#ifndef GOSSIP_SURVIVORS_H
#define GOSSIP_SURVIVORS_H

#include "gossip/engine.h"

void survivors_report(struct gossip *g); /* sends RECV */

/* Messages of this attempt, signatures checked. */
void survivors_receive_recv(struct gossip *g, const struct wire_message *m,
                            const uint8_t *head, size_t size);
void survivors_receive_unmask(struct gossip *g, const struct wire_message *m,
                              const uint8_t *head, size_t size);

/* Members with a RECV under our V and state; and U from some of them. */
uint64_t survivors_owners(const struct gossip *g);
void survivors_value(const struct gossip *g, struct wire_value *value,
                     uint64_t owners);
/* Those of them whose RECVs a U would best be made of; `turn` breaks ties. */
uint64_t survivors_reporters(const struct gossip *g, uint32_t turn);

/* A step of the attempt: sends the CERT of U and UNMASK, once it may; true if
 * it did. */
bool survivors_release(struct gossip *g);

#endif
