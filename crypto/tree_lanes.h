/* The body of a vector kernel: included once by a file that has defined LANES
 * (leaves in a vector: 8 or 4), TARGET (the attribute that allows the
 * instructions), RUN (what it exports) and ROTATE_32, _24, _16, _63, to the
 * right. Vectors are GCC's, as in chacha_lanes.h.
 */

#include <string.h>

#define INLINE static inline __attribute__((always_inline)) TARGET

enum { WORDS = 16, BLOCK_BYTES = TREE_ROW_BYTES * WORDS };

typedef uint64_t words __attribute__((vector_size(8 * LANES)));

/* RFC 7693, sections 2.6 and 2.7. */
static const uint64_t iv[8] = {
    UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b),
    UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0xa54ff53a5f1d36f1),
    UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
    UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179)};

INLINE void mix(words *a, words *b, words *c, words *d, words x, words y)
{
    *a += *b + x;
    *d = ROTATE_32(*d ^ *a);
    *c += *d;
    *b = ROTATE_24(*b ^ *c);
    *a += *b + y;
    *d = ROTATE_16(*d ^ *a);
    *c += *d;
    *b = ROTATE_63(*b ^ *c);
}

/* A round with the permutation of the words written out: no index is left at
 * run time. */
#define ROUND(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)                  \
    mix(&v[0], &v[4], &v[8], &v[12], w[a], w[b]);                              \
    mix(&v[1], &v[5], &v[9], &v[13], w[c], w[d]);                              \
    mix(&v[2], &v[6], &v[10], &v[14], w[e], w[f]);                             \
    mix(&v[3], &v[7], &v[11], &v[15], w[g], w[h]);                             \
    mix(&v[0], &v[5], &v[10], &v[15], w[i], w[j]);                             \
    mix(&v[1], &v[6], &v[11], &v[12], w[k], w[l]);                             \
    mix(&v[2], &v[7], &v[8], &v[13], w[m], w[n]);                              \
    mix(&v[3], &v[4], &v[9], &v[14], w[o], w[p])

/* One block of each leaf; `counted` bytes of a leaf are in it or before it. */
INLINE void compress(words h[8], const uint8_t *rows, uint64_t counted,
                     uint64_t last)
{
    words v[WORDS], w[WORDS];

    for (size_t j = 0; j < WORDS; j++)
        memcpy(&w[j], rows + TREE_ROW_BYTES * j, sizeof w[j]);
    for (size_t j = 0; j < 8; j++) {
        v[j] = h[j];
        v[8 + j] = (words){0} + iv[j];
    }
    v[12] ^= counted;
    v[14] ^= last;
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
    ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
    ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
    ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
    ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
    ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
    ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
    ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
    for (size_t j = 0; j < 8; j++)
        h[j] ^= v[j] ^ v[8 + j];
}

/* Leaves from .. from + LANES - 1. */
INLINE void leaves(uint8_t hashes[TREE_LEAVES * TREE_BYTES],
                   const uint8_t *bytes, size_t size, size_t from)
{
    uint8_t rest[BLOCK_BYTES] = {0};
    words h[8];
    size_t done = 0;

    for (size_t j = 0; j < 8; j++)
        h[j] = (words){0} + iv[j];
    h[0] ^= UINT64_C(0x01010000) ^ TREE_BYTES;
    for (; size - done > BLOCK_BYTES; done += BLOCK_BYTES)
        compress(h, bytes + done + 8 * from, (done + BLOCK_BYTES) / TREE_LEAVES,
                 0);
    if (size > 0)
        memcpy(rest, bytes + done, size - done);
    size_t rows = (size + TREE_ROW_BYTES - 1) / TREE_ROW_BYTES;
    compress(h, rest + 8 * from, 8 * rows, UINT64_MAX);
    for (size_t i = 0; i < LANES; i++)
        for (size_t j = 0; j < TREE_BYTES / 8; j++) {
            uint64_t word = h[j][i];
            memcpy(hashes + (from + i) * TREE_BYTES + 8 * j, &word, 8);
        }
}

TARGET void RUN(uint8_t hashes[TREE_LEAVES * TREE_BYTES], const uint8_t *bytes,
                size_t size)
{
    for (size_t from = 0; from < TREE_LEAVES; from += LANES)
        leaves(hashes, bytes, size, from);
}
