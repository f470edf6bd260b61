/* crypto/ takes the same branches and addresses whatever the secrets are.
 * Public, and so declared: sizes, places, whether a message opens, whether a
 * peer's point is of low order, whether a value is out of range. */

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>

#include "crypto/aead.h"
#include "crypto/fixed.h"
#include "crypto/grid.h"
#include "crypto/identity.h"
#include "crypto/mask.h"
#include "crypto/shamir.h"
#include "timing/public.h"

enum { SEED_BYTES = PRG_SEED_BYTES };

static void secret(void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(37 * i + 11);
    taint_secret(bytes, size);
}

static void secret_prg(struct prg *prg)
{
    uint8_t seed[SEED_BYTES];

    secret(seed, sizeof seed);
    prg_seed(prg, seed);
}

static void random_bytes_and_masks(void)
{
    static uint8_t out[3 * PRG_GROUP_BYTES];
    static uint64_t lanes[1000];
    struct mask masks[2] = {{.minus = true}};
    uint8_t seed[SEED_BYTES];
    struct prg prg;

    secret_prg(&prg);
    for (size_t size = 0; size < 200; size += 13)
        prg_bytes(&prg, out, size);
    prg_wipe(&prg);
    secret(seed, sizeof seed);
    secret(lanes, sizeof lanes);
    prg_stream(out, 7, 3, seed);
    mask_add(lanes, 0, 1000, seed);
    mask_subtract(lanes + 1, 129, 999, seed);
    secret(masks[0].seed, SEED_BYTES);
    secret(masks[1].seed, SEED_BYTES);
    for (uint32_t bits = 16; bits <= 64; bits *= 2)
        mask_apply(lanes, bits, 50, 1000, masks, 2);
}

static void shares(void)
{
    static const size_t shapes[][2] = {{1, 1}, {3, 5}, {22, 32}, {64, 64}};
    static struct shamir_share list[SHAMIR_SHARES_MAX];
    uint8_t whole[SHAMIR_BYTES], back[SHAMIR_BYTES];
    struct prg prg;

    secret_prg(&prg);
    secret(whole, sizeof whole);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        shamir_split(list, shapes[s][1], shapes[s][0], whole, &prg);
        int status =
            shamir_join(back, list + shapes[s][1] - shapes[s][0], shapes[s][0]);
        assert(status == 0); /* a place taken twice: public */
        assert(taint_public_int(sodium_memcmp(back, whole, sizeof back)) == 0);
    }
}

static void agreed_keys(void)
{
    struct x25519_pair ours, theirs;
    uint8_t first[X25519_BYTES], other[X25519_BYTES], base[X25519_BYTES];
    static const uint8_t weak[X25519_BYTES];
    struct prg prg;

    secret_prg(&prg);
    x25519_generate(&ours, &prg);
    x25519_generate(&theirs, &prg);
    x25519_base(base, ours.secret);
    taint_public(ours.open, sizeof ours.open);
    taint_public(theirs.open, sizeof theirs.open);
    assert(x25519_shared(first, ours.secret, theirs.open) == 0);
    assert(x25519_shared(other, theirs.secret, ours.open) == 0);
    assert(taint_public_int(sodium_memcmp(first, other, sizeof first)) == 0);
    assert(x25519_shared(other, ours.secret, weak) == -EINVAL);
}

static void sealed_messages(void)
{
    enum { SIZE = 100 };
    uint8_t key[AEAD_KEY_BYTES], plain[SIZE], context[9] = {1};
    uint8_t box[AEAD_NONCE_BYTES + SIZE + AEAD_TAG_BYTES];
    struct prg prg;

    secret_prg(&prg);
    secret(key, sizeof key);
    secret(plain, sizeof plain);
    aead_seal(box, plain, SIZE, context, sizeof context, key);
    taint_public(box, sizeof box);
    assert(aead_open(plain, box, SIZE + AEAD_TAG_BYTES, context, sizeof context,
                     key) == 0);
    box[3] ^= 1;
    assert(aead_open(plain, box, SIZE + AEAD_TAG_BYTES, context, sizeof context,
                     key) == -1);
    aead_box(box, plain, SIZE, context, sizeof context, key, &prg);
    taint_public(box, sizeof box);
    assert(aead_unbox(plain, box, sizeof box, context, sizeof context, key) ==
           0);
    assert(aead_unbox(plain, box, sizeof box, context, 2, key) == -1);
}

static void signatures(void)
{
    struct identity identity;
    uint8_t signature[IDENTITY_SIGNATURE_BYTES], message[32] = {5};
    struct prg prg;

    secret_prg(&prg);
    identity_generate(&identity, &prg);
    identity_sign(signature, "timing", message, sizeof message,
                  identity.sign_secret);
    taint_public(signature, sizeof signature);
    taint_public(&identity.open, sizeof identity.open);
    assert(identity_verify(signature, "timing", message, sizeof message,
                           identity.open.sign) == 0);
    identity_wipe(&identity);
}

static int encode(size_t *at, const double *values, size_t count)
{
    static uint64_t lanes[16];
    struct fixed_shape shape = {
        .length = count, .bound = fixed_bound(5, 4), .fraction_bits = 4};
    double copy[16];

    memcpy(copy, values, count * sizeof *copy);
    taint_secret(copy, sizeof copy);
    int status = taint_public_int(fixed_encode(lanes, copy, &shape, at));
    taint_public(at, sizeof *at);
    return status;
}

/* Which value was out of range is told to the site itself, and that one was
 * becomes a DECLINE: both are found without a branch, and told. */
static void values(void)
{
    const double limit = fixed_bound(5, 4);
    const double good[] = {0,      -0.0,     1.0 / 32, -1.0 / 32, 3.0 / 32,
                           1e-300, -7.03125, 1e9,      limit,     -limit};
    const double wide[] = {1, 2, 2 * limit, NAN};
    const double wild[] = {1, NAN, INFINITY, 4 * limit};
    size_t at;

    assert(encode(&at, good, sizeof good / sizeof *good) == 0);
    assert(encode(&at, wide, 4) == -ERANGE && at == 2);
    assert(encode(&at, wild, 4) == -EDOM && at == 1);
}

static void rounded_values(void)
{
    enum { COUNT = 701 };
    static const double kinds[] = {0, -0.0, 1e-300, 0.3, -5, 7.25, 1e9, -1e300};
    static double x[COUNT], carry[COUNT];
    static uint64_t lanes[COUNT];
    uint8_t seed[SEED_BYTES];

    for (uint32_t bits = 16; bits <= 64; bits *= 2) {
        const struct grid grid = {6, grid_value_bits(5, bits), bits};
        for (size_t i = 0; i < COUNT; i++)
            x[i] = carry[i] = kinds[i % (sizeof kinds / sizeof *kinds)];
        taint_secret(x, sizeof x);
        taint_secret(carry, sizeof carry);
        secret(seed, sizeof seed);
        int status = grid_encode(lanes, carry, x, 3, COUNT, &grid, seed);
        assert(taint_is_secret(lanes, COUNT * (bits / 8)));
        assert(taint_is_secret(x, sizeof x));
        assert(taint_public_int(status) == 0); /* becomes a DECLINE */
    }
}

int main(int argc, char **argv)
{
    int skip = taint_begin(argc, argv);

    if (skip != 0)
        return skip;
    if (sodium_init() < 0)
        return 1;
    random_bytes_and_masks();
    shares();
    agreed_keys();
    sealed_messages();
    signatures();
    values();
    rounded_values();
    return 0;
}
