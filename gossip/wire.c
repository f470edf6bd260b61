#include "gossip/wire.h"

#include <msgpack.h>
#include <sodium.h>
#include <string.h>

#include "gossip/scan.h"

/* A chunk: almost every head needs one; scan_check bounds how many. */
enum { UNPACK_BYTES = 4096 };

/* A cursor over the elements of one unpacked array. A wrong type or too few
 * elements sets `bad`, and every later read gives zero. */
struct reader {
    const msgpack_object *at, *end;
    bool bad;
};

static uint64_t read_uint(struct reader *r)
{
    if (r->at == r->end || r->at->type != MSGPACK_OBJECT_POSITIVE_INTEGER) {
        r->bad = true;
        return 0;
    }
    return (r->at++)->via.u64;
}

static uint64_t read_below(struct reader *r, uint64_t bound)
{
    uint64_t value = read_uint(r);

    if (value >= bound) {
        r->bad = true;
        return 0;
    }
    return value;
}

static const uint8_t *read_bin(struct reader *r, size_t *size)
{
    *size = 0;
    if (r->at == r->end || r->at->type != MSGPACK_OBJECT_BIN) {
        r->bad = true;
        return NULL;
    }
    *size = r->at->via.bin.size;
    return (const uint8_t *)(r->at++)->via.bin.ptr;
}

static const uint8_t *read_exactly(struct reader *r, uint8_t *out, size_t size)
{
    size_t found;
    const uint8_t *bytes = read_bin(r, &found);

    if (found != size) {
        r->bad = true;
        return NULL;
    }
    if (bytes != NULL && out != NULL)
        memcpy(out, bytes, size);
    return bytes;
}

static uint64_t all_of(uint32_t members)
{
    return members == 64 ? UINT64_MAX : (UINT64_C(1) << members) - 1;
}

/* A bitmap of members of the pod. */
static uint64_t read_members(struct reader *r, uint32_t members)
{
    uint64_t value = read_uint(r);

    if ((value & ~all_of(members)) != 0) {
        r->bad = true;
        return 0;
    }
    return value;
}

/* One binary with `width` bytes for every bit of `members`, in order; table is
 * indexed by member. */
static void read_table(struct reader *r, uint8_t *table, size_t width,
                       uint64_t members)
{
    size_t size;
    const uint8_t *bytes = read_bin(r, &size);

    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX && !r->bad; i++) {
        if ((members >> i & 1) == 0)
            continue;
        if (size < width) {
            r->bad = true;
            return;
        }
        memcpy(table + i * width, bytes, width);
        bytes += width;
        size -= width;
    }
    if (size != 0)
        r->bad = true;
}

static void read_value(struct reader *r, struct wire_value *v, uint32_t members)
{
    v->kind = (enum wire_kind)read_below(r, WIRE_KINDS);
    v->members = read_members(r, members);
    read_table(r, v->said[0], GOSSIP_HASH_BYTES, v->members);
    if (v->kind == WIRE_U)
        read_exactly(r, v->hash_v, GOSSIP_HASH_BYTES);
    read_exactly(r, v->state, GOSSIP_HASH_BYTES);
}

static void read_quorum(struct reader *r, struct wire_quorum *q,
                        uint32_t members)
{
    q->ballot = (uint32_t)read_below(r, UINT32_MAX);
    q->members = read_members(r, members);
    read_table(r, q->signatures[0], IDENTITY_SIGNATURE_BYTES, q->members);
}

/* A short text for people to read; printable, as it ends on terminals. */
static void read_text(struct reader *r, char *out, size_t capacity)
{
    size_t size;
    const uint8_t *text = read_bin(r, &size);

    if (size >= capacity)
        r->bad = true;
    for (size_t i = 0; i < size && !r->bad; i++) {
        if (text[i] < ' ' || text[i] > '~')
            r->bad = true;
        out[i] = (char)text[i];
    }
}

static void read_hello(struct reader *r, struct wire_message *m)
{
    read_text(r, m->hello.program, sizeof m->hello.program);
    read_exactly(r, m->hello.charter, GOSSIP_HASH_BYTES);
    m->hello.field_count = read_below(r, GOSSIP_FIELDS_MAX + 1);
    for (size_t i = 0; i < m->hello.field_count && !r->bad; i++) {
        struct gossip_field *field = &m->hello.fields[i];
        read_text(r, field->name, sizeof field->name);
        read_exactly(r, field->hash, sizeof field->hash);
    }
}

static void read_propose(struct reader *r, struct wire_message *m,
                         uint32_t members)
{
    m->propose.ballot = (uint32_t)read_below(r, UINT32_MAX);
    m->propose.kind = (enum wire_kind)read_below(r, WIRE_KINDS);
    m->propose.quorum.members = 0;
    read_quorum(r, &m->propose.quorum, members);
    if (m->type != WIRE_LOCK || m->propose.quorum.members != 0)
        read_value(r, &m->propose.value, members);
    if (m->type == WIRE_PROPOSE) {
        m->propose.evidence = read_members(r, members);
        read_table(r, m->propose.hashes[0], GOSSIP_HASH_BYTES,
                   m->propose.evidence);
    }
    if (m->propose.value.kind != m->propose.kind &&
        (m->type != WIRE_LOCK || m->propose.quorum.members != 0))
        r->bad = true;
}

static void read_want(struct reader *r, struct wire_message *m,
                      uint32_t members)
{
    m->want.members = members;
    m->want.tick = (uint32_t)read_below(r, UINT32_MAX);
    m->want.finished = (uint8_t)read_below(r, 2);
    m->want.keys = read_members(r, members);
    m->want.shares = read_members(r, members);
    m->want.acks = read_members(r, members);
    m->want.proposed = (uint8_t)read_below(r, 4);
    m->want.certified = (uint8_t)read_below(r, 4);
    for (int kind = 0; kind < WIRE_KINDS; kind++) {
        m->want.ballot[kind] = (uint32_t)read_below(r, UINT32_MAX);
        m->want.prepares[kind] = read_members(r, members);
        m->want.commits[kind] = read_members(r, members);
    }
    m->want.recvs = read_members(r, members);
    m->want.unmasks = read_members(r, members);
    m->want.sums = read_members(r, members);
    m->want.checks = read_members(r, members);
    m->want.closes = read_members(r, members);
    m->want.dones = read_members(r, members);
    m->want.audits = read_members(r, members);
    for (uint32_t j = 0; j < members; j++)
        m->want.slices[j] = read_members(r, members);
}

static void read_y(struct reader *r, struct wire_message *m, uint32_t members)
{
    m->y.members = read_members(r, members);
    read_exactly(r, m->y.hash_v, GOSSIP_HASH_BYTES);
    read_exactly(r, m->y.state, GOSSIP_HASH_BYTES);
    read_table(r, m->y.slices[0], GOSSIP_HASH_BYTES, m->y.members);
}

static void read_keys(struct reader *r, struct wire_message *m,
                      uint32_t members)
{
    read_exactly(r, m->keys.epk, X25519_BYTES);
    read_exactly(r, m->keys.mpk, X25519_BYTES);
    read_exactly(r, m->keys.commit, GOSSIP_HASH_BYTES);
    read_exactly(r, m->keys.prepared, GOSSIP_HASH_BYTES);
    m->keys.members = members;
    read_table(r, m->keys.of_b[0], GOSSIP_HASH_BYTES, all_of(members));
    read_table(r, m->keys.of_msk[0], GOSSIP_HASH_BYTES, all_of(members));
}

/* What is made of the vectors: RECV, UNMASK, SUM, CHECK. */
static void read_sums(struct reader *r, struct wire_message *m,
                      uint32_t members)
{
    switch (m->type) {
    case WIRE_RECV:
        read_exactly(r, m->recv.hash_v, GOSSIP_HASH_BYTES);
        read_exactly(r, m->recv.state, GOSSIP_HASH_BYTES);
        m->recv.members = read_members(r, members);
        read_table(r, m->recv.ys[0], GOSSIP_HASH_BYTES, m->recv.members);
        break;
    case WIRE_UNMASK:
        read_exactly(r, m->unmask.cert, GOSSIP_HASH_BYTES);
        m->unmask.members = read_members(r, members);
        read_table(r, m->unmask.shares[0], SHAMIR_BYTES, m->unmask.members);
        break;
    case WIRE_SUM:
        m->sum.slice = (uint32_t)read_below(r, members);
        read_exactly(r, m->sum.cert, GOSSIP_HASH_BYTES);
        read_exactly(r, m->sum.hash, GOSSIP_HASH_BYTES);
        break;
    default:
        read_exactly(r, m->check.cert, GOSSIP_HASH_BYTES);
        m->check.slices = read_members(r, members);
        read_table(r, m->check.hashes[0], GOSSIP_HASH_BYTES, m->check.slices);
    }
}

/* Zeros what this type has: of 8 KiB most messages need less than one. */
static void clear(struct wire_message *m)
{
    static const size_t sizes[WIRE_TYPES] = {
        [WIRE_HELLO] = sizeof m->hello,     [WIRE_KEYS] = sizeof m->keys,
        [WIRE_SHARES] = sizeof m->shares,   [WIRE_ACK] = sizeof m->ack,
        [WIRE_PROPOSE] = sizeof m->propose, [WIRE_PREPARE] = sizeof m->vote,
        [WIRE_COMMIT] = sizeof m->vote,     [WIRE_LOCK] = sizeof m->propose,
        [WIRE_CERT] = sizeof m->propose,    [WIRE_Y] = sizeof m->y,
        [WIRE_DECLINE] = sizeof m->decline, [WIRE_RECV] = sizeof m->recv,
        [WIRE_UNMASK] = sizeof m->unmask,   [WIRE_SUM] = sizeof m->sum,
        [WIRE_STOP] = sizeof m->stop,       [WIRE_DONE] = sizeof m->done,
        [WIRE_WANT] = sizeof m->want,       [WIRE_STATE] = sizeof m->done,
        [WIRE_CHECK] = sizeof m->check,     [WIRE_SETTLED] = sizeof m->settled,
    };

    memset((uint8_t *)m + offsetof(struct wire_message, hello), 0,
           sizes[m->type]);
}

static void read_body(struct reader *r, struct wire_message *m,
                      uint32_t members)
{
    clear(m);
    switch (m->type) {
    case WIRE_HELLO:
        read_hello(r, m);
        break;
    case WIRE_KEYS:
        read_keys(r, m, members);
        break;
    case WIRE_SHARES:
        m->shares.to = (uint32_t)read_below(r, members);
        read_exactly(r, m->shares.sealed, WIRE_SEALED_BYTES);
        break;
    case WIRE_ACK:
        m->ack.members = read_members(r, members);
        read_table(r, m->ack.keys[0], GOSSIP_HASH_BYTES, m->ack.members);
        break;
    case WIRE_PROPOSE:
    case WIRE_LOCK:
    case WIRE_CERT:
        read_propose(r, m, members);
        break;
    case WIRE_PREPARE:
    case WIRE_COMMIT:
        m->vote.kind = (enum wire_kind)read_below(r, WIRE_KINDS);
        m->vote.ballot = (uint32_t)read_below(r, UINT32_MAX);
        read_exactly(r, m->vote.value, GOSSIP_HASH_BYTES);
        break;
    case WIRE_Y:
        read_y(r, m, members);
        break;
    case WIRE_DECLINE:
        m->decline.reason = (uint32_t)read_below(r, GOSSIP_DECLINES);
        break;
    case WIRE_RECV:
    case WIRE_UNMASK:
    case WIRE_SUM:
    case WIRE_CHECK:
        read_sums(r, m, members);
        break;
    case WIRE_CLOSE:
        break;
    case WIRE_SETTLED:
        m->settled.members = read_members(r, members);
        read_exactly(r, m->settled.state, GOSSIP_HASH_BYTES);
        read_exactly(r, m->settled.hash, GOSSIP_HASH_BYTES);
        break;
    case WIRE_STOP:
        m->stop.members = read_members(r, members);
        break;
    case WIRE_DONE:
    case WIRE_STATE:
        read_exactly(r, m->done.state, GOSSIP_HASH_BYTES);
        break;
    case WIRE_WANT:
        read_want(r, m, members);
        break;
    case WIRE_TYPES:
        r->bad = true;
    }
    if (r->at != r->end)
        r->bad = true;
}

static void read_head(struct reader *r, struct wire_message *m,
                      uint32_t members)
{
    if (read_uint(r) != WIRE_VERSION)
        r->bad = true;
    m->type = (enum wire_type)read_below(r, WIRE_TYPES);
    m->round = read_uint(r);
    m->attempt = read_uint(r);
    m->sender = (uint32_t)read_below(r, members);
    m->body = read_bin(r, &m->body_size);
    m->signature = read_exactly(r, NULL, IDENTITY_SIGNATURE_BYTES);
    m->parts = read_members(r, members);
    if (r->at != r->end || m->type == 0)
        r->bad = true;
}

/* Unpacks one array; the objects live in `zone`, their bytes in the input. */
static int unpack(struct reader *r, const uint8_t *bytes, size_t size,
                  msgpack_zone *zone)
{
    msgpack_object object;
    size_t offset = 0;

    if (scan_check(bytes, size) != 0)
        return -1;
    if (msgpack_unpack((const char *)bytes, size, &offset, zone, &object) !=
        MSGPACK_UNPACK_SUCCESS)
        return -1;
    if (object.type != MSGPACK_OBJECT_ARRAY || offset != size)
        return -1;
    *r = (struct reader){.at = object.via.array.ptr,
                         .end = object.via.array.ptr + object.via.array.size};
    return 0;
}

int wire_parse(struct wire_message *m, const uint8_t *head, size_t size,
               uint32_t members)
{
    struct reader r;
    msgpack_zone zone;
    int status = -1;

    memset(m, 0, offsetof(struct wire_message, hello));
    if (size == 0 || size > GOSSIP_HEAD_MAX)
        return -1;
    if (!msgpack_zone_init(&zone, UNPACK_BYTES))
        return -1;
    if (unpack(&r, head, size, &zone) != 0)
        goto out;
    read_head(&r, m, members);
    if (r.bad || unpack(&r, m->body, m->body_size, &zone) != 0)
        goto out;
    read_body(&r, m, members);
    status = r.bad ? -1 : 0;
out:
    msgpack_zone_destroy(&zone);
    return status;
}

void wire_hash(uint8_t hash[GOSSIP_HASH_BYTES], const uint8_t *bytes,
               size_t size)
{
    crypto_generichash(hash, GOSSIP_HASH_BYTES, bytes, size, NULL, 0);
}

static void store32(uint8_t out[4], uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static void store64(uint8_t out[8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

void wire_signed(uint8_t out[WIRE_SIGNED_BYTES], const uint8_t *ctx,
                 uint32_t sender, const uint8_t *body, size_t body_size)
{
    memcpy(out, ctx, GOSSIP_HASH_BYTES);
    wire_hash(out + GOSSIP_HASH_BYTES, body, body_size);
    store32(out + (size_t)2 * GOSSIP_HASH_BYTES, sender);
}

static const char *const domains[WIRE_TYPES] = {
    [0] = "starling",
    [WIRE_HELLO] = "starling HELLO",
    [WIRE_KEYS] = "starling KEYS",
    [WIRE_SHARES] = "starling SHARES",
    [WIRE_ACK] = "starling ACK",
    [WIRE_PROPOSE] = "starling PROPOSE",
    [WIRE_PREPARE] = "starling PREPARE",
    [WIRE_COMMIT] = "starling COMMIT",
    [WIRE_LOCK] = "starling LOCK",
    [WIRE_CERT] = "starling CERT",
    [WIRE_Y] = "starling Y",
    [WIRE_DECLINE] = "starling DECLINE",
    [WIRE_RECV] = "starling RECV",
    [WIRE_UNMASK] = "starling UNMASK",
    [WIRE_SUM] = "starling SUM",
    [WIRE_STOP] = "starling STOP",
    [WIRE_DONE] = "starling DONE",
    [WIRE_WANT] = "starling WANT",
    [WIRE_STATE] = "starling STATE",
    [WIRE_CHECK] = "starling CHECK",
    [WIRE_CLOSE] = "starling CLOSE",
    [WIRE_SETTLED] = "starling SETTLED",
};

const char *wire_domain(enum wire_type type)
{
    return domains[type];
}

const char *wire_name(enum wire_type type)
{
    return domains[type] + sizeof "starling";
}

void wire_value_hash(uint8_t hash[GOSSIP_HASH_BYTES],
                     const struct wire_value *value)
{
    crypto_generichash_state h;
    uint8_t head[1 + 8] = {(uint8_t)value->kind};

    store64(head + 1, value->members);
    crypto_generichash_init(&h, NULL, 0, GOSSIP_HASH_BYTES);
    crypto_generichash_update(&h, head, sizeof head);
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++)
        if (value->members >> i & 1)
            crypto_generichash_update(&h, value->said[i], GOSSIP_HASH_BYTES);
    if (value->kind == WIRE_U)
        crypto_generichash_update(&h, value->hash_v, GOSSIP_HASH_BYTES);
    crypto_generichash_update(&h, value->state, GOSSIP_HASH_BYTES);
    crypto_generichash_final(&h, hash, GOSSIP_HASH_BYTES);
}

void wire_ctx(uint8_t ctx[GOSSIP_HASH_BYTES],
              const struct gossip_config *config, uint64_t round,
              uint64_t attempt)
{
    static const uint8_t label[16] = "starling ctx";
    crypto_generichash_state h;
    uint8_t numbers[4 + 4 + 8 + 8];

    store32(numbers, WIRE_VERSION);
    store32(numbers + 4, 0); /* the pod: a study is one pod */
    store64(numbers + 8, round);
    store64(numbers + 16, attempt);
    crypto_generichash_init(&h, NULL, 0, GOSSIP_HASH_BYTES);
    crypto_generichash_update(&h, label, sizeof label);
    crypto_generichash_update(&h, config->network, GOSSIP_HASH_BYTES);
    crypto_generichash_update(&h, config->roster, GOSSIP_HASH_BYTES);
    crypto_generichash_update(&h, config->charter, GOSSIP_HASH_BYTES);
    crypto_generichash_update(&h, numbers, sizeof numbers);
    crypto_generichash_final(&h, ctx, GOSSIP_HASH_BYTES);
}
