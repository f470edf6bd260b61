/* What V or U must be, and what a proposer shows for it (PROTOCOL.md, section
 * 4). agree.h fixes one of them. */

#ifndef GOSSIP_VALUE_H
#define GOSSIP_VALUE_H

#include "gossip/engine.h"

/* What a proposer may propose by itself now: true with the value, whose
 * messages show it, and whose were looked at. */
bool value_candidate(const struct gossip *g, enum wire_kind kind,
                     struct wire_value *value, uint64_t *evidence,
                     uint64_t *heard);
/* What any value must be, whoever shows it: about our state, large enough, and
 * over the cohort, as wait and stop demand. */
bool value_sound(const struct gossip *g, const struct wire_value *value);
/* The evidence of a PROPOSE is here and gives its value when we compute it. */
bool value_shown(const struct gossip *g, const struct wire_message *p);
/* Fills in the hashes of the messages that are a proposal's evidence. */
void value_show(const struct gossip *g, struct wire_message *m);

#endif
