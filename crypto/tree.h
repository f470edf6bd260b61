/* A hash for large vectors, eight BLAKE2b side by side.
 *
 * The bytes, with zeros up to a multiple of 64, are rows of eight 64-bit words;
 * leaf i is the i-th word of each row, one after the other, so that a row is
 * one load and nothing is transposed. The hash is
 *     BLAKE2b-256("tree" | size, 8 bytes little-endian | H(leaf 0) | ... |
 * H(leaf 7)) with H = BLAKE2b-256: two inputs of one hash are a collision of
 * BLAKE2b-256. Aumasson et al., "BLAKE2: simpler, smaller, fast as MD5", ACNS
 * 2013 (its section 2.4 has BLAKE2bp, which is this with four leaves and blocks
 * for words).
 */

#ifndef CRYPTO_TREE_H
#define CRYPTO_TREE_H

#include <stddef.h>
#include <stdint.h>

enum { TREE_BYTES = 32, TREE_LEAVES = 8, TREE_ROW_BYTES = 64 };

void tree_hash(uint8_t hash[TREE_BYTES], const void *bytes, size_t size);

/* The leaves' hashes, in order. */
struct tree_kernel {
    const char *name;
    void (*leaves)(uint8_t hashes[TREE_LEAVES * TREE_BYTES],
                   const uint8_t *bytes, size_t size);
};

/* What this machine can run, the fastest first, which tree_hash takes; "plain"
 * is the last. Returns how many. For tests. */
enum { TREE_KERNELS_MAX = 3 };
size_t tree_kernels(struct tree_kernel kernels[TREE_KERNELS_MAX]);

#endif
