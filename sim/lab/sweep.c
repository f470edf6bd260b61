#include "sim/lab/sweep.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 1000, KEYS = 15 };

static const double alpha_least = 1e-6, most = 1e12;

static double *place_of(struct experiment *e, const char *key)
{
    if (strcmp(key, "network.loss") == 0)
        return &e->loss;
    if (strcmp(key, "problem.noise") == 0)
        return &e->noise;
    if (strcmp(key, "problem.lambda") == 0)
        return &e->lambda;
    if (strcmp(key, "problem.partition.alpha") == 0)
        return &e->model.alpha;
    return NULL;
}

/* Parameters of algorithms: doubles and whole numbers, and their flags. */
static const struct {
    const char *key;
    size_t offset;
    unsigned takes;
    bool whole;
} parameters[] = {
    {"algorithms.step", offsetof(struct alg_setting, step), ALG_STEP, false},
    {"algorithms.server_step", offsetof(struct alg_setting, server_step),
     ALG_SERVER_STEP, false},
    {"algorithms.beta", offsetof(struct alg_setting, beta), ALG_BETA, false},
    {"algorithms.mu", offsetof(struct alg_setting, mu), ALG_MU, false},
    {"algorithms.rho", offsetof(struct alg_setting, rho), ALG_RHO, false},
    {"algorithms.gamma", offsetof(struct alg_setting, gamma), ALG_GAMMA, false},
    {"algorithms.tau", offsetof(struct alg_setting, tau), ALG_TAU, false},
    {"algorithms.local_steps", offsetof(struct alg_setting, local_steps),
     ALG_LOCAL_STEPS, true},
    {"algorithms.degree", offsetof(struct alg_setting, degree), ALG_DEGREE,
     true},
    {"algorithms.tokens", offsetof(struct alg_setting, tokens), ALG_TOKENS,
     true},
};

static const char *const names[KEYS] = {"network.loss",
                                        "problem.noise",
                                        "problem.lambda",
                                        "problem.partition.alpha",
                                        "nodes",
                                        "algorithms.step",
                                        "algorithms.server_step",
                                        "algorithms.beta",
                                        "algorithms.mu",
                                        "algorithms.rho",
                                        "algorithms.gamma",
                                        "algorithms.tau",
                                        "algorithms.local_steps",
                                        "algorithms.degree",
                                        "algorithms.tokens"};

static int find_key(struct experiment *e, const char *key,
                    const struct reader *r, uint32_t line, struct error *error)
{
    for (size_t k = 0; k < KEYS; k++)
        if (strcmp(names[k], key) == 0) {
            e->sweep_key = names[k];
            return 0;
        }
    const char *nearest = reader_nearest(key, names, KEYS);
    return reader_fail(r, line, error,
                       "sweep: found the key '%.40s', expected one such as "
                       "%s",
                       key, nearest == NULL ? "network.loss" : nearest);
}

static bool is_whole(const char *key)
{
    return strcmp(key, "nodes") == 0 || strcmp(key, names[12]) == 0 ||
           strcmp(key, names[13]) == 0 || strcmp(key, names[14]) == 0;
}

/* Whether the key changes anything here. */
static bool has_effect(const struct experiment *e, const char *key)
{
    bool taken = false;

    if (strcmp(key, "problem.partition.alpha") == 0)
        return e->kind == PROBLEM_MODEL && e->model.split == LEARNER_DIRICHLET;
    if (strcmp(key, "problem.lambda") == 0)
        return e->kind == PROBLEM_LOGISTIC || e->kind == PROBLEM_MODEL;
    if (strcmp(key, "problem.noise") == 0)
        return e->kind != PROBLEM_CONSENSUS;
    for (size_t p = 0; p < sizeof parameters / sizeof *parameters; p++)
        for (size_t i = 0;
             strcmp(parameters[p].key, key) == 0 && i < e->entry_count; i++)
            taken =
                taken || (e->entries[i].alg->takes & parameters[p].takes) != 0;
    return taken || strncmp(key, "algorithms.", 11) != 0;
}

static int take_value(struct experiment *e, size_t i, const struct reader *r,
                      int item, struct error *error)
{
    double *value = &e->sweep_values[i];
    const bool whole = is_whole(e->sweep_key);
    const bool share = strcmp(e->sweep_key, "network.loss") == 0;
    const bool alpha = strcmp(e->sweep_key, "problem.partition.alpha") == 0;
    const double low = whole ? 1 : alpha ? alpha_least : 0;
    const double high = whole ? 1e8 : share ? 1 : alpha ? 1e9 : most;

    if (reader_real(value, r, item) != 0 || *value < low || *value > high ||
        (whole && floor(*value) < *value))
        return reader_fail(r, reader_line(r, item), error,
                           "sweep: expected %s from %g to %g for %s",
                           whole ? "whole numbers" : "numbers", low, high,
                           e->sweep_key);
    for (size_t j = 0; j < i; j++)
        if (!(e->sweep_values[j] < *value) && !(e->sweep_values[j] > *value))
            return reader_fail(r, reader_line(r, item), error,
                               "sweep: found %.15g twice, expected every value "
                               "once",
                               *value);
    return 0;
}

int sweep_read(struct experiment *e, const struct reader *r, int node,
               struct error *error)
{
    static const struct reader_key keys[] = {
        {"key", READER_TEXT, true, 0, 0, "a key such as network.loss"},
        {"values", READER_LIST, true, 0, 0, ""},
    };
    struct reader_value v[2];
    int code = reader_map(v, r, node, keys, 2, "sweep", error);

    if (code == 0)
        code = find_key(e, v[0].text, r, v[0].line, error);
    if (code == 0 && !has_effect(e, e->sweep_key))
        code = reader_fail(r, v[0].line, error,
                           "sweep: found %s, expected a key that this problem "
                           "or one of the algorithms takes",
                           e->sweep_key);
    if (code != 0)
        return code;
    const size_t count = reader_count(r, v[1].node);
    if (count == 0 || count > VALUES_MAX)
        return reader_fail(r, v[1].line, error,
                           "sweep: found %zu values, expected 1 to %d", count,
                           VALUES_MAX);
    e->sweep_values = calloc(count, sizeof *e->sweep_values);
    if (e->sweep_values == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", e->path);
    e->sweep_count = count;
    for (size_t i = 0; i < count; i++) {
        code = take_value(e, i, r, reader_item(r, v[1].node, i), error);
        if (code != 0)
            return code;
    }
    return 0;
}

bool sweep_shapes(const struct experiment *e)
{
    return e->sweep_key != NULL && is_whole(e->sweep_key);
}

void sweep_apply(struct experiment *e, size_t place)
{
    if (e->sweep_count == 0)
        return;
    assert(place < e->sweep_count);
    const double value = e->sweep_values[place];
    double *to = place_of(e, e->sweep_key);
    if (to != NULL)
        *to = value;
    if (strcmp(e->sweep_key, "nodes") == 0)
        e->nodes = (size_t)value;
    if (strcmp(e->sweep_key, "problem.lambda") == 0)
        e->model.lambda = value;
    for (size_t p = 0; p < sizeof parameters / sizeof *parameters; p++) {
        if (strcmp(parameters[p].key, e->sweep_key) != 0)
            continue;
        for (size_t i = 0; i < e->entry_count; i++) {
            char *setting = (char *)&e->entries[i].setting;
            const uint64_t whole = (uint64_t)value;
            if ((e->entries[i].alg->takes & parameters[p].takes) == 0)
                continue;
            memcpy(setting + parameters[p].offset,
                   parameters[p].whole ? (const void *)&whole
                                       : (const void *)&value,
                   sizeof value);
        }
    }
}
