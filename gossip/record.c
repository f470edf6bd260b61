#include "gossip/record.h"

#include <assert.h>
#include <string.h>

#include "gossip/mail.h"

enum { RECORD_VERSION = 4, NUMBERS_SIZE = 256 };

/* Little-endian numbers and length-prefixed bytes, one after the other. */
struct cursor {
    uint8_t *at;         /* writing */
    const uint8_t *from; /* reading */
    size_t left;
    bool bad;
};

static void put(struct cursor *c, uint64_t value)
{
    assert(c->left >= 8);
    for (int i = 0; i < 8; i++)
        *c->at++ = (uint8_t)(value >> 8 * i);
    c->left -= 8;
}

static void put_bytes(struct cursor *c, const void *bytes, size_t size)
{
    put(c, size);
    assert(c->left >= size);
    if (size > 0)
        memcpy(c->at, bytes, size);
    c->at += size;
    c->left -= size;
}

static void put_mail(struct cursor *c, const struct mail *mail)
{
    put_bytes(c, mail->bytes, mail->size);
}

static uint64_t get(struct cursor *c)
{
    uint64_t value = 0;

    if (c->left < 8) {
        c->bad = true;
        return 0;
    }
    for (int i = 7; i >= 0; i--)
        value = value << 8 | c->from[i];
    c->from += 8;
    c->left -= 8;
    return value;
}

static const uint8_t *get_bytes(struct cursor *c, size_t *size)
{
    *size = (size_t)get(c);
    if (*size > c->left) {
        c->bad = true;
        *size = 0;
        return NULL;
    }
    const uint8_t *bytes = c->from;
    c->from += *size;
    c->left -= *size;
    return bytes;
}

static void get_exactly(struct cursor *c, void *out, size_t size)
{
    size_t found;
    const uint8_t *bytes = get_bytes(c, &found);

    if (found != size)
        c->bad = true;
    else if (size > 0)
        memcpy(out, bytes, size);
}

static void get_mail(struct cursor *c, struct mail *mail)
{
    size_t size;
    const uint8_t *bytes = get_bytes(c, &size);

    mail->size = 0;
    if (size > mail->capacity)
        c->bad = true;
    else if (size > 0)
        mail_keep(mail, bytes, size);
}

/* A mail that will be sent again as it is: it must still be a message. */
static void get_said(const struct gossip *g, struct cursor *c,
                     struct mail *mail)
{
    struct wire_message m;

    get_mail(c, mail);
    if (!c->bad && mail->size != 0 &&
        wire_parse(&m, mail->bytes, mail->size, g->config.members) != 0)
        c->bad = true;
}

static size_t mail_room(const struct gossip *g)
{
    return g->agree[WIRE_V].proposal_mail.capacity + 8;
}

size_t record_promise_size(const struct gossip *g)
{
    return NUMBERS_SIZE + 10 * mail_room(g);
}

static size_t carry_size(const struct gossip *g)
{
    return g->config.clips ? g->config.length_max * sizeof *g->carry : 0;
}

size_t record_state_size(const struct gossip *g)
{
    return NUMBERS_SIZE + engine_state_size(g) +
           (2 + g->config.members) * mail_room(g) + g->config.lanes_max +
           carry_size(g);
}

size_t record_lanes_at(const struct gossip *g)
{
    const size_t numbers = (size_t)6 * 8; /* version, three more, two sizes */

    return g->config.keeps_sum ? numbers + GOSSIP_HASH_BYTES : 0;
}

size_t record_sum_size(const struct gossip *g)
{
    return record_lanes_at(g) + g->config.lanes_max +
           (g->config.keeps_sum ? (size_t)3 * 8 + carry_size(g) +
                                      (2 + g->config.members) * mail_room(g)
                                : 0);
}

size_t record_carry_at(const struct gossip *g)
{
    const size_t numbers =
        (size_t)7 * 8; /* version, three more, and three sizes */

    return numbers + GOSSIP_HASH_BYTES + engine_state_size(g);
}

static void begin_at(struct gossip *g, struct cursor *c, uint8_t *at,
                     size_t size)
{
    uint8_t study[GOSSIP_HASH_BYTES];

    assert(at != NULL);
    c->at = at;
    c->left = size;
    put(c, RECORD_VERSION);
    wire_ctx(study, &g->config, 0, 0);
    put_bytes(c, study, sizeof study);
}

static void begin(struct gossip *g, struct cursor *c, size_t size)
{
    begin_at(g, c, effects_take(&g->effects, size), size);
}

static void save_at(struct gossip *g, const uint8_t *bytes, size_t size,
                    enum gossip_slot slot)
{
    struct gossip_effect *effect = effects_add(&g->effects, GOSSIP_SAVE);

    effect->save.slot = slot;
    effect->save.bytes = bytes;
    effect->save.size = size;
}

static void save(struct gossip *g, const struct cursor *c, size_t size,
                 enum gossip_slot slot)
{
    uint8_t *bytes = c->at - (size - c->left);

    save_at(g, bytes, size - c->left, slot);
    effects_trim(&g->effects, bytes, size - c->left);
}

void record_promise(struct gossip *g)
{
    size_t size = record_promise_size(g);
    struct cursor c = {0};

    begin(g, &c, size);
    put(&c, g->round);
    put(&c, g->attempt);
    put(&c, g->released);
    put(&c, g->bound);
    put(&c, g->released_attempt);
    put(&c, g->certified);
    put(&c, g->certified_attempt);
    put(&c, g->fresh);
    put_bytes(&c, g->prepared, GOSSIP_HASH_BYTES);
    put_mail(&c, &g->bound_mail);
    put_mail(&c, &g->keys_mail[g->config.self]);
    for (int kind = 0; kind < WIRE_KINDS; kind++) {
        const struct agree *a = &g->agree[kind];
        put_mail(&c, &a->prepare);
        put_mail(&c, &a->commit);
        put_mail(&c, &a->locked);
        put_mail(&c, &a->cert);
    }
    save(g, &c, size, GOSSIP_SLOT_PROMISE);
}

/* What shows that a result is one. */
static void put_heads(struct cursor *c, const struct result *r)
{
    put_mail(c, &r->cert_v);
    put_mail(c, &r->cert_u);
    for (uint32_t a = 0; a < engine_count(r->v.members); a++)
        put_mail(c, &r->sums[a]);
}

void record_sum(struct gossip *g)
{
    struct result *r = &g->open;
    size_t size = record_sum_size(g), lanes = r->length * r->lane;
    struct cursor c = {0};

    if (!g->config.keeps_sum)
        return;
    begin_at(g, &c, g->sum_record, size);
    put(&c, r->round);
    put(&c, r->attempt);
    put(&c, r->length);
    put(&c, lanes);
    assert(c.at == r->lanes);
    c.at += lanes;
    c.left -= lanes;
    put_bytes(&c, g->carry, carry_size(g));
    put(&c, r->taken);
    put(&c, r->u.members);
    if (!r->taken)
        put_heads(&c, r);
    save_at(g, g->sum_record, size - c.left, GOSSIP_SLOT_SUM);
}

void record_state(struct gossip *g)
{
    struct result *r = &g->past;
    size_t size = record_state_size(g);
    bool serves = r->has_u && !g->config.check; /* nobody would take it */
    struct cursor c = {0};

    begin_at(g, &c, g->record, size);
    put(&c, g->round);
    put(&c, g->attempt); /* of an adopted state: where to go on */
    put(&c, g->released);
    put_bytes(&c, g->state, engine_state_size(g));
    if (g->carry != NULL) {
        put(&c, carry_size(g));
        assert(c.at == (uint8_t *)g->carry);
        c.at += carry_size(g);
        c.left -= carry_size(g);
    }
    put(&c, serves);
    if (serves) {
        put(&c, r->round);
        put(&c, r->attempt);
        put_heads(&c, r);
        put(&c, r->length);
        put_bytes(&c, r->lanes, r->length * r->lane);
    }
    r->lanes = serves ? c.at - r->length * r->lane : NULL;
    save_at(g, g->record, size - c.left, GOSSIP_SLOT_STATE);
}

void record_end(struct gossip *g)
{
    size_t size = NUMBERS_SIZE + mail_room(g);
    struct cursor c = {0};

    begin(g, &c, size);
    put(&c, g->reason);
    put(&c, g->end_members);
    put(&c, g->end_decline);
    put_mail(&c, &g->end_mail);
    save(g, &c, size, GOSSIP_SLOT_END);
}

static void load_cert(struct gossip *g, struct cursor *c, struct mail *mail,
                      enum wire_kind kind, struct wire_value *value,
                      uint8_t *hash)
{
    struct wire_message m;

    get_mail(c, mail);
    if (c->bad || wire_parse(&m, mail->bytes, mail->size, g->config.members) ||
        m.type != WIRE_CERT || m.propose.kind != kind) {
        c->bad = true;
        return;
    }
    *value = m.propose.value;
    wire_value_hash(hash, value);
}

/* A sum that was checked may have come without anybody's SUM. */
static void load_heads(struct gossip *g, struct cursor *c, struct result *r)
{
    load_cert(g, c, &r->cert_v, WIRE_V, &r->v, r->hash_v);
    load_cert(g, c, &r->cert_u, WIRE_U, &r->u, r->hash_u);
    for (uint32_t a = 0; a < engine_count(r->v.members) && !c->bad; a++) {
        struct wire_message m;
        get_mail(c, &r->sums[a]);
        r->have |= engine_bit(a);
        if (r->sums[a].size == 0 && g->config.check)
            continue;
        if (c->bad || wire_parse(&m, r->sums[a].bytes, r->sums[a].size,
                                 g->config.members) != 0) {
            c->bad = true;
            return;
        }
        r->signers[a] = engine_bit(m.sender);
    }
    r->has_v = r->has_u = true;
}

static void load_lanes(const struct gossip *g, struct cursor *c,
                       struct result *r, uint8_t *to)
{
    size_t size;
    const uint8_t *lanes = get_bytes(c, &size);

    r->lane = r->length == 0 ? 0 : size / r->length;
    if (c->bad || r->length > g->config.length_max ||
        size > g->config.lanes_max || size != r->length * r->lane) {
        c->bad = true;
        return;
    }
    r->lanes = to;
    memcpy(to, lanes, size);
}

static void load_past(struct gossip *g, struct cursor *c)
{
    struct result *r = &g->past;

    r->round = get(c);
    r->attempt = get(c);
    load_heads(g, c, r);
    r->length = get(c);
    load_lanes(g, c, r, g->record + record_state_size(g) - g->config.lanes_max);
}

/* The carry waits behind the lanes: only a sum of the state's round counts. */
static void load_sum(struct gossip *g, struct cursor *c)
{
    struct result *r = &g->open;

    if (!g->config.keeps_sum) {
        c->bad = true;
        return;
    }
    r->round = get(c);
    r->attempt = get(c);
    r->length = get(c);
    load_lanes(g, c, r, g->sum_record + record_lanes_at(g));
    if (!c->bad)
        get_exactly(c, r->lanes + r->length * r->lane, carry_size(g));
    r->taken = get(c) != 0;
    r->u.members = get(c);
    if (!r->taken)
        load_heads(g, c, r);
    g->resumes = !c->bad;
}

void record_take_carry(struct gossip *g)
{
    const struct result *r = &g->open;

    if (g->carry != NULL)
        memcpy(g->carry, r->lanes + r->length * r->lane, carry_size(g));
}

static void load_state(struct gossip *g, struct cursor *c)
{
    g->round = get(c);
    g->attempt = get(c);
    g->released = get(c) != 0;
    get_exactly(c, g->state, engine_state_size(g));
    if (g->carry != NULL)
        get_exactly(c, g->carry, carry_size(g));
    if (get(c) != 0 && !c->bad)
        load_past(g, c);
}

static void load_promise(struct gossip *g, struct cursor *c)
{
    g->said.round = get(c);
    g->said.attempt = get(c);
    g->said.released = get(c) != 0;
    g->said.bound = get(c);
    g->said.released_attempt = get(c);
    g->said.certified = get(c);
    g->said.certified_attempt = get(c);
    g->said.fresh = get(c) != 0;
    get_exactly(c, g->said.prepared, GOSSIP_HASH_BYTES);
    get_said(g, c, &g->bound_mail);
    g->said.count = sizeof g->said.mails / sizeof *g->said.mails;
    for (size_t i = 0; i < g->said.count; i++)
        get_said(g, c, &g->said.mails[i]);
}

static void load_end(struct gossip *g, struct cursor *c)
{
    uint64_t reason = get(c);

    g->reason = (enum gossip_reason)reason;
    g->end_members = get(c);
    g->end_decline = (uint32_t)get(c);
    get_said(g, c, &g->end_mail);
    if (reason > GOSSIP_SPOILED || reason == GOSSIP_FINISHED ||
        g->end_decline >= GOSSIP_DECLINES || g->end_mail.size == 0)
        c->bad = true;
}

size_t record_evidence_size(const struct gossip *g)
{
    return NUMBERS_SIZE + (size_t)2 * g->config.members * mail_room(g);
}

void record_evidence(struct gossip *g)
{
    size_t size = record_evidence_size(g);
    struct cursor c = {0};

    begin(g, &c, size);
    put(&c, g->accused);
    for (uint32_t j = 0; j < g->config.members; j++) {
        if ((g->accused >> j & 1) == 0)
            continue;
        put_mail(&c, &g->evidence[j].first);
        put_mail(&c, &g->evidence[j].second);
    }
    save(g, &c, size, GOSSIP_SLOT_EVIDENCE);
}

static void load_evidence(struct gossip *g, struct cursor *c)
{
    uint64_t accused = get(c);

    if ((accused & ~engine_all(g)) != 0)
        c->bad = true;
    for (uint32_t j = 0; j < g->config.members && !c->bad; j++) {
        if ((accused >> j & 1) == 0)
            continue;
        get_said(g, c, &g->evidence[j].first);
        get_said(g, c, &g->evidence[j].second);
        if (g->evidence[j].first.size == 0)
            c->bad = true;
    }
    g->accused = c->bad ? 0 : accused;
}

int record_load(struct gossip *g, const struct gossip_record *record)
{
    struct cursor c = {.from = record->bytes, .left = record->size};
    uint8_t ours[GOSSIP_HASH_BYTES], study[GOSSIP_HASH_BYTES] = {0};

    if (get(&c) != RECORD_VERSION)
        return -1;
    wire_ctx(ours, &g->config, 0, 0);
    get_exactly(&c, study, sizeof study);
    if (memcmp(study, ours, sizeof study) != 0)
        return -1;
    switch (record->slot) {
    case GOSSIP_SLOT_STATE:
        load_state(g, &c);
        break;
    case GOSSIP_SLOT_PROMISE:
        load_promise(g, &c);
        break;
    case GOSSIP_SLOT_END:
        load_end(g, &c);
        break;
    case GOSSIP_SLOT_EVIDENCE:
        load_evidence(g, &c);
        break;
    case GOSSIP_SLOT_SUM:
        load_sum(g, &c);
        break;
    default:
        return -1;
    }
    return c.bad || c.left != 0 ? -1 : 0;
}
