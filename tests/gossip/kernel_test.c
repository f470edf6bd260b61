/* Each fast loop against the slow obvious one: the same bits. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "gossip/kernel.h"

enum { ROWS = 9, STRIDE = 144, TERMS = 7 };

static double x[ROWS * STRIDE];
static float narrow[ROWS * STRIDE];
static const uint32_t column[TERMS] = {3, 0, 8, 3, 5, 1, 7};
static const double weight[TERMS] = {0.3, -0.1, 1.0 / 3, 0.7, 1e-9, 2, -0.25};

static int fill(void **state)
{
    (void)state;
    for (size_t k = 0; k < ROWS * STRIDE; k++) {
        x[k] = sin((double)(k * k % 1009));
        narrow[k] = (float)x[k];
    }
    return 0;
}

static void a_gather_adds_in_the_given_order(void **state)
{
    double out[STRIDE], expected[STRIDE];
    float short_out[STRIDE], short_expected[STRIDE];

    (void)state;
    for (size_t d = 1; d < STRIDE; d++) {
        for (size_t k = 0; k < STRIDE; k++) {
            out[k] = expected[k] = (double)k / 7;
            short_out[k] = short_expected[k] = (float)k / 7;
        }
        for (size_t k = 0; k < d; k++)
            for (size_t e = 0; e < TERMS; e++) {
                expected[k] += weight[e] * x[column[e] * STRIDE + k];
                short_expected[k] +=
                    (float)weight[e] * narrow[column[e] * STRIDE + k];
            }
        kernel_gather(out, weight, column, TERMS, x, STRIDE, d);
        kernel_gather_single(short_out, weight, column, TERMS, narrow, STRIDE,
                             d);
        assert_memory_equal(out, expected, sizeof out);
        assert_memory_equal(short_out, short_expected, sizeof short_out);
    }
}

static void a_pair_has_the_bits_of_a_gather(void **state)
{
    static const uint32_t both[2] = {4, 6};

    (void)state;
    for (size_t d = 1; d < STRIDE; d++) {
        double expected[STRIDE] = {0}, out[STRIDE] = {0};
        float short_expected[STRIDE] = {0}, short_out[STRIDE] = {0};
        kernel_gather(expected, weight, both, 2, x, STRIDE, d);
        kernel_gather_single(short_expected, weight, both, 2, narrow, STRIDE,
                             d);
        memcpy(out, x + 4 * STRIDE, d * sizeof *out);
        memcpy(short_out, narrow + 4 * STRIDE, d * sizeof *short_out);
        kernel_pair(out, weight, x + 6 * STRIDE, d);
        kernel_pair_single(short_out, weight, narrow + 6 * STRIDE, d);
        assert_memory_equal(out, expected, sizeof out);
        assert_memory_equal(short_out, short_expected, sizeof short_out);
    }
}

static void products_of_many_rows_are_those_of_each(void **state)
{
    double out[ROWS];

    (void)state;
    for (size_t d = 1; d < STRIDE; d++) {
        kernel_dots(out, x + 5, x, ROWS, STRIDE, d);
        for (size_t r = 0; r < ROWS; r++) {
            double one = kernel_dot(x + 5, x + r * STRIDE, d), sum = 0;
            for (size_t k = 0; k < d; k++)
                sum += x[5 + k] * x[r * STRIDE + k];
            assert_memory_equal(&out[r], &one, sizeof one);
            assert_true(fabs(one - sum) < 1e-13);
        }
    }
    kernel_dots_single(out, narrow, narrow, ROWS, STRIDE, STRIDE);
    for (size_t r = 0; r < ROWS; r++) {
        double sum = 0;
        for (size_t k = 0; k < STRIDE; k++)
            sum += (double)narrow[k] * (double)narrow[r * STRIDE + k];
        assert_true(fabs(out[r] - sum) < 1e-4);
    }
}

static void a_sum_may_be_in_place(void **state)
{
    double out[STRIDE], expected[STRIDE];

    (void)state;
    for (size_t k = 0; k < STRIDE; k++)
        expected[k] = x[k] + -0.3 * x[STRIDE + k];
    kernel_sum(out, x, -0.3, x + STRIDE, STRIDE);
    assert_memory_equal(out, expected, sizeof out);
    memcpy(out, x, sizeof out);
    kernel_sum(out, out, -0.3, x + STRIDE, STRIDE);
    assert_memory_equal(out, expected, sizeof out);
}

static void the_logistic_function_is_that_of_the_library(void **state)
{
    double at[64], out[64];

    (void)state;
    for (int from = -800; from < 800; from += 2) {
        for (int k = 0; k < 64; k++)
            at[k] = from + k / 32.0;
        kernel_logistic(out, at, 64);
        for (int k = 0; k < 64; k++) {
            double p = 1 / (1 + exp(-at[k]));
            assert_true(fabs(out[k] - p) <= 4e-16);
            assert_true(at[k] < -699 || fabs(out[k] - p) <= 1e-15 * p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gather_adds_in_the_given_order),
        cmocka_unit_test(a_pair_has_the_bits_of_a_gather),
        cmocka_unit_test(products_of_many_rows_are_those_of_each),
        cmocka_unit_test(a_sum_may_be_in_place),
        cmocka_unit_test(the_logistic_function_is_that_of_the_library),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
