#include "gossip/settle.h"

#include <string.h>

#include "crypto/lanes.h"
#include "crypto/tree.h"
#include "gossip/attempt.h"
#include "gossip/cohort.h"
#include "gossip/mail.h"
#include "gossip/open.h"

enum { HEAD_BYTES = 1024, SERVERS = 2 };

/* What came from others is theirs to vouch for: we may have sent a vector in a
 * later attempt. */
static bool is_ours(const struct gossip *g)
{
    return g->config.active && g->config.keeps_sum &&
           g->phase == PHASE_ABSORB && g->absorbing_sum && !g->open.taken;
}

void settle_answer(struct gossip *g, const struct wire_message *want)
{
    const struct result *r = &g->open;
    const uint32_t n = g->config.members, to = want->sender;
    struct wire_message m = {
        .type = WIRE_SETTLED, .round = r->round, .attempt = r->attempt};
    struct mail mail = {.capacity = HEAD_BYTES};
    const size_t size = r->length * r->lane;
    const uint32_t turn = (to + 1 + want->want.tick) % n;
    bool serves = (g->config.self + n - turn) % n < SERVERS;

    if (!is_ours(g) || want->want.sums == engine_all(g))
        return;
    mail.bytes = effects_take(&g->effects, mail.capacity);
    if (mail.bytes == NULL)
        return;
    m.settled.members = r->u.members;
    memcpy(m.settled.state, g->state_hash, GOSSIP_HASH_BYTES);
    tree_hash(m.settled.hash, r->lanes, size);
    mail_write_at(g, &mail, &m);
    mail_send(g, to, &mail, serves ? r->lanes : NULL, serves ? size : 0);
}

static void keep(struct gossip *g, const struct wire_message *m)
{
    struct settled *s = &g->settled[m->sender];

    s->known = true;
    s->attempt = m->attempt;
    s->members = m->settled.members;
    memcpy(s->hash, m->settled.hash, sizeof s->hash);
}

static uint32_t same(const struct gossip *g, const struct wire_message *m)
{
    uint32_t count = 0;

    for (uint32_t j = 0; j < g->config.members; j++)
        count +=
            g->settled[j].known && g->settled[j].attempt == m->attempt &&
            g->settled[j].members == m->settled.members &&
            memcmp(g->settled[j].hash, m->settled.hash, GOSSIP_HASH_BYTES) == 0;
    return count;
}

/* What clipping has cut off is known once our vector is made: not before, if it
 * is in the sum. */
static bool may_take(const struct gossip *g, uint64_t members)
{
    bool is_in = members & engine_bit(g->config.self);

    return g->phase == PHASE_OUT ||
           (attempt_runs(g) && !cohort_is_lost(g) &&
            (g->carry == NULL || !is_in || g->has_plain));
}

static void take(struct gossip *g, const struct wire_message *m,
                 const uint8_t *lanes, size_t size)
{
    struct result *r = &g->open;

    open_reset(r);
    r->taken = true;
    r->round = g->round;
    r->attempt = m->attempt;
    r->u.members = m->settled.members;
    r->length = g->shape.length;
    r->lane = lanes_bytes(&g->shape);
    memcpy(r->lanes, lanes, size);
    g->asked = false; /* a vector that comes now is too late, also to decline */
}

void settle_receive(struct gossip *g, const struct wire_message *m,
                    const uint8_t *body, size_t body_size)
{
    uint8_t hash[GOSSIP_HASH_BYTES];
    uint64_t members = m->settled.members;

    if (!g->config.active || !g->config.keeps_sum ||
        (members & engine_bit(m->sender)) == 0 ||
        engine_count(members) < g->config.threshold ||
        memcmp(m->settled.state, g->state_hash, sizeof hash) != 0)
        return;
    keep(g, m);
    if (same(g, m) <= g->config.colluders || !may_take(g, members) ||
        body_size == 0 || body_size != g->shape.length * lanes_bytes(&g->shape))
        return;
    tree_hash(hash, body, body_size);
    if (memcmp(hash, m->settled.hash, sizeof hash) == 0)
        take(g, m, body, body_size);
    else
        g->dropped++;
}
