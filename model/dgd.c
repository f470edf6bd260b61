#include "model/dgd.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/dataset.h"
#include "model/design.h"
#include "model/logistic.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "states are little-endian");

enum { ROWS, LOSS, GRADIENT };

struct task {
    const struct task_ops *ops;
    const struct task_spec *spec;
    const struct dataset *data;
    size_t width;
    struct design *design;
    double *scale; /* [2 * width] mean 0, SD 1: columns as they stand */
    double *work;  /* [width + 2 * LOGISTIC_BLOCK] */
};

static double slot(const void *state, size_t i)
{
    double value;

    memcpy(&value, (const char *)state + i * sizeof value, sizeof value);
    return value;
}

static void set_slot(void *state, size_t i, double value)
{
    memcpy((char *)state + i * sizeof value, &value, sizeof value);
}

static size_t at_x(size_t j)
{
    return DGD_SLOTS + j;
}

static size_t at_y(const struct task *t, size_t j)
{
    return DGD_SLOTS + t->width + j;
}

static size_t at_g(const struct task *t, size_t j)
{
    return DGD_SLOTS + 2 * t->width + j;
}

static void close_task(struct task *t)
{
    if (t == NULL)
        return;
    design_free(t->design);
    free(t->scale);
    free(t->work);
    free(t);
}

static int check(const struct task_spec *spec, struct error *error)
{
    if (!(spec->step > 0))
        return error_set(error, -EINVAL,
                         "step: found %g, expected more than 0 for method dgd; "
                         "give rounds: {step: 0.1}",
                         spec->step);
    if (spec->standardise != TASK_STANDARDISE_NONE)
        return error_set(error, -EINVAL,
                         "standardise: found 'pooled', expected 'none' for "
                         "method dgd: pods have no sum over all rows");
    if (spec->missing == TASK_MISSING_MEAN)
        return error_set(error, -EINVAL,
                         "missing: found 'mean', expected 'drop' or 'fail' for "
                         "method dgd: pods have no mean over all rows");
    return 0;
}

static int open_task(struct task **task, const struct task_spec *spec,
                     const struct dataset *data, struct error *error)
{
    int code = check(spec, error);
    struct task *t;

    *task = NULL;
    if (code != 0)
        return code;
    t = calloc(1, sizeof *t);
    if (t == NULL)
        return error_set(error, -ENOMEM, "out of memory for the model");
    const size_t w = data->column_count + 1;
    *t = (struct task){.ops = &dgd_ops, .spec = spec, .data = data, .width = w};
    t->scale = calloc(2 * w, sizeof *t->scale);
    t->work = calloc(w + (size_t)2 * LOGISTIC_BLOCK, sizeof *t->work);
    for (size_t j = 0; t->scale != NULL && j < w; j++)
        t->scale[w + j] = 1;
    if (t->scale != NULL)
        t->design = design_new(data, t->scale);
    if (t->scale == NULL || t->work == NULL || t->design == NULL) {
        close_task(t);
        return error_set(error, -ENOMEM, "%s: out of memory for %zu rows",
                         data->path, data->row_count);
    }
    *task = t;
    return 0;
}

static size_t state_size(const struct task *t)
{
    return (DGD_SLOTS + 3 * t->width) * sizeof(double);
}

static size_t memory_size(const struct task *t)
{
    (void)t;
    return 0;
}

static size_t length_max(const struct task *t)
{
    return GRADIENT + t->width;
}

static void start(const struct task *t, void *state)
{
    memset(state, 0, state_size(t));
}

static struct fixed_shape shape(const struct task *t, const void *state)
{
    bool over = slot(state, DGD_ROUND) >= t->spec->rounds_max;

    return (struct fixed_shape){
        .length = over ? 0 : GRADIENT + t->width,
        .bound = fixed_bound(t->spec->members, t->spec->fraction_bits),
        .fraction_bits = t->spec->fraction_bits,
        .exact = true};
}

static int contribute(struct task *t, double *x, void *memory,
                      const void *state, struct prg *prg, struct error *error)
{
    const double bound = fixed_bound(t->spec->members, t->spec->fraction_bits);
    double *beta = t->work;

    (void)memory, (void)prg;
    memcpy(beta, (const char *)state + DGD_SLOTS * sizeof *beta,
           t->width * sizeof *beta);
    x[ROWS] = (double)t->design->train;
    logistic_gradient(&x[LOSS], x + GRADIENT, t->design, beta, beta + t->width);
    for (size_t i = 0; i < GRADIENT + t->width; i++)
        if (!(fabs(x[i]) <= bound))
            return error_set(error, -ERANGE,
                             "%s: found a sum of size %g, expected at most %g "
                             "at %u fraction bits; use a smaller step",
                             t->data->path, x[i], bound,
                             t->spec->fraction_bits);
    return 0;
}

static void descend(const struct task *t, void *state, size_t along)
{
    for (size_t j = 0; j < t->width; j++)
        set_slot(state, at_x(j),
                 slot(state, at_x(j)) - t->spec->step * slot(state, along + j));
    set_slot(state, DGD_STAGE, DGD_MODEL);
}

/* A pod's part of the mean over pods: its rows count as all others' do if the
 * charter says how many there are, else every pod counts the same. */
static double gradient(const struct task *t, const void *state,
                       const double *sum, size_t j)
{
    const double pods = t->spec->pods > 0 ? t->spec->pods : 1;
    const double all = t->spec->rows > 0 ? t->spec->rows : pods * sum[ROWS];
    const double ridge = j == 0 ? 0 : t->spec->l2 / all;

    return sum[GRADIENT + j] / (all / pods) + ridge * slot(state, at_x(j));
}

static void absorb(const struct task *t, void *next, const void *state,
                   const struct task_sum *opened)
{
    const double round = slot(state, DGD_ROUND);
    const double every = t->spec->restart;
    const bool fresh = round == 0 || (every > 0 && fmod(round, every) == 0);

    memcpy(next, state, state_size(t));
    set_slot(next, DGD_ROUND, round + 1);
    set_slot(next, DGD_ROWS, opened->values[ROWS]);
    set_slot(next, DGD_LOSS, opened->values[LOSS]);
    for (size_t j = 0; j < t->width; j++) {
        const double g = gradient(t, state, opened->values, j);
        const double before = slot(state, at_g(t, j));
        double y = fresh ? g : slot(state, at_y(t, j)) + g - before;
        set_slot(next, at_y(t, j), y);
        set_slot(next, at_g(t, j), g);
    }
    if (!t->spec->tracks)
        descend(t, next, at_g(t, 0));
    else if (fresh)
        descend(t, next, at_y(t, 0));
    else
        set_slot(next, DGD_STAGE, DGD_TRACKER);
}

static struct fixed_region mixed(const struct task *t, const void *state)
{
    enum dgd_stage stage = (enum dgd_stage)slot(state, DGD_STAGE);

    if (stage == DGD_TRACKER)
        return (struct fixed_region){at_y(t, 0), t->width, 0};
    if (stage == DGD_MODEL)
        return (struct fixed_region){at_x(0), t->width, t->spec->tracks};
    return (struct fixed_region){0, 0, 0};
}

static void settle(const struct task *t, void *state)
{
    if (slot(state, DGD_STAGE) == DGD_TRACKER)
        descend(t, state, at_y(t, 0));
    else
        set_slot(state, DGD_STAGE, DGD_SETTLED);
}

static const char *phase(const struct task *t, const void *state)
{
    return slot(state, DGD_ROUND) >= t->spec->rounds_max ? "finished"
                                                         : "gradient";
}

static double loss(const struct task *t, const void *state)
{
    (void)t;
    return slot(state, DGD_ROWS) > 0
               ? slot(state, DGD_LOSS) / slot(state, DGD_ROWS)
               : (double)NAN;
}

static void fill_coefficients(const struct task *t, const void *state,
                              struct task_report *report)
{
    for (size_t j = 0; j < t->width; j++) {
        struct task_coefficient *c = &report->coefficients[j];
        *c = task_estimate(slot(state, at_x(j)));
        snprintf(c->name, sizeof c->name, "%s",
                 j == 0 ? "(intercept)" : t->data->names[j - 1]);
    }
}

static int report_task(const struct task *t, const void *state,
                       struct task_report *report, struct error *error)
{
    const double rows = slot(state, DGD_ROWS);

    memset(report, 0, sizeof *report);
    report->converged = true;
    report->deviance = 2 * slot(state, DGD_LOSS);
    report->train = report->test = task_no_metric;
    report->n_train = task_count(rows);
    report->train.n = report->n_train;
    report->train.log_loss = loss(t, state);
    report->local.n_train = t->design->train;
    report->local.n_test = t->design->test;
    report->local.local_auc = report->local.global_auc = NAN;
    report->coefficients = calloc(t->width, sizeof *report->coefficients);
    if (report->coefficients == NULL)
        return error_set(error, -ENOMEM, "out of memory for the report");
    report->coefficient_count = t->width;
    fill_coefficients(t, state, report);
    return 0;
}

const struct task_ops dgd_ops = {.kind = "logistic",
                                 .method = "dgd",
                                 .open = open_task,
                                 .close = close_task,
                                 .state_size = state_size,
                                 .memory_size = memory_size,
                                 .length_max = length_max,
                                 .start = start,
                                 .shape = shape,
                                 .contribute = contribute,
                                 .absorb = absorb,
                                 .mixed = mixed,
                                 .settle = settle,
                                 .phase = phase,
                                 .loss = loss,
                                 .report = report_task};
