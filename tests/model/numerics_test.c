/* The small numerical tools: wide, cholesky, special, metric. */

#include "model/cohort.h"

#include "model/cholesky.h"
#include "model/metric.h"
#include "model/special.h"
#include "model/wide.h"

static void wide_numbers_survive_a_fixed_point_sum(void **unused)
{
    static const double values[] = {
        1e-24, 1e-12,         -3.3e-13,       0,      0.1, -7.25e5,
        1e15,  1.23456789e15, -9.87654321e20, 2.5e30, 1e36};
    struct fixed_shape shape = {.length = WIDE_LIMBS,
                                .bound = fixed_bound(64, 32),
                                .fraction_bits = 32,
                                .exact = true};
    (void)unused;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        double limbs[WIDE_LIMBS], sum[WIDE_LIMBS];
        uint64_t lanes[WIDE_LIMBS], total[WIDE_LIMBS] = {0};
        size_t at;
        assert_true(wide_encode(limbs, values[i]));
        for (size_t j = 0; j + 1 < WIDE_LIMBS; j++)
            assert_true(limbs[j] == trunc(limbs[j]));
        assert_int_equal(fixed_encode(lanes, limbs, &shape, &at), 0);
        for (size_t j = 0; j < WIDE_LIMBS; j++)
            total[j] = 3 * lanes[j];
        assert_int_equal(fixed_decode(sum, total, 3, &shape, &at), 0);
        assert_near(wide_decode(sum), 3 * values[i],
                    1e-14 * 3 * fabs(values[i]));
        if (fabs(values[i]) >= 1e-12 || values[i] == 0)
            assert_true(wide_decode(limbs) == values[i]);
    }
    double limbs[WIDE_LIMBS];
    assert_false(wide_encode(limbs, 1e37));
    assert_false(wide_encode(limbs, NAN));
    assert_false(wide_encode(limbs, -INFINITY));
}

static void cholesky_solves_and_names_the_dependent_column(void **unused)
{
    double a[9] = {4, 2, 2, 2, 5, 3, 2, 3, 6}, x[3] = {8, 10, 11};
    double l[9], inverse[9];
    (void)unused;
    memcpy(l, a, sizeof a);
    assert_int_equal(cholesky_factor(l, 3, 1e-9, 0), 3);
    cholesky_solve(x, l, 3);
    for (size_t i = 0; i < 3; i++)
        assert_near(x[i], 1, 1e-15);
    cholesky_invert(inverse, l, 3);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            double sum = 0;
            for (size_t k = 0; k < 3; k++)
                sum += a[i * 3 + k] * inverse[k * 3 + j];
            assert_near(sum, i == j, 1e-14);
        }
    double twin[9] = {1, 0, 1, 0, 2, 0, 1, 0, 1 + 1e-12};
    assert_int_equal(cholesky_factor(twin, 3, 1e-9, 0), 2);
    double negative[1] = {-1};
    assert_int_equal(cholesky_factor(negative, 1, 1e-9, 0), 0);
}

/* R: 2*pnorm(-z), 2*pt(-t, df), qt(0.975, df); exact for df 1 and 2. */
static void tails_equal_tables(void **unused)
{
    const double pi = 3.14159265358979323846;
    (void)unused;
    assert_near(special_normal_p(1.959963984540054), 0.05, 1e-15);
    assert_near(special_normal_p(-1.959963984540054), 0.05, 1e-15);
    for (double t = 0.125; t < 100; t *= 2) {
        assert_near(special_student_p(t, 1), 1 - 2 * atan(t) / pi, 1e-14);
        assert_near(special_student_p(-t, 2), 1 - t / sqrt(t * t + 2), 1e-14);
    }
    assert_near(special_student_p(0, 7), 1, 0);
    assert_near(special_student_quantile(0.05, 1), 12.7062047361747, 1e-10);
    assert_near(special_student_quantile(0.05, 2), 4.30265272974946, 1e-12);
    assert_near(special_student_quantile(0.05, 10), 2.22813885198627, 1e-12);
    assert_near(special_student_quantile(0.05, 30), 2.04227245630124, 1e-12);
    assert_near(special_student_quantile(0.05, 1e6), 1.95996635682, 1e-9);
}

static void areas_count_pairs_and_half_the_ties(void **unused)
{
    static const double p[] = {0.9, 0.4, 0.4, 0.35, 0.1, 0.8};
    static const double y[] = {1, 1, 0, 1, 0, 0};
    double positives[METRIC_BINS] = {0}, negatives[METRIC_BINS] = {0};
    (void)unused;
    for (size_t i = 0; i < 6; i++)
        (y[i] == 1 ? positives : negatives)[metric_bin(p[i])]++;
    assert_near(metric_auc(p, y, 6), 5.5 / 9, 1e-15);
    assert_near(metric_auc_binned(positives, negatives), 5.5 / 9, 1e-15);
    assert_true(isnan(metric_auc(p, y, 2)));
    assert_true(isnan(metric_auc((const double[]){0.2, NAN, 0.8}, y, 3)));
    memset(negatives, 0, sizeof negatives);
    assert_true(metric_auc_binned(positives, negatives) == METRIC_NONE);
    assert_int_equal(metric_bin(0), 0);
    assert_int_equal(metric_bin(1), 999);
    assert_int_equal(metric_bin(0.9995), 999);
    assert_int_equal(metric_bin(0.0005), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_numbers_survive_a_fixed_point_sum),
        cmocka_unit_test(cholesky_solves_and_names_the_dependent_column),
        cmocka_unit_test(tails_equal_tables),
        cmocka_unit_test(areas_count_pairs_and_half_the_ties)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
