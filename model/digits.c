#include "model/digits.h"

#include <math.h>
#include <stdint.h>

enum { FRACTION_BITS = 32, WHOLE_BITS = 30, FINE_BITS = 20, GUARD_BITS = 2 };

static bool is_grid(const struct fixed_shape *shape)
{
    return shape->lane_bits == 16 || shape->lane_bits == 32;
}

/* A digit's, at least 1. */
static unsigned bits_of(const struct fixed_shape *shape)
{
    return shape->value_bits >= FINE_BITS ? 16 : shape->value_bits - 1u;
}

/* What one stands for as an element. */
static double unit_of(const struct fixed_shape *shape)
{
    const uint64_t offset = (UINT64_C(1) << (shape->value_bits - 1)) - 1;
    const double step = shape->bound / (double)offset;

    return shape->value_bits >= FINE_BITS ? step * (1 << GUARD_BITS) : step;
}

size_t digits_count(const struct fixed_shape *shape)
{
    const unsigned all = FRACTION_BITS + WHOLE_BITS;

    return is_grid(shape) ? (all + bits_of(shape) - 1) / bits_of(shape) : 1;
}

bool digits_write(double *x, double value, const struct fixed_shape *shape)
{
    if (!(value >= 0 && value < (double)(1 << WHOLE_BITS)))
        return false;
    x[0] = value;
    if (!is_grid(shape))
        return true;
    const unsigned bits = bits_of(shape);
    const double unit = unit_of(shape);
    uint64_t rest = (uint64_t)(value * 0x1p32 + 0.5);
    for (size_t i = 0; i < digits_count(shape); i++, rest >>= bits)
        x[i] = (double)(rest & ((UINT64_C(1) << bits) - 1)) * unit;
    return true;
}

double digits_read(const double *x, const struct fixed_shape *shape)
{
    double sum = 0;

    if (!is_grid(shape))
        return x[0];
    const double radix = (double)(UINT64_C(1) << bits_of(shape));
    for (size_t i = digits_count(shape); i-- > 0;)
        sum = sum * radix + floor(x[i] / unit_of(shape) + 0.5);
    return sum * 0x1p-32;
}
