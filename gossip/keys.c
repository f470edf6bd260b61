#include "gossip/keys.h"

#include <sodium.h>
#include <string.h>

#include "gossip/cohort.h"
#include "gossip/evidence.h"
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
    memcpy(g->keys[j].prepared, m->keys.prepared, GOSSIP_HASH_BYTES);
    memcpy(g->keys[j].of_b, m->keys.of_b, sizeof m->keys.of_b);
    memcpy(g->keys[j].of_msk, m->keys.of_msk, sizeof m->keys.of_msk);
    wire_hash(g->keys[j].hash, m->body, m->body_size);
    if (head != g->keys_mail[j].bytes)
        mail_keep(&g->keys_mail[j], head, size);
    g->have_keys |= engine_bit(j);
    g->met |= engine_bit(j);
}

/* Splits both secrets and says what each share's hash is: whoever releases
 * another one, or deals shares that are none, is found out. */
static void deal(struct gossip *g, struct wire_message *m)
{
    struct shamir_share of_b[GOSSIP_MEMBERS_MAX], of_msk[GOSSIP_MEMBERS_MAX];
    uint32_t n = g->config.members;

    shamir_split(of_b, n, g->config.threshold, g->b, &g->prg);
    shamir_split(of_msk, n, g->config.threshold, g->mpk.secret, &g->prg);
    m->keys.members = n;
    for (uint32_t j = 0; j < n; j++) {
        memcpy(g->deal[j], of_b[j].y, SHAMIR_BYTES);
        memcpy(g->deal[j] + SHAMIR_BYTES, of_msk[j].y, SHAMIR_BYTES);
        keys_share_hash(m->keys.of_b[j], of_b[j].y);
        keys_share_hash(m->keys.of_msk[j], of_msk[j].y);
    }
    sodium_memzero(of_b, sizeof of_b);
    sodium_memzero(of_msk, sizeof of_msk);
}

void keys_share_hash(uint8_t hash[GOSSIP_HASH_BYTES],
                     const uint8_t share[SHAMIR_BYTES])
{
    uint8_t input[5 + SHAMIR_BYTES] = {'s', 'h', 'a', 'r', 'e'};

    memcpy(input + 5, share, SHAMIR_BYTES);
    wire_hash(hash, input, sizeof input);
    sodium_memzero(input, sizeof input);
}

void keys_make(struct gossip *g)
{
    struct wire_message m = {.type = WIRE_KEYS}, said;
    struct mail *mail = &g->keys_mail[g->config.self];

    x25519_generate(&g->epk, &g->prg);
    x25519_generate(&g->mpk, &g->prg);
    prg_bytes(&g->prg, g->b, sizeof g->b);
    deal(g, &m);
    memcpy(m.keys.epk, g->epk.open, X25519_BYTES);
    memcpy(m.keys.mpk, g->mpk.open, X25519_BYTES);
    commit(m.keys.commit, g);
    memcpy(m.keys.prepared, g->prepared, GOSSIP_HASH_BYTES);
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
    sodium_memzero(g->deal, sizeof g->deal);
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
        evidence_two(g, &g->keys_mail[m->sender], head, size);
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

static void share_with(struct gossip *g, uint32_t to)
{
    struct wire_message m = {.type = WIRE_SHARES};
    uint8_t key[AEAD_KEY_BYTES], context[GOSSIP_HASH_BYTES + 2];

    if (share_key(key, g, g->config.self, to) != 0)
        return;
    share_context(context, g, g->config.self, to);
    m.shares.to = to;
    aead_seal(m.shares.sealed, g->deal[to], WIRE_SECRETS_BYTES, context,
              sizeof context, key);
    sodium_memzero(key, sizeof key);
    mail_write(g, &g->shares_out[to], &m);
    mail_send(g, to, &g->shares_out[to], NULL, 0);
}

void keys_share(struct gossip *g)
{
    uint32_t self = g->config.self;

    for (uint32_t j = 0; j < g->config.members; j++)
        if (j != self && (g->have_keys & engine_bit(j)) &&
            g->shares_out[j].size == 0)
            share_with(g, j);
    if (g->have_shares & engine_bit(self))
        return;
    memcpy(g->shares[self], g->deal[self], WIRE_SECRETS_BYTES);
    g->have_shares |= engine_bit(self);
}

void keys_receive_shares(struct gossip *g, const struct wire_message *m)
{
    uint64_t bit = engine_bit(m->sender);

    if (m->shares.to != g->config.self || (g->have_shares & bit))
        return;
    memcpy(g->sealed[m->sender], m->shares.sealed, WIRE_SEALED_BYTES);
    g->have_sealed |= bit;
}

/* What j dealt us is what its KEYS say of it. */
static bool dealt(const struct gossip *g, uint32_t j)
{
    uint8_t of_b[GOSSIP_HASH_BYTES], of_msk[GOSSIP_HASH_BYTES];

    keys_share_hash(of_b, g->shares[j]);
    keys_share_hash(of_msk, g->shares[j] + SHAMIR_BYTES);
    return sodium_memcmp(of_b, g->keys[j].of_b[g->config.self], sizeof of_b) ==
               0 &&
           sodium_memcmp(of_msk, g->keys[j].of_msk[g->config.self],
                         sizeof of_msk) == 0;
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
                      sizeof context, key) != 0 ||
            !dealt(g, j))
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

/* Somebody has told its sender another KEYS than us: now it sees both. */
static void show_other_keys(struct gossip *g, const struct wire_message *m)
{
    uint64_t both = m->ack.members & g->have_keys & ~g->equivocated;

    for (uint32_t j = 0; j < g->config.members; j++)
        if ((both & engine_bit(j)) &&
            memcmp(m->ack.keys[j], g->keys[j].hash, GOSSIP_HASH_BYTES) != 0)
            mail_send(g, m->sender, &g->keys_mail[j], NULL, 0);
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
    show_other_keys(g, m);
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

uint64_t keys_acknowledged(const struct gossip *g)
{
    uint64_t members = 0;

    for (uint32_t j = 0; j < g->config.members; j++)
        if ((g->have_acks & engine_bit(j)) &&
            acknowledges(g, j, g->config.self))
            members |= engine_bit(j);
    return members;
}

uint64_t keys_senders(const struct gossip *g, uint32_t turn)
{
    uint64_t lists[GOSSIP_MEMBERS_MAX] = {0};
    uint64_t senders = g->have_acks & g->have_keys & ~g->equivocated;

    if (!cohort_changes(g))
        return g->have_acks;
    for (uint32_t i = 0; i < g->config.members; i++)
        for (uint32_t j = 0; j < g->config.members; j++)
            if ((senders & engine_bit(i)) && acknowledges(g, i, j))
                lists[i] |= engine_bit(j);
    senders = cohort_agreeing(g, senders, senders, lists, turn);
    if (cohort_kept(g) != 0 && (cohort_kept(g) & ~senders) == 0)
        return cohort_kept(g);
    return senders;
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
        memcpy(value->said[i], g->keys[i].hash, GOSSIP_HASH_BYTES);
    }
}

bool keys_are_of(const struct gossip *g, const struct wire_value *v)
{
    for (uint32_t j = 0; j < g->config.members; j++)
        if ((v->members & engine_bit(j)) &&
            ((g->have_keys & engine_bit(j)) == 0 ||
             memcmp(v->said[j], g->keys[j].hash, GOSSIP_HASH_BYTES) != 0))
            return false;
    return true;
}
