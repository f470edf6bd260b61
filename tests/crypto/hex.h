/* Published vectors, as they are printed. */

#ifndef TESTS_CRYPTO_HEX_H
#define TESTS_CRYPTO_HEX_H

#include <sodium.h>
#include <string.h>

/* out[size] from exactly 2 size digits. */
static inline void hex(uint8_t *out, size_t size, const char *digits)
{
    size_t got;

    assert_int_equal(
        sodium_hex2bin(out, size, digits, strlen(digits), NULL, &got, NULL), 0);
    assert_int_equal(got, size);
}

#endif
