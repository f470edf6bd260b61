/* How well predicted probabilities separate two classes. */

#ifndef MODEL_METRIC_H
#define MODEL_METRIC_H

#include <stddef.h>

enum { METRIC_BINS = 1000, METRIC_NONE = -1 };

/* The bin of a probability 0..1: floor(1000 p), at most 999. */
size_t metric_bin(double probability);

/* Area under the ROC curve from the counts of both classes' scores in equal
 * bins, ties by half (Hanley and McNeil, Radiology 143(1), 1982):
 * positives[METRIC_BINS], negatives[METRIC_BINS]. METRIC_NONE if a class is
 * empty. Equal bits on every machine. */
double metric_auc_binned(const double *positives, const double *negatives);

/* The same area by ranks: scores[count], y[count] of 0 and 1. NAN if a class
 * is empty, a score is NAN or memory is short. */
double metric_auc(const double *scores, const double *y, size_t count);

#endif
