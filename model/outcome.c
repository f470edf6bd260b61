#include "model/outcome.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/design.h"
#include "model/local.h"
#include "model/metric.h"
#include "model/train.h"

static void explain(struct task_report *report, const struct task *t,
                    const struct train_state *s)
{
    const size_t at = (size_t)s->slots[TRAIN_AT];
    const char *name = at == 0 ? t->spec->target : t->data->names[at - 1];
    const double n = s->slots[TRAIN_N_TRAIN];
    char *text = report->failure;
    const size_t size = sizeof report->failure;

    switch ((enum train_reason)s->slots[TRAIN_REASON]) {
    case TRAIN_FINE:
        break;
    case TRAIN_NO_ROWS:
        snprintf(text, size, "the sites have no training row together");
        break;
    case TRAIN_FEW_ROWS:
        snprintf(text, size,
                 "found %.0f training rows at all sites together, expected at "
                 "least 2",
                 n);
        break;
    case TRAIN_ONE_CLASS:
        snprintf(text, size,
                 "all %.0f training rows of all sites have one value of '%s': "
                 "nothing to learn; check the target",
                 n, t->spec->target);
        break;
    case TRAIN_COLUMN_MISSING:
        snprintf(text, size,
                 "column '%s' is missing in all %.0f training rows of all "
                 "sites; leave it out of the features",
                 name, n);
        break;
    case TRAIN_COLUMN_CONSTANT:
        snprintf(text, size,
                 "column '%s' is constant over all %.0f training rows of all "
                 "sites; leave it out of the features, or set standardise: "
                 "none",
                 name, n);
        break;
    case TRAIN_RAN_AWAY:
        snprintf(text, size,
                 "training ran away: the loss was %.6g in the beginning and is "
                 "%.6g in the end; use a smaller step, or fewer local steps",
                 s->slots[TRAIN_FIRST_LOSS], s->slots[TRAIN_LOSS]);
        break;
    }
}

/* "age", "age:2" (of class 2), "1:age:0" (layer, from, to). */
static void name_parameter(char name[TASK_NAME_SIZE], const struct task *t,
                           size_t layer, size_t from, size_t to)
{
    char number[24];
    const char *in = number;

    snprintf(number, sizeof number, "%zu", from == 0 ? 0 : from - 1);
    if (from == 0)
        in = "(intercept)";
    else if (layer == 0)
        in = t->data->names[from - 1];
    if (t->net.layers > 1)
        snprintf(name, TASK_NAME_SIZE, "%zu:%.60s:%zu", layer + 1, in, to);
    else if (train_is_binary(t))
        snprintf(name, TASK_NAME_SIZE, "%s", in);
    else
        snprintf(name, TASK_NAME_SIZE, "%.60s:%zu", in, to);
}

static int fill_parameters(struct task_report *report, const struct task *t,
                           const struct train_state *s)
{
    struct task_coefficient *c = calloc(t->count, sizeof *c);

    if (c == NULL)
        return -ENOMEM;
    report->coefficients = c;
    report->coefficient_count = t->count;
    for (size_t l = 0; l < t->net.layers; l++)
        for (size_t i = t->net.offset[l]; i < t->net.offset[l + 1]; i++) {
            const size_t outputs = t->net.sizes[l + 1];
            const size_t at = i - t->net.offset[l];
            c[i] = task_estimate(s->w[i]);
            name_parameter(c[i].name, t, l, at / outputs, at % outputs);
        }
    return 0;
}

static struct task_metric metric(const struct train_state *s, size_t split)
{
    const double *m = s->metrics + split * TRAIN_METRICS;
    const double n = m[TRAIN_METRIC_ROWS];
    struct task_metric out = task_no_metric;

    out.n = task_count(n);

    if (out.n == 0)
        return out;
    out.log_loss = m[TRAIN_METRIC_LOSS] / n;
    out.accuracy = m[TRAIN_METRIC_CORRECT] / n;
    out.brier = m[TRAIN_METRIC_BRIER] / n;
    if (m[TRAIN_METRIC_AUC] >= 0)
        out.auc = m[TRAIN_METRIC_AUC];
    return out;
}

/* A ridge logistic regression of this site's rows alone. */
static int fit_alone(double *auc, const struct task *t,
                     const struct train_state *s)
{
    double *scale = malloc((2 * t->width + t->width) * sizeof *scale);
    struct design *rows = NULL;
    int code = -ENOMEM;

    if (scale == NULL)
        return code;
    for (size_t j = 0; j < t->width; j++) {
        const double sd = s->scale[t->width + j];
        scale[j] = j == 0 ? 0 : s->scale[j];
        scale[t->width + j] = j == 0 || !(sd > 0) ? 1 : sd;
    }
    rows = design_new(t->data, scale);
    if (rows != NULL) {
        double *beta = scale + 2 * t->width;
        const size_t first = t->test > 0 ? t->train : 0;
        code = 0;
        if (local_fit(beta, rows, fmax(t->spec->l2, 1)) == 0)
            *auc =
                local_auc(rows, first, t->test > 0 ? t->test : t->train, beta);
    }
    design_free(rows);
    free(scale);
    return code;
}

static void note(struct task_report *report, const char *text)
{
    if (report->note_count < sizeof report->notes / sizeof report->notes[0])
        snprintf(report->notes[report->note_count++], sizeof report->notes[0],
                 "%s", text);
}

/* A task of its own: contribute may be at work on another thread. */
static int fill_joint(struct task_report *report, const struct task *t,
                      const struct train_state *s, struct error *error)
{
    struct task *own;
    int code = t->ops->open(&own, t->spec, t->data, error);

    if (code != 0)
        return code;
    const size_t first = t->test > 0 ? t->train : 0;
    const size_t rows = t->test > 0 ? t->test : t->train;
    double sums[NET_SUMS], *y = malloc((rows + 1) * sizeof *y);
    if (y == NULL) {
        code = error_set(error, -ENOMEM, "out of memory for the report");
        goto fail;
    }
    train_prepare(own, s->scale);
    own->kernel->measure(sums, own->p, &own->net, s->w,
                         (const char *)own->x +
                             first * own->width * own->kernel->real_size,
                         own->y + first, rows, own->work);
    for (size_t i = 0; i < rows; i++)
        y[i] = own->y[first + i];
    report->local.global_auc = metric_auc(own->p, y, rows);
    free(y);
fail:
    t->ops->close(own);
    return code;
}

static int fill_local(struct task_report *report, const struct task *t,
                      const struct train_state *s, struct error *error)
{
    int code = 0;

    if (!train_is_binary(t))
        return 0;
    if (t->test == 0)
        note(report, "this site has no test rows: its AUCs are of its "
                     "training rows");
    code = fill_joint(report, t, s, error);
    if (code == 0 && t->net.layers == 1)
        code = fit_alone(&report->local.local_auc, t, s);
    return code;
}

static int fill_finished(struct task_report *report, const struct task *t,
                         const struct train_state *s, struct error *error)
{
    report->converged = s->slots[TRAIN_STOPPED] == 1;
    if (s->best != NULL && s->slots[TRAIN_N_TEST] > 0)
        note(report, "patience chose the parameters by the test rows: their "
                     "metrics are those of rows that took part in a choice");
    report->deviance = 2 * s->metrics[TRAIN_METRIC_LOSS];
    const bool scaled = t->spec->standardise == TASK_STANDARDISE_POOLED;
    if (fill_parameters(report, t, s) != 0 ||
        (scaled &&
         task_fill_scaling(report, t->data->names, s->scale, t->width) != 0))
        return error_set(error, -ENOMEM, "out of memory for the report");
    return fill_local(report, t, s, error);
}

int outcome_fill(const struct task *task, const void *state,
                 struct task_report *report, struct error *error)
{
    double *slots = malloc(task->ops->state_size(task));
    int code = 0;

    memset(report, 0, sizeof *report);
    if (slots == NULL)
        return error_set(error, -ENOMEM, "out of memory for the report");
    memcpy(slots, state, task->ops->state_size(task));
    struct train_state s = train_view(task, slots);
    report->n_train = task_count(s.slots[TRAIN_N_TRAIN]);
    report->n_test = task_count(s.slots[TRAIN_N_TEST]);
    report->deviance = NAN;
    report->local.n_train = task->train;
    report->local.n_test = task->test;
    report->local.local_auc = report->local.global_auc = NAN;
    explain(report, task, &s);
    report->train = metric(&s, 0);
    report->test = metric(&s, 1);
    if (s.slots[TRAIN_PHASE] == TRAIN_FINISHED)
        code = fill_finished(report, task, &s, error);
    free(slots);
    if (code != 0)
        task_report_free(report);
    return code;
}
