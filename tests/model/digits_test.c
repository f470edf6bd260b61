/* Exact numbers in lanes that round at random. */

#include "model/digits.h"

#include "crypto/lanes.h"
#include "model/cohort.h"

enum { SITES = 4 };

/* Counts go through a grid unharmed, whatever its noise and the sites. */
static void digits_survive_the_grid(void **unused)
{
    static const double values[] = {0, 1, 1.0 / 3, 569, 123456.789, 1e9};
    uint64_t at_random = 3;

    (void)unused;
    for (uint8_t lane = 16; lane <= 32; lane += 16)
        for (uint8_t bits = 2; bits <= lane - 3; bits++) {
            struct fixed_shape s = {
                .bound = 0.37, .lane_bits = lane, .value_bits = bits};
            double x[64], carry[64] = {0}, total = 0;
            uint32_t lanes[64], sum[64] = {0};
            s.length = digits_count(&s);
            assert_true(s.length <= 64 && lanes_fit(&s, SITES));
            for (int site = 0; site < SITES; site++) {
                uint8_t seed[PRG_SEED_BYTES];
                size_t at;
                for (size_t i = 0; i < sizeof seed; i++)
                    seed[i] = (uint8_t)cohort_next(&at_random);
                double value = values[cohort_next(&at_random) % 6];
                total += value;
                assert_true(digits_write(x, value, &s));
                assert_int_equal(lanes_encode_part(lanes, carry, x, 0, s.length,
                                                   &s, seed, &at),
                                 0);
                lanes_add(sum, lanes, s.length, &s);
            }
            size_t at;
            assert_int_equal(lanes_decode(x, sum, SITES, &s, &at), 0);
            assert_near(digits_read(x, &s), total, 1e-6 + 1e-15 * total);
            if (bits >= 20) { /* where a point is held with its noise */
                x[s.length - 1] += s.bound / (double)((1 << (bits - 1)) - 1);
                assert_near(digits_read(x, &s), total, 1e-6 + 1e-15 * total);
            }
            assert_false(digits_write(x, -1, &s));
            assert_false(digits_write(x, 1e10, &s));
            assert_false(digits_write(x, (double)NAN, &s));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_survive_the_grid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
