#include "sim/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "node/member.h"

enum { NAMES_SIZE = 1024 };

static const char *const slots[MEMBER_SLOTS] = {
    [GOSSIP_SLOT_STATE] = "state",   [GOSSIP_SLOT_PROMISE] = "promise",
    [GOSSIP_SLOT_SUM] = "sum",       [GOSSIP_SLOT_END] = "end",
    [MEMBER_SLOT_MEMORY] = "memory", [MEMBER_SLOT_DATA] = "data",
};

const char *trace_reason(enum gossip_reason reason)
{
    static const char *const reasons[] = {
        [GOSSIP_FINISHED] = "finished", [GOSSIP_STOPPED] = "stopped",
        [GOSSIP_DECLINED] = "declined", [GOSSIP_TIMED_OUT] = "timed out",
        [GOSSIP_SPOILED] = "spoiled",
    };

    return reasons[reason];
}

const char *trace_names(char *text, size_t size, const struct study *study,
                        uint64_t members)
{
    const uint32_t count = study->site_count;
    const uint64_t all = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    size_t used = 0;

    if (members == 0 || members == all) {
        snprintf(text, size, "%s", members == 0 ? "nobody" : "all");
        return text;
    }
    text[0] = '\0';
    for (uint32_t i = 0; i < count && used < size; i++)
        if (members >> i & 1)
            used +=
                (size_t)snprintf(text + used, size - used, "%s%s",
                                 used == 0 ? "" : ",", study->sites[i].name);
    return text;
}

void trace_flush(struct trace *t)
{
    char names[NAMES_SIZE];

    if (t->file == NULL || t->sent.receivers == 0)
        return;
    fprintf(t->file, "[%7" PRIu64 "] %s -> %s %s r%" PRIu64 " a%" PRIu64,
            t->sent.at_ms, t->study->sites[t->sent.member].name,
            trace_names(names, sizeof names, t->study, t->sent.receivers),
            wire_name(t->sent.type), t->sent.round, t->sent.attempt);
    if (t->sent.sender != t->sent.member)
        fprintf(t->file, " of %s", t->study->sites[t->sent.sender].name);
    fputc('\n', t->file);
    t->sent.receivers = 0;
}

void trace_sent(struct trace *t, uint32_t member, uint32_t to,
                const struct wire_message *m)
{
    if (t->file == NULL)
        return;
    if (t->sent.at_ms != t->now_ms || t->sent.member != member ||
        t->sent.type != m->type || t->sent.round != m->round ||
        t->sent.attempt != m->attempt || t->sent.sender != m->sender ||
        (t->sent.receivers >> to & 1))
        trace_flush(t);
    t->sent.at_ms = t->now_ms;
    t->sent.member = member;
    t->sent.type = m->type;
    t->sent.round = m->round;
    t->sent.attempt = m->attempt;
    t->sent.sender = m->sender;
    t->sent.receivers |= UINT64_C(1) << to;
}

static void begin(struct trace *t, uint32_t member)
{
    trace_flush(t);
    fprintf(t->file, "[%7" PRIu64 "] %s ", t->now_ms,
            t->study->sites[member].name);
}

void trace_say(struct trace *t, uint32_t member, const char *format, ...)
{
    va_list arguments;

    if (t->file == NULL)
        return;
    begin(t, member);
    va_start(arguments, format);
    vfprintf(t->file, format, arguments);
    va_end(arguments);
    fputc('\n', t->file);
}

void trace_message(struct trace *t, uint32_t member, const char *arrow,
                   uint32_t other, const struct wire_message *m,
                   const char *fate)
{
    if (t->file == NULL)
        return;
    begin(t, member);
    fprintf(t->file, "%s %s %s r%" PRIu64 " a%" PRIu64, arrow,
            t->study->sites[other].name, wire_name(m->type), m->round,
            m->attempt);
    uint32_t link = arrow[0] == '<' ? other : member;
    if (m->sender != link)
        fprintf(t->file, " of %s", t->study->sites[m->sender].name);
    fprintf(t->file, "%s\n", fate);
}

void trace_lie(struct trace *t, uint32_t member, uint32_t to,
               const struct wire_message *m, const char *lie)
{
    if (t->file == NULL)
        return;
    begin(t, member);
    fprintf(t->file, "-> %s ", t->study->sites[to].name);
    if (m == NULL)
        fprintf(t->file, "what is no message");
    else
        fprintf(t->file, "%s r%" PRIu64 " a%" PRIu64, wire_name(m->type),
                m->round, m->attempt);
    if (m != NULL && m->sender != member)
        fprintf(t->file, " of %s", t->study->sites[m->sender].name);
    fprintf(t->file, ", a lie: %s\n", lie);
}

void trace_save(struct trace *t, uint32_t member, uint32_t slot, size_t size)
{
    const char *name = slot < MEMBER_SLOTS ? slots[slot] : NULL;

    if (name == NULL)
        name = "?";
    if (t->story)
        trace_say(t, member, "save %s", name);
    else
        trace_say(t, member, "save %s %zu bytes", name, size);
}

void trace_note(struct trace *t, uint32_t member, const struct gossip_effect *e)
{
    char names[NAMES_SIZE];

    if (t->file == NULL)
        return;
    begin(t, member);
    fprintf(t->file, "note %s r%" PRIu64 " a%" PRIu64,
            gossip_note_name(e->note.code), e->note.round, e->note.attempt);
    if (e->note.members != 0 || e->note.code == GOSSIP_NOTE_AWAITED)
        fprintf(t->file, " %s",
                trace_names(names, sizeof names, t->study, e->note.members));
    if (e->note.code == GOSSIP_NOTE_COPY &&
        e->note.detail < t->study->site_count)
        fprintf(t->file, " held by %s", t->study->sites[e->note.detail].name);
    if (e->note.code == GOSSIP_NOTE_DECLINED)
        fprintf(t->file, " reason %" PRIu64, e->note.detail);
    if (e->note.text != NULL)
        fprintf(t->file, " %s", e->note.text);
    fputc('\n', t->file);
}

void trace_done(struct trace *t, uint32_t member, const struct gossip_effect *e)
{
    char names[NAMES_SIZE];

    trace_say(t, member, "done %s r%" PRIu64 "%s%s",
              trace_reason(e->done.reason), e->done.round,
              e->done.members == 0 ? "" : " ",
              e->done.members == 0 ? ""
                                   : trace_names(names, sizeof names, t->study,
                                                 e->done.members));
}

void trace_post(struct trace *t, uint32_t member, const char *arrow,
                uint32_t pod, uint32_t other, const uint8_t *head,
                size_t head_size, const char *fate)
{
    static const char *const names[MIXWIRE_TYPES] = {
        "?",          "OFFER",    "MIX-PROPOSE", "MIX-PREPARE",
        "MIX-COMMIT", "MIX-CERT", "MIX-WANT",    "OVER"};
    struct mixwire m;

    if (t->file == NULL)
        return;
    if (mixwire_parse(&m, head, head_size) != 0) {
        trace_say(t, member, "%s pod %" PRIu32 " member %" PRIu32 " garbage%s",
                  arrow, pod, other, fate);
        return;
    }
    trace_say(t, member,
              "%s pod %" PRIu32 " member %" PRIu32 " %s of %" PRIu32 "/%" PRIu32
              " r%" PRIu64 " s%" PRIu32 " b%" PRIu32 "%s",
              arrow, pod, other, names[m.type], m.pod, m.sender, m.round,
              m.stage, m.ballot, fate);
}
