#include "node/session.h"

#include "gossip/mixwire.h"

#include <assert.h>
#include <czmq.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    IDLE_MS = 1000,
    HOLD_MS = 100,
    PATH_SIZE = 4096,
    REFUSED_MIN = 8, /* fewer may be a link's last words */
    REFUSED_MS = 60000
};

/* For ever: the links' own threads stay alive, nothing is stepped. */
static void hold(struct session *s)
{
    progress_tell(&s->progress, "held", 0, s->halt.round, halt_phase(&s->halt),
                  "held, as --hold says");
    while (!zsys_interrupted)
        zclock_sleep(HOLD_MS);
}

/* The figures of the run that came to this result are better than those of one
 * that only serves it again. */
static bool is_written(const struct session *s, const uint8_t *state_hash)
{
    char path[PATH_SIZE], hash[2 * GOSSIP_HASH_BYTES + 1];
    struct result_part part;
    bool same;

    snprintf(path, sizeof path, "%s/result.json", s->out);
    if (result_read_site(&part, path, s->study->sites[s->self].name, NULL) != 0)
        return false;
    sodium_bin2hex(hash, sizeof hash, state_hash, GOSSIP_HASH_BYTES);
    same = strcmp(part.state_hash, hash) == 0;
    result_free_part(&part);
    return same;
}

void session_clear(const struct session *s)
{
    static const char *const names[] = {"result.json", "rounds.csv"};
    struct gossip_view view;
    char path[PATH_SIZE];

    member_view(s->member, &view);
    if (is_written(s, view.state_hash))
        return;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", s->out, names[i]);
        unlink(path);
    }
}

static int write_result(struct session *s, struct error *error)
{
    struct task_report report;
    struct gossip_view view;
    struct result_site site = {.name = s->study->sites[s->self].name};
    int code = member_report(s->member, &report, error);

    if (code != 0)
        return code;
    member_view(s->member, &view);
    site.n_train = report.local.n_train;
    site.n_test = report.local.n_test;
    site.bytes_sent = progress_bytes(&s->progress);
    site.local_auc = report.local.local_auc;
    site.global_auc = report.local.global_auc;
    struct result result = {
        .study = s->study,
        .report = &report,
        .sites = &site,
        .site_count = 1,
        .rounds = s->progress.rounds,
        .round_count = s->progress.round_count,
        .wall_seconds = (double)progress_ms(&s->progress) / 1000,
    };
    memcpy(result.state_hash, view.state_hash, sizeof result.state_hash);
    result.revealed = view.revealed;
    result.accused = view.accused;
    if (report.failure[0] != '\0')
        code = error_set(error, -EDOM, "the study came to no result: %s",
                         report.failure);
    else
        code = is_written(s, view.state_hash)
                   ? 0
                   : result_write(&result, s->out, error);
    task_report_free(&report);
    return code;
}

static int save_progress(struct session *s, struct error *error)
{
    return progress_save(&s->progress, s->store, SESSION_SLOT_ROUNDS, error);
}

/* The others may need this member also where it has no result to write. */
static void end(struct session *s, const struct gossip_effect *e,
                struct error *error)
{
    char names[512], line[1024];
    bool finished = e->done.reason == GOSSIP_FINISHED;
    int code = 0;

    s->over = true;
    if (finished) {
        code = save_progress(s, error); /* never behind the result */
        if (code == 0)
            code = write_result(s, error);
    }
    s->finished = finished && code == 0;
    progress_names(&s->progress, names, sizeof names, e->done.members);
    if (finished)
        snprintf(line, sizeof line, "finished after %" PRIu64 " rounds: %s",
                 e->done.round, code == 0 ? s->out : error->text);
    else
        snprintf(line, sizeof line,
                 "the study ended in round %" PRIu64 ": %s%s%s", e->done.round,
                 progress_reason(e->done.reason), names[0] != '\0' ? ": " : "",
                 names);
    if (finished || s->progress.json) /* else it is the error, said last */
        progress_tell(&s->progress, "done", e->done.members, e->done.round,
                      NULL, line);
    if (!finished)
        error_set(error, -ECANCELED, "%s", line);
}

static int audit(struct session *s, struct error *error)
{
    const char *line = member_audit(s->member);

    return line != NULL ? store_audit(s->store, line, error) : 0;
}

/* Both signed heads, in hexadecimal: enough for anybody who has the study file
 * to see for themselves. */
static int log_evidence(struct session *s, const struct gossip_effect *e,
                        struct error *error)
{
    for (uint32_t j = 0; j < s->study->site_count; j++) {
        const uint8_t *heads[2];
        size_t sizes[2] = {0};
        if ((e->note.members >> j & 1) == 0 ||
            member_evidence(s->member, j, heads, sizes) == 0)
            continue;
        size_t room = 2 * (sizes[0] + sizes[1]) + 128;
        char *line = malloc(room);
        if (line == NULL)
            return error_set(error, -ENOMEM, "out of memory");
        size_t used = (size_t)snprintf(line, room, "evidence site=%s note=%s ",
                                       s->study->sites[j].name,
                                       gossip_note_name(e->note.code));
        for (int i = 0; i < 2 && sizes[i] > 0; i++) {
            line[used++] = i == 0 ? 'a' : 'b';
            line[used++] = '=';
            sodium_bin2hex(line + used, room - used, heads[i], sizes[i]);
            used += 2 * sizes[i];
            line[used++] = ' ';
        }
        line[used - 1] = '\0';
        int code = store_audit(s->store, line, error);
        free(line);
        if (code != 0)
            return code;
    }
    return 0;
}

static const struct study_site *site_at(const struct session *s, uint32_t place)
{
    const struct study *whole = s->study->whole;

    return &(whole == NULL ? s->study : whole)->sites[s->links.of[place].site];
}

static int send_one(const struct session *s, const struct gossip_effect *e,
                    struct error *error)
{
    int to = links_place(&s->links, s->study->pod, e->send.to), code = 0;

    assert(to >= 0);
    if (s->tape != NULL)
        code = tape_sent(s->tape, e->send.to, e->send.head, e->send.head_size,
                         e->send.body_size, error);
    if (code == 0) /* what is lost, the engine says again */
        transport_send(s->transport, (uint32_t)to, e->send.head,
                       e->send.head_size, e->send.body, e->send.body_size);
    return code;
}

static void post_one(const struct session *s, const struct gossip_effect *e)
{
    int to = links_place(&s->links, e->post.pod, e->post.to);

    if (to >= 0)
        transport_send(s->transport, (uint32_t)to, e->post.head,
                       e->post.head_size, e->post.body, e->post.body_size);
}

static int perform_one(struct session *s, const struct gossip_effect *e,
                       struct error *error)
{
    switch (e->kind) {
    case GOSSIP_SAVE:
        return store_save(s->store, e->save.slot, e->save.bytes, e->save.size,
                          error);
    case GOSSIP_SEND:
        return send_one(s, e, error);
    case GOSSIP_POST:
        post_one(s, e);
        return 0;
    case GOSSIP_WAKE:
        s->wake_ms = e->wake.at_ms;
        return 0;
    case GOSSIP_NOTE:
        progress_note(&s->progress, e);
        if (e->note.code == GOSSIP_NOTE_EQUIVOCATED ||
            e->note.code == GOSSIP_NOTE_LIED)
            return log_evidence(s, e, error);
        if (e->note.code != GOSSIP_NOTE_OPENED)
            return 0;
        return save_progress(s, error);
    case GOSSIP_DONE:
        end(s, e, error);
        return 0;
    case GOSSIP_LEAVE:
        s->leaves = true;
        return 0;
    default: /* CONTRIBUTE and ABSORB stay with the member */
        return 0;
    }
}

/* As a bitmap of the pod, for what is told; another pod's have none. */
static uint64_t bit_of(const struct link *link)
{
    return link->fellow ? UINT64_C(1) << link->member : 0;
}

/* An admitted member that sends what nobody here would have is told of, now and
 * then; who runs another study was told of already. */
static void tell_refused(struct session *s, uint32_t from, uint64_t count)
{
    const uint64_t bit = bit_of(&s->links.of[from]);
    int64_t now = zclock_mono();
    char line[256];

    s->refused[from].count += count;
    if ((s->progress.differs & bit) != 0 ||
        s->refused[from].count - s->refused[from].told < REFUSED_MIN ||
        (s->refused[from].told > 0 &&
         now - s->refused[from].told_ms < REFUSED_MS))
        return;
    s->refused[from].told = s->refused[from].count;
    s->refused[from].told_ms = now;
    snprintf(line, sizeof line,
             "refused %" PRIu64 " messages of '%s' so far: malformed, badly "
             "signed, out of place or too many; look at that node",
             s->refused[from].count, site_at(s, from)->name);
    progress_tell(&s->progress, "refused_messages", bit, 0, NULL, line);
    if (s->progress.json)
        fprintf(stderr, "%s\n", line);
}

static uint64_t dropped(const struct session *s)
{
    struct gossip_view view;
    struct mix_view pods;

    member_view(s->member, &view);
    member_pods(s->member, &pods);
    return view.dropped + pods.dropped;
}

static int sender_of(const struct session *s, const struct gossip_event *event)
{
    if (event->kind == GOSSIP_RECEIVED)
        return links_place(&s->links, s->study->pod, event->received.from);
    if (event->kind == GOSSIP_POSTED)
        return links_place(&s->links, event->posted.pod, event->posted.from);
    return -1;
}

static void feed(struct session *s, const struct gossip_event *event,
                 const struct gossip_effect **effects, size_t *count)
{
    uint64_t before = dropped(s), after;
    int from = sender_of(s, event);

    member_step(s->member, event, effects, count);
    after = dropped(s);
    if (from >= 0 && after > before)
        tell_refused(s, (uint32_t)from, after - before);
}

static int step(struct session *s, const struct gossip_event *event,
                struct error *error)
{
    const struct gossip_effect *effects;
    size_t count, limit;
    int code = 0;

    feed(s, event, &effects, &count);
    if (event->kind == GOSSIP_CONTRIBUTED)
        code = audit(s, error);
    limit = halt_after(&s->halt, effects, count);
    for (size_t i = 0; code == 0 && i < count && i < limit; i++)
        code = perform_one(s, &effects[i], error);
    if (code == 0 && limit != SIZE_MAX) {
        hold(s);
        return 0;
    }
    trainer_start(s->trainer);
    return code;
}

static void tell_link(struct session *s, const struct transport_event *e)
{
    const struct link *link = &s->links.of[e->member];
    char line[128], pod[32] = "";

    if (!link->fellow)
        snprintf(pod, sizeof pod, " of pod %u", link->pod);
    snprintf(line, sizeof line, "%s %s%s", e->up ? "linked with" : "lost",
             site_at(s, e->member)->name, pod);
    progress_tell(&s->progress, e->up ? "link_up" : "link_down", bit_of(link),
                  0, NULL, line);
}

/* Between fellows go the engine's messages and those about other pods. */
static void take_message(struct gossip_event *event, const struct link *link,
                         const struct transport_event *e, bool has_pods)
{
    if (link->fellow && !(has_pods && mixwire_claims(e->head, e->head_size))) {
        event->kind = GOSSIP_RECEIVED;
        event->received.from = link->member;
        event->received.head = e->head;
        event->received.head_size = e->head_size;
        event->received.body = e->body;
        event->received.body_size = e->body_size;
        return;
    }
    event->kind = GOSSIP_POSTED;
    event->posted.pod = link->pod;
    event->posted.from = link->member;
    event->posted.head = e->head;
    event->posted.head_size = e->head_size;
    event->posted.body = e->body;
    event->posted.body_size = e->body_size;
}

/* Turns what the links say into an event for the engine; false: there is
 * none. */
static bool translate(struct session *s, struct gossip_event *event,
                      const struct transport_event *e)
{
    switch (e->kind) {
    case TRANSPORT_RECEIVED:
        take_message(event, &s->links.of[e->member], e,
                     s->study->whole != NULL);
        return true;
    case TRANSPORT_LINK:
        tell_link(s, e);
        if (!s->links.of[e->member].fellow)
            return false;
        event->kind = GOSSIP_LINK;
        event->link.member = s->links.of[e->member].member;
        event->link.up = e->up;
        return true;
    case TRANSPORT_EXTRA:
        *event = *trainer_take(s->trainer);
        return true;
    case TRANSPORT_TEXT:
        progress_tell(&s->progress, "text", 0, 0, NULL, e->text);
        if (s->progress.json)
            fprintf(stderr, "%s\n", e->text);
        return false;
    default:
        return false;
    }
}

static int64_t patience(const struct session *s)
{
    uint64_t now = (uint64_t)zclock_mono();

    if (s->wake_ms <= now)
        return 0;
    return s->wake_ms - now < IDLE_MS ? (int64_t)(s->wake_ms - now) : IDLE_MS;
}

static int turn(struct session *s, struct error *error)
{
    struct gossip_event event = {.kind = GOSSIP_TIMER};
    struct transport_event heard;
    int code = 0;

    transport_poll(s->transport, &heard, trainer_socket(s->trainer),
                   patience(s));
    if (heard.kind == TRANSPORT_INTERRUPTED)
        return error_set(error, -EINTR,
                         "interrupted; run the same command again to carry on");
    if (translate(s, &event, &heard)) {
        event.now_ms = (uint64_t)zclock_mono();
        code = step(s, &event, error);
    }
    /* A stream of messages must not keep the timer from its turn. */
    if (code == 0 && !s->leaves && s->wake_ms <= (uint64_t)zclock_mono()) {
        s->wake_ms = UINT64_MAX;
        event = (struct gossip_event){.kind = GOSSIP_TIMER,
                                      .now_ms = (uint64_t)zclock_mono()};
        code = step(s, &event, error);
    }
    return code;
}

/* The last line of --json: the file, as one object. */
static void print_result(const struct session *s)
{
    char path[PATH_SIZE];
    json_t *file, *object;

    snprintf(path, sizeof path, "%s/result.json", s->out);
    file = json_load_file(path, 0, NULL);
    object = json_pack("{s:s}", "event", "result");
    if (file != NULL && object != NULL) {
        json_object_update(object, file);
        json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
        putchar('\n');
        fflush(stdout);
    }
    json_decref(file);
    json_decref(object);
}

int session_run(struct session *s, struct error *error)
{
    struct gossip_event begin = {.kind = GOSSIP_TIMER};
    struct error later;
    int code;

    begin.now_ms = (uint64_t)zclock_mono();
    s->wake_ms = UINT64_MAX;
    code = step(s, &begin, error);
    while (code == 0 && !s->leaves)
        code = turn(s, s->over ? &later : error);
    if (!s->over)
        save_progress(s, NULL); /* the figures only: as good as they get */
    if (s->finished) {          /* whatever came after the result */
        if (s->progress.json)
            print_result(s);
        return 0;
    }
    return s->over ? -ECANCELED : code;
}
