/* Softmax regression and one-hidden-layer perceptrons on rows that are split
 * over nodes. f_i is the mean cross-entropy of node i's rows, or of a batch of
 * them, + lambda / 2 |x|^2.
 *
 * x is [classes, features + 1] with the bias last, or, with hidden units,
 * [hidden, features + 1] and then [classes, hidden + 1].
 */

#ifndef LAB_LEARNER_H
#define LAB_LEARNER_H

#include <stddef.h>
#include <stdint.h>

#include "model/error.h"
#include "sim/lab/chance.h"

enum learner_split {
    LEARNER_IID,       /* shuffled, equal shares */
    LEARNER_LABEL,     /* sorted by label, equal shares */
    LEARNER_DIRICHLET, /* each label's rows by a Dirichlet(alpha) draw */
    LEARNER_COLUMN     /* the column's value is the node */
};

enum { LEARNER_CLASSES_MAX = 256 };

extern const char learner_splits[]; /* in this order, parted by '|' */

struct learner_spec {
    const char *data;   /* CSV with a header */
    const char *target; /* its column; labels are whole numbers from 0 */
    enum learner_split split;
    const char *column; /* of LEARNER_COLUMN; no feature */
    double alpha;
    uint64_t seed;
    size_t hidden; /* 0: softmax */
    size_t batch;  /* rows of a gradient, with replacement; 0: all */
    double lambda;
};

struct learner {
    size_t n, features, classes, hidden, batch;
    double lambda;
    size_t *start;   /* [n + 1] rows of each node */
    size_t stride;   /* numbers from row to row, at least features + 1 */
    double *z;       /* [rows, stride] the last feature is 1; zeros behind it */
    float *packed;   /* the same instead of z, where that loses nothing */
    uint32_t *label; /* [rows] */
};

int learner_read(struct learner **learner, const struct learner_spec *spec,
                 size_t n, struct error *error);
void learner_free(struct learner *learner);

size_t learner_size(const struct learner *learner); /* numbers of x */
/* Zeros, or for hidden units uniform in +-1/sqrt(inputs). */
void learner_init(double *x, const struct learner *learner, uint64_t seed);
/* z[stride] of a row. */
void learner_row(double *z, const struct learner *learner, size_t row);
size_t learner_stride(size_t features);
/* Half the memory, if every feature is a float. */
void learner_pack(struct learner *learner);
/* Of all rows of all nodes, each node alike. */
double learner_value(const struct learner *learner, const double *x);

#endif
