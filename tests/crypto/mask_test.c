#include "crypto/mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <string.h>

enum { LENGTH = 1500 };
static const uint8_t seed[PRG_SEED_BYTES] = "one pair, one round";

/* Element e by the definition, from libsodium's keystream and no tiles. */
static uint64_t word(size_t e)
{
    const uint8_t nonce[8] = {0};
    uint64_t lane = 0;

    for (size_t half = 0; half < 2; half++) {
        size_t index = 2 * (e % 128) + half;
        uint8_t block[64] = {0};
        crypto_stream_chacha20_xor_ic(block, block, sizeof block, nonce,
                                      16 * (e / 128) + index % 16, seed);
        for (size_t b = 0; b < 4; b++)
            lane |= (uint64_t)block[4 * (index / 16) + b]
                    << (32 * half + 8 * b);
    }
    return lane;
}

static void element_e_gets_word_e_of_the_stream(void **state)
{
    static uint64_t lanes[LENGTH];

    (void)state;
    for (size_t e = 0; e < LENGTH; e++)
        lanes[e] = UINT64_MAX - e;
    mask_add(lanes, 0, LENGTH, seed);
    for (size_t e = 0; e < LENGTH; e++)
        assert_int_equal(lanes[e], UINT64_MAX - e + word(e));
}

/* Attack 19: wherever the cuts are, each element gets its own word. */
static void slices_never_share_keystream(void **state)
{
    static const size_t cuts[] = {0,   1,   2,   127, 128,  129,  255,
                                  256, 511, 512, 640, 1023, 1025, LENGTH};
    enum { CUTS = sizeof cuts / sizeof cuts[0] };
    static uint64_t whole[LENGTH], part[LENGTH + 2];

    (void)state;
    memset(whole, 0, sizeof whole);
    mask_add(whole, 0, LENGTH, seed);
    for (size_t a = 0; a < CUTS; a++)
        for (size_t b = a; b < CUTS; b++) {
            size_t n = cuts[b] - cuts[a];
            memset(part, 0, sizeof part);
            mask_add(part + 1, cuts[a], n, seed);
            assert_memory_equal(part + 1, whole + cuts[a], 8 * n);
            assert_int_equal(part[0], 0);
            assert_int_equal(part[n + 1], 0);
        }
    for (size_t e = 0; e < LENGTH; e++)
        for (size_t f = 0; f < e; f++)
            assert_true(whole[e] != whole[f]);
}

static void subtract_undoes_add(void **state)
{
    static uint64_t lanes[LENGTH];

    (void)state;
    for (size_t e = 0; e < LENGTH; e++)
        lanes[e] = e * e;
    mask_add(lanes, 77, LENGTH, seed);
    assert_int_equal(lanes[3], 9 + word(80));
    mask_subtract(lanes, 77, LENGTH, seed);
    for (size_t e = 0; e < LENGTH; e++)
        assert_int_equal(lanes[e], e * e);
}

static void seeds_give_unrelated_masks(void **state)
{
    const uint8_t other[PRG_SEED_BYTES] = "one pair, next round";
    uint64_t a[256] = {0}, b[256] = {0};

    (void)state;
    mask_add(a, 0, 256, seed);
    mask_add(b, 0, 256, other);
    for (size_t e = 0; e < 256; e++)
        assert_true(a[e] != b[e]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(element_e_gets_word_e_of_the_stream),
        cmocka_unit_test(slices_never_share_keystream),
        cmocka_unit_test(subtract_undoes_add),
        cmocka_unit_test(seeds_give_unrelated_masks),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
