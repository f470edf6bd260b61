#include "sim/lab/experiment.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/entry.h"
#include "sim/lab/recipe.h"
#include "sim/lab/sweep.h"
#include "sim/lab/wire.h"

enum { NODES_MAX = 100000000, SEEDS_MAX = 10000, ROWS_MAX = 10000000 };

int experiment_blame(const struct experiment *e, uint32_t line, int code,
                     struct error *error)
{
    char text[ERROR_TEXT_SIZE];

    snprintf(text, sizeof text, "%s", error->text);
    return error_set(error, code, "%s:%u: %s", e->path, line, text);
}

enum {
    PROBLEM_KIND,
    PROBLEM_FILE,
    PROBLEM_INIT,
    PROBLEM_LAMBDA,
    PROBLEM_NOISE,
    PROBLEM_WHICH,
    PROBLEM_DATA,
    PROBLEM_TARGET,
    PROBLEM_PARTITION,
    PROBLEM_BATCH,
    PROBLEM_HIDDEN,
    PROBLEM_KEYS
};

static const struct reader_key problem_keys[PROBLEM_KEYS] = {
    {"kind", READER_WORD, true, 0, 0, "consensus|quadratic|logistic|model"},
    {"file", READER_TEXT, false, 0, 0, "a CSV file"},
    {"init", READER_TEXT, false, 0, 0, "a CSV file"},
    {"lambda", READER_REAL, false, 0, 1e12, ""},
    {"noise", READER_REAL, false, 0, 1e12, ""},
    {"model", READER_WORD, false, 0, 0, "softmax|mlp"},
    {"data", READER_TEXT, false, 0, 0, "a CSV file"},
    {"target", READER_TEXT, false, 0, 0, "the label's column"},
    {"partition", READER_MAP, false, 0, 0, ""},
    {"batch", READER_INTEGER, false, 0, 1e9, ""},
    {"hidden", READER_INTEGER, false, 1, 4096, ""},
};

static int read_partition(struct experiment *e, const struct reader *r,
                          int node, struct error *error)
{
    static const struct reader_key keys[] = {
        {"kind", READER_WORD, true, 0, 0, "iid|label|dirichlet|column"},
        {"alpha", READER_REAL, false, 1e-6, 1e9, ""},
        {"column", READER_TEXT, false, 0, 0, "a column with the node"},
        {"seed", READER_INTEGER, false, 0, 1e15, ""},
    };
    struct reader_value v[4];
    int code = reader_map(v, r, node, keys, 4, "partition", error);

    if (code != 0)
        return code;
    e->model.split = (enum learner_split)v[0].word;
    e->model.alpha = v[1].real;
    e->model.seed = v[3].integer;
    if ((e->model.split == LEARNER_DIRICHLET) != (v[1].line != 0) ||
        (e->model.split == LEARNER_COLUMN) != (v[2].line != 0))
        return reader_fail(r, reader_line(r, node), error,
                           "partition: expected alpha: with dirichlet and "
                           "column: with column, and only there");
    return v[2].line == 0 ? 0
                          : recipe_text(&e->model.column, e, v[2].text, error);
}

static int read_model(struct experiment *e, const struct reader *r,
                      const struct reader_value *v, struct error *error)
{
    const bool mlp = v[PROBLEM_WHICH].word == 1;

    if (v[PROBLEM_WHICH].line == 0 || v[PROBLEM_DATA].line == 0 ||
        mlp != (v[PROBLEM_HIDDEN].line != 0))
        return reader_fail(r, e->problem_line, error,
                           "problem: expected model: and data: for kind "
                           "model, and hidden: for mlp");
    e->model.hidden = (size_t)v[PROBLEM_HIDDEN].integer;
    e->model.batch = (size_t)v[PROBLEM_BATCH].integer;
    e->model.lambda = e->lambda;
    int code = recipe_path(&e->model.data, e, v[PROBLEM_DATA].text, error);
    if (code == 0)
        code = recipe_text(
            &e->model.target, e,
            v[PROBLEM_TARGET].line == 0 ? "y" : v[PROBLEM_TARGET].text, error);
    if (code == 0 && v[PROBLEM_PARTITION].line != 0)
        code = read_partition(e, r, v[PROBLEM_PARTITION].node, error);
    return code;
}

/* Keys from `from` on up to `to` belong to another kind. */
static int refuse_keys(const struct reader *r, const struct reader_value *v,
                       size_t from, size_t to, struct error *error)
{
    for (size_t k = from; k < to; k++)
        if (v[k].line != 0)
            return reader_fail(r, v[k].line, error,
                               "problem: found %s: for kind %s, which has no "
                               "such key; remove it",
                               problem_keys[k].name, v[PROBLEM_KIND].text);
    return 0;
}

static int read_problem(struct experiment *e, const struct reader *r, int node,
                        struct error *error)
{
    struct reader_value v[PROBLEM_KEYS];
    int code =
        reader_map(v, r, node, problem_keys, PROBLEM_KEYS, "problem", error);

    if (code != 0)
        return code;
    e->kind = (enum problem_kind)v[PROBLEM_KIND].word;
    e->problem_line = reader_line(r, node);
    e->lambda = v[PROBLEM_LAMBDA].real;
    e->noise = v[PROBLEM_NOISE].real;
    const bool model = e->kind == PROBLEM_MODEL;
    const bool consensus = e->kind == PROBLEM_CONSENSUS;
    const size_t need = consensus ? PROBLEM_INIT : PROBLEM_FILE;
    if (!model && v[need].line == 0)
        return reader_fail(r, e->problem_line, error,
                           "found no key '%s' in problem, expected it for %s; "
                           "add it",
                           problem_keys[need].name, v[PROBLEM_KIND].text);
    code = model ? refuse_keys(r, v, PROBLEM_FILE, PROBLEM_INIT, error)
                 : refuse_keys(r, v, PROBLEM_WHICH, PROBLEM_KEYS, error);
    if (code == 0 && consensus)
        code = refuse_keys(r, v, PROBLEM_FILE, PROBLEM_INIT, error);
    if (code == 0 && consensus)
        code = refuse_keys(r, v, PROBLEM_NOISE, PROBLEM_NOISE + 1, error);
    if (code == 0 && (consensus || e->kind == PROBLEM_QUADRATIC))
        code = refuse_keys(r, v, PROBLEM_LAMBDA, PROBLEM_LAMBDA + 1, error);
    if (code == 0 && model)
        code = read_model(e, r, v, error);
    if (code == 0 && v[PROBLEM_FILE].line != 0)
        code = recipe_path(&e->file, e, v[PROBLEM_FILE].text, error);
    if (code == 0 && v[PROBLEM_INIT].line != 0)
        code = recipe_path(&e->init, e, v[PROBLEM_INIT].text, error);
    return code;
}

static const char *seed_text(const struct reader *r, int item)
{
    const char *text = reader_text(r, item);

    return text == NULL ? "no number" : text;
}

static int read_seeds(struct experiment *e, const struct reader *r,
                      const struct reader_value *v, struct error *error)
{
    size_t count = v->line == 0 ? 1 : reader_count(r, v->node);
    double seed;

    if (count == 0 || count > SEEDS_MAX)
        return reader_fail(r, v->line, error,
                           "seeds: found %zu, expected from 1 to %d", count,
                           SEEDS_MAX);
    if (e->seeds != NULL)
        return 0; /* read again */
    e->seeds = calloc(count, sizeof *e->seeds);
    if (e->seeds == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", e->path);
    e->seed_count = count;
    e->seeds[0] = 1;
    for (size_t i = 0; v->line != 0 && i < count; i++) {
        int item = reader_item(r, v->node, i);
        if (reader_real(&seed, r, item) != 0 || seed < 0 || seed > 1e15 ||
            floor(seed) < seed)
            return reader_fail(r, reader_line(r, item), error,
                               "seeds: found %s, expected whole numbers from "
                               "0",
                               seed_text(r, item));
        e->seeds[i] = (uint64_t)seed;
        for (size_t j = 0; j < i; j++)
            if (e->seeds[j] == e->seeds[i])
                return reader_fail(r, reader_line(r, item), error,
                                   "seeds: found %.0f twice, expected others: "
                                   "an interval needs independent runs",
                                   seed);
    }
    return 0;
}

static int read_entries(struct experiment *e, const struct reader *r, int list,
                        struct error *error)
{
    size_t count = reader_count(r, list);

    if (count == 0)
        return reader_fail(r, reader_line(r, list), error,
                           "algorithms: found none, expected a list such as "
                           "- {name: gossip}");
    if (e->entries == NULL)
        e->entries = calloc(count, sizeof *e->entries);
    if (e->entries == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", e->path);
    for (size_t i = 0; i < count; i++) {
        e->entry_count = i + 1;
        int code =
            entry_read(&e->entries[i], e, r, reader_item(r, list, i), error);
        if (code != 0)
            return code;
        for (size_t j = 0; j < i; j++)
            if (strcmp(e->entries[i].label, e->entries[j].label) == 0)
                return reader_fail(r, e->entries[i].line, error,
                                   "algorithms: found '%s' twice, expected "
                                   "another label: for one of them",
                                   e->entries[i].label);
    }
    return 0;
}

/* What no entry would look at. */
static int check_use(const struct experiment *e, const struct reader *r,
                     struct error *error)
{
    bool meets = false, by_rule = false;

    for (size_t i = 0; i < e->entry_count; i++) {
        const struct experiment_entry *own = &e->entries[i];
        meets = meets || own->alg->meet != NULL;
        by_rule = by_rule || (own->weights.line != 0 && own->graph.line == 0 &&
                              own->weights.file_count == 0);
    }
    if (e->wake != NULL && !meets)
        return reader_fail(r, e->network_line, error,
                           "wake: found it and none of pairwise and adpsgd, "
                           "expected one of them, as only they meet");
    if (e->graph.line != 0 && e->weights.file_count > 0 && !by_rule)
        return reader_fail(r, e->graph.line, error,
                           "graph: found it beside weights: of a file, "
                           "expected one of them, as the matrix's pattern is "
                           "the graph; remove it");
    return 0;
}

enum {
    TOP_VERSION,
    TOP_NODES,
    TOP_GRAPH,
    TOP_WEIGHTS,
    TOP_PROBLEM,
    TOP_STEPS,
    TOP_EVERY,
    TOP_ALGORITHMS,
    TOP_NETWORK,
    TOP_SEEDS,
    TOP_SWEEP,
    TOP_PRECISION,
    TOP_KEYS
};

static const struct reader_key top_keys[TOP_KEYS] = {
    {"version", READER_INTEGER, true, 1, 1, ""},
    {"nodes", READER_INTEGER, false, 1, NODES_MAX, ""},
    {"graph", READER_MAP, false, 0, 0, ""},
    {"weights", READER_MAP, false, 0, 0, ""},
    {"problem", READER_MAP, true, 0, 0, ""},
    {"steps", READER_INTEGER, true, 0, 1e12, ""},
    {"every", READER_INTEGER, false, 1, 1e12, ""},
    {"algorithms", READER_LIST, true, 0, 0, ""},
    {"network", READER_MAP, false, 0, 0, ""},
    {"seeds", READER_LIST, false, 0, 0, ""},
    {"sweep", READER_MAP, false, 0, 0, ""},
    {"precision", READER_WORD, false, 0, 0, "float64|float32"},
};

static int read_all(struct experiment *e, struct error *error)
{
    const struct reader *r = e->reader;
    struct reader_value v[TOP_KEYS];
    int code = reader_map(v, r, reader_root(r), top_keys, TOP_KEYS,
                          "the experiment", error);

    if (code != 0)
        return code;
    e->nodes = (size_t)v[TOP_NODES].integer;
    e->steps = v[TOP_STEPS].integer;
    e->every = v[TOP_EVERY].line == 0 ? 1 : v[TOP_EVERY].integer;
    e->single = v[TOP_PRECISION].word == 1;
    if (e->every > e->steps && e->steps > 0)
        return reader_fail(r, v[TOP_EVERY].line, error,
                           "every: found %llu, expected at most the steps, "
                           "else nothing is recorded",
                           (unsigned long long)e->every);
    if (e->steps / e->every > ROWS_MAX)
        return reader_fail(r, v[TOP_STEPS].line, error,
                           "steps: found %llu of them to record, expected at "
                           "most %d; record every so many with every:",
                           (unsigned long long)(e->steps / e->every), ROWS_MAX);
    if (v[TOP_GRAPH].line != 0)
        code = recipe_graph(&e->graph, e, r, v[TOP_GRAPH].node, error);
    if (code == 0 && v[TOP_WEIGHTS].line != 0)
        code = recipe_weights(&e->weights, e, r, v[TOP_WEIGHTS].node, error);
    if (code == 0)
        code = read_problem(e, r, v[TOP_PROBLEM].node, error);
    if (code == 0 && v[TOP_NETWORK].line != 0)
        code = wire_read(e, r, v[TOP_NETWORK].node, error);
    if (code == 0)
        code = read_seeds(e, r, &v[TOP_SEEDS], error);
    if (code == 0)
        code = read_entries(e, r, v[TOP_ALGORITHMS].node, error);
    if (code == 0)
        code = check_use(e, r, error);
    if (code == 0 && v[TOP_SWEEP].line != 0 && e->sweep_count == 0)
        code = sweep_read(e, r, v[TOP_SWEEP].node, error);
    return code;
}

int experiment_read(struct experiment **experiment, const char *path,
                    struct error *error)
{
    struct experiment *e = calloc(1, sizeof *e);
    int code = -ENOMEM;

    *experiment = NULL;
    if (e == NULL) {
        error_set(error, code, "%s: out of memory", path);
        goto fail;
    }
    e->path = path;
    if ((code = reader_open(&e->reader, path, error)) != 0)
        goto fail;
    if ((code = read_all(e, error)) != 0)
        goto fail;
    *experiment = e;
    return 0;
fail:
    experiment_free(e);
    return code;
}

static void free_weights(struct experiment_weights *w)
{
    free(w->files);
    w->files = NULL;
}

int experiment_again(struct experiment *e, struct error *error)
{
    const struct experiment kept = *e;

    for (size_t i = 0; i < e->entry_count; i++) {
        free_weights(&e->entries[i].weights);
        e->entries[i] = (struct experiment_entry){0};
    }
    free_weights(&e->weights);
    *e = (struct experiment){.path = kept.path,
                             .entries = kept.entries,
                             .sweep_key = kept.sweep_key,
                             .sweep_values = kept.sweep_values,
                             .sweep_count = kept.sweep_count,
                             .sweep_line = kept.sweep_line,
                             .seeds = kept.seeds,
                             .seed_count = kept.seed_count,
                             .texts = kept.texts,
                             .text_count = kept.text_count,
                             .reader = kept.reader};
    return read_all(e, error);
}

void experiment_free(struct experiment *e)
{
    if (e == NULL)
        return;
    for (size_t i = 0; i < e->text_count; i++)
        free(e->texts[i]);
    for (size_t i = 0; i < e->entry_count; i++)
        free_weights(&e->entries[i].weights);
    free_weights(&e->weights);
    free(e->texts);
    free(e->entries);
    free(e->seeds);
    free(e->sweep_values);
    reader_close(e->reader);
    free(e);
}
