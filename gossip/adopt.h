/* The state of a later round, from those who have it: for a member that was
 * away, or has lost its store (PROTOCOL.md, sections 5 and 6). */

#ifndef GOSSIP_ADOPT_H
#define GOSSIP_ADOPT_H

#include "gossip/engine.h"

/* STATE, over its signer's own link; body[body_size]: the state. It is taken
 * once as many members as that needs have signed the same. */
void adopt_receive(struct gossip *g, const struct wire_message *m,
                   const uint8_t *body, size_t body_size);

#endif
