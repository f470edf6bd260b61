#include "crypto/chacha.h"

#include <assert.h>
#include <string.h>

#include "crypto/chacha_kernel.h"

static uint32_t load(const uint8_t b[4])
{
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
           (uint32_t)b[3] << 24;
}

void chacha_state(uint32_t state[CHACHA_WORDS],
                  const uint8_t key[CHACHA_KEY_BYTES])
{
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32,
                                          0x6b206574};

    memset(state, 0, CHACHA_WORDS * sizeof *state);
    memcpy(state, constants, sizeof constants);
    for (size_t j = 0; j < CHACHA_KEY_BYTES / 4; j++)
        state[4 + j] = load(key + 4 * j);
}

size_t chacha_kernels(struct chacha_kernel kernels[CHACHA_KERNELS_MAX])
{
    size_t count = 0;

#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512bw"))
        kernels[count++] = (struct chacha_kernel){"avx512", chacha_avx512_add};
    if (__builtin_cpu_supports("avx2"))
        kernels[count++] = (struct chacha_kernel){"avx2", chacha_avx2_add};
#endif
#ifdef CHACHA_HAS_NEON
    kernels[count++] = (struct chacha_kernel){"neon", chacha_neon_add};
#endif
    kernels[count++] = (struct chacha_kernel){"plain", chacha_plain_add};
    return count;
}

void chacha_apply(void *lanes, uint64_t first, size_t count,
                  const uint8_t key[CHACHA_KEY_BYTES], enum chacha_op op)
{
    const uint64_t end = UINT64_C(1) << 60;
    struct chacha_kernel kernels[CHACHA_KERNELS_MAX];

    assert(first <= end && count <= end - first);
    chacha_kernels(kernels);
    kernels[0].apply(lanes, first, count, key, op);
}
