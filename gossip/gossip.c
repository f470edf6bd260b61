#include "gossip/gossip.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/lanes.h"
#include "gossip/agree.h"
#include "gossip/attempt.h"
#include "gossip/cohort.h"
#include "gossip/engine.h"
#include "gossip/finish.h"
#include "gossip/keys.h"
#include "gossip/members.h"
#include "gossip/open.h"
#include "gossip/receive.h"
#include "gossip/record.h"
#include "gossip/recover.h"
#include "gossip/round.h"
#include "gossip/vector.h"

static void check_config(const struct gossip_config *c)
{
    assert(c->members >= 3 && c->members <= GOSSIP_MEMBERS_MAX);
    assert(c->self < c->members);
    assert(c->threshold <= c->members && c->threshold > c->members / 2);
    assert(c->colluders >= 1 && c->colluders + 2 <= c->threshold);
    assert(c->copies >= 1 && c->copies <= c->members);
    assert(!c->active ||
           (c->members >= 5 && c->check && c->threshold >= c->colluders + 3 &&
            2 * c->threshold > c->members + c->colluders));
    assert(c->on_loss != GOSSIP_CONTINUE ||
           2 * c->threshold > c->members + c->colluders);
    assert(c->field_count <= GOSSIP_FIELDS_MAX);
    assert(c->deadline_ms > 0 && c->verify != NULL);
    assert(c->shape.length == 0 || lanes_fit(&c->shape, c->members));
}

struct gossip *gossip_new(const struct gossip_config *config,
                          const struct gossip_record *saved, size_t count,
                          const char **why)
{
    struct gossip *g = calloc(1, sizeof *g);

    check_config(config);
    *why = "out of memory";
    if (g == NULL)
        return NULL;
    g->config = *config;
    memcpy(g->fields, config->fields, config->field_count * sizeof *g->fields);
    prg_seed(&g->prg, config->seed);
    sodium_memzero(g->config.seed, sizeof g->config.seed);
    if (g->config.lanes_max == 0)
        g->config.lanes_max = g->config.length_max * sizeof(uint64_t);
    if (engine_make(g) != 0)
        goto fail;
    memcpy(g->state, config->state, config->state_size);
    g->shape = config->shape;
    g->woken_ms = UINT64_MAX;
    g->ctx_round = UINT64_MAX;
    g->said.round = UINT64_MAX;
    g->fresh = true;
    *why = "a saved record does not belong to this study or is damaged";
    for (size_t i = 0; i < count; i++) {
        if (saved[i].slot >= GOSSIP_SLOTS)
            continue;
        if (record_load(g, &saved[i]) != 0)
            goto fail;
        g->absorbing_sum = false;
        if (saved[i].slot == GOSSIP_SLOT_STATE ||
            saved[i].slot == GOSSIP_SLOT_PROMISE)
            g->fresh = false;
        if (saved[i].slot == GOSSIP_SLOT_STATE)
            g->shape.length = SIZE_MAX; /* unknown: asked at the first step */
    }
    engine_hash_state(g);
    return g;

fail:
    gossip_free(g);
    return NULL;
}

void gossip_free(struct gossip *g)
{
    if (g != NULL)
        engine_free(g);
}

/* The next state is known: on disk, with the result that made it, before
 * anything is said in its round. */
static void step_absorbed(struct gossip *g, const struct gossip_event *event)
{
    uint64_t attempt = 0;
    uint8_t *state = g->state;

    if (g->phase != PHASE_ABSORB || event->absorbed.round != g->absorbing)
        return;
    g->shape = event->absorbed.shape;
    if (g->absorbing == g->round) { /* a restart asked for the shape only */
        attempt = g->attempt;
    } else {
        g->state = g->next;
        g->next = state;
        g->round = g->absorbing;
        engine_hash_state(g);
        cohort_forget(g);
        if (g->absorbing_sum) {
            struct result past = g->past;
            g->past = g->open; /* its lanes, too, until record_state */
            g->open = past;
            g->open.lanes = g->past.lanes;
            g->attempt = 0;
        } else {
            open_reset(&g->past);
            attempt = g->attempt;
            g->released = g->fresh; /* who knows what we said before */
        }
        g->fresh = false;
        keys_wipe(g);
        round_reset(g);
        sodium_memzero(g->plain, g->config.lanes_max);
        record_state(g);
    }
    attempt_round(g, attempt);
}

/* What a life before this one has promised in the round that goes on. */
static void keep_promises(struct gossip *g)
{
    if (g->said.round != g->round) {
        g->bound_mail.size = 0;
        return;
    }
    g->fresh = g->said.fresh;
    memcpy(g->prepared, g->said.prepared, sizeof g->prepared);
    if (g->said.attempt >= g->attempt)
        g->attempt = g->said.attempt + 1;
    g->released = g->released || g->said.released;
    g->bound = g->said.bound;
    g->released_attempt = g->said.released_attempt;
    g->certified = g->said.certified;
    g->certified_attempt = g->said.certified_attempt;
}

/* The first step after gossip_new. */
static void start(struct gossip *g)
{
    struct gossip_effect *effect;

    for (uint32_t j = 0; j < g->config.members; j++)
        g->link_ms[j] = g->now_ms;
    recover_soon(g);
    if (g->end_mail.size != 0) {
        finish_resume(g);
        return;
    }
    keep_promises(g);
    if (g->shape.length != SIZE_MAX) {
        attempt_round(g, g->attempt);
        return;
    }
    memcpy(g->next, g->state, engine_state_size(g));
    effect = effects_add(&g->effects, GOSSIP_ABSORB);
    effect->absorb.round = g->round;
    effect->absorb.state = g->state;
    effect->absorb.next = g->next;
    g->absorbing = g->round;
    attempt_enter(g, PHASE_ABSORB);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void wake(struct gossip *g)
{
    uint64_t at = earlier(members_wake(g), finish_wake(g));

    if (g->left) {
        at = UINT64_MAX;
    } else if (g->phase != PHASE_START) {
        at = earlier(at, g->want_ms);
    }
    if (attempt_runs(g)) {
        at = earlier(at, g->deadline_ms);
        at = earlier(at, agree_wake(g, WIRE_V));
        at = earlier(at, agree_wake(g, WIRE_U));
        at = earlier(at, open_wake(g));
        at = earlier(at, cohort_wake(g));
        at = earlier(at, attempt_wake(g));
        if (g->now_ms < g->phase_began_ms + 2 * g->config.grace_ms)
            at = earlier(at, g->phase_began_ms + 2 * g->config.grace_ms);
        if (g->awaited != 0 && g->config.wait_ms != 0 &&
            g->awaited_ms + g->config.wait_ms > g->now_ms)
            at = earlier(at, g->awaited_ms + g->config.wait_ms);
    }
    if (at == g->woken_ms && at > g->now_ms)
        return;
    g->woken_ms = at;
    effects_add(&g->effects, GOSSIP_WAKE)->wake.at_ms =
        at > g->now_ms ? at : g->now_ms + 1;
}

void gossip_step(struct gossip *g, const struct gossip_event *event,
                 const struct gossip_effect **effects, size_t *count)
{
    effects_reset(&g->effects);
    if (event->now_ms > g->now_ms)
        g->now_ms = event->now_ms;
    if (g->phase == PHASE_START)
        start(g);
    switch (event->kind) {
    case GOSSIP_RECEIVED:
        receive_message(g, event);
        break;
    case GOSSIP_TIMER:
        break;
    case GOSSIP_LINK:
        members_link(g, event->link.member, event->link.up);
        break;
    case GOSSIP_CONTRIBUTED:
        vector_contributed(g, event);
        attempt_trained(g);
        break;
    case GOSSIP_ABSORBED:
        step_absorbed(g, event);
        break;
    case GOSSIP_POSTED: /* its driver's */
        break;
    }
    attempt_run(g);
    members_await(g);
    recover_tick(g);
    finish_advance(g);
    wake(g);
    *effects = g->effects.list;
    *count = g->effects.count;
}

void gossip_view(const struct gossip *g, struct gossip_view *view)
{
    *view = (struct gossip_view){.round = g->round,
                                 .attempt = g->attempt,
                                 .awaited = g->awaited,
                                 .dropped = g->dropped,
                                 .bytes_sent = g->bytes_sent,
                                 .finished = g->phase == PHASE_FINISHED,
                                 .ended = g->phase == PHASE_ENDED,
                                 .revealed = cohort_revealed(g, 0),
                                 .accused = g->accused,
                                 .state = g->state};
    memcpy(view->state_hash, g->state_hash, GOSSIP_HASH_BYTES);
}

const void *gossip_plain(const struct gossip *g, uint64_t *round,
                         struct fixed_shape *shape)
{
    *round = g->round;
    *shape = g->shape;
    return g->has_plain ? g->plain : NULL;
}

size_t gossip_evidence(const struct gossip *g, uint32_t member,
                       const uint8_t *heads[2], size_t sizes[2])
{
    if (member >= g->config.members || (g->accused & engine_bit(member)) == 0)
        return 0;
    heads[0] = g->evidence[member].first.bytes;
    sizes[0] = g->evidence[member].first.size;
    heads[1] = g->evidence[member].second.bytes;
    sizes[1] = g->evidence[member].second.size;
    return sizes[1] == 0 ? 1 : 2;
}

const char *gossip_note_name(enum gossip_note note)
{
    static const char *const names[GOSSIP_NOTES] = {
        [GOSSIP_NOTE_ROUND] = "round",
        [GOSSIP_NOTE_ATTEMPT] = "attempt",
        [GOSSIP_NOTE_AWAITED] = "awaited",
        [GOSSIP_NOTE_KEYS] = "keys",
        [GOSSIP_NOTE_SHARES] = "shares",
        [GOSSIP_NOTE_ACK] = "ack",
        [GOSSIP_NOTE_PAIRED] = "paired",
        [GOSSIP_NOTE_Y] = "y",
        [GOSSIP_NOTE_RECV] = "recv",
        [GOSSIP_NOTE_SURVIVORS] = "survivors",
        [GOSSIP_NOTE_UNMASK] = "unmask",
        [GOSSIP_NOTE_REBUILT] = "rebuilt",
        [GOSSIP_NOTE_COPY] = "copy",
        [GOSSIP_NOTE_OPENED] = "opened",
        [GOSSIP_NOTE_CAUGHT_UP] = "caught_up",
        [GOSSIP_NOTE_DIFFERS] = "differs",
        [GOSSIP_NOTE_EQUIVOCATED] = "equivocated",
        [GOSSIP_NOTE_DECLINED] = "declined",
        [GOSSIP_NOTE_STOPPED] = "stopped",
        [GOSSIP_NOTE_REFUSED] = "refused",
        [GOSSIP_NOTE_BAD_SHARE] = "bad_share",
        [GOSSIP_NOTE_BAD_DEAL] = "bad_deal",
        [GOSSIP_NOTE_LIED] = "lied",
        [GOSSIP_NOTE_AUDIT] = "audit",
        [GOSSIP_NOTE_CLOSED] = "closed",
        [GOSSIP_NOTE_REVEALS] = "reveals",
        [GOSSIP_NOTE_DIVERGED] = "diverged",
        [GOSSIP_NOTE_MIXED] = "mixed",
    };

    return names[note];
}
