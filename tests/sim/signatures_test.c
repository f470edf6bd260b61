#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/identity.h"
#include "sim/signatures.h"

enum { MESSAGES = 3000 };

static void only_what_was_signed_is_remembered(void **state)
{
    const uint8_t seed[PRG_SEED_BYTES] = {9};
    struct signatures *s = signatures_new();
    uint8_t signature[IDENTITY_SIGNATURE_BYTES], message[8] = {1};
    struct identity who, other;
    struct prg prg;

    (void)state;
    prg_seed(&prg, seed);
    identity_generate(&who, &prg);
    identity_generate(&other, &prg);
    identity_sign(signature, "one", message, sizeof message, who.sign_secret);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(signatures_verify(s, signature, "one", message,
                                           sizeof message, who.open.sign),
                         0);
        assert_int_equal(signatures_verify(s, signature, "two", message,
                                           sizeof message, who.open.sign),
                         -1);
        assert_int_equal(signatures_verify(s, signature, "one", message,
                                           sizeof message - 1, who.open.sign),
                         -1);
        assert_int_equal(signatures_verify(s, signature, "one", message,
                                           sizeof message, other.open.sign),
                         -1);
        signature[3] ^= 1;
        assert_int_equal(signatures_verify(s, signature, "one", message,
                                           sizeof message, who.open.sign),
                         -1);
        signature[3] ^= 1;
    }
    signatures_free(s);
}

static void many_are_remembered(void **state)
{
    const uint8_t seed[PRG_SEED_BYTES] = {9};
    struct signatures *s = signatures_new();
    static uint8_t signed_by[MESSAGES][IDENTITY_SIGNATURE_BYTES];
    struct identity who;
    struct prg prg;

    (void)state;
    prg_seed(&prg, seed);
    identity_generate(&who, &prg);
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < MESSAGES; i++) {
            if (pass == 0)
                identity_sign(signed_by[i], "many", (const uint8_t *)&i,
                              sizeof i, who.sign_secret);
            assert_int_equal(signatures_verify(s, signed_by[i], "many",
                                               (const uint8_t *)&i, sizeof i,
                                               who.open.sign),
                             0);
        }
    signatures_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_signed_is_remembered),
        cmocka_unit_test(many_are_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
