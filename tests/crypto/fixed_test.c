#include "crypto/fixed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fenv.h>
#include <math.h>

static struct fixed_shape shape_of(size_t length, double bound, uint8_t bits)
{
    return (struct fixed_shape){
        .length = length, .bound = bound, .fraction_bits = bits};
}

static uint64_t encode_one(double x, double bound, uint8_t bits)
{
    struct fixed_shape shape = shape_of(1, bound, bits);
    uint64_t lane;
    size_t at;

    assert_int_equal(fixed_encode(&lane, &x, &shape, &at), 0);
    return lane;
}

static void ties_round_to_even(void **state)
{
    static const struct {
        double x;
        int want;
    } cases[] = {{0.5, 0},   {1.5, 2},    {2.5, 2},  {-0.5, 0},   {-1.5, -2},
                 {-2.5, -2}, {0.49, 0},   {0.51, 1}, {-0.51, -1}, {3, 3},
                 {-3, -3},   {99.5, 100}, {-0.0, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(encode_one(cases[i].x, 100, 0),
                         (uint64_t)(100 + cases[i].want));
        assert_int_equal(encode_one(cases[i].x / 1024, 1, 10),
                         (uint64_t)(1024 + cases[i].want));
    }
}

static void rounding_mode_does_not_matter(void **state)
{
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fesetround(modes[i]), 0);
        uint64_t below = encode_one(0.3, 4, 0), above = encode_one(0.7, 4, 0);
        uint64_t tie = encode_one(-2.5, 4, 0);
        assert_int_equal(fesetround(FE_TONEAREST), 0);
        assert_int_equal(below, 4);
        assert_int_equal(above, 5);
        assert_int_equal(tie, 2);
    }
}

static void integers_beyond_2_53_are_exact(void **state)
{
    const double two_60 = 1152921504606846976.0;

    (void)state;
    assert_int_equal(encode_one(two_60, two_60, 0), UINT64_C(1) << 61);
    assert_int_equal(encode_one(-two_60, two_60, 0), 0);
    assert_int_equal(encode_one(two_60 - 128, two_60, 0),
                     (UINT64_C(1) << 61) - 128);
    assert_int_equal(encode_one(128 - two_60, two_60, 0), 128);
    assert_int_equal(encode_one(255.0 + 1.0 / (1 << 20), 256, 52),
                     (UINT64_C(511) << 52) + (UINT64_C(1) << 32));
}

static void what_cannot_be_encoded_is_named(void **state)
{
    const struct fixed_shape shape = shape_of(3, 1.5, 20);
    uint64_t lanes[3];
    size_t at = 99;

    (void)state;
    double x[3] = {1.5, -1.5, nextafter(1.5, 2)};
    assert_int_equal(fixed_encode(lanes, x, &shape, &at), -ERANGE);
    assert_int_equal(at, 2);
    x[1] = -nextafter(1.5, 2);
    assert_int_equal(fixed_encode(lanes, x, &shape, &at), -ERANGE);
    assert_int_equal(at, 1);
    x[0] = NAN;
    assert_int_equal(fixed_encode(lanes, x, &shape, &at), -EDOM);
    assert_int_equal(at, 0);
    x[0] = -INFINITY;
    assert_int_equal(fixed_encode(lanes, x, &shape, &at), -EDOM);
    x[0] = x[1] = x[2] = 0;
    assert_int_equal(fixed_encode(lanes, x, &shape, &at), 0);
}

/* Attack 17: all members at one end of the range, at the largest bound. */
static void check_extremes(uint32_t members, uint8_t bits)
{
    const double bound = fixed_bound(members, bits);
    const struct fixed_shape shape = shape_of(3, bound, bits);
    const double x[3] = {bound, -bound, 0};
    uint64_t lanes[3], sum[3] = {0};
    double out[3];
    size_t at;

    assert_int_equal(fixed_encode(lanes, x, &shape, &at), 0);
    for (uint32_t i = 0; i < members; i++)
        for (size_t k = 0; k < 3; k++) {
            assert_true(sum[k] <= UINT64_MAX - lanes[k]);
            sum[k] += lanes[k];
        }
    assert_int_equal(fixed_decode(out, sum, members, &shape, &at), 0);
    assert_true(out[0] == members * bound);
    assert_true(out[1] == -(members * bound));
    assert_true(out[2] == 0);
}

static void extreme_sums_decode_exactly(void **state)
{
    (void)state;
    for (uint32_t members = 1; members <= 64; members++)
        for (uint8_t bits = 0; bits <= 52; bits++)
            check_extremes(members, bits);
}

static void bound_is_the_largest_power_of_two_that_fits(void **state)
{
    (void)state;
    for (uint32_t members = 1; members <= 64; members++)
        for (uint8_t bits = 0; bits <= 52; bits++) {
            double bound = fixed_bound(members, bits);
            int exponent;
            assert_true(frexp(bound, &exponent) == 0.5);
            struct fixed_shape shape = shape_of(1, bound, bits);
            assert_true(fixed_fits(&shape, members));
            shape.bound = 2 * bound;
            assert_false(fixed_fits(&shape, members));
        }
    assert_true(fixed_bound(64, 32) == (double)(1 << 24));
    assert_true(fixed_bound(1, 0) == (double)(UINT64_C(1) << 62));
    assert_true(fixed_bound(3, 52) == 512);
}

/* Attack 17: members * 2 * offset = 2^64 exactly is too much. */
static void shapes_that_overflow_are_refused(void **state)
{
    struct fixed_shape shape = shape_of(1, ldexp(1, 26), 32);

    (void)state;
    assert_true(fixed_fits(&shape, 31));
    assert_false(fixed_fits(&shape, 32));
    shape.bound = nextafter(shape.bound, 0);
    assert_true(fixed_fits(&shape, 32));
    assert_false(fixed_fits(&shape, 33));
}

static void shapes_out_of_range_are_refused(void **state)
{
    static const double bad[] = {0,         -1,       NAN,   INFINITY,
                                 -INFINITY, 0x1p1000, 0x1p63};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct fixed_shape shape = shape_of(1, bad[i], 0);
        assert_false(fixed_fits(&shape, 1));
    }
    struct fixed_shape shape = shape_of(1, 1, 52);
    assert_true(fixed_fits(&shape, 64));
    assert_false(fixed_fits(&shape, 0));
    assert_false(fixed_fits(&shape, 65));
    shape.length = SIZE_MAX / 4;
    assert_false(fixed_fits(&shape, 2));
    shape = shape_of(0, 1, 53);
    assert_false(fixed_fits(&shape, 2));
    shape.fraction_bits = 52;
    assert_true(fixed_fits(&shape, 2));
}

static void sums_beyond_the_range_are_named(void **state)
{
    const struct fixed_shape shape = shape_of(2, 1, 4);
    uint64_t lanes[2] = {96, 96};
    double out[2];
    size_t at;

    (void)state;
    assert_int_equal(fixed_decode(out, lanes, 3, &shape, &at), 0);
    assert_true(out[0] == 3 && out[1] == 3);
    lanes[1] = 97;
    assert_int_equal(fixed_decode(out, lanes, 3, &shape, &at), -ERANGE);
    assert_int_equal(at, 1);
    lanes[0] = UINT64_MAX;
    assert_int_equal(fixed_decode(out, lanes, 3, &shape, &at), -ERANGE);
    assert_int_equal(at, 0);
}

/* 2^60 + 2^7 + 1 is not a double: its nearest is 2^60 + 2^8, once rounded. */
static void sums_are_rounded_once(void **state)
{
    const double two_60 = 1152921504606846976.0;
    const struct fixed_shape shape = shape_of(2, two_60, 0);
    const uint64_t zero = UINT64_C(2) << 60;
    const uint64_t lanes[2] = {zero + (UINT64_C(1) << 60) + 129,
                               zero - (UINT64_C(1) << 60) - 129};
    double out[2];
    size_t at;

    (void)state;
    assert_int_equal(fixed_decode(out, lanes, 2, &shape, &at), 0);
    assert_true(out[0] == two_60 + 256);
    assert_true(out[1] == -two_60 - 256);
}

static void sums_of_members_are_the_sums_of_their_roundings(void **state)
{
    const struct fixed_shape shape = shape_of(1, 8, 32);
    uint64_t sum = 0, lane;
    double total = 0, out;
    size_t at;

    (void)state;
    for (int i = 0; i < 50; i++) {
        double x = sin(i) * 8;
        assert_int_equal(fixed_encode(&lane, &x, &shape, &at), 0);
        sum += lane;
        total += nearbyint(x * 0x1p32) / 0x1p32;
    }
    assert_int_equal(fixed_decode(&out, &sum, 50, &shape, &at), 0);
    assert_true(out == total);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties_round_to_even),
        cmocka_unit_test(rounding_mode_does_not_matter),
        cmocka_unit_test(integers_beyond_2_53_are_exact),
        cmocka_unit_test(what_cannot_be_encoded_is_named),
        cmocka_unit_test(extreme_sums_decode_exactly),
        cmocka_unit_test(bound_is_the_largest_power_of_two_that_fits),
        cmocka_unit_test(shapes_that_overflow_are_refused),
        cmocka_unit_test(shapes_out_of_range_are_refused),
        cmocka_unit_test(sums_beyond_the_range_are_named),
        cmocka_unit_test(sums_are_rounded_once),
        cmocka_unit_test(sums_of_members_are_the_sums_of_their_roundings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
