#include "crypto/grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <float.h>
#include <math.h>
#include <sodium.h>
#include <string.h>

#include "crypto/mask.h"

static const uint8_t seed[PRG_SEED_BYTES] = "a member's own";

static struct grid grid_of(double bound, uint32_t value_bits,
                           uint32_t lane_bits)
{
    return (struct grid){bound, value_bits, lane_bits};
}

static uint64_t get(const void *lanes, uint32_t bits, size_t i)
{
    uint64_t lane = 0;

    memcpy(&lane, (const uint8_t *)lanes + i * (bits / 8), bits / 8);
    return lane;
}

static void set(void *lanes, uint32_t bits, size_t i, uint64_t lane)
{
    memcpy((uint8_t *)lanes + i * (bits / 8), &lane, bits / 8);
}

/* values[count] become what was cut off; carry may be NULL. */
static int encode(void *lanes, double *values, const double *carry,
                  size_t first, size_t count, const struct grid *grid,
                  const uint8_t secret[PRG_SEED_BYTES])
{
    static double rest[200000];

    assert_true(count <= sizeof rest / sizeof *rest);
    memset(rest, 0, count * sizeof *rest);
    if (carry != NULL)
        memcpy(rest, carry, count * sizeof *rest);
    int code = grid_encode(lanes, rest, values, first, count, grid, secret);
    memcpy(values, rest, count * sizeof *rest);
    return code;
}

static void check_extremes(uint32_t members, const struct grid *grid)
{
    const uint32_t w = grid->lane_bits;
    double x[4] = {grid->bound, -grid->bound, 0, 5 * grid->bound}, out[4];
    uint64_t lanes[4], sum[4] = {0};
    size_t at;

    assert_int_equal(encode(lanes, x, NULL, 0, 4, grid, seed), 0);
    for (size_t k = 0; k < 4; k++) {
        uint64_t lane = get(lanes, w, k);
        assert_true(lane <= (UINT64_MAX >> (64 - w)) / members);
        set(sum, w, k, lane * members);
    }
    assert_int_equal(grid_decode(out, sum, 4, members, grid, &at), 0);
    assert_true(out[0] == members * grid->bound);
    assert_true(out[1] == -(members * grid->bound));
    assert_true(out[2] == 0);
    assert_true(out[3] == out[0]);
}

/* Attack 17: all members at one end of the range, in every grid that fits. */
static void extreme_sums_decode_exactly(void **state)
{
    (void)state;
    for (uint32_t members = 1; members <= 64; members++)
        for (uint32_t w = 16; w <= 64; w *= 2)
            for (uint32_t b = 2; b <= grid_value_bits(members, w); b++) {
                double offset = (double)((UINT64_C(1) << (b - 1)) - 1);
                struct grid grid = grid_of(offset / 8, b, w);
                check_extremes(members, &grid);
            }
}

/* Attack 17: g (2^b - 1) >= 2^w. */
static void grids_that_overflow_are_refused(void **state)
{
    (void)state;
    for (uint32_t members = 1; members <= 64; members++)
        for (uint32_t w = 16; w <= 64; w *= 2) {
            uint32_t most = grid_value_bits(members, w);
            for (uint32_t b = 0; b <= w + 1; b++) {
                struct grid grid = grid_of(1, b, w);
                assert_int_equal(grid_fits(&grid, members),
                                 2 <= b && b <= most);
            }
        }
    assert_int_equal(grid_value_bits(10, 16), 12);
    assert_int_equal(grid_value_bits(16, 16), 12);
    assert_int_equal(grid_value_bits(17, 16), 11);
    assert_int_equal(grid_value_bits(32, 16), 11);
    assert_int_equal(grid_value_bits(64, 32), 26);
    assert_int_equal(grid_value_bits(1, 16), 15);
    assert_int_equal(grid_value_bits(64, 64), GRID_VALUE_BITS_MAX);
}

static void grids_out_of_range_are_refused(void **state)
{
    static const double bad[] = {0,         -1,    NAN,      INFINITY,
                                 -INFINITY, 1e308, 0x1p-1060};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct grid grid = grid_of(bad[i], 8, 16);
        assert_false(grid_fits(&grid, 3));
    }
    struct grid grid = grid_of(1, 8, 16);
    assert_true(grid_fits(&grid, 64));
    assert_false(grid_fits(&grid, 0));
    assert_false(grid_fits(&grid, 65));
    for (grid.lane_bits = 0; grid.lane_bits < 100; grid.lane_bits++)
        assert_int_equal(grid_fits(&grid, 3), grid.lane_bits == 16 ||
                                                  grid.lane_bits == 32 ||
                                                  grid.lane_bits == 64);
}

/* By the definition, from words of the seed's keystream: masks on zeros. */
static void lanes_are_rounded_by_the_words_of_the_seed(void **state)
{
    enum { COUNT = 5000, FIRST = 300 };
    static double values[COUNT];
    static uint64_t lanes[COUNT], words[COUNT];
    struct mask mask = {.minus = false};

    (void)state;
    memcpy(mask.seed, seed, sizeof seed);
    for (uint32_t w = 16; w <= 64; w *= 2) {
        const struct grid grid = grid_of(127, 8, w);
        memset(words, 0, sizeof words);
        mask_apply(words, w, FIRST, COUNT, &mask, 1);
        for (size_t i = 0; i < COUNT; i++)
            values[i] = (double)i / 20 - 125;
        assert_int_equal(encode(lanes, values, NULL, FIRST, COUNT, &grid, seed),
                         0);
        for (size_t i = 0; i < COUNT; i++) {
            int bits = w == 16 ? 16 : w == 32 ? 31 : 52;
            uint64_t draw = get(words, w, i) >> ((int)w - bits);
            double u = ldexp((double)draw + 0.5, -bits);
            double want = floor((double)i / 20 - 125 + (127 + u));
            assert_true(values[i] == 0);
            assert_int_equal(get(lanes, w, i), (uint64_t)want);
        }
    }
}

static void cuts_do_not_matter(void **state)
{
    enum { COUNT = 3000 };
    static const size_t cuts[] = {0, 1, 511, 512, 1023, 1024, 1025, 2100};
    enum { CUTS = sizeof cuts / sizeof *cuts };
    static double x[COUNT], rest[COUNT], carry[COUNT];
    static uint32_t whole[COUNT], part[COUNT];

    (void)state;
    for (uint32_t w = 16; w <= 32; w *= 2) {
        const struct grid grid = grid_of(1, 10, w);
        for (size_t i = 0; i < COUNT; i++)
            x[i] = 1.5 * sin((double)i), carry[i] = 0.3 * cos((double)i);
        memcpy(rest, x, sizeof x);
        encode(whole, rest, carry, 0, COUNT, &grid, seed);
        for (size_t c = 0; c < CUTS; c++) {
            size_t to = c + 1 < CUTS ? cuts[c + 1] : COUNT;
            encode((uint8_t *)part + cuts[c] * (w / 8), x + cuts[c],
                   carry + cuts[c], cuts[c], to - cuts[c], &grid, seed);
        }
        assert_memory_equal(part, whole, COUNT * (w / 8));
        assert_memory_equal(x, rest, sizeof x);
    }
}

/* Attack 18: means of n roundings of x are within 4 sigma of x; the variance
 * of one is f (1 - f), f the distance to the point below. */
static void rounding_has_no_bias(void **state)
{
    enum { N = 200000 };
    static const double fractions[] = {0, 0.001, 0.25, 0.5, 0.77, 0.999};
    static double values[N];
    static uint64_t lanes[N];

    (void)state;
    for (uint32_t w = 16; w <= 64; w *= 2)
        for (size_t k = 0; k < sizeof fractions / sizeof *fractions; k++) {
            const struct grid grid = grid_of(127, 8, w);
            double f = fractions[k], sum = 0;
            for (size_t i = 0; i < N; i++)
                values[i] = f - 3;
            assert_int_equal(encode(lanes, values, NULL, k * N, N, &grid, seed),
                             0);
            for (size_t i = 0; i < N; i++)
                sum += (double)get(lanes, w, i) - 127;
            assert_true(fabs(sum / N - (f - 3)) <= 4 * sqrt(f * (1 - f) / N));
        }
}

/* Attack 18: what is cut off is carried. Values on the grid round to
 * themselves, so that nothing at all may be lost or made. */
static void clipped_parts_are_carried_until_they_are_sent(void **state)
{
    enum { COUNT = 40, ROUNDS = 60 };
    const struct grid grid = grid_of(127, 8, 16);
    double x[COUNT], carry[COUNT] = {0}, sent[COUNT] = {0}, given[COUNT] = {0};
    uint16_t lanes[COUNT];
    double out[COUNT];
    size_t at;

    (void)state;
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < COUNT; i++) {
            x[i] = r < 10 ? (i - 20) * 30 + r : 0;
            given[i] += x[i];
        }
        assert_int_equal(encode(lanes, x, carry, 0, COUNT, &grid, seed), 0);
        memcpy(carry, x, sizeof carry);
        assert_int_equal(grid_decode(out, lanes, COUNT, 1, &grid, &at), 0);
        for (int i = 0; i < COUNT; i++) {
            sent[i] += out[i];
            assert_true(fabs(out[i]) <= 127);
            assert_true(sent[i] + carry[i] == given[i]);
        }
    }
    for (int i = 0; i < COUNT; i++)
        assert_true(carry[i] == 0);
}

static void between_the_points_less_than_a_step_is_lost(void **state)
{
    enum { COUNT = 1000 };
    const struct grid grid = grid_of(0.1, 9, 32);
    static double x[COUNT], given[COUNT], out[COUNT];
    static uint32_t lanes[COUNT];
    size_t at;

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        given[i] = x[i] = 0.2 * sin((double)i);
    assert_int_equal(encode(lanes, x, NULL, 5, COUNT, &grid, seed), 0);
    assert_int_equal(grid_decode(out, lanes, COUNT, 1, &grid, &at), 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(fabs(out[i] + x[i] - given[i]) < 0.1 / 255);
        if (fabs(given[i]) <= 0.1)
            assert_true(x[i] == 0);
        else
            assert_true(fabs(given[i] - x[i]) == 0.1 ||
                        fabs(fabs(given[i] - x[i]) - 0.1) < 1e-16);
    }
}

/* At 48 bits a double has no room for all of u: the sum rounds up to the next
 * point for one draw in 64. */
static void the_bound_is_never_rounded_out_of_the_grid(void **state)
{
    enum { COUNT = 4000 };
    const struct grid grid = grid_of(3, GRID_VALUE_BITS_MAX, 64);
    static double x[COUNT];
    static uint64_t lanes[COUNT];
    size_t at;

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        x[i] = 3;
    assert_int_equal(encode(lanes, x, NULL, 0, COUNT, &grid, seed), 0);
    assert_int_equal(grid_decode(x, lanes, COUNT, 1, &grid, &at), 0);
}

static void what_is_not_finite_is_refused(void **state)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY, 1.7e308};
    static double x[3000], carry[3000];
    static uint64_t lanes[3000];

    (void)state;
    for (uint32_t w = 16; w <= 64; w *= 2)
        for (size_t k = 0; k < 4; k++)
            for (size_t i = 0; i < 3000; i += 733) {
                const struct grid grid = grid_of(1, 8, w);
                memset(x, 0, sizeof x);
                memset(carry, 0, sizeof carry);
                x[i] = bad[k];
                carry[i] = 1.7e308;
                assert_int_equal(encode(lanes, x, carry, 0, 3000, &grid, seed),
                                 -EDOM);
                x[i] = DBL_MAX;
                assert_int_equal(encode(lanes, x, NULL, 0, 3000, &grid, seed),
                                 0);
            }
}

static void sums_beyond_the_range_are_named(void **state)
{
    double out[3];
    uint64_t lanes[3];
    size_t at;

    (void)state;
    for (uint32_t w = 16; w <= 64; w *= 2) {
        const struct grid grid = grid_of(2, 5, w);
        set(lanes, w, 0, 0);
        set(lanes, w, 1, 3 * 30);
        set(lanes, w, 2, 3 * 15);
        assert_int_equal(grid_decode(out, lanes, 3, 3, &grid, &at), 0);
        assert_true(out[0] == -6 && out[1] == 6 && out[2] == 0);
        set(lanes, w, 1, 3 * 30 + 1);
        assert_int_equal(grid_decode(out, lanes, 3, 3, &grid, &at), -ERANGE);
        assert_int_equal(at, 1);
        set(lanes, w, 0, UINT64_MAX);
        assert_int_equal(grid_decode(out, lanes, 3, 3, &grid, &at), -ERANGE);
        assert_int_equal(at, 0);
    }
}

/* Whole: members encode, mask in pairs and add up in the ring. */
static void masked_sums_are_the_sums_of_the_points(void **state)
{
    enum { MEMBERS = 5, COUNT = 1500 };
    static double x[COUNT], out[COUNT], want[COUNT];
    static uint16_t lanes[COUNT], sum[COUNT];
    const struct grid grid = grid_of(1, grid_value_bits(MEMBERS, 16), 16);
    uint8_t own[PRG_SEED_BYTES] = {0};
    size_t at;

    (void)state;
    for (size_t i = 0; i < MEMBERS; i++) {
        struct mask masks[MEMBERS] = {0};
        for (size_t k = 0; k < COUNT; k++)
            x[k] = sin((double)(k * (i + 1)));
        own[0] = (uint8_t)i;
        assert_int_equal(encode(lanes, x, NULL, 0, COUNT, &grid, own), 0);
        grid_decode(x, lanes, COUNT, 1, &grid, &at);
        for (size_t j = 0; j < MEMBERS; j++) {
            masks[j].seed[0] = (uint8_t)(i < j ? i : j);
            masks[j].seed[1] = (uint8_t)(i < j ? j : i);
            masks[j].minus = i > j;
        }
        masks[i] = masks[MEMBERS - 1]; /* none with itself */
        mask_apply(lanes, 16, 0, COUNT, masks, MEMBERS - 1);
        for (size_t k = 0; k < COUNT; k++) {
            sum[k] = (uint16_t)(sum[k] + lanes[k]);
            want[k] += x[k];
        }
    }
    assert_int_equal(grid_decode(out, sum, COUNT, MEMBERS, &grid, &at), 0);
    for (size_t k = 0; k < COUNT; k++)
        assert_true(fabs(out[k] - want[k]) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extreme_sums_decode_exactly),
        cmocka_unit_test(grids_that_overflow_are_refused),
        cmocka_unit_test(grids_out_of_range_are_refused),
        cmocka_unit_test(lanes_are_rounded_by_the_words_of_the_seed),
        cmocka_unit_test(cuts_do_not_matter),
        cmocka_unit_test(rounding_has_no_bias),
        cmocka_unit_test(clipped_parts_are_carried_until_they_are_sent),
        cmocka_unit_test(between_the_points_less_than_a_step_is_lost),
        cmocka_unit_test(the_bound_is_never_rounded_out_of_the_grid),
        cmocka_unit_test(what_is_not_finite_is_refused),
        cmocka_unit_test(sums_beyond_the_range_are_named),
        cmocka_unit_test(masked_sums_are_the_sums_of_the_points),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
