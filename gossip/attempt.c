#include "gossip/attempt.h"

#include <assert.h>
#include <string.h>

#include "crypto/lanes.h"
#include "gossip/agree.h"
#include "gossip/check.h"
#include "gossip/cohort.h"
#include "gossip/finish.h"
#include "gossip/keys.h"
#include "gossip/mail.h"
#include "gossip/open.h"
#include "gossip/record.h"
#include "gossip/recover.h"
#include "gossip/round.h"
#include "gossip/survivors.h"

enum { DEADLINE_GROWTHS = 4 };

void attempt_enter(struct gossip *g, enum phase phase)
{
    g->phase = phase;
    g->phase_began_ms = g->now_ms;
    g->enough_ms = UINT64_MAX;
    recover_soon(g);
}

static void take_future(struct gossip *g)
{
    for (uint32_t j = 0; j < g->config.members; j++) {
        struct wire_message m;
        struct mail *mail = &g->future[j].mail;
        if (mail->size == 0 || g->future[j].round != g->round ||
            g->future[j].attempt != g->attempt ||
            wire_parse(&m, mail->bytes, mail->size, g->config.members) != 0)
            continue;
        keys_receive(g, &m, mail->bytes, mail->size);
    }
}

/* An attempt at this round, with fresh keys; the one before is forgotten. */
void attempt_begin(struct gossip *g, uint64_t attempt)
{
    keys_wipe(g);
    round_reset(g);
    check_reset(g);
    g->attempt = attempt;
    wire_ctx(g->ctx, &g->config, g->round, attempt);
    g->ctx_round = g->round;
    g->ctx_attempt = attempt;
    g->have_keys = g->have_sealed = g->have_shares = g->have_acks = 0;
    g->equivocated = 0;
    for (uint32_t j = 0; j < g->config.members; j++) {
        g->keys_mail[j].size = 0;
        g->shares_out[j].size = 0;
        g->acks_mail[j].size = 0;
        g->check_mail[j].size = 0;
    }
    for (int kind = 0; kind < WIRE_KINDS; kind++)
        agree_reset(&g->agree[kind]);
    g->deadline_ms = UINT64_MAX;
    if (g->config.on_loss == GOSSIP_STOP &&
        (g->round > 0 || g->met == engine_all(g)))
        g->deadline_ms = g->now_ms + g->config.deadline_ms;
    if (attempt > 0)
        mail_note(g, GOSSIP_NOTE_ATTEMPT, 0, attempt, NULL);
    attempt_enter(g, PHASE_KEYS);
    keys_make(g);
    record_promise(g); /* and that what was before is closed */
    if (cohort_changes(g) && attempt > 0 && !g->released && !g->fresh)
        cohort_close(g); /* without a store: who knows what we released */
    if (g->released)
        mail_send_all(g, &g->bound_mail);
    mail_send_all(g, &g->keys_mail[g->config.self]);
    mail_note(g, GOSSIP_NOTE_KEYS, 0, 0, NULL);
    take_future(g);
}

static bool has_future(const struct gossip *g, uint32_t j, uint64_t attempt)
{
    return g->future[j].mail.size != 0 && g->future[j].round == g->round &&
           g->future[j].attempt >= attempt;
}

/* The newest attempt of this round, from `attempt` on, that KEYS are here of:
 * anybody's, or c + 1 members' where one may be lying. */
uint64_t attempt_newest(const struct gossip *g, uint64_t attempt)
{
    uint32_t need = g->config.active ? g->config.colluders + 1 : 1;

    for (uint32_t i = 0; i < g->config.members; i++) {
        uint32_t count = 0;
        if (!has_future(g, i, attempt + 1))
            continue;
        for (uint32_t j = 0; j < g->config.members; j++)
            count += has_future(g, j, g->future[i].attempt);
        if (count >= need)
            attempt = g->future[i].attempt;
    }
    return attempt;
}

/* The next attempt that anybody is in; UINT64_MAX: nobody is ahead. */
static uint64_t next_attempt(const struct gossip *g)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t j = 0; j < g->config.members; j++)
        if (has_future(g, j, g->attempt + 1) && g->future[j].attempt < next)
            next = g->future[j].attempt;
    /* One who lies about it leads nobody further than one step. */
    return next != UINT64_MAX && g->config.active ? g->attempt + 1 : next;
}

void attempt_round(struct gossip *g, uint64_t attempt)
{
    struct gossip_effect *effect;

    g->asked = g->has_plain = false;
    memset(g->offers, 0, sizeof g->offers);
    memset(g->settled, 0, sizeof g->settled);
    g->here = 0;
    if (g->resumes && open_resume(g)) {
        attempt_enter(g, PHASE_ABSORB);
        return;
    }
    open_reset(&g->open);
    if (cohort_changes(g) && g->released && g->bound == 0 &&
        g->shape.length != 0) {
        attempt_enter(g, PHASE_OUT);
        return;
    }
    if (g->shape.length == 0) {
        finish_done(g);
        return;
    }
    assert(g->shape.length <= g->config.length_max);
    assert(lanes_fit(&g->shape, g->config.members));
    assert(g->shape.length * lanes_bytes(&g->shape) <= g->config.lanes_max);
    mail_note(g, GOSSIP_NOTE_ROUND, 0, 0, NULL);
    attempt = attempt_newest(g, attempt);
    g->asked = true;
    effect = effects_add(&g->effects, GOSSIP_CONTRIBUTE);
    effect->contribute.round = g->round;
    effect->contribute.state = g->state;
    attempt_begin(g, attempt);
}

/* Deadlines double with the attempts: on a slow line, or with a deadline that
 * was set too short, a later attempt gets through. */
static uint64_t patience(const struct gossip *g)
{
    uint64_t growths =
        g->attempt < DEADLINE_GROWTHS ? g->attempt : DEADLINE_GROWTHS;

    /* Those who are left out cost the others their patience in each phase. */
    return g->config.deadline_ms << (growths + cohort_changes(g));
}

/* V was certified without us: it is not for us to try again. */
static bool is_bystander(const struct gossip *g)
{
    const struct agree *v = &g->agree[WIRE_V];

    return v->certified && (v->value.members & engine_bit(g->config.self)) == 0;
}

/* One transition of the attempt; false when it waits. */
static bool advance(struct gossip *g)
{
    const struct agree *v = &g->agree[WIRE_V], *u = &g->agree[WIRE_U];

    keys_open(g);
    switch (g->phase) {
    case PHASE_KEYS:
        if (!cohort_ready(g, engine_all(g), g->have_keys)) {
            if (g->equivocated != 0 && g->deadline_ms == UINT64_MAX)
                g->deadline_ms = g->now_ms + patience(g);
            return false;
        }
        g->deadline_ms = g->now_ms + patience(g);
        attempt_enter(g, PHASE_SHARES);
        keys_share(g);
        mail_note(g, GOSSIP_NOTE_SHARES, 0, 0, NULL);
        return true;
    case PHASE_SHARES:
        keys_share(g); /* also with those who came late */
        if (!cohort_ready(g, cohort_changes(g) ? g->have_keys : engine_all(g),
                          g->have_shares))
            return false;
        attempt_enter(g, PHASE_V);
        keys_ack(g);
        mail_note(g, GOSSIP_NOTE_ACK, 0, 0, NULL);
        return true;
    case PHASE_V:
        if (!v->certified)
            return agree_advance(g, WIRE_V);
        attempt_enter(g, PHASE_Y);
        if (!is_bystander(g) && cohort_frees(g))
            g->fresh = false;
        mail_note(g, GOSSIP_NOTE_PAIRED, v->value.members, 0, NULL);
        return true;
    case PHASE_Y:
        if (round_contribute(g)) {
            if (g->recv_sent)
                attempt_enter(g, PHASE_U);
            return true;
        }
        if (u->certified) { /* it may be, without our RECV */
            attempt_enter(g, PHASE_U);
            return true;
        }
        return agree_advance(g, WIRE_U);
    case PHASE_U:
        if (!u->certified)
            return agree_advance(g, WIRE_U);
        mail_note(g, GOSSIP_NOTE_SURVIVORS, u->value.members, 0, NULL);
        round_certified(g);
        if (!g->open.taken &&
            (g->config.active || !g->open.has_u ||
             g->open.attempt == g->attempt || !open_complete(&g->open)))
            open_begin(g);
        attempt_enter(g, PHASE_OPEN);
        return true;
    case PHASE_OPEN:
        return survivors_release(g) || open_advance(g);
    default:
        return false;
    }
}

/* Whom an attempt that failed was waiting for. */
static uint64_t missing_now(const struct gossip *g)
{
    uint64_t all = engine_all(g);

    switch (g->phase) {
    case PHASE_KEYS:
        return all & ~g->have_keys;
    case PHASE_SHARES:
        return all & ~g->have_shares;
    case PHASE_V:
        return all & ~g->have_acks;
    case PHASE_Y:
        return all & ~round_arrived(g) & ~engine_bit(g->config.self);
    default:
        return 0;
    }
}

static bool waits_for_others(const struct gossip *g)
{
    return cohort_changes(g) && is_bystander(g) &&
           attempt_newest(g, g->attempt) == g->attempt;
}

bool attempt_may_follow(const struct gossip *g)
{
    bool left_out = is_bystander(g) && g->deadline_ms == UINT64_MAX;

    return attempt_runs(g) && !(cohort_changes(g) && g->unmask_sent) &&
           (!g->agree[WIRE_U].prepares[g->config.self].cast || left_out);
}

/* When to follow one who is ahead: too few are here, and nothing is lost. */
static uint64_t stuck_at(const struct gossip *g)
{
    return next_attempt(g) == UINT64_MAX ? UINT64_MAX
                                         : g->phase_began_ms + patience(g);
}

uint64_t attempt_ends(const struct gossip *g)
{
    if (!cohort_changes(g) || !g->y_sent || g->deadline_ms == UINT64_MAX)
        return g->deadline_ms;
    return g->deadline_ms + patience(g) / 2;
}

uint64_t attempt_wake(const struct gossip *g)
{
    if (attempt_ends(g) > g->deadline_ms && g->now_ms >= g->deadline_ms)
        return attempt_ends(g);
    return g->phase == PHASE_KEYS ? stuck_at(g) : UINT64_MAX;
}

/* Members pair while they train. Who is not ready itself gives nobody up. */
static bool still_trains(const struct gossip *g)
{
    return g->phase == PHASE_Y && !g->has_plain && !is_bystander(g) &&
           g->deadline_ms != UINT64_MAX;
}

void attempt_trained(struct gossip *g)
{
    if (g->phase == PHASE_Y && g->has_plain && !g->y_sent && !is_bystander(g) &&
        g->deadline_ms != UINT64_MAX)
        g->deadline_ms = g->now_ms + patience(g);
}

/* The deadline of the attempt, or of waiting, has passed. */
static void time_out(struct gossip *g)
{
    uint64_t missing = missing_now(g);

    if (g->now_ms >= g->deadline_ms && still_trains(g)) {
        g->deadline_ms = g->now_ms + patience(g);
    } else if (g->now_ms >= attempt_ends(g)) {
        if (g->config.on_loss == GOSSIP_STOP && missing != 0)
            finish_stop(g, missing, GOSSIP_STOPPED);
        else if (waits_for_others(g))
            g->deadline_ms = UINT64_MAX; /* their result, or next attempt */
        else
            attempt_begin(g, attempt_newest(g, g->attempt + 1));
    } else if (g->phase == PHASE_KEYS && g->now_ms >= stuck_at(g)) {
        attempt_begin(g, next_attempt(g));
    } else if (g->config.wait_ms != 0 && (missing & g->awaited) != 0 &&
               g->now_ms >= g->awaited_ms + g->config.wait_ms) {
        finish_stop(g, missing & g->awaited, GOSSIP_TIMED_OUT);
    }
}

/* What we released is dead: the round may be tried again over others. */
static void unbind(struct gossip *g)
{
    if (!attempt_runs(g) || !cohort_unbind(g))
        return;
    if (g->unmask_sent) {
        attempt_begin(g, attempt_newest(g, g->attempt + 1));
        return;
    }
    record_promise(g);
    if (!g->fresh)
        cohort_close(g);
}

/* A study's first attempts, and nobody can have released anything in them: who
 * has no store has lost none that says otherwise. */
static void begin_anew(struct gossip *g)
{
    if (!cohort_changes(g) || !attempt_runs(g) || !g->fresh || g->round != 0 ||
        g->attempt == 0 || g->released || g->certified_attempt != 0 ||
        !cohort_is_new(g))
        return;
    g->fresh = false;
    record_promise(g);
    cohort_close(g);
}

bool attempt_runs(const struct gossip *g)
{
    return g->phase >= PHASE_KEYS && g->phase <= PHASE_OPEN;
}

void attempt_run(struct gossip *g)
{
    while (advance(g))
        ;
    if ((attempt_runs(g) || g->phase == PHASE_OUT) && open_absorb(g)) {
        attempt_enter(g, PHASE_ABSORB);
        return;
    }
    unbind(g);
    begin_anew(g);
    if (!attempt_runs(g))
        return;
    time_out(g);
    while (advance(g))
        ;
}
