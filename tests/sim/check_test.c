/* Each checker is shown a forged sequence that it must refuse, beside the
 * honest one that it must let pass. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/canary.h"
#include "sim/check.h"

enum { MEMBERS = 4, THRESHOLD = 3, LENGTH = 6, ALL = 15 };

static struct check *check;

static int begin(void **state)
{
    (void)state;
    check = check_new(MEMBERS, THRESHOLD);
    return check == NULL;
}

static int end(void **state)
{
    (void)state;
    check_free(check);
    return 0;
}

static void passes(void)
{
    assert_string_equal(check_violation(check), "");
}

static void fires(const char *words)
{
    if (strstr(check_violation(check), words) == NULL)
        fail_msg("found '%s', expected '%s'", check_violation(check), words);
}

static struct wire_message message(enum wire_type type, uint32_t sender)
{
    return (struct wire_message){.type = type, .round = 2, .sender = sender};
}

static void tell(const struct wire_message *m)
{
    check_sent(check, m->sender, m, NULL, 0);
}

/* A body that may be signed once in a ctx. */
static void say(enum wire_type type, uint32_t sender, const char *body)
{
    struct wire_message m = message(type, sender);

    m.body = (const uint8_t *)body;
    m.body_size = strlen(body);
    m.shares.to = (sender + 1) % MEMBERS;
    tell(&m);
}

static void vote(enum wire_type type, uint32_t sender, enum wire_kind kind,
                 uint32_t ballot, const uint8_t *value)
{
    struct wire_message m = message(type, sender);

    m.vote.kind = kind;
    m.vote.ballot = ballot;
    memcpy(m.vote.value, value, GOSSIP_HASH_BYTES);
    tell(&m);
}

static void votes(enum wire_type type, uint64_t senders, enum wire_kind kind,
                  uint32_t ballot, const uint8_t *value)
{
    for (uint32_t i = 0; i < MEMBERS; i++)
        if (senders >> i & 1)
            vote(type, i, kind, ballot, value);
}

/* A value made known by its proposal, as on the wire. */
static void propose(uint8_t hash[GOSSIP_HASH_BYTES], enum wire_kind kind,
                    uint64_t members, const uint8_t *hash_v, uint64_t attempt)
{
    struct wire_message m = message(WIRE_PROPOSE, 0);

    m.attempt = attempt;
    m.propose.kind = m.propose.value.kind = kind;
    m.propose.value.members = members;
    if (hash_v != NULL)
        memcpy(m.propose.value.hash_v, hash_v, GOSSIP_HASH_BYTES);
    wire_value_hash(hash, &m.propose.value);
    tell(&m);
}

static const uint8_t a[GOSSIP_HASH_BYTES] = {1}, b[GOSSIP_HASH_BYTES] = {2};

/* Ballot 1 certifies b before any lock on a: honest so far. */
static void certify_b_after_prepares_of_a(void)
{
    votes(WIRE_PREPARE, 7, WIRE_V, 0, a);
    votes(WIRE_PREPARE, 14, WIRE_V, 1, b);
    votes(WIRE_COMMIT, 14, WIRE_V, 1, b);
    vote(WIRE_COMMIT, 0, WIRE_V, 0, a);
    vote(WIRE_COMMIT, 1, WIRE_V, 0, a);
    passes();
}

static void two_certificates_of_one_kind_are_seen(void **state)
{
    (void)state;
    certify_b_after_prepares_of_a();
    vote(WIRE_COMMIT, 2, WIRE_V, 0, a);
    fires("two certificates (V");
}

static void certificates_of_other_kinds_and_ballots_pass(void **state)
{
    (void)state;
    votes(WIRE_PREPARE, 7, WIRE_V, 0, a);
    votes(WIRE_COMMIT, 7, WIRE_V, 0, a);
    votes(WIRE_PREPARE, 14, WIRE_U, 0, b);
    votes(WIRE_COMMIT, 14, WIRE_U, 0, b);
    votes(WIRE_PREPARE, 11, WIRE_V, 2, a);
    votes(WIRE_COMMIT, 11, WIRE_V, 2, a);
    passes();
}

static void signatures_inside_a_cert_count(void **state)
{
    struct wire_message m = message(WIRE_CERT, 3);
    uint8_t hash[GOSSIP_HASH_BYTES];

    (void)state;
    propose(hash, WIRE_U, 7, b, 0);
    votes(WIRE_PREPARE, 7, WIRE_U, 0, hash);
    votes(WIRE_PREPARE, 14, WIRE_U, 1, b);
    votes(WIRE_COMMIT, 14, WIRE_U, 1, b);
    passes();
    m.propose.kind = m.propose.value.kind = WIRE_U;
    m.propose.value.members = m.propose.quorum.members = 7;
    memcpy(m.propose.value.hash_v, b, sizeof b);
    tell(&m);
    fires("two certificates (U");
}

static void a_commit_without_a_quorum_is_seen(void **state)
{
    (void)state;
    votes(WIRE_PREPARE, 3, WIRE_U, 0, a);
    passes();
    vote(WIRE_COMMIT, 0, WIRE_U, 0, a);
    fires("COMMIT without a PREPARE quorum");
}

static void two_prepares_in_a_ballot_are_seen(void **state)
{
    (void)state;
    vote(WIRE_PREPARE, 1, WIRE_V, 0, a);
    vote(WIRE_PREPARE, 1, WIRE_V, 0, a);
    vote(WIRE_PREPARE, 1, WIRE_U, 0, b);
    vote(WIRE_PREPARE, 1, WIRE_V, 1, b);
    passes();
    vote(WIRE_PREPARE, 1, WIRE_V, 0, b);
    fires("signed two PREPAREs");
}

static void two_commits_in_a_ballot_are_seen(void **state)
{
    (void)state;
    votes(WIRE_PREPARE, ALL, WIRE_V, 0, a);
    vote(WIRE_COMMIT, 1, WIRE_V, 0, a);
    vote(WIRE_COMMIT, 1, WIRE_V, 0, a);
    passes();
    vote(WIRE_COMMIT, 1, WIRE_V, 0, b);
    fires("signed two COMMITs");
}

static void a_lock_yields_to_a_later_quorum_only(void **state)
{
    (void)state;
    votes(WIRE_PREPARE, 7, WIRE_U, 0, a);
    vote(WIRE_COMMIT, 0, WIRE_U, 0, a);
    vote(WIRE_PREPARE, 0, WIRE_U, 1, a);
    votes(WIRE_PREPARE, 14, WIRE_U, 1, b);
    vote(WIRE_PREPARE, 0, WIRE_U, 2, b);
    passes();
    vote(WIRE_COMMIT, 1, WIRE_U, 1, b);
    vote(WIRE_PREPARE, 1, WIRE_U, 2, a);
    fires("against its lock");
}

/* The honest life of U over `members`, certified in `attempt`. */
static void certify(uint8_t u[GOSSIP_HASH_BYTES], uint64_t members,
                    uint64_t attempt)
{
    uint8_t v[GOSSIP_HASH_BYTES];

    propose(v, WIRE_V, ALL, NULL, attempt);
    propose(u, WIRE_U, members, v, attempt);
    for (int type = WIRE_PREPARE; type <= WIRE_COMMIT; type++)
        for (uint32_t i = 0; i < THRESHOLD; i++) {
            struct wire_message m = message((enum wire_type)type, i);
            m.attempt = attempt;
            m.vote.kind = WIRE_U;
            memcpy(m.vote.value, u, GOSSIP_HASH_BYTES);
            tell(&m);
        }
}

static void release(uint32_t sender, const uint8_t *cert, uint64_t members,
                    uint64_t attempt)
{
    struct wire_message m = message(WIRE_UNMASK, sender);

    m.attempt = attempt;
    m.unmask.members = members;
    memcpy(m.unmask.cert, cert, GOSSIP_HASH_BYTES);
    tell(&m);
}

static void shares_without_a_certificate_are_seen(void **state)
{
    uint8_t v[GOSSIP_HASH_BYTES], u[GOSSIP_HASH_BYTES];

    (void)state;
    propose(v, WIRE_V, ALL, NULL, 0);
    propose(u, WIRE_U, ALL, v, 0);
    votes(WIRE_PREPARE, 7, WIRE_U, 0, u);
    votes(WIRE_COMMIT, 3, WIRE_U, 0, u);
    passes();
    release(0, u, ALL, 0);
    fires("UNMASK without a certificate");
}

static void shares_of_both_kinds_are_seen(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES], v[GOSSIP_HASH_BYTES],
        other[GOSSIP_HASH_BYTES];

    (void)state;
    propose(v, WIRE_V, ALL, NULL, 0);
    propose(other, WIRE_U, 7, v, 0);
    certify(u, ALL, 0);
    release(0, u, ALL, 0);
    passes();
    release(0, other, ALL, 0);
    fires("both secrets of member 3");
}

static void shares_for_a_certificate_pass(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    certify(u, 7, 0);
    for (uint32_t i = 0; i < MEMBERS; i++)
        release(i, u, ALL, 0);
    passes();
}

static void a_second_survivor_set_in_a_round_is_seen(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    certify(u, 7, 2); /* first: who is bound by it is another rule */
    for (uint32_t i = 0; i < THRESHOLD; i++)
        release(i, u, ALL, 2);
    passes();
    certify(u, ALL, 1);
    release(0, u, ALL, 1);
    release(1, u, ALL, 1);
    passes();
    release(2, u, ALL, 1);
    fires("was opened over members");
}

static void close_of(uint32_t sender, uint64_t attempt)
{
    struct wire_message m = message(WIRE_CLOSE, sender);

    m.attempt = attempt;
    tell(&m);
}

/* Two releases by one are too few to open anything: the rule is its own. */
static void a_release_for_a_second_set_is_seen(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    for (uint64_t attempt = 0; attempt < 2; attempt++) {
        certify(u, ALL, attempt);
        release(0, u, ALL, attempt);
    }
    certify(u, 7, 2);
    release(1, u, ALL, 2);
    passes();
    release(0, u, ALL, 2);
    fires("member 0 released in round 2, attempt 2, but had released");
}

static void so_many_closes_free_who_released(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    certify(u, ALL, 0);
    release(0, u, ALL, 0);
    for (uint32_t i = 1; i < MEMBERS; i++)
        close_of(i, 0);
    close_of(0, 0);
    certify(u, 7, 1);
    release(0, u, ALL, 1);
    passes();
}

static void a_close_of_what_was_released_is_seen(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    certify(u, ALL, 1);
    release(0, u, ALL, 1);
    close_of(0, 0);
    close_of(1, 1);
    close_of(2, 1);
    passes();
    close_of(0, 1);
    fires("member 0 signed CLOSE");
}

static void a_lost_store_takes_no_release_back(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    certify(u, ALL, 0);
    release(0, u, ALL, 0);
    check_lost(check, 0);
    passes();
    close_of(0, 1);
    fires("member 0 signed CLOSE");
}

static void a_lost_store_excuses_what_was_before_it_only(void **state)
{
    (void)state;
    say(WIRE_KEYS, 0, "one");
    check_lost(check, 0);
    say(WIRE_KEYS, 0, "two");
    passes();
    say(WIRE_KEYS, 1, "one");
    say(WIRE_KEYS, 1, "two");
    fires("member 1 signed two different KEYS");
}

static void who_lost_its_store_signs_once_afterwards(void **state)
{
    struct wire_message m = message(WIRE_KEYS, 0);

    (void)state;
    say(WIRE_KEYS, 0, "one");
    check_lost(check, 0);
    m.attempt = 1;
    for (int i = 0; i < 2; i++) {
        passes();
        m.body = (const uint8_t *)(i == 0 ? "one" : "two");
        m.body_size = 3;
        tell(&m);
    }
    fires("member 0 signed two different KEYS");
}

static void bodies_signed_twice_are_seen(void **state)
{
    const enum wire_type types[] = {WIRE_KEYS, WIRE_Y, WIRE_SHARES};

    for (size_t i = 0; i < 3; i++) {
        say(types[i], 1, "one");
        say(types[i], 1, "one");
        say(types[i], 2, "two");
        passes();
        say(types[i], 1, "two");
        fires("signed two different");
        end(state);
        begin(state);
    }
}

static const struct fixed_shape shape = {.length = LENGTH};

static void contribute(uint64_t round)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        uint64_t lanes[LENGTH];
        for (uint32_t k = 0; k < LENGTH; k++)
            lanes[k] = UINT64_MAX - 100 * i - k;
        check_contributed(check, i, round, lanes, &shape);
    }
}

/* Slice `slice` of four over the members' sum, `wrong` added to a lane. */
static void sum(const uint8_t *cert, uint32_t slice, uint64_t members,
                uint64_t wrong)
{
    const uint32_t first = slice * LENGTH / MEMBERS;
    const uint32_t last = (slice + 1) * LENGTH / MEMBERS;
    uint8_t body[8 * LENGTH];
    struct wire_message m = message(WIRE_SUM, 0);

    for (uint32_t k = first; k < last; k++) {
        uint64_t lane = wrong;
        for (uint32_t i = 0; i < MEMBERS; i++)
            if (members >> i & 1)
                lane += UINT64_MAX - 100 * i - k;
        for (int byte = 0; byte < 8; byte++)
            body[8 * (k - first) + (uint32_t)byte] =
                (uint8_t)(lane >> 8 * byte);
    }
    m.sum.slice = slice;
    memcpy(m.sum.cert, cert, GOSSIP_HASH_BYTES);
    check_sent(check, 0, &m, body, 8 * (size_t)(last - first));
}

static void a_slice_sum_is_the_survivors_sum(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    contribute(2);
    certify(u, 7, 0);
    for (uint32_t slice = 0; slice < MEMBERS; slice++)
        sum(u, slice, 7, 0);
    passes();
    assert_int_equal(check_sums(check), MEMBERS);
}

static void a_sum_off_by_one_is_seen(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    contribute(2);
    certify(u, 7, 0);
    sum(u, 3, 7, 1);
    fires("another sum");
}

static void a_sum_with_a_lost_members_vector_is_seen(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    contribute(2);
    certify(u, 7, 0);
    sum(u, 1, ALL, 0);
    fires("another sum");
}

static void a_sum_of_vectors_nobody_made_is_seen(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    certify(u, 7, 0);
    sum(u, 1, 7, 0);
    fires("another sum");
}

/* Members 0 and 1 are honest, t = 3: what two liars sign must not be held
 * against them, but counts. */
static void lie(uint64_t liars)
{
    assert_int_equal(check_liars(check, liars, 2), 0);
}

static void a_liars_votes_break_no_rule(void **state)
{
    (void)state;
    lie(12);
    vote(WIRE_COMMIT, 3, WIRE_V, 0, a);
    vote(WIRE_PREPARE, 3, WIRE_V, 0, a);
    vote(WIRE_PREPARE, 3, WIRE_V, 0, b);
    vote(WIRE_COMMIT, 3, WIRE_V, 0, b);
    say(WIRE_KEYS, 3, "one");
    say(WIRE_KEYS, 3, "two");
    check_state(check, 3, 4, a);
    check_state(check, 1, 4, b);
    passes();
    vote(WIRE_COMMIT, 1, WIRE_V, 0, a);
    fires("member 1 signed a COMMIT without a PREPARE quorum");
}

static void liars_may_complete_a_quorum_but_not_a_second(void **state)
{
    (void)state;
    lie(12);
    votes(WIRE_PREPARE, 15, WIRE_V, 0, a);
    votes(WIRE_COMMIT, 13, WIRE_V, 0, a);
    passes();
    vote(WIRE_PREPARE, 2, WIRE_V, 0, b);
    vote(WIRE_PREPARE, 3, WIRE_V, 0, b);
    vote(WIRE_COMMIT, 2, WIRE_V, 0, b);
    vote(WIRE_COMMIT, 3, WIRE_V, 0, b);
    passes();
    vote(WIRE_PREPARE, 1, WIRE_V, 1, b);
    vote(WIRE_PREPARE, 2, WIRE_V, 1, b);
    vote(WIRE_PREPARE, 3, WIRE_V, 1, b);
    vote(WIRE_COMMIT, 1, WIRE_V, 1, b);
    vote(WIRE_COMMIT, 2, WIRE_V, 1, b);
    vote(WIRE_COMMIT, 3, WIRE_V, 1, b);
    fires("the second of two certificates");
}

static void a_liars_own_sum_is_no_violation(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    lie(1);
    contribute(2);
    certify(u, 7, 0);
    sum(u, 3, 7, 1);
    passes();
}

/* Member 0 lies; the honest member 1 passes its SUM on as true. */
static void a_false_sum_that_an_honest_member_passes_on_is_seen(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES], body[8 * LENGTH] = {0};
    struct wire_message m = message(WIRE_SUM, 0);

    (void)state;
    lie(1);
    contribute(2);
    certify(u, 7, 0);
    m.sum.slice = 3;
    memcpy(m.sum.cert, u, GOSSIP_HASH_BYTES);
    check_sent(check, 1, &m, body, 16);
    fires("another sum");
}

static void a_false_attestation_is_seen(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];
    struct wire_message m = message(WIRE_CHECK, 1);

    (void)state;
    contribute(2);
    certify(u, 7, 0);
    m.check.slices = 4;
    memcpy(m.check.cert, u, GOSSIP_HASH_BYTES);
    tell(&m);
    fires("(CHECK)");
}

/* The certified Y of member 2, a liar, holds five more in the first lane. */
static void an_altered_vector_counts_as_it_was_certified(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];
    const uint8_t none[GOSSIP_HASH_BYTES] = {0};

    (void)state;
    lie(4);
    contribute(2);
    check_altered(check, 2, 2, a, 6);
    check_altered(check, 2, 2, none, 5);
    certify(u, 7, 0);
    sum(u, 0, 7, 5);
    passes();
    sum(u, 0, 7, 0);
    fires("another sum");
}

static void what_colluders_must_not_know_is_seen(void **state)
{
    uint8_t u[GOSSIP_HASH_BYTES];

    (void)state;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        struct wire_message m = message(WIRE_Y, i);
        uint8_t v[GOSSIP_HASH_BYTES];
        propose(v, WIRE_V, ALL, NULL, 0);
        m.y.members = ALL;
        memcpy(m.y.hash_v, v, GOSSIP_HASH_BYTES);
        tell(&m);
    }
    certify(u, 1 | 2, 0);
    for (uint32_t i = 0; i < THRESHOLD; i++)
        release(i, u, ALL, 0);
    fires("together know the sum");
}

static void a_second_vector_for_one_round_is_seen(void **state)
{
    uint64_t lanes[LENGTH] = {0};

    (void)state;
    contribute(2);
    contribute(2);
    check_contributed(check, 1, 3, lanes, &shape);
    passes();
    check_contributed(check, 1, 2, lanes, &shape);
    fires("two different vectors");
}

static void states_that_differ_are_seen(void **state)
{
    (void)state;
    check_state(check, 0, 4, a);
    check_state(check, 1, 4, a);
    check_state(check, 1, 5, b);
    passes();
    check_state(check, 2, 5, a);
    fires("different states");
}

static void a_canary_is_found_at_any_offset(void **state)
{
    struct canary *canary = canary_new();
    const double value = 4711.125;
    uint64_t bits;
    uint8_t bytes[64] = {0};

    (void)state;
    memcpy(&bits, &value, sizeof bits);
    canary_add(canary, bits, "a value of a row");
    assert_null(canary_find(canary, bytes, sizeof bytes));
    for (size_t i = 0; i + 8 <= sizeof bytes; i++) {
        memset(bytes, 0, sizeof bytes);
        for (int k = 0; k < 8; k++)
            bytes[i + (size_t)k] = (uint8_t)(bits >> 8 * k);
        assert_string_equal(canary_find(canary, bytes, sizeof bytes),
                            "a value of a row");
        assert_null(canary_find(canary, bytes, i + 7));
    }
    canary_free(canary);
}

int main(void)
{
#define CLAIM(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CLAIM(two_certificates_of_one_kind_are_seen),
        CLAIM(certificates_of_other_kinds_and_ballots_pass),
        CLAIM(signatures_inside_a_cert_count),
        CLAIM(a_commit_without_a_quorum_is_seen),
        CLAIM(two_prepares_in_a_ballot_are_seen),
        CLAIM(two_commits_in_a_ballot_are_seen),
        CLAIM(a_lock_yields_to_a_later_quorum_only),
        CLAIM(shares_without_a_certificate_are_seen),
        CLAIM(shares_of_both_kinds_are_seen),
        CLAIM(shares_for_a_certificate_pass),
        CLAIM(a_second_survivor_set_in_a_round_is_seen),
        CLAIM(a_release_for_a_second_set_is_seen),
        CLAIM(so_many_closes_free_who_released),
        CLAIM(a_close_of_what_was_released_is_seen),
        CLAIM(a_lost_store_takes_no_release_back),
        CLAIM(a_lost_store_excuses_what_was_before_it_only),
        CLAIM(who_lost_its_store_signs_once_afterwards),
        CLAIM(bodies_signed_twice_are_seen),
        CLAIM(a_slice_sum_is_the_survivors_sum),
        CLAIM(a_sum_off_by_one_is_seen),
        CLAIM(a_sum_with_a_lost_members_vector_is_seen),
        CLAIM(a_sum_of_vectors_nobody_made_is_seen),
        CLAIM(a_liars_votes_break_no_rule),
        CLAIM(liars_may_complete_a_quorum_but_not_a_second),
        CLAIM(a_liars_own_sum_is_no_violation),
        CLAIM(a_false_sum_that_an_honest_member_passes_on_is_seen),
        CLAIM(a_false_attestation_is_seen),
        CLAIM(an_altered_vector_counts_as_it_was_certified),
        CLAIM(what_colluders_must_not_know_is_seen),
        CLAIM(a_second_vector_for_one_round_is_seen),
        CLAIM(states_that_differ_are_seen),
        CLAIM(a_canary_is_found_at_any_offset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
