#include "model/mix.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/digits.h"
#include "model/metric.h"
#include "model/pooled.h"
#include "model/train.h"

/* Adam's, as Reddi et al. use them at the server. */
static const double beta_one = 0.9, beta_two = 0.99, tau = 1e-3;

static void fail(struct train_state *s, enum train_reason reason, size_t at)
{
    s->slots[TRAIN_PHASE] = TRAIN_FAILED;
    s->slots[TRAIN_REASON] = reason;
    s->slots[TRAIN_AT] = (double)at;
}

static void take_means(const struct task *task, struct train_state *s,
                       const double *v)
{
    const bool raw = task->spec->standardise == TASK_STANDARDISE_NONE;
    const double n = v[POOLED_TRAIN], ones = pooled_target_sum(v);
    size_t at = pooled_take_means(s->scale, task->spec, task->width, v);

    s->slots[TRAIN_N_TRAIN] = n;
    s->slots[TRAIN_N_TEST] = v[POOLED_TEST];
    s->slots[TRAIN_PHASE] = raw ? TRAIN_ROUNDS : TRAIN_SCALES;
    if (at < task->width)
        fail(s, n < 1 ? TRAIN_NO_ROWS : TRAIN_COLUMN_MISSING, at);
    else if (n < 2)
        fail(s, TRAIN_FEW_ROWS, 0);
    else if (train_is_binary(task) && (ones == 0 || ones == n))
        fail(s, TRAIN_ONE_CLASS, 0);
}

static void take_scales(const struct task *task, struct train_state *s,
                        const double *v)
{
    size_t at =
        pooled_take_scales(s->scale, s->slots[TRAIN_N_TRAIN], task->width, v);

    s->slots[TRAIN_PHASE] = TRAIN_ROUNDS;
    if (at < task->width)
        fail(s, at == 0 ? TRAIN_ONE_CLASS : TRAIN_COLUMN_CONSTANT, at);
}

/* x: the first split's numbers of the round's vector. */
static void take_splits(const struct task *task, struct train_state *s,
                        const double *x)
{
    const double n = s->slots[TRAIN_N_TRAIN], m = s->slots[TRAIN_N_TEST];
    const struct fixed_shape lanes = train_lanes(task);
    const size_t step = digits_count(&lanes);

    s->slots[TRAIN_MEASURED] = 1;
    s->slots[TRAIN_LOSS] = digits_read(x, &lanes) / n;
    s->slots[TRAIN_ACCURACY] = digits_read(x + step, &lanes) / n;
    if (!(m > 0))
        return;
    x += TRAIN_SPLIT * step;
    s->slots[TRAIN_TEST_LOSS] = digits_read(x, &lanes) / m;
    s->slots[TRAIN_TEST_ACCURACY] = digits_read(x + step, &lanes) / m;
}

/* Whether w is good enough to go on from. */
static bool is_patient(const struct task *task, struct train_state *s)
{
    const double loss = s->slots[TRAIN_N_TEST] > 0 ? s->slots[TRAIN_TEST_LOSS]
                                                   : s->slots[TRAIN_LOSS];

    if (s->best == NULL)
        return true;
    if (s->slots[TRAIN_TRAINED] == 0 || loss < s->slots[TRAIN_BEST]) {
        s->slots[TRAIN_BEST] = loss;
        s->slots[TRAIN_STALE] = 0;
        memcpy(s->best, s->w, task->count * sizeof *s->best);
        return true;
    }
    return ++s->slots[TRAIN_STALE] < task->spec->training.patience;
}

static void move(const struct task *task, struct train_state *s,
                 const double *difference, double scale)
{
    const double by = task->spec->training.server_step;

    for (size_t i = 0; i < task->count; i++) {
        double mean = difference[i] * scale;
        if (s->moments != NULL) {
            double *first = &s->moments[i], *second = first + task->count;
            *first = beta_one * *first + (1 - beta_one) * mean;
            *second = beta_two * *second + (1 - beta_two) * mean * mean;
            mean = *first / (sqrt(*second > 0 ? *second : 0) + tau);
        }
        s->w[i] += by * mean;
    }
}

static void go_on(const struct task *task, struct train_state *s,
                  const double *x, double rows)
{
    /* Of the rows in this sum, not of all. */
    const double scale = s->slots[TRAIN_N_TRAIN] / (rows * train_gain(task));
    const double *control = x + task->count;

    s->slots[TRAIN_TRAINED]++;
    if (rows > 0) { /* but for forged sums */
        move(task, s, x, scale);
        for (size_t i = 0; s->control != NULL && i < task->count; i++)
            s->control[i] = control[i] * scale;
    }
    /* This sum is counted already; one is kept for the metrics. */
    if (s->slots[TRAIN_SUMS] + 2 > task->spec->rounds_max)
        s->slots[TRAIN_PHASE] = TRAIN_MEASURE;
}

static void take_round(const struct task *task, struct train_state *s,
                       const double *x)
{
    const struct fixed_shape lanes = train_lanes(task);
    const size_t count = task->count;
    const double *numbers = x + (s->control != NULL ? 2 : 1) * count;

    take_splits(task, s, numbers + digits_count(&lanes));
    if (is_patient(task, s)) {
        go_on(task, s, x, digits_read(numbers, &lanes));
    } else {
        s->slots[TRAIN_STOPPED] = 1;
        s->slots[TRAIN_PHASE] = TRAIN_MEASURE;
    }
    if (s->slots[TRAIN_PHASE] == TRAIN_MEASURE && s->best != NULL)
        memcpy(s->w, s->best, count * sizeof *s->w);
}

static void collect(const struct task *task, double *metrics, const double *v,
                    double rows)
{
    const double *positives = v + NET_SUMS;

    metrics[TRAIN_METRIC_ROWS] = rows;
    metrics[TRAIN_METRIC_LOSS] = v[NET_LOSS];
    metrics[TRAIN_METRIC_CORRECT] = v[NET_CORRECT];
    metrics[TRAIN_METRIC_BRIER] = v[NET_BRIER];
    metrics[TRAIN_METRIC_AUC] =
        train_is_binary(task)
            ? metric_auc_binned(positives, positives + METRIC_BINS)
            : METRIC_NONE;
}

static void take_metrics(const struct task *task, struct train_state *s,
                         const double *v)
{
    const double n = s->slots[TRAIN_N_TRAIN], m = s->slots[TRAIN_N_TEST];
    const double *test = v + train_metrics_length(task);

    collect(task, s->metrics, v, n);
    s->slots[TRAIN_MEASURED] = 1;
    s->slots[TRAIN_LOSS] = v[NET_LOSS] / n;
    s->slots[TRAIN_ACCURACY] = v[NET_CORRECT] / n;
    s->slots[TRAIN_PHASE] = TRAIN_FINISHED;
    if (!(m > 0))
        return;
    collect(task, s->metrics + TRAIN_METRICS, test, m);
    s->slots[TRAIN_TEST_LOSS] = test[NET_LOSS] / m;
    s->slots[TRAIN_TEST_ACCURACY] = test[NET_CORRECT] / m;
}

void mix_absorb(const struct task *task, void *next, const void *state,
                const struct task_sum *sum)
{
    const size_t size = task->ops->state_size(task);
    struct train_state s = train_view(task, task->next);

    memcpy(task->next, state, size);
    s.slots[TRAIN_SUMS]++;
    switch ((enum train_phase)s.slots[TRAIN_PHASE]) {
    case TRAIN_MEANS:
        take_means(task, &s, sum->values);
        break;
    case TRAIN_SCALES:
        take_scales(task, &s, sum->values);
        break;
    case TRAIN_ROUNDS:
        take_round(task, &s, sum->values);
        break;
    case TRAIN_MEASURE:
        take_metrics(task, &s, sum->values);
        break;
    default:
        assert(s.slots[TRAIN_PHASE] < TRAIN_FINISHED);
    }
    memcpy(next, task->next, size);
}
