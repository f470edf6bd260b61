#include "model/newton.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/pooled.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "states are little-endian");

enum { ROUNDS_MIN = 4 };

static double slot(const void *state, size_t i)
{
    double value;

    memcpy(&value, (const char *)state + i * sizeof value, sizeof value);
    return value;
}

size_t newton_slot_count(size_t width)
{
    return NEWTON_SLOTS + 5 * width + width * width +
           (size_t)2 * NEWTON_METRICS;
}

struct newton_state newton_view(double *slots, size_t width)
{
    struct newton_state s = {.slots = slots};

    s.scale = slots + NEWTON_SLOTS;
    s.beta = s.scale + 2 * width;
    s.base = s.beta + width;
    s.gradient = s.base + width;
    s.hessian = s.gradient + width;
    s.metrics = s.hessian + width * width;
    return s;
}

double newton_ridge(const struct task_spec *spec, const double *scale,
                    size_t width, size_t j)
{
    const double sd = scale[width + j];

    if (j == 0)
        return 0;
    return spec->standardise == TASK_STANDARDISE_NONE ? spec->l2 / (sd * sd)
                                                      : spec->l2;
}

static int check(const struct task_spec *spec, struct error *error)
{
    if (!(spec->l2 >= 0) || !isfinite(spec->l2))
        return error_set(error, -EINVAL, "l2: found %g, expected 0 or more",
                         spec->l2);
    if (!(spec->tolerance > 0) || !isfinite(spec->tolerance))
        return error_set(error, -EINVAL,
                         "tolerance: found %g, expected more than 0",
                         spec->tolerance);
    if (spec->rounds_max < ROUNDS_MIN)
        return error_set(error, -EINVAL,
                         "rounds: found max: %u, expected at least %d (means, "
                         "scales, one step, metrics)",
                         spec->rounds_max, ROUNDS_MIN);
    return pooled_check(spec, error);
}

int newton_open(struct task **task, const struct task_ops *ops,
                const struct newton_kind *kind, const struct task_spec *spec,
                const struct dataset *data, struct error *error)
{
    *task = NULL;
    int code = check(spec, error);
    if (code != 0)
        return code;
    struct task *t = calloc(1, sizeof *t);
    if (t == NULL)
        return error_set(error, -ENOMEM, "out of memory for the model");
    const size_t width = data->column_count + 1;
    *t = (struct task){
        .ops = ops, .kind = kind, .spec = spec, .data = data, .width = width};
    t->seen = calloc(newton_slot_count(width), sizeof *t->seen);
    t->next = calloc(newton_slot_count(width), sizeof *t->next);
    t->factor = calloc(width * (width + 1), sizeof *t->factor);
    t->work = calloc(width * (width + 2) + NEWTON_BLOCK * (width + 2),
                     sizeof *t->work);
    if (t->seen == NULL || t->next == NULL || t->factor == NULL ||
        t->work == NULL) {
        newton_close(t);
        return error_set(error, -ENOMEM, "out of memory for the model");
    }
    *task = t;
    return 0;
}

void newton_close(struct task *task)
{
    if (task == NULL)
        return;
    design_free(task->design);
    free(task->seen);
    free(task->next);
    free(task->factor);
    free(task->work);
    free(task);
}

size_t newton_state_size(const struct task *task)
{
    return newton_slot_count(task->width) * sizeof(double);
}

size_t newton_memory_size(const struct task *task)
{
    (void)task;
    return 0;
}

static size_t length(const struct task *task, enum newton_phase phase,
                     size_t splits)
{
    const size_t width = task->width;

    switch (phase) {
    case NEWTON_MEANS:
        return pooled_means_length(task->spec, width);
    case NEWTON_SCALES:
        return pooled_scales_length(width);
    case NEWTON_FIT:
        return 1 + width + width * (width + 1) / 2;
    case NEWTON_MEASURE:
        return splits * task->kind->metric_count;
    default:
        return 0;
    }
}

size_t newton_length_max(const struct task *task)
{
    size_t most = 0;

    for (int phase = NEWTON_MEANS; phase < NEWTON_FINISHED; phase++) {
        size_t l = length(task, (enum newton_phase)phase, 2);
        most = l > most ? l : most;
    }
    return most;
}

void newton_start(const struct task *task, void *state)
{
    memset(state, 0, newton_state_size(task));
}

struct fixed_shape newton_shape(const struct task *task, const void *state)
{
    const struct task_spec *spec = task->spec;
    enum newton_phase phase = (enum newton_phase)slot(state, NEWTON_PHASE);
    size_t splits = slot(state, NEWTON_N_TEST) > 0 ? 2 : 1;

    return (struct fixed_shape){
        .length = length(task, phase, splits),
        .bound = fixed_bound(spec->members, spec->fraction_bits),
        .fraction_bits = spec->fraction_bits,
        .exact = true};
}

struct fixed_region newton_mixed(const struct task *task, const void *state)
{
    (void)task, (void)state;
    return (struct fixed_region){0, 0, 0};
}

const char *newton_phase(const struct task *task, const void *state)
{
    static const char *const names[] = {"means",   "scales",   "newton",
                                        "metrics", "finished", "failed"};
    (void)task;
    return names[(size_t)slot(state, NEWTON_PHASE)];
}

double newton_loss(const struct task *task, const void *state)
{
    double loss = slot(state, NEWTON_LAST_LOSS);
    double n = slot(state, NEWTON_N_TRAIN);
    double sd = slot(state, NEWTON_SLOTS + task->width);

    if (slot(state, NEWTON_EVALUATED) == 0)
        return NAN;
    return task->kind->classes ? loss / n : 2 * loss * sd * sd / n;
}

static int prepare(struct task *task, const double *scale, struct error *error)
{
    struct design *d = task->design;
    size_t size = 2 * task->width * sizeof *scale;

    if (d != NULL && memcmp(d->scale, scale, size) == 0)
        return 0;
    design_free(d);
    task->design = design_new(task->data, scale);
    if (task->design == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory for %zu rows",
                         task->data->path, task->data->row_count);
    return 0;
}

static void send_fit(const struct task *task, double *x, const double *beta)
{
    const size_t width = task->width;
    double *hessian = task->work, *scratch = hessian + width * width;
    double *to = x + 1 + width;

    task->kind->evaluate(x, x + 1, hessian, task->design, beta, scratch);
    for (size_t i = 0; i < width; i++)
        for (size_t j = i; j < width; j++)
            *to++ = hessian[i * width + j];
}

static void send_metrics(const struct task *task, double *x, const double *beta,
                         bool test)
{
    const struct design *d = task->design;
    double *scratch = task->work;

    task->kind->measure(x, d, 0, d->train, beta, scratch);
    if (test)
        task->kind->measure(x + task->kind->metric_count, d, d->train, d->test,
                            beta, scratch);
}

static int check_bound(const struct task *task, const double *x, size_t count,
                       struct error *error)
{
    double bound = fixed_bound(task->spec->members, task->spec->fraction_bits);

    for (size_t i = 0; i < count; i++)
        if (!(fabs(x[i]) <= bound))
            return error_set(error, -ERANGE,
                             "%s: found a statistic of size %g, expected at "
                             "most %g at %u fraction bits; use fewer",
                             task->data->path, x[i], bound,
                             task->spec->fraction_bits);
    return 0;
}

int newton_contribute(struct task *task, double *x, void *memory,
                      const void *state, struct prg *prg, struct error *error)
{
    struct newton_state s = newton_view(task->seen, task->width);
    struct fixed_shape shape = newton_shape(task, state);
    int code = 0;

    (void)memory, (void)prg;
    memcpy(task->seen, state, newton_state_size(task));
    enum newton_phase phase = (enum newton_phase)s.slots[NEWTON_PHASE];
    assert(phase < NEWTON_FINISHED);
    if (phase == NEWTON_MEANS)
        code = pooled_send_means(x, task->spec, task->data, error);
    else if (phase == NEWTON_SCALES)
        code = pooled_send_scales(x, task->spec, task->data, s.scale, error);
    else
        code = prepare(task, s.scale, error);
    if (code == 0 && phase == NEWTON_FIT)
        send_fit(task, x, s.beta);
    if (code == 0 && phase == NEWTON_MEASURE)
        send_metrics(task, x, s.beta, s.slots[NEWTON_N_TEST] > 0);
    return code == 0 ? check_bound(task, x, shape.length, error) : code;
}
