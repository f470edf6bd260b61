#include "crypto/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "hex.h"

static const uint8_t seed[PRG_SEED_BYTES] = {11};
static const uint8_t message[] = "the survivors are 0, 1 and 3";

/* The secret keys of RFC 8032, section 7.1, test 1, and of RFC 7748's Alice
 * come out of the generator: the public keys are theirs, used raw. */
static void keys_are_those_of_rfc_8032_and_rfc_7748(void **state)
{
    struct identity me;
    struct prg prg;
    uint8_t want[64], signature[64];

    (void)state;
    prg_seed(&prg, seed);
    prg.used = 0;
    hex(prg.block, 64,
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    identity_generate(&me, &prg);

    hex(want, 32,
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    assert_memory_equal(me.open.sign, want, 32);
    hex(want, 32,
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    assert_memory_equal(me.open.link, want, 32);
    hex(want, 64,
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555f"
        "b8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
    crypto_sign_detached(signature, NULL, want, 0, me.sign_secret);
    assert_memory_equal(signature, want, 64);
}

static void generate(struct identity *me, uint8_t who)
{
    const uint8_t own[PRG_SEED_BYTES] = {who};
    struct prg prg;

    prg_seed(&prg, own);
    identity_generate(me, &prg);
}

static void signature_is_ed25519_of_blake2b_of_domain_and_message(void **state)
{
    uint8_t joined[4 + sizeof message] = {'a', 'c', 'k', 0};
    uint8_t hash[64], want[64], got[64];
    struct identity me;

    (void)state;
    generate(&me, 1);
    memcpy(joined + 4, message, sizeof message);
    crypto_generichash(hash, 64, joined, sizeof joined, NULL, 0);
    crypto_sign_detached(want, NULL, hash, 64, me.sign_secret);
    identity_sign(got, "ack", message, sizeof message, me.sign_secret);
    assert_memory_equal(got, want, 64);
    assert_int_equal(
        identity_verify(got, "ack", message, sizeof message, me.open.sign), 0);
}

static void any_flipped_bit_is_not_verified(void **state)
{
    uint8_t signature[64], copy[sizeof message];
    struct identity me;

    (void)state;
    generate(&me, 1);
    identity_sign(signature, "d", message, sizeof message, me.sign_secret);
    for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(identity_verify(signature, "d", message,
                                         sizeof message, me.open.sign),
                         -1);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof copy; bit++) {
        memcpy(copy, message, sizeof copy);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(
            identity_verify(signature, "d", copy, sizeof copy, me.open.sign),
            -1);
    }
    for (size_t bit = 0; bit < 8 * sizeof me.open.sign; bit++) {
        me.open.sign[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(identity_verify(signature, "d", message,
                                         sizeof message, me.open.sign),
                         -1);
        me.open.sign[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* Moving the border between domain and message changes what is signed. */
static void a_signature_holds_in_one_domain_only(void **state)
{
    const uint8_t *text = (const uint8_t *)"keys";
    uint8_t signature[64];
    struct identity me, other;

    (void)state;
    generate(&me, 1);
    generate(&other, 2);
    identity_sign(signature, "starling", text, 4, me.sign_secret);
    assert_int_equal(
        identity_verify(signature, "starling", text, 4, me.open.sign), 0);
    assert_int_equal(
        identity_verify(signature, "starlin", text, 4, me.open.sign), -1);
    assert_int_equal(
        identity_verify(signature, "starlingk", text + 1, 3, me.open.sign), -1);
    assert_int_equal(
        identity_verify(signature, "starling", text, 4, other.open.sign), -1);
}

/* The identity element verifies anything in naive implementations. */
static void key_of_low_order_verifies_nothing(void **state)
{
    const uint8_t key[IDENTITY_KEY_BYTES] = {1};
    const uint8_t signature[IDENTITY_SIGNATURE_BYTES] = {1};

    (void)state;
    assert_int_equal(
        identity_verify(signature, "d", message, sizeof message, key), -1);
}

static void printed_keys_parse_back(void **state)
{
    char text[IDENTITY_TEXT_SIZE];
    struct identity_public back;
    struct identity me;

    (void)state;
    for (uint8_t who = 0; who < 50; who++) {
        generate(&me, who);
        identity_print(text, &me.open);
        assert_int_equal(strlen(text), 95);
        assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
                         95);
        assert_int_equal(identity_parse(&back, text), 0);
        assert_memory_equal(&back, &me.open, sizeof back);
    }
}

/* 64 bytes are 85 characters and a third: the last holds 2 bits of 03. */
static void print_is_base64url_of_sign_then_link(void **state)
{
    struct identity_public open = {.sign = {0xfb, 0xff}, .link = {0}};
    char text[IDENTITY_TEXT_SIZE];

    (void)state;
    open.link[31] = 3;
    identity_print(text, &open);
    assert_memory_equal(text, "starling--_8AAAAA", 17);
    assert_string_equal(text + 90, "AAAAw");
}

static void other_texts_are_refused(void **state)
{
    char text[IDENTITY_TEXT_SIZE], bad[IDENTITY_TEXT_SIZE + 1];
    struct identity_public back;
    struct identity me;

    (void)state;
    generate(&me, 1);
    identity_print(text, &me.open);
    for (size_t size = 0; size < strlen(text); size++) {
        memcpy(bad, text, size);
        bad[size] = '\0';
        assert_int_equal(identity_parse(&back, bad), -EINVAL);
    }
    for (const char *c = "=+/ \n."; *c; c++) {
        memcpy(bad, text, sizeof text);
        bad[40] = *c;
        assert_int_equal(identity_parse(&back, bad), -EINVAL);
        bad[40] = text[40];
        bad[95] = *c;
        bad[96] = '\0';
        assert_int_equal(identity_parse(&back, bad), -EINVAL);
    }
    memcpy(bad, text, sizeof text);
    bad[94]++; /* sets one of the four bits that code for nothing */
    assert_int_equal(identity_parse(&back, bad), -EINVAL);
    memcpy(bad, text, sizeof text);
    bad[0] = 'S';
    assert_int_equal(identity_parse(&back, bad), -EINVAL);
}

static void weak_link_keys_are_refused(void **state)
{
    char text[IDENTITY_TEXT_SIZE];
    struct identity_public back;
    struct identity me;

    (void)state;
    generate(&me, 1);
    me.open.link[31] |= 0x80;
    identity_print(text, &me.open);
    assert_int_equal(identity_parse(&back, text), -EINVAL);
    memset(me.open.link, 0, sizeof me.open.link);
    identity_print(text, &me.open);
    assert_int_equal(identity_parse(&back, text), -EINVAL);
}

static void wipe_leaves_nothing(void **state)
{
    static const struct identity zero;
    struct identity me;

    (void)state;
    generate(&me, 1);
    identity_wipe(&me);
    assert_memory_equal(&me, &zero, sizeof me);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_those_of_rfc_8032_and_rfc_7748),
        cmocka_unit_test(signature_is_ed25519_of_blake2b_of_domain_and_message),
        cmocka_unit_test(any_flipped_bit_is_not_verified),
        cmocka_unit_test(a_signature_holds_in_one_domain_only),
        cmocka_unit_test(key_of_low_order_verifies_nothing),
        cmocka_unit_test(printed_keys_parse_back),
        cmocka_unit_test(print_is_base64url_of_sign_then_link),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(weak_link_keys_are_refused),
        cmocka_unit_test(wipe_leaves_nothing),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
