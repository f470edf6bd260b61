#include "crypto/x25519.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

void x25519_generate(struct x25519_pair *pair, struct prg *prg)
{
    prg_bytes(prg, pair->secret, sizeof pair->secret);
    x25519_base(pair->open, pair->secret);
}

void x25519_base(uint8_t open[X25519_BYTES], const uint8_t secret[X25519_BYTES])
{
    if (crypto_scalarmult_base(open, secret) != 0)
        sodium_misuse();
}

/* At least 2^255 - 19, or with bit 255 set, which X25519 ignores. */
static bool is_noncanonical(const uint8_t open[X25519_BYTES])
{
    if (open[X25519_BYTES - 1] != 0x7f)
        return open[X25519_BYTES - 1] > 0x7f;
    for (int i = X25519_BYTES - 2; i > 0; i--)
        if (open[i] != 0xff)
            return false;
    return open[0] >= 0xed;
}

/* The points of the curve whose order divides its cofactor 8 are a cyclic
 * group, those of the twist that its 4 sends to 0 another: 0, 1 (order 4), -1
 * (order 4 of the twist) and the two of order 8 are all their coordinates. */
static bool is_of_low_order(const uint8_t open[X25519_BYTES])
{
    static const uint8_t points[][X25519_BYTES] = {
        {0},
        {1},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
         0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
         0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
         0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
         0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57}};

    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
        if (memcmp(open, points[i], X25519_BYTES) == 0)
            return true;
    return false;
}

bool x25519_is_weak(const uint8_t open[X25519_BYTES])
{
    return is_noncanonical(open) || is_of_low_order(open);
}

int x25519_shared(uint8_t shared[X25519_BYTES],
                  const uint8_t secret[X25519_BYTES],
                  const uint8_t theirs[X25519_BYTES])
{
    return crypto_scalarmult(shared, secret, theirs) == 0 ? 0 : -EINVAL;
}
