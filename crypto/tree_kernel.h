/* The kernels behind tree_hash. Call only what the machine has. */

#ifndef CRYPTO_TREE_KERNEL_H
#define CRYPTO_TREE_KERNEL_H

#include "crypto/tree.h"

#ifdef __x86_64__
void tree_avx512_leaves(uint8_t hashes[TREE_LEAVES * TREE_BYTES],
                        const uint8_t *bytes, size_t size);
void tree_avx2_leaves(uint8_t hashes[TREE_LEAVES * TREE_BYTES],
                      const uint8_t *bytes, size_t size);
#endif

void tree_plain_leaves(uint8_t hashes[TREE_LEAVES * TREE_BYTES],
                       const uint8_t *bytes, size_t size);

#endif
