#include "crypto/lanes.h"

#include <errno.h>
#include <math.h>

#include "crypto/grid.h"

static bool is_grid(const struct fixed_shape *shape)
{
    return shape->lane_bits != 0 && shape->lane_bits != 64;
}

static struct grid grid_of(const struct fixed_shape *shape)
{
    return (struct grid){.bound = shape->bound,
                         .value_bits = shape->value_bits,
                         .lane_bits = shape->lane_bits};
}

size_t lanes_bytes(const struct fixed_shape *shape)
{
    return is_grid(shape) ? shape->lane_bits / 8u : sizeof(uint64_t);
}

bool lanes_fit(const struct fixed_shape *shape, uint32_t members)
{
    if (!is_grid(shape))
        return fixed_fits(shape, members);
    struct grid grid = grid_of(shape);
    return !shape->exact && grid_fits(&grid, members);
}

int lanes_check(const double *values, const struct fixed_shape *shape,
                size_t *at)
{
    for (size_t i = 0; i < shape->length; i++) {
        *at = i;
        if (!isfinite(values[i]))
            return -EDOM;
        if (!is_grid(shape) && !(fabs(values[i]) <= shape->bound))
            return -ERANGE;
    }
    return 0;
}

int lanes_encode_part(void *lanes, double *carry, const double *values,
                      size_t first, size_t count,
                      const struct fixed_shape *shape,
                      const uint8_t seed[PRG_SEED_BYTES], size_t *at)
{
    struct fixed_shape part = *shape;

    part.length = count;
    *at = 0;
    if (!is_grid(shape))
        return fixed_encode(lanes, values, &part, at);
    const struct grid grid = grid_of(shape);
    return grid_encode(lanes, carry, values, first, count, &grid, seed);
}

int lanes_decode(double *values, const void *lanes, uint32_t members,
                 const struct fixed_shape *shape, size_t *at)
{
    if (!is_grid(shape))
        return fixed_decode(values, lanes, members, shape, at);
    const struct grid grid = grid_of(shape);
    return grid_decode(values, lanes, shape->length, members, &grid, at);
}

int lanes_check_sum(const void *lanes, uint32_t members,
                    const struct fixed_shape *shape, size_t *at)
{
    if (!is_grid(shape))
        return fixed_check(lanes, members, shape, at);
    const struct grid grid = grid_of(shape);
    return grid_check(lanes, shape->length, members, &grid, at);
}

void lanes_add(void *to, const void *from, size_t count,
               const struct fixed_shape *shape)
{
    switch (lanes_bytes(shape)) {
    case 2: {
        uint16_t *sum = to;
        const uint16_t *part = from;
        for (size_t i = 0; i < count; i++)
            sum[i] = (uint16_t)(sum[i] + part[i]);
        break;
    }
    case 4: {
        uint32_t *sum = to;
        const uint32_t *part = from;
        for (size_t i = 0; i < count; i++)
            sum[i] += part[i];
        break;
    }
    default: {
        uint64_t *sum = to;
        const uint64_t *part = from;
        for (size_t i = 0; i < count; i++)
            sum[i] += part[i];
        break;
    }
    }
}
