#include "crypto/prg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hex.h"

static const uint8_t zero_key[PRG_SEED_BYTES];

/* RFC 8439, appendix A.1, vectors 1 and 2. */
static const char *first_blocks =
    "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
    "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
    "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
    "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f";

static void bytes_are_the_keystream_of_rfc_8439(void **state)
{
    struct prg prg;
    uint8_t want[128], got[128];

    (void)state;
    hex(want, sizeof want, first_blocks);
    prg_seed(&prg, zero_key);
    prg_bytes(&prg, got, sizeof got);
    assert_memory_equal(got, want, sizeof want);
}

static void bytes_do_not_depend_on_how_they_are_asked_for(void **state)
{
    struct prg prg;
    uint8_t whole[1000], parts[1000];

    (void)state;
    prg_seed(&prg, zero_key);
    prg_bytes(&prg, whole, sizeof whole);
    prg_seed(&prg, zero_key);
    for (size_t at = 0, step = 0; at < sizeof parts; at += step) {
        step = (step * 7 + 1) % 131;
        if (step > sizeof parts - at)
            step = sizeof parts - at;
        prg_bytes(&prg, parts + at, step);
    }
    assert_memory_equal(parts, whole, sizeof whole);
}

static void bytes_handed_out_are_erased(void **state)
{
    static const uint8_t zero[PRG_BLOCK_BYTES];
    struct prg prg;
    uint8_t out[40];

    (void)state;
    prg_seed(&prg, zero_key);
    prg_bytes(&prg, out, sizeof out);
    assert_memory_equal(prg.block, zero, sizeof out);
    assert_memory_not_equal(prg.block + sizeof out, zero, 24);
}

static void wipe_leaves_neither_key_nor_stream(void **state)
{
    static const uint8_t zero[PRG_BLOCK_BYTES];
    const uint8_t seed[PRG_SEED_BYTES] = {1, 2, 3};
    struct prg prg;
    uint8_t out[1];

    (void)state;
    prg_seed(&prg, seed);
    prg_bytes(&prg, out, sizeof out);
    prg_wipe(&prg);
    assert_memory_equal(prg.key, zero, sizeof prg.key);
    assert_memory_equal(prg.block, zero, sizeof prg.block);
    assert_int_equal(prg.next, 0);
}

/* Puts one 64-bit draw in front of the stream. */
static void preset(struct prg *prg, uint64_t draw)
{
    prg_seed(prg, zero_key);
    prg->used = PRG_BLOCK_BYTES - 8;
    for (size_t i = 0; i < 8; i++)
        prg->block[prg->used + i] = (uint8_t)(draw >> 8 * i);
}

/* 2^64 mod 3 = 1: 0 is drawn again, and 1, 2, 3, ... 2^64 - 1 fall evenly. */
static void below_rejects_what_would_bias(void **state)
{
    struct prg prg;

    (void)state;
    preset(&prg, 0);
    prg_below(&prg, 3);
    assert_int_equal(prg.next, 1);
    for (uint64_t draw = 1; draw < 7; draw++) {
        preset(&prg, draw);
        assert_int_equal(prg_below(&prg, 3), draw % 3);
        assert_int_equal(prg.next, 0);
    }
    preset(&prg, UINT64_MAX);
    assert_int_equal(prg_below(&prg, 3), 0);
    preset(&prg, UINT64_MAX - 1);
    assert_int_equal(prg_below(&prg, UINT64_MAX), UINT64_MAX - 1);
    preset(&prg, 0);
    assert_int_equal(prg_below(&prg, UINT64_C(1) << 32), 0);
    assert_int_equal(prg.next, 0);
}

static void below_reaches_every_value(void **state)
{
    struct prg prg;

    (void)state;
    prg_seed(&prg, zero_key);
    for (uint64_t bound = 1; bound <= 20; bound++) {
        int seen[20] = {0};
        for (int i = 0; i < 1000; i++)
            seen[prg_below(&prg, bound)]++;
        for (uint64_t i = 0; i < 20; i++)
            assert_int_equal(seen[i] > 0, i < bound);
    }
}

/* Groups from..from + 5 against libsodium's stream, one word at a time. */
static void check_stream(uint64_t from)
{
    enum { GROUPS = 6 };
    static uint8_t plain[GROUPS * PRG_GROUP_BYTES], got[sizeof plain];
    const uint8_t seed[PRG_SEED_BYTES] = {42}, nonce[8] = {0};

    memset(plain, 0, sizeof plain);
    crypto_stream_chacha20_xor_ic(plain, plain, sizeof plain, nonce, 16 * from,
                                  seed);
    prg_stream(got, from, GROUPS, seed);
    for (size_t n = 0; n < GROUPS; n++)
        for (size_t i = 0; i < 16; i++)
            for (size_t j = 0; j < 16; j++)
                assert_memory_equal(got + 1024 * n + 4 * (16 * j + i),
                                    plain + 64 * (16 * n + i) + 4 * j, 4);
}

static void stream_is_libsodiums_in_the_documented_order(void **state)
{
    (void)state;
    check_stream(0);
    check_stream(7);
}

static void stream_goes_on_beyond_2_32_blocks(void **state)
{
    uint8_t low[PRG_GROUP_BYTES], high[PRG_GROUP_BYTES];

    (void)state;
    check_stream((UINT64_C(1) << 28) - 3);
    prg_stream(low, 0, 1, zero_key);
    prg_stream(high, UINT64_C(1) << 28, 1, zero_key);
    assert_memory_not_equal(low, high, sizeof low);
}

static void stream_does_not_depend_on_how_it_is_cut(void **state)
{
    enum { GROUPS = 11 };
    static uint8_t whole[GROUPS * PRG_GROUP_BYTES], parts[sizeof whole];

    (void)state;
    prg_stream(whole, 0, GROUPS, zero_key);
    for (size_t size = 1; size <= GROUPS; size++) {
        memset(parts, 0, sizeof parts);
        for (size_t at = 0; at < GROUPS; at += size) {
            size_t n = size < GROUPS - at ? size : GROUPS - at;
            prg_stream(parts + at * PRG_GROUP_BYTES, at, n, zero_key);
        }
        assert_memory_equal(parts, whole, sizeof whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_the_keystream_of_rfc_8439),
        cmocka_unit_test(bytes_do_not_depend_on_how_they_are_asked_for),
        cmocka_unit_test(bytes_handed_out_are_erased),
        cmocka_unit_test(wipe_leaves_neither_key_nor_stream),
        cmocka_unit_test(below_rejects_what_would_bias),
        cmocka_unit_test(below_reaches_every_value),
        cmocka_unit_test(stream_is_libsodiums_in_the_documented_order),
        cmocka_unit_test(stream_goes_on_beyond_2_32_blocks),
        cmocka_unit_test(stream_does_not_depend_on_how_it_is_cut),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
