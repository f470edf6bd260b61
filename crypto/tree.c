#include "crypto/tree.h"

#include <sodium.h>

#include "crypto/tree_kernel.h"

size_t tree_kernels(struct tree_kernel kernels[TREE_KERNELS_MAX])
{
    size_t count = 0;

#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        kernels[count++] = (struct tree_kernel){"avx512", tree_avx512_leaves};
    if (__builtin_cpu_supports("avx2"))
        kernels[count++] = (struct tree_kernel){"avx2", tree_avx2_leaves};
#endif
    kernels[count++] = (struct tree_kernel){"plain", tree_plain_leaves};
    return count;
}

void tree_hash(uint8_t hash[TREE_BYTES], const void *bytes, size_t size)
{
    static const uint8_t nothing[1], name[4] = {'t', 'r', 'e', 'e'};
    struct tree_kernel kernels[TREE_KERNELS_MAX];
    uint8_t hashes[TREE_LEAVES * TREE_BYTES], length[8];
    crypto_generichash_state h;

    tree_kernels(kernels);
    kernels[0].leaves(hashes, size == 0 ? nothing : bytes, size);
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)((uint64_t)size >> 8 * i);
    crypto_generichash_init(&h, NULL, 0, TREE_BYTES);
    crypto_generichash_update(&h, name, sizeof name);
    crypto_generichash_update(&h, length, sizeof length);
    crypto_generichash_update(&h, hashes, sizeof hashes);
    crypto_generichash_final(&h, hash, TREE_BYTES);
}
