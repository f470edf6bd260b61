#include "gossip/pack.h"

#include <errno.h>
#include <msgpack.h>
#include <string.h>

enum { HEAD_FIELDS = 8 };

static void put_uint(msgpack_packer *p, uint64_t value)
{
    msgpack_pack_uint64(p, value);
}

static void put_bin(msgpack_packer *p, const void *bytes, size_t size)
{
    msgpack_pack_bin(p, size);
    msgpack_pack_bin_body(p, bytes, size);
}

static uint32_t count_bits(uint64_t bits)
{
    uint32_t count = 0;

    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

static void put_table(msgpack_packer *p, const uint8_t *table, size_t width,
                      uint64_t members)
{
    msgpack_pack_bin(p, width * count_bits(members));
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++)
        if (members >> i & 1)
            msgpack_pack_bin_body(p, table + i * width, width);
}

static void put_value(msgpack_packer *p, const struct wire_value *v)
{
    put_uint(p, v->kind);
    put_uint(p, v->members);
    put_table(p, v->said[0], GOSSIP_HASH_BYTES, v->members);
    if (v->kind == WIRE_U)
        put_bin(p, v->hash_v, GOSSIP_HASH_BYTES);
    put_bin(p, v->state, GOSSIP_HASH_BYTES);
}

static void put_propose(msgpack_packer *p, const struct wire_message *m)
{
    bool has_value = m->type != WIRE_LOCK || m->propose.quorum.members != 0;
    bool has_evidence = m->type == WIRE_PROPOSE;
    size_t value = !has_value ? 0 : m->propose.value.kind == WIRE_V ? 4 : 5;

    msgpack_pack_array(p, 5 + value + (has_evidence ? 2 : 0));
    put_uint(p, m->propose.ballot);
    put_uint(p, m->propose.kind);
    put_uint(p, m->propose.quorum.ballot);
    put_uint(p, m->propose.quorum.members);
    put_table(p, m->propose.quorum.signatures[0], IDENTITY_SIGNATURE_BYTES,
              m->propose.quorum.members);
    if (has_value)
        put_value(p, &m->propose.value);
    if (has_evidence) {
        put_uint(p, m->propose.evidence);
        put_table(p, m->propose.hashes[0], GOSSIP_HASH_BYTES,
                  m->propose.evidence);
    }
}

static void put_hello(msgpack_packer *p, const struct wire_message *m)
{
    msgpack_pack_array(p, 3 + 2 * m->hello.field_count);
    put_bin(p, m->hello.program, strlen(m->hello.program));
    put_bin(p, m->hello.charter, GOSSIP_HASH_BYTES);
    put_uint(p, m->hello.field_count);
    for (size_t i = 0; i < m->hello.field_count; i++) {
        const struct gossip_field *field = &m->hello.fields[i];
        put_bin(p, field->name, strlen(field->name));
        put_bin(p, field->hash, sizeof field->hash);
    }
}

static void put_want(msgpack_packer *p, const struct wire_message *m)
{
    msgpack_pack_array(p, 20 + m->want.members);
    put_uint(p, m->want.tick);
    put_uint(p, m->want.finished);
    put_uint(p, m->want.keys);
    put_uint(p, m->want.shares);
    put_uint(p, m->want.acks);
    put_uint(p, m->want.proposed);
    put_uint(p, m->want.certified);
    for (int kind = 0; kind < WIRE_KINDS; kind++) {
        put_uint(p, m->want.ballot[kind]);
        put_uint(p, m->want.prepares[kind]);
        put_uint(p, m->want.commits[kind]);
    }
    put_uint(p, m->want.recvs);
    put_uint(p, m->want.unmasks);
    put_uint(p, m->want.sums);
    put_uint(p, m->want.checks);
    put_uint(p, m->want.closes);
    put_uint(p, m->want.dones);
    put_uint(p, m->want.audits);
    for (uint32_t j = 0; j < m->want.members; j++)
        put_uint(p, m->want.slices[j]);
}

static void put_hashes(msgpack_packer *p, const struct wire_message *m)
{
    switch (m->type) {
    case WIRE_KEYS:
        msgpack_pack_array(p, 6);
        put_bin(p, m->keys.epk, X25519_BYTES);
        put_bin(p, m->keys.mpk, X25519_BYTES);
        put_bin(p, m->keys.commit, GOSSIP_HASH_BYTES);
        put_bin(p, m->keys.prepared, GOSSIP_HASH_BYTES);
        put_bin(p, m->keys.of_b, (size_t)GOSSIP_HASH_BYTES * m->keys.members);
        put_bin(p, m->keys.of_msk, (size_t)GOSSIP_HASH_BYTES * m->keys.members);
        return;
    case WIRE_ACK:
        msgpack_pack_array(p, 2);
        put_uint(p, m->ack.members);
        put_table(p, m->ack.keys[0], GOSSIP_HASH_BYTES, m->ack.members);
        return;
    case WIRE_Y:
        msgpack_pack_array(p, 4);
        put_uint(p, m->y.members);
        put_bin(p, m->y.hash_v, GOSSIP_HASH_BYTES);
        put_bin(p, m->y.state, GOSSIP_HASH_BYTES);
        put_table(p, m->y.slices[0], GOSSIP_HASH_BYTES, m->y.members);
        return;
    case WIRE_RECV:
        msgpack_pack_array(p, 4);
        put_bin(p, m->recv.hash_v, GOSSIP_HASH_BYTES);
        put_bin(p, m->recv.state, GOSSIP_HASH_BYTES);
        put_uint(p, m->recv.members);
        put_table(p, m->recv.ys[0], GOSSIP_HASH_BYTES, m->recv.members);
        return;
    case WIRE_CHECK:
        msgpack_pack_array(p, 3);
        put_bin(p, m->check.cert, GOSSIP_HASH_BYTES);
        put_uint(p, m->check.slices);
        put_table(p, m->check.hashes[0], GOSSIP_HASH_BYTES, m->check.slices);
        return;
    default:
        msgpack_pack_array(p, 3);
        put_bin(p, m->unmask.cert, GOSSIP_HASH_BYTES);
        put_uint(p, m->unmask.members);
        put_table(p, m->unmask.shares[0], SHAMIR_BYTES, m->unmask.members);
    }
}

static void put_body(msgpack_packer *p, const struct wire_message *m)
{
    switch (m->type) {
    case WIRE_HELLO:
        put_hello(p, m);
        return;
    case WIRE_PROPOSE:
    case WIRE_LOCK:
    case WIRE_CERT:
        put_propose(p, m);
        return;
    case WIRE_WANT:
        put_want(p, m);
        return;
    case WIRE_SHARES:
        msgpack_pack_array(p, 2);
        put_uint(p, m->shares.to);
        put_bin(p, m->shares.sealed, WIRE_SEALED_BYTES);
        return;
    case WIRE_PREPARE:
    case WIRE_COMMIT:
        msgpack_pack_array(p, 3);
        put_uint(p, m->vote.kind);
        put_uint(p, m->vote.ballot);
        put_bin(p, m->vote.value, GOSSIP_HASH_BYTES);
        return;
    case WIRE_SUM:
        msgpack_pack_array(p, 3);
        put_uint(p, m->sum.slice);
        put_bin(p, m->sum.cert, GOSSIP_HASH_BYTES);
        put_bin(p, m->sum.hash, GOSSIP_HASH_BYTES);
        return;
    case WIRE_DECLINE:
        msgpack_pack_array(p, 1);
        put_uint(p, m->decline.reason);
        return;
    case WIRE_CLOSE:
        msgpack_pack_array(p, 0);
        return;
    case WIRE_SETTLED:
        msgpack_pack_array(p, 3);
        put_uint(p, m->settled.members);
        put_bin(p, m->settled.state, GOSSIP_HASH_BYTES);
        put_bin(p, m->settled.hash, GOSSIP_HASH_BYTES);
        return;
    case WIRE_STOP:
        msgpack_pack_array(p, 1);
        put_uint(p, m->stop.members);
        return;
    case WIRE_DONE:
    case WIRE_STATE:
        msgpack_pack_array(p, 1);
        put_bin(p, m->done.state, GOSSIP_HASH_BYTES);
        return;
    default:
        put_hashes(p, m);
    }
}

/* The packer's output: a buffer that says when it is full. */
struct buffer {
    uint8_t *bytes;
    size_t size, capacity;
    bool full;
};

static int append(void *data, const char *bytes, size_t size)
{
    struct buffer *b = data;

    if (size > b->capacity - b->size) {
        b->full = true;
        return -1;
    }
    if (size > 0)
        memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
    return 0;
}

int pack_body(uint8_t *out, size_t capacity, size_t *size,
              const struct wire_message *m)
{
    struct buffer b = {.bytes = out, .capacity = capacity};
    msgpack_packer p;

    msgpack_packer_init(&p, &b, append);
    put_body(&p, m);
    *size = b.size;
    return b.full ? -ENOSPC : 0;
}

int pack_head(uint8_t *out, size_t capacity, size_t *size,
              const struct wire_message *m, const uint8_t *body,
              size_t body_size,
              const uint8_t signature[IDENTITY_SIGNATURE_BYTES])
{
    struct buffer b = {.bytes = out, .capacity = capacity};
    msgpack_packer p;

    msgpack_packer_init(&p, &b, append);
    msgpack_pack_array(&p, HEAD_FIELDS);
    put_uint(&p, WIRE_VERSION);
    put_uint(&p, m->type);
    put_uint(&p, m->round);
    put_uint(&p, m->attempt);
    put_uint(&p, m->sender);
    put_bin(&p, body, body_size);
    put_bin(&p, signature, IDENTITY_SIGNATURE_BYTES);
    put_uint(&p, m->parts);
    *size = b.size;
    return b.full ? -ENOSPC : 0;
}
