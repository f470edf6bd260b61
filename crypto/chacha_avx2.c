#include "crypto/chacha_kernel.h"

#ifdef __x86_64__

#include <immintrin.h>

#define LANES 8
#define TARGET __attribute__((target("avx2")))
#define RUN chacha_avx2_add
#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))
/* Whole bytes move by one shuffle: gcc does not see it. */
#define SHUFFLE(x, ...)                                                        \
    ((words)_mm256_shuffle_epi8((__m256i)(x),                                  \
                                _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)))
#define ROTATE_16(x)                                                           \
    SHUFFLE(x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define ROTATE_12(x) ROTATE(x, 12)
#define ROTATE_8(x)                                                            \
    SHUFFLE(x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14)
#define ROTATE_7(x) ROTATE(x, 7)
#include "crypto/chacha_lanes.h"

#endif
