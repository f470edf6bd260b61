/* Who is here: links, greetings, what differs, who is waited for. */

#ifndef GOSSIP_MEMBERS_H
#define GOSSIP_MEMBERS_H

#include "gossip/engine.h"

void members_link(struct gossip *g, uint32_t member, bool up);
/* Its link has been down for grace_ms: go on without it where t are enough. */
bool members_gone(const struct gossip *g, uint32_t member);
uint64_t members_all_gone(const struct gossip *g); /* bitmap */

void members_hello(struct gossip *g, uint32_t to);
void members_receive_hello(struct gossip *g, const struct wire_message *m);

/* Whom the phase waits for, and the note about it when that has lasted. */
void members_await(struct gossip *g);

/* When the next link's grace ends; UINT64_MAX: none. */
uint64_t members_wake(const struct gossip *g);

#endif
