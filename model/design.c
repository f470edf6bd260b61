#include "model/design.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fill(struct design *d, const struct dataset *data)
{
    const size_t width = d->width;
    const double *mean = d->scale, *sd = d->scale + width;
    size_t next[2] = {0, d->train};

    for (size_t i = 0; i < data->row_count; i++) {
        size_t row = next[data->test[i]]++;
        const double *from = data->x + i * (width - 1);
        double *to = d->x + row * width;
        to[0] = 1;
        for (size_t j = 1; j < width; j++)
            to[j] = isnan(from[j - 1]) ? 0 : (from[j - 1] - mean[j]) / sd[j];
        d->y[row] = (data->y[i] - mean[0]) / sd[0];
    }
}

struct design *design_new(const struct dataset *data, const double *scale)
{
    struct design *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->width = data->column_count + 1;
    for (size_t i = 0; i < data->row_count; i++)
        d->test += data->test[i];
    d->train = data->row_count - d->test;
    d->x = malloc((data->row_count + 1) * d->width * sizeof *d->x);
    d->y = malloc((data->row_count + 1) * sizeof *d->y);
    d->scale = malloc(2 * d->width * sizeof *d->scale);
    if (d->x == NULL || d->y == NULL || d->scale == NULL) {
        design_free(d);
        return NULL;
    }
    memcpy(d->scale, scale, 2 * d->width * sizeof *scale);
    fill(d, data);
    return d;
}

void design_free(struct design *design)
{
    if (design == NULL)
        return;
    free(design->x);
    free(design->y);
    free(design->scale);
    free(design);
}
