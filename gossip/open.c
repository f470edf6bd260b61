#include "gossip/open.h"

#include <sodium.h>
#include <string.h>

#include "crypto/lanes.h"
#include "crypto/mask.h"
#include "crypto/tree.h"
#include "gossip/agree.h"
#include "gossip/check.h"
#include "gossip/cohort.h"
#include "gossip/finish.h"
#include "gossip/mail.h"
#include "gossip/members.h"
#include "gossip/rebuild.h"
#include "gossip/record.h"
#include "gossip/round.h"
#include "gossip/share.h"
#include "gossip/vector.h"

enum { TURNS_PER_DEADLINE = 8, STALLS_PER_DEADLINE = 4 };

void open_reset(struct result *r)
{
    r->has_v = r->has_u = r->taken = false;
    r->round = r->attempt = 0;
    r->cert_v.size = r->cert_u.size = 0;
    for (int a = 0; a < GOSSIP_MEMBERS_MAX; a++)
        r->sums[a].size = 0;
    memset(r->signers, 0, sizeof r->signers);
    r->have = 0;
    r->length = r->lane = 0;
}

static void take_value(struct result *r, const struct wire_value *value,
                       const uint8_t *head, size_t size)
{
    if (value->kind == WIRE_V) {
        r->has_v = true;
        r->v = *value;
        wire_value_hash(r->hash_v, value);
        mail_keep(&r->cert_v, head, size);
    } else {
        r->has_u = true;
        r->u = *value;
        wire_value_hash(r->hash_u, value);
        mail_keep(&r->cert_u, head, size);
    }
}

static void start(struct gossip *g, uint64_t attempt)
{
    open_reset(&g->open);
    g->open.round = g->round;
    g->open.attempt = attempt;
    g->open.length = g->shape.length;
    g->open.lane = lanes_bytes(&g->shape);
}

void open_begin(struct gossip *g)
{
    const struct agree *v = &g->agree[WIRE_V], *u = &g->agree[WIRE_U];

    start(g, g->attempt);
    take_value(&g->open, &v->value, v->cert.bytes, v->cert.size);
    take_value(&g->open, &u->value, u->cert.bytes, u->cert.size);
    g->opened_ms = g->now_ms;
}

/* Both certificates are here and belong together. */
static bool certain(const struct result *r)
{
    return r->has_v && r->has_u &&
           memcmp(r->u.hash_v, r->hash_v, GOSSIP_HASH_BYTES) == 0;
}

void open_receive_cert(struct gossip *g, const struct wire_message *m,
                       const uint8_t *head, size_t size)
{
    struct result *r = &g->open;
    bool same = r->attempt == m->attempt && r->length != 0;
    bool known = m->propose.kind == WIRE_V ? r->has_v : r->has_u;

    /* A late certificate of an older attempt must not stop an opening that
     * goes on; one that stalls may give way to a result of another attempt. */
    if (!same && g->phase == PHASE_OPEN && r->attempt == g->attempt &&
        g->now_ms < g->opened_ms + g->config.deadline_ms / STALLS_PER_DEADLINE)
        return;
    /* Only a certified U displaces one: an old V may belong to no result. */
    if ((same && known) || open_complete(r) ||
        (!same && certain(r) && m->propose.kind == WIRE_V) ||
        memcmp(m->propose.value.state, g->state_hash, GOSSIP_HASH_BYTES) != 0)
        return;
    if (agree_check(g, m, WIRE_COMMIT) != 0) {
        g->dropped++;
        return;
    }
    if (!same)
        start(g, m->attempt);
    take_value(r, &m->propose.value, head, size);
}

bool open_complete(const struct result *r)
{
    uint32_t n = engine_count(r->v.members);

    return certain(r) && engine_count(r->have) == n;
}

static int check_range(const struct gossip *g, const uint8_t *lanes,
                       size_t count, uint32_t survivors)
{
    struct fixed_shape part = g->shape;
    size_t at;

    part.length = count;
    return lanes_check_sum(lanes, survivors, &part, &at);
}

void open_receive_sum(struct gossip *g, const struct wire_message *m,
                      const uint8_t *head, size_t size, const uint8_t *body,
                      size_t body_size)
{
    struct result *r = &g->open;
    uint8_t hash[GOSSIP_HASH_BYTES];
    uint32_t n = engine_count(r->v.members);
    size_t first, count;

    if (!certain(r) || r->attempt != m->attempt || m->sum.slice >= n ||
        (!g->config.check && (r->have & engine_bit(m->sum.slice))))
        return;
    round_slice(&first, &count, r->length, n, m->sum.slice);
    tree_hash(hash, body, body_size);
    if ((r->v.members & engine_bit(m->sender)) == 0 ||
        round_place(&r->v, m->sender, m->sum.slice) >= round_copies(g, n) ||
        memcmp(m->sum.cert, r->hash_u, GOSSIP_HASH_BYTES) != 0 ||
        body_size != count * r->lane ||
        memcmp(m->sum.hash, hash, sizeof hash) != 0) {
        g->dropped++;
        return;
    }
    if (g->config.check) {
        check_receive_sum(g, m, head, size, body, body_size);
        return;
    }
    memcpy(r->lanes + first * r->lane, body, body_size);
    if (check_range(g, r->lanes + first * r->lane, count,
                    engine_count(r->u.members)) != 0) {
        g->dropped++;
        return;
    }
    mail_keep(&r->sums[m->sum.slice], head, size);
    r->signers[m->sum.slice] = engine_bit(m->sender);
    r->have |= engine_bit(m->sum.slice);
    uint32_t owner = round_member(r->v.members, m->sum.slice);
    if (m->sender != owner)
        mail_note(g, GOSSIP_NOTE_COPY, engine_bit(owner), m->sender, NULL);
}

/* One slice that is summed, or whose masks are taken off. */
struct opening {
    struct gossip *g;
    const uint8_t *masked; /* NULL: the sum is there already */
    size_t first;          /* element of the slice */
    struct mask masks[GOSSIP_MEMBERS_MAX];
    uint32_t mask_count;
};

static void open_part(void *context, size_t k, size_t from, size_t n)
{
    const struct opening *o = context;
    struct gossip *g = o->g;
    const size_t lane = g->open.lane, first = o->first + from;
    uint8_t *lanes = g->open.lanes + first * lane;

    (void)k;
    if (o->masked != NULL)
        memset(lanes, 0, n * lane);
    for (uint32_t i = 0; i < g->config.members && o->masked != NULL; i++)
        if (g->open.u.members & engine_bit(i))
            lanes_add(lanes, o->masked + i * g->slice_max + from * lane, n,
                      &g->shape);
    mask_apply(lanes, (uint32_t)(8 * lane), first, n, o->masks, o->mask_count);
}

/* Takes the masks between the survivors and the lost off one slice. */
static int unmask_lost(struct gossip *g, size_t first, size_t count)
{
    uint64_t u = g->agree[WIRE_U].value.members;
    uint64_t lost = g->agree[WIRE_V].value.members & ~u;
    struct opening o = {.g = g, .first = first};
    int status = 0;

    for (uint32_t q = 0; q < g->config.members && status == 0; q++) {
        if ((lost & engine_bit(q)) == 0)
            continue;
        o.mask_count = 0;
        for (uint32_t i = 0; i < g->config.members && status == 0; i++)
            if (u & engine_bit(i)) {
                status = vector_seed(o.masks[o.mask_count].seed, g,
                                     g->secrets[q], q, i);
                o.masks[o.mask_count++].minus = i < q;
            }
        if (status == 0)
            share_lanes(g, count, g->open.lane, open_part, &o);
    }
    sodium_memzero(&o, sizeof o);
    return status;
}

bool open_sum_slice(struct gossip *g, uint32_t slice, const uint8_t *masked)
{
    struct result *r = &g->open;
    struct opening o = {.g = g, .masked = masked};
    size_t count;

    round_slice(&o.first, &count, r->length, engine_count(r->v.members), slice);
    for (uint32_t i = 0; i < g->config.members; i++)
        if (r->u.members & engine_bit(i)) {
            o.masks[o.mask_count].minus = true;
            memcpy(o.masks[o.mask_count++].seed, g->secrets[i], PRG_SEED_BYTES);
        }
    share_lanes(g, count, r->lane, open_part, &o);
    size_t first = o.first;
    sodium_memzero(&o, sizeof o);
    return unmask_lost(g, first, count) == 0;
}

/* A slice that we hold, without CHECK: what is out of range we do not say. */
static bool sum_kept(struct gossip *g, uint32_t slice)
{
    struct result *r = &g->open;
    uint32_t n = engine_count(r->v.members);
    uint32_t place = round_place(&r->v, g->config.self, slice);
    size_t first, count;

    round_slice(&first, &count, r->length, n, slice);
    return place < round_copies(g, n) &&
           (r->u.members & ~g->kept_from[place]) == 0 &&
           memcmp(g->kept_v, r->hash_v, GOSSIP_HASH_BYTES) == 0 &&
           open_sum_slice(g, slice, round_lanes(g, place, 0)) &&
           check_range(g, r->lanes + first * r->lane, count,
                       engine_count(r->u.members)) == 0;
}

void open_say_sum(struct gossip *g, uint32_t slice)
{
    struct result *r = &g->open;
    struct wire_message m = {.type = WIRE_SUM};
    uint32_t n = engine_count(r->v.members);
    uint32_t owner = round_member(r->v.members, slice);
    size_t first, count;

    round_slice(&first, &count, r->length, n, slice);
    m.sum.slice = slice;
    memcpy(m.sum.cert, r->hash_u, GOSSIP_HASH_BYTES);
    tree_hash(m.sum.hash, r->lanes + first * r->lane, count * r->lane);
    mail_write(g, &r->sums[slice], &m);
    r->signers[slice] = engine_bit(g->config.self);
    r->have |= engine_bit(slice);
    for (uint32_t j = 0; j < g->config.members; j++)
        mail_send(g, j, &r->sums[slice], r->lanes + first * r->lane,
                  count * r->lane);
    if (owner != g->config.self)
        mail_note(g, GOSSIP_NOTE_COPY, engine_bit(owner), g->config.self, NULL);
}

/* When a slice becomes ours to sum: at once if we own it; a copy when all
 * holders before us are gone, or silent for a turn each. */
uint64_t open_turn(const struct gossip *g, uint32_t slice)
{
    const struct wire_value *v = &g->open.v;
    uint32_t n = engine_count(v->members);
    uint32_t place = round_place(v, g->config.self, slice);
    bool gone = true;

    for (uint32_t k = 0; k < place; k++)
        gone =
            gone && members_gone(g, round_member(v->members, (slice + k) % n));
    if (gone)
        return 0;
    return g->opened_ms + place * (g->config.deadline_ms / TURNS_PER_DEADLINE);
}

bool open_advance(struct gossip *g)
{
    uint32_t n = engine_count(g->open.v.members);
    bool moved = rebuild_advance(g);

    if (!g->rebuilt || g->open.attempt != g->attempt || !certain(&g->open) ||
        (g->open.v.members & engine_bit(g->config.self)) == 0)
        return moved;
    if (g->config.check)
        return check_advance(g) || moved;
    for (uint32_t slice = 0; slice < n; slice++) {
        if ((g->open.have & engine_bit(slice)) ||
            round_place(&g->open.v, g->config.self, slice) >=
                round_copies(g, n) ||
            g->now_ms < open_turn(g, slice) || !sum_kept(g, slice))
            continue;
        open_say_sum(g, slice);
        moved = true;
    }
    return moved;
}

uint64_t open_wake(const struct gossip *g)
{
    uint32_t n = engine_count(g->open.v.members);
    uint64_t wake = UINT64_MAX;

    if (!g->rebuilt || g->open.attempt != g->attempt || !certain(&g->open))
        return wake;
    if (g->config.check)
        return check_wake(g);
    for (uint32_t slice = 0; slice < n; slice++) {
        uint64_t turn = open_turn(g, slice);
        if ((g->open.have & engine_bit(slice)) == 0 && turn > g->now_ms &&
            round_place(&g->open.v, g->config.self, slice) <
                round_copies(g, n) &&
            turn < wake)
            wake = turn;
    }
    return wake;
}

struct decoding {
    struct gossip *g;
    int codes[SHARE_PARTS_MAX];
};

static void decode_part(void *context, size_t k, size_t from, size_t n)
{
    struct decoding *d = context;
    struct gossip *g = d->g;
    struct fixed_shape part = g->shape;
    size_t at;

    part.length = n;
    d->codes[k] =
        lanes_decode(g->values + from, g->open.lanes + from * g->open.lane,
                     engine_count(g->open.u.members), &part, &at);
}

static int decode(struct gossip *g)
{
    struct decoding d = {.g = g};
    int code = 0;

    share_lanes(g, g->shape.length, g->open.lane, decode_part, &d);
    for (size_t k = 0; k < SHARE_PARTS_MAX; k++)
        code = code == 0 ? d.codes[k] : code;
    return code;
}

/* Whoever absorbs a sum sends no vector in a later attempt, so that members of
 * U leave no other sum to be opened. Who is not in U is not missed there: it
 * could open a sum that the others have to try again, and a liar's vector may
 * be another one then. It takes their state. */
static bool is_ours(const struct gossip *g)
{
    return !g->config.active ||
           (g->open.u.members & engine_bit(g->config.self));
}

static void absorb(struct gossip *g)
{
    const struct result *r = &g->open;

    mail_note(g, GOSSIP_NOTE_OPENED, r->u.members, 0, NULL);
    struct gossip_effect *effect = effects_add(&g->effects, GOSSIP_ABSORB);
    effect->absorb.round = g->round + 1;
    effect->absorb.state = g->state;
    effect->absorb.next = g->next;
    effect->absorb.sum = g->values;
    effect->absorb.lanes = r->lanes;
    effect->absorb.length = r->length;
    effect->absorb.survivors = r->u.members;
    cohort_opened(g, g->next, r->u.members);
    g->absorbing = g->round + 1;
    g->absorbing_sum = true;
}

bool open_absorb(struct gossip *g)
{
    const struct result *r = &g->open;

    if (r->round != g->round || cohort_is_lost(g) ||
        !(r->taken || (open_complete(r) && is_ours(g))))
        return false;
    if (decode(g) != 0) {
        /* Checked lanes are what was contributed: it was out of range. */
        if (g->config.check)
            finish_stop(g, 0, GOSSIP_SPOILED);
        return false;
    }
    record_sum(g);
    absorb(g);
    if (r->attempt != g->attempt || g->phase < PHASE_OPEN)
        mail_note(g, GOSSIP_NOTE_CAUGHT_UP, r->signers[0], 0, NULL);
    return true;
}

bool open_resume(struct gossip *g)
{
    const struct result *r = &g->open;
    bool resumes = g->resumes && r->round == g->round &&
                   (r->taken || open_complete(r)) &&
                   r->length == g->shape.length &&
                   r->lane == lanes_bytes(&g->shape) && decode(g) == 0;

    g->resumes = false;
    if (!resumes)
        return false;
    record_take_carry(g);
    absorb(g);
    return true;
}
