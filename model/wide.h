/* Reals of any size as a few small numbers that a fixed-point sum carries.
 *
 * v = sum of limbs[i] 2^(24 (4 - i)), every limb but the last an integer, all
 * at most 2^24 in size: the sum of raw values near 1e15 and that of squares
 * near 1e-24 keep all the digits of a double in lanes with 32 fraction bits.
 */

#ifndef MODEL_WIDE_H
#define MODEL_WIDE_H

#include <stdbool.h>

enum { WIDE_LIMBS = 9, WIDE_BITS = 24 };

/* Writes limbs[WIDE_LIMBS]. Returns false if |value| >= 2^120 or is NAN. */
bool wide_encode(double limbs[WIDE_LIMBS], double value);

/* The number that limbs[WIDE_LIMBS], or sums of such limbs, stand for. Equal
 * bits on every machine. */
double wide_decode(const double limbs[WIDE_LIMBS]);

#endif
