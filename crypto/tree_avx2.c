#include "crypto/tree_kernel.h"

#ifdef __x86_64__

#include <immintrin.h>

#define LANES 4
#define TARGET __attribute__((target("avx2")))
#define RUN tree_avx2_leaves
/* Whole bytes move by one shuffle: gcc does not see it. */
#define SHUFFLE(x, ...)                                                        \
    ((words)_mm256_shuffle_epi8((__m256i)(x),                                  \
                                _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)))
#define ROTATE_32(x)                                                           \
    SHUFFLE(x, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
#define ROTATE_24(x)                                                           \
    SHUFFLE(x, 3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10)
#define ROTATE_16(x)                                                           \
    SHUFFLE(x, 2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9)
#define ROTATE_63(x) (((x) + (x)) | (x) >> 63)
#include "crypto/tree_lanes.h"

#endif
