#include "sim/deceit.h"
#include "crypto/tree.h"

#include <string.h>

enum {
    DELAY_MAX_MS = 4000,
    FAR_ATTEMPTS = 1000,
    FLOOD_AT_ONCE = 8,
    REPLAYS_MAX = 4
};

static uint64_t below(struct deceit_case *c, uint64_t bound)
{
    return prg_below(&c->mind->prg, bound);
}

static uint64_t bit(uint32_t member)
{
    return UINT64_C(1) << member;
}

/* The same bytes whenever this liar lies so in this attempt. */
static struct prg steady(const struct deceit_case *c)
{
    uint8_t seed[PRG_SEED_BYTES] = {0};
    struct prg prg;

    memcpy(seed, &c->habit->salt, sizeof c->habit->salt);
    memcpy(seed + 8, &c->m->round, sizeof c->m->round);
    memcpy(seed + 16, &c->m->attempt, sizeof c->m->attempt);
    prg_seed(&prg, seed);
    return prg;
}

static struct wire_message *beside(struct deceit_case *c, enum wire_type type)
{
    struct wire_message *m;

    if (c->beside_count == DECEIT_BESIDE_MAX)
        return NULL;
    m = &c->beside[c->beside_count++];
    *m = (struct wire_message){
        .type = type, .round = c->m->round, .attempt = c->m->attempt};
    return m;
}

static uint32_t one_of(struct deceit_case *c, uint64_t members)
{
    uint32_t count = (uint32_t)__builtin_popcountll(members);
    uint64_t skip = count == 0 ? 0 : below(c, count);

    for (; skip > 0; skip--)
        members &= members - 1;
    return members == 0 ? 0 : (uint32_t)__builtin_ctzll(members);
}

static void keys(struct deceit_case *c)
{
    struct x25519_pair epk, mpk;
    struct prg prg = steady(c);

    x25519_generate(&epk, &prg);
    x25519_generate(&mpk, &prg);
    if (prg_below(&prg, 2) == 0) {
        memcpy(c->m->keys.epk, epk.open, X25519_BYTES);
        memcpy(c->m->keys.mpk, mpk.open, X25519_BYTES);
    }
    prg_bytes(&prg, c->m->keys.commit, GOSSIP_HASH_BYTES);
    c->changed = true;
}

static void far(struct deceit_case *c)
{
    struct wire_message *m = beside(c, WIRE_KEYS);

    *m = *c->m;
    m->round += below(c, 2);
    m->attempt += 1 + below(c, FAR_ATTEMPTS);
}

static void shares(struct deceit_case *c)
{
    c->m->shares.sealed[below(c, WIRE_SEALED_BYTES)] ^= 1;
    c->changed = true;
}

static void ack(struct deceit_case *c)
{
    uint32_t j = one_of(c, c->m->ack.members);

    if (below(c, 2) == 0)
        c->m->ack.members &= ~bit(j);
    else
        c->m->ack.keys[j][0] ^= 1;
    c->changed = true;
}

static void propose(struct deceit_case *c)
{
    struct wire_message *m = c->m;
    struct prg prg = steady(c);

    switch (prg_below(&prg, 4)) {
    case 0:
        m->propose.value.members &= m->propose.value.members - 1;
        break;
    case 1:
        m->propose.ballot +=
            (uint32_t)prg_below(&prg, UINT64_C(2) * c->mind->members);
        break;
    case 2:
        m->propose.evidence &= m->propose.evidence - 1;
        break;
    default:
        prg_bytes(&prg, m->propose.value.state, GOSSIP_HASH_BYTES);
    }
    deceit_learn(c->mind, m);
    c->changed = true;
}

/* Another value of this agreement that somebody has proposed, or none. */
static void other_value(struct deceit_case *c, struct wire_message *m)
{
    const struct deceit_mind *mind = c->mind;

    for (size_t i = 0; i < DECEIT_VALUES && i < mind->value_count; i++) {
        const struct deceit_value *v = &mind->values[i];
        if (v->round != m->round || v->attempt != m->attempt ||
            v->kind != m->vote.kind ||
            memcmp(v->hash, m->vote.value, GOSSIP_HASH_BYTES) == 0)
            continue;
        memcpy(m->vote.value, v->hash, GOSSIP_HASH_BYTES);
        return;
    }
    m->vote.value[0] ^= 1;
}

static void vote(struct deceit_case *c)
{
    other_value(c, c->m);
    c->changed = true;
}

static void eager(struct deceit_case *c)
{
    for (uint32_t k = 0; k < 4; k++) {
        struct wire_message *m = beside(c, k & 1 ? WIRE_COMMIT : WIRE_PREPARE);
        if (m == NULL)
            return;
        m->vote = c->m->vote;
        m->vote.ballot += k / 2;
        if (below(c, 4) == 0)
            other_value(c, m);
    }
}

static void lock(struct deceit_case *c)
{
    struct wire_message *m = c->m, *old = &c->mind->liars[c->liar].lock;

    if (m->type == WIRE_LOCK && m->propose.quorum.members != 0 &&
        old->type == 0)
        *old = *m;
    switch (below(c, 3)) {
    case 0:
        if (m->type == WIRE_LOCK)
            m->propose.quorum.members = 0;
        break;
    case 1:
        m->propose.quorum.members &= m->propose.quorum.members - 1;
        break;
    default:
        if (old->type == 0 || m->type != WIRE_LOCK)
            return;
        uint32_t ballot = m->propose.ballot;
        m->propose = old->propose;
        m->propose.ballot = ballot;
    }
    c->changed = true;
}

/* Its engine's first slice with a little more in the first lane, of whatever
 * width: nothing is carried beyond the narrowest. */
static void other_y(struct deceit_case *c)
{
    struct deceit_liar *liar = &c->mind->liars[c->liar];
    struct prg prg = steady(c);
    uint64_t delta = 1 + prg_below(&prg, 1000);
    uint16_t lane, more;
    uint32_t first = (uint32_t)__builtin_ctzll(c->m->y.members);

    if (liar->slice_size < sizeof lane || liar->round != c->m->round ||
        liar->attempt != c->m->attempt ||
        memcmp(liar->hash_v, c->m->y.hash_v, GOSSIP_HASH_BYTES) != 0 ||
        c->delta != 0)
        return;
    memcpy(&lane, liar->slice, sizeof lane);
    if (lane == UINT16_MAX)
        return;
    if (delta > (uint64_t)(UINT16_MAX - lane))
        delta = UINT16_MAX - lane;
    more = (uint16_t)(lane + delta);
    memcpy(liar->slice, &more, sizeof more);
    tree_hash(c->m->y.slices[first], liar->slice, liar->slice_size);
    memcpy(liar->slice, &lane, sizeof lane);
    if (c->m->parts & 1)
        memcpy(c->body, &more, sizeof more);
    c->delta = delta;
    c->changed = true;
}

static void withhold(struct deceit_case *c)
{
    c->withheld = true;
}

static void recv(struct deceit_case *c)
{
    uint32_t j = (uint32_t)below(c, c->mind->members);

    if (below(c, 3) == 0) {
        j = one_of(c, c->m->recv.members);
        c->m->recv.ys[j][0] ^= 1;
    } else {
        c->m->recv.members ^= bit(j);
    }
    c->changed = true;
}

static void unmask(struct deceit_case *c)
{
    for (uint32_t j = 0; j < c->mind->members; j++)
        if (below(c, 2) == 0)
            c->m->unmask.shares[j][below(c, SHAMIR_BYTES)] ^= 1;
    c->changed = true;
}

static void sum(struct deceit_case *c)
{
    if (c->body_size == 0)
        return;
    c->body[below(c, c->body_size)] ^= 1;
    tree_hash(c->m->sum.hash, c->body, c->body_size);
    c->changed = true;
}

/* All liars show the same one. */
static void settled(struct deceit_case *c)
{
    if (c->body_size > 0)
        c->body[0] ^= 1;
    tree_hash(c->m->settled.hash, c->body, c->body_size);
    c->changed = true;
}

static void check(struct deceit_case *c)
{
    struct prg prg = steady(c);

    for (uint32_t a = 0; a < c->mind->members; a++)
        if (prg_below(&prg, 2) == 0)
            prg_bytes(&prg, c->m->check.hashes[a], GOSSIP_HASH_BYTES);
    c->changed = true;
}

/* All liars show the same one. */
static void state(struct deceit_case *c)
{
    struct wire_message *m = beside(c, WIRE_STATE);
    uint8_t seed[PRG_SEED_BYTES] = "a state of liars";
    struct prg prg;

    m->round += 1 + below(c, 2);
    m->attempt = 0;
    c->beside_body_size = c->mind->state_size < sizeof c->beside_body
                              ? c->mind->state_size
                              : sizeof c->beside_body;
    memcpy(seed + 24, &m->round, sizeof m->round);
    prg_seed(&prg, seed);
    prg_bytes(&prg, c->beside_body, c->beside_body_size);
    wire_hash(m->done.state, c->beside_body, c->beside_body_size);
}

static void done(struct deceit_case *c)
{
    if (c->m->type == WIRE_DONE) {
        c->m->done.state[0] ^= 1;
        c->changed = true;
        return;
    }
    struct wire_message *m = beside(c, WIRE_DONE);
    m->round += below(c, 3);
    prg_bytes(&c->mind->prg, m->done.state, GOSSIP_HASH_BYTES);
}

static void stop(struct deceit_case *c)
{
    beside(c, WIRE_STOP)->stop.members =
        below(c, 2) == 0 ? 0 : bit((uint32_t)below(c, c->mind->members));
}

static void decline(struct deceit_case *c)
{
    beside(c, WIRE_DECLINE)->decline.reason = 1 + (uint32_t)below(c, 3);
}

static void close(struct deceit_case *c)
{
    beside(c, WIRE_CLOSE)->attempt += below(c, 3);
}

static void want(struct deceit_case *c)
{
    struct deceit_liar *liar = &c->mind->liars[c->liar];

    for (int k = 0; k < FLOOD_AT_ONCE && liar->floods < DECEIT_FLOOD; k++) {
        struct wire_message *m = beside(c, WIRE_WANT);
        if (m == NULL)
            return;
        liar->floods++;
        m->want.members = c->mind->members;
        m->want.tick = (uint32_t)k;
        m->want.certified = (uint8_t)below(c, 4);
        m->want.audits = (UINT64_C(1) << (c->mind->members - 1)) - 1;
    }
}

static void garbage(struct deceit_case *c)
{
    c->damaged = true;
}

static void replay(struct deceit_case *c)
{
    c->replays = 1 + (size_t)below(c, REPLAYS_MAX);
}

static void delay(struct deceit_case *c)
{
    c->delay_ms = 1 + below(c, DELAY_MAX_MS);
}

static void proxy(struct deceit_case *c)
{
    c->proxy = true;
}

#define TYPE(type) (UINT64_C(1) << WIRE_##type)
enum { OWN, ANY }; /* whose messages it falsifies */

static const struct {
    const char *name;
    uint64_t types;
    int whose;
    void (*practise)(struct deceit_case *);
} deceits[ADVERSARY_DECEITS] = {
    [ADVERSARY_KEYS] = {"two_keys", TYPE(KEYS), OWN, keys},
    [ADVERSARY_FAR] = {"far_keys", TYPE(KEYS), OWN, far},
    [ADVERSARY_SHARES] = {"shares", TYPE(SHARES), OWN, shares},
    [ADVERSARY_ACK] = {"ack", TYPE(ACK), OWN, ack},
    [ADVERSARY_PROPOSE] = {"propose", TYPE(PROPOSE), OWN, propose},
    [ADVERSARY_VOTE] = {"vote", TYPE(PREPARE) | TYPE(COMMIT), OWN, vote},
    [ADVERSARY_EAGER] = {"eager", TYPE(PREPARE), OWN, eager},
    [ADVERSARY_LOCK] = {"lock", TYPE(LOCK) | TYPE(CERT), OWN, lock},
    [ADVERSARY_TWO_Y] = {"two_y", TYPE(Y), OWN, other_y},
    [ADVERSARY_OTHER_Y] = {"other_y", TYPE(Y), OWN, other_y},
    [ADVERSARY_NO_Y] = {"no_y", TYPE(Y), OWN, withhold},
    [ADVERSARY_RECV] = {"recv", TYPE(RECV), OWN, recv},
    [ADVERSARY_UNMASK] = {"unmask", TYPE(UNMASK), OWN, unmask},
    [ADVERSARY_SUM] = {"sum", TYPE(SUM), OWN, sum},
    [ADVERSARY_CHECK] = {"check", TYPE(CHECK), OWN, check},
    [ADVERSARY_STATE] = {"state", TYPE(WANT), OWN, state},
    [ADVERSARY_DONE] = {"done", TYPE(DONE) | TYPE(WANT), OWN, done},
    [ADVERSARY_STOP] = {"stop", TYPE(KEYS) | TYPE(Y), OWN, stop},
    [ADVERSARY_DECLINE] = {"decline", TYPE(Y) | TYPE(ACK), OWN, decline},
    [ADVERSARY_CLOSE] = {"close", TYPE(UNMASK) | TYPE(Y), OWN, close},
    [ADVERSARY_WANT] = {"want", TYPE(WANT), OWN, want},
    [ADVERSARY_GARBAGE] = {"garbage", UINT64_MAX, ANY, garbage},
    [ADVERSARY_REPLAY] = {"replay", UINT64_MAX, ANY, replay},
    [ADVERSARY_WITHHOLD] = {"withhold", UINT64_MAX, ANY, withhold},
    [ADVERSARY_SILENT] = {"silent", UINT64_MAX, ANY, withhold},
    [ADVERSARY_DELAY] = {"delay", UINT64_MAX, ANY, delay},
    [ADVERSARY_PROXY] = {"proxy", UINT64_MAX, ANY, proxy},
    [ADVERSARY_SETTLED] = {"settled", TYPE(SETTLED), OWN, settled},
};

const char *deceit_name(enum adversary_deceit deceit)
{
    return deceits[deceit].name;
}

uint64_t deceit_types(enum adversary_deceit deceit)
{
    return deceits[deceit].types;
}

bool deceit_practise(enum adversary_deceit deceit, struct deceit_case *c)
{
    const struct deceit_habit *h = c->habit;

    if ((deceits[deceit].types & h->types & bit(c->m->type)) == 0 ||
        (deceits[deceit].whose == OWN && c->m->sender != c->liar) ||
        (h->victims & bit(c->to)) == 0 || c->m->round < h->from_round ||
        c->withheld || (h->percent < 100 && below(c, 100) >= h->percent))
        return false;
    deceits[deceit].practise(c);
    return true;
}

void deceit_learn(struct deceit_mind *mind, const struct wire_message *m)
{
    struct deceit_value value = {
        .round = m->round, .attempt = m->attempt, .kind = m->propose.kind};

    wire_value_hash(value.hash, &m->propose.value);
    for (size_t i = 0; i < DECEIT_VALUES && i < mind->value_count; i++)
        if (memcmp(mind->values[i].hash, value.hash, sizeof value.hash) == 0)
            return;
    mind->values[mind->value_count++ % DECEIT_VALUES] = value;
}
