/* What colluders may know and what not, on leaks made by hand: 5 members, t =
 * 4, c = 1, member 4 lies. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/knowledge.h"

enum { MEMBERS = 5, ALL = 31, LIAR = 16 };

static const uint8_t v[GOSSIP_HASH_BYTES] = {1};
static struct knowledge *knowledge;

static void know(uint64_t liars)
{
    const struct knowledge_rules rules = {
        .members = MEMBERS, .threshold = 4, .colluders = 1, .liars = liars};

    knowledge_free(knowledge);
    knowledge = knowledge_new(&rules);
    assert_non_null(knowledge);
}

static int begin(void **state)
{
    (void)state;
    know(LIAR);
    return 0;
}

static int end(void **state)
{
    (void)state;
    knowledge_free(knowledge);
    knowledge = NULL;
    return 0;
}

static void passes(void)
{
    assert_string_equal(knowledge_violation(knowledge), "");
}

static void fires(const char *words)
{
    if (strstr(knowledge_violation(knowledge), words) == NULL)
        fail_msg("found '%s', expected '%s'", knowledge_violation(knowledge),
                 words);
}

static void mask(uint64_t who, uint64_t round, uint64_t attempt)
{
    for (uint32_t i = 0; i < MEMBERS; i++)
        if (who >> i & 1)
            knowledge_masked(knowledge, i, round, attempt, v, ALL);
}

static void release(uint64_t who, uint64_t round, uint64_t attempt,
                    uint64_t survivors)
{
    for (uint32_t i = 0; i < MEMBERS; i++)
        if (who >> i & 1)
            knowledge_released(knowledge, i, round, attempt, ALL, survivors);
}

static void open_sum(uint64_t round, uint64_t survivors)
{
    mask(ALL & ~LIAR, round, 0);
    release(7, round, 0, survivors);
}

static void a_liars_shares_help(void **state)
{
    (void)state;
    mask(15, 0, 0);
    release(3, 0, 0, ALL);
    assert_int_equal(knowledge_opened(knowledge), 0);
    release(4, 0, 0, ALL);
    assert_int_equal(knowledge_opened(knowledge), 1);
    passes();
}

static void a_vector_that_was_not_sent_closes_the_sum(void **state)
{
    (void)state;
    mask(7, 0, 0);
    release(15, 0, 0, ALL);
    assert_int_equal(knowledge_opened(knowledge), 0);
    mask(8, 0, 0); /* late, but it is the last mask's other end */
    assert_int_equal(knowledge_opened(knowledge), 1);
    passes();
}

static void a_lost_members_mask_key_frees_the_rest(void **state)
{
    (void)state;
    mask(7, 0, 0);
    release(7, 0, 0, ALL & ~8);
    assert_int_equal(knowledge_opened(knowledge), 1);
    mask(8, 0, 0); /* its own is under b, which nobody has */
    assert_int_equal(knowledge_opened(knowledge), 1);
    passes();
}

static void both_secrets_of_one_member_expose_it(void **state)
{
    (void)state;
    mask(15, 0, 0);
    release(7, 0, 0, ALL);
    passes();
    release(7, 0, 0, ALL & ~1);
    fires("members 10 together know the sum of members 1 of round 0");
}

static void a_set_below_h_min_is_seen(void **state)
{
    (void)state;
    mask(15, 0, 0);
    release(7, 0, 0, 3 | LIAR);
    fires("too few");
}

static void two_sets_of_one_round_are_seen(void **state)
{
    (void)state;
    knowledge_named(knowledge, ALL);
    mask(15, 3, 0);
    release(7, 3, 0, ALL);
    mask(15, 3, 1);
    release(7, 3, 1, ALL);
    passes();
    mask(15, 3, 2);
    release(7, 3, 2, ALL & ~8);
    fires("the second set of that round");
}

static void what_the_difference_of_sums_shows_must_have_been_said(void **state)
{
    (void)state;
    open_sum(0, ALL);
    open_sum(1, ALL);
    passes();
    open_sum(2, ALL & ~8);
    fires("of which nobody was told");
}

static void what_was_said_may_be_shown(void **state)
{
    (void)state;
    open_sum(0, ALL);
    knowledge_named(knowledge, 8);
    open_sum(2, ALL & ~8);
    passes();
    open_sum(3, ALL & ~4); /* also shows member 2 */
    fires("of which nobody was told");
}

/* Nobody lies, but anybody may be curious: for members 0, 1, 3 and 4 the sums
 * without one of {2} show it; whoever it is, somebody else looks. */
static void any_one_may_be_the_curious_one(void **state)
{
    (void)state;
    know(0);
    mask(ALL, 0, 0);
    release(15, 0, 0, ALL);
    assert_int_equal(knowledge_opened(knowledge), MEMBERS);
    passes();
    mask(ALL, 1, 0);
    release(15, 1, 0, ALL & ~4);
    fires("of which nobody was told");
}

int main(void)
{
#define CLAIM(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CLAIM(a_liars_shares_help),
        CLAIM(a_vector_that_was_not_sent_closes_the_sum),
        CLAIM(a_lost_members_mask_key_frees_the_rest),
        CLAIM(both_secrets_of_one_member_expose_it),
        CLAIM(a_set_below_h_min_is_seen),
        CLAIM(two_sets_of_one_round_are_seen),
        CLAIM(what_the_difference_of_sums_shows_must_have_been_said),
        CLAIM(what_was_said_may_be_shown),
        CLAIM(any_one_may_be_the_curious_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
