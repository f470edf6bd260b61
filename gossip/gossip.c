#include "gossip/gossip.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/agree.h"
#include "gossip/engine.h"
#include "gossip/finish.h"
#include "gossip/keys.h"
#include "gossip/mail.h"
#include "gossip/members.h"
#include "gossip/open.h"
#include "gossip/record.h"
#include "gossip/recover.h"
#include "gossip/round.h"

enum {
    /* Per kind of mail, from the widest table that it carries. */
    MAIL_BASE = 512,
    MAIL_PER_MEMBER = 36,
    WIDE_PER_MEMBER = 140, /* value, quorum and evidence */
    MAILS_PER_MEMBER = 10, /* KEYS SHARES ACK Y RECV UNMASK future DONE, sums */
    WIDE_MAILS = 5 * WIRE_KINDS + 4 + 9 + 1,
    ATTEMPTS_AHEAD_MAX = 1 << 20 /* no member restarts that often */
};

static uint8_t *give(struct mail *mail, uint8_t *bytes, size_t capacity)
{
    mail->bytes = bytes;
    mail->capacity = capacity;
    return bytes + capacity;
}

static int make_mails(struct gossip *g)
{
    size_t n = g->config.members;
    size_t narrow = MAIL_BASE + MAIL_PER_MEMBER * n;
    size_t wide = MAIL_BASE + WIDE_PER_MEMBER * n;
    uint8_t *at = calloc(1, MAILS_PER_MEMBER * n * narrow + WIDE_MAILS * wide);

    g->mail_bytes = at;
    if (at == NULL)
        return -1;
    for (size_t j = 0; j < n; j++) {
        struct mail *mails[MAILS_PER_MEMBER] = {
            &g->keys_mail[j], &g->shares_out[j],  &g->acks_mail[j],
            &g->y_mail[j],    &g->recv_mail[j],   &g->unmask_mail[j],
            &g->done_mail[j], &g->future[j].mail, &g->open.sums[j],
            &g->past.sums[j]};
        for (int i = 0; i < MAILS_PER_MEMBER; i++)
            at = give(mails[i], at, narrow);
    }
    for (int kind = 0; kind < WIRE_KINDS; kind++) {
        struct agree *a = &g->agree[kind];
        at = give(&a->proposal_mail, at, wide);
        at = give(&a->prepare, at, wide);
        at = give(&a->commit, at, wide);
        at = give(&a->locked, at, wide);
        at = give(&a->cert, at, wide);
    }
    at = give(&g->open.cert_v, at, wide);
    at = give(&g->open.cert_u, at, wide);
    at = give(&g->past.cert_v, at, wide);
    at = give(&g->past.cert_u, at, wide);
    for (int i = 0; i < 9; i++)
        at = give(&g->said.mails[i], at, wide);
    give(&g->end_mail, at, wide);
    return 0;
}

static int make_vectors(struct gossip *g)
{
    size_t length = g->config.length_max, n = g->config.members;

    g->slice_max = length / g->config.threshold + 1;
    g->state = calloc(1, g->config.state_size + 1);
    g->next = calloc(1, g->config.state_size + 1);
    g->offer.bytes = calloc(1, g->config.state_size + 1);
    g->values = calloc(length + 1, sizeof *g->values);
    g->plain = calloc(length + 1, sizeof *g->plain);
    g->masked = calloc(length + 1, sizeof *g->masked);
    g->open.lanes = calloc(length + 1, sizeof *g->open.lanes);
    g->past.lanes = calloc(length + 1, sizeof *g->past.lanes);
    g->kept = calloc(g->config.copies * n * g->slice_max, sizeof *g->kept);
    g->acks = calloc(n, sizeof *g->acks);
    g->unmasks = calloc(n, sizeof *g->unmasks);
    return g->state && g->next && g->offer.bytes && g->values && g->plain &&
                   g->masked && g->open.lanes && g->past.lanes && g->kept &&
                   g->acks && g->unmasks
               ? 0
               : -1;
}

static int make_effects(struct gossip *g)
{
    size_t body = 2 * g->config.copies * g->config.length_max * 8;
    size_t saves = 2 * record_state_size(g) + 8 * record_promise_size(g);

    return effects_new(&g->effects, g->config.members,
                       saves + body + g->config.state_size);
}

static void check_config(const struct gossip_config *c)
{
    assert(c->members >= 3 && c->members <= GOSSIP_MEMBERS_MAX);
    assert(c->self < c->members);
    assert(c->threshold <= c->members && c->threshold > c->members / 2);
    assert(c->colluders >= 1 && c->colluders + 2 <= c->threshold);
    assert(c->copies >= 1 && c->copies <= c->members);
    assert(c->field_count <= GOSSIP_FIELDS_MAX);
    assert(c->deadline_ms > 0 && c->verify != NULL);
    assert(c->shape.length == 0 || fixed_fits(&c->shape, c->members));
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
    if (make_mails(g) != 0 || make_vectors(g) != 0 || make_effects(g) != 0)
        goto fail;
    memcpy(g->state, config->state, config->state_size);
    g->shape = config->shape;
    g->woken_ms = UINT64_MAX;
    g->said.round = UINT64_MAX;
    *why = "a saved record does not belong to this study or is damaged";
    for (size_t i = 0; i < count; i++) {
        if (saved[i].slot >= GOSSIP_SLOTS)
            continue;
        if (record_load(g, &saved[i]) != 0)
            goto fail;
        g->absorbing_sum = false;
        if (saved[i].slot == GOSSIP_SLOT_STATE)
            g->shape.length = SIZE_MAX; /* unknown: asked at the first step */
    }
    wire_hash(g->state_hash, g->state, config->state_size);
    return g;

fail:
    gossip_free(g);
    return NULL;
}

void gossip_free(struct gossip *g)
{
    size_t length;

    if (g == NULL)
        return;
    length = g->config.length_max * sizeof(uint64_t);
    if (g->plain != NULL)
        sodium_memzero(g->plain, length);
    if (g->masked != NULL)
        sodium_memzero(g->masked, length);
    if (g->unmasks != NULL)
        sodium_memzero(g->unmasks, g->config.members * sizeof *g->unmasks);
    effects_free(&g->effects);
    free(g->mail_bytes);
    free(g->state);
    free(g->next);
    free(g->offer.bytes);
    free(g->values);
    free(g->plain);
    free(g->masked);
    free(g->open.lanes);
    free(g->past.lanes);
    free(g->kept);
    free(g->acks);
    free(g->unmasks);
    sodium_memzero(g, sizeof *g);
    free(g);
}

static void enter(struct gossip *g, enum phase phase)
{
    g->phase = phase;
    g->phase_began_ms = g->now_ms;
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
static void begin_attempt(struct gossip *g, uint64_t attempt)
{
    keys_wipe(g);
    round_reset(g);
    g->attempt = attempt;
    wire_ctx(g->ctx, &g->config, g->round, attempt);
    g->have_keys = g->have_sealed = g->have_shares = g->have_acks = 0;
    g->equivocated = 0;
    for (uint32_t j = 0; j < g->config.members; j++) {
        g->keys_mail[j].size = 0;
        g->shares_out[j].size = 0;
        g->acks_mail[j].size = 0;
    }
    for (int kind = 0; kind < WIRE_KINDS; kind++)
        agree_reset(&g->agree[kind]);
    g->deadline_ms = UINT64_MAX;
    if (g->config.on_loss == GOSSIP_STOP && (g->round > 0 || attempt > 0))
        g->deadline_ms = g->now_ms + g->config.deadline_ms;
    if (attempt > 0)
        mail_note(g, GOSSIP_NOTE_ATTEMPT, 0, attempt, NULL);
    enter(g, PHASE_KEYS);
    keys_make(g);
    record_promise(g);
    mail_send_all(g, &g->keys_mail[g->config.self]);
    mail_note(g, GOSSIP_NOTE_KEYS, 0, 0, NULL);
    take_future(g);
}

static uint64_t next_attempt(const struct gossip *g)
{
    uint64_t attempt = g->attempt + 1;

    for (uint32_t j = 0; j < g->config.members; j++)
        if (g->future[j].mail.size != 0 && g->future[j].round == g->round &&
            g->future[j].attempt > attempt)
            attempt = g->future[j].attempt;
    return attempt;
}

static void begin_round(struct gossip *g, uint64_t attempt)
{
    struct gossip_effect *effect;

    g->began_ms = g->now_ms;
    g->asked = g->spent = g->has_plain = false;
    open_reset(&g->open);
    g->offer.members = 0;
    if (g->shape.length == 0) {
        finish_done(g);
        return;
    }
    assert(g->shape.length <= g->config.length_max);
    assert(fixed_fits(&g->shape, g->config.members));
    mail_note(g, GOSSIP_NOTE_ROUND, 0, 0, NULL);
    g->asked = true;
    effect = effects_add(&g->effects, GOSSIP_CONTRIBUTE);
    effect->contribute.round = g->round;
    effect->contribute.state = g->state;
    begin_attempt(g, attempt);
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
        wire_hash(g->state_hash, g->state, g->config.state_size);
        if (g->absorbing_sum) {
            struct result past = g->past;
            g->past = g->open;
            g->open = past;
            g->attempt = 0;
        } else {
            open_reset(&g->past);
            attempt = g->attempt;
        }
        keys_wipe(g);
        round_reset(g);
        sodium_memzero(g->plain, g->config.length_max * sizeof *g->plain);
        record_state(g);
    }
    begin_round(g, attempt);
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
    if (g->said.round == g->round && g->said.attempt >= g->attempt)
        g->attempt = g->said.attempt + 1;
    if (g->shape.length != SIZE_MAX) {
        begin_round(g, g->attempt);
        return;
    }
    memcpy(g->next, g->state, g->config.state_size);
    effect = effects_add(&g->effects, GOSSIP_ABSORB);
    effect->absorb.round = g->round;
    effect->absorb.state = g->state;
    effect->absorb.next = g->next;
    g->absorbing = g->round;
    enter(g, PHASE_ABSORB);
}

/* KEYS of an attempt or round to come: kept, and the sign to move on for a
 * member that has not PREPAREd a U. */
static void receive_future(struct gossip *g, const struct wire_message *m,
                           const uint8_t *head, size_t size)
{
    uint32_t j = m->sender;

    if (g->future[j].mail.size != 0 &&
        (g->future[j].round > m->round || (g->future[j].round == m->round &&
                                           g->future[j].attempt >= m->attempt)))
        return;
    if (mail_verify(g, m) != 0) {
        g->dropped++;
        return;
    }
    g->future[j].round = m->round;
    g->future[j].attempt = m->attempt;
    mail_keep(&g->future[j].mail, head, size);
    if (m->round == g->round && g->phase >= PHASE_KEYS &&
        g->phase <= PHASE_OPEN &&
        !g->agree[WIRE_U].prepares[g->config.self].cast)
        begin_attempt(g, m->attempt);
}

/* What makes up a result. After a restart our own part of one comes back. */
static bool is_result(const struct wire_message *m)
{
    return m->type == WIRE_CERT || m->type == WIRE_SUM;
}

/* Worth a signature check: of the attempt under way, or about a result of this
 * round, or of a kind that stands outside attempts. */
static bool relevant(const struct gossip *g, const struct wire_message *m)
{
    bool under_way = g->phase >= PHASE_KEYS && g->phase <= PHASE_OPEN;

    switch (m->type) {
    case WIRE_HELLO:
    case WIRE_WANT:
    case WIRE_DONE:
    case WIRE_STATE:
    case WIRE_STOP:
    case WIRE_DECLINE:
        return true;
    default:
        return under_way && m->round == g->round &&
               (m->attempt == g->attempt || is_result(m));
    }
}

static void receive_here(struct gossip *g, const struct wire_message *m,
                         const struct gossip_event *e)
{
    const uint8_t *head = e->received.head, *body = e->received.body;
    size_t size = e->received.head_size, body_size = e->received.body_size;

    switch (m->type) {
    case WIRE_KEYS:
        keys_receive(g, m, head, size);
        break;
    case WIRE_SHARES:
        keys_receive_shares(g, m);
        break;
    case WIRE_ACK:
        keys_receive_ack(g, m, head, size);
        break;
    case WIRE_PROPOSE:
        agree_receive_propose(g, m, head, size);
        break;
    case WIRE_PREPARE:
    case WIRE_COMMIT:
        agree_receive_vote(g, m);
        break;
    case WIRE_LOCK:
        agree_receive_lock(g, m);
        break;
    case WIRE_Y:
        round_receive_y(g, m, head, size, body, body_size);
        break;
    case WIRE_RECV:
        round_receive_recv(g, m, head, size);
        break;
    case WIRE_UNMASK:
        round_receive_unmask(g, m, head, size);
        break;
    case WIRE_CERT:
        if (m->attempt == g->attempt)
            agree_receive_cert(g, m);
        else
            open_receive_cert(g, m, head, size);
        break;
    case WIRE_SUM:
        open_receive_sum(g, m, head, size, body, body_size);
        break;
    default:
        break;
    }
}

static bool already_here(const struct gossip *g, const struct wire_message *m)
{
    uint64_t bit = engine_bit(m->sender);

    if (m->round != g->round || m->attempt != g->attempt)
        return false;
    switch (m->type) {
    case WIRE_SHARES:
        return (g->have_shares | g->have_sealed) & bit;
    case WIRE_ACK:
        return g->have_acks & bit;
    case WIRE_RECV:
        return g->have_recvs & bit;
    case WIRE_UNMASK:
        return g->have_unmasks & bit;
    case WIRE_CERT:
        return g->agree[m->propose.kind].certified;
    case WIRE_SUM:
        return g->open.attempt == g->attempt &&
               (g->open.have & engine_bit(m->sum.slice));
    default:
        return false;
    }
}

static void step_received(struct gossip *g, const struct gossip_event *e)
{
    struct wire_message *m = &g->incoming;
    const uint8_t *head = e->received.head;
    size_t size = e->received.head_size;

    if (wire_parse(m, head, size, g->config.members) != 0 ||
        (m->sender == g->config.self && !is_result(m)) ||
        ((g->differs & engine_bit(m->sender)) && m->type != WIRE_HELLO)) {
        g->dropped++;
        return;
    }
    if (m->type == WIRE_KEYS &&
        (m->round == g->round + 1 ||
         (m->round == g->round && m->attempt > g->attempt))) {
        if (m->attempt > g->attempt + ATTEMPTS_AHEAD_MAX)
            return;
        receive_future(g, m, head, size);
        return;
    }
    if (!relevant(g, m) || already_here(g, m))
        return;
    if (mail_verify(g, m) != 0) {
        g->dropped++;
        return;
    }
    switch (m->type) {
    case WIRE_HELLO:
        members_receive_hello(g, m);
        break;
    case WIRE_WANT:
        recover_answer(g, m);
        break;
    case WIRE_STATE:
        recover_receive_state(g, m, e->received.body, e->received.body_size);
        break;
    case WIRE_DONE:
        finish_receive_done(g, m, head, size);
        break;
    case WIRE_STOP:
    case WIRE_DECLINE:
        if (g->phase != PHASE_FINISHED)
            finish_receive_end(g, m, head, size, e->received.from);
        break;
    default:
        receive_here(g, m, e);
    }
}

static bool cohort_in(const struct gossip *g, uint64_t have)
{
    return (engine_all(g) & ~(have & ~g->equivocated)) == 0;
}

/* One transition of the attempt; false when it waits. */
static bool advance(struct gossip *g)
{
    const struct agree *v = &g->agree[WIRE_V], *u = &g->agree[WIRE_U];

    keys_open(g);
    switch (g->phase) {
    case PHASE_KEYS:
        if (!cohort_in(g, g->have_keys))
            return false;
        g->deadline_ms = g->now_ms + g->config.deadline_ms;
        enter(g, PHASE_SHARES);
        keys_share(g);
        mail_note(g, GOSSIP_NOTE_SHARES, 0, 0, NULL);
        return true;
    case PHASE_SHARES:
        if (!cohort_in(g, g->have_shares))
            return false;
        enter(g, PHASE_V);
        keys_ack(g);
        mail_note(g, GOSSIP_NOTE_ACK, 0, 0, NULL);
        return true;
    case PHASE_V:
        if (!v->certified)
            return agree_advance(g, WIRE_V);
        enter(g, PHASE_Y);
        mail_note(g, GOSSIP_NOTE_PAIRED, v->value.members, 0, NULL);
        return true;
    case PHASE_Y:
        if (round_contribute(g)) {
            if (g->recv_sent)
                enter(g, PHASE_U);
            return true;
        }
        if (u->certified) { /* it may be, without our RECV */
            enter(g, PHASE_U);
            return true;
        }
        return agree_advance(g, WIRE_U);
    case PHASE_U:
        if (!u->certified)
            return agree_advance(g, WIRE_U);
        mail_note(g, GOSSIP_NOTE_SURVIVORS, u->value.members, 0, NULL);
        if (!g->open.has_u || g->open.attempt == g->attempt ||
            !open_complete(&g->open))
            open_begin(g);
        enter(g, PHASE_OPEN);
        return true;
    case PHASE_OPEN:
        return round_release(g) || open_advance(g);
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

/* The deadline of the attempt, or of waiting, has passed. */
static void time_out(struct gossip *g)
{
    uint64_t missing = missing_now(g);

    if (g->now_ms >= g->deadline_ms) {
        if (g->config.on_loss == GOSSIP_STOP && missing != 0)
            finish_stop(g, missing, GOSSIP_STOPPED);
        else
            begin_attempt(g, next_attempt(g));
    } else if (g->config.wait_ms != 0 && g->awaited != 0 &&
               g->now_ms >= g->began_ms + g->config.wait_ms) {
        finish_stop(g, g->awaited, GOSSIP_TIMED_OUT);
    }
}

static bool in_attempt(const struct gossip *g)
{
    return g->phase >= PHASE_KEYS && g->phase <= PHASE_OPEN;
}

static void run(struct gossip *g)
{
    while (advance(g))
        ;
    if (in_attempt(g) && open_absorb(g)) {
        enter(g, PHASE_ABSORB);
        return;
    }
    if (!in_attempt(g))
        return;
    time_out(g);
    while (advance(g))
        ;
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
    if (in_attempt(g)) {
        at = earlier(at, g->deadline_ms);
        at = earlier(at, agree_wake(g, WIRE_V));
        at = earlier(at, agree_wake(g, WIRE_U));
        at = earlier(at, open_wake(g));
        if (g->now_ms < g->phase_began_ms + 2 * g->config.grace_ms)
            at = earlier(at, g->phase_began_ms + 2 * g->config.grace_ms);
        if (g->config.wait_ms != 0 &&
            g->began_ms + g->config.wait_ms > g->now_ms)
            at = earlier(at, g->began_ms + g->config.wait_ms);
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
        step_received(g, event);
        break;
    case GOSSIP_TIMER:
        break;
    case GOSSIP_LINK:
        members_link(g, event->link.member, event->link.up);
        break;
    case GOSSIP_CONTRIBUTED:
        round_contributed(g, event);
        break;
    case GOSSIP_ABSORBED:
        step_absorbed(g, event);
        break;
    }
    run(g);
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
                                 .state = g->state};
    memcpy(view->state_hash, g->state_hash, GOSSIP_HASH_BYTES);
}
