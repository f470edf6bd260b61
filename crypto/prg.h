/* Deterministic random bytes: the one source of randomness below node/.
 *
 * `struct prg` hands out the ChaCha20 keystream (RFC 8439's block function,
 * zero nonce) byte by byte. `prg_stream` gives any part of the same keystream
 * in the order that vector kernels produce: groups of 16 blocks, in which
 * 32-bit word j of block i stands at index 16 j + i.
 */

#ifndef CRYPTO_PRG_H
#define CRYPTO_PRG_H

#include <stddef.h>
#include <stdint.h>

enum {
    PRG_SEED_BYTES = 32,
    PRG_BLOCK_BYTES = 64,
    PRG_GROUP_BYTES = 1024 /* 16 blocks, the unit of prg_stream's order */
};

struct prg {
    uint8_t key[PRG_SEED_BYTES];
    uint8_t block[PRG_BLOCK_BYTES]; /* keystream not yet handed out */
    uint64_t next;                  /* index of the next keystream block */
    size_t used;                    /* bytes of `block` already handed out */
};

/* The same seed gives the same bytes for ever, on every machine. */
void prg_seed(struct prg *prg, const uint8_t seed[PRG_SEED_BYTES]);

void prg_bytes(struct prg *prg, uint8_t *out, size_t size);

/* Uniform in [0, bound), without bias. Requires bound > 0. */
uint64_t prg_below(struct prg *prg, uint64_t bound);

void prg_wipe(struct prg *prg);

/* out[count * PRG_GROUP_BYTES]: the groups `first`..`first + count - 1` of the
 * keystream of `seed`, each in the transposed order above. */
void prg_stream(uint8_t *out, uint64_t first, size_t count,
                const uint8_t seed[PRG_SEED_BYTES]);

#endif
