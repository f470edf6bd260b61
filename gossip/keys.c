#include "gossip/keys.h"

#include <sodium.h>
#include <string.h>

#include "gossip/mail.h"

/* H("self", ctx, b): what a rebuilt b is checked against. */
static void commit(uint8_t out[GOSSIP_HASH_BYTES], const struct gossip *g)
{
    uint8_t input[4 + GOSSIP_HASH_BYTES + SHAMIR_BYTES] = {'s', 'e', 'l', 'f'};

    memcpy(input + 4, g->ctx, GOSSIP_HASH_BYTES);
    memcpy(input + 4 + GOSSIP_HASH_BYTES, g->b, SHAMIR_BYTES);
    wire_hash(out, input, sizeof input);
    sodium_memzero(input, sizeof input);
}

static void accept(struct gossip *g, const struct wire_message *m,
                   const uint8_t *head, size_t size)
{
    uint32_t j = m->sender;

    memcpy(g->keys[j].epk, m->keys.epk, X25519_BYTES);
    memcpy(g->keys[j].mpk, m->keys.mpk, X25519_BYTES);
    memcpy(g->keys[j].commit, m->keys.commit, GOSSIP_HASH_BYTES);
    wire_hash(g->keys[j].hash, m->body, m->body_size);
    if (head != g->keys_mail[j].bytes)
        mail_keep(&g->keys_mail[j], head, size);
    g->have_keys |= engine_bit(j);
    g->met |= engine_bit(j);
}

void keys_make(struct gossip *g)
{
    struct wire_message m = {.type = WIRE_KEYS}, said;
    struct mail *mail = &g->keys_mail[g->config.self];

    x25519_generate(&g->epk, &g->prg);
    x25519_generate(&g->mpk, &g->prg);
    prg_bytes(&g->prg, g->b, sizeof g->b);
    memcpy(m.keys.epk, g->epk.open, X25519_BYTES);
    memcpy(m.keys.mpk, g->mpk.open, X25519_BYTES);
    commit(m.keys.commit, g);
    memcpy(m.keys.last, g->last_cert, GOSSIP_HASH_BYTES);
    mail_write(g, mail, &m);
    wire_parse(&said, mail->bytes, mail->size, g->config.members);
    accept(g, &said, mail->bytes, mail->size);
}

/* What was drawn so far cannot be drawn again from what is left in memory. */
static void forget(struct prg *prg)
{
    uint8_t seed[PRG_SEED_BYTES];

    prg_bytes(prg, seed, sizeof seed);
    prg_wipe(prg);
    prg_seed(prg, seed);
    sodium_memzero(seed, sizeof seed);
}

void keys_wipe(struct gossip *g)
{
    sodium_memzero(&g->epk, sizeof g->epk);
    sodium_memzero(&g->mpk, sizeof g->mpk);
    sodium_memzero(g->b, sizeof g->b);
    sodium_memzero(g->shares, sizeof g->shares);
    sodium_memzero(g->secrets, sizeof g->secrets);
    forget(&g->prg);
}

/* Keys that no honest member sends: weak ones, epk = mpk, somebody else's. */
static bool suspicious(const struct gossip *g, const struct wire_message *m)
{
    const uint8_t *epk = m->keys.epk, *mpk = m->keys.mpk;

    if (x25519_is_weak(epk) || x25519_is_weak(mpk) ||
        memcmp(epk, mpk, X25519_BYTES) == 0)
        return true;
    for (uint32_t j = 0; j < g->config.members; j++) {
        if (j == m->sender || (g->have_keys & engine_bit(j)) == 0)
            continue;
        if (memcmp(epk, g->keys[j].epk, X25519_BYTES) == 0 ||
            memcmp(epk, g->keys[j].mpk, X25519_BYTES) == 0 ||
            memcmp(mpk, g->keys[j].epk, X25519_BYTES) == 0 ||
            memcmp(mpk, g->keys[j].mpk, X25519_BYTES) == 0)
            return true;
    }
    return false;
}

void keys_receive(struct gossip *g, const struct wire_message *m,
                  const uint8_t *head, size_t size)
{
    uint8_t hash[GOSSIP_HASH_BYTES];
    uint64_t bit = engine_bit(m->sender);

    wire_hash(hash, m->body, m->body_size);
    if (g->have_keys & bit) {
        if (memcmp(hash, g->keys[m->sender].hash, sizeof hash) == 0 ||
            (g->equivocated & bit))
            return;
        g->equivocated |= bit;
        g->dropped++;
        mail_note(g, GOSSIP_NOTE_EQUIVOCATED, bit, 0, NULL);
        return;
    }
    if (suspicious(g, m)) {
        g->dropped++;
        return;
    }
    accept(g, m, head, size);
}

/* One key per direction: BLAKE2b(key = DH, "share", ctx, from, to). */
static int share_key(uint8_t key[AEAD_KEY_BYTES], const struct gossip *g,
                     uint32_t from, uint32_t to)
{
    uint32_t other = from == g->config.self ? to : from;
    uint8_t dh[X25519_BYTES];
    uint8_t input[8 + GOSSIP_HASH_BYTES + 2] = "share";

    if (x25519_shared(dh, g->epk.secret, g->keys[other].epk) != 0)
        return -1;
    memcpy(input + 8, g->ctx, GOSSIP_HASH_BYTES);
    input[8 + GOSSIP_HASH_BYTES] = (uint8_t)from;
    input[8 + GOSSIP_HASH_BYTES + 1] = (uint8_t)to;
    crypto_generichash(key, AEAD_KEY_BYTES, input, sizeof input, dh, sizeof dh);
    sodium_memzero(dh, sizeof dh);
    return 0;
}

/* Associated data: ctx, from, to. */
static void share_context(uint8_t out[GOSSIP_HASH_BYTES + 2],
                          const struct gossip *g, uint32_t from, uint32_t to)
{
    memcpy(out, g->ctx, GOSSIP_HASH_BYTES);
    out[GOSSIP_HASH_BYTES] = (uint8_t)from;
    out[GOSSIP_HASH_BYTES + 1] = (uint8_t)to;
}

static void share_with(struct gossip *g, uint32_t to,
                       const uint8_t secrets[WIRE_SECRETS_BYTES])
{
    struct wire_message m = {.type = WIRE_SHARES};
    uint8_t key[AEAD_KEY_BYTES], context[GOSSIP_HASH_BYTES + 2];

    if (share_key(key, g, g->config.self, to) != 0)
        return;
    share_context(context, g, g->config.self, to);
    m.shares.to = to;
    aead_seal(m.shares.sealed, secrets, WIRE_SECRETS_BYTES, context,
              sizeof context, key);
    sodium_memzero(key, sizeof key);
    mail_write(g, &g->shares_out[to], &m);
    mail_send(g, to, &g->shares_out[to], NULL, 0);
}

void keys_share(struct gossip *g)
{
    struct shamir_share of_b[GOSSIP_MEMBERS_MAX], of_mask[GOSSIP_MEMBERS_MAX];
    uint8_t secrets[WIRE_SECRETS_BYTES];
    uint32_t n = g->config.members;

    shamir_split(of_b, n, g->config.threshold, g->b, &g->prg);
    shamir_split(of_mask, n, g->config.threshold, g->mpk.secret, &g->prg);
    for (uint32_t j = 0; j < n; j++) {
        memcpy(secrets, of_b[j].y, SHAMIR_BYTES);
        memcpy(secrets + SHAMIR_BYTES, of_mask[j].y, SHAMIR_BYTES);
        if (j == g->config.self)
            memcpy(g->shares[j], secrets, sizeof secrets);
        else
            share_with(g, j, secrets);
    }
    g->have_shares |= engine_bit(g->config.self);
    sodium_memzero(of_b, sizeof of_b);
    sodium_memzero(of_mask, sizeof of_mask);
    sodium_memzero(secrets, sizeof secrets);
}

void keys_receive_shares(struct gossip *g, const struct wire_message *m)
{
    uint64_t bit = engine_bit(m->sender);

    if (m->shares.to != g->config.self || (g->have_shares & bit))
        return;
    memcpy(g->sealed[m->sender], m->shares.sealed, WIRE_SEALED_BYTES);
    g->have_sealed |= bit;
}

void keys_open(struct gossip *g)
{
    uint64_t ready = g->have_sealed & g->have_keys & ~g->have_shares;
    uint8_t key[AEAD_KEY_BYTES], context[GOSSIP_HASH_BYTES + 2];

    for (uint32_t j = 0; j < g->config.members; j++) {
        if ((ready & engine_bit(j)) == 0)
            continue;
        g->have_sealed &= ~engine_bit(j);
        share_context(context, g, j, g->config.self);
        if (share_key(key, g, j, g->config.self) != 0 ||
            aead_open(g->shares[j], g->sealed[j], WIRE_SEALED_BYTES, context,
                      sizeof context, key) != 0)
            g->dropped++;
        else
            g->have_shares |= engine_bit(j);
        sodium_memzero(key, sizeof key);
    }
}

void keys_ack(struct gossip *g)
{
    struct wire_message m = {.type = WIRE_ACK}, said;
    uint32_t self = g->config.self;
    struct mail *mail = &g->acks_mail[self];

    m.ack.members = g->have_keys & g->have_shares & ~g->equivocated;
    for (uint32_t j = 0; j < g->config.members; j++)
        if (m.ack.members & engine_bit(j))
            memcpy(m.ack.keys[j], g->keys[j].hash, GOSSIP_HASH_BYTES);
    mail_write(g, mail, &m);
    wire_parse(&said, mail->bytes, mail->size, g->config.members);
    keys_receive_ack(g, &said, mail->bytes, mail->size);
    mail_send_all(g, mail);
}

void keys_receive_ack(struct gossip *g, const struct wire_message *m,
                      const uint8_t *head, size_t size)
{
    struct ack *ack = &g->acks[m->sender];

    if (g->have_acks & engine_bit(m->sender))
        return;
    ack->members = m->ack.members;
    memcpy(ack->keys, m->ack.keys, sizeof ack->keys);
    wire_hash(ack->hash, m->body, m->body_size);
    if (head != g->acks_mail[m->sender].bytes)
        mail_keep(&g->acks_mail[m->sender], head, size);
    g->have_acks |= engine_bit(m->sender);
}

static bool acknowledges(const struct gossip *g, uint32_t by, uint32_t whom)
{
    return (g->acks[by].members & engine_bit(whom)) &&
           memcmp(g->acks[by].keys[whom], g->keys[whom].hash,
                  GOSSIP_HASH_BYTES) == 0;
}

void keys_value(const struct gossip *g, struct wire_value *value,
                uint64_t senders)
{
    *value = (struct wire_value){.kind = WIRE_V};
    memcpy(value->state, g->state_hash, GOSSIP_HASH_BYTES);
    for (uint32_t i = 0; i < g->config.members; i++) {
        bool in = (senders & g->have_keys & engine_bit(i)) != 0;
        for (uint32_t j = 0; j < g->config.members && in; j++)
            if (senders & engine_bit(j))
                in = acknowledges(g, j, i);
        if (!in)
            continue;
        value->members |= engine_bit(i);
        memcpy(value->keys[i], g->keys[i].hash, GOSSIP_HASH_BYTES);
    }
}
