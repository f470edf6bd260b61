#include "model/logistic.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "model/absorb.h"
#include "model/metric.h"
#include "model/newton.h"
#include "model/report.h"

_Static_assert((int)LOGISTIC_BLOCK == (int)NEWTON_BLOCK, "block() is for both");

/* Lanes of one split. */
enum { ROWS, LOSS, CORRECT, BRIER, POSITIVES };
enum { NEGATIVES = POSITIVES + METRIC_BINS, LANES = NEGATIVES + METRIC_BINS };

/* e = exp(-|eta|), so that nothing overflows. */
static double probability_of(double eta, double e)
{
    return eta >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static double loss_of(double eta, double e, double y)
{
    return log1p(e) + (eta > 0 ? (1 - y) * eta : -y * eta);
}

static void predictor(double *eta, const struct design *rows, size_t first,
                      size_t count, const double *beta)
{
    const int width = (int)rows->width;

    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)count, width, 1,
                rows->x + first * rows->width, width, beta, 1, 0, eta, 1);
}

static size_t block(size_t at, size_t end)
{
    return end - at < NEWTON_BLOCK ? end - at : NEWTON_BLOCK;
}

void logistic_evaluate(double *objective, double *gradient, double *hessian,
                       const struct design *rows, const double *beta,
                       double *scratch)
{
    const size_t width = rows->width;
    const int w = (int)width;
    double *eta = scratch, *residual = eta + NEWTON_BLOCK;
    double *weighted = residual + NEWTON_BLOCK;

    *objective = 0;
    memset(gradient, 0, width * sizeof *gradient);
    memset(hessian, 0, width * width * sizeof *hessian);
    for (size_t at = 0, count; at < rows->train; at += count) {
        const double *x = rows->x + at * width;
        double loss = 0;
        count = block(at, rows->train);
        predictor(eta, rows, at, count, beta);
        for (size_t i = 0; i < count; i++) {
            const double e = exp(-fabs(eta[i])), y = rows->y[at + i];
            const double root = sqrt(e) / (1 + e);
            loss += loss_of(eta[i], e, y);
            residual[i] = probability_of(eta[i], e) - y;
            for (size_t j = 0; j < width; j++)
                weighted[i * width + j] = root * x[i * width + j];
        }
        *objective += loss;
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)count, w, 1, x, w, residual,
                    1, 1, gradient, 1);
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, w, (int)count, 1,
                    weighted, w, 1, hessian, w);
    }
}

void logistic_gradient(double *objective, double *gradient,
                       const struct design *rows, const double *beta,
                       double *scratch)
{
    const int w = (int)rows->width;
    double *eta = scratch, *residual = eta + LOGISTIC_BLOCK;

    *objective = 0;
    memset(gradient, 0, rows->width * sizeof *gradient);
    for (size_t at = 0, count; at < rows->train; at += count) {
        count = block(at, rows->train);
        predictor(eta, rows, at, count, beta);
        for (size_t i = 0; i < count; i++) {
            const double e = exp(-fabs(eta[i])), y = rows->y[at + i];
            *objective += loss_of(eta[i], e, y);
            residual[i] = probability_of(eta[i], e) - y;
        }
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)count, w, 1,
                    rows->x + at * rows->width, w, residual, 1, 1, gradient, 1);
    }
}

void logistic_predict(double *probability, const struct design *rows,
                      size_t first, size_t count, const double *beta)
{
    if (count == 0)
        return;
    predictor(probability, rows, first, count, beta);
    for (size_t i = 0; i < count; i++)
        probability[i] =
            probability_of(probability[i], exp(-fabs(probability[i])));
}

static void measure(double *sums, const struct design *rows, size_t first,
                    size_t count, const double *beta, double *scratch)
{
    const size_t end = first + count;
    double *eta = scratch;

    memset(sums, 0, LANES * sizeof *sums);
    sums[ROWS] = (double)count;
    for (size_t at = first, here; at < end; at += here) {
        here = block(at, end);
        predictor(eta, rows, at, here, beta);
        for (size_t i = 0; i < here; i++) {
            const double e = exp(-fabs(eta[i])), y = rows->y[at + i];
            const double p = probability_of(eta[i], e);
            sums[LOSS] += loss_of(eta[i], e, y);
            sums[CORRECT] += (p >= 0.5) == (y == 1);
            sums[BRIER] += (p - y) * (p - y);
            sums[(y == 1 ? POSITIVES : NEGATIVES) + metric_bin(p)] += 1;
        }
    }
}

static void collect(double *metrics, const double *sums)
{
    metrics[NEWTON_ROWS] = sums[ROWS];
    metrics[NEWTON_SUM] = sums[LOSS];
    metrics[NEWTON_CORRECT] = sums[CORRECT];
    metrics[NEWTON_BRIER] = sums[BRIER];
    metrics[NEWTON_AUC] = metric_auc_binned(sums + POSITIVES, sums + NEGATIVES);
}

static const struct newton_kind kind = {.classes = true,
                                        .metric_count = LANES,
                                        .evaluate = logistic_evaluate,
                                        .measure = measure,
                                        .collect = collect};

static int open_task(struct task **task, const struct task_spec *spec,
                     const struct dataset *data, struct error *error)
{
    return newton_open(task, &logistic_ops, &kind, spec, data, error);
}

const struct task_ops logistic_ops = {.kind = "logistic",
                                      .method = "newton",
                                      .open = open_task,
                                      .close = newton_close,
                                      .state_size = newton_state_size,
                                      .memory_size = newton_memory_size,
                                      .length_max = newton_length_max,
                                      .start = newton_start,
                                      .shape = newton_shape,
                                      .contribute = newton_contribute,
                                      .absorb = absorb_sum,
                                      .mixed = newton_mixed,
                                      .phase = newton_phase,
                                      .loss = newton_loss,
                                      .report = report_fill};
