/* Where there are no vectors, or none that a kernel knows: libsodium's stream,
 * transposed. Also what the kernels are compared with. */

#include "crypto/chacha_kernel.h"

#include <sodium.h>
#include <string.h>

enum { BLOCK_BYTES = 4 * CHACHA_WORDS };

static uint32_t load(const uint8_t b[4])
{
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
           (uint32_t)b[3] << 24;
}

static void group(uint32_t words[CHACHA_GROUP_BYTES / 4], uint64_t at,
                  const uint8_t key[CHACHA_KEY_BYTES])
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    uint8_t stream[CHACHA_GROUP_BYTES] = {0};

    crypto_stream_chacha20_xor_ic(stream, stream, sizeof stream, nonce,
                                  at * CHACHA_BLOCKS, key);
    for (size_t j = 0; j < CHACHA_WORDS; j++)
        for (size_t i = 0; i < CHACHA_BLOCKS; i++)
            words[CHACHA_BLOCKS * j + i] =
                load(stream + BLOCK_BYTES * i + 4 * j);
    sodium_memzero(stream, sizeof stream);
}

static void store(uint8_t *out, const uint32_t words[CHACHA_GROUP_BYTES / 4])
{
    for (size_t i = 0; i < CHACHA_GROUP_BYTES; i++)
        out[i] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
}

/* `sign` is 1, or -1 in the ring. */
static void add_16(uint16_t *lanes, const uint32_t *words, uint32_t sign)
{
    for (size_t i = 0; i < CHACHA_GROUP_BYTES / 2; i++)
        lanes[i] = (uint16_t)(lanes[i] + sign * (words[i / 2] >> 16 * (i % 2)));
}

static void add_32(uint32_t *lanes, const uint32_t *words, uint32_t sign)
{
    for (size_t i = 0; i < CHACHA_GROUP_BYTES / 4; i++)
        lanes[i] += sign * words[i];
}

static void add_64(uint64_t *lanes, const uint32_t *words, uint64_t sign)
{
    for (size_t i = 0; i < CHACHA_GROUP_BYTES / 8; i++)
        lanes[i] += sign * (words[2 * i] | (uint64_t)words[2 * i + 1] << 32);
}

static void put(void *lanes, const uint32_t words[CHACHA_GROUP_BYTES / 4],
                enum chacha_op op)
{
    switch (op) {
    case CHACHA_STORE:
        store(lanes, words);
        break;
    case CHACHA_ADD_16:
    case CHACHA_SUBTRACT_16:
        add_16(lanes, words, op == CHACHA_ADD_16 ? 1 : UINT32_MAX);
        break;
    case CHACHA_ADD_32:
    case CHACHA_SUBTRACT_32:
        add_32(lanes, words, op == CHACHA_ADD_32 ? 1 : UINT32_MAX);
        break;
    case CHACHA_ADD_64:
    case CHACHA_SUBTRACT_64:
        add_64(lanes, words, op == CHACHA_ADD_64 ? 1 : UINT64_MAX);
        break;
    }
}

void chacha_plain_add(void *lanes, uint64_t first, size_t count,
                      const uint8_t key[CHACHA_KEY_BYTES], enum chacha_op op)
{
    uint32_t words[CHACHA_GROUP_BYTES / 4];
    uint8_t *at = lanes;

    for (; count > 0; count--, first++, at += CHACHA_GROUP_BYTES) {
        group(words, first, key);
        put(at, words, op);
    }
    sodium_memzero(words, sizeof words);
}
