/* libFuzzer: whole runs of a small pod in which one member lies under its own
 * signature, the network loses, repeats and delays, and members die and return
 * with what they saved, damaged if the input says so.
 *
 * Byte 0: the pod (bit 0: five active members that continue, else four
 * semi-honest that wait; bit 1: the other on_loss; bit 2: CHECK; bit 3: two
 * rounds). Byte 1: the liar. Then deeds of DEED bytes each: what, on which
 * message, with which numbers.
 *
 * Signatures are keyed hashes here, and Diffie-Hellman a hash of both public
 * keys: the linker wraps them (CMakeLists.txt). They keep what the protocol
 * needs (only the key's owner is asked to sign, both sides agree) and are worth
 * nothing else; step_fuzz has the real ones, and a tenth of the runs. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/forge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tag(uint8_t signature[IDENTITY_SIGNATURE_BYTES], const char *domain,
                const uint8_t *message, size_t size,
                const uint8_t key[IDENTITY_KEY_BYTES])
{
    crypto_generichash_state h;

    crypto_generichash_init(&h, key, IDENTITY_KEY_BYTES,
                            IDENTITY_SIGNATURE_BYTES);
    crypto_generichash_update(&h, (const uint8_t *)domain, strlen(domain) + 1);
    crypto_generichash_update(&h, message, size);
    crypto_generichash_final(&h, signature, IDENTITY_SIGNATURE_BYTES);
}

void __wrap_identity_sign(uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                          const char *domain, const uint8_t *message,
                          size_t size,
                          const uint8_t secret[IDENTITY_SECRET_BYTES]);
void __wrap_identity_sign(uint8_t signature[IDENTITY_SIGNATURE_BYTES],
                          const char *domain, const uint8_t *message,
                          size_t size,
                          const uint8_t secret[IDENTITY_SECRET_BYTES])
{
    tag(signature, domain, message, size, secret + 32); /* its public half */
}

void __wrap_x25519_base(uint8_t open[X25519_BYTES],
                        const uint8_t secret[X25519_BYTES]);
void __wrap_x25519_base(uint8_t open[X25519_BYTES],
                        const uint8_t secret[X25519_BYTES])
{
    crypto_generichash(open, X25519_BYTES, secret, X25519_BYTES, NULL, 0);
}

void __wrap_x25519_generate(struct x25519_pair *pair, struct prg *prg);
void __wrap_x25519_generate(struct x25519_pair *pair, struct prg *prg)
{
    prg_bytes(prg, pair->secret, X25519_BYTES);
    __wrap_x25519_base(pair->open, pair->secret);
}

bool __wrap_x25519_is_weak(const uint8_t open[X25519_BYTES]);
bool __wrap_x25519_is_weak(const uint8_t open[X25519_BYTES])
{
    return sodium_is_zero(open, X25519_BYTES);
}

int __wrap_x25519_shared(uint8_t shared[X25519_BYTES],
                         const uint8_t secret[X25519_BYTES],
                         const uint8_t theirs[X25519_BYTES]);
int __wrap_x25519_shared(uint8_t shared[X25519_BYTES],
                         const uint8_t secret[X25519_BYTES],
                         const uint8_t theirs[X25519_BYTES])
{
    uint8_t both[2][X25519_BYTES];
    int order;

    __wrap_x25519_base(both[0], secret);
    order = memcmp(both[0], theirs, X25519_BYTES) < 0;
    memcpy(both[order], theirs, X25519_BYTES);
    if (!order) {
        memcpy(both[0], theirs, X25519_BYTES);
        __wrap_x25519_base(both[1], secret);
    }
    crypto_generichash(shared, X25519_BYTES, both[0], sizeof both, NULL, 0);
    return 0;
}

static int verify(void *context, const uint8_t *signature, const char *domain,
                  const uint8_t *message, size_t size, const uint8_t *key)
{
    uint8_t expected[IDENTITY_SIGNATURE_BYTES];

    (void)context;
    tag(expected, domain, message, size, key);
    return memcmp(expected, signature, sizeof expected) == 0 ? 0 : -1;
}

enum {
    DEED = 8,
    DEEDS_MAX = 12,
    MESSAGES_MAX = 2500, /* of a run */
    TIME_MAX = 15000
};

enum act {
    ACT_FLIP,  /* bytes of the body, signed again */
    ACT_FIELD, /* 8 aligned bytes of the parsed message, written and signed */
    ACT_LANES, /* bytes beside the head */
    ACT_DROP,
    ACT_TWICE,
    ACT_LATE,
    ACT_ELSEWHERE, /* to another receiver, too */
    ACT_KILL,      /* the sender, and back after a while */
    ACT_DAMAGE,    /* the same, and a byte of what it saved */
    ACTS
};

/* [act, type, which of them, to (bits), a, b, c, d] */
struct run {
    const uint8_t *deeds; /* [deed_count][DEED] */
    size_t deed_count;
    uint32_t seen[DEEDS_MAX];
    uint32_t liar;
    bool lied_in_y;
    uint64_t messages, revive_ms[POD_MAX];
    bool lost[POD_MAX]; /* its store is damaged: it stays away */
};

static struct run the;

/* *message, changed, signed again by the liar. */
static void sign(struct pod *p, struct pod_message *message,
                 struct wire_message *m, const uint8_t *body, size_t body_size)
{
    static uint8_t head[GOSSIP_HEAD_MAX];
    uint8_t ctx[GOSSIP_HASH_BYTES] = {0}, covered[WIRE_SIGNED_BYTES];
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    size_t size;

    if (m->type != WIRE_HELLO)
        wire_ctx(ctx, &p->config, m->round, m->attempt);
    wire_signed(covered, ctx, m->sender, body, body_size);
    identity_sign(signature, wire_domain(m->type), covered, sizeof covered,
                  p->identities[m->sender].sign_secret);
    if (pack_head(head, sizeof head, &size, m, body, body_size, signature) != 0)
        return;
    free(message->head);
    message->head = pod_copy(head, size);
    message->head_size = size;
}

static void flip(struct pod *p, struct pod_message *message,
                 const uint8_t *deed)
{
    static struct wire_message m;
    static uint8_t body[GOSSIP_HEAD_MAX];

    if (wire_parse(&m, message->head, message->head_size, p->members) != 0 ||
        m.sender != the.liar || m.body_size == 0)
        return;
    memcpy(body, m.body, m.body_size);
    body[(deed[4] + 256u * deed[5]) % m.body_size] ^= deed[6];
    m.attempt += deed[7] & 3;
    m.round += deed[7] >> 2 & 3;
    the.lied_in_y = the.lied_in_y || m.type == WIRE_Y;
    sign(p, message, &m, body, m.body_size);
}

static void change(struct pod *p, struct pod_message *message,
                   const uint8_t *deed)
{
    static struct wire_message m;
    static uint8_t body[GOSSIP_HEAD_MAX];
    size_t size, room = sizeof m - offsetof(struct wire_message, hello);

    if (wire_parse(&m, message->head, message->head_size, p->members) != 0 ||
        m.sender != the.liar)
        return;
    uint8_t *fields = (uint8_t *)&m.hello;
    /* most of what matters stands in front */
    size_t at = deed[4] < 128 ? deed[4] : 64u * deed[4] + deed[5];
    fields[at % room] ^= deed[6];
    if (m.type == WIRE_HELLO) { /* packed by strlen */
        m.hello.program[sizeof m.hello.program - 1] = '\0';
        m.hello.field_count %= GOSSIP_FIELDS_MAX + 1;
        for (size_t i = 0; i < m.hello.field_count; i++)
            m.hello.fields[i].name[GOSSIP_FIELD_NAME_SIZE - 1] = '\0';
    }
    if (m.type == WIRE_KEYS)
        m.keys.members %= GOSSIP_MEMBERS_MAX + 1;
    if (m.type == WIRE_WANT)
        m.want.members %= GOSSIP_MEMBERS_MAX + 1;
    m.attempt += deed[7] & 3;
    m.round += deed[7] >> 2 & 3;
    the.lied_in_y = the.lied_in_y || m.type == WIRE_Y;
    if (pack_body(body, sizeof body, &size, &m) == 0)
        sign(p, message, &m, body, size);
}

/* Lanes, and if they are a SUM's the hash that goes with them. */
static void alter(struct pod *p, struct pod_message *message,
                  const uint8_t *deed)
{
    static struct wire_message m;
    static uint8_t body[GOSSIP_HEAD_MAX];
    size_t size;

    if (message->body_size == 0 ||
        wire_parse(&m, message->head, message->head_size, p->members) != 0 ||
        m.sender != the.liar)
        return;
    message->body[(deed[4] + 256u * deed[5]) % message->body_size] ^= deed[6];
    if (deed[7] & 1)
        message->body_size -= deed[4] % message->body_size;
    if (m.type == WIRE_SUM)
        wire_hash(m.sum.hash, message->body, message->body_size);
    if (m.type == WIRE_STATE)
        wire_hash(m.done.state, message->body, message->body_size);
    if (pack_body(body, sizeof body, &size, &m) == 0)
        sign(p, message, &m, body, size);
}

static void repeat(struct pod *p, const struct pod_message *message,
                   uint32_t to, uint64_t after_ms)
{
    struct pod_message copy = *message;

    copy.to = to;
    copy.at_ms = p->now_ms + after_ms;
    copy.head = pod_copy(message->head, message->head_size);
    copy.body = pod_copy(message->body, message->body_size);
    pod_queue(p, copy);
}

static void kill(struct pod *p, const uint8_t *deed, uint32_t who)
{
    struct pod_record *r = &p->saved[who][deed[4] % GOSSIP_SLOTS];

    the.revive_ms[who] = p->now_ms + 1 + 40u * deed[5];
    if (deed[0] % ACTS == ACT_DAMAGE && r->size > 0) {
        r->bytes[(deed[6] + 256u * deed[7]) % r->size] ^= deed[5];
        the.lost[who] = true;
    }
}

static bool do_deed(struct pod *p, struct pod_message *message,
                    const uint8_t *deed)
{
    switch (deed[0] % ACTS) {
    case ACT_FLIP:
        flip(p, message, deed);
        return true;
    case ACT_FIELD:
        change(p, message, deed);
        return true;
    case ACT_LANES:
        alter(p, message, deed);
        return true;
    case ACT_DROP:
        return false;
    case ACT_TWICE:
        repeat(p, message, message->to, 1 + deed[4]);
        return true;
    case ACT_LATE:
        message->at_ms += 4u * deed[4];
        return true;
    case ACT_ELSEWHERE:
        if (deed[4] % p->members != message->from)
            repeat(p, message, deed[4] % p->members, 1 + deed[5]);
        return true;
    default:
        kill(p, deed, message->from);
        return true;
    }
}

static bool meddle(struct pod *p, struct pod_message *message)
{
    bool pass = true;

    if (++the.messages > MESSAGES_MAX)
        return false;
    for (size_t k = 0; k < the.deed_count && pass; k++) {
        const uint8_t *deed = the.deeds + k * DEED;
        bool lies = deed[0] % ACTS <= ACT_LANES;
        if (1 + deed[1] % (WIRE_TYPES - 1) != message->type ||
            (lies && message->from != the.liar) ||
            (deed[3] >> (message->to & 7) & 1) == 0)
            continue;
        if (the.seen[k]++ != deed[2] % 16u && (deed[2] & 0x80) == 0)
            continue;
        pass = do_deed(p, message, deed);
    }
    return pass;
}

static void check_records(struct pod *p, uint32_t i)
{
    struct gossip_record records[GOSSIP_SLOTS];
    struct gossip_config c = p->config;
    const char *why;
    size_t count = 0;

    c.self = i;
    for (uint32_t s = 0; s < GOSSIP_SLOTS; s++)
        if (p->saved[i][s].bytes != NULL)
            records[count++] = (struct gossip_record){s, p->saved[i][s].bytes,
                                                      p->saved[i][s].size};
    gossip_free(gossip_new(&c, records, count, &why)); /* refused or not */
}

static void die_and_return(struct pod *p)
{
    for (uint32_t i = 0; i < p->members; i++) {
        if (the.revive_ms[i] == 0)
            continue;
        if (!p->down[i] && !p->left[i])
            pod_kill(p, i);
        if (the.lost[i]) {
            check_records(p, i);
            the.revive_ms[i] = 0;
        } else if (p->now_ms >= the.revive_ms[i] && p->down[i]) {
            the.revive_ms[i] = 0;
            pod_revive(p, i);
        }
    }
}

static void check_end(struct pod *p)
{
    const struct watch *w = watch_of(p);
    const struct pod_state *first = NULL;

    for (size_t i = 0; i < w->said_count; i++)
        for (size_t k = i + 1; k < w->said_count; k++) {
            const struct watch_said *a = &w->said[i], *b = &w->said[k];
            if (a->member != the.liar && a->member == b->member &&
                a->type == b->type && a->round == b->round &&
                a->attempt == b->attempt && a->kind == b->kind &&
                a->ballot == b->ballot)
                abort();
        }
    for (uint32_t i = 0; i < p->members; i++) {
        if (i == the.liar || !p->done[i] || p->reason[i] != GOSSIP_FINISHED)
            continue;
        /* without CHECK one lying owner may part them, but they notice */
        if (first != NULL && p->config.check &&
            memcmp(first, &p->final[i], sizeof *first) != 0)
            abort();
        first = &p->final[i];
    }
    if (first != NULL && p->config.check && !the.lied_in_y &&
        p->config.on_loss != GOSSIP_CONTINUE)
        for (size_t k = 0; k < POD_LENGTH; k++)
            if (first->sums[k] != pod_expected(p, p->start.rounds_left - 1, k))
                abort();
}

static bool honest_once(struct pod *p, struct pod_message *message)
{
    bool liar = message->from == the.liar;

    /* the watch looks at what the honest say, before anybody meddles */
    return (liar || watch_filter(p, message)) && meddle(p, message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 + DEED)
        return 0;
    bool active = (data[0] & 1) != 0;
    struct pod *p =
        watch_new(active ? 5 : 4, active ? 4 : 3, 1 + (data[0] >> 3 & 1));
    p->config.active = active;
    p->config.check = active || (data[0] & 4) != 0;
    p->config.on_loss =
        ((data[0] >> 1 ^ data[0]) & 1) != 0 ? GOSSIP_CONTINUE : GOSSIP_WAIT;
    p->config.copies = active ? 3 : 2;
    the = (struct run){.deeds = data + 2,
                       .deed_count = (size - 2) / DEED,
                       .liar = data[1] % p->members};
    if (the.deed_count > DEEDS_MAX)
        the.deed_count = DEEDS_MAX;
    p->filter = honest_once;
    p->config.verify = verify;
    for (uint32_t i = 0; i < p->members; i++)
        p->down[i] = true;
    for (uint32_t i = 0; i < p->members; i++) {
        pod_start(p, i);
        pod_link(p, i);
    }
    while (pod_turn(p, TIME_MAX) && the.messages <= MESSAGES_MAX)
        die_and_return(p);
    check_end(p);
    watch_free(p);
    return 0;
}
