/* Compressors Q of decentralised learning, as what arrives: vectors, not bits.
 * Reference: ALGORITHMS.md, section 3. */

#ifndef LAB_COMPRESS_H
#define LAB_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

enum compress_kind {
    COMPRESS_IDENTITY,
    COMPRESS_TOP_K,  /* the k largest; of equals the first */
    COMPRESS_RAND_K, /* k at random, not scaled */
    COMPRESS_SIGN,   /* sign(v) |v|_1 / d */
    COMPRESS_CYCLIC, /* k coordinates in turn from (step + node) k */
    COMPRESS_GRID,   /* floor(levels v + 1/2) / levels */
    COMPRESS_QSGD    /* random levels of |v|, divided so that it contracts */
};

extern const char compress_kinds[]; /* in this order, parted by '|' */

struct compress {
    enum compress_kind kind;
    size_t k, levels;
};

/* out[d] = Q(in[d]) of `node` at `step`; not in place. draw: which one of a
 * step's messages. */
void compress_apply(double *out, const struct compress *compress,
                    const double *in, size_t d, uint64_t seed, uint64_t node,
                    uint64_t step, uint64_t draw);
double compress_bits(const struct compress *compress, size_t d);

#endif
