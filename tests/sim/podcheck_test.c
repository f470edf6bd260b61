/* The checker between pods finds what it is there for. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "gossip/mixwire.h"
#include "sim/podcheck.h"

enum { PODS = 3, LIAR = 4 };

static struct study view;
static struct podcheck *checks[PODS];

static void open_checks(bool exact)
{
    for (uint32_t p = 0; p < PODS; p++) {
        view = (struct study){.site_count = 5,
                              .threshold = 4,
                              .pod = p,
                              .pod_count = PODS,
                              .exact = exact,
                              .mixing = {.graph = SCHEDULE_RING, .n = PODS}};
        checks[p] = podcheck_new(&view, UINT64_C(1) << LIAR);
        assert_non_null(checks[p]);
    }
}

static const char *close_checks(void)
{
    static char found[512];

    podcheck_between(checks, PODS);
    found[0] = '\0';
    for (uint32_t p = 0; p < PODS; p++) {
        if (found[0] == '\0')
            strncpy(found, podcheck_violation(checks[p]), sizeof found - 1);
        podcheck_free(checks[p]);
    }
    return found;
}

static void feed(struct mixwire *m, uint32_t from, const uint64_t *words)
{
    uint8_t head[MIXWIRE_MAX];

    m->sender = from;
    size_t size = mixwire_write(head, m, NULL, NULL);
    podcheck_posted(checks[m->pod], from, head, size, (const uint8_t *)words,
                    words == NULL ? 0 : sizeof *words);
}

static void offer(uint32_t pod, uint32_t from, uint64_t word)
{
    struct mixwire m = {.type = MIXWIRE_OFFER, .pod = pod, .round = 7};

    mixwire_hash(m.hash, &word, 1);
    feed(&m, from, &word);
}

/* Pod 0's proposal of what pods 1 and 2 offer; 0: leaves it out. */
static void propose(struct mixwire_value *value, uint64_t one, uint64_t two)
{
    struct mixwire m = {.type = MIXWIRE_PROPOSE, .round = 7};

    memset(value, 0, sizeof *value);
    value->used = (one != 0 ? 1 : 0) | (two != 0 ? 2 : 0);
    mixwire_hash(value->hashes[0], &one, 1);
    mixwire_hash(value->hashes[1], &two, 1);
    m.value = *value;
    feed(&m, LIAR, NULL);
}

static void vote(const struct mixwire_value *value, enum mixwire_type type,
                 uint32_t from, uint32_t ballot)
{
    struct mixwire m = {.type = type, .round = 7, .ballot = ballot};

    mixwire_value_hash(m.hash, value);
    feed(&m, from, NULL);
}

static void prepare_all(const struct mixwire_value *value, uint32_t ballot)
{
    for (uint32_t i = 0; i < 4; i++)
        vote(value, MIXWIRE_PREPARE, i, ballot);
}

static void offers_of_all(void)
{
    for (uint32_t p = 0; p < PODS; p++)
        for (uint32_t i = 0; i < 4; i++)
            offer(p, i, 100 + p);
}

static void an_honest_step_is_clean(void **state)
{
    struct mixwire_value value;

    (void)state;
    open_checks(true);
    offers_of_all();
    offer(1, LIAR, 5);
    propose(&value, 101, 102);
    prepare_all(&value, 0);
    for (uint32_t i = 0; i < 4; i++)
        vote(&value, MIXWIRE_COMMIT, i, 0);
    podcheck_between(checks, PODS);
    assert_int_equal(podcheck_matched(checks[0]), 8);
    assert_string_equal(close_checks(), "");
}

static void two_offers_of_a_pod_are_found(void **state)
{
    (void)state;
    open_checks(false);
    offer(1, 0, 101);
    offer(1, 2, 100);
    assert_non_null(strstr(close_checks(), "offers another vector"));
}

static void a_vector_that_is_not_the_signed_one_is_found(void **state)
{
    struct mixwire m = {.type = MIXWIRE_OFFER, .pod = 1, .round = 7};
    uint64_t word = 101;

    (void)state;
    open_checks(false);
    mixwire_hash(m.hash, &word, 1);
    word++;
    feed(&m, 0, &word);
    assert_non_null(strstr(close_checks(), "signed another vector"));
}

static void a_commit_to_what_nobody_offered_is_found(void **state)
{
    struct mixwire_value value;

    (void)state;
    open_checks(false);
    offers_of_all();
    offer(1, LIAR, 5);
    propose(&value, 5, 102);
    prepare_all(&value, 0);
    vote(&value, MIXWIRE_COMMIT, 1, 0);
    assert_non_null(strstr(close_checks(), "did not offer"));
}

static void a_commit_to_what_nobody_proposed_is_found(void **state)
{
    struct mixwire_value value = {.used = 1};

    (void)state;
    open_checks(false);
    offers_of_all();
    prepare_all(&value, 0);
    vote(&value, MIXWIRE_COMMIT, 1, 0);
    assert_non_null(strstr(close_checks(), "nobody proposed"));
}

static void an_exact_step_without_a_pod_is_found(void **state)
{
    struct mixwire_value value;

    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        open_checks(exact);
        offers_of_all();
        propose(&value, 101, 0);
        prepare_all(&value, 0);
        vote(&value, MIXWIRE_COMMIT, 1, 0);
        const char *found = close_checks();
        assert_int_equal(strstr(found, "COMMITs without pod 2") != NULL, exact);
    }
}

static void votes_against_the_rules_are_found(void **state)
{
    struct mixwire_value value, other;

    (void)state;
    open_checks(false);
    offers_of_all();
    propose(&value, 101, 102);
    propose(&other, 101, 0);
    vote(&value, MIXWIRE_PREPARE, 1, 0);
    vote(&other, MIXWIRE_PREPARE, 1, 0);
    assert_non_null(strstr(close_checks(), "signed two PREPAREs"));

    open_checks(false);
    offers_of_all();
    propose(&value, 101, 102);
    propose(&other, 101, 0);
    prepare_all(&value, 0);
    vote(&value, MIXWIRE_COMMIT, 1, 0);
    vote(&other, MIXWIRE_PREPARE, 1, 3);
    assert_non_null(strstr(close_checks(), "against its lock"));
}

static void what_was_mixed_is_known(void **state)
{
    const uint64_t *words;
    bool complete;
    size_t count;

    (void)state;
    open_checks(false);
    offers_of_all();
    podcheck_mixed(checks[1], 7, 0);
    words = podcheck_offered(checks[1], 7, &count, &complete);
    assert_true(complete && count == 1 && words[0] == 101);
    podcheck_mixed(checks[1], 7, 1);
    podcheck_offered(checks[1], 7, &count, &complete);
    assert_false(complete);
    podcheck_forget(checks[1], 7);
    assert_null(podcheck_offered(checks[1], 7, &count, &complete));
    assert_string_equal(close_checks(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_step_is_clean),
        cmocka_unit_test(two_offers_of_a_pod_are_found),
        cmocka_unit_test(a_vector_that_is_not_the_signed_one_is_found),
        cmocka_unit_test(a_commit_to_what_nobody_offered_is_found),
        cmocka_unit_test(a_commit_to_what_nobody_proposed_is_found),
        cmocka_unit_test(an_exact_step_without_a_pod_is_found),
        cmocka_unit_test(votes_against_the_rules_are_found),
        cmocka_unit_test(what_was_mixed_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
