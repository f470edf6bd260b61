/* Decimal numbers in data files, whatever the locale. */

#ifndef MODEL_NUMBER_H
#define MODEL_NUMBER_H

#include <stdbool.h>

/* An optional sign, digits with an optional point, an optional exponent, and
 * nothing else; rounded to the nearest double. Short decimals take the exact
 * fast path of Clinger, "How to read floating point numbers accurately", PLDI
 * 1990: at most 15 digits and a power of ten up to 22 are both exact doubles.
 * Returns false if `text` is no such number. An overflow gives infinity. */
bool number_parse(double *value, const char *text);

/* "inf", "Infinity", "+inf" in any case. */
bool number_is_infinite(const char *text);

/* Empty, "NA", "NaN", "nan" or "?". */
bool number_is_missing(const char *text);

#endif
