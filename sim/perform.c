#include "sim/perform.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/lanes.h"
#include "sim/post.h"

enum { JOB_MS = 2 };

static void save(struct world *w, uint32_t i, const struct gossip_effect *e)
{
    assert(e->save.slot < MEMBER_SLOTS);
    struct scene_record *r = &w->sites[i].saved[e->save.slot];

    if (r->capacity < e->save.size) {
        free(r->bytes);
        r->bytes = malloc(e->save.size);
        if (r->bytes == NULL)
            abort();
        r->capacity = e->save.size;
    }
    if (e->save.size > 0)
        memcpy(r->bytes, e->save.bytes, e->save.size);
    r->size = e->save.size;
    r->set = true;
    trace_save(&w->trace, i, e->save.slot, e->save.size);
}

static struct result_round *round_of(struct world *w, uint64_t round)
{
    while (w->round_count <= round) {
        size_t count = w->round_count++;
        if ((count & (count - 1)) == 0)
            w->rounds = realloc(w->rounds, (count == 0 ? 1 : 2 * count) *
                                               sizeof *w->rounds);
        if (w->rounds == NULL)
            abort();
        w->rounds[count] = (struct result_round){
            .round = count,
            .loss = (double)NAN,
            .watch = {(double)NAN, (double)NAN, (double)NAN}};
    }
    return &w->rounds[round];
}

static void note(struct world *w, uint32_t i, const struct gossip_effect *e)
{
    struct result_round *r = round_of(w, e->note.round);

    trace_note(&w->trace, i, e);
    if (e->note.code == GOSSIP_NOTE_REVEALS)
        check_named(w->check, i, e->note.members);
    if (e->note.code == GOSSIP_NOTE_MIXED && w->podcheck != NULL &&
        (w->config.liars >> i & 1) == 0)
        podcheck_mixed(w->podcheck, e->note.round, e->note.detail);
    if (e->note.code == GOSSIP_NOTE_AWAITED)
        r->awaited |= e->note.members;
    if (r->phase[0] == '\0' && e->note.code == GOSSIP_NOTE_KEYS)
        snprintf(r->phase, sizeof r->phase, "%s",
                 member_phase(w->sites[i].member));
    if (e->note.code != GOSSIP_NOTE_OPENED || r->survivors != 0)
        return;
    r->survivors = e->note.members;
    r->virtual_ms = w->opened_ms = w->now_ms;
    uint64_t bytes = 0;
    for (uint32_t j = 0; j < w->study.site_count; j++)
        bytes += w->sites[j].bytes_sent;
    r->bytes_sent = bytes - w->round_bytes;
    w->round_bytes = bytes;
}

static void done(struct world *w, uint32_t i, const struct gossip_effect *e)
{
    struct scene_site *s = &w->sites[i];

    trace_done(&w->trace, i, e);
    s->done = true;
    s->end.reason = e->done.reason;
    s->end.members = e->done.members;
    snprintf(s->end.decline, sizeof s->end.decline, "%s",
             member_decline(s->member));
}

static void wake(struct world *w, uint32_t i, uint64_t at_ms)
{
    struct scene_site *s = &w->sites[i];

    if (at_ms <= w->now_ms)
        at_ms = w->now_ms + 1; /* time must go on */
    if (at_ms == s->wake_ms)
        return;
    s->wake_ms = at_ms;
    if (at_ms != UINT64_MAX)
        queue_push(&w->queue, (struct queue_item){.at_ms = at_ms,
                                                  .kind = QUEUE_TIMER,
                                                  .member = i,
                                                  .life = s->life});
}

static void perform(struct world *w, uint32_t i, const struct gossip_effect *e)
{
    w->sites[i].effects++;
    switch (e->kind) {
    case GOSSIP_SAVE:
        save(w, i, e);
        return;
    case GOSSIP_SEND:
        post_send(w, i, e);
        return;
    case GOSSIP_WAKE:
        wake(w, i, e->wake.at_ms);
        return;
    case GOSSIP_NOTE:
        note(w, i, e);
        return;
    case GOSSIP_DONE:
        done(w, i, e);
        return;
    case GOSSIP_LEAVE:
        trace_say(&w->trace, i, "leaves");
        w->sites[i].left = true;
        scene_hint_all(w, i, false);
        return;
    case GOSSIP_POST:
        post_pods(w, i, e);
        return;
    case GOSSIP_CONTRIBUTE:
    case GOSSIP_ABSORB:
        assert(false); /* the member keeps these to itself */
    }
}

static bool matches(struct world *w, uint32_t i, const struct world_crash *c,
                    const struct gossip_effect *e)
{
    if (e->kind != GOSSIP_SEND || e->send.type != c->type)
        return false;
    const struct wire_message *m = post_parsed(w, e);
    return m->sender == i && (c->round == WORLD_ANY || c->round == m->round);
}

static bool is_due(struct world *w, uint32_t i, const struct world_crash *c,
                   const struct gossip_effect *effects, size_t count, size_t at,
                   bool performed)
{
    size_t all = 0, seen = 0;

    if (c->after_loss && !w->sites[i].has_lost_store)
        return false;
    if (c->when == WORLD_EFFECT)
        return performed &&
               w->sites[i].effects >=
                   c->effect + (c->after_loss ? w->sites[i].loss_effects : 0);
    if (performed == (c->when == WORLD_BEFORE) ||
        !matches(w, i, c, &effects[at]))
        return false;
    for (size_t k = 0; k < count; k++) {
        bool match = matches(w, i, c, &effects[k]);
        all += match;
        seen += match && k <= at;
    }
    return c->when == WORLD_BEFORE ||
           seen == (c->when == WORLD_SOME ? (all + 1) / 2 : all);
}

static bool crashes(struct world *w, uint32_t i,
                    const struct gossip_effect *effects, size_t count,
                    size_t at, bool performed)
{
    for (size_t k = 0; k < w->config.crash_count; k++) {
        const struct world_crash *c = &w->config.crashes[k];
        if (c->member != i || w->fired[k] ||
            !is_due(w, i, c, effects, count, at, performed))
            continue;
        w->fired[k] = true;
        scene_crash(w, i, c->restart_after_ms);
        if (c->forgets)
            scene_lose_store(w, i);
        return true;
    }
    return false;
}

/* What the member now believes, for the checkers and rounds.csv. */
static void look(struct world *w, uint32_t i)
{
    struct scene_site *s = &w->sites[i];
    struct gossip_view view;

    member_view(s->member, &view);
    check_state(w->check, i, view.round, view.state_hash);
    if (view.round > s->seen_round && view.round <= w->round_count) {
        struct result_round *r = &w->rounds[view.round - 1];
        if (isnan(r->loss)) {
            r->loss = member_loss(s->member);
            r->watch = member_watch(s->member);
        }
    }
    s->seen_round = view.round;
}

/* Narrow lanes say too little to be searched for: any message holds them. */
static void enter(struct world *w, uint32_t i)
{
    struct fixed_shape shape;
    uint64_t round;
    const void *plain = member_plain(w->sites[i].member, &round, &shape);

    if (plain == NULL)
        return;
    check_contributed(w->check, i, round, plain, &shape);
    const uint64_t *lanes = plain;
    if (w->canary != NULL && lanes_bytes(&shape) == sizeof *lanes)
        for (size_t k = 0; k < shape.length; k++)
            if (lanes[k] != 0)
                canary_add(w->canary, lanes[k], "a lane of its vector");
}

void perform_step(struct world *w, uint32_t i, const struct gossip_event *event)
{
    struct scene_site *s = &w->sites[i];
    const struct gossip_effect *effects;
    size_t count;

    member_step(s->member, event, &effects, &count);
    w->parsed_head = NULL;
    if (event->kind == GOSSIP_CONTRIBUTED)
        enter(w, i);
    if (w->config.liars >> i & 1)
        adversary_watch(w->adversary, i, effects, count);
    for (size_t k = 0; k < count; k++) {
        if (crashes(w, i, effects, count, k, false))
            return;
        perform(w, i, &effects[k]);
        if (crashes(w, i, effects, count, k, true))
            return;
    }
    look(w, i);
    if (!s->working && member_has_job(s->member)) {
        s->working = true;
        queue_push(&w->queue, (struct queue_item){.at_ms = w->now_ms + JOB_MS,
                                                  .kind = QUEUE_JOB,
                                                  .member = i,
                                                  .life = s->life});
    }
}

void perform_work(struct world *w, uint32_t i)
{
    struct scene_site *s = &w->sites[i];
    struct gossip_event event = {.now_ms = w->now_ms};

    s->working = false;
    if (!member_has_job(s->member))
        return;
    member_work(s->member, &event);
    event.now_ms = w->now_ms;
    perform_step(w, i, &event);
}
