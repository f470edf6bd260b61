#include "node/session.h"

#include <assert.h>
#include <czmq.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { IDLE_MS = 1000, HOLD_MS = 100, PATH_SIZE = 4096 };

/* For ever: the links' own threads stay alive, nothing is stepped. */
static void hold(struct session *s)
{
    progress_tell(&s->progress, "held", 0, s->halt.round, halt_phase(&s->halt),
                  "held, as --hold says");
    while (!zsys_interrupted)
        zclock_sleep(HOLD_MS);
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
    site.bytes_sent = view.bytes_sent;
    site.local_auc = report.local.local_auc;
    site.global_auc = report.local.global_auc;
    struct result result = {
        .study = s->study,
        .report = &report,
        .sites = &site,
        .site_count = 1,
        .rounds = s->progress.rounds,
        .round_count = s->progress.round_count,
        .wall_seconds = (double)(zclock_mono() - s->progress.start_ms) / 1000,
    };
    memcpy(result.state_hash, view.state_hash, sizeof result.state_hash);
    if (report.failure[0] != '\0')
        code = error_set(error, -EDOM, "the study came to no result: %s",
                         report.failure);
    else
        code = result_write(&result, s->out, error);
    task_report_free(&report);
    return code;
}

/* The others may need this member also where it has no result to write. */
static void end(struct session *s, const struct gossip_effect *e,
                struct error *error)
{
    char names[512], line[1024];
    bool finished = e->done.reason == GOSSIP_FINISHED;
    int code = 0;

    s->over = true;
    if (finished)
        code = write_result(s, error);
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

static int perform_one(struct session *s, const struct gossip_effect *e,
                       struct error *error)
{
    switch (e->kind) {
    case GOSSIP_SAVE:
        return store_save(s->store, e->save.slot, e->save.bytes, e->save.size,
                          error);
    case GOSSIP_SEND: /* what is lost, the engine says again */
        transport_send(s->transport, e->send.to, e->send.head,
                       e->send.head_size, e->send.body, e->send.body_size);
        return 0;
    case GOSSIP_WAKE:
        s->wake_ms = e->wake.at_ms;
        return 0;
    case GOSSIP_NOTE:
        progress_note(&s->progress, e);
        if (e->note.code != GOSSIP_NOTE_OPENED)
            return 0;
        return store_save(s->store, SESSION_SLOT_ROUNDS,
                          (const uint8_t *)s->progress.rounds,
                          s->progress.round_count * sizeof *s->progress.rounds,
                          error);
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

static int step(struct session *s, const struct gossip_event *event,
                struct error *error)
{
    const struct gossip_effect *effects;
    size_t count, limit;
    int code = 0;

    member_step(s->member, event, &effects, &count);
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
    char line[128];

    snprintf(line, sizeof line, "%s %s", e->up ? "linked with" : "lost",
             s->study->sites[e->member].name);
    progress_tell(&s->progress, e->up ? "link_up" : "link_down",
                  UINT64_C(1) << e->member, 0, NULL, line);
}

/* Turns what the links say into an event for the engine; false: there is
 * none. */
static bool translate(struct session *s, struct gossip_event *event,
                      const struct transport_event *e)
{
    switch (e->kind) {
    case TRANSPORT_RECEIVED:
        event->kind = GOSSIP_RECEIVED;
        event->received.from = e->member;
        event->received.head = e->head;
        event->received.head_size = e->head_size;
        event->received.body = e->body;
        event->received.body_size = e->body_size;
        return true;
    case TRANSPORT_LINK:
        tell_link(s, e);
        event->kind = GOSSIP_LINK;
        event->link.member = e->member;
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
    if (s->finished) { /* whatever came after the result */
        if (s->progress.json)
            print_result(s);
        return 0;
    }
    return s->over ? -ECANCELED : code;
}
