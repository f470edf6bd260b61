#include "model/report.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/cholesky.h"
#include "model/local.h"
#include "model/newton.h"
#include "model/special.h"

static const double normal_975 = 1.959963984540054;

struct fit {
    const struct task *task;
    struct newton_state s;
    double *inverse; /* [width, width] of the Hessian; valid if has_errors */
    double *factor;  /* [width, width] */
    bool has_errors;
};

static void explain(struct task_report *report, const struct fit *f)
{
    const struct task *t = f->task;
    const size_t at = (size_t)f->s.slots[NEWTON_AT];
    const double n = f->s.slots[NEWTON_N_TRAIN];
    const char *target = t->spec->target;
    const char *name = at == 0 ? "(intercept)" : t->data->names[at - 1];
    char *text = report->failure;
    const size_t size = sizeof report->failure;

    switch ((enum newton_reason)f->s.slots[NEWTON_REASON]) {
    case NEWTON_FINE:
        break;
    case NEWTON_NO_ROWS:
        snprintf(text, size, "the sites have no training row together");
        break;
    case NEWTON_FEW_ROWS:
        snprintf(text, size,
                 "found %.0f training rows at all sites together, expected at "
                 "least %zu, one a coefficient; use fewer features or set l2",
                 n, t->width);
        break;
    case NEWTON_ONE_CLASS:
        snprintf(text, size,
                 "all %.0f training rows of all sites have %s=%.6g: nothing to "
                 "fit; check target '%s'",
                 n, target, f->s.slots[NEWTON_Y_SUM] / n, target);
        break;
    case NEWTON_COLUMN_MISSING:
        snprintf(text, size,
                 "column '%s' is missing in all %.0f training rows of all "
                 "sites; leave it out of the features",
                 name, n);
        break;
    case NEWTON_COLUMN_CONSTANT:
        snprintf(text, size,
                 "column '%s' is constant over all %.0f training rows of all "
                 "sites; leave it out of the features",
                 name, n);
        break;
    case NEWTON_DEPENDENT:
        snprintf(text, size,
                 "columns are linearly dependent at '%s'; remove one or set l2",
                 name);
        break;
    case NEWTON_SEPARATED:
        snprintf(text, size,
                 "the features separate the classes of '%s' completely, so no "
                 "finite coefficients exist; set l2 (1 is usual)",
                 target);
        break;
    case NEWTON_SEPARATED_ONE:
        snprintf(text, size,
                 "the features separate some rows of '%s' completely and the "
                 "coefficient of '%s' runs away; remove it or set l2",
                 target, name);
        break;
    case NEWTON_ROUNDS:
        snprintf(text, size,
                 "not converged in %u rounds; raise max of rounds or tolerance",
                 t->spec->rounds_max);
        break;
    case NEWTON_STUCK:
        snprintf(text, size,
                 "no step lowers the objective further; check the data for "
                 "extreme values or set l2");
        break;
    }
}

static void note(struct task_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void note(struct task_report *report, const char *format, ...)
{
    const size_t room = sizeof report->notes / sizeof report->notes[0];
    va_list arguments;

    if (report->note_count == room)
        return;
    va_start(arguments, format);
    vsnprintf(report->notes[report->note_count++], sizeof report->notes[0],
              format, arguments);
    va_end(arguments);
}

/* Row i of the matrix that takes standardised coefficients to reported ones:
 * its diagonal element, and for the intercept of raw columns all others. */
static double back(const struct fit *f, size_t i, size_t j)
{
    const size_t width = f->task->width;
    const double *mean = f->s.scale, *sd = f->s.scale + width;
    const bool raw = f->task->spec->standardise == TASK_STANDARDISE_NONE;
    const double unit = sd[0]; /* 1 for classes */

    if (i == j)
        return i > 0 && raw ? unit / sd[i] : unit;
    return i == 0 && raw ? -unit * mean[j] / sd[j] : 0;
}

static double estimate(const struct fit *f, size_t i)
{
    double sum = i == 0 ? f->s.scale[0] : 0; /* the mean of y; classes: 0 */

    for (size_t j = 0; j < f->task->width; j++)
        sum += back(f, i, j) * f->s.base[j];
    return sum;
}

/* Diagonal element i of T C T', C the inverse Hessian. */
static double variance(const struct fit *f, size_t i)
{
    const size_t width = f->task->width;
    double sum = 0;

    for (size_t j = 0; j < width; j++) {
        double row = 0, b = back(f, i, j);
        if (b == 0)
            continue;
        for (size_t k = 0; k < width; k++)
            row += f->inverse[j * width + k] * back(f, i, k);
        sum += b * row;
    }
    return sum;
}

static void judge(struct task_coefficient *c, double error, double df)
{
    double reach = df > 0 ? special_student_quantile(0.05, df) : normal_975;

    if (!(error > 0) || !isfinite(error))
        return;
    c->std_error = error;
    c->z = c->estimate / error;
    c->p = df > 0 ? special_student_p(c->z, df) : special_normal_p(c->z);
    c->low = c->estimate - reach * error;
    c->high = c->estimate + reach * error;
}

static void fill_coefficients(struct task_report *report, const struct fit *f)
{
    const struct task *t = f->task;
    const double n = f->s.slots[NEWTON_N_TRAIN];
    const double df = t->kind->classes ? 0 : n - (double)t->width;
    double dispersion = 1;

    if (!t->kind->classes)
        dispersion = df > 0 ? 2 * f->s.slots[NEWTON_LOSS] / df : 0;
    for (size_t i = 0; i < t->width; i++) {
        struct task_coefficient *c = &report->coefficients[i];
        *c = task_estimate(estimate(f, i));
        snprintf(c->name, sizeof c->name, "%s",
                 i == 0 ? "(intercept)" : t->data->names[i - 1]);
        if (f->has_errors)
            judge(c, sqrt(dispersion * variance(f, i)), df);
    }
}

static struct task_metric metric(const struct fit *f, size_t split)
{
    const double *m = f->s.metrics + split * NEWTON_METRICS;
    const double n = m[NEWTON_ROWS], sd = f->s.scale[f->task->width];
    struct task_metric out = task_no_metric;

    out.n = task_count(n);

    if (out.n == 0)
        return out;
    if (f->task->kind->classes) {
        out.log_loss = m[NEWTON_SUM] / n;
        out.accuracy = m[NEWTON_CORRECT] / n;
        out.brier = m[NEWTON_BRIER] / n;
        if (m[NEWTON_AUC] >= 0)
            out.auc = m[NEWTON_AUC];
        return out;
    }
    out.mse = m[NEWTON_SUM] * sd * sd / n;
    if (m[NEWTON_CORRECT] > 0)
        out.r2 = 1 - m[NEWTON_SUM] / m[NEWTON_CORRECT];
    return out;
}

static void count_local(struct task_report *report, const struct fit *f)
{
    const struct dataset *d = f->task->data;
    double ones = 0;

    report->local.local_auc = report->local.global_auc = NAN;
    for (size_t i = 0; i < d->row_count; i++) {
        report->local.n_test += d->test[i];
        report->local.n_train += d->test[i] == 0;
        ones += d->test[i] == 0 ? d->y[i] : 0;
    }
    if (f->task->kind->classes &&
        (ones == 0 || ones == (double)report->local.n_train))
        note(report,
             "all training rows of this site have %s=%d: it takes part, but "
             "no local model can be fitted",
             f->task->spec->target, ones > 0);
}

static int fill_local(struct task_report *report, const struct fit *f,
                      struct error *error)
{
    const struct task *t = f->task;
    struct design *rows = design_new(t->data, f->s.scale);
    double *beta = malloc(t->width * sizeof *beta);
    int code = 0;

    if (rows == NULL || beta == NULL) {
        code = error_set(error, -ENOMEM, "%s: out of memory for the report",
                         t->data->path);
        goto fail;
    }
    const bool split = rows->test > 0;
    const size_t first = split ? rows->train : 0;
    const size_t count = split ? rows->test : rows->train;
    if (!split)
        note(report, "this site has no test rows: its AUCs are of its "
                     "training rows");
    report->local.global_auc = local_auc(rows, first, count, f->s.base);
    if (local_fit(beta, rows, fmax(t->spec->l2, 1)) == 0)
        report->local.local_auc = local_auc(rows, first, count, beta);
fail:
    design_free(rows);
    free(beta);
    return code;
}

static int fill_finished(struct task_report *report, struct fit *f,
                         struct error *error)
{
    const struct task *t = f->task;
    const size_t width = t->width;
    const double sd = f->s.scale[width];

    report->converged = true;
    report->coefficients = calloc(width, sizeof *report->coefficients);
    if (report->coefficients == NULL)
        return error_set(error, -ENOMEM, "out of memory for the report");
    report->coefficient_count = width;
    if (t->spec->standardise == TASK_STANDARDISE_POOLED &&
        task_fill_scaling(report, t->data->names, f->s.scale, width) != 0)
        return error_set(error, -ENOMEM, "out of memory for the report");
    report->deviance = 2 * f->s.slots[NEWTON_LOSS] * sd * sd;
    memcpy(f->factor, f->s.hessian, width * width * sizeof *f->factor);
    f->has_errors =
        t->spec->l2 == 0 && cholesky_factor(f->factor, width, 0, 0) == width;
    if (f->has_errors)
        cholesky_invert(f->inverse, f->factor, width);
    fill_coefficients(report, f);
    report->train = metric(f, 0);
    report->test = metric(f, 1);
    return t->kind->classes ? fill_local(report, f, error) : 0;
}

int report_fill(const struct task *task, const void *state,
                struct task_report *report, struct error *error)
{
    const size_t slots = newton_slot_count(task->width);
    const size_t square = task->width * task->width;
    double *memory = malloc((slots + 2 * square) * sizeof *memory);
    int code = 0;

    memset(report, 0, sizeof *report);
    if (memory == NULL)
        return error_set(error, -ENOMEM, "out of memory for the report");
    memcpy(memory, state, slots * sizeof *memory);
    struct fit f = {.task = task,
                    .s = newton_view(memory, task->width),
                    .inverse = memory + slots,
                    .factor = memory + slots + square};
    report->n_train = task_count(f.s.slots[NEWTON_N_TRAIN]);
    report->n_test = task_count(f.s.slots[NEWTON_N_TEST]);
    report->deviance = NAN;
    count_local(report, &f);
    explain(report, &f);
    report->train = metric(&f, 0);
    report->test = metric(&f, 1);
    if (f.s.slots[NEWTON_PHASE] == NEWTON_FINISHED)
        code = fill_finished(report, &f, error);
    free(memory);
    if (code != 0)
        task_report_free(report);
    return code;
}
