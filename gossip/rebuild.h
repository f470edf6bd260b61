/* The secrets that a certified U opens, from the shares that t members have
 * released: b of the survivors, msk of the lost (PROTOCOL.md, section 3). */

#ifndef GOSSIP_REBUILD_H
#define GOSSIP_REBUILD_H

#include "gossip/engine.h"

/* Rebuilds what t shares are here of. A share that is not what the KEYS of its
 * dealer say is left out and its sender named; a dealer of whom t true shares
 * give no secret that fits its KEYS is named. True when all have become known
 * (g->rebuilt). */
bool rebuild_advance(struct gossip *g);

#endif
