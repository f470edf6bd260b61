#include "gossip/finish.h"

#include <sodium.h>
#include <string.h>

#include "gossip/cohort.h"
#include "gossip/keys.h"
#include "gossip/mail.h"
#include "gossip/record.h"
#include "gossip/round.h"

static void tell_driver(struct gossip *g)
{
    struct gossip_effect *effect;

    if (g->told)
        return;
    g->told = true;
    g->finished_ms = g->now_ms;
    effect = effects_add(&g->effects, GOSSIP_DONE);
    effect->done.reason = g->reason;
    effect->done.state = g->state;
    effect->done.round = g->round;
    effect->done.members = g->end_members;
    effect->done.decline = g->end_decline;
}

static void end(struct gossip *g)
{
    g->phase = PHASE_ENDED;
    g->phase_began_ms = g->now_ms;
    keys_wipe(g);
    round_reset(g);
    sodium_memzero(g->plain, g->config.lanes_max);
    record_end(g);
    mail_send_all(g, &g->end_mail);
    if (g->reason == GOSSIP_DECLINED)
        mail_note(g, GOSSIP_NOTE_DECLINED, g->end_members, g->end_decline,
                  NULL);
    else
        mail_note(g, GOSSIP_NOTE_STOPPED, g->end_members, 0, NULL);
    tell_driver(g);
}

void finish_decline(struct gossip *g, uint32_t decline)
{
    struct wire_message m = {.type = WIRE_DECLINE};

    m.decline.reason = decline;
    g->reason = GOSSIP_DECLINED;
    g->end_members = engine_bit(g->config.self);
    g->end_decline = decline;
    mail_write(g, &g->end_mail, &m);
    end(g);
}

void finish_stop(struct gossip *g, uint64_t missing, enum gossip_reason reason)
{
    struct wire_message m = {.type = WIRE_STOP};

    m.stop.members = missing;
    g->reason = reason;
    g->end_members = missing;
    mail_write(g, &g->end_mail, &m);
    end(g);
}

/* One STOP ends a study whose charter has stopping in it; where some may lie
 * and the others could go on, c + 1 do. */
static bool stops(struct gossip *g, const struct wire_message *m)
{
    bool may_stop =
        g->config.on_loss == GOSSIP_STOP ||
        (g->config.wait_ms != 0 && !(g->config.active && cohort_changes(g)));

    if (g->config.check)
        g->stops |= engine_bit(m->sender);
    return may_stop || engine_count(g->stops) > g->config.colluders;
}

/* The others go on without a site that cannot contribute, if t are left. */
static bool goes_on(struct gossip *g, const struct wire_message *m)
{
    uint64_t bit = engine_bit(m->sender);
    uint32_t left;

    if (!cohort_changes(g) || m->type != WIRE_DECLINE)
        return false;
    if ((g->declined & bit) == 0 && g->phase < PHASE_FINISHED)
        mail_note(g, GOSSIP_NOTE_DECLINED, bit, m->decline.reason, NULL);
    g->declined |= bit;
    left = g->config.members - engine_count(g->declined);
    return left >= g->config.threshold;
}

void finish_receive_end(struct gossip *g, const struct wire_message *m,
                        const uint8_t *head, size_t size, uint32_t from)
{
    if (m->type == WIRE_STOP ? !stops(g, m) : goes_on(g, m)) {
        g->dropped += m->type == WIRE_STOP;
        return;
    }
    if (from < g->config.members)
        g->have_dones |= engine_bit(from);
    if (g->phase == PHASE_ENDED)
        return;
    g->have_dones = from < g->config.members ? engine_bit(from) : 0;
    if (m->type == WIRE_STOP) {
        g->reason = m->stop.members == 0               ? GOSSIP_SPOILED
                    : g->config.on_loss == GOSSIP_STOP ? GOSSIP_STOPPED
                                                       : GOSSIP_TIMED_OUT;
        g->end_members = m->stop.members;
    } else {
        g->reason = GOSSIP_DECLINED;
        g->end_members = engine_bit(m->sender);
        g->end_decline = m->decline.reason;
    }
    mail_keep(&g->end_mail, head, size);
    end(g);
}

/* A DONE that is about our last state counts; another one is told. */
static void count_done(struct gossip *g, uint32_t j)
{
    struct wire_message m;
    const struct mail *mail = &g->done_mail[j];

    if (mail->size == 0 ||
        wire_parse(&m, mail->bytes, mail->size, g->config.members) != 0 ||
        m.round != g->round || (g->have_dones & engine_bit(j)))
        return;
    if (memcmp(m.done.state, g->state_hash, GOSSIP_HASH_BYTES) == 0)
        g->have_dones |= engine_bit(j);
    else
        mail_note(g, GOSSIP_NOTE_DIVERGED, engine_bit(j), 0, NULL);
}

void finish_done(struct gossip *g)
{
    struct wire_message m = {.type = WIRE_DONE, .round = g->round};
    struct mail *mail = &g->done_mail[g->config.self];

    g->phase = PHASE_FINISHED;
    g->phase_began_ms = g->now_ms;
    g->reason = GOSSIP_FINISHED;
    memcpy(m.done.state, g->state_hash, GOSSIP_HASH_BYTES);
    mail_write_at(g, mail, &m);
    for (uint32_t j = 0; j < g->config.members; j++)
        count_done(g, j);
    mail_send_all(g, mail);
    tell_driver(g);
}

void finish_resume(struct gossip *g)
{
    g->phase = PHASE_ENDED;
    mail_send_all(g, &g->end_mail);
    tell_driver(g);
}

void finish_receive_done(struct gossip *g, const struct wire_message *m,
                         const uint8_t *head, size_t size)
{
    uint32_t j = m->sender;

    if (m->round < g->round || g->done_mail[j].size != 0)
        return;
    mail_keep(&g->done_mail[j], head, size);
    if (g->phase == PHASE_FINISHED)
        count_done(g, j);
}

void finish_advance(struct gossip *g)
{
    uint64_t others =
        engine_all(g) & ~engine_bit(g->config.self) & ~g->declined;

    if (g->left || !g->told)
        return;
    if ((others & ~g->have_dones) != 0 &&
        g->now_ms < g->finished_ms + g->config.linger_ms)
        return;
    g->left = true;
    effects_add(&g->effects, GOSSIP_LEAVE);
}

uint64_t finish_wake(const struct gossip *g)
{
    return g->told && !g->left ? g->finished_ms + g->config.linger_ms
                               : UINT64_MAX;
}
