/* The loops of grid_encode and grid_decode, in the widest registers that this
 * machine has. Each rounds after every operation: the width changes no bit. */

#ifndef CRYPTO_GRID_LOOPS_H
#define CRYPTO_GRID_LOOPS_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/prg.h"

enum {
    GRID_LOOPS_BYTES = 2 * PRG_GROUP_BYTES, /* of keystream in a tile */
    GRID_LOOPS_COUNT = GRID_LOOPS_BYTES / 2,
    GRID_LOOPS_KINDS = 3
};

/* A part of a vector between the passes over it: each alone is what compilers
 * turn into vectors. All secret. */
struct grid_loops_tile {
    double sums[GRID_LOOPS_COUNT]; /* values + carry */
    double points[GRID_LOOPS_COUNT];
    uint8_t words[GRID_LOOPS_BYTES];
};

/* bound, the values' steps in 1, the offset and the largest point. */
struct grid_loops_scale {
    double bound, steps, zero, top;
};

struct grid_loops {
    /* lanes[count] of values[count] + carry[count], which becomes what was cut
     * off; uniform words are t->words from word `skip` on. Returns 1 if a carry
     * is then not finite, else 0. */
    uint64_t (*encode)(uint8_t *lanes, double *carry, const double *values,
                       size_t count, struct grid_loops_tile *t, size_t skip,
                       const struct grid_loops_scale *scale,
                       uint32_t lane_bits);
    /* values[count] = (lanes[count] - zero) * step */
    void (*decode)(double *values, const uint8_t *lanes, size_t count,
                   uint64_t zero, double step, uint32_t lane_bits);
    /* 1 if a lane is more than `top`, which fits into one; else 0. */
    uint64_t (*beyond)(const uint8_t *lanes, size_t count, uint64_t top,
                       uint32_t lane_bits);
};

/* Those that this machine can run, the widest first. Returns how many. */
size_t grid_loops_all(const struct grid_loops *all[GRID_LOOPS_KINDS]);
const struct grid_loops *grid_loops_best(void);

#endif
