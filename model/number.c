#include "model/number.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DIGITS_EXACT = 15, POWER_EXACT = 22, EXPONENT_MAX = 9999 };

static const double powers[POWER_EXACT + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

struct decimal {
    uint64_t digits; /* the first 18 significant ones */
    int count;       /* significant digits */
    int exponent;
    bool any;
    bool huge; /* the exponent was cut: many digits may make up for it */
};

static bool is_digit(char c)
{
    return '0' <= c && c <= '9';
}

static const char *digits(struct decimal *d, const char *c, int step)
{
    for (; is_digit(*c); c++) {
        d->any = true;
        if (d->count > 0 || *c != '0')
            d->count++;
        if (d->count <= 18)
            d->digits = d->digits * 10 + (uint64_t)(*c - '0');
        d->exponent -= step;
    }
    return c;
}

static const char *exponent(struct decimal *d, const char *c)
{
    bool minus = *c == '-';
    int value = 0;

    if (*c == '-' || *c == '+')
        c++;
    if (!is_digit(*c))
        return NULL;
    for (; is_digit(*c); c++)
        if (value < EXPONENT_MAX)
            value = value * 10 + (*c - '0');
    d->huge = value >= EXPONENT_MAX;
    d->exponent += minus ? -value : value;
    return c;
}

bool number_parse(double *value, const char *text)
{
    struct decimal d = {0};
    const char *c = text;
    bool minus = *c == '-';

    if (*c == '-' || *c == '+')
        c++;
    c = digits(&d, c, 0);
    if (*c == '.')
        c = digits(&d, c + 1, 1);
    if (!d.any)
        return false;
    if (*c == 'e' || *c == 'E')
        c = exponent(&d, c + 1);
    if (c == NULL || *c != '\0')
        return false;
    if (!d.huge && d.count <= DIGITS_EXACT && -POWER_EXACT <= d.exponent &&
        d.exponent <= POWER_EXACT) {
        double x = (double)d.digits;
        x = d.exponent < 0 ? x / powers[-d.exponent] : x * powers[d.exponent];
        *value = minus ? -x : x;
        return true;
    }
    char *end;
    *value = strtod(text, &end);
    return *end == '\0';
}

bool number_is_infinite(const char *text)
{
    if (*text == '-' || *text == '+')
        text++;
    return strcasecmp(text, "inf") == 0 || strcasecmp(text, "infinity") == 0;
}

bool number_is_missing(const char *text)
{
    switch (text[0]) {
    case '\0':
        return true;
    case '?':
        return text[1] == '\0';
    case 'N':
        return strcmp(text, "NA") == 0 || strcmp(text, "NaN") == 0;
    case 'n':
        return strcmp(text, "nan") == 0;
    default:
        return false;
    }
}
