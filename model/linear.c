#include "model/linear.h"

#include <cblas.h>
#include <string.h>

#include "model/absorb.h"
#include "model/metric.h"
#include "model/newton.h"
#include "model/report.h"

/* Lanes of one split, y in units of its SD, about its training mean. */
enum { ROWS, RESIDUALS, SQUARES, LANES };

static void residuals(double *r, const struct design *rows, size_t first,
                      size_t count, const double *beta)
{
    const int width = (int)rows->width;

    memcpy(r, rows->y + first, count * sizeof *r);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (int)count, width, 1,
                rows->x + first * rows->width, width, beta, 1, -1, r, 1);
}

static size_t block(size_t at, size_t end)
{
    return end - at < NEWTON_BLOCK ? end - at : NEWTON_BLOCK;
}

static void evaluate(double *objective, double *gradient, double *hessian,
                     const struct design *rows, const double *beta,
                     double *scratch)
{
    const size_t width = rows->width;
    const int w = (int)width;

    *objective = 0;
    memset(gradient, 0, width * sizeof *gradient);
    memset(hessian, 0, width * width * sizeof *hessian);
    for (size_t at = 0, count; at < rows->train; at += count) {
        const double *x = rows->x + at * width;
        count = block(at, rows->train);
        residuals(scratch, rows, at, count, beta);
        *objective += cblas_ddot((int)count, scratch, 1, scratch, 1) / 2;
        cblas_dgemv(CblasRowMajor, CblasTrans, (int)count, w, 1, x, w, scratch,
                    1, 1, gradient, 1);
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, w, (int)count, 1, x,
                    w, 1, hessian, w);
    }
}

static void measure(double *sums, const struct design *rows, size_t first,
                    size_t count, const double *beta, double *scratch)
{
    const size_t end = first + count;

    memset(sums, 0, LANES * sizeof *sums);
    sums[ROWS] = (double)count;
    for (size_t at = first, here; at < end; at += here) {
        const double *y = rows->y + at;
        here = block(at, end);
        residuals(scratch, rows, at, here, beta);
        sums[RESIDUALS] += cblas_ddot((int)here, scratch, 1, scratch, 1);
        sums[SQUARES] += cblas_ddot((int)here, y, 1, y, 1);
    }
}

static void collect(double *metrics, const double *sums)
{
    metrics[NEWTON_ROWS] = sums[ROWS];
    metrics[NEWTON_SUM] = sums[RESIDUALS];
    metrics[NEWTON_CORRECT] = sums[SQUARES];
    metrics[NEWTON_BRIER] = 0;
    metrics[NEWTON_AUC] = METRIC_NONE;
}

static const struct newton_kind kind = {.classes = false,
                                        .metric_count = LANES,
                                        .evaluate = evaluate,
                                        .measure = measure,
                                        .collect = collect};

static int open_task(struct task **task, const struct task_spec *spec,
                     const struct dataset *data, struct error *error)
{
    return newton_open(task, &linear_ops, &kind, spec, data, error);
}

const struct task_ops linear_ops = {.kind = "linear",
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
