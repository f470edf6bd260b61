/* Rounds and their attempts: when one begins, what it waits for, when it is
 * given up (PROTOCOL.md, sections 3 and 5). */

#ifndef GOSSIP_ATTEMPT_H
#define GOSSIP_ATTEMPT_H

#include "gossip/engine.h"

void attempt_enter(struct gossip *g, enum phase phase);

/* A new round at this attempt: asks for the vector, draws keys; or, if the
 * shape is empty, the end. */
void attempt_round(struct gossip *g, uint64_t attempt);
/* The next try at the same sum, with fresh keys. */
void attempt_begin(struct gossip *g, uint64_t attempt);

bool attempt_runs(const struct gossip *g);
/* KEYS of a later attempt take this member along: it has not PREPAREd a U, or
 * waits for the result of a V without it in vain. */
bool attempt_may_follow(const struct gossip *g);
/* The attempt to go to, from `attempt` on, as others' KEYS say. */
uint64_t attempt_newest(const struct gossip *g, uint64_t attempt);
/* Our vector is here: others have from now on as long as we wait for anybody.
 */
void attempt_trained(struct gossip *g);
/* When this attempt is given up. */
uint64_t attempt_ends(const struct gossip *g);
uint64_t attempt_wake(const struct gossip *g);
/* Every transition that what is here allows, and the deadlines. */
void attempt_run(struct gossip *g);

#endif
