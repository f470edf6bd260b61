/* Each fast loop against the slow obvious one: the same bits. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "gossip/kernel.h"

enum { ROWS = 19, STRIDE = 144, TERMS = 7 };

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
        kernel_pair(out, x + 4 * STRIDE, weight, x + 6 * STRIDE, d);
        kernel_pair_single(short_out, narrow + 4 * STRIDE, weight,
                           narrow + 6 * STRIDE, d);
        assert_memory_equal(out, expected, sizeof out);
        assert_memory_equal(short_out, short_expected, sizeof short_out);
        memcpy(out, x + 4 * STRIDE, d * sizeof *out);
        memcpy(short_out, narrow + 4 * STRIDE, d * sizeof *short_out);
        kernel_pair(out, out, weight, x + 6 * STRIDE, d);
        kernel_pair_single(short_out, short_out, weight, narrow + 6 * STRIDE,
                           d);
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
}

static float sum_single(const float *a, const float *b, size_t d)
{
    float sum[16] = {0};

    for (size_t k = 0; k < d; k++)
        sum[k % 16] += a[k] * b[k];
    for (size_t width = 8; width >= 1; width /= 2)
        for (size_t l = 0; l < width; l++)
            sum[l] += sum[l + width];
    return sum[0];
}

static void products_in_single_precision_add_in_one_order(void **state)
{
    double out[ROWS];

    (void)state;
    for (size_t count = 1; count <= ROWS; count++)
        for (size_t d = 16; d <= STRIDE; d += 16) {
            kernel_dots_single(out, narrow + 5, narrow, count, STRIDE - 16, d);
            for (size_t r = 0; r < count; r++) {
                double one =
                    sum_single(narrow + 5, narrow + r * (STRIDE - 16), d);
                assert_memory_equal(&out[r], &one, sizeof one);
            }
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

/* The gradient in its three steps. */
static void of_two(double *g, size_t inputs, size_t d, size_t blocks,
                   bool single)
{
    double a[STRIDE] = {0}, sum[STRIDE] = {0}, dots[16], slope[16];
    float short_a[STRIDE], short_sum[STRIDE] = {0};
    static double wide[ROWS * STRIDE];
    uint32_t each[16];

    for (size_t k = 0; k < inputs; k++)
        a[k] = x[inputs + k] - x[k];
    kernel_narrow(short_a, a, d);
    kernel_widen(wide, narrow, 16 * blocks * d);
    for (size_t b = 0; b < blocks; b++) {
        if (single)
            kernel_dots_single(dots, short_a, narrow + b * 16 * d, 16, d, d);
        else
            kernel_dots(dots, a, wide + b * 16 * d, 16, d, d);
        kernel_logistic(slope, dots, 16);
        for (uint32_t k = 0; k < 16; k++) {
            each[k] = k;
            slope[k] = 1.0 / 7 * (slope[k] - (double)(k % 3 == 0));
        }
        kernel_gather(sum, slope, each, 16, wide + b * 16 * d, d, d);
        kernel_gather_single(short_sum, slope, each, 16, narrow + b * 16 * d, d,
                             d);
    }
    for (size_t k = 0; k < inputs; k++) {
        g[inputs + k] = single ? (double)short_sum[k] : sum[k];
        g[k] = -g[inputs + k];
    }
}

static void a_softmax_of_two_has_the_bits_of_its_steps(void **state)
{
    uint32_t label[32];
    double g[2 * STRIDE], expected[2 * STRIDE], room[18 * STRIDE];

    (void)state;
    for (uint32_t k = 0; k < 32; k++)
        label[k] = k % 16 % 3 == 0;
    for (size_t d = 16; d <= 80; d += 16)
        for (size_t inputs = d - 15; inputs <= d; inputs++)
            for (size_t blocks = 1;
                 blocks * 16 * d <= ROWS * STRIDE && blocks < 3; blocks++) {
                const struct kernel_two two = {inputs, d,       blocks, narrow,
                                               label,  1.0 / 7, room,   false};
                const size_t size = 2 * inputs * sizeof *g;
                of_two(expected, inputs, d, blocks, false);
                kernel_two(g, x, &two);
                assert_memory_equal(g, expected, size);
                of_two(expected, inputs, d, blocks, true);
                kernel_two_single(g, x, &two);
                assert_memory_equal(g, expected, size);
            }
}

/* All that a set computes from the same numbers. */
struct outcome {
    double dot, dots[ROWS], dots_single[ROWS];
    double gather[STRIDE], sum[STRIDE], pair[STRIDE], widened[STRIDE];
    double logistic[STRIDE];
    float descent[STRIDE];
    float gather_single[STRIDE], pair_single[STRIDE], narrowed[STRIDE];
    double two[2 * STRIDE], two_single[2 * STRIDE];
};

static void compute(struct outcome *o, const struct kernel_set *k, size_t d)
{
    static const uint32_t label[16] = {1, 0, 0, 1, 0, 1, 1, 1};
    static double room[18 * STRIDE];
    struct kernel_two two = {.blocks = 1,
                             .rows = narrow,
                             .label = label,
                             .factor = 1.0 / 16,
                             .room = room};

    memset(o, 0, sizeof *o);
    o->dot = k->dot(x, x + 7, d);
    k->dots(o->dots, x + 3, x, ROWS, STRIDE, d);
    k->dots_single(o->dots_single, narrow, narrow, ROWS, STRIDE, d / 16 * 16);
    k->gather(o->gather, weight, column, TERMS, x, STRIDE, d);
    k->add(o->gather, 0.3, x + 11, d);
    k->gather_single(o->gather_single, weight, column, TERMS, narrow, STRIDE,
                     d);
    k->sum(o->sum, x, -0.7, x + STRIDE, d);
    k->pair(o->pair, x, weight, x + 1, d);
    k->pair(o->pair, o->pair, weight + 2, x + 2, d);
    k->pair_single(o->pair_single, narrow, weight, narrow + 1, d);
    k->pair_single(o->pair_single, o->pair_single, weight + 2, narrow + 2, d);
    k->widen(o->widened, narrow + 3, d);
    k->narrow(o->narrowed, x + 3, d);
    k->descend(o->descent, narrow, -0.3, narrow + 9, d);
    k->logistic(o->logistic, x, d);
    two.inputs = d;
    two.d = (d + 15) / 16 * 16;
    k->two(o->two, x, &two);
    k->two_single(o->two_single, x, &two);
}

static void every_kind_of_processor_gives_the_same_bits(void **state)
{
    const struct kernel_set *sets[KERNEL_SETS_MAX];
    static struct outcome first, other;
    size_t count = kernel_sets(sets);

    (void)state;
    assert_in_range(count, 1, KERNEL_SETS_MAX);
    assert_string_equal(sets[count - 1]->name, "plain");
    for (size_t d = 1; d < STRIDE; d++) {
        compute(&first, sets[0], d);
        for (size_t k = 1; k < count; k++) {
            compute(&other, sets[k], d);
            assert_memory_equal(&first, &other, sizeof first);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gather_adds_in_the_given_order),
        cmocka_unit_test(a_pair_has_the_bits_of_a_gather),
        cmocka_unit_test(products_of_many_rows_are_those_of_each),
        cmocka_unit_test(products_in_single_precision_add_in_one_order),
        cmocka_unit_test(a_sum_may_be_in_place),
        cmocka_unit_test(a_softmax_of_two_has_the_bits_of_its_steps),
        cmocka_unit_test(every_kind_of_processor_gives_the_same_bits),
        cmocka_unit_test(the_logistic_function_is_that_of_the_library),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
