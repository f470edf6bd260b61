#include "sim/lab/compress.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "sim/lab/chance.h"

const char compress_kinds[] = "identity|top-k|rand-k|sign|cyclic|grid|qsgd";

/* Marks what is taken by out[k] = in[k]; k is small against d. */
static void top_k(double *out, const double *in, size_t d, size_t k)
{
    memset(out, 0, d * sizeof *out);
    for (size_t round = 0; round < k && round < d; round++) {
        size_t best = d;
        for (size_t i = 0; i < d; i++)
            if (fpclassify(out[i]) == FP_ZERO && fpclassify(in[i]) != FP_ZERO &&
                (best == d || fabs(in[i]) > fabs(in[best])))
                best = i;
        if (best == d)
            return;
        out[best] = in[best];
    }
}

static void rand_k(double *out, const double *in, size_t d, size_t k,
                   struct chance *chance)
{
    size_t wanted = k < d ? k : d;

    for (size_t i = 0; i < d; i++) { /* Knuth's selection sampling */
        size_t left = d - i;
        if (chance_below(chance, left) < wanted) {
            out[i] = in[i];
            wanted--;
        } else {
            out[i] = 0;
        }
    }
}

static void scaled_sign(double *out, const double *in, size_t d)
{
    double sum = 0;

    for (size_t k = 0; k < d; k++)
        sum += fabs(in[k]);
    for (size_t k = 0; k < d; k++)
        out[k] = (double)((in[k] > 0) - (in[k] < 0)) * (sum / (double)d);
}

static void cyclic(double *out, const double *in, size_t d, size_t k,
                   uint64_t turn)
{
    memset(out, 0, d * sizeof *out);
    for (size_t i = 0; i < k && i < d; i++) {
        size_t at = (size_t)((turn * k + i) % d);
        out[at] = in[at];
    }
}

static void qsgd(double *out, const double *in, size_t d, double levels,
                 struct chance *chance)
{
    const double n = (double)d, least = n / (levels * levels);
    const double scale = 1 + fmin(least, sqrt(n) / levels);
    double norm = 0;

    for (size_t k = 0; k < d; k++)
        norm += in[k] * in[k];
    norm = sqrt(norm);
    for (size_t k = 0; k < d; k++) {
        double part = norm > 0 ? fabs(in[k]) / norm * levels : 0;
        double level = floor(part + chance_real(chance));
        out[k] = copysign(norm * level / levels / scale, in[k]);
    }
}

void compress_apply(double *out, const struct compress *c, const double *in,
                    size_t d, uint64_t seed, uint64_t node, uint64_t step,
                    uint64_t draw)
{
    struct chance chance =
        chance_of(seed, CHANCE_COMPRESS, node, step * 8 + draw);
    const double levels = (double)c->levels;

    switch (c->kind) {
    case COMPRESS_IDENTITY:
        memcpy(out, in, d * sizeof *out);
        return;
    case COMPRESS_TOP_K:
        top_k(out, in, d, c->k);
        return;
    case COMPRESS_RAND_K:
        rand_k(out, in, d, c->k, &chance);
        return;
    case COMPRESS_SIGN:
        scaled_sign(out, in, d);
        return;
    case COMPRESS_CYCLIC:
        cyclic(out, in, d, c->k, step + node);
        return;
    case COMPRESS_GRID:
        for (size_t k = 0; k < d; k++)
            out[k] = floor(levels * in[k] + 0.5) / levels;
        return;
    case COMPRESS_QSGD:
        qsgd(out, in, d, levels, &chance);
        return;
    }
    assert(0);
}

double compress_bits(const struct compress *c, size_t d)
{
    const double n = (double)d, k = (double)(c->k < d ? c->k : d);

    switch (c->kind) {
    case COMPRESS_TOP_K:
        return k * (32 + ceil(log2(n)));
    case COMPRESS_RAND_K:
    case COMPRESS_CYCLIC:
        return 32 * k;
    case COMPRESS_SIGN:
        return n + 32;
    case COMPRESS_QSGD:
        return n * (1 + ceil(log2((double)c->levels + 1))) + 32;
    default:
        return 64 * n;
    }
}
