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
static uint64_t word_of(uint32_t bits, size_t e, const uint8_t *of)
{
    const uint8_t nonce[8] = {0};
    uint64_t lane = 0;

    for (size_t b = 0; b < bits / 8; b++) {
        size_t at = e * (bits / 8) + b, index = at % 1024 / 4;
        uint8_t block[64] = {0};
        crypto_stream_chacha20_xor_ic(block, block, sizeof block, nonce,
                                      16 * (at / 1024) + index % 16, of);
        lane |= (uint64_t)block[4 * (index / 16) + at % 4] << 8 * b;
    }
    return lane;
}

static uint64_t word(size_t e)
{
    return word_of(64, e, seed);
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

static uint64_t get(const void *lanes, uint32_t bits, size_t i)
{
    uint64_t lane = 0;

    memcpy(&lane, (const uint8_t *)lanes + i * (bits / 8), bits / 8);
    return lane;
}

static const struct mask three[] = {
    {.seed = "i < j"}, {.seed = "i > j", .minus = true}, {.seed = "self"}};

/* A tile is 16 groups of 1 KiB. */
static void masks_of_every_width_are_words_of_that_width(void **state)
{
    static uint64_t room[20 * 128];

    (void)state;
    for (uint32_t bits = 16; bits <= 64; bits *= 2) {
        const uint64_t ring = UINT64_MAX >> (64 - bits);
        const size_t first = 700, count = 8 * sizeof room / bits - 3;
        memset(room, 0xff, sizeof room);
        mask_apply(room, bits, first, count, three, 3);
        for (size_t i = 0; i < count; i++) {
            size_t e = first + i;
            uint64_t want = word_of(bits, e, three[0].seed) -
                            word_of(bits, e, three[1].seed) +
                            word_of(bits, e, three[2].seed) - 1;
            assert_int_equal(get(room, bits, i), want & ring);
        }
        for (size_t i = count; i < count + 3; i++)
            assert_int_equal(get(room, bits, i), ring);
    }
}

/* Attack 19 again, with narrow lanes and cuts inside and between tiles. */
static void narrow_slices_never_share_keystream(void **state)
{
    enum { LANES = 10000 };
    static const size_t cuts[] = {0,    1,    255,  256,  511,  512,  513,
                                  1024, 4095, 4096, 8191, 8192, 8193, LANES};
    enum { CUTS = sizeof cuts / sizeof *cuts };
    static uint32_t whole[LANES], part[LANES + 1];

    (void)state;
    for (uint32_t bits = 16; bits <= 32; bits *= 2) {
        const size_t size = bits / 8;
        memset(whole, 0, sizeof whole);
        mask_apply(whole, bits, 0, LANES, three, 3);
        for (size_t a = 0; a < CUTS; a++)
            for (size_t b = a; b < CUTS; b++) {
                size_t n = cuts[b] - cuts[a];
                uint8_t *at = (uint8_t *)part + size;
                memset(part, 0, sizeof part);
                mask_apply(at, bits, cuts[a], n, three, 3);
                assert_memory_equal(at, (uint8_t *)whole + size * cuts[a],
                                    size * n);
                assert_int_equal(get(part, bits, 0), 0);
                if (n < LANES)
                    assert_int_equal(get(part, bits, n + 1), 0);
            }
    }
}

static void no_masks_change_nothing(void **state)
{
    uint16_t lanes[600];

    (void)state;
    for (size_t i = 0; i < 600; i++)
        lanes[i] = (uint16_t)(i * i);
    mask_apply(lanes, 16, 11, 600, NULL, 0);
    mask_apply(lanes, 16, 11, 0, three, 3);
    for (size_t i = 0; i < 600; i++)
        assert_int_equal(lanes[i], (uint16_t)(i * i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(element_e_gets_word_e_of_the_stream),
        cmocka_unit_test(slices_never_share_keystream),
        cmocka_unit_test(subtract_undoes_add),
        cmocka_unit_test(seeds_give_unrelated_masks),
        cmocka_unit_test(masks_of_every_width_are_words_of_that_width),
        cmocka_unit_test(narrow_slices_never_share_keystream),
        cmocka_unit_test(no_masks_change_nothing),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
