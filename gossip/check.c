#include "gossip/check.h"

#include <sodium.h>
#include <string.h>

#include "crypto/tree.h"
#include "gossip/evidence.h"
#include "gossip/mail.h"
#include "gossip/members.h"
#include "gossip/open.h"
#include "gossip/recover.h"
#include "gossip/round.h"

enum { ATTEST_PER_DEADLINE = 8, AUDIT_PER_DEADLINE = 4 };

void check_reset(struct gossip *g)
{
    if (g->check == NULL)
        return;
    memset(g->check, 0, sizeof *g->check);
    sodium_memzero(g->audit_lanes, g->config.members * g->slice_max);
}

/* When CHECK is said of less than all that is ours; and when what is neither
 * attested nor, from the next holder, true is summed again. */
static uint64_t attest_at(const struct gossip *g)
{
    return g->opened_ms + g->config.deadline_ms / ATTEST_PER_DEADLINE;
}

static uint64_t audit_at(const struct gossip *g)
{
    return g->opened_ms + g->config.deadline_ms / AUDIT_PER_DEADLINE;
}

static bool same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, GOSSIP_HASH_BYTES) == 0;
}

static bool holds(const struct gossip *g, uint32_t member, uint32_t slice)
{
    const struct wire_value *v = &g->open.v;

    return (v->members & engine_bit(member)) &&
           round_place(v, member, slice) <
               round_copies(g, engine_count(v->members));
}

/* How many holders say that this is the hash of the slice's sum. */
static uint32_t attested(const struct gossip *g, uint32_t slice,
                         const uint8_t *hash)
{
    uint32_t count = 0;

    for (uint32_t j = 0; j < g->config.members; j++)
        count += holds(g, j, slice) &&
                 (g->check->have_checks & engine_bit(j)) &&
                 (g->check->checks[j].slices & engine_bit(slice)) &&
                 same(g->check->checks[j].hashes[slice], hash);
    return count;
}

/* j's CHECK against what we know. */
static void judge_check(struct gossip *g, uint32_t j, uint32_t slice)
{
    const struct check *c = g->check;

    if ((c->truth & c->checks[j].slices & engine_bit(slice)) &&
        !same(c->checks[j].hashes[slice], c->hash[slice]))
        evidence_false(g, j, slice, g->check_mail[j].bytes,
                       g->check_mail[j].size);
}

/* We have added this slice up ourselves: whoever said otherwise lied. */
static void learn(struct gossip *g, uint32_t slice)
{
    struct check *c = g->check;
    struct mail *sum = &g->open.sums[slice];
    size_t first, count;

    round_slice(&first, &count, g->open.length, engine_count(g->open.v.members),
                slice);
    tree_hash(c->hash[slice], g->open.lanes + first * g->open.lane,
              count * g->open.lane);
    c->truth |= engine_bit(slice);
    g->open.have |= engine_bit(slice);
    if (c->heard & engine_bit(slice)) {
        if (same(c->heard_hash[slice], c->hash[slice])) {
            c->fits |= engine_bit(slice);
        } else {
            evidence_false(g, c->heard_from[slice], slice, sum->bytes,
                           sum->size);
            sum->size = 0;
            c->heard &= ~engine_bit(slice);
        }
    }
    for (uint32_t j = 0; j < g->config.members; j++)
        if (c->have_checks & engine_bit(j))
            judge_check(g, j, slice);
}

static bool add_up(struct gossip *g, uint32_t slice)
{
    const uint64_t u = g->open.u.members;
    uint32_t place = round_place(&g->open.v, g->config.self, slice);

    if (holds(g, g->config.self, slice) && (u & ~g->kept_from[place]) == 0) {
        if (!open_sum_slice(g, slice, round_lanes(g, place, 0)))
            return false;
    } else if (g->check->audit == slice + 1 &&
               (u & ~g->check->audit_from) == 0) {
        if (!open_sum_slice(g, slice, g->audit_lanes))
            return false;
    } else {
        return false;
    }
    learn(g, slice);
    return true;
}

/* The SUM that is here is attested: our r->lanes hold it. */
static bool accept(struct gossip *g, uint32_t slice)
{
    struct check *c = g->check;

    if ((c->heard & engine_bit(slice)) == 0 ||
        attested(g, slice, c->heard_hash[slice]) <= g->config.colluders)
        return false;
    g->open.have |= engine_bit(slice);
    c->fits |= engine_bit(slice);
    uint32_t owner = round_member(g->open.v.members, slice);
    if (c->heard_from[slice] != owner)
        mail_note(g, GOSSIP_NOTE_COPY, engine_bit(owner), c->heard_from[slice],
                  NULL);
    return true;
}

/* Our own sum is said if the slice is ours; a copy's if nobody before us has
 * said it by our turn, or somebody has said a false one. */
static bool say(struct gossip *g, uint32_t slice)
{
    struct check *c = g->check;
    uint64_t bit = engine_bit(slice);

    if ((c->spoken & bit) || (c->truth & bit) == 0 || (c->fits & bit) ||
        !holds(g, g->config.self, slice) ||
        (g->now_ms < open_turn(g, slice) && c->lied == 0))
        return false;
    c->spoken |= bit;
    open_say_sum(g, slice);
    return true;
}

static uint64_t ours(const struct gossip *g)
{
    uint64_t slices = 0;

    for (uint32_t a = 0; a < engine_count(g->open.v.members); a++)
        if (holds(g, g->config.self, a))
            slices |= engine_bit(a);
    return slices;
}

static bool attest(struct gossip *g)
{
    struct wire_message m = {.type = WIRE_CHECK}, said;
    struct mail *mail = &g->check_mail[g->config.self];
    struct check *c = g->check;
    uint64_t slices = ours(g) & c->truth;

    if (c->sent || slices == 0 ||
        ((ours(g) & ~c->truth) && g->now_ms < attest_at(g)))
        return false;
    c->sent = true;
    memcpy(m.check.cert, g->open.hash_u, GOSSIP_HASH_BYTES);
    m.check.slices = slices;
    memcpy(m.check.hashes, c->hash, sizeof m.check.hashes);
    mail_write(g, mail, &m);
    wire_parse(&said, mail->bytes, mail->size, g->config.members);
    check_receive(g, &said, mail->bytes, mail->size);
    mail_send_all(g, mail);
    return true;
}

static void begin_audit(struct gossip *g)
{
    uint32_t self = g->config.self;
    size_t first, count;

    g->check->audit_from = 0;
    if (!g->y_sent)
        return;
    round_slice(&first, &count, g->open.length, engine_count(g->open.v.members),
                g->check->audit - 1);
    if (count * g->open.lane > g->slice_max)
        return;
    memcpy(g->audit_lanes + self * g->slice_max,
           g->masked + first * g->open.lane, count * g->open.lane);
    g->check->audit_from = engine_bit(self);
}

/* One slice at a time that is not attested although there was time for it. */
static bool audit(struct gossip *g)
{
    struct check *c = g->check;
    uint32_t n = engine_count(g->open.v.members);

    if (g->now_ms < audit_at(g) ||
        (c->audit != 0 && (g->open.have & engine_bit(c->audit - 1)) == 0))
        return false;
    c->audit = 0;
    for (uint32_t a = 0; a < n && c->audit == 0; a++)
        if ((g->open.have & engine_bit(a)) == 0)
            c->audit = a + 1;
    if (c->audit == 0)
        return false;
    begin_audit(g);
    mail_note(g, GOSSIP_NOTE_AUDIT, 0, c->audit - 1, NULL);
    recover_soon(g);
    return true;
}

bool check_advance(struct gossip *g)
{
    bool moved = false;

    for (uint32_t a = 0; a < engine_count(g->open.v.members); a++) {
        if ((g->open.have & engine_bit(a)) == 0 &&
            (add_up(g, a) || accept(g, a)))
            moved = true;
        moved = say(g, a) || moved;
    }
    moved = attest(g) || moved;
    return audit(g) || moved;
}

uint64_t check_wake(const struct gossip *g)
{
    uint64_t wake = UINT64_MAX, at = attest_at(g);

    if (at <= g->now_ms)
        at = audit_at(g);
    if (at > g->now_ms && !open_complete(&g->open))
        wake = at;
    for (uint32_t a = 0; a < engine_count(g->open.v.members); a++) {
        at = open_turn(g, a);
        if (holds(g, g->config.self, a) && at > g->now_ms && at < wake)
            wake = at;
    }
    return wake;
}

void check_receive_sum(struct gossip *g, const struct wire_message *m,
                       const uint8_t *head, size_t size, const uint8_t *body,
                       size_t body_size)
{
    struct check *c = g->check;
    struct result *r = &g->open;
    uint32_t slice = m->sum.slice;
    uint64_t bit = engine_bit(slice);
    size_t first, count;

    round_slice(&first, &count, r->length, engine_count(r->v.members), slice);
    if (c->truth & bit) {
        if (!same(m->sum.hash, c->hash[slice])) {
            evidence_false(g, m->sender, slice, head, size);
            return;
        }
        c->fits |= bit;
        if (r->sums[slice].size == 0)
            mail_keep(&r->sums[slice], head, size);
        return;
    }
    /* The first one stands, until the holders attest another. */
    if ((r->have & bit) ||
        ((c->heard & bit) &&
         (same(m->sum.hash, c->heard_hash[slice]) ||
          attested(g, slice, m->sum.hash) <= g->config.colluders)))
        return;
    memcpy(r->lanes + first * r->lane, body, body_size);
    mail_keep(&r->sums[slice], head, size);
    r->signers[slice] = engine_bit(m->sender);
    c->heard |= bit;
    c->heard_from[slice] = m->sender;
    memcpy(c->heard_hash[slice], m->sum.hash, GOSSIP_HASH_BYTES);
}

void check_receive(struct gossip *g, const struct wire_message *m,
                   const uint8_t *head, size_t size)
{
    struct check *c = g->check;
    uint32_t j = m->sender;

    if (c == NULL || (c->have_checks & engine_bit(j)) || !g->open.has_u ||
        g->open.attempt != m->attempt || !same(m->check.cert, g->open.hash_u))
        return;
    c->checks[j].slices = m->check.slices;
    memcpy(c->checks[j].hashes, m->check.hashes, sizeof c->checks[j].hashes);
    if (head != g->check_mail[j].bytes)
        mail_keep(&g->check_mail[j], head, size);
    c->have_checks |= engine_bit(j);
    for (uint32_t a = 0; a < engine_count(g->open.v.members); a++)
        judge_check(g, j, a);
}

uint64_t check_audits(const struct gossip *g)
{
    bool open = g->check != NULL && g->check->audit != 0 &&
                (g->open.have & engine_bit(g->check->audit - 1)) == 0;

    return open ? engine_bit(g->check->audit - 1) : 0;
}

/* Of the holders one a tick answers, another one each time. */
void check_answer(struct gossip *g, uint32_t to, uint64_t audits, uint32_t tick)
{
    const struct wire_value *v = &g->agree[WIRE_V].value;
    uint32_t n = engine_count(v->members);

    if (g->check == NULL || !g->agree[WIRE_V].certified || n == 0)
        return;
    for (uint32_t a = 0; a < n; a++) {
        if ((audits & engine_bit(a)) == 0 ||
            (v->members & engine_bit(g->config.self)) == 0 ||
            round_place(v, g->config.self, a) != tick % round_copies(g, n))
            continue;
        for (uint32_t j = 0; j < g->config.members; j++)
            if (j != to)
                round_send_slices(g, to, j, engine_bit(a));
    }
}
