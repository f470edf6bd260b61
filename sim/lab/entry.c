#include "sim/lab/entry.h"

#include <string.h>

#include "sim/lab/range.h"
#include "sim/lab/recipe.h"

enum { NAMES_MAX = 64, LABEL_MAX = 80 };

enum {
    KEY_NAME,
    KEY_LABEL,
    KEY_GRAPH,
    KEY_WEIGHTS,
    KEY_ON_LOSS,
    KEY_UNSAFE,
    KEY_STEP, /* from here on in the order of enum alg_takes */
    KEY_SERVER_STEP,
    KEY_LOCAL_STEPS,
    KEY_BETA,
    KEY_MU,
    KEY_RHO,
    KEY_GAMMA,
    KEY_TAU,
    KEY_COMPRESSOR,
    KEY_ORDER,
    KEY_DEGREE,
    KEY_MODE,
    KEY_SENDS,
    KEY_TOKENS,
    KEY_PLACEMENT,
    KEYS
};

static const struct reader_key keys[KEYS] = {
    {"name", READER_TEXT, true, 0, 0, "an algorithm such as dgd-atc"},
    {"label", READER_TEXT, false, 0, 0, "a label"},
    {"graph", READER_MAP, false, 0, 0, ""},
    {"weights", READER_MAP, false, 0, 0, ""},
    {"on_loss", READER_WORD, false, 0, 0,
     "self|symmetric|renormalise|lost|returned"},
    {"unsafe", READER_WORD, false, 0, 0, "no|yes"},
    {"step", READER_REAL, false, 0, 1e12, ""},
    {"server_step", READER_REAL, false, 0, 1e12, ""},
    {"local_steps", READER_INTEGER, false, 1, 1e9, ""},
    {"beta", READER_REAL, false, 0, 1e12, ""},
    {"mu", READER_REAL, false, 0, 1e12, ""},
    {"rho", READER_REAL, false, 0, 1e12, ""},
    {"gamma", READER_REAL, false, 0, 1e12, ""},
    {"tau", READER_REAL, false, 0, 1e300, ""},
    {"compressor", READER_MAP, false, 0, 0, ""},
    {"order", READER_WORD, false, 0, 0, "icml19|iclr20"},
    {"degree", READER_INTEGER, false, 1, 1e9, ""},
    {"mode", READER_WORD, false, 0, 0, "oracle|local"},
    {"sends", READER_TEXT, false, 0, 0, "a CSV file: step,from,to"},
    {"tokens", READER_INTEGER, false, 1, 1e9, ""},
    {"placement", READER_TEXT, false, 0, 0, "a CSV file: step,token,node"},
};

/* Those that have no default. */
static const unsigned required =
    ALG_STEP | ALG_BETA | ALG_RHO | ALG_GAMMA | ALG_TAU;

static int find_algorithm(const struct alg **alg, const char *name,
                          const struct reader *r, uint32_t line,
                          struct error *error)
{
    const char *names[NAMES_MAX];
    size_t count = 0;

    if ((*alg = alg_find(name)) != NULL)
        return 0;
    for (size_t i = 0; alg_list[i] != NULL && count < NAMES_MAX; i++)
        names[count++] = alg_list[i]->name;
    const char *nearest = reader_nearest(name, names, count);
    if (nearest == NULL)
        return reader_fail(r, line, error,
                           "found the algorithm '%.40s', expected one such as "
                           "gossip or dgd-atc (docs/lab.md has all)",
                           name);
    return reader_fail(r, line, error,
                       "found the algorithm '%.40s', which is unknown; did you "
                       "mean '%s'?",
                       name, nearest);
}

static int check_parameters(const struct experiment_entry *e,
                            const struct reader *r,
                            const struct reader_value *v, struct error *error)
{
    static const size_t drawn[] = {KEY_DEGREE, KEY_MODE, KEY_TOKENS};
    const struct alg *alg = e->alg;
    bool table = v[KEY_SENDS].line != 0 || v[KEY_PLACEMENT].line != 0;

    for (size_t k = KEY_STEP; k < KEYS; k++) {
        unsigned bit = 1U << (k - KEY_STEP);
        if (v[k].line != 0 && (alg->takes & bit) == 0)
            return reader_fail(r, v[k].line, error,
                               "found %s: for %s, which has no such parameter; "
                               "remove it",
                               keys[k].name, alg->name);
        if (v[k].line == 0 && (alg->takes & required & bit) != 0)
            return reader_fail(r, e->line, error,
                               "found no %s: for %s, expected it; add it, "
                               "there is no default that fits all",
                               keys[k].name, alg->name);
    }
    if ((alg->takes & (ALG_MU | ALG_BETA)) == ALG_MU && v[KEY_MU].line == 0)
        return reader_fail(r, e->line, error,
                           "found no mu: for %s, expected it; add it",
                           alg->name);
    if ((alg->takes & ALG_DEGREE) != 0 && !table && v[KEY_DEGREE].line == 0)
        return reader_fail(r, e->line, error,
                           "found neither degree: nor sends: for %s, expected "
                           "one",
                           alg->name);
    if ((alg->takes & ALG_TOKENS) != 0 && !table && v[KEY_TOKENS].line == 0)
        return reader_fail(r, e->line, error,
                           "found neither tokens: nor placement: for %s, "
                           "expected one",
                           alg->name);
    for (size_t k = 0; table && k < sizeof drawn / sizeof *drawn; k++)
        if (v[drawn[k]].line != 0)
            return reader_fail(
                r, v[drawn[k]].line, error,
                "found %s: beside %s:, expected one of them, as "
                "the file says all; remove it",
                keys[drawn[k]].name,
                keys[v[KEY_SENDS].line != 0 ? KEY_SENDS : KEY_PLACEMENT].name);
    return range_check(e, r, &v[KEY_STEP], error);
}

static int read_compressor(struct compress *c, const struct reader *r, int node,
                           struct error *error)
{
    static const struct reader_key own[] = {
        {"kind", READER_WORD, true, 0, 0,
         "identity|top-k|rand-k|sign|cyclic|grid|qsgd"},
        {"k", READER_INTEGER, false, 1, 1e9, ""},
        {"levels", READER_INTEGER, false, 1, 1e9, ""},
    };
    struct reader_value v[3];
    int code = reader_map(v, r, node, own, 3, "compressor", error);

    if (code != 0)
        return code;
    *c = (struct compress){(enum compress_kind)v[0].word, (size_t)v[1].integer,
                           (size_t)v[2].integer};
    const bool k = c->kind == COMPRESS_TOP_K || c->kind == COMPRESS_RAND_K ||
                   c->kind == COMPRESS_CYCLIC;
    const bool levels = c->kind == COMPRESS_GRID || c->kind == COMPRESS_QSGD;
    if (k != (v[1].line != 0) || levels != (v[2].line != 0))
        return reader_fail(r, reader_line(r, node), error,
                           "compressor %s: expected %s", v[0].text,
                           k        ? "k: and no levels:"
                           : levels ? "levels: and no k:"
                                    : "neither k: nor levels:");
    return 0;
}

static int take_setting(struct experiment_entry *e, struct experiment *x,
                        const struct reader *r, const struct reader_value *v,
                        struct error *error)
{
    struct alg_setting *s = &e->setting;
    int code = 0;

    s->step = v[KEY_STEP].real;
    s->server_step = v[KEY_SERVER_STEP].line == 0 ? 1 : v[KEY_SERVER_STEP].real;
    s->local_steps =
        v[KEY_LOCAL_STEPS].line == 0 ? 1 : v[KEY_LOCAL_STEPS].integer;
    s->beta = v[KEY_BETA].real;
    s->mu = v[KEY_MU].line != 0             ? v[KEY_MU].real
            : (e->alg->takes & ALG_MU) != 0 ? s->beta
                                            : 0;
    s->rho = v[KEY_RHO].real;
    s->gamma = v[KEY_GAMMA].real;
    s->tau = v[KEY_TAU].real;
    s->iclr20 = v[KEY_ORDER].word == 1;
    s->local = v[KEY_MODE].word == 1;
    s->degree = v[KEY_DEGREE].integer;
    s->tokens = v[KEY_TOKENS].integer;
    if (v[KEY_COMPRESSOR].line != 0)
        code =
            read_compressor(&s->compressor, r, v[KEY_COMPRESSOR].node, error);
    if (code == 0 && v[KEY_SENDS].line != 0)
        code = recipe_path(&e->sends, x, v[KEY_SENDS].text, error);
    if (code == 0 && v[KEY_PLACEMENT].line != 0)
        code = recipe_path(&e->placement, x, v[KEY_PLACEMENT].text, error);
    return code;
}

static int check_label(const char *label, const struct reader *r, uint32_t line,
                       struct error *error)
{
    if (strlen(label) > LABEL_MAX)
        return reader_fail(r, line, error,
                           "label: found '%.40s...', expected at most %d "
                           "characters",
                           label, LABEL_MAX);
    for (const char *c = label; *c != '\0'; c++)
        if ((unsigned char)*c < 32 || *c == 127 || strchr(",\":", *c) != NULL)
            return reader_fail(r, line, error,
                               "label: found '%.40s', expected no comma, colon "
                               "or quote: it names columns",
                               label);
    return 0;
}

int entry_read(struct experiment_entry *e, struct experiment *x,
               const struct reader *r, int node, struct error *error)
{
    struct reader_value v[KEYS];
    int code = reader_map(v, r, node, keys, KEYS, "algorithms", error);

    if (code != 0)
        return code;
    e->line = reader_line(r, node);
    e->rule_line = v[KEY_ON_LOSS].line;
    e->rule = (enum faults_rule)v[KEY_ON_LOSS].word;
    e->unsafe = v[KEY_UNSAFE].word == 1;
    code =
        find_algorithm(&e->alg, v[KEY_NAME].text, r, v[KEY_NAME].line, error);
    if (code == 0)
        code = check_parameters(e, r, v, error);
    if (code == 0)
        code = recipe_text(&e->label, x,
                           v[KEY_LABEL].line == 0 ? v[KEY_NAME].text
                                                  : v[KEY_LABEL].text,
                           error);
    if (code == 0)
        code = check_label(e->label, r, e->line, error);
    if (code == 0 && v[KEY_GRAPH].line != 0)
        code = recipe_graph(&e->graph, x, r, v[KEY_GRAPH].node, error);
    if (code == 0 && v[KEY_WEIGHTS].line != 0)
        code = recipe_weights(&e->weights, x, r, v[KEY_WEIGHTS].node, error);
    if (code == 0 && e->graph.line != 0 && e->weights.file_count > 0)
        code = reader_fail(r, e->graph.line, error,
                           "graph: found it beside weights: of a file, "
                           "expected one of them, as the matrix's pattern is "
                           "the graph; remove it");
    if (code == 0)
        code = take_setting(e, x, r, v, error);
    return code == 0 ? range_check_rule(e, x, r, error) : code;
}
