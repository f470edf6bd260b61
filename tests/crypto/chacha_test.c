#include "crypto/chacha.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

enum { GROUPS = 5, BYTES = GROUPS * CHACHA_GROUP_BYTES, PAD = 8 };

static const uint8_t key[CHACHA_KEY_BYTES] = "neither zero nor of one byte: 32";

/* Around the carry from one counter word to the other as well. */
static const uint64_t firsts[] = {0, 7, (UINT64_C(1) << 28) - 3,
                                  (UINT64_C(1) << 60) - GROUPS};

enum { FIRSTS = sizeof firsts / sizeof *firsts };

/* libsodium's stream in the documented order, one word at a time. */
static void reference(uint8_t out[BYTES], uint64_t first)
{
    static const uint8_t nonce[8];
    static uint8_t plain[BYTES];

    memset(plain, 0, sizeof plain);
    crypto_stream_chacha20_xor_ic(plain, plain, sizeof plain, nonce, 16 * first,
                                  key);
    for (size_t n = 0; n < GROUPS; n++)
        for (size_t i = 0; i < 16; i++)
            for (size_t j = 0; j < 16; j++)
                memcpy(out + 1024 * n + 4 * (16 * j + i),
                       plain + 64 * (16 * n + i) + 4 * j, 4);
}

static uint64_t lane(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;

    for (size_t b = 0; b < size; b++)
        value |= (uint64_t)bytes[b] << 8 * b;
    return value;
}

static void check_store(const struct chacha_kernel *kernel, uint64_t first)
{
    static uint8_t want[BYTES], got[BYTES + PAD];

    memset(got, 0xa5, sizeof got);
    reference(want, first);
    kernel->apply(got, first, GROUPS, key, CHACHA_STORE);
    assert_memory_equal(got, want, sizeof want);
    for (size_t i = 0; i < PAD; i++)
        assert_int_equal(got[BYTES + i], 0xa5);
}

/* Lanes of `size` bytes, not aligned to more than that. */
static void check_sum(const struct chacha_kernel *kernel, uint64_t first,
                      enum chacha_op op, size_t size, bool minus)
{
    static uint64_t room[BYTES / 8 + 2];
    static uint8_t old[BYTES], stream[BYTES];
    uint8_t *lanes = (uint8_t *)room + size;
    const uint64_t ring = UINT64_MAX >> (64 - 8 * size);

    reference(stream, first);
    for (size_t i = 0; i < BYTES; i++)
        old[i] = (uint8_t)(i * i + i / 7);
    memset(room, 0, sizeof room);
    memcpy(lanes, old, BYTES);
    kernel->apply(lanes, first, GROUPS, key, op);
    for (size_t i = 0; i < BYTES; i += size) {
        uint64_t word = lane(stream + i, size), was = lane(old + i, size);
        assert_int_equal(lane(lanes + i, size),
                         (minus ? was - word : was + word) & ring);
    }
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(((uint8_t *)room)[i], 0);
        assert_int_equal(lanes[BYTES + i], 0);
    }
}

static void every_kernel_stores_libsodiums_stream(void **state)
{
    struct chacha_kernel kernels[CHACHA_KERNELS_MAX];
    size_t count = chacha_kernels(kernels);

    (void)state;
    assert_in_range(count, 1, CHACHA_KERNELS_MAX);
    for (size_t k = 0; k < count; k++) {
        print_message("kernel %s\n", kernels[k].name);
        for (size_t f = 0; f < FIRSTS; f++)
            check_store(&kernels[k], firsts[f]);
    }
    assert_string_equal(kernels[count - 1].name, "plain");
}

static void every_kernel_adds_and_subtracts_in_lanes(void **state)
{
    struct chacha_kernel kernels[CHACHA_KERNELS_MAX];
    size_t count = chacha_kernels(kernels);

    (void)state;
    for (size_t k = 0; k < count; k++)
        for (size_t f = 0; f < FIRSTS; f++) {
            const struct chacha_kernel *kernel = &kernels[k];
            check_sum(kernel, firsts[f], CHACHA_ADD_16, 2, false);
            check_sum(kernel, firsts[f], CHACHA_ADD_32, 4, false);
            check_sum(kernel, firsts[f], CHACHA_ADD_64, 8, false);
            check_sum(kernel, firsts[f], CHACHA_SUBTRACT_16, 2, true);
            check_sum(kernel, firsts[f], CHACHA_SUBTRACT_32, 4, true);
            check_sum(kernel, firsts[f], CHACHA_SUBTRACT_64, 8, true);
        }
}

static void whatever_is_chosen_gives_the_same_stream(void **state)
{
    static uint8_t want[BYTES], got[BYTES];

    (void)state;
    for (size_t f = 0; f < FIRSTS; f++) {
        reference(want, firsts[f]);
        memset(got, 0, sizeof got);
        chacha_apply(got, firsts[f], GROUPS, key, CHACHA_STORE);
        assert_memory_equal(got, want, sizeof want);
    }
}

static void no_groups_are_no_bytes(void **state)
{
    struct chacha_kernel kernels[CHACHA_KERNELS_MAX];
    size_t count = chacha_kernels(kernels);
    uint8_t byte = 7;

    (void)state;
    for (size_t k = 0; k < count; k++)
        kernels[k].apply(&byte, 3, 0, key, CHACHA_STORE);
    assert_int_equal(byte, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_stores_libsodiums_stream),
        cmocka_unit_test(every_kernel_adds_and_subtracts_in_lanes),
        cmocka_unit_test(whatever_is_chosen_gives_the_same_stream),
        cmocka_unit_test(no_groups_are_no_bytes),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
