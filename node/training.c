#include "node/training.h"

#include <string.h>

/* Adam's first steps are about as long, whatever the sites send. */
static const double adam_step = 0.1;

const struct reader_key training_task_keys[TRAINING_TASK_KEYS] = {
    {"classes", READER_INTEGER, false, 2, TASK_CLASSES_MAX, ""},
    {"hidden", READER_LIST, false, 0, 0, ""},
    {"activation", READER_WORD, false, 0, 0, "relu|tanh"},
    {"precision", READER_WORD, false, 0, 0, "single|double"},
    {"init", READER_INTEGER, false, 0, 9007199254740992, ""},
    {"mu", READER_REAL, false, 0, 1e6, ""},
    {"server_step", READER_REAL, false, 0, 1e6, ""},
};

const struct reader_key training_rounds_keys[TRAINING_ROUNDS_KEYS] = {
    {"local_steps", READER_INTEGER, false, 1, 100000, ""},
    {"local_epochs", READER_INTEGER, false, 1, 100000, ""},
    {"batch", READER_INTEGER, false, 0, 1e12, ""},
    {"step", READER_REAL, false, 0, 1e6, ""},
    {"momentum", READER_REAL, false, 0, 0.9999, ""},
    {"schedule", READER_WORD, false, 0, 0, "constant|exponential|cosine"},
    {"decay", READER_REAL, false, 1e-9, 1, ""},
    {"patience", READER_INTEGER, false, 1, 100000, ""},
};

void training_defaults(struct task_training *training)
{
    *training =
        (struct task_training){.local_steps = 1, .decay = 1, .server_step = 1};
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

bool training_is_exact(const struct study *study)
{
    return is(study->task.method, "newton") || is(study->task.method, "dgd");
}

static int useless(const struct reader *r, const struct reader_value *v,
                   const char *key, const char *what, const char *name,
                   struct error *error)
{
    return reader_fail(r, v->line, error,
                       "%s: found it with %s '%s', which has no use for it; "
                       "remove the key",
                       key, what, name);
}

static int read_hidden(struct task_training *t, const struct reader *r,
                       const struct reader_value *v, struct error *error)
{
    const size_t count = reader_count(r, v->node);
    double units;

    if (count < 1 || count > TASK_HIDDEN_MAX)
        return reader_fail(r, v->line, error,
                           "hidden: found %zu layers, expected 1 to %d", count,
                           TASK_HIDDEN_MAX);
    for (size_t i = 0; i < count; i++) {
        int item = reader_item(r, v->node, i);
        const char *text = reader_text(r, item);
        if (reader_real(&units, r, item) != 0 || !(units >= 1) ||
            units > 65536 || units != (double)(size_t)units)
            return reader_fail(r, reader_line(r, item), error,
                               "hidden: found '%s', expected units of each "
                               "layer, whole numbers 1 to 65536",
                               text == NULL ? "" : text);
        t->hidden[i] = (size_t)units;
    }
    t->hidden_count = count;
    return 0;
}

static int check_kind(const struct study *s, const struct reader *r,
                      const struct reader_value *v, struct error *error)
{
    const bool mlp = is(s->task.kind, "mlp");
    const bool softmax = is(s->task.kind, "softmax");

    for (int i = TRAINING_CLASSES; i <= TRAINING_INIT; i++)
        if (v[i].line != 0 && !mlp && !(softmax && i == TRAINING_CLASSES))
            return useless(r, &v[i], training_task_keys[i].name, "kind",
                           s->task.kind, error);
    return 0;
}

static int check_method(const struct study *s, const struct reader *r,
                        const struct reader_value *v, struct error *error)
{
    const char *method = s->task.method;
    const struct reader_value *mu = &v[TRAINING_MU];
    const struct reader_value *by = &v[TRAINING_SERVER_STEP];

    if (mu->line != 0 && !is(method, "fedprox"))
        return useless(r, mu, "mu", "method", method, error);
    if (by->line != 0 && training_is_exact(s))
        return useless(r, by, "server_step", "method", method, error);
    if (by->line != 0 && !(by->real > 0))
        return reader_fail(r, by->line, error,
                           "server_step: found 0, expected more");
    if (mu->line != 0 && !(mu->real > 0))
        return reader_fail(r, mu->line, error, "mu: found 0, expected more");
    return 0;
}

static int check_needs(const struct study *s, const struct reader *r,
                       uint32_t line, const struct reader_value *v,
                       struct error *error)
{
    const char *key = NULL, *with = s->task.kind;

    if (is(s->task.kind, "mlp") && v[TRAINING_HIDDEN].line == 0)
        key = "hidden";
    if (is(s->task.kind, "softmax") && v[TRAINING_CLASSES].line == 0)
        key = "classes";
    if (is(s->task.method, "fedprox") && v[TRAINING_MU].line == 0) {
        key = "mu";
        with = s->task.method;
    }
    if (key == NULL)
        return 0;
    return reader_fail(r, line, error, "%s: expected it with '%s'; add the key",
                       key, with);
}

int training_task(struct study *study, const struct reader *r, uint32_t line,
                  const struct reader_value *v, struct error *error)
{
    struct task_training *t = &study->task.training;
    int code = check_kind(study, r, v, error);

    if (code == 0)
        code = check_needs(study, r, line, v, error);
    if (code == 0)
        code = check_method(study, r, v, error);
    if (code == 0 && v[TRAINING_HIDDEN].line != 0)
        code = read_hidden(t, r, &v[TRAINING_HIDDEN], error);
    if (code != 0)
        return code;
    t->classes = v[TRAINING_CLASSES].line != 0
                     ? (uint32_t)v[TRAINING_CLASSES].integer
                     : 2;
    t->activation = (enum task_activation)v[TRAINING_ACTIVATION].word;
    t->precision = (enum task_precision)v[TRAINING_PRECISION].word;
    t->init = v[TRAINING_INIT].integer;
    t->mu = v[TRAINING_MU].real;
    if (!training_is_exact(study))
        study->task.step = 0.1;
    if (is(study->task.method, "fedadam"))
        t->server_step = adam_step;
    if (v[TRAINING_SERVER_STEP].line != 0)
        t->server_step = v[TRAINING_SERVER_STEP].real;
    return 0;
}

/* `step` and one local step on all rows are what exact methods have always
 * taken without complaint. */
static int check_exact(const struct study *s, const struct reader *r,
                       const struct reader_value *v, struct error *error)
{
    for (int i = 0; i < TRAINING_ROUNDS_KEYS; i++) {
        const bool fine = i == TRAINING_STEP ||
                          (i == TRAINING_LOCAL_STEPS && v[i].integer == 1) ||
                          (i == TRAINING_BATCH && v[i].integer == 0);
        if (v[i].line != 0 && !fine)
            return useless(r, &v[i], training_rounds_keys[i].name, "method",
                           s->task.method, error);
    }
    return 0;
}

static int check_one_step(const struct reader *r, const struct reader_value *v,
                          struct error *error)
{
    uint32_t line = 0;

    if (v[TRAINING_LOCAL_STEPS].line != 0 &&
        v[TRAINING_LOCAL_STEPS].integer != 1)
        line = v[TRAINING_LOCAL_STEPS].line;
    if (v[TRAINING_LOCAL_EPOCHS].line != 0)
        line = v[TRAINING_LOCAL_EPOCHS].line;
    if (v[TRAINING_BATCH].integer != 0)
        line = v[TRAINING_BATCH].line;
    if (v[TRAINING_MOMENTUM].real > 0)
        line = v[TRAINING_MOMENTUM].line;
    if (line == 0)
        return 0;
    return reader_fail(r, line, error,
                       "rounds: found local steps, batches or momentum with "
                       "'fedsgd', which takes one step on all rows; remove "
                       "them, or use 'fedavg'");
}

static int check_rounds(const struct study *s, const struct reader *r,
                        const struct reader_value *v, struct error *error)
{
    const struct reader_value *steps = &v[TRAINING_LOCAL_STEPS];
    const struct reader_value *epochs = &v[TRAINING_LOCAL_EPOCHS];
    const struct reader_value *decay = &v[TRAINING_DECAY];

    if (steps->line != 0 && epochs->line != 0)
        return reader_fail(r, epochs->line, error,
                           "local_epochs: found it beside local_steps, "
                           "expected one of the two");
    if (v[TRAINING_STEP].line != 0 && !(v[TRAINING_STEP].real > 0))
        return reader_fail(r, v[TRAINING_STEP].line, error,
                           "step: found 0, expected more");
    if ((decay->line != 0) != (v[TRAINING_SCHEDULE].word == 1))
        return reader_fail(
            r, decay->line != 0 ? decay->line : v[TRAINING_SCHEDULE].line,
            error,
            "decay: expected it with 'schedule: exponential', "
            "and there only");
    return is(s->task.method, "fedsgd") ? check_one_step(r, v, error) : 0;
}

int training_rounds(struct study *study, const struct reader *r,
                    const struct reader_value *v, struct error *error)
{
    struct task_training *t = &study->task.training;
    int code = training_is_exact(study) ? check_exact(study, r, v, error)
                                        : check_rounds(study, r, v, error);

    if (code != 0)
        return code;
    if (v[TRAINING_LOCAL_STEPS].line != 0)
        t->local_steps = v[TRAINING_LOCAL_STEPS].integer;
    t->local_epochs = v[TRAINING_LOCAL_EPOCHS].integer;
    if (t->local_epochs > 0)
        t->local_steps = 0;
    t->batch = v[TRAINING_BATCH].integer;
    t->momentum = v[TRAINING_MOMENTUM].real;
    t->schedule = (enum task_schedule)v[TRAINING_SCHEDULE].word;
    if (v[TRAINING_DECAY].line != 0)
        t->decay = v[TRAINING_DECAY].real;
    t->patience = (uint32_t)v[TRAINING_PATIENCE].integer;
    return 0;
}
