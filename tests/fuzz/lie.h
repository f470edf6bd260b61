/* What a liar makes of a message of its own: bytes or fields of the body, or
 * the lanes beside it, changed and signed again with its key. */

#ifndef TESTS_LIE_H
#define TESTS_LIE_H

#include "crypto/tree.h"
#include "fuzz/oath.h"

enum lie_shape { LIE_KIND, LIE_32, LIE_64, LIE_HASHES, LIE_SIGNATURES };

enum { LIE_HEAD_MAX = 4096 /* of a pod of five */ };

/* The fields of bodies; `count` entries of a table, 1 for what is no table. */
struct lie_part {
    uint8_t type, shape, count;
    size_t at;
};

#define LIE_PART(type, shape, count, field)                                    \
    {                                                                          \
        type, shape, count, offsetof(struct wire_message, field)               \
    }
#define LIE_PROPOSE(type)                                                      \
    LIE_PART(type, LIE_32, 1, propose.ballot),                                 \
        LIE_PART(type, LIE_KIND, 1, propose.kind),                             \
        LIE_PART(type, LIE_32, 1, propose.quorum.ballot),                      \
        LIE_PART(type, LIE_64, 1, propose.quorum.members),                     \
        LIE_PART(type, LIE_SIGNATURES, 5, propose.quorum.signatures),          \
        LIE_PART(type, LIE_64, 1, propose.value.members),                      \
        LIE_PART(type, LIE_HASHES, 5, propose.value.said),                     \
        LIE_PART(type, LIE_HASHES, 1, propose.value.hash_v),                   \
        LIE_PART(type, LIE_HASHES, 1, propose.value.state),                    \
        LIE_PART(type, LIE_64, 1, propose.evidence),                           \
        LIE_PART(type, LIE_HASHES, 5, propose.hashes)
#define LIE_VOTE(type)                                                         \
    LIE_PART(type, LIE_KIND, 1, vote.kind),                                    \
        LIE_PART(type, LIE_32, 1, vote.ballot),                                \
        LIE_PART(type, LIE_HASHES, 1, vote.value)

static const struct lie_part lie_parts[] = {
    LIE_PART(WIRE_HELLO, LIE_HASHES, 1, hello.charter),
    LIE_PART(WIRE_KEYS, LIE_HASHES, 2, keys.epk), /* and mpk */
    LIE_PART(WIRE_KEYS, LIE_HASHES, 1, keys.commit),
    LIE_PART(WIRE_KEYS, LIE_HASHES, 1, keys.prepared),
    LIE_PART(WIRE_KEYS, LIE_HASHES, 5, keys.of_b),
    LIE_PART(WIRE_KEYS, LIE_HASHES, 5, keys.of_msk),
    LIE_PART(WIRE_SHARES, LIE_32, 1, shares.to),
    LIE_PART(WIRE_SHARES, LIE_HASHES, 2, shares.sealed),
    LIE_PART(WIRE_ACK, LIE_64, 1, ack.members),
    LIE_PART(WIRE_ACK, LIE_HASHES, 5, ack.keys),
    LIE_PROPOSE(WIRE_PROPOSE),
    LIE_PROPOSE(WIRE_LOCK),
    LIE_PROPOSE(WIRE_CERT),
    LIE_VOTE(WIRE_PREPARE),
    LIE_VOTE(WIRE_COMMIT),
    LIE_PART(WIRE_Y, LIE_64, 1, y.members),
    LIE_PART(WIRE_Y, LIE_HASHES, 1, y.hash_v),
    LIE_PART(WIRE_Y, LIE_HASHES, 1, y.state),
    LIE_PART(WIRE_Y, LIE_HASHES, 5, y.slices),
    LIE_PART(WIRE_DECLINE, LIE_32, 1, decline.reason),
    LIE_PART(WIRE_RECV, LIE_HASHES, 1, recv.hash_v),
    LIE_PART(WIRE_RECV, LIE_HASHES, 1, recv.state),
    LIE_PART(WIRE_RECV, LIE_64, 1, recv.members),
    LIE_PART(WIRE_RECV, LIE_HASHES, 5, recv.ys),
    LIE_PART(WIRE_UNMASK, LIE_HASHES, 1, unmask.cert),
    LIE_PART(WIRE_UNMASK, LIE_64, 1, unmask.members),
    LIE_PART(WIRE_UNMASK, LIE_HASHES, 5, unmask.shares),
    LIE_PART(WIRE_SUM, LIE_32, 1, sum.slice),
    LIE_PART(WIRE_SUM, LIE_HASHES, 2, sum.cert), /* and hash */
    LIE_PART(WIRE_CHECK, LIE_HASHES, 1, check.cert),
    LIE_PART(WIRE_CHECK, LIE_64, 1, check.slices),
    LIE_PART(WIRE_CHECK, LIE_HASHES, 5, check.hashes),
    LIE_PART(WIRE_STOP, LIE_64, 1, stop.members),
    LIE_PART(WIRE_DONE, LIE_HASHES, 1, done.state),
    LIE_PART(WIRE_STATE, LIE_HASHES, 1, done.state),
    LIE_PART(WIRE_SETTLED, LIE_64, 1, settled.members),
    LIE_PART(WIRE_SETTLED, LIE_HASHES, 2, settled.state), /* and hash */
    LIE_PART(WIRE_WANT, LIE_32, 1, want.tick),
    LIE_PART(WIRE_WANT, LIE_32, 1, want.ballot),
    LIE_PART(WIRE_WANT, LIE_64, 3, want.keys), /* and shares, acks */
    LIE_PART(WIRE_WANT, LIE_64, 2, want.prepares),
    LIE_PART(WIRE_WANT, LIE_64, 2, want.commits),
    LIE_PART(WIRE_WANT, LIE_64, 6, want.recvs), /* ... to dones */
    LIE_PART(WIRE_WANT, LIE_64, 1, want.audits),
    LIE_PART(WIRE_WANT, LIE_64, 5, want.slices),
};

/* The newest message of each type and sender, to take from. */
struct lie_heard {
    uint8_t head[LIE_HEAD_MAX];
    size_t size;
};

static struct lie_heard lie_memory[WIRE_TYPES][POD_MAX];

static inline void lie_forget(void)
{
    for (int type = 0; type < WIRE_TYPES; type++)
        for (uint32_t i = 0; i < POD_MAX; i++)
            lie_memory[type][i].size = 0;
}

static inline void lie_remember(const struct pod_message *message)
{
    struct lie_heard *heard = &lie_memory[message->type][message->from];

    if (message->head_size > sizeof heard->head)
        return;
    memcpy(heard->head, message->head, message->head_size);
    heard->size = message->head_size;
}

/* What the liar's signature says it signed. */
static inline void lie_mark(enum wire_type type)
{
    oath.lied = true;
    oath.lied_in_sum =
        oath.lied_in_sum || type == WIRE_SUM || type == WIRE_STATE;
    oath.lied_in_y = oath.lied_in_y || type == WIRE_Y;
}

/* The head of *message becomes *m around `body`, signed by the liar. */
static inline void lie_sign(struct pod *p, struct pod_message *message,
                            struct wire_message *m, const uint8_t *body,
                            size_t body_size)
{
    static uint8_t head[GOSSIP_HEAD_MAX];
    uint8_t ctx[GOSSIP_HASH_BYTES] = {0}, covered[WIRE_SIGNED_BYTES];
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    size_t size;

    m->sender = oath.liar;
    if (m->type != WIRE_HELLO)
        wire_ctx(ctx, &p->config, m->round, m->attempt);
    wire_signed(covered, ctx, m->sender, body, body_size);
    identity_sign(signature, wire_domain(m->type), covered, sizeof covered,
                  p->identities[m->sender].sign_secret);
    if (pack_head(head, sizeof head, &size, m, body, body_size, signature) != 0)
        return;
    lie_mark(m->type);
    free(message->head);
    message->head = pod_copy(head, size);
    message->head_size = size;
}

/* Another time: deed[7], two bits each, and one that turns them back. */
static inline void lie_elsewhen(struct wire_message *m, uint8_t how)
{
    uint64_t rounds = how >> 2 & 3, attempts = how & 3;

    m->round = how & 16 ? m->round - rounds : m->round + rounds;
    m->attempt = how & 16 ? m->attempt - attempts : m->attempt + attempts;
}

/* Any byte of the body. */
static inline void lie_flip(struct pod *p, struct pod_message *message,
                            struct wire_message *m, const uint8_t *deed)
{
    static uint8_t body[GOSSIP_HEAD_MAX];

    if (m->body_size > 0)
        memcpy(body, m->body, m->body_size);
    if (m->body_size > 0)
        body[(deed[4] + 256u * deed[5]) % m->body_size] ^= deed[6];
    lie_elsewhen(m, deed[7]);
    lie_sign(p, message, m, body, m->body_size);
}

static inline uint64_t lie_number(const struct pod *p, uint64_t value,
                                  uint8_t how, uint8_t with)
{
    switch (how % 6) {
    case 0:
        return value ^ UINT64_C(1) << with % 8;
    case 1:
        return with;
    case 2:
        return value + 1;
    case 3:
        return value - 1;
    case 4:
        return (UINT64_C(1) << p->members) - 1;
    default:
        return value & ~(uint64_t)with;
    }
}

/* `width` bytes at each entry; *other is the same table of another message. */
static inline void lie_entry(uint8_t *table, const uint8_t *other, size_t width,
                             size_t count, uint8_t how, uint8_t with)
{
    uint8_t *mine = table + with % count * width;
    uint8_t *next = table + with / 8 % count * width;

    switch (how % 6) {
    case 0:
        mine[with % width] ^= how | 1;
        break;
    case 1:
        memset(mine, 0, width);
        break;
    case 2:
        memmove(mine, next, width);
        break;
    case 3:
        for (size_t i = 0; i < width && mine != next; i++) {
            uint8_t byte = mine[i];
            mine[i] = next[i];
            next[i] = byte;
        }
        break;
    case 4:
        memcpy(mine, other + with % count * width, width);
        break;
    default:
        memcpy(table, other, width * count);
    }
}

static inline void lie_change(const struct pod *p, struct wire_message *m,
                              const struct lie_part *part, uint8_t how,
                              uint8_t with)
{
    static struct wire_message other;
    const struct lie_heard *heard = &lie_memory[m->type][with % p->members];
    uint8_t *at = (uint8_t *)m + part->at;
    uint64_t bits;
    uint32_t number;

    switch (part->shape) {
    case LIE_KIND:
        m->propose.kind ^=
            m->type == WIRE_PREPARE || m->type == WIRE_COMMIT ? 0 : WIRE_U;
        if (m->type == WIRE_PREPARE || m->type == WIRE_COMMIT)
            m->vote.kind ^= WIRE_U;
        else
            m->propose.value.kind = m->propose.kind;
        break;
    case LIE_32:
        memcpy(&number, at, sizeof number);
        number = (uint32_t)lie_number(p, number, how, with);
        memcpy(at, &number, sizeof number);
        break;
    case LIE_64:
        at += how / 8 % part->count * sizeof bits;
        memcpy(&bits, at, sizeof bits);
        bits = lie_number(p, bits, how, with);
        memcpy(at, &bits, sizeof bits);
        break;
    default:
        if (heard->size == 0 ||
            wire_parse(&other, heard->head, heard->size, p->members) != 0)
            other = *m;
        lie_entry(at, (const uint8_t *)&other + part->at,
                  part->shape == LIE_SIGNATURES ? IDENTITY_SIGNATURE_BYTES
                                                : GOSSIP_HASH_BYTES,
                  part->count, how, with);
    }
}

/* One field, everything around it as it has to be. */
static inline void lie_field(struct pod *p, struct pod_message *message,
                             struct wire_message *m, const uint8_t *deed)
{
    static uint8_t body[GOSSIP_HEAD_MAX];
    const struct lie_part *mine[16];
    size_t count = 0, size;

    for (size_t i = 0; i < sizeof lie_parts / sizeof *lie_parts; i++)
        if (lie_parts[i].type == m->type)
            mine[count++] = &lie_parts[i];
    if (count > 0)
        lie_change(p, m, mine[deed[4] % count], deed[5], deed[6]);
    lie_elsewhen(m, deed[7]);
    if (pack_body(body, sizeof body, &size, m) == 0)
        lie_sign(p, message, m, body, size);
}

/* The hashes of a Y's slices that are beside it. */
static inline void lie_hash_slices(struct wire_message *m,
                                   const struct pod_message *message)
{
    uint32_t n = engine_count(m->y.members), rank = 0;
    size_t at = 0;

    for (uint32_t j = 0; j < POD_MAX; j++) {
        if ((m->y.members & engine_bit(j)) == 0)
            continue;
        size_t size = sizeof(uint64_t) *
                      (POD_LENGTH * (rank + 1) / n - POD_LENGTH * rank / n);
        if ((m->parts & engine_bit(rank)) && at + size <= message->body_size) {
            tree_hash(m->y.slices[j], message->body + at, size);
            at += size;
        }
        rank++;
    }
}

/* Lanes, with the hash that goes with them. */
static inline void lie_lanes(struct pod *p, struct pod_message *message,
                             struct wire_message *m, const uint8_t *deed)
{
    static uint8_t body[GOSSIP_HEAD_MAX];
    size_t size;

    if (message->body_size == 0)
        return;
    message->body[(deed[4] + 256u * deed[5]) % message->body_size] ^= deed[6];
    if (deed[7] & 1)
        message->body_size -= deed[4] % message->body_size;
    if (deed[7] & 2)
        m->parts ^= 1u << deed[5] % p->members;
    if (m->type == WIRE_SUM)
        tree_hash(m->sum.hash, message->body, message->body_size);
    if (m->type == WIRE_SETTLED)
        tree_hash(m->settled.hash, message->body, message->body_size);
    if (m->type == WIRE_STATE)
        wire_hash(m->done.state, message->body, message->body_size);
    if (m->type == WIRE_Y)
        lie_hash_slices(m, message);
    if (pack_body(body, sizeof body, &size, m) == 0)
        lie_sign(p, message, m, body, size);
}

#endif
