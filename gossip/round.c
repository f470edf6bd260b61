#include "gossip/round.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "crypto/lanes.h"
#include "crypto/tree.h"
#include "gossip/agree.h"
#include "gossip/cohort.h"
#include "gossip/evidence.h"
#include "gossip/keys.h"
#include "gossip/mail.h"
#include "gossip/record.h"
#include "gossip/share.h"
#include "gossip/survivors.h"
#include "gossip/vector.h"

uint32_t round_rank(uint64_t members, uint32_t member)
{
    return engine_count(members & (engine_bit(member) - 1));
}

uint32_t round_member(uint64_t members, uint32_t rank)
{
    for (; rank > 0; rank--)
        members &= members - 1;
    uint32_t member = 0;
    while ((members >> member & 1) == 0)
        member++;
    return member;
}

uint32_t round_copies(const struct gossip *g, uint32_t slices)
{
    return g->config.copies < slices ? g->config.copies : slices;
}

/* Bytes of a lane in this round. */
static size_t lane_size(const struct gossip *g)
{
    return lanes_bytes(&g->shape);
}

void round_slice(size_t *first, size_t *count, size_t length, uint32_t slices,
                 uint32_t slice)
{
    *first = length * slice / slices;
    *count = length * (slice + 1) / slices - *first;
}

uint64_t round_parts(const struct gossip *g, const struct wire_value *v,
                     uint32_t member)
{
    uint32_t n = engine_count(v->members);
    uint32_t rank = round_rank(v->members, member);
    uint64_t parts = 0;

    if ((v->members & engine_bit(member)) == 0)
        return 0;
    for (uint32_t k = 0; k < round_copies(g, n); k++)
        parts |= engine_bit((rank + n - k) % n);
    return parts;
}

uint32_t round_place(const struct wire_value *v, uint32_t member,
                     uint32_t slice)
{
    uint32_t n = engine_count(v->members);

    return (round_rank(v->members, member) + n - slice) % n;
}

uint8_t *round_lanes(const struct gossip *g, uint32_t place, uint32_t from)
{
    return g->kept + ((size_t)place * g->config.members + from) * g->slice_max;
}

static void unkeep(struct gossip *g, const struct wire_value *v,
                   const uint8_t hash[GOSSIP_HASH_BYTES])
{
    memset(g->kept_from, 0, sizeof g->kept_from);
    memcpy(g->kept_v, hash, GOSSIP_HASH_BYTES);
    g->kept_members = v->members;
    for (uint32_t j = 0; j < g->config.members; j++)
        g->y_mail[j].size = 0;
}

void round_reset(struct gossip *g)
{
    const bool masked = g->y_sent;

    g->y_sent = g->recv_sent = g->unmask_sent = false;
    g->rebuilt = false;
    g->have_secrets = 0;
    g->rebuild_tried = 0;
    g->have_recvs = g->have_unmasks = 0;
    g->kept_members = 0;
    memset(g->kept_v, 0, sizeof g->kept_v);
    memset(g->kept_from, 0, sizeof g->kept_from);
    for (uint32_t j = 0; j < g->config.members; j++) {
        g->y_mail[j].size = g->y_other[j].size = 0;
        g->recv_mail[j].size = 0;
        g->unmask_mail[j].size = 0;
        sodium_memzero(&g->unmasks[j], sizeof g->unmasks[j]);
    }
    if (masked)
        sodium_memzero(g->masked, g->config.lanes_max);
    for (uint32_t k = 0; k < g->config.copies * g->config.members; k++)
        sodium_memzero(g->kept + k * g->slice_max, g->kept_most);
    g->kept_most = 0;
}

static void keep(struct gossip *g, uint32_t place, uint32_t from,
                 const uint8_t *lanes, size_t size)
{
    if (size > g->slice_max) /* of a V that no honest member has */
        return;
    memcpy(round_lanes(g, place, from), lanes, size);
    g->kept_most = size > g->kept_most ? size : g->kept_most;
    g->kept_from[place] |= engine_bit(from);
}

static void keep_own(struct gossip *g, const struct wire_value *v)
{
    uint32_t n = engine_count(v->members), self = g->config.self;

    for (uint32_t place = 0; place < round_copies(g, n); place++) {
        uint32_t slice = (round_rank(v->members, self) + n - place) % n;
        size_t first, count;
        round_slice(&first, &count, g->shape.length, n, slice);
        keep(g, place, self, g->masked + first * lane_size(g),
             count * lane_size(g));
    }
}

/* H(Y) of what member j signed. */
static void hash_y(struct gossip *g, uint32_t j)
{
    struct wire_message m;
    int status = wire_parse(&m, g->y_mail[j].bytes, g->y_mail[j].size,
                            g->config.members);

    assert(status == 0);
    wire_hash(g->y_hash[j], m.body, m.body_size);
}

struct hashing {
    const struct gossip *g;
    struct wire_message *m;
};

static void hash_slice(void *context, size_t k)
{
    const struct hashing *h = context;
    const struct gossip *g = h->g;
    uint64_t members = h->m->y.members;
    size_t first, count;

    round_slice(&first, &count, g->shape.length, engine_count(members),
                (uint32_t)k);
    tree_hash(h->m->y.slices[round_member(members, (uint32_t)k)],
              g->masked + first * lane_size(g), count * lane_size(g));
}

static void send_y(struct gossip *g)
{
    const struct agree *v = &g->agree[WIRE_V];
    struct wire_message m = {.type = WIRE_Y};
    uint32_t n = engine_count(v->value.members), self = g->config.self;

    if (memcmp(g->kept_v, v->hash, GOSSIP_HASH_BYTES) != 0)
        unkeep(g, &v->value, v->hash);
    m.y.members = v->value.members;
    memcpy(m.y.hash_v, v->hash, GOSSIP_HASH_BYTES);
    memcpy(m.y.state, g->state_hash, GOSSIP_HASH_BYTES);
    share_each(g, n, g->shape.length * lane_size(g), hash_slice,
               &(struct hashing){g, &m});
    keep_own(g, &v->value);
    mail_write(g, &g->y_mail[self], &m);
    hash_y(g, self);
    record_promise(g);
    for (uint32_t j = 0; j < g->config.members; j++)
        if (j != self)
            round_send_slices(g, j, self, round_parts(g, &v->value, j));
    mail_note(g, GOSSIP_NOTE_Y, 0, 0, NULL);
}

/* Lanes of slice a of j's Y, that are here. */
static const uint8_t *slice_of(const struct gossip *g, uint32_t j, uint32_t a,
                               size_t *size)
{
    const struct wire_value *v = &g->agree[WIRE_V].value;
    size_t first, count;

    round_slice(&first, &count, g->shape.length, engine_count(v->members), a);
    *size = count * lane_size(g);
    return j == g->config.self
               ? g->masked + first * lane_size(g)
               : round_lanes(g, round_place(v, g->config.self, a), j);
}

void round_send_slices(struct gossip *g, uint32_t to, uint32_t j,
                       uint64_t parts)
{
    const struct wire_value *v = &g->agree[WIRE_V].value;
    uint32_t n = engine_count(v->members), self = g->config.self;
    const uint8_t *lanes = NULL, *next = NULL;
    size_t size = 0, part;
    bool in_row = true;

    parts &= j == self ? UINT64_MAX : round_kept(g, j);
    if (parts == 0 || g->y_mail[j].size == 0)
        return;
    for (uint32_t a = 0; a < n; a++) {
        if ((parts & engine_bit(a)) == 0)
            continue;
        const uint8_t *at = slice_of(g, j, a, &part);
        in_row = in_row && (next == NULL || next == at);
        lanes = lanes == NULL ? at : lanes;
        next = at + part;
        size += part;
    }
    if (in_row) { /* they stay until the next step */
        mail_send_parts(g, to, &g->y_mail[j], parts, lanes, size);
        return;
    }
    uint8_t *body = effects_take(&g->effects, size);
    if (body == NULL)
        return;
    size = 0;
    for (uint32_t a = 0; a < n; a++)
        if (parts & engine_bit(a)) {
            lanes = slice_of(g, j, a, &part);
            memcpy(body + size, lanes, part);
            size += part;
        }
    mail_send_parts(g, to, &g->y_mail[j], parts, body, size);
}

uint64_t round_kept(const struct gossip *g, uint32_t j)
{
    uint32_t n = engine_count(g->kept_members);
    uint64_t parts = 0;

    if ((g->kept_members & engine_bit(g->config.self)) == 0)
        return 0;
    for (uint32_t place = 0; place < round_copies(g, n); place++)
        if (g->kept_from[place] & engine_bit(j))
            parts |= engine_bit(
                (round_rank(g->kept_members, g->config.self) + n - place) % n);
    return parts;
}

/* V as far as we may keep slices under it: certified, or PREPAREd by us. */
static const struct wire_value *value_under(const struct gossip *g,
                                            const uint8_t *hash)
{
    const struct agree *a = &g->agree[WIRE_V];
    const struct wire_value *v = agree_prepared(g, WIRE_V);

    if (a->certified)
        return memcmp(a->hash, hash, GOSSIP_HASH_BYTES) == 0 ? &a->value : NULL;
    if (v != NULL && memcmp(a->proposal_hash, hash, GOSSIP_HASH_BYTES) == 0)
        return v;
    return NULL;
}

static void keep_slices(struct gossip *g, const struct wire_message *m,
                        const struct wire_value *v, const uint8_t *body)
{
    uint32_t n = engine_count(v->members);

    for (uint32_t a = 0; a < n; a++) {
        uint8_t hash[GOSSIP_HASH_BYTES];
        uint32_t place = round_place(v, g->config.self, a);
        size_t first, count;
        if ((m->parts & engine_bit(a)) == 0)
            continue;
        round_slice(&first, &count, g->shape.length, n, a);
        const size_t size = count * lane_size(g);
        tree_hash(hash, body, size);
        bool right = memcmp(hash, m->y.slices[round_member(v->members, a)],
                            sizeof hash) == 0;
        if (right && place < round_copies(g, n)) {
            keep(g, place, m->sender, body, size);
        }
        if (right && g->config.check && g->check->audit == a + 1 &&
            size <= g->slice_max) {
            memcpy(g->audit_lanes + m->sender * g->slice_max, body, size);
            g->check->audit_from |= engine_bit(m->sender);
        }
        body += size;
    }
}

/* Not another Y of j than the one that U fixes. */
static bool certified_y(const struct gossip *g, uint32_t j, const uint8_t *hash)
{
    const struct agree *u = &g->agree[WIRE_U];

    return !u->certified || (u->value.members & engine_bit(j)) == 0 ||
           memcmp(u->value.said[j], hash, GOSSIP_HASH_BYTES) == 0;
}

void round_receive_y(struct gossip *g, const struct wire_message *m,
                     const uint8_t *head, size_t size, const uint8_t *body,
                     size_t body_size)
{
    const struct wire_value *v = value_under(g, m->y.hash_v);
    struct mail *mail = &g->y_mail[m->sender];
    size_t expected = 0, first, count;
    uint8_t hash[GOSSIP_HASH_BYTES];
    uint32_t n;

    if (v == NULL || m->y.members != v->members ||
        (v->members & engine_bit(m->sender)) == 0 ||
        memcmp(m->y.state, g->state_hash, GOSSIP_HASH_BYTES) != 0) {
        g->dropped++;
        return;
    }
    n = engine_count(v->members);
    for (uint32_t a = 0; a < n; a++) {
        round_slice(&first, &count, g->shape.length, n, a);
        expected += m->parts & engine_bit(a) ? count * lane_size(g) : 0;
    }
    if (expected != body_size || (n < 64 && m->parts >> n != 0)) {
        g->dropped++;
        return;
    }
    if (memcmp(g->kept_v, m->y.hash_v, GOSSIP_HASH_BYTES) != 0)
        unkeep(g, v, m->y.hash_v);
    wire_hash(hash, m->body, m->body_size);
    if (mail->size == 0) { /* the first Y of a member stands, until U */
        if (!certified_y(g, m->sender, hash)) {
            g->dropped++;
            return;
        }
        evidence_two(g, &g->y_other[m->sender], head, size);
        mail_keep(mail, head, size);
        memcpy(g->y_hash[m->sender], hash, sizeof hash);
    } else if (memcmp(g->y_hash[m->sender], hash, sizeof hash) != 0) {
        g->dropped++;
        evidence_compare(g, m, head, size);
        return;
    }
    keep_slices(g, m, v, body);
}

void round_certified(struct gossip *g)
{
    for (uint32_t j = 0; j < g->config.members; j++) {
        if (g->y_mail[j].size == 0 || certified_y(g, j, g->y_hash[j]))
            continue;
        mail_keep(&g->y_other[j], g->y_mail[j].bytes, g->y_mail[j].size);
        g->y_mail[j].size = 0;
        for (uint32_t place = 0; place < g->config.copies; place++)
            g->kept_from[place] &= ~engine_bit(j);
    }
}

uint64_t round_arrived(const struct gossip *g)
{
    uint64_t arrived = g->kept_members;
    uint32_t n = engine_count(g->kept_members);

    for (uint32_t place = 0; place < round_copies(g, n); place++)
        arrived &= g->kept_from[place];
    return arrived;
}

bool round_v_is_ours(const struct gossip *g)
{
    const struct agree *v = &g->agree[WIRE_V];

    return v->certified && (v->value.members & engine_bit(g->config.self)) &&
           memcmp(v->value.state, g->state_hash, GOSSIP_HASH_BYTES) == 0 &&
           keys_are_of(g, &v->value);
}

bool round_contribute(struct gossip *g)
{
    const struct agree *v = &g->agree[WIRE_V];

    if (!round_v_is_ours(g))
        return false;
    if (!g->y_sent && g->has_plain && cohort_may_try(g, v->value.members)) {
        if (vector_mask(g, &v->value) != 0)
            return false;
        g->y_sent = true;
        send_y(g);
        return true;
    }
    if (g->y_sent && !g->recv_sent &&
        cohort_ready(g, v->value.members, round_arrived(g)) &&
        memcmp(g->kept_v, v->hash, GOSSIP_HASH_BYTES) == 0) {
        g->recv_sent = true;
        survivors_report(g);
        return true;
    }
    return false;
}
