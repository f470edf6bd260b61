#include "gossip/receive.h"

#include <string.h>

#include "gossip/adopt.h"
#include "gossip/agree.h"
#include "gossip/attempt.h"
#include "gossip/check.h"
#include "gossip/cohort.h"
#include "gossip/evidence.h"
#include "gossip/finish.h"
#include "gossip/keys.h"
#include "gossip/mail.h"
#include "gossip/members.h"
#include "gossip/open.h"
#include "gossip/recover.h"
#include "gossip/round.h"
#include "gossip/settle.h"
#include "gossip/survivors.h"

/* No member restarts that often between two messages. */
enum { ATTEMPTS_AHEAD_MAX = 1 << 20 };

/* KEYS of an attempt or round to come: kept, and the sign to move on for a
 * member that may follow. */
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
    if (m->round == g->round && attempt_may_follow(g) &&
        attempt_newest(g, g->attempt) > g->attempt)
        attempt_begin(g, attempt_newest(g, g->attempt));
}

/* What makes up a result. After a restart our own part of one comes back. With
 * CHECK nobody takes one from others: a signed SUM may be false. */
static bool is_result(const struct gossip *g, const struct wire_message *m)
{
    return !g->config.check && (m->type == WIRE_CERT || m->type == WIRE_SUM);
}

/* Worth a signature check: of the attempt under way, or about a result of this
 * round, or of a kind that stands outside attempts. */
static bool relevant(const struct gossip *g, const struct wire_message *m)
{
    bool under_way = attempt_runs(g);
    bool out = g->phase == PHASE_OUT;

    switch (m->type) {
    case WIRE_HELLO:
    case WIRE_WANT:
    case WIRE_DONE:
    case WIRE_STATE:
    case WIRE_STOP:
    case WIRE_DECLINE:
        return true;
    default:
        return m->round == g->round &&
               ((under_way && m->attempt == g->attempt) ||
                ((under_way || out) && is_result(g, m)) ||
                m->type == WIRE_CLOSE || m->type == WIRE_SETTLED ||
                (cohort_changes(g) && m->type == WIRE_CERT &&
                 m->attempt < g->attempt));
    }
}

static void receive_cert(struct gossip *g, const struct wire_message *m,
                         const uint8_t *head, size_t size)
{
    /* Before our ACK there is no V: we lost our disk, this is a result. */
    if (m->attempt == g->attempt && g->phase >= PHASE_V) {
        agree_receive_cert(g, m);
        return;
    }
    if (m->attempt < g->attempt)
        cohort_receive_cert(g, m);
    if (is_result(g, m))
        open_receive_cert(g, m, head, size);
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
        evidence_compare(g, m, head, size);
        agree_receive_vote(g, m);
        break;
    case WIRE_LOCK:
        agree_receive_lock(g, m);
        break;
    case WIRE_Y:
        round_receive_y(g, m, head, size, body, body_size);
        break;
    case WIRE_RECV:
        survivors_receive_recv(g, m, head, size);
        break;
    case WIRE_UNMASK:
        survivors_receive_unmask(g, m, head, size);
        break;
    case WIRE_CERT:
        receive_cert(g, m, head, size);
        break;
    case WIRE_SUM:
        open_receive_sum(g, m, head, size, body, body_size);
        break;
    case WIRE_CHECK:
        check_receive(g, m, head, size);
        break;
    case WIRE_CLOSE:
        cohort_receive_close(g, m, head, size);
        break;
    case WIRE_SETTLED:
        settle_receive(g, m, body, body_size);
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
        return !g->config.check && g->open.attempt == g->attempt &&
               (g->open.have & engine_bit(m->sum.slice));
    case WIRE_CHECK:
        return g->check != NULL && (g->check->have_checks & bit);
    default:
        return false;
    }
}

/* A SUM that is known to be true, or one more of the hash that is. */
static bool known_sum(const struct gossip *g, const struct wire_message *m)
{
    const struct check *c = g->check;

    return c != NULL && m->type == WIRE_SUM && m->round == g->round &&
           m->attempt == g->attempt &&
           (c->truth & c->fits & engine_bit(m->sum.slice)) &&
           memcmp(m->sum.hash, c->hash[m->sum.slice], GOSSIP_HASH_BYTES) == 0;
}

void receive_message(struct gossip *g, const struct gossip_event *e)
{
    struct wire_message *m = &g->incoming;
    const uint8_t *head = e->received.head;
    size_t size = e->received.head_size;

    if (wire_parse(m, head, size, g->config.members) != 0 ||
        (m->sender == g->config.self && !is_result(g, m)) ||
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
    if (!relevant(g, m) || known_sum(g, m))
        return;
    if (already_here(g, m)) {
        evidence_compare(g, m, head, size);
        return;
    }
    if (agree_is_late(g, m)) {
        evidence_compare(g, m, head, size);
        agree_receive_vote(g, m);
        return;
    }
    if (mail_verify(g, m) != 0) {
        g->dropped++;
        return;
    }
    switch (m->type) {
    case WIRE_HELLO: /* no ctx binds it to this study, so nobody passes it on */
        if (e->received.from == m->sender)
            members_receive_hello(g, m);
        else
            g->dropped++;
        break;
    case WIRE_WANT: /* nobody relays one: a replay would multiply */
        if (e->received.from == m->sender)
            recover_answer(g, m);
        break;
    case WIRE_STATE: /* nor this: an old one would lead back */
        if (e->received.from == m->sender)
            adopt_receive(g, m, e->received.body, e->received.body_size);
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
