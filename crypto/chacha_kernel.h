/* The kernels behind chacha_apply, each as that one, and what they share. Call
 * only what the machine has. */

#ifndef CRYPTO_CHACHA_KERNEL_H
#define CRYPTO_CHACHA_KERNEL_H

#include "crypto/chacha.h"

#ifdef __x86_64__
void chacha_avx512_add(void *lanes, uint64_t first, size_t count,
                       const uint8_t key[CHACHA_KEY_BYTES], enum chacha_op op);
void chacha_avx2_add(void *lanes, uint64_t first, size_t count,
                     const uint8_t key[CHACHA_KEY_BYTES], enum chacha_op op);
#endif

/* Every 64-bit ARM has it. */
#if defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define CHACHA_HAS_NEON
void chacha_neon_add(void *lanes, uint64_t first, size_t count,
                     const uint8_t key[CHACHA_KEY_BYTES], enum chacha_op op);
#endif

void chacha_plain_add(void *lanes, uint64_t first, size_t count,
                      const uint8_t key[CHACHA_KEY_BYTES], enum chacha_op op);

/* The state of block 0. */
void chacha_state(uint32_t state[CHACHA_WORDS],
                  const uint8_t key[CHACHA_KEY_BYTES]);

#endif
