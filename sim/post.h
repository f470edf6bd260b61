/* The way of a message from an engine's SEND to the other end of the link: the
 * checkers, the adversary if its sender lies, the network's laws. */

#ifndef SIM_POST_H
#define SIM_POST_H

#include "sim/scene.h"

/* The message of a SEND, valid until the next call. */
const struct wire_message *post_parsed(struct world *world,
                                       const struct gossip_effect *send);
void post_send(struct world *world, uint32_t from,
               const struct gossip_effect *send);
/* A message arrives at a liar, which may remember it. */
void post_heard(struct world *world, const struct queue_item *item);

/* What is said about pods: to a fellow at once, to others by world_posts. */
void post_pods(struct world *world, uint32_t from,
               const struct gossip_effect *effect);

#endif
