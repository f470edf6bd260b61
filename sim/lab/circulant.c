#include "sim/lab/circulant.h"

#include <math.h>

/* The first row: offsets and weights. False if it is too long. */
static bool first_row(size_t *offset, double *weight, size_t *count,
                      const struct mixing *m)
{
    const bool stored = m->kind == MIXING_CIRCULANT;

    *count = stored ? m->offset_count : m->start[1];
    if (*count > MIXING_OFFSETS_MAX)
        return false;
    for (size_t e = 0; e < *count; e++) {
        offset[e] = stored ? m->offset[e] : m->column[e];
        weight[e] = stored ? m->share[e] : m->weight[e];
    }
    return true;
}

static bool has(const size_t *offset, const double *weight, size_t count,
                size_t wanted, double value)
{
    for (size_t e = 0; e < count; e++)
        if (offset[e] == wanted)
            return fabs(weight[e] - value) < 1e-15;
    return false;
}

bool circulant_is(const struct mixing *m)
{
    size_t offset[MIXING_OFFSETS_MAX], count;
    double weight[MIXING_OFFSETS_MAX];

    if (m->kind == MIXING_CIRCULANT)
        return true;
    if (m->kind != MIXING_SPARSE || !first_row(offset, weight, &count, m))
        return false;
    for (size_t i = 0; i < m->n; i++) {
        if (m->start[i + 1] - m->start[i] != count)
            return false;
        for (size_t e = m->start[i]; e < m->start[i + 1]; e++)
            if (!has(offset, weight, count, (m->column[e] + m->n - i) % m->n,
                     m->weight[e]))
                return false;
    }
    return true;
}

void circulant_spectrum(struct spectrum *s, const struct mixing *m)
{
    const double turn = 2 * acos(-1.0) / (double)m->n;
    size_t offset[MIXING_OFFSETS_MAX] = {0}, count = 0;
    double weight[MIXING_OFFSETS_MAX] = {0}, most = -INFINITY, least = INFINITY;
    double size = 0, worst = 0;

    first_row(offset, weight, &count, m);
    for (size_t k = 1; k < m->n; k++) {
        double re = 0, im = 0;
        for (size_t e = 0; e < count; e++) {
            double angle = turn * (double)(k * offset[e] % m->n);
            re += weight[e] * cos(angle);
            im += weight[e] * sin(angle);
        }
        most = fmax(most, re);
        least = fmin(least, re);
        size = fmax(size, hypot(re, im));
        worst = fmax(worst, fabs(im));
    }
    /* Normal, so that the norm is the largest modulus. */
    *s = (struct spectrum){.symmetric = worst < 1e-9,
                           .lambda2 = worst < 1e-9 ? most : size,
                           .lambda_n = worst < 1e-9 ? least : (double)NAN,
                           .slem = size,
                           .gap = 1 - size,
                           .norm = size};
}
