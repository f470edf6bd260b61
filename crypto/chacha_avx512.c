#include "crypto/chacha_kernel.h"

#ifdef __x86_64__

#define LANES 16
#define TARGET __attribute__((target("avx512f,avx512bw")))
#define RUN chacha_avx512_add
#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define ROTATE_16(x) ROTATE(x, 16)
#define ROTATE_12(x) ROTATE(x, 12)
#define ROTATE_8(x) ROTATE(x, 8)
#define ROTATE_7(x) ROTATE(x, 7)
#include "crypto/chacha_lanes.h"

#endif
