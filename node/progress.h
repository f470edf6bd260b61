/* What a node tells while it runs: lines for a person on stderr, or with
 * --json one object a line on stdout; and the table of rounds for the result.
 *
 * An object has "event", "ms" since the start, "round", "attempt", "members"
 * (names), "detail", "phase", "loss", "bytes" sent so far, and "text". */

#ifndef NODE_PROGRESS_H
#define NODE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/member.h"
#include "node/result.h"

struct progress {
    const struct study *study;
    const struct member *member;
    uint32_t self;
    bool json;
    int64_t start_ms;
    struct result_round *rounds; /* [round_count], owned */
    size_t round_count, capacity;
    uint64_t awaited; /* in this round so far */
    uint64_t awaited_now;
};

void progress_note(struct progress *progress,
                   const struct gossip_effect *effect);
/* Anything else, `name` of --json, with a line for a person or NULL. */
void progress_tell(const struct progress *progress, const char *name,
                   uint64_t members, uint64_t round, const char *phase,
                   const char *line);
/* The rows that a process before this one kept, as they lie in memory; other
 * bytes are ignored. */
void progress_restore(struct progress *progress, const uint8_t *bytes,
                      size_t size);
/* How the study ended, in words. */
const char *progress_reason(enum gossip_reason reason);
/* "va, hungarian" in text[size]. */
void progress_names(const struct progress *progress, char *text, size_t size,
                    uint64_t members);
void progress_free(struct progress *progress);

#endif
