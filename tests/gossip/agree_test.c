#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gossip/engine.h"
#include "gossip/forge.h"

enum { ALL = 15, G = 4, T = 3, VICTIM = 3 };

/* Drops the types that watch->count names by bits. */
static bool without_types(struct pod *p, struct pod_message *m)
{
    return (watch_of(p)->count >> m->type & 1) == 0;
}

/* A pod of four that has run until nothing but the types `without` is lacking.
 */
static struct pod *staged(int without)
{
    struct pod *p = watch_new(G, T, 1);

    watch_of(p)->filter = without_types;
    watch_of(p)->count = without;
    pod_begin(p);
    pod_run(p, 100);
    return p;
}

static const struct gossip *victim(const struct pod *p)
{
    return p->engines[VICTIM];
}

static bool prepared(const struct pod *p, enum wire_kind kind, uint32_t ballot)
{
    const struct vote *v = &victim(p)->agree[kind].prepares[VICTIM];

    return v->cast && v->ballot == ballot;
}

/* V of `members` by the KEYS that everybody has. */
static struct wire_value value_v(const struct pod *p, uint64_t members)
{
    struct wire_value v = {.kind = WIRE_V, .members = members};

    memcpy(v.state, victim(p)->state_hash, sizeof v.state);
    for (uint32_t j = 0; j < G; j++)
        if (members >> j & 1)
            memcpy(v.said[j], victim(p)->keys[j].hash, GOSSIP_HASH_BYTES);
    return v;
}

static struct wire_value value_u(const struct pod *p, uint64_t members)
{
    struct wire_value u = {.kind = WIRE_U, .members = members};

    memcpy(u.state, victim(p)->state_hash, sizeof u.state);
    memcpy(u.hash_v, victim(p)->agree[WIRE_V].hash, sizeof u.hash_v);
    for (uint32_t j = 0; j < G; j++)
        if (members >> j & 1)
            memcpy(u.said[j], victim(p)->y_hash[j], GOSSIP_HASH_BYTES);
    return u;
}

static struct wire_message proposal(const struct pod *p,
                                    const struct wire_value *value,
                                    uint32_t ballot, uint64_t evidence)
{
    struct wire_message m = {.type = WIRE_PROPOSE};

    m.propose.kind = value->kind;
    m.propose.ballot = ballot;
    m.propose.value = *value;
    m.propose.evidence = evidence;
    for (uint32_t j = 0; j < G; j++)
        if (evidence >> j & 1)
            memcpy(m.propose.hashes[j],
                   value->kind == WIRE_V ? victim(p)->acks[j].hash
                                         : victim(p)->recvs[j].hash,
                   GOSSIP_HASH_BYTES);
    return m;
}

static void say_propose(struct pod *p, const struct wire_value *value,
                        uint32_t ballot, uint64_t evidence)
{
    static struct wire_message m;

    m = proposal(p, value, ballot, evidence);
    forge_say(p, ballot % G, VICTIM, &m);
}

/* Moves the victim to a ballot, as two others report to be in it. */
static void to_ballot(struct pod *p, enum wire_kind kind, uint32_t ballot)
{
    for (uint32_t j = 0; j < 2; j++) {
        struct wire_message m = {.type = WIRE_LOCK};
        m.propose.kind = kind;
        m.propose.ballot = ballot;
        forge_say(p, j, VICTIM, &m);
    }
    assert_int_equal(victim(p)->agree[kind].ballot, ballot);
}

enum {
    VOTES = 1 << WIRE_PREPARE | 1 << WIRE_COMMIT | 1 << WIRE_CERT,
    TALKS = VOTES | 1 << WIRE_PROPOSE | 1 << WIRE_LOCK | 1 << WIRE_WANT
};

/* How often `member` has signed a vote of this type, as distinct messages. */
static int signed_votes(struct pod *p, uint32_t member, uint8_t type)
{
    struct watch *w = watch_of(p);
    int count = 0;

    for (size_t i = 0; i < w->said_count; i++)
        count += w->said[i].member == member && w->said[i].type == type;
    return count;
}

/* Attack 2. */
static void a_member_prepares_once_a_ballot(void **state)
{
    struct pod *p = staged(TALKS);
    struct wire_value v = value_v(p, ALL);

    (void)state;
    say_propose(p, &v, 0, ALL);
    assert_true(prepared(p, WIRE_V, 0));
    say_propose(p, &v, 0, 7); /* another proposal of the same ballot */
    say_propose(p, &v, 0, ALL);
    assert_int_equal(p->sent[WIRE_PREPARE], (G - 1) * 2); /* and 0's own */
    assert_int_equal(signed_votes(p, VICTIM, WIRE_PREPARE), 1);
    say_propose(p, &v, 1, ALL); /* not in ballot 1 yet: it is asked for again */
    assert_false(prepared(p, WIRE_V, 1));
    to_ballot(p, WIRE_V, 1);
    say_propose(p, &v, 1, ALL);
    assert_true(prepared(p, WIRE_V, 1));
    assert_int_equal(watch_of(p)->contradictions, 0);
    watch_free(p);
}

/* Attack 2, by somebody who is not the ballot's proposer. */
static void only_the_proposer_of_the_ballot_is_heard(void **state)
{
    struct pod *p = staged(TALKS);
    struct wire_value v = value_v(p, ALL);
    static struct wire_message m;

    (void)state;
    m = proposal(p, &v, 0, ALL);
    forge_say(p, 1, VICTIM, &m);
    assert_false(prepared(p, WIRE_V, 0));
    say_propose(p, &v, 0, ALL);
    assert_true(prepared(p, WIRE_V, 0));
    watch_free(p);
}

/* Attack 2: `wait` allows one value only, so the lock is put there by hand, as
 * an agreement with larger freedom would leave it. */
static void
a_locked_member_prepares_nothing_else_without_a_later_quorum(void **state)
{
    struct pod *p = staged(TALKS);
    struct wire_value v = value_v(p, ALL);
    struct agree *a = &p->engines[VICTIM]->agree[WIRE_V];
    static struct wire_message m;

    (void)state;
    to_ballot(p, WIRE_V, 2);
    a->own.value = value_v(p, 7);
    a->own.quorum.members = 7;
    a->own.quorum.ballot = 1;
    say_propose(p, &v, 2, ALL); /* nothing shown */
    assert_false(prepared(p, WIRE_V, 2));
    to_ballot(p, WIRE_V, 3);
    m = proposal(p, &v, 3, 0);
    forge_quorum(&m.propose.quorum, p, WIRE_PREPARE, 0, 1, 7, &v);
    forge_say(p, 3 % G == VICTIM ? VICTIM : 3 % G, VICTIM, &m);
    assert_false(prepared(p, WIRE_V, 3));
    to_ballot(p, WIRE_V, 4);
    m = proposal(p, &v, 4, 0); /* as old as the lock */
    forge_quorum(&m.propose.quorum, p, WIRE_PREPARE, 0, 1, 7, &v);
    forge_say(p, 0, VICTIM, &m);
    assert_false(prepared(p, WIRE_V, 4));
    to_ballot(p, WIRE_V, 5);
    m = proposal(p, &v, 5, 0); /* two of three */
    forge_quorum(&m.propose.quorum, p, WIRE_PREPARE, 0, 2, 3, &v);
    forge_say(p, 1, VICTIM, &m);
    assert_false(prepared(p, WIRE_V, 5));
    m = proposal(p, &v, 5, 0); /* not earlier than the proposal */
    forge_quorum(&m.propose.quorum, p, WIRE_PREPARE, 0, 5, 7, &v);
    forge_say(p, 1, VICTIM, &m);
    assert_false(prepared(p, WIRE_V, 5));
    m = proposal(p, &v, 5, 0);
    forge_quorum(&m.propose.quorum, p, WIRE_PREPARE, 0, 2, 7, &v);
    forge_say(p, 1, VICTIM, &m);
    assert_true(prepared(p, WIRE_V, 5));
    watch_free(p);
}

/* Attack 2, across a restart. */
static void
a_restarted_member_signs_nothing_new_in_the_old_attempt(void **state)
{
    struct pod *p = staged(TALKS & ~(1 << WIRE_WANT));
    struct watch *w = watch_of(p);
    struct wire_value v = value_v(p, ALL);
    struct wire_message first = proposal(p, &v, 0, ALL);
    struct wire_message second = proposal(p, &v, 1, ALL);

    (void)state;
    forge_say(p, 0, VICTIM, &first);
    assert_int_equal(signed_votes(p, VICTIM, WIRE_PREPARE), 1);
    pod_kill(p, VICTIM);
    w->count |= 1 << WIRE_KEYS; /* the others stay in the old attempt */
    pod_revive(p, VICTIM);
    forge_say(p, 0, VICTIM, &first);
    forge_say(p, 1, VICTIM, &second);
    for (uint32_t j = 0; j < 3; j++) {
        struct wire_message vote = {.type = WIRE_PREPARE};
        vote.vote.kind = WIRE_V;
        wire_value_hash(vote.vote.value, &v);
        forge_say(p, j, VICTIM, &vote);
    }
    pod_run(p, 2000);
    for (size_t i = 0; i < w->said_count; i++)
        if (w->said[i].member == VICTIM && w->said[i].attempt == 0) {
            assert_int_not_equal(w->said[i].type, WIRE_COMMIT);
            assert_true(w->said[i].type != WIRE_PREPARE ||
                        w->said[i].ballot == 0);
        }
    assert_int_equal(w->contradictions, 0);
    w->count = 0;
    pod_run(p, 60000);
    assert_true(pod_exact(p, 1));
    watch_free(p);
}

/* Attack 2: the COMMIT. */
static void a_member_commits_once_a_ballot_and_only_on_t_prepares(void **state)
{
    struct pod *p = staged(TALKS);
    struct wire_value v = value_v(p, ALL);
    struct wire_message vote = {.type = WIRE_PREPARE};

    (void)state;
    say_propose(p, &v, 0, ALL);
    vote.vote.kind = WIRE_V;
    wire_value_hash(vote.vote.value, &v);
    forge_say(p, 0, VICTIM, &vote);
    forge_say(p, 0, VICTIM, &vote);
    vote.vote.ballot = 1; /* of another ballot: does not count */
    forge_say(p, 1, VICTIM, &vote);
    vote.vote.ballot = 0;
    vote.vote.value[0] ^= 1; /* for another value */
    forge_say(p, 2, VICTIM, &vote);
    assert_int_equal(signed_votes(p, VICTIM, WIRE_COMMIT), 0);
    vote.vote.value[0] ^= 1;
    vote.vote.ballot = 0;
    forge_say(p, 2, VICTIM, &vote); /* it said another thing before */
    assert_int_equal(signed_votes(p, VICTIM, WIRE_COMMIT), 0);
    watch_free(p);

    p = staged(TALKS);
    v = value_v(p, ALL);
    say_propose(p, &v, 0, ALL);
    wire_value_hash(vote.vote.value, &v);
    forge_say(p, 0, VICTIM, &vote);
    forge_say(p, 1, VICTIM, &vote);
    assert_int_equal(signed_votes(p, VICTIM, WIRE_COMMIT), 1);
    forge_say(p, 2, VICTIM, &vote);
    assert_int_equal(p->sent[WIRE_COMMIT], G - 1);
    watch_free(p);
}

/* t PREPAREs are here; the fourth is kept as it comes, and serves as evidence
 * only with a signature that is right: whether another comes after it or
 * before. */
static void a_late_vote_is_evidence_when_another_contradicts_it(void **state)
{
    enum { RIGHT, WRONG, RIGHT_LATER, WRONG_LATER, CASES };
    static struct forged f;

    (void)state;
    for (int c = 0; c < CASES; c++) {
        struct pod *p = staged(TALKS);
        struct wire_value v = value_v(p, ALL);
        struct wire_message vote = {.type = WIRE_PREPARE};
        say_propose(p, &v, 0, ALL);
        vote.vote.kind = WIRE_V;
        wire_value_hash(vote.vote.value, &v);
        forge_say(p, 0, VICTIM, &vote);
        forge_say(p, 1, VICTIM, &vote);
        assert_int_equal(signed_votes(p, VICTIM, WIRE_COMMIT), 1);
        forge(&f, p, 2, &vote);
        if (c == WRONG_LATER)
            forge_say(p, 2, VICTIM, &vote);
        f.head[f.size - 2] ^= (uint8_t)(c != RIGHT); /* of the signature */
        forge_deliver(p, 2, VICTIM, f.head, f.size, NULL, 0);
        assert_int_equal(victim(p)->accused, 0);
        if (c == RIGHT_LATER)
            forge_say(p, 2, VICTIM, &vote);
        vote.vote.value[0] ^= 1;
        forge_say(p, 2, VICTIM, &vote);
        assert_int_equal(victim(p)->accused, c == WRONG ? 0 : 1 << 2);
        watch_free(p);
    }
}

static struct wire_message certificate(const struct pod *p,
                                       const struct wire_value *value,
                                       uint32_t ballot, uint64_t members)
{
    struct wire_message m = {.type = WIRE_CERT};

    m.propose.kind = value->kind;
    m.propose.ballot = ballot;
    m.propose.value = *value;
    forge_quorum(&m.propose.quorum, p, WIRE_COMMIT, 0, ballot, members, value);
    return m;
}

static void assert_refused(struct pod *p, struct wire_message *m)
{
    uint64_t before = pod_dropped(p, VICTIM);

    forge_say(p, 0, VICTIM, m);
    assert_false(victim(p)->agree[WIRE_V].certified);
    assert_true(pod_dropped(p, VICTIM) > before);
}

/* Attack 3. */
static void a_certificate_takes_t_distinct_members_of_one_ballot(void **state)
{
    struct pod *p = staged(TALKS);
    struct wire_value v = value_v(p, ALL), other = value_v(p, 7);
    static struct wire_message m;

    (void)state;
    m = certificate(p, &v, 0, 3); /* t - 1 */
    assert_refused(p, &m);
    m = certificate(p, &v, 0, 0);
    assert_refused(p, &m);
    m = certificate(p, &v, 0, 3); /* one of them twice */
    m.propose.quorum.members = 7;
    memcpy(m.propose.quorum.signatures[2], m.propose.quorum.signatures[1],
           IDENTITY_SIGNATURE_BYTES);
    assert_refused(p, &m);
    m = certificate(p, &v, 0, 7); /* an outsider */
    m.propose.quorum.members = 3 | 1 << G;
    memcpy(m.propose.quorum.signatures[G], m.propose.quorum.signatures[2],
           IDENTITY_SIGNATURE_BYTES);
    assert_refused(p, &m);
    m = certificate(p, &v, 0, 7); /* mixed ballots */
    forge_vote(m.propose.quorum.signatures[2], p, 2, WIRE_COMMIT, 0, 0, WIRE_V,
               1, &v);
    assert_refused(p, &m);
    m = certificate(p, &v, 0, 7); /* mixed values */
    forge_vote(m.propose.quorum.signatures[2], p, 2, WIRE_COMMIT, 0, 0, WIRE_V,
               0, &other);
    assert_refused(p, &m);
    m = certificate(p, &v, 0, 7); /* of another attempt */
    forge_vote(m.propose.quorum.signatures[2], p, 2, WIRE_COMMIT, 0, 1, WIRE_V,
               0, &v);
    assert_refused(p, &m);
    m = certificate(p, &v, 0, 7); /* PREPAREs */
    forge_quorum(&m.propose.quorum, p, WIRE_PREPARE, 0, 0, 7, &v);
    assert_refused(p, &m);
    m = certificate(p, &v, 0, 7); /* COMMITs of U */
    forge_vote(m.propose.quorum.signatures[2], p, 2, WIRE_COMMIT, 0, 0, WIRE_U,
               0, &v);
    assert_refused(p, &m);
    m = certificate(p, &v, 0, 7);
    forge_say(p, 0, VICTIM, &m);
    assert_true(victim(p)->agree[WIRE_V].certified);
    watch_free(p);
}

/* Attack 25. */
static void no_vector_leaves_without_a_certificate_of_v(void **state)
{
    struct pod *p = staged(1 << WIRE_COMMIT | 1 << WIRE_LOCK);
    struct wire_value first = value_v(p, ALL), second = value_v(p, ALL);
    static struct wire_message m;

    (void)state;
    assert_true(prepared(p, WIRE_V, 0));
    second.said[2][0] ^= 1;
    m = proposal(p, &second, 1, ALL);
    for (uint32_t j = 0; j < G; j++)
        if (j != 1)
            forge_say(p, 1, j, &m);
    pod_run(p, 4000);
    assert_int_equal(p->sent[WIRE_Y], 0);
    m = certificate(p, &first, 0, 3);
    forge_say(p, 0, VICTIM, &m);
    m = certificate(p, &second, 1, 7); /* certified, but not our KEYS */
    forge_say(p, 0, VICTIM, &m);
    assert_int_equal(p->sent[WIRE_Y], 0);
    watch_free(p);
}

/* Attack 32: its evidence is true and large enough, the cohort is not. */
static void nobody_prepares_a_smaller_v(void **state)
{
    struct pod *p = staged(TALKS);
    struct wire_value v = value_v(p, 7);

    (void)state;
    say_propose(p, &v, 0, 7);
    assert_false(prepared(p, WIRE_V, 0));
    v = value_v(p, 15);
    to_ballot(p, WIRE_V, 1);
    say_propose(p, &v, 1, ALL);
    assert_true(prepared(p, WIRE_V, 1));
    watch_free(p);
}

/* RECVs of all others with this bitmap, signed by them. */
static void say_recvs(struct pod *p, uint64_t members)
{
    for (uint32_t j = 0; j < 3; j++) {
        struct wire_message m = {.type = WIRE_RECV};
        memcpy(m.recv.hash_v, victim(p)->agree[WIRE_V].hash, GOSSIP_HASH_BYTES);
        memcpy(m.recv.state, victim(p)->state_hash, GOSSIP_HASH_BYTES);
        m.recv.members = members;
        memcpy(m.recv.ys, victim(p)->y_hash, sizeof m.recv.ys);
        forge_say(p, j, VICTIM, &m);
    }
}

/* Drops what would agree on U, and RECVs. */
static bool before_u(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;

    (void)wire_parse(&r, m->head, m->head_size, p->members);
    switch (m->type) {
    case WIRE_PROPOSE:
    case WIRE_LOCK:
        return r.propose.kind == WIRE_V;
    case WIRE_RECV:
        return (watch_of(p)->count & 1) == 0;
    case WIRE_CERT:
        return false;
    default:
        return true;
    }
}

static struct pod *staged_u(int without_recvs)
{
    struct pod *p = watch_new(G, T, 1);

    watch_of(p)->filter = before_u;
    watch_of(p)->count = without_recvs;
    pod_begin(p);
    pod_run(p, 60);
    assert_true(victim(p)->agree[WIRE_V].certified);
    assert_false(victim(p)->agree[WIRE_U].certified);
    assert_true(victim(p)->recv_sent);
    return p;
}

/* Attacks 32 and 4. */
static void nobody_prepares_a_smaller_u(void **state)
{
    static const uint64_t sizes[] = {7, 3, 1};

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct pod *p = staged_u(1);
        struct wire_value u = value_u(p, sizes[s]);
        say_recvs(p, sizes[s]);
        say_propose(p, &u, 0, 7);
        assert_false(prepared(p, WIRE_U, 0));
        assert_int_equal(p->sent[WIRE_UNMASK], 0);
        watch_free(p);
    }
    struct pod *p = staged_u(0);
    struct wire_value u = value_u(p, ALL);
    say_propose(p, &u, 0, 3); /* by t - 1 owners */
    assert_false(prepared(p, WIRE_U, 0));
    to_ballot(p, WIRE_U, 1);
    say_propose(p, &u, 1, 7);
    assert_true(prepared(p, WIRE_U, 1));
    watch_free(p);
}

/* Attack 4: U larger than what the RECVs say. */
static void nobody_prepares_a_u_that_the_receipts_do_not_show(void **state)
{
    struct pod *p = staged_u(1);
    struct wire_value u = value_u(p, ALL);

    (void)state;
    say_recvs(p, 7);
    say_propose(p, &u, 0, 7);
    assert_false(prepared(p, WIRE_U, 0));
    to_ballot(p, WIRE_U, 1);
    say_propose(p, &u, 1, ALL); /* ours says all, theirs do not */
    assert_false(prepared(p, WIRE_U, 1));
    watch_free(p);
}

/* Attack 26: RECV under another V or another state. */
static void receipts_under_another_v_or_state_are_not_counted(void **state)
{
    (void)state;
    for (int other = 0; other < 2; other++) {
        struct pod *p = staged_u(1);
        struct wire_value u = value_u(p, ALL);
        for (uint32_t j = 0; j < 3; j++) {
            struct wire_message m = {.type = WIRE_RECV};
            memcpy(m.recv.hash_v, u.hash_v, GOSSIP_HASH_BYTES);
            memcpy(m.recv.state, u.state, GOSSIP_HASH_BYTES);
            (other ? m.recv.hash_v : m.recv.state)[5] ^= 1;
            m.recv.members = ALL;
            memcpy(m.recv.ys, victim(p)->y_hash, sizeof m.recv.ys);
            forge_say(p, j, VICTIM, &m);
        }
        say_propose(p, &u, 0, 7);
        assert_false(prepared(p, WIRE_U, 0));
        watch_free(p);
    }
}

/* Attack 31: three acknowledge member 3, member 2 does not hold its shares. */
static void v_needs_every_members_acknowledgement(void **state)
{
    struct pod *p = staged(TALKS | 1 << WIRE_ACK);
    struct wire_value v = value_v(p, ALL);
    struct wire_message ack = {.type = WIRE_ACK};

    (void)state;
    ack.ack.members = ALL;
    for (uint32_t j = 0; j < G; j++)
        memcpy(ack.ack.keys[j], v.said[j], GOSSIP_HASH_BYTES);
    forge_say(p, 0, VICTIM, &ack);
    forge_say(p, 1, VICTIM, &ack);
    ack.ack.members = 7;
    forge_say(p, 2, VICTIM, &ack);
    assert_int_equal(victim(p)->have_acks, ALL);
    say_propose(p, &v, 0, ALL);
    assert_false(prepared(p, WIRE_V, 0));
    to_ballot(p, WIRE_V, 1);
    say_propose(p, &v, 1, 11); /* by exactly t, and 2 is not among them */
    assert_false(prepared(p, WIRE_V, 1));
    watch_free(p);
}

/* Attack 31: it acknowledges another KEYS of member 3. */
static void an_acknowledgement_of_other_keys_is_none(void **state)
{
    struct pod *p = staged(TALKS | 1 << WIRE_ACK);
    struct wire_value v = value_v(p, ALL);
    struct wire_message ack = {.type = WIRE_ACK};

    (void)state;
    ack.ack.members = ALL;
    for (uint32_t j = 0; j < G; j++)
        memcpy(ack.ack.keys[j], v.said[j], GOSSIP_HASH_BYTES);
    forge_say(p, 0, VICTIM, &ack);
    forge_say(p, 1, VICTIM, &ack);
    ack.ack.keys[3][9] ^= 1;
    forge_say(p, 2, VICTIM, &ack);
    say_propose(p, &v, 0, ALL);
    assert_false(prepared(p, WIRE_V, 0));
    watch_free(p);
}

/* Attack 2: evidence by hash has to be what we hold. */
static void a_proposal_with_other_evidence_is_not_prepared(void **state)
{
    struct pod *p = staged(TALKS);
    struct wire_value v = value_v(p, ALL);
    static struct wire_message m;

    (void)state;
    m = proposal(p, &v, 0, ALL);
    m.propose.hashes[1][0] ^= 1;
    forge_say(p, 0, VICTIM, &m);
    assert_false(prepared(p, WIRE_V, 0));
    watch_free(p);
    p = staged(TALKS);
    v = value_v(p, ALL);
    v.state[0] ^= 1; /* starts from another state */
    say_propose(p, &v, 0, ALL);
    assert_false(prepared(p, WIRE_V, 0));
    to_ballot(p, WIRE_V, 1);
    v = value_v(p, ALL);
    say_propose(p, &v, 1, 3); /* t - 1 ACKs */
    assert_false(prepared(p, WIRE_V, 1));
    watch_free(p);
}

/* Attacks 2 and 14: a shown quorum does not make up for another state. */
static void a_quorum_for_another_state_is_not_prepared(void **state)
{
    struct pod *p = staged(TALKS);
    struct wire_value v = value_v(p, ALL);
    static struct wire_message m;

    (void)state;
    to_ballot(p, WIRE_V, 1);
    v.state[0] ^= 1;
    m = proposal(p, &v, 1, 0);
    forge_quorum(&m.propose.quorum, p, WIRE_PREPARE, 0, 0, 7, &v);
    forge_say(p, 1, VICTIM, &m);
    assert_true(victim(p)->agree[WIRE_V].has_proposal);
    assert_false(prepared(p, WIRE_V, 1));
    watch_free(p);
}

/* Attack 5. */
static void shares_are_released_for_one_certificate_only(void **state)
{
    struct pod *p = staged(1 << WIRE_UNMASK);
    struct wire_value u = value_u(p, 7);
    uint64_t sent = p->sent[WIRE_UNMASK];
    static struct wire_message m;

    (void)state;
    assert_true(victim(p)->unmask_sent);
    m = certificate(p, &u, 1, 7);
    for (int again = 0; again < 2; again++)
        forge_say(p, 0, VICTIM, &m);
    assert_int_equal(p->sent[WIRE_UNMASK], sent);
    assert_int_equal(signed_votes(p, VICTIM, WIRE_UNMASK), 1);
    pod_kill(p, VICTIM); /* nor after a restart */
    pod_revive(p, VICTIM);
    forge_say(p, 0, VICTIM, &m);
    m = certificate(p, &u, 0, 7);
    forge_say(p, 0, VICTIM, &m);
    assert_int_equal(signed_votes(p, VICTIM, WIRE_UNMASK), 1);
    assert_int_equal(watch_of(p)->contradictions, 0);
    watch_free(p);
}

/* Attack 5: a certificate of U under another V releases nothing. */
static void a_certificate_under_another_v_releases_nothing(void **state)
{
    struct pod *p = staged_u(0);
    struct wire_value u = value_u(p, ALL);
    static struct wire_message m;

    (void)state;
    u.hash_v[0] ^= 1;
    m = certificate(p, &u, 0, 7);
    forge_say(p, 0, VICTIM, &m);
    assert_false(victim(p)->unmask_sent);
    watch_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_prepares_once_a_ballot),
        cmocka_unit_test(only_the_proposer_of_the_ballot_is_heard),
        cmocka_unit_test(
            a_locked_member_prepares_nothing_else_without_a_later_quorum),
        cmocka_unit_test(
            a_restarted_member_signs_nothing_new_in_the_old_attempt),
        cmocka_unit_test(a_member_commits_once_a_ballot_and_only_on_t_prepares),
        cmocka_unit_test(a_late_vote_is_evidence_when_another_contradicts_it),
        cmocka_unit_test(a_certificate_takes_t_distinct_members_of_one_ballot),
        cmocka_unit_test(no_vector_leaves_without_a_certificate_of_v),
        cmocka_unit_test(nobody_prepares_a_smaller_v),
        cmocka_unit_test(nobody_prepares_a_smaller_u),
        cmocka_unit_test(nobody_prepares_a_u_that_the_receipts_do_not_show),
        cmocka_unit_test(receipts_under_another_v_or_state_are_not_counted),
        cmocka_unit_test(v_needs_every_members_acknowledgement),
        cmocka_unit_test(an_acknowledgement_of_other_keys_is_none),
        cmocka_unit_test(a_proposal_with_other_evidence_is_not_prepared),
        cmocka_unit_test(a_quorum_for_another_state_is_not_prepared),
        cmocka_unit_test(shares_are_released_for_one_certificate_only),
        cmocka_unit_test(a_certificate_under_another_v_releases_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
