/* Who has to be in a sum and who is waited for, by the charter's `on_loss`;
 * CLOSE, without which a changed cohort may not try again; and what the sums
 * over changed cohorts show (PROTOCOL.md, section 5). */

#ifndef GOSSIP_COHORT_H
#define GOSSIP_COHORT_H

#include "gossip/engine.h"

enum { COHORT_HISTORY_BYTES = 16 };

/* on_loss: continue. Otherwise the cohort is everybody, always. */
bool cohort_changes(const struct gossip *g);

/* The phase need not wait for more of `base` than `have`: they are all there,
 * or the cohort may change, t are there and the rest are gone or late. Starts
 * the patience with the late when t are there. */
bool cohort_ready(struct gossip *g, uint64_t base, uint64_t have);
/* When that patience ends; UINT64_MAX: it does not run. */
uint64_t cohort_wake(const struct gossip *g);
/* V or U may be `members`. */
bool cohort_allows(const struct gossip *g, uint64_t members);

/* Whom to listen to and whom to sum, where lists[i] are those that i reports:
 * of `candidates` as many as possible so that each of them that is one of
 * `reporters` lists all the others. Drops whoever has most against it or
 * itself first; `turn` decides between equals. */
uint64_t cohort_agreeing(const struct gossip *g, uint64_t candidates,
                         uint64_t reporters,
                         const uint64_t lists[GOSSIP_MEMBERS_MAX],
                         uint32_t turn);

/* The attempts before this one are given up: says CLOSE. */
void cohort_close(struct gossip *g);
void cohort_receive_close(struct gossip *g, const struct wire_message *m,
                          const uint8_t *head, size_t size);
/* As many KEYS are here whose senders have PREPAREd no U in this round, and
 * have acknowledged ours since, that nobody can have released anything in it,
 * unless t - c - 1 honest members less those that are not here have lost their
 * stores since. */
bool cohort_is_new(const struct gossip *g);
/* V is certified with our new KEYS: whatever we said before we lost our store
 * cannot be opened any more. It is the first attempt, or so many others have
 * CLOSEd those before; a V of the same set as before takes none of them. */
bool cohort_frees(const struct gossip *g);
/* So many others that have got no further, after we lost our store, are enough
 * to show that we have released nothing in later rounds: fewer than t, with us
 * and those who lie, are left. With more than t - 2 c - 2 liars silent there
 * are not so many, and all that are left have to do. */
uint32_t cohort_witnesses(const struct gossip *g);
/* We lost our store and may have released in the rounds to come: neither has a
 * V of this round held our new KEYS, nor are so many others here. */
bool cohort_is_lost(const struct gossip *g);
/* Whose CLOSE covers what we need closed: the attempts before this one or, when
 * we have released, that attempt. Bitmap. */
uint64_t cohort_closers(const struct gossip *g);

/* In this attempt we may PREPARE, contribute to, release for a sum over
 * `members`: it is the round's first, or earlier ones can no longer be opened,
 * or it opens the same sum again. */
bool cohort_may_try(const struct gossip *g, uint64_t members);
/* The cohort that a retry has to keep, if any; else 0. */
uint64_t cohort_kept(const struct gossip *g);
/* We have released for this cohort: bound to it, until that is dead. */
void cohort_bind(struct gossip *g, uint64_t members, const struct mail *cert);
/* True once when enough others have closed what we released in. */
bool cohort_unbind(struct gossip *g);
/* A certificate of U of an earlier attempt of this round. */
void cohort_receive_cert(struct gossip *g, const struct wire_message *m);
void cohort_forget(struct gossip *g); /* a new round */

/* Whose vectors the opened sums may show to c members who subtract them, now
 * and if one over `members` is opened too. */
uint64_t cohort_revealed(const struct gossip *g, uint64_t members);
/* Writes into `next` that a sum over `members` was opened. */
void cohort_opened(const struct gossip *g, uint8_t *next, uint64_t members);

#endif
