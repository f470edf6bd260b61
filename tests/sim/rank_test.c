/* Which single members a run's survivor sets give away. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/rank.h"

static uint64_t alone(const uint64_t *rows, size_t count)
{
    struct rank r = {0};

    for (size_t i = 0; i < count; i++)
        rank_add(&r, rows[i]);
    return rank_alone(&r);
}

#define ALONE(...)                                                             \
    alone((const uint64_t[]){__VA_ARGS__},                                     \
          sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static void equal_sets_show_nobody(void **state)
{
    (void)state;
    assert_int_equal(ALONE(15, 15, 15), 0);
    assert_int_equal(ALONE(UINT64_MAX), 0);
}

static void two_sets_that_differ_by_one_show_that_one(void **state)
{
    (void)state;
    assert_int_equal(ALONE(31, 15), 16);
    assert_int_equal(ALONE(31, 7), 0);
    assert_int_equal(ALONE(31, 7, 15), 24);
}

/* Not a difference of two: half of ab + bc - ac. */
static void three_pairs_in_a_ring_show_all_three(void **state)
{
    (void)state;
    assert_int_equal(ALONE(3, 6, 5), 7);
    assert_int_equal(ALONE(3, 6, 12, 9), 0);
    assert_int_equal(ALONE(3, 6, 12, 24, 17), 31);
}

static void sets_that_share_two_members_always_hide_these(void **state)
{
    (void)state;
    assert_int_equal(ALONE(3, 7, 11, 19, 31) & 3, 0);
    assert_int_equal(ALONE(3, 7, 11, 19, 31), 28);
}

static void the_last_column_counts(void **state)
{
    (void)state;
    assert_int_equal(ALONE(UINT64_MAX, UINT64_MAX >> 1), UINT64_C(1) << 63);
}

/* Every matrix of up to four rows over four columns, against all combinations
 * with small coefficients: what these show, it shows. */
static void small_matrices_agree_with_trying(void **state)
{
    (void)state;
    for (uint64_t a = 1; a < 16; a++)
        for (uint64_t b = 1; b < 16; b++)
            for (uint64_t c = 1; c < 16; c++) {
                const uint64_t rows[] = {a, b, c};
                uint64_t found = 0;
                for (int k = 0; k < 125; k++) {
                    const int factors[] = {k % 5 - 2, k / 5 % 5 - 2,
                                           k / 25 - 2};
                    int sum[4] = {0}, used = 0, last = 0;
                    for (int j = 0; j < 12; j++)
                        if (rows[j / 4] >> j % 4 & 1)
                            sum[j % 4] += factors[j / 4];
                    for (int j = 0; j < 4; j++)
                        if (sum[j] != 0)
                            used++, last = j;
                    if (used == 1)
                        found |= UINT64_C(1) << last;
                }
                assert_int_equal(alone(rows, 3), found);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_sets_show_nobody),
        cmocka_unit_test(two_sets_that_differ_by_one_show_that_one),
        cmocka_unit_test(three_pairs_in_a_ring_show_all_three),
        cmocka_unit_test(sets_that_share_two_members_always_hide_these),
        cmocka_unit_test(the_last_column_counts),
        cmocka_unit_test(small_matrices_agree_with_trying),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
