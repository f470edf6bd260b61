#include "crypto/x25519.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "hex.h"

/* RFC 7748, section 6.1. */
static void alice_and_bob_of_rfc_7748_agree(void **state)
{
    uint8_t a[32], b[32], a_open[32], b_open[32], want[32], got[32];

    (void)state;
    hex(a, 32,
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    hex(b, 32,
        "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    hex(a_open, 32,
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    hex(b_open, 32,
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    hex(want, 32,
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");

    x25519_base(got, a);
    assert_memory_equal(got, a_open, 32);
    x25519_base(got, b);
    assert_memory_equal(got, b_open, 32);
    assert_int_equal(x25519_shared(got, a, b_open), 0);
    assert_memory_equal(got, want, 32);
    assert_int_equal(x25519_shared(got, b, a_open), 0);
    assert_memory_equal(got, want, 32);
}

static const char *low_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

/* Attack 10. */
static void points_of_low_order_are_refused(void **state)
{
    const uint8_t secret[32] = {5};
    uint8_t point[32], out[32];

    (void)state;
    for (size_t i = 0; i < sizeof low_order / sizeof low_order[0]; i++) {
        hex(point, 32, low_order[i]);
        assert_true(x25519_is_weak(point));
        assert_int_equal(x25519_shared(out, secret, point), -EINVAL);
        point[31] |= 0x80;
        assert_true(x25519_is_weak(point));
    }
}

/* 2^254 is a multiple of both cofactors and of no other factor of the orders of
 * the curve and its twist: it sends exactly the points of low order to 0. */
static void weak_is_what_the_cofactors_send_to_zero(void **state)
{
    static const uint8_t power[32] = {[31] = 0x40};
    uint8_t point[32], product[32];

    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (int bit = -1; bit < 255; bit++) {
            hex(point, 32, low_order[i]);
            if (bit >= 0)
                point[bit / 8] ^= (uint8_t)(1 << bit % 8);
            if (point[31] == 0x7f && point[1] == 0xff && point[0] >= 0xed)
                continue; /* no canonical name */
            assert_int_equal(x25519_is_weak(point),
                             crypto_scalarmult(product, power, point) != 0);
        }
}

/* 9 is the base point; p + 9 and 9 + 2^255 are the same point, as X25519 reads
 * them, under another name. p - 2 is the largest fair one. */
static void other_names_of_a_point_are_refused(void **state)
{
    uint8_t point[32] = {9};

    (void)state;
    assert_false(x25519_is_weak(point));
    point[31] = 0x80;
    assert_true(x25519_is_weak(point));
    memset(point, 0xff, 31);
    point[31] = 0x7f;
    assert_true(x25519_is_weak(point));
    point[0] = 0xed + 9;
    assert_true(x25519_is_weak(point));
    point[0] = 0xeb;
    assert_false(x25519_is_weak(point));
    point[0] = 0xf0;
    point[7] = 0xfe;
    assert_false(x25519_is_weak(point));
}

static void generated_pairs_agree_and_are_not_weak(void **state)
{
    const uint8_t seed[PRG_SEED_BYTES] = {3};
    struct x25519_pair a, b;
    struct prg prg;
    uint8_t ab[32], ba[32];

    (void)state;
    prg_seed(&prg, seed);
    x25519_generate(&a, &prg);
    for (int i = 0; i < 20; i++) {
        x25519_generate(&b, &prg);
        assert_false(x25519_is_weak(b.open));
        assert_int_equal(x25519_shared(ab, a.secret, b.open), 0);
        assert_int_equal(x25519_shared(ba, b.secret, a.open), 0);
        assert_memory_equal(ab, ba, 32);
        assert_memory_not_equal(a.open, b.open, 32);
        x25519_base(ab, b.secret);
        assert_memory_equal(ab, b.open, 32);
        a = b;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alice_and_bob_of_rfc_7748_agree),
        cmocka_unit_test(points_of_low_order_are_refused),
        cmocka_unit_test(weak_is_what_the_cofactors_send_to_zero),
        cmocka_unit_test(other_names_of_a_point_are_refused),
        cmocka_unit_test(generated_pairs_agree_and_are_not_weak),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
