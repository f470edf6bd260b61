#include "model/wide.h"

#include <math.h>

static const double radix = 16777216.0; /* 2^24 */

/* 2^96; a power of two, so that products and quotients are exact. */
static double largest(void)
{
    return radix * radix * radix * radix;
}

bool wide_encode(double limbs[WIDE_LIMBS], double value)
{
    double weight = largest();

    if (!(fabs(value) < weight * radix))
        return false;
    for (int i = 0; i < WIDE_LIMBS - 1; i++) {
        limbs[i] = trunc(value / weight);
        value -= limbs[i] * weight;
        weight /= radix;
    }
    limbs[WIDE_LIMBS - 1] = value / weight;
    return true;
}

double wide_decode(const double limbs[WIDE_LIMBS])
{
    double weight = 1 / largest(), value = 0;

    for (int i = WIDE_LIMBS - 1; i >= 0; i--) {
        value += limbs[i] * weight;
        weight *= radix;
    }
    return value;
}
