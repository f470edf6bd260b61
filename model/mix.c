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
static const double rounding = 1e-6; /* of a loss, in lanes */

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
    const double n = v[POOLED_TRAIN], classes = pooled_target_sum(v);
    const size_t outputs = task->net.sizes[task->net.layers];
    const double last = outputs == 1 ? 1 : (double)outputs - 1;
    size_t at = pooled_take_means(s->scale, task->spec, task->width, v);

    s->slots[TRAIN_N_TRAIN] = n;
    s->slots[TRAIN_N_TEST] = v[POOLED_TEST];
    s->slots[TRAIN_PHASE] = raw ? TRAIN_ROUNDS : TRAIN_SCALES;
    if (at < task->width)
        fail(s, n < 1 ? TRAIN_NO_ROWS : TRAIN_COLUMN_MISSING, at);
    else if (n < 2)
        fail(s, TRAIN_FEW_ROWS, 0);
    else if (classes == 0 || classes == n * last) /* with SDs: any one */
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

/* The means over one split's rows of the sites in this sum, which are not
 * always all. Returns the rows. */
static double take_split(double *loss, double *accuracy, double rows,
                         double loss_sum, double correct)
{
    if (!(rows > 0)) /* none of these sites has any: the former stand */
        return 0;
    *loss = loss_sum / rows;
    *accuracy = correct / rows;
    return rows;
}

static void measured(struct train_state *s)
{
    if (s->slots[TRAIN_MEASURED] == 0)
        s->slots[TRAIN_FIRST_LOSS] = s->slots[TRAIN_LOSS];
    s->slots[TRAIN_MEASURED] = 1;
}

/* rows[2]: training and test rows in this sum. numbers: the round's last. */
static void take_splits(const struct task *task, double *rows,
                        struct train_state *s, const double *numbers)
{
    const struct fixed_shape lanes = train_lanes(task);
    const size_t splits = s->slots[TRAIN_N_TEST] > 0 ? 2 : 1;
    double n[2][TRAIN_SPLIT] = {{0}, {0}};

    for (size_t i = 0; i < splits * TRAIN_SPLIT; i++)
        n[i / TRAIN_SPLIT][i % TRAIN_SPLIT] =
            digits_read(numbers + i * digits_count(&lanes), &lanes);
    rows[0] = take_split(&s->slots[TRAIN_LOSS], &s->slots[TRAIN_ACCURACY],
                         n[0][TRAIN_SPLIT_ROWS], n[0][TRAIN_SPLIT_LOSS],
                         n[0][TRAIN_SPLIT_CORRECT]);
    rows[1] = take_split(&s->slots[TRAIN_TEST_LOSS],
                         &s->slots[TRAIN_TEST_ACCURACY], n[1][TRAIN_SPLIT_ROWS],
                         n[1][TRAIN_SPLIT_LOSS], n[1][TRAIN_SPLIT_CORRECT]);
    measured(s);
}

/* Whether w is good enough to go on from. rows[2] of this sum: without those
 * that the choice is made by, it says nothing. */
static bool is_patient(const struct task *task, struct train_state *s,
                       const double *rows)
{
    const bool test = s->slots[TRAIN_N_TEST] > 0;
    const double loss = s->slots[test ? TRAIN_TEST_LOSS : TRAIN_LOSS];

    if (s->best == NULL || !(rows[test] > 0))
        return true;
    if (loss < s->slots[TRAIN_BEST]) {
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
    const size_t count = task->count;
    double rows[2];

    take_splits(task, rows, s, x + (s->control != NULL ? 2 : 1) * count);
    if (is_patient(task, s, rows)) {
        go_on(task, s, x, rows[0]);
    } else {
        s->slots[TRAIN_STOPPED] = 1;
        s->slots[TRAIN_PHASE] = TRAIN_MEASURE;
    }
    if (s->slots[TRAIN_PHASE] == TRAIN_MEASURE && s->best != NULL &&
        isfinite(s->slots[TRAIN_BEST]))
        memcpy(s->w, s->best, count * sizeof *s->w);
}

static void collect(const struct task *task, double *metrics, const double *v)
{
    const double *positives = v + NET_SUMS + 1;

    metrics[TRAIN_METRIC_ROWS] = v[NET_SUMS];
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
    const double *test = v + train_metrics_length(task);

    collect(task, s->metrics, v);
    take_split(&s->slots[TRAIN_LOSS], &s->slots[TRAIN_ACCURACY], v[NET_SUMS],
               v[NET_LOSS], v[NET_CORRECT]);
    measured(s);
    s->slots[TRAIN_PHASE] = TRAIN_FINISHED;
    if (s->slots[TRAIN_LOSS] > s->slots[TRAIN_FIRST_LOSS] * (1 + rounding))
        fail(s, TRAIN_RAN_AWAY, 0);
    if (!(s->slots[TRAIN_N_TEST] > 0))
        return;
    collect(task, s->metrics + TRAIN_METRICS, test);
    take_split(&s->slots[TRAIN_TEST_LOSS], &s->slots[TRAIN_TEST_ACCURACY],
               test[NET_SUMS], test[NET_LOSS], test[NET_CORRECT]);
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
