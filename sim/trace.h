/* A world's events as lines of text: no floats, no addresses, no wall clock.
 *
 *     [   123] va <- cleveland KEYS r2 a0
 *     [   130] va save promise 812 bytes
 *     [   140] va note survivors r3 a0 all
 */

#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "gossip/mixwire.h"
#include "gossip/wire.h"
#include "node/study.h"

struct trace {
    FILE *file; /* NULL: every call does nothing */
    const struct study *study;
    uint64_t now_ms;
    bool story; /* without the sizes of records, which say little */
    struct {    /* one message to several receivers makes one line */
        uint64_t receivers, round, attempt, at_ms;
        uint32_t member, sender;
        enum wire_type type;
    } sent;
};

/* One line about `member`. */
void trace_say(struct trace *trace, uint32_t member, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A message that is sent ("->", fate: " lost", " twice") or arrives ("<-"). */
void trace_message(struct trace *trace, uint32_t member, const char *arrow,
                   uint32_t other, const struct wire_message *message,
                   const char *fate);
/* A message is sent and will arrive; the line comes with the next call. */
void trace_sent(struct trace *trace, uint32_t member, uint32_t to,
                const struct wire_message *message);
/* A liar's message, `m` NULL if it is none; `lie` names its deceit. */
void trace_lie(struct trace *trace, uint32_t member, uint32_t to,
               const struct wire_message *message, const char *lie);
/* A message about pods, sent ("->") or arriving ("<-"); fate: " lies" or "". */
void trace_post(struct trace *trace, uint32_t member, const char *arrow,
                uint32_t pod, uint32_t other, const uint8_t *head,
                size_t head_size, const char *fate);
void trace_flush(struct trace *trace);
void trace_save(struct trace *trace, uint32_t member, uint32_t slot,
                size_t size);
void trace_note(struct trace *trace, uint32_t member,
                const struct gossip_effect *note);
void trace_done(struct trace *trace, uint32_t member,
                const struct gossip_effect *done);

/* The names of a bitmap of members, "all" or "nobody". Returns text. */
const char *trace_names(char *text, size_t size, const struct study *study,
                        uint64_t members);
const char *trace_reason(enum gossip_reason reason);

#endif
