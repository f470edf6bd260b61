/* What a node tells while it runs: lines for a person on stderr, or with
 * --json one object a line on stdout; and the table of rounds for the result.
 *
 * An object has "event", "ms" since the start, "round", "attempt", "members"
 * (names), "detail", "phase", "loss", "bytes" sent since the
 * first start of the study here, and "text". */

#ifndef NODE_PROGRESS_H
#define NODE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/member.h"
#include "node/result.h"
#include "node/store.h"

enum {
    PROGRESS_BLOCK = 32 /* rows of one record */,
    PROGRESS_LINE_SIZE = 1024
};

struct progress {
    const struct study *study;
    const struct member *member;
    uint32_t self;
    bool json;
    bool here;        /* nobody is awaited any more; not yet told */
    uint64_t differs; /* bitmap: whose study is not ours */
    int64_t start_ms;
    /* of the processes before this one: bytes sent, and the time since the
     * first of them started */
    uint64_t before_bytes, before_ms;
    uint64_t rounds_bytes;       /* sent until the newest row of `rounds` */
    struct result_round *rounds; /* [round_count], owned */
    size_t round_count, capacity;
    size_t saved;     /* rows in front that stand in the store as they are */
    size_t expected;  /* rows that the store's totals tell of */
    uint64_t awaited; /* in this round so far */
    uint64_t awaited_now;
};

void progress_note(struct progress *progress,
                   const struct gossip_effect *effect);
/* Anything else, `name` of --json, with a line for a person or NULL. */
void progress_tell(const struct progress *progress, const char *name,
                   uint64_t members, uint64_t round, const char *phase,
                   const char *line);
/* Since the first start of the study at this node. */
uint64_t progress_bytes(const struct progress *progress);
uint64_t progress_ms(const struct progress *progress);
/* Writes what a later process has to know into `slot`, and the rows that are
 * new since the last call into those after it, PROGRESS_BLOCK in each: a round
 * costs the same however many were before it. */
int progress_save(struct progress *progress, struct store *store, uint32_t slot,
                  struct error *error);
/* Before the start: takes the record of slot + place that a process before this
 * one saved, in the order of places; other bytes are ignored. */
void progress_restore(struct progress *progress, uint32_t place,
                      const uint8_t *bytes, size_t size);
/* That the study of `names` is another one, in `field`; `where` they are, or
 * "". */
void progress_differs(char line[PROGRESS_LINE_SIZE], const char *field,
                      const char *names, const char *where);
/* How the study ended, in words. */
const char *progress_reason(enum gossip_reason reason);
/* "va, hungarian" in text[size]. */
void progress_names(const struct progress *progress, char *text, size_t size,
                    uint64_t members);
void progress_free(struct progress *progress);

#endif
