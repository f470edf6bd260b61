/* ChaCha20 (RFC 8439's block function, 64-bit counter, zero nonce), 16 blocks
 * side by side, in the fastest way that this machine has.
 *
 * A group is 16 blocks; 32-bit word j of block i stands at index 16 j + i, so
 * that nothing has to be transposed. The keystream is stored, or added to or
 * subtracted from lanes without going through memory. Bernstein, "ChaCha, a
 * variant of Salsa20", 2008.
 */

#ifndef CRYPTO_CHACHA_H
#define CRYPTO_CHACHA_H

#include <stddef.h>
#include <stdint.h>

enum {
    CHACHA_KEY_BYTES = 32,
    CHACHA_WORDS = 16,  /* of 32 bits, in a block */
    CHACHA_BLOCKS = 16, /* in a group */
    CHACHA_GROUP_BYTES = 1024
};

/* What becomes of the keystream. Lanes are of the host's byte order, the
 * keystream is little-endian. */
enum chacha_op {
    CHACHA_STORE,
    CHACHA_ADD_16,
    CHACHA_ADD_32,
    CHACHA_ADD_64,
    CHACHA_SUBTRACT_16,
    CHACHA_SUBTRACT_32,
    CHACHA_SUBTRACT_64
};

/* Groups first .. first + count - 1 of the key's stream to, or into, the
 * count * CHACHA_GROUP_BYTES at `lanes`, which are aligned as lanes are.
 * Requires first + count <= 2^60. */
void chacha_apply(void *lanes, uint64_t first, size_t count,
                  const uint8_t key[CHACHA_KEY_BYTES], enum chacha_op op);

struct chacha_kernel {
    const char *name;
    void (*apply)(void *lanes, uint64_t first, size_t count,
                  const uint8_t key[CHACHA_KEY_BYTES], enum chacha_op op);
};

/* What this machine can run, the fastest first, which chacha_apply takes;
 * "plain" is the last. Returns how many. For tests and benchmarks. */
enum { CHACHA_KERNELS_MAX = 3 };
size_t chacha_kernels(struct chacha_kernel kernels[CHACHA_KERNELS_MAX]);

#endif
