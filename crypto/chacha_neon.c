#include "crypto/chacha_kernel.h"

#ifdef CHACHA_HAS_NEON

#include <arm_neon.h>

#define LANES 4
#define TARGET
#define RUN chacha_neon_add
#define ROTATE(x, n) vsriq_n_u32(vshlq_n_u32((x), (n)), (x), 32 - (n))
#define ROTATE_16(x)                                                           \
    vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(x)))
#define ROTATE_12(x) ROTATE(x, 12)
#define ROTATE_8(x) ROTATE(x, 8)
#define ROTATE_7(x) ROTATE(x, 7)
#include "crypto/chacha_lanes.h"

#endif
