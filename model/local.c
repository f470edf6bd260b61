#include "model/local.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/cholesky.h"
#include "model/logistic.h"
#include "model/metric.h"
#include "model/newton.h"

enum { STEPS_MAX = 200 };

struct fit {
    const struct design *rows;
    double l2;
    double *beta, *step, *gradient, *hessian, *scratch;
};

static double evaluate(struct fit *f)
{
    const size_t width = f->rows->width;
    double objective;

    logistic_evaluate(&objective, f->gradient, f->hessian, f->rows, f->beta,
                      f->scratch);
    for (size_t j = 1; j < width; j++) {
        objective += f->l2 / 2 * f->beta[j] * f->beta[j];
        f->gradient[j] += f->l2 * f->beta[j];
        f->hessian[j * width + j] += f->l2;
    }
    for (size_t i = 0; i < width; i++)
        for (size_t j = 0; j < i; j++)
            f->hessian[i * width + j] = f->hessian[j * width + i];
    return objective;
}

static int descend(struct fit *f)
{
    const size_t width = f->rows->width;
    double objective = evaluate(f);

    for (int step = 0; step < STEPS_MAX; step++) {
        double size = 0, scale = 1;
        if (cholesky_factor(f->hessian, width, 1e-14, 0) < width)
            return -EDOM;
        memcpy(f->step, f->gradient, width * sizeof *f->step);
        cholesky_solve(f->step, f->hessian, width);
        for (size_t j = 0; j < width; j++) {
            f->beta[j] -= f->step[j];
            size = fmax(size, fabs(f->step[j]));
        }
        double next = evaluate(f);
        while (next > objective + 1e-12 * fabs(objective) && scale > 1e-6) {
            scale /= 2;
            for (size_t j = 0; j < width; j++)
                f->beta[j] += scale * f->step[j];
            next = evaluate(f);
        }
        objective = next;
        if (size * scale < 1e-10)
            return 0;
    }
    return -EDOM;
}

static bool has_both(const struct design *rows)
{
    for (size_t i = 1; i < rows->train; i++)
        if (rows->y[i] != rows->y[0])
            return true;
    return false;
}

int local_fit(double *beta, const struct design *rows, double l2)
{
    const size_t width = rows->width;
    struct fit f = {.rows = rows, .l2 = l2, .beta = beta};

    if (!has_both(rows))
        return -EDOM;
    size_t size = width * (width + 2) + NEWTON_BLOCK * (width + 2);
    f.step = malloc(size * sizeof *f.step);
    if (f.step == NULL)
        return -ENOMEM;
    f.gradient = f.step + width;
    f.hessian = f.gradient + width;
    f.scratch = f.hessian + width * width;
    memset(beta, 0, width * sizeof *beta);
    int code = descend(&f);
    free(f.step);
    return code;
}

double local_auc(const struct design *rows, size_t first, size_t count,
                 const double *beta)
{
    double *p = malloc((count + 1) * sizeof *p);
    double auc = NAN;

    if (p != NULL) {
        logistic_predict(p, rows, first, count, beta);
        auc = metric_auc(p, rows->y + first, count);
    }
    free(p);
    return auc;
}
