#include "sim/lab/recipe.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/drawn.h"
#include "sim/lab/sequence.h"

enum { SIZE_LIMIT = 100000000, NAMES_MAX = 64 };

int recipe_text(const char **to, struct experiment *e, const char *text,
                struct error *error)
{
    char **more = realloc(e->texts, (e->text_count + 1) * sizeof *e->texts);

    if (more != NULL) {
        e->texts = more;
        e->texts[e->text_count] = strdup(text);
    }
    if (more == NULL || e->texts[e->text_count] == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", e->path);
    *to = e->texts[e->text_count++];
    return 0;
}

int recipe_path(const char **to, struct experiment *e, const char *text,
                struct error *error)
{
    char path[4096];
    const char *slash = strrchr(e->path, '/');
    int folder =
        slash == NULL || text[0] == '/' ? 0 : (int)(slash - e->path) + 1;

    snprintf(path, sizeof path, "%.*s%s", folder, e->path, text);
    return recipe_text(to, e, path, error);
}

static size_t all_names(const char *names[NAMES_MAX])
{
    const char *const *lists[] = {named_list, drawn_list, sequence_list};
    size_t count = 0;

    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; lists[l][i] != NULL && count < NAMES_MAX; i++)
            names[count++] = lists[l][i];
    return count;
}

static int check_name(const char *name, const struct reader *r, uint32_t line,
                      struct error *error)
{
    const char *names[NAMES_MAX];
    size_t count = all_names(names);

    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return 0;
    const char *nearest = reader_nearest(name, names, count);
    return reader_fail(r, line, error,
                       "graph: found the name '%.40s', expected %s%s%s", name,
                       nearest == NULL ? "a name such as ring or torus"
                                       : "a known one; did you mean '",
                       nearest == NULL ? "" : nearest,
                       nearest == NULL ? " (docs/lab.md has all)" : "'?");
}

static int read_offsets(struct named_spec *s, const struct reader *r, int list,
                        struct error *error)
{
    double offset;

    s->offset_count = reader_count(r, list);
    if (s->offset_count > NAMED_OFFSETS_MAX)
        return reader_fail(r, reader_line(r, list), error,
                           "offsets: found %zu, expected at most %d",
                           s->offset_count, NAMED_OFFSETS_MAX);
    for (size_t i = 0; i < s->offset_count; i++) {
        int item = reader_item(r, list, i);
        if (reader_real(&offset, r, item) != 0 || offset < 1 ||
            offset > SIZE_LIMIT || floor(offset) < offset)
            return reader_fail(r, reader_line(r, item), error,
                               "offsets: expected whole numbers from 1");
        s->offsets[i] = (size_t)offset;
    }
    return 0;
}

enum {
    KEY_NAME,
    KEY_FILE,
    KEY_ROWS,
    KEY_COLUMNS,
    KEY_OFFSETS,
    KEY_K,
    KEY_M,
    KEY_DEGREE,
    KEY_CLIQUE,
    KEY_P,
    KEY_Q,
    KEY_RADIUS,
    KEY_SEED,
    GRAPH_KEYS
};

static const struct reader_key graph_keys[GRAPH_KEYS] = {
    {"name", READER_TEXT, false, 0, 0, "a name such as ring"},
    {"file", READER_TEXT, false, 0, 0, "a file of edges, .mtx or .graphml"},
    {"rows", READER_INTEGER, false, 1, SIZE_LIMIT, ""},
    {"columns", READER_INTEGER, false, 1, SIZE_LIMIT, ""},
    {"offsets", READER_LIST, false, 0, 0, ""},
    {"k", READER_INTEGER, false, 1, SIZE_LIMIT, ""},
    {"m", READER_INTEGER, false, 1, SIZE_LIMIT, ""},
    {"degree", READER_INTEGER, false, 1, SIZE_LIMIT, ""},
    {"clique", READER_INTEGER, false, 1, SIZE_LIMIT, ""},
    {"p", READER_REAL, false, 0, 1, ""},
    {"q", READER_REAL, false, 0, 1, ""},
    {"radius", READER_REAL, false, 0, 2, ""},
    {"seed", READER_INTEGER, false, 0, 1e15, ""},
};

/* What a graph's name takes besides; names that are not here take nothing. */
static const struct {
    const char *name;
    unsigned takes; /* bits of KEY_* */
} graph_takes[] = {
    {"grid", 1U << KEY_ROWS | 1U << KEY_COLUMNS},
    {"torus", 1U << KEY_ROWS | 1U << KEY_COLUMNS},
    {"circulant", 1U << KEY_OFFSETS},
    {"barbell", 1U << KEY_CLIQUE},
    {"lollipop", 1U << KEY_CLIQUE},
    {"caveman", 1U << KEY_CLIQUE},
    {"hierarchical", 1U << KEY_CLIQUE},
    {"communities",
     1U << KEY_CLIQUE | 1U << KEY_P | 1U << KEY_Q | 1U << KEY_SEED},
    {"u-equi-static", 1U << KEY_M | 1U << KEY_SEED},
    {"ou-equi-dynamic", 1U << KEY_SEED},
    {"base", 1U << KEY_K},
    {"simple-base", 1U << KEY_K},
    {"equi-static", 1U << KEY_M | 1U << KEY_SEED},
    {"equi-dynamic", 1U << KEY_SEED},
    {"matching", 1U << KEY_SEED},
    {"erdos-renyi", 1U << KEY_P | 1U << KEY_SEED},
    {"regular", 1U << KEY_DEGREE | 1U << KEY_SEED},
    {"watts-strogatz", 1U << KEY_K | 1U << KEY_P | 1U << KEY_SEED},
    {"barabasi-albert", 1U << KEY_M | 1U << KEY_SEED},
    {"geometric", 1U << KEY_RADIUS | 1U << KEY_SEED},
};

static int check_keys(const struct reader_value *v, const struct reader *r,
                      const char *name, struct error *error)
{
    unsigned takes = 0;

    for (size_t i = 0; i < sizeof graph_takes / sizeof *graph_takes; i++)
        if (strcmp(graph_takes[i].name, name) == 0)
            takes = graph_takes[i].takes;
    for (unsigned k = KEY_ROWS; k < GRAPH_KEYS; k++)
        if (v[k].line != 0 && (takes & 1U << k) == 0)
            return reader_fail(r, v[k].line, error,
                               "graph: found %s: for %s, which has no such "
                               "key; remove it",
                               graph_keys[k].name, name);
    return 0;
}

int recipe_graph(struct experiment_graph *g, struct experiment *e,
                 const struct reader *r, int node, struct error *error)
{
    struct reader_value v[GRAPH_KEYS];
    struct named_spec *s = &g->spec;
    int code = reader_map(v, r, node, graph_keys, GRAPH_KEYS, "graph", error);

    if (code != 0)
        return code;
    *g = (struct experiment_graph){.line = reader_line(r, node)};
    if ((v[KEY_NAME].line != 0) == (v[KEY_FILE].line != 0))
        return reader_fail(r, g->line, error,
                           "graph: expected either name: or file:");
    if (v[KEY_FILE].line != 0) {
        code = check_keys(v, r, "file:", error);
        return code != 0 ? code
                         : recipe_path(&g->file, e, v[KEY_FILE].text, error);
    }
    code = check_name(v[KEY_NAME].text, r, v[KEY_NAME].line, error);
    if (code == 0)
        code = check_keys(v, r, v[KEY_NAME].text, error);
    if (code == 0)
        code = recipe_text(&s->name, e, v[KEY_NAME].text, error);
    if (code == 0 && v[KEY_OFFSETS].line != 0)
        code = read_offsets(s, r, v[KEY_OFFSETS].node, error);
    s->rows = (size_t)v[KEY_ROWS].integer;
    s->columns = (size_t)v[KEY_COLUMNS].integer;
    s->k = (size_t)v[KEY_K].integer;
    s->m = (size_t)v[KEY_M].integer;
    s->degree = (size_t)v[KEY_DEGREE].integer;
    s->clique = (size_t)v[KEY_CLIQUE].integer;
    s->p = v[KEY_P].line == 0 ? -1 : v[KEY_P].real;
    s->q = v[KEY_Q].line == 0 ? -1 : v[KEY_Q].real;
    s->radius = v[KEY_RADIUS].line == 0 ? -1 : v[KEY_RADIUS].real;
    s->seed = v[KEY_SEED].integer;
    g->seeded = v[KEY_SEED].line != 0;
    return code;
}

enum { KEY_RULE, KEY_ONE, KEY_MANY, KEY_R, KEY_C, WEIGHT_KEYS };

static const struct reader_key weight_keys[WEIGHT_KEYS] = {
    {"rule", READER_WORD, false, 0, 0,
     "metropolis|max-degree|lazy-metropolis|best-constant|fdla|fmmc|uniform"},
    {"file", READER_TEXT, false, 0, 0, "a MatrixMarket file"},
    {"files", READER_TEXTS, false, 0, 0, "a list of MatrixMarket files"},
    {"rows", READER_TEXT, false, 0, 0, "a MatrixMarket file"},
    {"columns", READER_TEXT, false, 0, 0, "a MatrixMarket file"},
};

int recipe_weights(struct experiment_weights *w, struct experiment *e,
                   const struct reader *r, int node, struct error *error)
{
    struct reader_value v[WEIGHT_KEYS];
    int code =
        reader_map(v, r, node, weight_keys, WEIGHT_KEYS, "weights", error);

    if (code != 0)
        return code;
    *w = (struct experiment_weights){.line = reader_line(r, node)};
    w->rule = (enum weights_rule)v[KEY_RULE].word;
    size_t ways = (size_t)(v[KEY_RULE].line != 0) + (v[KEY_ONE].line != 0) +
                  (v[KEY_MANY].line != 0) +
                  (v[KEY_R].line != 0 || v[KEY_C].line != 0);
    if (ways != 1 || (v[KEY_R].line != 0) != (v[KEY_C].line != 0))
        return reader_fail(r, w->line, error,
                           "weights: expected one of rule:, file:, files:, or "
                           "rows: with columns:");
    if (v[KEY_RULE].line != 0)
        return 0;
    const bool many = v[KEY_MANY].line != 0;
    const size_t count = many ? reader_count(r, v[KEY_MANY].node) : 1;
    w->files = calloc(count, sizeof *w->files);
    if (w->files == NULL)
        return error_set(error, -ENOMEM, "%s: out of memory", e->path);
    w->file_count = count;
    for (size_t i = 0; code == 0 && i < count; i++) {
        const char *text =
            many ? reader_text(r, reader_item(r, v[KEY_MANY].node, i))
                 : v[v[KEY_R].line != 0 ? KEY_R : KEY_ONE].text;
        code = recipe_path(&w->files[i], e, text, error);
    }
    if (code == 0 && v[KEY_C].line != 0)
        code = recipe_path(&w->columns, e, v[KEY_C].text, error);
    return code;
}
