#include "crypto/x25519.h"

#include <errno.h>
#include <sodium.h>

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

/* 2^254 is a multiple of both cofactors and of no other factor of the orders of
 * the curve and its twist: it sends exactly the points of low order to 0. */
bool x25519_is_weak(const uint8_t open[X25519_BYTES])
{
    static const uint8_t power[X25519_BYTES] = {[X25519_BYTES - 1] = 0x40};
    uint8_t product[X25519_BYTES];

    return is_noncanonical(open) ||
           crypto_scalarmult(product, power, open) != 0;
}

int x25519_shared(uint8_t shared[X25519_BYTES],
                  const uint8_t secret[X25519_BYTES],
                  const uint8_t theirs[X25519_BYTES])
{
    return crypto_scalarmult(shared, secret, theirs) == 0 ? 0 : -EINVAL;
}
