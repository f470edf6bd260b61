/* The agreement of a pod on which offers one step takes: two phases with a
 * lock, as AGREE (Castro and Liskov, OSDI 1999; Buchman et al., "The latest
 * gossip on BFT consensus", 2018). Inside of gossip/mix. */

#ifndef GOSSIP_MIXVOTE_H
#define GOSSIP_MIXVOTE_H

#include "gossip/mixer.h"

void mixvote_begin(struct mix *m);
void mixvote_receive(struct mix *m, const struct mixwire *message);
void mixvote_run(struct mix *m);
uint64_t mixvote_wake(const struct mix *m);
/* Sends to a fellow what it may lack of this step's votes. */
void mixvote_answer(struct mix *m, uint32_t to, struct mixer_entry *e);
/* A record of mix_new. Returns 0, or -1: malformed. */
int mixvote_load(struct mix *m, const uint8_t *record, size_t size);

#endif
