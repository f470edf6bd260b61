/* A message has come: whether it is sound, of this time, worth a signature
 * check and rightly signed, and whose it is to take (PROTOCOL.md, section 2).
 */

#ifndef GOSSIP_RECEIVE_H
#define GOSSIP_RECEIVE_H

#include "gossip/engine.h"

void receive_message(struct gossip *g, const struct gossip_event *event);

#endif
