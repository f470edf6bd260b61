#include "node/progress.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <czmq.h>

enum { LINE_SIZE = PROGRESS_LINE_SIZE, NAMES_SIZE = 512 };

const char *progress_reason(enum gossip_reason reason)
{
    static const char *const reasons[] = {
        [GOSSIP_FINISHED] = "finished",
        [GOSSIP_STOPPED] = "stopped: a member was missing",
        [GOSSIP_DECLINED] = "a member cannot contribute",
        [GOSSIP_TIMED_OUT] = "wait_ms is over",
        [GOSSIP_SPOILED] = ("a site's vector was out of range; nobody can "
                            "tell whose"),
    };

    return reasons[reason];
}

void progress_names(const struct progress *p, char *text, size_t size,
                    uint64_t members)
{
    size_t used = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < p->study->site_count && used < size; i++) {
        int count;

        if ((members >> i & 1) == 0)
            continue;
        count = snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                         p->study->sites[i].name);
        used += count > 0 ? (size_t)count : 0;
    }
}

static json_t *names_array(const struct progress *p, uint64_t members)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < p->study->site_count; i++)
        if (members >> i & 1)
            json_array_append_new(array, json_string(p->study->sites[i].name));
    return array;
}

static double loss(const struct progress *p)
{
    return p->member != NULL ? member_loss(p->member) : NAN;
}

static struct task_watch watch(const struct progress *p)
{
    return p->member != NULL ? member_watch(p->member)
                             : (struct task_watch){NAN, NAN, NAN};
}

static const char *phase_now(const struct progress *p)
{
    const char *phase = p->member != NULL ? member_phase(p->member) : NULL;

    return phase != NULL ? phase : "";
}

static struct gossip_view view_now(const struct progress *p)
{
    struct gossip_view view = {0};

    if (p->member != NULL) {
        struct mix_view pods;
        member_view(p->member, &view);
        member_pods(p->member, &pods);
        view.bytes_sent += pods.bytes_sent;
    }
    return view;
}

uint64_t progress_bytes(const struct progress *p)
{
    return p->before_bytes + view_now(p).bytes_sent;
}

uint64_t progress_ms(const struct progress *p)
{
    return p->before_ms + (uint64_t)(zclock_mono() - p->start_ms);
}

struct told {
    const char *event, *phase, *text;
    uint64_t round, attempt, members, detail;
};

static void print_json(const struct progress *p, const struct told *told)
{
    double l = loss(p);
    json_t *object = json_pack(
        "{s:s, s:I, s:I, s:I, s:o, s:I, s:s, s:o, s:I}", "event", told->event,
        "ms", (json_int_t)(zclock_mono() - p->start_ms), "round",
        (json_int_t)told->round, "attempt", (json_int_t)told->attempt,
        "members", names_array(p, told->members), "detail",
        (json_int_t)told->detail, "phase",
        told->phase != NULL ? told->phase : phase_now(p), "loss",
        isfinite(l) ? json_real(l) : json_null(), "bytes",
        (json_int_t)progress_bytes(p));

    if (object == NULL)
        return;
    if (told->text != NULL)
        json_object_set_new(object, "text", json_string(told->text));
    json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
    putchar('\n');
    fflush(stdout);
    json_decref(object);
}

/* The line of a note that a person wants to see while all goes well; "": not
 * one of these. */
static void usual_line(const struct progress *p, char *line,
                       const struct gossip_effect *e, const char *names)
{
    double l = loss(p);

    line[0] = '\0';
    switch (e->note.code) {
    case GOSSIP_NOTE_AWAITED:
        if (e->note.members != 0)
            snprintf(line, LINE_SIZE, "awaiting %s", names);
        break;
    case GOSSIP_NOTE_ATTEMPT:
        snprintf(line, LINE_SIZE, "round %" PRIu64 ": attempt %" PRIu64,
                 e->note.round, e->note.detail);
        break;
    case GOSSIP_NOTE_REBUILT:
        snprintf(line, LINE_SIZE,
                 "round %" PRIu64 ": the masks of %s are rebuilt from shares",
                 e->note.round, names);
        break;
    case GOSSIP_NOTE_COPY:
        snprintf(line, LINE_SIZE,
                 "round %" PRIu64 ": the slice of %s is completed from a copy",
                 e->note.round, names);
        break;
    case GOSSIP_NOTE_MIXED:
        if (e->note.detail > 0)
            snprintf(line, LINE_SIZE,
                     "round %" PRIu64 ": mixed without %" PRIu64
                     " of the neighbour pods",
                     e->note.round, e->note.detail);
        break;
    case GOSSIP_NOTE_CAUGHT_UP:
        snprintf(line, LINE_SIZE, "caught up with %s", names);
        break;
    case GOSSIP_NOTE_OPENED:
        snprintf(line, LINE_SIZE,
                 "round %" PRIu64 " (%s): the sum over %s is open",
                 e->note.round, phase_now(p), names);
        if (isfinite(l))
            snprintf(line + strlen(line), LINE_SIZE - strlen(line),
                     "; loss %.6g", l);
        snprintf(line + strlen(line), LINE_SIZE - strlen(line),
                 "; %" PRIu64 " bytes sent", progress_bytes(p));
        break;
    default:
        break;
    }
}

static void decline_line(const struct progress *p, char *line,
                         const struct gossip_effect *e, const char *names)
{
    static const char *const reasons[GOSSIP_DECLINES] = {
        [GOSSIP_DECLINE_NONE] = "for no reason",
        [GOSSIP_DECLINE_RANGE] = "a value is out of the lanes' range",
        [GOSSIP_DECLINE_DATA] = "its rows do not allow it",
        [GOSSIP_DECLINE_POLICY] = "its own policy says no",
    };
    bool ours = e->note.members >> p->self & 1;
    const char *why =
        ours && p->member != NULL ? member_decline(p->member) : "";

    snprintf(line, LINE_SIZE, "%s cannot contribute: %s%s%s", names,
             e->note.detail < GOSSIP_DECLINES ? reasons[e->note.detail]
                                              : "unknown reason",
             *why != '\0' ? ": " : "", why);
}

void progress_differs(char line[PROGRESS_LINE_SIZE], const char *field,
                      const char *names, const char *where)
{
    if (strcmp(field, "program") == 0 || strcmp(field, "protocol") == 0)
        snprintf(line, LINE_SIZE,
                 "peer '%s'%s runs another version of starling (this is "
                 "" STARLING_VERSION "); install the same version everywhere",
                 names, where);
    else
        snprintf(line, LINE_SIZE,
                 "peer '%s'%s runs a study that differs in '%s': compare both "
                 "files",
                 names, where, field);
}

/* The line of a note that something is wrong; "": not one of these. */
static void trouble_line(const struct progress *p, char *line,
                         const struct gossip_effect *e, const char *names)
{
    line[0] = '\0';
    switch (e->note.code) {
    case GOSSIP_NOTE_DIFFERS:
        progress_differs(line, e->note.text != NULL ? e->note.text : "?", names,
                         "");
        break;
    case GOSSIP_NOTE_EQUIVOCATED:
        snprintf(line, LINE_SIZE,
                 "%s signed two different %s: the evidence is kept", names,
                 e->note.text);
        break;
    case GOSSIP_NOTE_LIED:
        snprintf(line, LINE_SIZE,
                 "%s signed a false sum of slice %" PRIu64
                 ": the evidence is kept, the sum is made without it",
                 names, e->note.detail);
        break;
    case GOSSIP_NOTE_BAD_DEAL:
        snprintf(line, LINE_SIZE,
                 "%s dealt shares of a secret that is not its own: its masks "
                 "cannot be taken off",
                 names);
        break;
    case GOSSIP_NOTE_REVEALS:
        snprintf(line, LINE_SIZE,
                 "round %" PRIu64 ": the cohort has changed: whoever subtracts "
                 "opened sums may learn what %s contributed",
                 e->note.round, names);
        break;
    case GOSSIP_NOTE_DECLINED:
        decline_line(p, line, e, names);
        break;
    case GOSSIP_NOTE_REFUSED:
        snprintf(line, LINE_SIZE, "a second use of one vector was refused");
        break;
    case GOSSIP_NOTE_BAD_SHARE:
        snprintf(line, LINE_SIZE, "%s released a wrong share", names);
        break;
    case GOSSIP_NOTE_DIVERGED:
        snprintf(line, LINE_SIZE,
                 "the state of %s is not ours: compare program and study",
                 names);
        break;
    default:
        break;
    }
}

static bool make_room(struct progress *p, size_t count)
{
    size_t capacity = p->capacity > 0 ? p->capacity : 64;

    while (capacity < count)
        capacity *= 2;
    if (capacity == p->capacity)
        return true;
    void *rounds = realloc(p->rounds, capacity * sizeof *p->rounds);
    if (rounds == NULL)
        return false; /* a line less in rounds.csv */
    p->rounds = rounds;
    p->capacity = capacity;
    return true;
}

/* What the newest row's sum led to is known once its state is made. */
static void settle(struct progress *p)
{
    const double l = loss(p);

    if (p->round_count == 0 || !isfinite(l))
        return;
    struct result_round *row = &p->rounds[p->round_count - 1];
    if (isfinite(row->loss) || view_now(p).round != row->round + 1)
        return;
    row->loss = l;
    row->watch = watch(p);
    if (p->saved > p->round_count - 1)
        p->saved = p->round_count - 1;
}

static void keep_round(struct progress *p, const struct gossip_effect *e)
{
    struct result_round *row;

    while (p->round_count > 0 &&
           p->rounds[p->round_count - 1].round >= e->note.round) {
        /* opened before, but a crash came before the state */
        p->round_count--;
        p->rounds_bytes -= p->rounds[p->round_count].bytes_sent;
    }
    if (p->saved > p->round_count)
        p->saved = p->round_count;
    if (!make_room(p, p->round_count + 1))
        return;
    row = &p->rounds[p->round_count++];
    *row = (struct result_round){
        .round = e->note.round,
        .virtual_ms = progress_ms(p),
        .survivors = e->note.members,
        .loss = NAN,
        .watch = {NAN, NAN, NAN},
        .bytes_sent = progress_bytes(p) - p->rounds_bytes,
        .awaited = p->awaited,
        .distance = (double)NAN,
    };
    snprintf(row->phase, sizeof row->phase, "%s", phase_now(p));
    p->rounds_bytes += row->bytes_sent;
    p->awaited = p->awaited_now;
}

/* Pods mix after the sum is open. A round that was mixed in two steps counts
 * who was missing in either. */
static void keep_mixed(struct progress *p, const struct gossip_effect *e)
{
    size_t last = p->round_count - 1;

    if (p->round_count == 0 || p->rounds[last].round != e->note.round)
        return;
    if (!p->study->exact)
        p->rounds[last].distance = member_distance(p->member);
    p->rounds[last].left_out += (uint32_t)e->note.detail;
    if (p->saved > last)
        p->saved = last; /* it is no longer as it stands in the store */
}

/* That nobody is awaited is news only if the study then goes on: it is said
 * before the next line. */
static void tell_here(struct progress *p, const struct gossip_effect *e)
{
    if (e->note.code == GOSSIP_NOTE_AWAITED)
        p->here = e->note.members == 0;
    else if (p->here && (e->note.code == GOSSIP_NOTE_ATTEMPT ||
                         e->note.code == GOSSIP_NOTE_OPENED)) {
        p->here = false;
        fputs("everybody is here\n", stderr);
    }
}

void progress_note(struct progress *p, const struct gossip_effect *e)
{
    char names[NAMES_SIZE], line[LINE_SIZE];
    const uint64_t members = /* sites: neighbour pods are none */
        e->note.code == GOSSIP_NOTE_MIXED ? 0 : e->note.members;

    settle(p);
    progress_names(p, names, sizeof names, members);
    if (e->note.code == GOSSIP_NOTE_AWAITED) {
        p->awaited_now = e->note.members;
        p->awaited |= e->note.members;
    } else if (e->note.code == GOSSIP_NOTE_OPENED) {
        keep_round(p, e);
    } else if (e->note.code == GOSSIP_NOTE_MIXED) {
        keep_mixed(p, e);
    } else if (e->note.code == GOSSIP_NOTE_DIFFERS) {
        p->differs |= e->note.members;
    }
    if (!p->json)
        tell_here(p, e);
    trouble_line(p, line, e, names);
    if (line[0] == '\0' && !p->json)
        usual_line(p, line, e, names);
    if (p->json)
        print_json(p, &(struct told){
                          .event = gossip_note_name(e->note.code),
                          .round = e->note.round,
                          .attempt = e->note.attempt,
                          .members = members,
                          .detail = e->note.detail,
                          .text = e->note.text != NULL ? e->note.text
                                  : line[0] != '\0'    ? line
                                                       : NULL,
                      });
    if (line[0] != '\0')
        fprintf(stderr, "%s\n", line);
}

void progress_tell(const struct progress *p, const char *name, uint64_t members,
                   uint64_t round, const char *phase, const char *line)
{
    if (p->json)
        print_json(p, &(struct told){.event = name,
                                     .round = round,
                                     .members = members,
                                     .phase = phase,
                                     .text = line});
    else if (line != NULL)
        fprintf(stderr, "%s\n", line);
}

struct totals {
    uint64_t bytes, ms, rounds_bytes, round_count;
    int64_t clock_ms; /* of the wall, when it was saved */
};

/* The totals last: until they are there, only the rows that they tell of
 * count. */
int progress_save(struct progress *p, struct store *store, uint32_t slot,
                  struct error *error)
{
    settle(p);
    const struct totals totals = {
        .bytes = progress_bytes(p),
        .ms = progress_ms(p),
        .rounds_bytes = p->rounds_bytes,
        .round_count = p->round_count,
        .clock_ms = zclock_time(),
    };
    int code = 0;

    while (code == 0 && p->saved < p->round_count) {
        size_t block = p->saved / PROGRESS_BLOCK;
        size_t first = block * PROGRESS_BLOCK, count = p->round_count - first;
        if (count > PROGRESS_BLOCK)
            count = PROGRESS_BLOCK;
        code = store_save(store, slot + 1 + (uint32_t)block,
                          (const uint8_t *)(p->rounds + first),
                          count * sizeof *p->rounds, error);
        if (code == 0)
            p->saved = first + count;
    }
    return code != 0 ? code
                     : store_save(store, slot, (const uint8_t *)&totals,
                                  sizeof totals, error);
}

static void restore_totals(struct progress *p, const uint8_t *bytes)
{
    struct totals totals;
    int64_t away_ms;

    memcpy(&totals, bytes, sizeof totals);
    away_ms = zclock_time() - totals.clock_ms;
    p->before_bytes = totals.bytes;
    p->before_ms = totals.ms + (uint64_t)(away_ms > 0 ? away_ms : 0);
    p->rounds_bytes = totals.rounds_bytes;
    p->expected = totals.round_count;
}

void progress_restore(struct progress *p, uint32_t place, const uint8_t *bytes,
                      size_t size)
{
    size_t count = size / sizeof *p->rounds;

    if (place == 0) {
        if (size == sizeof(struct totals))
            restore_totals(p, bytes);
        return;
    }
    if (size % sizeof *p->rounds != 0 || count > PROGRESS_BLOCK ||
        p->round_count != (size_t)(place - 1) * PROGRESS_BLOCK)
        return;
    if (count > p->expected - p->round_count)
        count = p->expected - p->round_count;
    if (count == 0 || !make_room(p, p->round_count + count))
        return;
    memcpy(p->rounds + p->round_count, bytes, count * sizeof *p->rounds);
    p->round_count += count;
    p->saved = p->round_count;
}

void progress_free(struct progress *p)
{
    free(p->rounds);
    p->rounds = NULL;
}
