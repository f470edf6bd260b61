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

enum { IDLE_MS = 1000, HOLD_MS = 100, PATH_SIZE = 4096 };

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

static int send_one(const struct session *s, const struct gossip_effect *e,
                    struct error *error)
{
    int to = links_place(&s->company.links, s->study->pod, e->send.to),
        code = 0;

    assert(to >= 0);
    if (s->tape != NULL)
        code = tape_sent(s->tape, e->send.to, e->send.head, e->send.head_size,
                         e->send.body_size, error);
    if (code == 0) /* what is lost, the engine says again */
        transport_send(s->transport, (uint32_t)to, e->send.head,
                       e->send.head_size, e->send.body, e->send.body_size);
    return code;
}

static int post_one(const struct session *s, const struct gossip_effect *e,
                    struct error *error)
{
    int to = links_place(&s->company.links, e->post.pod, e->post.to), code = 0;

    if (s->tape != NULL)
        code = tape_sent(s->tape, e->post.to, e->post.head, e->post.head_size,
                         e->post.body_size, error);
    if (code == 0 && to >= 0)
        transport_send(s->transport, (uint32_t)to, e->post.head,
                       e->post.head_size, e->post.body, e->post.body_size);
    return code;
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
        return post_one(s, e, error);
    case GOSSIP_WAKE:
        s->wake_ms = e->wake.at_ms;
        return 0;
    case GOSSIP_NOTE:
        if (e->note.code == GOSSIP_NOTE_DIFFERS &&
            !company_may_tell(&s->company, e->note.members))
            return 0;
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
        return links_place(&s->company.links, s->study->pod,
                           event->received.from);
    if (event->kind == GOSSIP_POSTED)
        return links_place(&s->company.links, event->posted.pod,
                           event->posted.from);
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
        company_refused(&s->company, (uint32_t)from, after - before);
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

/* Engines greet their own pod's sites themselves. */
static bool take_link(struct session *s, struct gossip_event *event,
                      const struct transport_event *e)
{
    const struct link *link = &s->company.links.of[e->member];
    const struct greeting *greeting = &s->company.greeting;

    company_link(&s->company, e->member, e->up);
    if (e->up && !link->fellow)
        transport_send(s->transport, e->member, greeting->head, greeting->size,
                       NULL, 0);
    if (!link->fellow)
        return false;
    event->kind = GOSSIP_LINK;
    event->link.member = link->member;
    event->link.up = e->up;
    return true;
}

/* Turns what the links say into an event for the engine; false: there is
 * none. */
static bool translate(struct session *s, struct gossip_event *event,
                      const struct transport_event *e)
{
    switch (e->kind) {
    case TRANSPORT_RECEIVED:
        if (company_greeted(&s->company, e->member, e->head, e->head_size))
            return false;
        take_message(event, &s->company.links.of[e->member], e,
                     s->study->whole != NULL);
        return true;
    case TRANSPORT_LINK:
        return take_link(s, event, e);
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
