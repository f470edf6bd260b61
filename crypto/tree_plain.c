/* Where there are no vectors: libsodium, one leaf after the other. Also what
 * the kernels are compared with. */

#include <sodium.h>
#include <string.h>

#include "crypto/tree_kernel.h"

enum { TILE_WORDS = 128 };

/* The word at `offset`, zeros where the bytes end. */
static void take(uint8_t word[8], const uint8_t *bytes, size_t size,
                 size_t offset)
{
    size_t left = offset < size ? size - offset : 0;

    memset(word, 0, 8);
    memcpy(word, bytes + (left > 0 ? offset : 0), left < 8 ? left : 8);
}

static void leaf(uint8_t hash[TREE_BYTES], const uint8_t *bytes, size_t size,
                 size_t i)
{
    uint8_t tile[8 * TILE_WORDS];
    crypto_generichash_state h;
    size_t used = 0;

    crypto_generichash_init(&h, NULL, 0, TREE_BYTES);
    for (size_t row = 0; row < size; row += TREE_ROW_BYTES) {
        take(tile + used, bytes, size, row + 8 * i);
        used += 8;
        if (used == sizeof tile) {
            crypto_generichash_update(&h, tile, used);
            used = 0;
        }
    }
    crypto_generichash_update(&h, tile, used);
    crypto_generichash_final(&h, hash, TREE_BYTES);
}

void tree_plain_leaves(uint8_t hashes[TREE_LEAVES * TREE_BYTES],
                       const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < TREE_LEAVES; i++)
        leaf(hashes + i * TREE_BYTES, bytes, size, i);
}
