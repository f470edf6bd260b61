#include "model/absorb.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/cholesky.h"
#include "model/metric.h"
#include "model/newton.h"
#include "model/pooled.h"

enum { HALVINGS_MAX = 40, POLISH_MAX = 8 };

static const double pivot_ratio = 1e-9;  /* 1 - R^2 against the others */
static const double runaway_step = 0.01; /* SDs, where nothing is gained */
static const double log_two = 0.6931471805599453;

static void fail(struct newton_state *s, enum newton_reason reason, size_t at)
{
    s->slots[NEWTON_PHASE] = NEWTON_FAILED;
    s->slots[NEWTON_REASON] = reason;
    s->slots[NEWTON_AT] = (double)at;
}

static double power_of_half(unsigned bits)
{
    double value = 1;

    while (bits-- > 0)
        value /= 2;
    return value;
}

static void take_means(const struct task *task, struct newton_state *s,
                       const double *v)
{
    const size_t width = task->width;
    const double n = v[POOLED_TRAIN];
    size_t at = pooled_take_means(s->scale, task->spec, width, v);

    s->slots[NEWTON_N_TRAIN] = n;
    s->slots[NEWTON_N_TEST] = v[POOLED_TEST];
    s->slots[NEWTON_Y_SUM] = pooled_target_sum(v);
    s->slots[NEWTON_PHASE] = NEWTON_SCALES;
    if (at < width) {
        fail(s, n < 1 ? NEWTON_NO_ROWS : NEWTON_COLUMN_MISSING, at);
        return;
    }
    if (n < 2 || (n < (double)width && task->spec->l2 == 0))
        fail(s, NEWTON_FEW_ROWS, 0);
    else if (task->kind->classes &&
             (s->slots[NEWTON_Y_SUM] == 0 || s->slots[NEWTON_Y_SUM] == n))
        fail(s, NEWTON_ONE_CLASS, 0);
}

static void take_scales(const struct task *task, struct newton_state *s,
                        const double *v)
{
    const size_t width = task->width;
    size_t at =
        pooled_take_scales(s->scale, s->slots[NEWTON_N_TRAIN], width, v);

    if (at < width) {
        fail(s, at == 0 ? NEWTON_ONE_CLASS : NEWTON_COLUMN_CONSTANT, at);
        return;
    }
    if (task->kind->classes) {
        s->scale[0] = 0;
        s->scale[width] = 1;
    }
    s->slots[NEWTON_PHASE] = NEWTON_FIT;
}

static double penalty(const struct task *task, const struct newton_state *s)
{
    double sum = 0;

    for (size_t j = 0; j < task->width; j++)
        sum += newton_ridge(task->spec, s->scale, task->width, j) * s->beta[j] *
               s->beta[j];
    return sum / 2;
}

static bool may_go_on(const struct task *task, struct newton_state *s)
{
    /* This sum is counted already; one is kept for the metrics. */
    if (s->slots[NEWTON_SUMS] + 2 <= task->spec->rounds_max)
        return true;
    fail(s, NEWTON_ROUNDS, 0);
    return false;
}

static void halve(const struct task *task, struct newton_state *s)
{
    if (++s->slots[NEWTON_HALVED] > HALVINGS_MAX) {
        fail(s, NEWTON_STUCK, 0);
        return;
    }
    s->slots[NEWTON_HALVINGS]++;
    if (!may_go_on(task, s))
        return;
    for (size_t j = 0; j < task->width; j++)
        s->beta[j] = s->base[j] + (s->beta[j] - s->base[j]) / 2;
}

static void keep(const struct task *task, struct newton_state *s,
                 const double *v, double objective)
{
    const size_t width = task->width;
    const double *triangle = v + 1 + width;

    s->slots[NEWTON_EVALUATED] = 1;
    s->slots[NEWTON_HALVED] = 0;
    s->slots[NEWTON_OBJECTIVE] = objective;
    s->slots[NEWTON_LOSS] = v[0];
    for (size_t i = 0; i < width; i++) {
        s->base[i] = s->beta[i];
        s->gradient[i] = v[1 + i];
        for (size_t j = i; j < width; j++) {
            s->hessian[i * width + j] = *triangle;
            s->hessian[j * width + i] = *triangle++;
        }
    }
}

/* step[width]; false if the matrix is singular. */
static bool solve(const struct task *task, struct newton_state *s, double *step,
                  double noise, bool first)
{
    const size_t width = task->width;
    double *a = task->factor;

    memcpy(a, s->hessian, width * width * sizeof *a);
    for (size_t j = 0; j < width; j++) {
        double ridge = newton_ridge(task->spec, s->scale, width, j);
        a[j * width + j] += ridge;
        step[j] = -(s->gradient[j] + ridge * s->base[j]);
    }
    size_t at = cholesky_factor(a, width, pivot_ratio, (double)width * noise);
    if (at < width) {
        fail(s,
             first || !task->kind->classes ? NEWTON_DEPENDENT
                                           : NEWTON_SEPARATED_ONE,
             at);
        return false;
    }
    cholesky_solve(step, a, width);
    return true;
}

static double largest(const double *v, size_t count, size_t *at)
{
    double most = 0;

    *at = 0;
    for (size_t j = 0; j < count; j++)
        if (fabs(v[j]) > most) {
            most = fabs(v[j]);
            *at = j;
        }
    return most;
}

/* Whether base is as near the optimum as the sums can tell. A step that
 * promises less than the objective's resolution is still worth taking while
 * steps shrink: the gradient sees further than the objective. */
static bool is_there(const struct task *task, struct newton_state *s,
                     const double *step, double resolution)
{
    const size_t width = task->width;
    double gain = 0;
    size_t at, ignored;

    for (size_t j = 0; j < width; j++)
        gain -= (s->gradient[j] +
                 newton_ridge(task->spec, s->scale, width, j) * s->base[j]) *
                step[j] / 2;
    double size = largest(step, width, &at);
    double before = s->slots[NEWTON_STEP];
    double beta = largest(s->base, width, &ignored);
    s->slots[NEWTON_STEP] = size;
    if (size <= task->spec->tolerance * (beta > 1 ? beta : 1))
        return true;
    if (gain > resolution)
        return false;
    if (size > runaway_step && task->spec->l2 == 0) {
        fail(s, task->kind->classes ? NEWTON_SEPARATED_ONE : NEWTON_DEPENDENT,
             at);
        return false;
    }
    if (s->slots[NEWTON_POLISH] > 0 &&
        (size > before / 4 || s->slots[NEWTON_POLISH] >= POLISH_MAX))
        return true;
    s->slots[NEWTON_POLISH]++;
    return false;
}

static void take_fit(const struct task *task, struct newton_state *s,
                     const double *v)
{
    const size_t width = task->width;
    const bool first = s->slots[NEWTON_EVALUATED] == 0;
    double *step = task->factor + width * width;
    double objective = v[0] + penalty(task, s);
    double noise =
        task->spec->members * power_of_half(task->spec->fraction_bits);
    double resolution = 2 * noise + fabs(objective) * power_of_half(46);

    s->slots[NEWTON_LAST_LOSS] = v[0];
    if (!first && objective > s->slots[NEWTON_OBJECTIVE] + resolution) {
        halve(task, s);
        return;
    }
    keep(task, s, v, objective);
    /* A row on the wrong side of, or on, the plane costs log 2 or more. */
    if (task->kind->classes && task->spec->l2 == 0 && v[0] < log_two - 0.01) {
        fail(s, NEWTON_SEPARATED, 0);
        return;
    }
    if (!solve(task, s, step, noise, first))
        return;
    if (is_there(task, s, step, resolution)) {
        s->slots[NEWTON_PHASE] = NEWTON_MEASURE;
        return;
    }
    if (s->slots[NEWTON_PHASE] == NEWTON_FAILED || !may_go_on(task, s))
        return;
    for (size_t j = 0; j < width; j++)
        s->beta[j] = s->base[j] + step[j];
}

static void take_metrics(const struct task *task, struct newton_state *s,
                         const double *v)
{
    task->kind->collect(s->metrics, v);
    if (s->slots[NEWTON_N_TEST] > 0)
        task->kind->collect(s->metrics + NEWTON_METRICS,
                            v + task->kind->metric_count);
    s->slots[NEWTON_PHASE] = NEWTON_FINISHED;
}

void absorb_sum(const struct task *task, void *next, const void *state,
                const struct task_sum *sum)
{
    const size_t size = newton_state_size(task);
    struct newton_state s = newton_view(task->next, task->width);

    memcpy(task->next, state, size);
    s.slots[NEWTON_SUMS]++;
    switch ((enum newton_phase)s.slots[NEWTON_PHASE]) {
    case NEWTON_MEANS:
        take_means(task, &s, sum->values);
        break;
    case NEWTON_SCALES:
        take_scales(task, &s, sum->values);
        break;
    case NEWTON_FIT:
        take_fit(task, &s, sum->values);
        break;
    case NEWTON_MEASURE:
        take_metrics(task, &s, sum->values);
        break;
    default:
        assert(s.slots[NEWTON_PHASE] < NEWTON_FINISHED);
    }
    memcpy(next, task->next, size);
}
