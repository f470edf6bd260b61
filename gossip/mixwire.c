#include "gossip/mixwire.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

enum { VERSION = 1 };

const char mixwire_domain[] = "starling mix";

struct cursor {
    uint8_t *at;
    const uint8_t *in;
    size_t left;
    bool failed;
};

static void put(struct cursor *c, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *c->at++ = (uint8_t)(value >> 8 * i);
}

static void put_bytes(struct cursor *c, const void *bytes, size_t size)
{
    memcpy(c->at, bytes, size);
    c->at += size;
}

static uint64_t get(struct cursor *c, size_t size)
{
    uint64_t value = 0;

    if (c->left < size) {
        c->failed = true;
        return 0;
    }
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)c->in[i] << 8 * i;
    c->in += size;
    c->left -= size;
    return value;
}

static void get_bytes(struct cursor *c, void *bytes, size_t size)
{
    if (c->left < size) {
        c->failed = true;
        return;
    }
    memcpy(bytes, c->in, size);
    c->in += size;
    c->left -= size;
}

void mixwire_hash(uint8_t hash[MIXWIRE_HASH_BYTES], const uint64_t *words,
                  size_t count)
{
    crypto_generichash(hash, MIXWIRE_HASH_BYTES, (const uint8_t *)words,
                       count * sizeof *words, NULL, 0);
}

static void put_table(struct cursor *c, uint64_t members, const void *table,
                      size_t size)
{
    put(c, members, 8);
    for (uint32_t j = 0; j < MIXWIRE_MEMBERS_MAX; j++)
        if (members >> j & 1)
            put_bytes(c, (const uint8_t *)table + j * size, size);
}

static uint64_t get_table(struct cursor *c, void *table, size_t size)
{
    uint64_t members = get(c, 8);

    for (uint32_t j = 0; j < MIXWIRE_MEMBERS_MAX; j++)
        if (members >> j & 1)
            get_bytes(c, (uint8_t *)table + j * size, size);
    return members;
}

void mixwire_study(uint8_t study[MIXWIRE_HASH_BYTES],
                   const uint8_t network[MIXWIRE_HASH_BYTES],
                   const uint8_t charter[MIXWIRE_HASH_BYTES])
{
    static const uint8_t label[16] = "starling pods";
    crypto_generichash_state h;

    crypto_generichash_init(&h, NULL, 0, MIXWIRE_HASH_BYTES);
    crypto_generichash_update(&h, label, sizeof label);
    crypto_generichash_update(&h, network, MIXWIRE_HASH_BYTES);
    crypto_generichash_update(&h, charter, MIXWIRE_HASH_BYTES);
    crypto_generichash_final(&h, study, MIXWIRE_HASH_BYTES);
}

void mixwire_value_hash(uint8_t hash[MIXWIRE_HASH_BYTES],
                        const struct mixwire_value *value)
{
    uint8_t bytes[8 + MIXWIRE_MEMBERS_MAX * MIXWIRE_HASH_BYTES];
    struct cursor c = {.at = bytes};

    put_table(&c, value->used, value->hashes, MIXWIRE_HASH_BYTES);
    crypto_generichash(hash, MIXWIRE_HASH_BYTES, bytes, (size_t)(c.at - bytes),
                       NULL, 0);
}

static void put_head(struct cursor *c, const struct mixwire *m)
{
    put(c, VERSION, 1);
    put(c, m->type, 1);
    put(c, m->stage, 2);
    put(c, m->pod, 4);
    put(c, m->sender, 4);
    put(c, m->round, 8);
    put(c, 0, 4);
}

static void put_body(struct cursor *c, const struct mixwire *m)
{
    switch (m->type) {
    case MIXWIRE_OFFER:
        put_bytes(c, m->hash, sizeof m->hash);
        break;
    case MIXWIRE_PROPOSE:
    case MIXWIRE_CERT:
        put(c, m->ballot, 4);
        put(c, m->quorum.ballot, 4);
        put_table(c, m->quorum.members, m->quorum.signatures,
                  IDENTITY_SIGNATURE_BYTES);
        put_table(c, m->value.used, m->value.hashes, MIXWIRE_HASH_BYTES);
        break;
    case MIXWIRE_PREPARE:
    case MIXWIRE_COMMIT:
        put(c, m->ballot, 4);
        put_bytes(c, m->hash, sizeof m->hash);
        break;
    case MIXWIRE_WANT:
        put(c, m->have, 8);
        put(c, m->decided, 1);
        break;
    case MIXWIRE_OVER:
    case MIXWIRE_TYPES:
        break;
    }
}

void mixwire_covered(uint8_t *covered, const struct mixwire *m,
                     const uint8_t *study)
{
    uint8_t bytes[MIXWIRE_MAX];
    struct cursor c = {.at = bytes};

    put_head(&c, m);
    put_body(&c, m);
    crypto_generichash(covered, MIXWIRE_COVERED_BYTES, bytes,
                       (size_t)(c.at - bytes), study, MIXWIRE_HASH_BYTES);
}

size_t mixwire_write(uint8_t *bytes, struct mixwire *m, const uint8_t *study,
                     const uint8_t *secret)
{
    uint8_t covered[MIXWIRE_COVERED_BYTES];
    struct cursor c = {.at = bytes};

    if (secret != NULL) {
        mixwire_covered(covered, m, study);
        identity_sign(m->signature, mixwire_domain, covered, sizeof covered,
                      secret);
    }
    put_head(&c, m);
    put_body(&c, m);
    put_bytes(&c, m->signature, sizeof m->signature);
    assert((size_t)(c.at - bytes) <= MIXWIRE_MAX);
    return (size_t)(c.at - bytes);
}

static void get_body(struct cursor *c, struct mixwire *m)
{
    switch (m->type) {
    case MIXWIRE_OFFER:
        get_bytes(c, m->hash, sizeof m->hash);
        break;
    case MIXWIRE_PROPOSE:
    case MIXWIRE_CERT:
        m->ballot = (uint32_t)get(c, 4);
        m->quorum.ballot = (uint32_t)get(c, 4);
        m->quorum.members =
            get_table(c, m->quorum.signatures, IDENTITY_SIGNATURE_BYTES);
        m->value.used = get_table(c, m->value.hashes, MIXWIRE_HASH_BYTES);
        break;
    case MIXWIRE_PREPARE:
    case MIXWIRE_COMMIT:
        m->ballot = (uint32_t)get(c, 4);
        get_bytes(c, m->hash, sizeof m->hash);
        break;
    case MIXWIRE_WANT:
        m->have = get(c, 8);
        m->decided = get(c, 1) & 1;
        break;
    case MIXWIRE_OVER:
        break;
    default:
        c->failed = true;
    }
}

bool mixwire_claims(const uint8_t *bytes, size_t size)
{
    return size > 0 && bytes[0] == VERSION;
}

int mixwire_parse(struct mixwire *m, const uint8_t *bytes, size_t size)
{
    struct cursor c = {.in = bytes, .left = size};

    if (get(&c, 1) != VERSION)
        return -1;
    m->type = (enum mixwire_type)get(&c, 1);
    m->stage = (uint32_t)get(&c, 2);
    m->pod = (uint32_t)get(&c, 4);
    m->sender = (uint32_t)get(&c, 4);
    m->round = get(&c, 8);
    if (get(&c, 4) != 0)
        return -1;
    get_body(&c, m);
    get_bytes(&c, m->signature, sizeof m->signature);
    return c.failed || c.left != 0 ? -1 : 0;
}
