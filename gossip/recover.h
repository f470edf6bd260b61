/* Asking for what is missing and answering those who ask: loss only delays, a
 * member that was away catches up. */

#ifndef GOSSIP_RECOVER_H
#define GOSSIP_RECOVER_H

#include "gossip/engine.h"

/* WANT: what we have, to one member or to all. */
void recover_ask(struct gossip *g, uint32_t to);
/* Asks everybody when a phase lasts, ever more rarely. */
void recover_tick(struct gossip *g);
/* Progress was made: ask soon again if it stops. */
void recover_soon(struct gossip *g);

/* A WANT: sends what its sender lacks and we have. */
void recover_answer(struct gossip *g, const struct wire_message *m);

#endif
