#include "sim/check.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/tree.h"
#include "sim/finding.h"
#include "sim/knowledge.h"
#include "sim/ledger.h"
#include "sim/votes.h"

/* The signed bodies that may exist once in a ctx. */
struct once {
    bool set;
    uint8_t hash[GOSSIP_HASH_BYTES];
};

struct context { /* a round and attempt */
    uint64_t round, attempt;
    struct votes votes;
    struct once *once; /* [members] KEYS, [members] Y, [members^2] SHARES */
    uint64_t released_b[GOSSIP_MEMBERS_MAX]; /* [j]: who gave its share */
    uint64_t released_msk[GOSSIP_MEMBERS_MAX];
    uint64_t unmasked; /* who released anything */
    uint64_t lost;     /* who has lost since that it spoke here */
    uint64_t of_set[GOSSIP_MEMBERS_MAX]; /* for which survivors; 0: none */
    bool opened;
    uint64_t opened_members;
};

struct round {
    bool has_state;
    uint32_t first; /* who told it first */
    uint8_t state[GOSSIP_HASH_BYTES];
    uint64_t closed[GOSSIP_MEMBERS_MAX]; /* attempts below; 0: none */
};

struct known_value {
    uint8_t hash[GOSSIP_HASH_BYTES];
    struct wire_value value;
};

struct check {
    uint32_t members, threshold, colluders;
    uint64_t liars;
    struct knowledge *knowledge;
    struct ledger *ledger;
    struct context **contexts; /* [context_count] */
    size_t context_count;
    struct round *rounds; /* [round_count] */
    size_t round_count;
    struct known_value *values; /* [value_count] */
    size_t value_count;
    struct finding violation;
};

static void *zeroed(size_t count, size_t size)
{
    void *list = calloc(count, size);

    if (list == NULL)
        abort();
    return list;
}

static uint32_t count_of(uint64_t members)
{
    return (uint32_t)__builtin_popcountll(members);
}

struct check *check_new(uint32_t members, uint32_t threshold)
{
    struct check *c = calloc(1, sizeof *c);

    assert(members >= 1 && members <= GOSSIP_MEMBERS_MAX);
    if (c == NULL)
        return NULL;
    c->members = members;
    c->threshold = threshold;
    c->ledger = ledger_new(members);
    if (c->ledger != NULL && check_liars(c, 0, 1) == 0)
        return c;
    check_free(c);
    return NULL;
}

int check_liars(struct check *c, uint64_t liars, uint32_t colluders)
{
    struct knowledge_rules rules = {.members = c->members,
                                    .threshold = c->threshold,
                                    .colluders = colluders,
                                    .liars = liars};

    knowledge_free(c->knowledge);
    c->liars = liars;
    c->colluders = colluders;
    c->knowledge = knowledge_new(&rules);
    return c->knowledge == NULL ? -1 : 0;
}

static bool lies(const struct check *c, uint32_t member)
{
    return c->liars >> member & 1;
}

void check_free(struct check *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->context_count; i++) {
        votes_free(&c->contexts[i]->votes);
        free(c->contexts[i]->once);
        free(c->contexts[i]);
    }
    free(c->contexts);
    free(c->rounds);
    free(c->values);
    ledger_free(c->ledger);
    knowledge_free(c->knowledge);
    free(c);
}

const char *check_violation(const struct check *c)
{
    return c->violation.text[0] != '\0' ? c->violation.text
                                        : knowledge_violation(c->knowledge);
}

uint64_t check_sums(const struct check *c)
{
    return ledger_sums(c->ledger);
}

static struct context *context_of(struct check *c, uint64_t round,
                                  uint64_t attempt)
{
    for (size_t i = c->context_count; i-- > 0;)
        if (c->contexts[i]->round == round &&
            c->contexts[i]->attempt == attempt)
            return c->contexts[i];

    struct context *x = zeroed(1, sizeof *x);
    x->round = round;
    x->attempt = attempt;
    x->once = zeroed((c->members + 2) * (size_t)c->members, sizeof *x->once);
    c->contexts =
        finding_grown(c->contexts, c->context_count, sizeof *c->contexts);
    c->contexts[c->context_count++] = x;
    return x;
}

static struct round *round_of(struct check *c, uint64_t round)
{
    assert(round < UINT32_MAX);
    while (c->round_count <= round) {
        c->rounds = finding_grown(c->rounds, c->round_count, sizeof *c->rounds);
        c->rounds[c->round_count++] = (struct round){0};
    }
    return &c->rounds[round];
}

static const struct wire_value *value_of(const struct check *c,
                                         const uint8_t *hash)
{
    for (size_t i = c->value_count; i-- > 0;)
        if (memcmp(c->values[i].hash, hash, GOSSIP_HASH_BYTES) == 0)
            return &c->values[i].value;
    return NULL;
}

static void learn_value(struct check *c, uint8_t hash[GOSSIP_HASH_BYTES],
                        const struct wire_value *value)
{
    wire_value_hash(hash, value);
    if (value_of(c, hash) != NULL)
        return;
    c->values = finding_grown(c->values, c->value_count, sizeof *c->values);
    struct known_value *known = &c->values[c->value_count++];
    memcpy(known->hash, hash, GOSSIP_HASH_BYTES);
    known->value = *value;
}

static void voted(struct check *c, struct context *x, struct votes_cast *cast)
{
    cast->lies = lies(c, cast->member) || (x->lost >> cast->member & 1);
    const char *fault = votes_count(&x->votes, cast, c->threshold);

    if (fault != NULL)
        finding_say(&c->violation,
                    "member %" PRIu32 " %s (%c, round %" PRIu64 ", attempt "
                    "%" PRIu64 ", ballot %" PRIu32 ")",
                    cast->member, fault, cast->kind == WIRE_V ? 'V' : 'U',
                    x->round, x->attempt, cast->ballot);
}

static void quorum_shown(struct check *c, struct context *x,
                         const struct wire_message *m)
{
    struct votes_cast cast = {.ballot = m->propose.quorum.ballot,
                              .kind = m->propose.kind,
                              .commit = m->type == WIRE_CERT};

    if (m->type == WIRE_LOCK && m->propose.quorum.members == 0)
        return;
    learn_value(c, cast.value, &m->propose.value);
    /* The honest pass a liar's proposals on as evidence, unread. */
    if (m->type == WIRE_PROPOSE && lies(c, m->sender))
        return;
    for (cast.member = 0; cast.member < c->members; cast.member++)
        if (m->propose.quorum.members >> cast.member & 1)
            voted(c, x, &cast);
}

static void vote_shown(struct check *c, struct context *x,
                       const struct wire_message *m)
{
    struct votes_cast cast = {.member = m->sender,
                              .ballot = m->vote.ballot,
                              .kind = m->vote.kind,
                              .commit = m->type == WIRE_COMMIT};

    memcpy(cast.value, m->vote.value, sizeof cast.value);
    voted(c, x, &cast);
}

/* A body that its sender may sign in one form only in this ctx. */
static void check_once(struct check *c, const struct context *x,
                       struct once *once, const struct wire_message *m)
{
    uint8_t hash[GOSSIP_HASH_BYTES];

    if (x->lost >> m->sender & 1)
        return;
    wire_hash(hash, m->body, m->body_size);
    if (once->set && memcmp(once->hash, hash, sizeof hash) != 0)
        finding_say(&c->violation,
                    "member %" PRIu32 " signed two different %s in round "
                    "%" PRIu64 ", attempt %" PRIu64,
                    m->sender, wire_name(m->type), x->round, x->attempt);
    once->set = true;
    memcpy(once->hash, hash, sizeof hash);
}

/* Two sums over one round's vectors must be over the same vectors: their
 * difference would be the vector of whoever is in one of them only. */
static void opened(struct check *c, struct context *x, uint64_t members)
{
    x->opened = true;
    x->opened_members = members;
    for (size_t i = 0; i < c->context_count; i++) {
        const struct context *o = c->contexts[i];
        if (o->opened && o->round == x->round && o->opened_members != members)
            finding_say(&c->violation,
                        "round %" PRIu64 " was opened over members %" PRIx64
                        " in attempt %" PRIu64 " and over %" PRIx64
                        " in attempt %" PRIu64,
                        x->round, o->opened_members, o->attempt, members,
                        x->attempt);
    }
}

/* The U under a hash that is the ctx's certificate, or NULL. */
static const struct wire_value *certified_u(struct check *c,
                                            const struct context *x,
                                            const uint8_t *hash,
                                            const struct wire_message *m)
{
    const struct wire_value *u = value_of(c, hash);

    if (x->votes.certified[WIRE_U] && u != NULL && u->kind == WIRE_U &&
        memcmp(x->votes.certificate[WIRE_U], hash, GOSSIP_HASH_BYTES) == 0)
        return u;
    finding_say(&c->violation,
                "member %" PRIu32
                " sent %s without a certificate of U in round "
                "%" PRIu64 ", attempt %" PRIu64,
                m->sender, wire_name(m->type), x->round, x->attempt);
    return NULL;
}

/* Never two kinds of shares from one sender, nor enough of both. */
static void check_release(struct check *c, struct context *x,
                          const struct wire_message *m, uint64_t survivors)
{
    for (uint32_t j = 0; j < c->members; j++) {
        uint64_t *released =
            survivors >> j & 1 ? x->released_b : x->released_msk;
        if ((m->unmask.members >> j & 1) == 0)
            continue;
        released[j] |= UINT64_C(1) << m->sender;
        if ((x->released_b[j] & x->released_msk[j]) != 0 ||
            (count_of(x->released_b[j]) >= c->threshold &&
             count_of(x->released_msk[j]) >= c->threshold))
            finding_say(&c->violation,
                        "shares of both secrets of member %" PRIu32
                        " were released in round %" PRIu64 ", attempt %" PRIu64
                        ", the last by member %" PRIu32,
                        j, x->round, x->attempt, m->sender);
    }
}

/* So many have closed that attempt, liars always, that no sum of it opens. */
static bool is_closed(struct check *c, uint64_t round, uint64_t attempt)
{
    const struct round *r = round_of(c, round);
    uint64_t closers = c->liars;

    for (uint32_t j = 0; j < c->members; j++)
        if (r->closed[j] > attempt)
            closers |= UINT64_C(1) << j;
    return count_of(closers) >= c->members - c->threshold + c->colluders + 1;
}

/* What `member` released in that round before `attempt`, in all its lives, for
 * other members than these, is dead. */
static void check_bound(struct check *c, uint32_t member, uint64_t round,
                        uint64_t attempt, uint64_t survivors, const char *what)
{
    for (size_t i = 0; i < c->context_count; i++) {
        const struct context *x = c->contexts[i];
        const uint64_t set = x->of_set[member];
        if (x->round != round || x->attempt >= attempt || set == 0 ||
            set == survivors || is_closed(c, round, x->attempt))
            continue;
        finding_say(&c->violation,
                    "member %" PRIu32 " %s in round %" PRIu64
                    ", attempt %" PRIu64 ", but had released for members "
                    "%" PRIx64 " in attempt %" PRIu64
                    ", which others may still open",
                    member, what, round, attempt, set, x->attempt);
    }
}

static void closed(struct check *c, const struct wire_message *m)
{
    struct round *r = round_of(c, m->round);

    check_bound(c, m->sender, m->round, m->attempt + 1, 0, "signed CLOSE");
    if (r->closed[m->sender] <= m->attempt)
        r->closed[m->sender] = m->attempt + 1;
}

static void unmasked(struct check *c, struct context *x,
                     const struct wire_message *m)
{
    const struct wire_value *u = value_of(c, m->unmask.cert);

    if (u != NULL)
        check_release(c, x, m, u->members);
    if (u != NULL)
        knowledge_released(c->knowledge, m->sender, x->round, x->attempt,
                           m->unmask.members, u->members);
    u = certified_u(c, x, m->unmask.cert, m);
    if (u == NULL)
        return;
    x->unmasked |= UINT64_C(1) << m->sender;
    check_bound(c, m->sender, x->round, x->attempt, u->members, "released");
    x->of_set[m->sender] = u->members;
    if (count_of(x->unmasked | c->liars) >= c->threshold)
        opened(c, x, u->members);
}

/* V's number of slices, 0 if it has no such one or is not known. */
static uint32_t slices_of(struct check *c, const struct wire_message *m,
                          const struct wire_value *u, uint32_t slice)
{
    const struct wire_value *v = value_of(c, u->hash_v);

    if (v != NULL && slice < count_of(v->members))
        return count_of(v->members);
    finding_say(&c->violation,
                "member %" PRIu32 " sent %s of slice %" PRIu32
                ", which V does not have",
                m->sender, wire_name(m->type), slice);
    return 0;
}

static void true_sum(struct check *c, const struct context *x,
                     const struct wire_message *m, const struct wire_value *u,
                     uint32_t slice, const uint8_t *said)
{
    uint32_t slices = slices_of(c, m, u, slice);

    if (slices == 0 ||
        ledger_is_sum(c->ledger, x->round, u, slices, slice, said))
        return;
    finding_say(&c->violation,
                "member %" PRIu32 " opened slice %" PRIu32 " of round %" PRIu64
                ", attempt %" PRIu64
                " to another sum than that of its survivors' vectors (%s)",
                m->sender, slice, x->round, x->attempt, wire_name(m->type));
}

static void summed(struct check *c, struct context *x,
                   const struct wire_message *m, const uint8_t *body,
                   size_t body_size)
{
    const struct wire_value *u = certified_u(c, x, m->sum.cert, m);
    uint8_t hash[GOSSIP_HASH_BYTES];

    if (u == NULL)
        return;
    opened(c, x, u->members);
    tree_hash(hash, body, body_size);
    true_sum(c, x, m, u, m->sum.slice, hash);
}

static void attested(struct check *c, const struct context *x,
                     const struct wire_message *m)
{
    const struct wire_value *u = certified_u(c, x, m->check.cert, m);

    for (uint32_t a = 0; u != NULL && a < c->members; a++)
        if (m->check.slices >> a & 1)
            true_sum(c, x, m, u, a, m->check.hashes[a]);
}

static void once(struct check *c, struct context *x,
                 const struct wire_message *m)
{
    const uint32_t n = c->members;

    switch (m->type) {
    case WIRE_KEYS:
        check_once(c, x, &x->once[m->sender], m);
        return;
    case WIRE_Y:
        check_once(c, x, &x->once[n + m->sender], m);
        knowledge_masked(c->knowledge, m->sender, x->round, x->attempt,
                         m->y.hash_v, m->y.members);
        return;
    case WIRE_SHARES:
        check_once(c, x, &x->once[(2 + m->sender) * n + m->shares.to], m);
        return;
    case WIRE_UNMASK:
        unmasked(c, x, m);
        return;
    case WIRE_CHECK:
        attested(c, x, m);
        return;
    default:
        return;
    }
}

void check_sent(struct check *c, uint32_t from, const struct wire_message *m,
                const uint8_t *body, size_t body_size)
{
    struct context *x;

    assert(m->sender < c->members);
    switch (m->type) {
    case WIRE_HELLO:
    case WIRE_WANT:
        return;
    case WIRE_PREPARE:
    case WIRE_COMMIT:
        vote_shown(c, context_of(c, m->round, m->attempt), m);
        return;
    case WIRE_PROPOSE:
    case WIRE_LOCK:
    case WIRE_CERT:
        quorum_shown(c, context_of(c, m->round, m->attempt), m);
        return;
    case WIRE_SUM: /* also that of another, as an honest member passes it on */
        if (!lies(c, from))
            summed(c, context_of(c, m->round, m->attempt), m, body, body_size);
        return;
    default:
        break;
    }
    if (lies(c, m->sender))
        return;
    if (m->type == WIRE_CLOSE) {
        closed(c, m);
        return;
    }
    x = context_of(c, m->round, m->attempt);
    once(c, x, m);
}

void check_lost(struct check *c, uint32_t member)
{
    for (size_t i = 0; i < c->context_count; i++)
        c->contexts[i]->lost |= UINT64_C(1) << member;
}

void check_altered(struct check *c, uint32_t member, uint64_t round,
                   const uint8_t hash[GOSSIP_HASH_BYTES], uint64_t delta)
{
    ledger_alter(c->ledger, member, round, hash, delta);
}

void check_named(struct check *c, uint32_t member, uint64_t members)
{
    if (!lies(c, member))
        knowledge_named(c->knowledge, members);
}

void check_contributed(struct check *c, uint32_t member, uint64_t round,
                       const void *lanes, const struct fixed_shape *shape)
{
    if (!ledger_enter(c->ledger, member, round, lanes, shape))
        finding_say(&c->violation,
                    "member %" PRIu32 " contributed two different vectors to "
                    "round %" PRIu64,
                    member, round);
}

void check_offered(struct check *c, uint32_t member, uint64_t round,
                   uint64_t members, const void *lanes, size_t length,
                   uint64_t count)
{
    const struct wire_value u = {.members = members};

    if (count != count_of(members) ||
        ((c->liars & members) == 0 &&
         !ledger_is_widened(c->ledger, round, &u, lanes, length)))
        finding_say(&c->violation,
                    "member %" PRIu32
                    " offered other pods another sum than that "
                    "of its pod's vectors in round %" PRIu64,
                    member, round);
}

void check_state(struct check *c, uint32_t member, uint64_t round,
                 const uint8_t hash[GOSSIP_HASH_BYTES])
{
    struct round *r = round_of(c, round);

    if (lies(c, member))
        return;
    if (!r->has_state) {
        r->has_state = true;
        r->first = member;
        memcpy(r->state, hash, GOSSIP_HASH_BYTES);
        return;
    }
    if (memcmp(r->state, hash, GOSSIP_HASH_BYTES) != 0)
        finding_say(&c->violation,
                    "members %" PRIu32 " and %" PRIu32
                    " have different states in round %" PRIu64,
                    r->first, member, round);
}
