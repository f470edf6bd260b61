#include "crypto/tree_kernel.h"

#ifdef __x86_64__

#define LANES 8
#define TARGET __attribute__((target("avx512f")))
#define RUN tree_avx512_leaves
#define ROTATE(x, n) ((x) >> (n) | (x) << (64 - (n)))
#define ROTATE_32(x) ROTATE(x, 32)
#define ROTATE_24(x) ROTATE(x, 24)
#define ROTATE_16(x) ROTATE(x, 16)
#define ROTATE_63(x) ROTATE(x, 63)
#include "crypto/tree_lanes.h"

#endif
