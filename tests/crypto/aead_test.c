#include "crypto/aead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hex.h"

enum { SIZE = 64, SEALED = SIZE + AEAD_TAG_BYTES };
static const uint8_t key[AEAD_KEY_BYTES] = "a key for one message, i to j";
static const uint8_t plain[SIZE] = "two shares";
static const uint8_t context[] = {'c', 't', 'x', 2, 5};

/* draft-irtf-cfrg-xchacha-03, appendix A.3.1. */
static void boxes_are_those_of_the_draft(void **state)
{
    static const char *text = "Ladies and Gentlemen of the class of '99: If I "
                              "could offer you only one tip for the future, "
                              "sunscreen would be it.";
    enum { TEXT = 114, BOXED = AEAD_NONCE_BYTES + TEXT + AEAD_TAG_BYTES };
    uint8_t want[BOXED], got[BOXED], aad[12], k[AEAD_KEY_BYTES], out[TEXT];
    struct prg prg;

    (void)state;
    hex(want, BOXED,
        "404142434445464748494a4b4c4d4e4f5051525354555657"
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
        "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
        "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
        "21f9664c97637da9768812f615c68b13b52e"
        "c0875924c1c7987947deafd8780acf49");
    hex(aad, sizeof aad, "50515253c0c1c2c3c4c5c6c7");
    for (size_t i = 0; i < sizeof k; i++)
        k[i] = (uint8_t)(0x80 + i);

    assert_int_equal(aead_unbox(out, want, BOXED, aad, sizeof aad, k), 0);
    assert_memory_equal(out, text, TEXT);

    prg_seed(&prg, key);
    prg.used = 0;
    memcpy(prg.block, want, AEAD_NONCE_BYTES);
    aead_box(got, (const uint8_t *)text, TEXT, aad, sizeof aad, k, &prg);
    assert_memory_equal(got, want, BOXED);
}

static void what_is_sealed_opens(void **state)
{
    uint8_t sealed[SEALED], out[SIZE];

    (void)state;
    for (size_t size = 0; size <= SIZE; size++) {
        aead_seal(sealed, plain, size, context, sizeof context, key);
        assert_int_equal(aead_open(out, sealed, size + AEAD_TAG_BYTES, context,
                                   sizeof context, key),
                         0);
        assert_memory_equal(out, plain, size);
    }
}

/* Refused, and the output is as before. */
static void check_refused(const uint8_t *sealed, size_t size,
                          const uint8_t *with, const uint8_t *k)
{
    uint8_t out[SIZE + 1], before[SIZE + 1];

    memset(out, 0x5a, sizeof out);
    memset(before, 0x5a, sizeof before);
    assert_int_equal(aead_open(out, sealed, size, with, sizeof context, k), -1);
    assert_memory_equal(out, before, sizeof out);
}

/* Attack 9. */
static void any_flipped_bit_is_refused(void **state)
{
    uint8_t sealed[SEALED], with[sizeof context], k[AEAD_KEY_BYTES];

    (void)state;
    aead_seal(sealed, plain, SIZE, context, sizeof context, key);
    for (size_t bit = 0; bit < 8 * SEALED; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        check_refused(sealed, SEALED, context, key);
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof context; bit++) {
        memcpy(with, context, sizeof with);
        with[bit / 8] ^= (uint8_t)(1 << bit % 8);
        check_refused(sealed, SEALED, with, key);
    }
    for (size_t bit = 0; bit < 8 * sizeof key; bit++) {
        memcpy(k, key, sizeof k);
        k[bit / 8] ^= (uint8_t)(1 << bit % 8);
        check_refused(sealed, SEALED, context, k);
    }
}

static void any_truncation_is_refused(void **state)
{
    uint8_t sealed[SEALED], boxed[AEAD_NONCE_BYTES + SEALED], out[SIZE];
    struct prg prg;

    (void)state;
    aead_seal(sealed, plain, SIZE, context, sizeof context, key);
    for (size_t size = 0; size < SEALED; size++)
        check_refused(sealed, size, context, key);

    prg_seed(&prg, key);
    aead_box(boxed, plain, SIZE, context, sizeof context, key, &prg);
    for (size_t size = 0; size < sizeof boxed; size++)
        assert_int_equal(
            aead_unbox(out, boxed, size, context, sizeof context, key), -1);
}

/* Attack 9: i to j's message is not j to i's, under i's key or j's. */
static void swapped_and_reflected_messages_are_refused(void **state)
{
    static const uint8_t swapped[sizeof context] = {'c', 't', 'x', 5, 2};
    static const uint8_t back[AEAD_KEY_BYTES] = "a key for one, j to i";
    uint8_t sealed[SEALED];

    (void)state;
    aead_seal(sealed, plain, SIZE, context, sizeof context, key);
    check_refused(sealed, SEALED, swapped, key);
    check_refused(sealed, SEALED, swapped, back);
    check_refused(sealed, SEALED, context, back);
}

static void one_text_boxed_twice_looks_different(void **state)
{
    uint8_t a[AEAD_NONCE_BYTES + SEALED], b[sizeof a], out[SIZE];
    struct prg prg;

    (void)state;
    prg_seed(&prg, key);
    aead_box(a, plain, SIZE, context, sizeof context, key, &prg);
    aead_box(b, plain, SIZE, context, sizeof context, key, &prg);
    assert_memory_not_equal(a, b, AEAD_NONCE_BYTES);
    assert_memory_not_equal(a + AEAD_NONCE_BYTES, b + AEAD_NONCE_BYTES, SEALED);
    assert_int_equal(aead_unbox(out, b, sizeof b, context, sizeof context, key),
                     0);
    assert_memory_equal(out, plain, SIZE);
    memcpy(b, a, AEAD_NONCE_BYTES);
    assert_int_equal(aead_unbox(out, b, sizeof b, context, sizeof context, key),
                     -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boxes_are_those_of_the_draft),
        cmocka_unit_test(what_is_sealed_opens),
        cmocka_unit_test(any_flipped_bit_is_refused),
        cmocka_unit_test(any_truncation_is_refused),
        cmocka_unit_test(swapped_and_reflected_messages_are_refused),
        cmocka_unit_test(one_text_boxed_twice_looks_different),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
