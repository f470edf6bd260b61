#include "gossip/recover.h"

#include <string.h>

#include "gossip/agree.h"
#include "gossip/check.h"
#include "gossip/cohort.h"
#include "gossip/mail.h"
#include "gossip/members.h"
#include "gossip/open.h"
#include "gossip/round.h"
#include "gossip/settle.h"

enum {
    TICKS_PER_DEADLINE = 32,
    TICK_MIN_MS = 20,
    TICK_MAX_MS = 2000,
    WANT_BYTES_MAX = 8192,
    ANSWERS_PER_TICK = 8 /* of the shortest tick, to one member */
};

static uint64_t tick_length(const struct gossip *g)
{
    uint64_t length = g->config.deadline_ms / TICKS_PER_DEADLINE;

    return length < TICK_MIN_MS ? TICK_MIN_MS : length;
}

static uint64_t votes_of(const struct gossip *g, const struct vote *votes,
                         uint32_t ballot)
{
    uint64_t members = 0;

    for (uint32_t j = 0; j < g->config.members; j++)
        if (votes[j].cast && votes[j].ballot >= ballot)
            members |= engine_bit(j);
    return members;
}

static void describe_agreements(const struct gossip *g, struct wire_message *m)
{
    for (int kind = 0; kind < WIRE_KINDS; kind++) {
        const struct agree *a = &g->agree[kind];
        m->want.ballot[kind] = a->ballot;
        m->want.prepares[kind] = votes_of(g, a->prepares, a->ballot);
        m->want.commits[kind] = votes_of(g, a->commits, a->ballot);
        if (a->has_proposal && a->proposal.propose.ballot >= a->ballot)
            m->want.proposed |= (uint8_t)(1 << kind);
        if (a->certified)
            m->want.certified |= (uint8_t)(1 << kind);
    }
}

/* All: it is absorbed, or is not to be, as a state is what we need. A sum that
 * is open but not ours to absorb lacks one. */
static uint64_t sums_here(const struct gossip *g)
{
    uint64_t have = g->open.attempt == g->attempt ? g->open.have : 0;

    if (g->phase == PHASE_ABSORB || (!g->config.check && cohort_is_lost(g)))
        return engine_all(g);
    return have == engine_all(g) ? have & (have - 1) : have;
}

static void describe(const struct gossip *g, struct wire_message *m)
{
    m->round = g->round;
    m->attempt = g->attempt;
    m->want.members = g->config.members;
    m->want.tick = g->tick;
    m->want.finished = g->phase == PHASE_FINISHED;
    m->want.keys = g->have_keys;
    m->want.shares = g->have_shares | g->have_sealed;
    m->want.acks = g->have_acks;
    m->want.recvs = g->have_recvs;
    m->want.unmasks = g->have_unmasks;
    m->want.sums = sums_here(g);
    m->want.checks = g->check != NULL ? g->check->have_checks : 0;
    m->want.closes = cohort_closers(g);
    m->want.audits = check_audits(g);
    m->want.dones = g->have_dones;
    describe_agreements(g, m);
    for (uint32_t j = 0; j < g->config.members; j++)
        m->want.slices[j] = round_kept(g, j);
}

void recover_ask(struct gossip *g, uint32_t to)
{
    struct wire_message m = {.type = WIRE_WANT};

    if (g->phase == PHASE_START)
        return;
    describe(g, &m);
    g->asked_ms[to] = g->now_ms;
    mail_tell(g, to, &m);
}

/* The same question to all: one signature. */
static void ask_all(struct gossip *g)
{
    struct wire_message m = {.type = WIRE_WANT};
    struct mail mail = {.capacity = WANT_BYTES_MAX};

    mail.bytes = effects_take(&g->effects, mail.capacity);
    if (mail.bytes == NULL)
        return;
    describe(g, &m);
    for (uint32_t j = 0; j < g->config.members; j++)
        g->asked_ms[j] = g->now_ms;
    mail_write_at(g, &mail, &m);
    mail_send_all(g, &mail);
}

void recover_soon(struct gossip *g)
{
    g->want_every_ms = tick_length(g);
    g->want_ms = g->now_ms + g->want_every_ms;
    g->tick = 0;
}

void recover_tick(struct gossip *g)
{
    if (g->now_ms < g->want_ms || g->left || g->phase == PHASE_START)
        return;
    g->tick++;
    g->want_every_ms *= 2;
    if (g->want_every_ms > TICK_MAX_MS)
        g->want_every_ms = TICK_MAX_MS;
    if (g->want_every_ms > 4 * tick_length(g))
        g->want_every_ms = 4 * tick_length(g);
    g->want_ms = g->now_ms + g->want_every_ms;
    for (uint32_t j = 0; j < g->config.members; j++)
        if (j != g->config.self && (g->greeted & engine_bit(j)) == 0)
            members_hello(g, j);
    if (g->phase == PHASE_ENDED)
        mail_send_all(g, &g->end_mail);
    else
        ask_all(g);
}

/* Asks a member that is ahead, not more often than ticks. */
static void ask_ahead(struct gossip *g, uint32_t member)
{
    if (g->phase != PHASE_ABSORB &&
        (g->asked_ms[member] == 0 ||
         g->now_ms >= g->asked_ms[member] + tick_length(g) / 2))
        recover_ask(g, member);
}

/* Whether to send j's messages to somebody who asks: our own always; of the
 * others' each time another member is the relay. */
static bool ours_to_send(const struct gossip *g, uint32_t j, uint32_t tick)
{
    return j == g->config.self ||
           (j + tick) % g->config.members == g->config.self;
}

static void send_lacking(struct gossip *g, uint32_t to,
                         const struct mail *mails, uint64_t have, uint32_t tick)
{
    for (uint32_t j = 0; j < g->config.members; j++)
        if ((have & engine_bit(j)) == 0 && j != to && ours_to_send(g, j, tick))
            mail_send(g, to, &mails[j], NULL, 0);
}

static void send_agreement(struct gossip *g, const struct wire_message *m,
                           enum wire_kind kind)
{
    const struct agree *a = &g->agree[kind];
    uint64_t self = engine_bit(g->config.self);
    uint32_t to = m->sender;

    if (m->want.certified >> kind & 1)
        return;
    if (a->certified) {
        mail_send(g, to, &a->cert, NULL, 0);
        return;
    }
    /* The proposer needs t of them, and may have lost ours. */
    bool needed = a->ballot == m->want.ballot[kind] &&
                  (m->want.proposed >> kind & 1) == 0 &&
                  agree_proposer(g, a->ballot) == to;
    if (a->ballot > m->want.ballot[kind] || (a->ballot > 0 && needed))
        mail_send(g, to, &a->locked, NULL, 0);
    if (a->has_proposal && a->proposal.propose.ballot >= m->want.ballot[kind] &&
        (m->want.proposed >> kind & 1) == 0 &&
        ours_to_send(g, a->proposal.sender, m->want.tick))
        mail_send(g, to, &a->proposal_mail, NULL, 0);
    if ((m->want.prepares[kind] & self) == 0)
        mail_send(g, to, &a->prepare, NULL, 0);
    if ((m->want.commits[kind] & self) == 0)
        mail_send(g, to, &a->commit, NULL, 0);
}

static void send_sums(struct gossip *g, uint32_t to, const struct result *r,
                      uint64_t have, uint32_t tick)
{
    uint32_t n = engine_count(r->v.members);

    for (uint32_t a = 0; a < n; a++) {
        size_t first, count;
        if ((r->have & ~have & engine_bit(a)) == 0 || r->sums[a].size == 0)
            continue;
        if (r->signers[a] != engine_bit(g->config.self) &&
            (a + tick) % g->config.members != g->config.self)
            continue;
        round_slice(&first, &count, r->length, n, a);
        mail_send(g, to, &r->sums[a], r->lanes + first * r->lane,
                  count * r->lane);
    }
}

static void answer_here(struct gossip *g, const struct wire_message *m)
{
    const struct wire_message *w = m;
    uint32_t to = m->sender, tick = m->want.tick;

    if (g->released && g->phase <= PHASE_V)
        mail_send(g, to, &g->bound_mail, NULL, 0);
    send_lacking(g, to, g->keys_mail, w->want.keys, tick);
    if ((w->want.shares & engine_bit(g->config.self)) == 0)
        mail_send(g, to, &g->shares_out[to], NULL, 0);
    send_lacking(g, to, g->acks_mail, w->want.acks, tick);
    send_agreement(g, m, WIRE_V);
    if (g->agree[WIRE_V].certified && (w->want.certified & 1)) {
        uint64_t parts = round_parts(g, &g->agree[WIRE_V].value, to);
        for (uint32_t j = 0; j < g->config.members; j++)
            if (j != to && (j != g->config.self || g->y_sent) &&
                ours_to_send(g, j, tick))
                round_send_slices(g, to, j, parts & ~w->want.slices[j]);
        check_answer(g, to, w->want.audits, tick);
    }
    send_lacking(g, to, g->recv_mail, w->want.recvs, tick);
    send_agreement(g, m, WIRE_U);
    send_lacking(g, to, g->unmask_mail, w->want.unmasks, tick);
    send_lacking(g, to, g->check_mail, w->want.checks, tick);
    if (cohort_changes(g))
        send_lacking(g, to, g->close_mail, w->want.closes, tick);
    if (open_complete(&g->open) || g->open.attempt == g->attempt)
        send_sums(g, to, &g->open, w->want.sums, tick);
}

/* A whole result comes from two members at a time, each tick from others: the
 * members may hold results of different attempts, and parts of two do not fit.
 */
static bool ours_to_serve(const struct gossip *g, const struct wire_message *m)
{
    uint32_t n = g->config.members;
    uint32_t turn = (m->sender + 1 + m->want.tick) % n;

    return (g->config.self + n - turn) % n < 2;
}

static void send_result(struct gossip *g, const struct wire_message *m,
                        const struct result *r)
{
    uint32_t n = engine_count(r->v.members), to = m->sender;

    if (!ours_to_serve(g, m))
        return;
    mail_send(g, to, &r->cert_u, NULL, 0);
    mail_send(g, to, &r->cert_v, NULL, 0);
    for (uint32_t a = 0; a < n; a++) {
        size_t first, count;
        round_slice(&first, &count, r->length, n, a);
        mail_send(g, to, &r->sums[a], r->lanes + first * r->lane,
                  count * r->lane);
    }
}

/* To a member one round behind: the complete result of that round. */
static void answer_behind(struct gossip *g, const struct wire_message *m)
{
    struct result *r = &g->past;
    struct wire_message state = {.type = WIRE_STATE};
    uint32_t to = m->sender;

    bool lacks = (!g->config.keeps_sum && !cohort_changes(g)) ||
                 m->want.sums != engine_all(g);

    if (!g->config.check && lacks && r->has_u && r->round == m->round &&
        open_complete(r)) {
        send_result(g, m, r);
        if (g->phase == PHASE_FINISHED) /* we may leave on its DONE */
            mail_send(g, to, &g->done_mail[g->config.self], NULL, 0);
        return;
    }
    if (g->phase == PHASE_ABSORB || g->phase == PHASE_START)
        return;
    state.round = g->round;
    state.attempt = g->attempt;
    memcpy(state.done.state, g->state_hash, GOSSIP_HASH_BYTES);
    struct mail mail = {.capacity = 1024};
    mail.bytes = effects_take(&g->effects, mail.capacity);
    if (mail.bytes == NULL)
        return;
    mail_write_at(g, &mail, &state);
    mail_send(g, to, &mail, g->state, engine_state_size(g));
    if (g->phase == PHASE_FINISHED)
        mail_send(g, to, &g->done_mail[g->config.self], NULL, 0);
}

static void answer_said(struct gossip *g, const struct wire_message *m)
{
    if (g->said.round != m->round || g->said.attempt != m->attempt)
        return;
    for (size_t i = 0; i < g->said.count; i++)
        mail_send(g, m->sender, &g->said.mails[i], NULL, 0);
}

/* Who asks faster than anybody needs to is not answered: one small message
 * would cost us many large ones. */
static bool asks_too_much(struct gossip *g, uint32_t member)
{
    if (g->now_ms >= g->answered[member].since_ms + TICK_MIN_MS) {
        g->answered[member].since_ms = g->now_ms;
        g->answered[member].count = 0;
    }
    return ++g->answered[member].count > ANSWERS_PER_TICK;
}

void recover_answer(struct gossip *g, const struct wire_message *m)
{
    if (m->round <= g->round)
        g->here |= engine_bit(m->sender);
    if (asks_too_much(g, m->sender)) {
        g->dropped++;
        return;
    }
    if (g->phase == PHASE_ENDED) {
        mail_send(g, m->sender, &g->end_mail, NULL, 0);
        return;
    }
    if (m->round > g->round) {
        ask_ahead(g, m->sender);
        return;
    }
    if (m->round < g->round) {
        answer_behind(g, m);
        return;
    }
    if (g->phase == PHASE_FINISHED) {
        send_lacking(g, m->sender, g->done_mail, m->want.dones, m->want.tick);
        return;
    }
    if (g->phase == PHASE_START)
        return;
    settle_answer(g, m);
    if (m->attempt == g->attempt) {
        answer_here(g, m);
        return;
    }
    if (m->attempt > g->attempt) {
        ask_ahead(g, m->sender);
        /* Among several pods absorbing may wait for it: it needs the result. */
        if (g->phase == PHASE_ABSORB && !g->config.check &&
            open_complete(&g->open))
            send_result(g, m, &g->open);
        return;
    }
    answer_said(g, m);
    mail_send(g, m->sender, &g->keys_mail[g->config.self], NULL, 0);
    if (cohort_changes(g)) /* it may have released, and wait for these */
        send_lacking(g, m->sender, g->close_mail, m->want.closes, m->want.tick);
    if (!g->config.check && open_complete(&g->open))
        send_result(g, m, &g->open);
}
