#include "model/pooled.h"

#include <errno.h>
#include <math.h>

#include "model/wide.h"

static const double constant_ratio = 1e-11; /* SD against |mean| */
static const double value_max = 1e15; /* so that squares about means fit */

enum { BITS_MIN = 16 };

int pooled_check(const struct task_spec *spec, struct error *error)
{
    if (spec->fraction_bits >= BITS_MIN &&
        fixed_bound(spec->members, spec->fraction_bits) >= 1 << WIDE_BITS)
        return 0;
    return error_set(error, -EINVAL,
                     "fraction_bits: found %u, which %u sites' statistics do "
                     "not fit; use 32",
                     spec->fraction_bits, spec->members);
}

static bool has_counts(const struct task_spec *spec)
{
    return spec->missing == TASK_MISSING_MEAN;
}

size_t pooled_means_length(const struct task_spec *spec, size_t width)
{
    return POOLED_COUNTS + WIDE_LIMBS * width +
           (has_counts(spec) ? width - 1 : 0);
}

size_t pooled_scales_length(size_t width)
{
    return WIDE_LIMBS * width;
}

/* Neumaier's compensated sum: the order of the rows hardly matters. */
struct total {
    double sum, rest;
};

static void add(struct total *t, double x)
{
    double sum = t->sum + x;

    t->rest +=
        fabs(t->sum) >= fabs(x) ? (t->sum - sum) + x : (x - sum) + t->sum;
    t->sum = sum;
}

/* The sum of column j over training rows, or of its centred squares. most: the
 * largest size among its values. */
static double column_sum(const struct dataset *d, size_t j, double *seen,
                         double *most, const double *mean)
{
    struct total total = {0};

    *seen = *most = 0;
    for (size_t i = 0; i < d->row_count; i++) {
        double v = j == 0 ? d->y[i] : d->x[i * d->column_count + j - 1];
        if (d->test[i] || isnan(v))
            continue;
        *seen += 1;
        *most = fmax(*most, fabs(v));
        add(&total, mean == NULL ? v : (v - *mean) * (v - *mean));
    }
    return total.sum + total.rest;
}

static int send_columns(double *x, double *counts, const struct task_spec *spec,
                        const struct dataset *data, const double *means,
                        struct error *error)
{
    for (size_t j = 0; j <= data->column_count; j++) {
        double seen, most;
        double sum =
            column_sum(data, j, &seen, &most, means ? &means[j] : NULL);
        /* Who holds such a number is to say so, before all sites' squares
         * about a mean of it are too large. */
        if (most > value_max || !wide_encode(x + j * WIDE_LIMBS, sum))
            return error_set(error, -ERANGE,
                             "%s: column '%s' holds numbers beyond 1e15 in "
                             "size; use a larger unit",
                             data->path,
                             j == 0 ? spec->target : data->names[j - 1]);
        if (j > 0 && counts != NULL)
            counts[j - 1] = seen;
    }
    return 0;
}

int pooled_send_means(double *x, const struct task_spec *spec,
                      const struct dataset *data, struct error *error)
{
    double *sums = x + POOLED_COUNTS;
    double *counts = sums + WIDE_LIMBS * (data->column_count + 1);

    x[POOLED_TRAIN] = x[POOLED_TEST] = 0;
    for (size_t i = 0; i < data->row_count; i++)
        x[data->test[i] ? POOLED_TEST : POOLED_TRAIN] += 1;
    return send_columns(sums, has_counts(spec) ? counts : NULL, spec, data,
                        NULL, error);
}

int pooled_send_scales(double *x, const struct task_spec *spec,
                       const struct dataset *data, const double *means,
                       struct error *error)
{
    return send_columns(x, NULL, spec, data, means, error);
}

size_t pooled_take_means(double *scale, const struct task_spec *spec,
                         size_t width, const double *sums)
{
    const double *columns = sums + POOLED_COUNTS;
    const double *counts = columns + WIDE_LIMBS * width;

    for (size_t j = 0; j < width; j++) {
        double seen =
            has_counts(spec) && j > 0 ? counts[j - 1] : sums[POOLED_TRAIN];
        if (seen < 1)
            return j;
        scale[j] = wide_decode(columns + j * WIDE_LIMBS) / seen;
    }
    return width;
}

double pooled_target_sum(const double *sums)
{
    return wide_decode(sums + POOLED_COUNTS);
}

size_t pooled_take_scales(double *scale, double n, size_t width,
                          const double *sums)
{
    for (size_t j = 0; j < width; j++) {
        double squares = wide_decode(sums + j * WIDE_LIMBS);
        double sd = sqrt((squares > 0 ? squares : 0) / (n - 1));
        scale[width + j] = sd;
        if (!(sd > constant_ratio * fabs(scale[j])))
            return j;
    }
    return width;
}
