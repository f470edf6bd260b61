#include "node/schema.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "node/pods.h"
#include "node/sites.h"
#include "node/sums.h"
#include "node/take.h"
#include "node/training.h"
#include "node/virtual.h"

enum {
    FRACTION_BITS = 32,
    ROUNDS_MAX = 50,
    DAY_MS = 86400000,
    ACTIVE_SITES_MIN = 5
};

static int read_categorical(struct study *study, const struct reader *r,
                            int list, struct error *error)
{
    static const struct reader_key keys[] = {
        {"column", READER_TEXT, true, 0, 0, "the name of a column"},
        {"levels", READER_TEXTS, true, 0, 0, "a list of at least two levels"},
    };
    size_t count = reader_count(r, list);
    struct reader_value v[2];

    if (count == 0)
        return 0;
    study->task.categorical = calloc(count, sizeof *study->task.categorical);
    if (study->task.categorical == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", study->path);
    for (size_t i = 0; i < count; i++) {
        struct task_categorical *c = &study->task.categorical[i];
        study->task.categorical_count = i + 1;
        int code = reader_map(v, r, reader_item(r, list, i), keys, 2,
                              "categorical", error);
        if (code == 0)
            code = take_text(&c->column, study, v[0].text, error);
        if (code == 0)
            code = take_texts(&c->levels, &c->level_count, study, r, v[1].node,
                              error);
        if (code != 0)
            return code;
        if (c->level_count < 2)
            return reader_fail(r, v[1].line, error,
                               "levels: found one level of '%s', expected at "
                               "least two",
                               c->column);
    }
    return 0;
}

static int read_split(struct task_spec *task, const struct study *study,
                      const struct reader *r, int node, struct error *error)
{
    static const struct reader_key keys[] = {
        {"column", READER_TEXT, true, 0, 0, "the name of a column"},
        {"train", READER_TEXT, false, 0, 0, "its value in training rows"},
        {"test", READER_TEXT, false, 0, 0, "its value in test rows"},
    };
    struct reader_value v[3];
    int code = reader_map(v, r, node, keys, 3, "split", error);

    if (code == 0)
        code = take_text(&task->split_column, study, v[0].text, error);
    if (code == 0)
        code = take_text(&task->split_train, study,
                         v[1].line == 0 ? "train" : v[1].text, error);
    if (code == 0)
        code = take_text(&task->split_test, study,
                         v[2].line == 0 ? "test" : v[2].text, error);
    if (code == 0 && strcmp(task->split_train, task->split_test) == 0)
        code = reader_fail(r, reader_line(r, node), error,
                           "split: found '%s' for both train and test, "
                           "expected two values",
                           task->split_train);
    return code;
}

/* A column has one part to play; features may name a categorical one. */
static int check_columns(const struct study *study, const struct reader *r,
                         uint32_t line, struct error *error)
{
    const struct task_spec *t = &study->task;
    const char *parts[2] = {t->target, t->split_column};
    const char *words[2] = {"the target", "the split's column"};

    assert(t->target != NULL);
    for (size_t p = 0; p < 2; p++) {
        const char *other = NULL;
        for (size_t i = 0; parts[p] != NULL && i < t->feature_count; i++)
            if (strcmp(t->features[i], parts[p]) == 0)
                other = "a feature";
        for (size_t i = 0; parts[p] != NULL && i < t->categorical_count; i++)
            if (strcmp(t->categorical[i].column, parts[p]) == 0)
                other = "categorical";
        if (p == 1 && parts[1] != NULL && strcmp(parts[0], parts[1]) == 0)
            other = words[0];
        if (other != NULL)
            return reader_fail(r, line, error,
                               "task: found '%s' as %s and as %s, expected one "
                               "of the two",
                               parts[p], words[p], other);
    }
    for (size_t i = 1; i < t->categorical_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(t->categorical[i].column, t->categorical[j].column) == 0)
                return reader_fail(r, line, error,
                                   "categorical: found '%s' twice, expected it "
                                   "once",
                                   t->categorical[i].column);
    return 0;
}

enum {
    TASK_KIND,
    TASK_METHOD,
    TASK_TARGET,
    TASK_FEATURES,
    TASK_CATEGORICAL,
    TASK_SPLIT,
    TASK_MISSING,
    TASK_STANDARDISE,
    TASK_L2,
    TASK_TRAINING,
    TASK_KEYS = TASK_TRAINING + TRAINING_TASK_KEYS
};

static const struct reader_key task_keys[TASK_TRAINING] = {
    {"kind", READER_TEXT, true, 0, 0, "linear, logistic, softmax or mlp"},
    {"method", READER_TEXT, false, 0, 0, "newton, fedavg, …"},
    {"target", READER_TEXT, true, 0, 0, "the name of a column"},
    {"features", READER_TEXTS, false, 0, 0, "a list of columns"},
    {"categorical", READER_LIST, false, 0, 0, ""},
    {"split", READER_MAP, false, 0, 0, ""},
    {"missing", READER_WORD, false, 0, 0, "drop|mean|fail"},
    {"standardise", READER_WORD, false, 0, 0, "pooled|none"},
    {"l2", READER_REAL, false, 0, 1e12, ""},
};

static int read_columns(struct study *study, const struct reader *r,
                        const struct reader_value *v, struct error *error)
{
    struct task_spec *t = &study->task;
    int code = take_text(&t->target, study, v[TASK_TARGET].text, error);

    study->features_given = v[TASK_FEATURES].line != 0;
    if (code == 0 && study->features_given)
        code = take_texts(&t->features, &t->feature_count, study, r,
                          v[TASK_FEATURES].node, error);
    if (code == 0 && v[TASK_CATEGORICAL].line != 0)
        code = read_categorical(study, r, v[TASK_CATEGORICAL].node, error);
    if (code == 0 && v[TASK_SPLIT].line != 0)
        code = read_split(t, study, r, v[TASK_SPLIT].node, error);
    return code;
}

/* The line of the key that a message of the task begins with. */
static uint32_t task_line(const struct reader_value *v, const char *message)
{
    if (strncmp(message, "method", 6) == 0 && v[TASK_METHOD].line != 0)
        return v[TASK_METHOD].line;
    return v[TASK_KIND].line;
}

static int read_task(struct study *study, const struct reader *r, int node,
                     struct error *error)
{
    struct reader_key keys[TASK_KEYS];
    struct reader_value v[TASK_KEYS];
    struct task_spec *t = &study->task;
    struct error why;

    memcpy(keys, task_keys, sizeof task_keys);
    memcpy(keys + TASK_TRAINING, training_task_keys, sizeof training_task_keys);
    int code = reader_map(v, r, node, keys, TASK_KEYS, "task", error);

    if (code == 0)
        code = take_text(&t->kind, study, v[TASK_KIND].text, error);
    if (code == 0)
        code = take_text(&t->method, study,
                         v[TASK_METHOD].line == 0 ? task_method(t->kind)
                                                  : v[TASK_METHOD].text,
                         error);
    if (code == 0 && task_find(t, &why) == NULL)
        code = reader_fail(r, task_line(v, why.text), error, "%s", why.text);
    if (code == 0)
        code = training_task(study, r, task_line(v, "kind"), v + TASK_TRAINING,
                             error);
    if (code == 0)
        code = read_columns(study, r, v, error);
    if (code != 0)
        return code;
    t->missing = (enum task_missing)v[TASK_MISSING].word;
    t->standardise = (enum task_standardise)v[TASK_STANDARDISE].word;
    t->l2 = v[TASK_L2].real;
    return check_columns(study, r, reader_line(r, node), error);
}

static int read_rounds(struct study *study, const struct reader *r, int node,
                       struct error *error)
{
    enum { MAX, DEADLINE, GRACE, LINGER, TOLERANCE, OWN_KEYS };
    enum { KEYS = OWN_KEYS + TRAINING_ROUNDS_KEYS };
    static const struct reader_key own[OWN_KEYS] = {
        {"max", READER_INTEGER, false, 1, 100000, ""},
        {"deadline_ms", READER_INTEGER, false, 1, DAY_MS, ""},
        {"grace_ms", READER_INTEGER, false, 0, DAY_MS, ""},
        {"linger_ms", READER_INTEGER, false, 0, DAY_MS, ""},
        {"tolerance", READER_REAL, false, 1e-15, 1, ""},
    };
    struct reader_key keys[KEYS];
    struct reader_value v[KEYS];

    memcpy(keys, own, sizeof own);
    memcpy(keys + OWN_KEYS, training_rounds_keys, sizeof training_rounds_keys);
    int code = reader_map(v, r, node, keys, KEYS, "rounds", error);
    if (code == 0)
        code = training_rounds(study, r, v + OWN_KEYS, error);
    if (code != 0)
        return code;
    if (v[MAX].line != 0)
        study->rounds_max = (uint32_t)v[MAX].integer;
    if (v[DEADLINE].line != 0)
        study->deadline_ms = v[DEADLINE].integer;
    if (v[GRACE].line != 0)
        study->grace_ms = v[GRACE].integer;
    if (v[LINGER].line != 0)
        study->linger_ms = v[LINGER].integer;
    if (v[TOLERANCE].line != 0)
        study->task.tolerance = v[TOLERANCE].real;
    study->task.rounds_max = study->rounds_max;
    if (v[OWN_KEYS + TRAINING_STEP].line != 0)
        study->task.step = v[OWN_KEYS + TRAINING_STEP].real;
    return 0;
}

enum {
    VERSION,
    STUDY,
    TRUST,
    ON_LOSS,
    WAIT_MS,
    SITES,
    TASK,
    ROUNDS,
    SUM,
    SEED,
    NETWORK,
    PODS,
    TOP_KEYS = PODS + 5
};

static const struct reader_key top_keys[TOP_KEYS] = {
    {"version", READER_TEXT, true, 0, 0, "1"},
    {"study", READER_TEXT, true, 0, 0, "the study's name"},
    {"trust", READER_WORD, false, 0, 0, "semi-honest|active"},
    {"on_loss", READER_WORD, false, 0, 0, "wait|stop|continue"},
    {"wait_ms", READER_INTEGER, false, 1, 1e15, ""},
    {"sites", READER_LIST, true, 0, 0, ""},
    {"task", READER_MAP, true, 0, 0, ""},
    {"rounds", READER_MAP, false, 0, 0, ""},
    {"sum", READER_MAP, false, 0, 0, ""},
    {"seed", READER_INTEGER, false, 0, 9007199254740992, ""},
    {"network", READER_MAP, false, 0, 0, ""},
    {"pods", READER_MAP, false, 0, 0, ""},
    {"privacy", READER_LATER, false, 0, 0, "no noise is added to sums"},
    {"participants", READER_LATER, false, 0, 0, "list the members in 'sites'"},
    {"schedule", READER_LATER, false, 0, 0, "remove the key"},
    {"release", READER_LATER, false, 0, 0, "remove the key"},
};

static int read_head(struct study *study, const struct reader *r,
                     const struct reader_value *v, struct error *error)
{
    const char *name = v[STUDY].text;

    if (strcmp(v[VERSION].text, "1") != 0)
        return reader_fail(r, v[VERSION].line, error,
                           "version: found '%.40s', expected 1",
                           v[VERSION].text);
    if (!take_is_name(name, "0123456789-") ||
        name[strcspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0')
        return reader_fail(r, v[STUDY].line, error,
                           "study: found '%.60s', expected 1 to 40 of a-z, "
                           "0-9 and '-'",
                           name);
    if (v[WAIT_MS].line != 0 && v[ON_LOSS].word == 1)
        return reader_fail(r, v[WAIT_MS].line, error,
                           "wait_ms: found it with 'on_loss: stop', expected "
                           "'wait' or 'continue'; remove one");
    memcpy(study->name, name, strlen(name) + 1);
    study->on_loss = (enum gossip_on_loss)v[ON_LOSS].word;
    study->active = study->verify = v[TRUST].word == 1;
    study->wait_ms = v[WAIT_MS].integer;
    study->seed = v[SEED].integer;
    return 0;
}

static void defaults(struct study *study)
{
    study->rounds_max = study->task.rounds_max = ROUNDS_MAX;
    study->deadline_ms = 5000;
    study->grace_ms = 200;
    study->linger_ms = 10000;
    study->task.tolerance = 1e-9;
    study->task.fraction_bits = FRACTION_BITS;
    study->task.lane_bits = 64;
    training_defaults(&study->task.training);
    study->end_ms = 600000;
}

/* What pods average in mode gossip must be a state that can be averaged. */
static int check_mixed(const struct study *study, const struct reader *r,
                       uint32_t line, struct error *error)
{
    struct error why;
    const struct task_ops *ops = task_find(&study->task, &why);

    assert(ops != NULL);
    if (study->pod_count == 0 || study->exact || ops->settle != NULL)
        return 0;
    return reader_fail(r, line, error,
                       "pods: found 'mode: gossip' with method '%s', expected "
                       "'mode: exact': only method dgd can be averaged",
                       study->task.method);
}

static int check_active(const struct study *study, const struct reader *r,
                        uint32_t line, struct error *error)
{
    uint32_t least = study->site_count;

    for (uint32_t p = 0; p < study->pod_count; p++)
        if (study->pods[p].site_count < least)
            least = study->pods[p].site_count;
    if (least >= ACTIVE_SITES_MIN)
        return 0;
    return reader_fail(r, line, error,
                       "trust: found 'active' with %u sites, expected at "
                       "least %u: fewer cannot outvote one that lies",
                       least, ACTIVE_SITES_MIN);
}

int schema_read(struct study *study, const struct reader *r,
                struct error *error)
{
    struct reader_value v[TOP_KEYS];
    int code = reader_map(v, r, reader_root(r), top_keys, TOP_KEYS, "the study",
                          error);

    defaults(study);
    if (code == 0)
        code = read_head(study, r, v, error);
    if (code == 0)
        code = sites_read(
            study, r, v[SITES].node,
            v[PODS].line == 0 ? GOSSIP_MEMBERS_MAX : PODS_SITES_MAX, error);
    if (code == 0 && v[PODS].line != 0)
        code = pods_read(study, r, v[PODS].node, error);
    if (code == 0 && study->active)
        code = check_active(study, r, v[TRUST].line, error);
    if (code == 0)
        code = read_task(study, r, v[TASK].node, error);
    if (code == 0)
        code = check_mixed(study, r, v[PODS].line, error);
    if (code == 0 && v[ROUNDS].line != 0)
        code = read_rounds(study, r, v[ROUNDS].node, error);
    if (code == 0)
        code = sums_read(study, r, v[SUM].line == 0 ? 0 : v[SUM].node,
                         v[SUM].line, v[PODS].line, error);
    if (code == 0 && v[NETWORK].line != 0)
        code = virtual_read(study, r, v[NETWORK].node, error);
    return code;
}
