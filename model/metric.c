#include "model/metric.h"

#include <math.h>
#include <stdlib.h>

struct scored {
    double score, y;
};

size_t metric_bin(double probability)
{
    double bin = floor(probability * METRIC_BINS);

    if (!(bin > 0))
        return 0;
    return bin < METRIC_BINS ? (size_t)bin : METRIC_BINS - 1;
}

double metric_auc_binned(const double *positives, const double *negatives)
{
    double won = 0, below = 0, all = 0;

    for (size_t i = 0; i < METRIC_BINS; i++) {
        won += positives[i] * (below + negatives[i] / 2);
        below += negatives[i];
        all += positives[i];
    }
    return all > 0 && below > 0 ? won / (all * below) : METRIC_NONE;
}

static int compare(const void *a, const void *b)
{
    const struct scored *left = a, *right = b;

    return (left->score > right->score) - (left->score < right->score);
}

double metric_auc(const double *scores, const double *y, size_t count)
{
    double won = 0, below = 0, all = 0;

    for (size_t i = 0; i < count; i++)
        if (isnan(scores[i]))
            return NAN; /* it equals nothing, itself included */
    struct scored *sorted = malloc((count + 1) * sizeof *sorted);
    if (sorted == NULL)
        return NAN;
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct scored){scores[i], y[i]};
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 0; i < count;) {
        double positives = 0, negatives = 0, score = sorted[i].score;
        for (; i < count && sorted[i].score == score; i++) {
            positives += sorted[i].y == 1;
            negatives += sorted[i].y != 1;
        }
        won += positives * (below + negatives / 2);
        below += negatives;
        all += positives;
    }
    free(sorted);
    return all > 0 && below > 0 ? won / (all * below) : NAN;
}
