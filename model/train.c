#include "model/train.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/lanes.h"
#include "model/digits.h"
#include "model/learn.h"
#include "model/metric.h"
#include "model/mix.h"
#include "model/net32.h"
#include "model/net64.h"
#include "model/outcome.h"
#include "model/pooled.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "states are little-endian");
_Static_assert((int)TASK_HIDDEN_MAX == NET_HIDDEN_MAX, "one limit");

enum { OVERHEAD_ROUNDS = 3 /* means, scales, metrics */ };

static const char *const kinds[] = {"logistic", "softmax", "mlp"};
static const char *const methods[] = {"fedsgd", "fedavg", "fedprox", "scaffold",
                                      "fedadam"};
enum { KINDS = 3, METHODS = 5 };

static size_t find(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return count;
}

bool train_knows(const char *kind, const char *method)
{
    return find(kind, kinds, KINDS) < KINDS &&
           find(method, methods, METHODS) < METHODS;
}

bool train_is_binary(const struct task *task)
{
    return task->net.sizes[task->net.layers] == 1;
}

static size_t moment_count(const struct task *task)
{
    return task->method == TRAIN_FEDADAM ? 2 * task->count : 0;
}

static size_t control_count(const struct task *task)
{
    return task->method == TRAIN_SCAFFOLD ? task->count : 0;
}

static size_t best_count(const struct task *task)
{
    return task->spec->training.patience > 0 ? task->count : 0;
}

size_t train_slot_count(const struct task *task)
{
    return TRAIN_SLOTS + 2 * task->width + task->count + control_count(task) +
           moment_count(task) + best_count(task) + (size_t)2 * TRAIN_METRICS;
}

struct train_state train_view(const struct task *task, double *slots)
{
    struct train_state s = {.slots = slots};
    double *at = slots + TRAIN_SLOTS;

    s.scale = at;
    s.w = at += 2 * task->width;
    at += task->count;
    s.control = control_count(task) > 0 ? at : NULL;
    at += control_count(task);
    s.moments = moment_count(task) > 0 ? at : NULL;
    at += moment_count(task);
    s.best = best_count(task) > 0 ? at : NULL;
    s.metrics = at + best_count(task);
    return s;
}

static double slot(const void *state, size_t i)
{
    double value;

    memcpy(&value, (const char *)state + i * sizeof value, sizeof value);
    return value;
}

static int check(const struct task_spec *spec, struct error *error)
{
    if (!(spec->l2 >= 0) || !isfinite(spec->l2))
        return error_set(error, -EINVAL, "l2: found %g, expected 0 or more",
                         spec->l2);
    if (spec->rounds_max <= OVERHEAD_ROUNDS)
        return error_set(error, -EINVAL,
                         "rounds: found max: %u, expected at least %d (means, "
                         "scales, one round of training, metrics)",
                         spec->rounds_max, OVERHEAD_ROUNDS + 1);
    int code = pooled_check(spec, error);
    return code != 0 ? code : learn_check(spec, error);
}

static void build(struct task *t)
{
    const struct task_training *g = &t->spec->training;
    const bool mlp = strcmp(t->spec->kind, "mlp") == 0;
    const bool logistic = strcmp(t->spec->kind, "logistic") == 0;
    const bool one = logistic || (mlp && g->classes == 2);

    net_init(&t->net, t->data->column_count, g->hidden,
             mlp ? g->hidden_count : 0, one ? 1 : g->classes,
             g->activation == TASK_ACTIVATION_TANH ? NET_TANH : NET_RELU);
    t->kernel = mlp && g->precision == TASK_PRECISION_SINGLE ? &net32_kernel
                                                             : &net64_kernel;
    t->width = 1 + t->data->column_count;
    t->count = net_count(&t->net);
    for (size_t i = 0; i < t->data->row_count; i++)
        t->test += t->data->test[i];
    t->train = t->data->row_count - t->test;
}

static void wipe_free(void *bytes, size_t size)
{
    if (bytes != NULL)
        sodium_memzero(bytes, size);
    free(bytes);
}

/* What shows this site's own steps is wiped: in work they are without masks. */
static void close_task(struct task *task)
{
    if (task == NULL)
        return;
    const size_t rows = task->data->row_count;
    free(task->x);
    free(task->y);
    free(task->scale);
    free(task->seen);
    free(task->next);
    wipe_free(task->shift, (control_count(task) + 1) * sizeof *task->shift);
    wipe_free(task->p, (rows + 1) * sizeof *task->p);
    wipe_free(task->work, task->kernel->work_size(&task->net, rows));
    free(task);
}

static int allocate(struct task *t)
{
    const size_t rows = t->data->row_count;

    t->x = calloc((rows + 1) * t->width, t->kernel->real_size);
    t->y = calloc(rows + 1, sizeof *t->y);
    t->scale = calloc(2 * t->width, sizeof *t->scale);
    t->seen = calloc(train_slot_count(t), sizeof *t->seen);
    t->next = calloc(train_slot_count(t), sizeof *t->next);
    t->shift = calloc(control_count(t) + 1, sizeof *t->shift);
    t->p = calloc(rows + 1, sizeof *t->p);
    t->work = calloc(1, t->kernel->work_size(&t->net, rows));
    return t->x == NULL || t->y == NULL || t->scale == NULL ||
                   t->seen == NULL || t->next == NULL || t->shift == NULL ||
                   t->p == NULL || t->work == NULL
               ? -ENOMEM
               : 0;
}

static int open_task(struct task **task, const struct task_spec *spec,
                     const struct dataset *data, struct error *error)
{
    *task = NULL;
    int code = check(spec, error);
    if (code != 0)
        return code;
    struct task *t = calloc(1, sizeof *t);
    if (t == NULL)
        return error_set(error, -ENOMEM, "out of memory for the model");
    t->ops = &train_ops;
    t->spec = spec;
    t->data = data;
    t->method = (enum train_method)find(spec->method, methods, METHODS);
    assert(train_knows(spec->kind, spec->method));
    build(t);
    if (allocate(t) != 0) {
        code =
            error_set(error, -ENOMEM,
                      "out of memory for a model of %zu parameters", t->count);
        close_task(t);
        return code;
    }
    *task = t;
    return 0;
}

static size_t state_size(const struct task *task)
{
    return train_slot_count(task) * sizeof(double);
}

size_t train_metrics_length(const struct task *task)
{
    return NET_SUMS + 1 + (train_is_binary(task) ? (size_t)2 * METRIC_BINS : 0);
}

static bool is_narrow(const struct task_spec *spec)
{
    return spec->lane_bits == 16 || spec->lane_bits == 32;
}

static struct fixed_shape exact_lanes(const struct task_spec *spec)
{
    return (struct fixed_shape){
        .bound = fixed_bound(spec->members, spec->fraction_bits),
        .fraction_bits = spec->fraction_bits,
        .exact = true};
}

struct fixed_shape train_lanes(const struct task *task)
{
    const struct task_spec *spec = task->spec;

    if (!is_narrow(spec))
        return exact_lanes(spec);
    return (struct fixed_shape){.bound = spec->clip,
                                .lane_bits = spec->lane_bits,
                                .value_bits = spec->value_bits};
}

double train_gain(const struct task *task)
{
    return is_narrow(task->spec) ? task->spec->members : 1;
}

static size_t length(const struct task *task, enum train_phase phase,
                     size_t splits)
{
    const struct fixed_shape lanes = train_lanes(task);

    switch (phase) {
    case TRAIN_MEANS:
        return pooled_means_length(task->spec, task->width);
    case TRAIN_SCALES:
        return pooled_scales_length(task->width);
    case TRAIN_ROUNDS:
        return task->count + control_count(task) +
               splits * TRAIN_SPLIT * digits_count(&lanes);
    case TRAIN_MEASURE:
        return splits * train_metrics_length(task);
    default:
        return 0;
    }
}

static size_t length_max(const struct task *task)
{
    size_t most = 0;

    for (int phase = TRAIN_MEANS; phase < TRAIN_FINISHED; phase++) {
        size_t l = length(task, (enum train_phase)phase, 2);
        most = l > most ? l : most;
    }
    return most;
}

static size_t lanes_max(const struct task *task)
{
    const struct fixed_shape lanes = train_lanes(task);
    size_t most = 0;

    for (int phase = TRAIN_MEANS; phase < TRAIN_FINISHED; phase++) {
        size_t l = length(task, (enum train_phase)phase, 2);
        l *= phase == TRAIN_ROUNDS ? lanes_bytes(&lanes) : sizeof(uint64_t);
        most = l > most ? l : most;
    }
    return most;
}

static void start(const struct task *task, void *state)
{
    struct train_state s = train_view(task, task->next);
    uint8_t seed[PRG_SEED_BYTES] = "starling: an mlp's first weights";
    struct prg prg;

    for (size_t i = 0; i < 8; i++)
        seed[i] ^= (uint8_t)(task->spec->training.init >> 8 * i);
    prg_seed(&prg, seed);
    memset(task->next, 0, state_size(task));
    net_start(s.w, &task->net, &prg);
    s.slots[TRAIN_BEST] = (double)INFINITY;
    memcpy(state, task->next, state_size(task));
}

static struct fixed_shape shape(const struct task *task, const void *state)
{
    enum train_phase phase = (enum train_phase)slot(state, TRAIN_PHASE);
    size_t splits = slot(state, TRAIN_N_TEST) > 0 ? 2 : 1;
    struct fixed_shape s =
        phase == TRAIN_ROUNDS ? train_lanes(task) : exact_lanes(task->spec);

    s.length = length(task, phase, splits);
    return s;
}

static struct fixed_region mixed(const struct task *task, const void *state)
{
    (void)task, (void)state;
    return (struct fixed_region){0, 0, 0};
}

static const char *phase_name(const struct task *task, const void *state)
{
    static const char *const names[] = {"means",   "scales",   NULL,
                                        "metrics", "finished", "failed"};
    size_t phase = (size_t)slot(state, TRAIN_PHASE);

    return phase == TRAIN_ROUNDS ? methods[task->method] : names[phase];
}

static double loss(const struct task *task, const void *state)
{
    (void)task;
    return slot(state, TRAIN_MEASURED) == 0 ? (double)NAN
                                            : slot(state, TRAIN_LOSS);
}

static struct task_watch watch(const struct task *task, const void *state)
{
    struct task_watch w = {(double)NAN, (double)NAN, (double)NAN};

    (void)task;
    if (slot(state, TRAIN_MEASURED) == 0)
        return w;
    w.accuracy = slot(state, TRAIN_ACCURACY);
    if (slot(state, TRAIN_N_TEST) > 0) {
        w.test_loss = slot(state, TRAIN_TEST_LOSS);
        w.test_accuracy = slot(state, TRAIN_TEST_ACCURACY);
    }
    return w;
}

static double cell(const struct task *task, const double *scale, size_t i,
                   size_t j)
{
    const double v = task->data->x[i * (task->width - 1) + j - 1];

    if (task->spec->standardise == TASK_STANDARDISE_NONE)
        return isnan(v) ? scale[j] : v;
    return isnan(v) ? 0 : (v - scale[j]) / scale[task->width + j];
}

void train_prepare(struct task *task, const double *scale)
{
    const size_t width = task->width, size = 2 * width * sizeof *scale;
    size_t next[2] = {0, task->train};

    if (task->made && memcmp(task->scale, scale, size) == 0)
        return;
    memcpy(task->scale, scale, size);
    task->made = true;
    for (size_t i = 0; i < task->data->row_count; i++) {
        const size_t row = next[task->data->test[i]]++;
        for (size_t j = 0; j < width; j++) {
            const double v = j == 0 ? 1 : cell(task, scale, i, j);
            if (task->kernel == &net32_kernel)
                ((float *)task->x)[row * width + j] = (float)v;
            else
                ((double *)task->x)[row * width + j] = v;
        }
        task->y[row] = (int32_t)task->data->y[i];
    }
}

const struct task_ops train_ops = {.kind = "any",
                                   .method = "fedavg",
                                   .open = open_task,
                                   .close = close_task,
                                   .state_size = state_size,
                                   .memory_size = learn_memory_size,
                                   .length_max = length_max,
                                   .lanes_max = lanes_max,
                                   .start = start,
                                   .shape = shape,
                                   .contribute = learn_contribute,
                                   .absorb = mix_absorb,
                                   .mixed = mixed,
                                   .phase = phase_name,
                                   .loss = loss,
                                   .watch = watch,
                                   .report = outcome_fill};
