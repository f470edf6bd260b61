/* A vector's work in parts, each of which the driver may give to a thread of
 * its own (config.share). The parts do not depend on how many there are, and no
 * part's result on another's: equal bits on any number of threads. */

#ifndef GOSSIP_SHARE_H
#define GOSSIP_SHARE_H

#include "gossip/engine.h"

enum { SHARE_PARTS_MAX = 8 };

/* Calls work(context, k, from, n) so that [0, count) lanes of `lane` bytes are
 * covered once, k < SHARE_PARTS_MAX; one part if the driver shares nothing or
 * the lanes are too few to be worth it. */
void share_lanes(const struct gossip *g, size_t count, size_t lane,
                 void (*work)(void *context, size_t k, size_t from, size_t n),
                 void *context);

/* Calls work(context, k) for each k < count; `size`: bytes that all of them
 * read. */
void share_each(const struct gossip *g, size_t count, size_t size,
                void (*work)(void *context, size_t k), void *context);

#endif
