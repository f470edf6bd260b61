#include "crypto/fixed.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

enum { MEMBERS_MAX = 64, FRACTION_BITS_MAX = 52 };

static const double two_to_63 = 9223372036854775808.0;

static double scale(uint8_t fraction_bits)
{
    return (double)(UINT64_C(1) << fraction_bits);
}

/* To nearest, ties to even, whatever the rounding mode: truncation and the
 * subtraction are exact, as |x| >= 2^53 has no fraction. No branch on x, which
 * may be secret. */
static int64_t round_even(double x)
{
    int64_t whole = (int64_t)x;
    double rest = x - (double)whole;
    int odd = (int)(whole & 1);
    int up = (rest > 0.5) | ((rest == 0.5) & odd);
    int down = (rest < -0.5) | ((rest == -0.5) & odd);

    return whole + up - down;
}

static uint64_t offset(const struct fixed_shape *shape)
{
    return (uint64_t)round_even(shape->bound * scale(shape->fraction_bits));
}

double fixed_bound(uint32_t members, uint8_t fraction_bits)
{
    assert(1 <= members && members <= MEMBERS_MAX);
    assert(fraction_bits <= FRACTION_BITS_MAX);

    uint64_t largest = UINT64_C(1) << 62;
    while (largest > UINT64_MAX / 2 / members)
        largest /= 2;
    return (double)largest / scale(fraction_bits);
}

bool fixed_fits(const struct fixed_shape *shape, uint32_t members)
{
    if (members < 1 || members > MEMBERS_MAX ||
        shape->fraction_bits > FRACTION_BITS_MAX ||
        shape->length > SIZE_MAX / sizeof(uint64_t))
        return false;
    if (!(shape->bound > 0) ||
        !(shape->bound < two_to_63 / scale(shape->fraction_bits)))
        return false;
    return offset(shape) <= UINT64_MAX / 2 / members;
}

/* The bits of |x|: as whole numbers they are in the order of the values, and
 * every NaN is above infinity. */
static uint64_t magnitude(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits & UINT64_MAX >> 1;
}

/* x, or 0 where `beyond` is 1: what is out of bounds has no integer. */
static double within(double x, uint64_t beyond)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    bits &= beyond - 1;
    memcpy(&x, &bits, sizeof bits);
    return x;
}

/* One pass without a branch on a value, from the end, so that the first fault
 * is the one that stays. */
int fixed_encode(uint64_t *lanes, const double *values,
                 const struct fixed_shape *shape, size_t *at)
{
    assert(fixed_fits(shape, 1));

    const double factor = scale(shape->fraction_bits);
    const uint64_t zero = offset(shape), limit = magnitude(shape->bound);
    const uint64_t infinite = magnitude(INFINITY);
    uint64_t fault = 0, where = shape->length - 1;

    for (size_t i = shape->length; i-- > 0;) {
        uint64_t size = magnitude(values[i]);
        uint64_t beyond = size > limit, wild = size >= infinite;
        uint64_t code = beyond * ERANGE + wild * (uint64_t)(EDOM - ERANGE);
        lanes[i] =
            zero + (uint64_t)round_even(within(values[i], beyond) * factor);
        fault = (fault & (beyond - 1)) | code;
        where = (where & (beyond - 1)) | (i & -beyond);
    }
    *at = (size_t)where;
    return -(int)fault;
}

/* The signed total, as count * 2 * offset < 2^64. */
static int64_t centred(uint64_t lane, uint64_t zero)
{
    return lane >= zero ? (int64_t)(lane - zero) : -(int64_t)(zero - lane);
}

int fixed_check(const uint64_t *lanes, uint32_t count,
                const struct fixed_shape *shape, size_t *at)
{
    assert(fixed_fits(shape, count));

    const uint64_t top = offset(shape) * 2 * count;

    for (*at = 0; *at < shape->length; ++*at)
        if (lanes[*at] > top)
            return -ERANGE;
    return 0;
}

int fixed_decode(double *values, const uint64_t *lanes, uint32_t count,
                 const struct fixed_shape *shape, size_t *at)
{
    assert(fixed_fits(shape, count));

    const double factor = scale(shape->fraction_bits);
    const uint64_t zero = count * offset(shape);

    for (size_t i = 0; i < shape->length; i++) {
        *at = i;
        if (lanes[i] > 2 * zero)
            return -ERANGE;
        values[i] = (double)centred(lanes[i], zero) / factor;
    }
    return 0;
}
