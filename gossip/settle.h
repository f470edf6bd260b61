/* One sum of a round where members may lie and pods mix: who has opened it says
 * so, and those that cannot open it any more take it (PROTOCOL.md, section 10).
 */

#ifndef GOSSIP_SETTLE_H
#define GOSSIP_SETTLE_H

#include "gossip/engine.h"

/* SETTLED to a member that asks and lacks the sum, with the lanes beside it if
 * it is our turn; nothing unless we have opened the round's sum ourselves. */
void settle_answer(struct gossip *g, const struct wire_message *want);
/* Somebody else's: c + 1 that say the same settle the round. */
void settle_receive(struct gossip *g, const struct wire_message *m,
                    const uint8_t *body, size_t body_size);

#endif
