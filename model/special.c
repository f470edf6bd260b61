#include "model/special.h"

#include <math.h>

enum { TERMS_MAX = 100000 };

double special_normal_p(double z)
{
    return erfc(fabs(z) / sqrt(2));
}

/* d_i of DLMF 8.17.23. */
static double coefficient(int i, double a, double b, double x)
{
    const int half = i / 2;
    const double m = half;

    if (i % 2 == 0)
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
}

static double away_from_zero(double x)
{
    return fabs(x) < 1e-300 ? 1e-300 : x;
}

/* 1 / (1 + d_1/(1 + d_2/(1 + ...))), fast where x < (a + 1)/(a + b + 2). */
static double fraction(double a, double b, double x)
{
    double f = 1, c = 1, d = 0;

    for (int i = 1; i < TERMS_MAX; i++) {
        double term = coefficient(i, a, b, x);
        d = 1 / away_from_zero(1 + term * d);
        c = away_from_zero(1 + term / c);
        f *= c * d;
        if (fabs(c * d - 1) < 1e-16)
            break;
    }
    return 1 / f;
}

/* I_x(a, b), with y = 1 - x given so that nothing cancels. */
static double incomplete_beta(double a, double b, double x, double y)
{
    if (x <= 0)
        return 0;
    if (y <= 0)
        return 1;
    double front =
        exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));
    if (x < (a + 1) / (a + b + 2))
        return front / a * fraction(a, b, x);
    return 1 - front / b * fraction(b, a, y);
}

double special_student_p(double t, double df)
{
    double square = t * t;

    return incomplete_beta(df / 2, 0.5, df / (df + square),
                           square / (df + square));
}

double special_student_quantile(double p, double df)
{
    double low = 0, high = 1;

    while (special_student_p(high, df) > p && high < 1e300)
        high *= 2;
    for (int i = 0; i < 200 && low < high; i++) {
        double middle = low + (high - low) / 2;
        if (middle == low || middle == high)
            break;
        if (special_student_p(middle, df) > p)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}
