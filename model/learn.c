#include "model/learn.h"

#include <assert.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "crypto/lanes.h"
#include "model/digits.h"
#include "model/metric.h"
#include "model/pooled.h"
#include "model/train.h"

static const double pi = 3.14159265358979323846;

static int wrong(struct error *error, const char *what, double found,
                 const char *expected)
{
    return error_set(error, -EINVAL, "%s: found %g, expected %s", what, found,
                     expected);
}

static int check_network(const struct task_spec *spec, struct error *error)
{
    const struct task_training *t = &spec->training;
    const bool mlp = strcmp(spec->kind, "mlp") == 0;

    if (strcmp(spec->kind, "logistic") != 0 &&
        (t->classes < 2 || t->classes > TASK_CLASSES_MAX))
        return wrong(error, "classes", t->classes,
                     "the number of classes, 2 to 1000");
    if (mlp && (t->hidden_count < 1 || t->hidden_count > TASK_HIDDEN_MAX))
        return wrong(error, "hidden", (double)t->hidden_count,
                     "the sizes of 1 to 8 layers");
    for (size_t i = 0; mlp && i < t->hidden_count; i++)
        if (t->hidden[i] < 1)
            return wrong(error, "hidden", (double)t->hidden[i],
                         "layers of 1 unit or more");
    return 0;
}

int learn_check(const struct task_spec *spec, struct error *error)
{
    const struct task_training *t = &spec->training;

    if (!(spec->step > 0) || !isfinite(spec->step))
        return wrong(error, "step", spec->step, "more than 0");
    if (!(t->momentum >= 0 && t->momentum < 1))
        return wrong(error, "momentum", t->momentum, "0 or more, below 1");
    if (t->local_steps == 0 && t->local_epochs == 0)
        return wrong(error, "local_steps", 0, "1 or more");
    if (!(t->server_step > 0) || !isfinite(t->server_step))
        return wrong(error, "server_step", t->server_step, "more than 0");
    if (t->schedule == TASK_SCHEDULE_EXPONENTIAL &&
        !(t->decay > 0 && t->decay <= 1))
        return wrong(error, "decay", t->decay, "more than 0, at most 1");
    if (strcmp(spec->method, "fedprox") == 0 &&
        (!(t->mu > 0) || !isfinite(t->mu)))
        return wrong(error, "mu", t->mu, "more than 0 with 'fedprox'");
    if (strcmp(spec->method, "fedsgd") == 0 &&
        (t->local_steps != 1 || t->batch != 0 || t->momentum > 0))
        return error_set(error, -EINVAL,
                         "method: found 'fedsgd' with local steps, batches or "
                         "momentum, expected local_steps: 1, batch: 0 and no "
                         "momentum, or 'fedavg'");
    return check_network(spec, error);
}

/* Round (of TRAIN_SUMS, + 1) that `after` was computed in, before[count],
 * after[count]. */
static size_t memory_count(const struct task *task)
{
    return task->method == TRAIN_SCAFFOLD ? 1 + 2 * task->count : 0;
}

size_t learn_memory_size(const struct task *task)
{
    return memory_count(task) * sizeof(double);
}

static double step_of(const struct task *task, const struct train_state *s)
{
    const struct task_training *t = &task->spec->training;
    const double step = task->spec->step;
    const double done = s->slots[TRAIN_TRAINED];
    /* The metrics take the last of the sums. */
    const double all =
        task->spec->rounds_max - (s->slots[TRAIN_SUMS] - done) - 1;

    if (t->schedule == TASK_SCHEDULE_EXPONENTIAL)
        return step * pow(t->decay, done);
    if (t->schedule == TASK_SCHEDULE_COSINE)
        return step * (1 + cos(pi * done / all)) / 2;
    return step;
}

static uint64_t steps_of(const struct task *task)
{
    const struct task_training *t = &task->spec->training;
    const uint64_t rows = task->train;
    const uint64_t batch = t->batch == 0 || t->batch > rows ? rows : t->batch;

    if (t->local_steps > 0)
        return t->local_steps;
    return t->local_epochs * ((rows + batch - 1) / batch);
}

/* The own control variate that this round begins with; memory then expects
 * what it ends with. */
static double *own_control(double *memory, const struct train_state *s,
                           size_t count)
{
    double *before = memory + 1, *after = before + count;
    const double round = s->slots[TRAIN_SUMS] + 1;

    if (memory[0] != round)
        memcpy(before, after, count * sizeof *before);
    memory[0] = round;
    return before;
}

/* steps * step; with momentum a gradient also counts in all steps after its
 * own. 0: steps too small to tell a gradient from. */
static double length_of(const struct net_descent *d)
{
    const double b = d->momentum, k = (double)d->steps;
    const double length = d->step * (k - b * (1 - pow(b, k)) / (1 - b));

    return length > DBL_MIN ? length / (1 - b) : 0;
}

/* Option II: c_k+ = c_k - c + (w - v) / (steps * step). It is c_k+ that is
 * sent, not the difference, so that what rounding does to a sum does not add
 * up over the rounds. It is cut to +-most here: what the lanes would cut off,
 * they would carry over to a value that replaces it. */
static void renew_control(double *control, double *own,
                          const struct train_state *s, const double *delta,
                          size_t count, double length, double most)
{
    double *after = own + count;

    for (size_t i = 0; i < count; i++) {
        double c = own[i];
        if (length > 0)
            c -= s->control[i] + delta[i] / length;
        control[i] = after[i] = fmin(fmax(c, -most), most);
    }
}

static void measure_split(const struct task *task, double *sums,
                          const double *w, size_t first, size_t rows)
{
    double *p = train_is_binary(task) ? task->p : NULL;
    const char *from = task->x;

    task->kernel->measure(sums, p, &task->net, w,
                          from + first * task->width * task->kernel->real_size,
                          task->y + first, rows, task->work);
}

/* Both splits' rows, loss and hits. */
static bool send_numbers(const struct task *task, double *x,
                         const struct train_state *s)
{
    const struct fixed_shape lanes = train_lanes(task);
    const size_t splits = s->slots[TRAIN_N_TEST] > 0 ? 2 : 1;
    const size_t step = digits_count(&lanes);
    bool fine = true;

    for (size_t i = 0; i < splits; i++, x += TRAIN_SPLIT * step) {
        const size_t rows = i == 0 ? task->train : task->test;
        double sums[NET_SUMS];
        measure_split(task, sums, s->w, i == 0 ? 0 : task->train, rows);
        const double numbers[TRAIN_SPLIT] = {
            [TRAIN_SPLIT_ROWS] = (double)rows,
            [TRAIN_SPLIT_LOSS] = sums[NET_LOSS],
            [TRAIN_SPLIT_CORRECT] = sums[NET_CORRECT]};
        for (size_t n = 0; n < TRAIN_SPLIT; n++)
            fine = digits_write(x + n * step, numbers[n], &lanes) && fine;
    }
    return fine;
}

static void send_metrics(const struct task *task, double *x,
                         const struct train_state *s)
{
    const size_t splits = s->slots[TRAIN_N_TEST] > 0 ? 2 : 1;

    for (size_t i = 0; i < splits; i++) {
        const size_t first = i == 0 ? 0 : task->train;
        const size_t rows = i == 0 ? task->train : task->test;
        double *to = x + i * train_metrics_length(task);
        double *positives = to + NET_SUMS + 1;
        double *negatives = positives + METRIC_BINS;
        to[NET_SUMS] = (double)rows;
        measure_split(task, to, s->w, first, rows);
        if (!train_is_binary(task))
            continue;
        memset(positives, 0, (size_t)2 * METRIC_BINS * sizeof *positives);
        for (size_t r = 0; r < rows; r++)
            (task->y[first + r] == 1 ? positives
                                     : negatives)[metric_bin(task->p[r])] += 1;
    }
}

static struct net_descent descent_of(const struct task *task,
                                     const struct train_state *s,
                                     struct prg *prg)
{
    const struct task_training *t = &task->spec->training;

    return (struct net_descent){.net = &task->net,
                                .x = task->x,
                                .y = task->y,
                                .rows = task->train,
                                .start = s->w,
                                .step = step_of(task, s),
                                .momentum = t->momentum,
                                .ridge =
                                    task->spec->l2 / s->slots[TRAIN_N_TRAIN],
                                .mu = task->method == TRAIN_FEDPROX ? t->mu : 0,
                                .steps = steps_of(task),
                                .batch = t->batch,
                                .prg = prg};
}

static int runs_away(const struct task *task, struct error *error)
{
    return error_set(error, -ERANGE,
                     "%s: training runs away: the values of this round are too "
                     "large to be summed; use a smaller step, standardise the "
                     "columns, or look for extreme values in them",
                     task->data->path);
}

static int send_round(struct task *task, double *x, double *memory,
                      const struct train_state *s, struct prg *prg,
                      struct error *error)
{
    const size_t count = task->count;
    const double weight =
        train_gain(task) * (double)task->train / s->slots[TRAIN_N_TRAIN];
    struct net_descent d = descent_of(task, s, prg);
    double *own = NULL, *end = x + count;

    if (task->method == TRAIN_SCAFFOLD) {
        own = own_control(memory, s, count);
        for (size_t i = 0; i < count; i++)
            task->shift[i] = s->control[i] - own[i];
        d.shift = task->shift;
    }
    task->kernel->descend(x, &d, task->work);
    if (own != NULL) {
        const double most = train_lanes(task).bound / weight;
        renew_control(end, own, s, x, count, length_of(&d), most);
        end += count;
    }
    for (double *value = x; value < end; value++)
        *value *= weight;
    return send_numbers(task, end, s) ? 0 : runs_away(task, error);
}

int learn_contribute(struct task *task, double *x, void *memory,
                     const void *state, struct prg *prg, struct error *error)
{
    struct train_state s = train_view(task, task->seen);
    const struct fixed_shape shape = task->ops->shape(task, state);
    size_t at;
    int code = 0;

    memcpy(task->seen, state, task->ops->state_size(task));
    enum train_phase phase = (enum train_phase)s.slots[TRAIN_PHASE];
    assert(phase < TRAIN_FINISHED);
    if (phase == TRAIN_MEANS)
        code = pooled_send_means(x, task->spec, task->data, error);
    else if (phase == TRAIN_SCALES)
        code = pooled_send_scales(x, task->spec, task->data, s.scale, error);
    else
        train_prepare(task, s.scale);
    if (code == 0 && phase == TRAIN_ROUNDS)
        code = send_round(task, x, memory, &s, prg, error);
    if (code == 0 && phase == TRAIN_MEASURE)
        send_metrics(task, x, &s);
    if (code == 0 && lanes_check(x, &shape, &at) != 0)
        code = runs_away(task, error);
    return code;
}
