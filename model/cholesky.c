#include "model/cholesky.h"

#include <math.h>

size_t cholesky_factor(double *a, size_t n, double relative, double absolute)
{
    for (size_t j = 0; j < n; j++) {
        double *row = a + j * n;
        double pivot = row[j];
        for (size_t k = 0; k < j; k++)
            pivot -= row[k] * row[k];
        if (!(pivot > relative * row[j] + absolute))
            return j;
        row[j] = sqrt(pivot);
        for (size_t i = j + 1; i < n; i++) {
            double sum = a[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * n + k] * row[k];
            a[i * n + j] = sum / row[j];
        }
    }
    return n;
}

void cholesky_solve(double *x, const double *l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            x[i] -= l[i * n + k] * x[k];
        x[i] /= l[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            x[i] -= l[k * n + i] * x[k];
        x[i] /= l[i * n + i];
    }
}

void cholesky_invert(double *inverse, const double *l, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *row = inverse + i * n; /* symmetric: a row is a column */
        for (size_t j = 0; j < n; j++)
            row[j] = i == j ? 1 : 0;
        cholesky_solve(row, l, n);
    }
}
