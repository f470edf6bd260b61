#include "sim/lab/matrices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/drawn.h"

static const double sum_error = 1e-9, third_error = 1e-9;

static int no_memory(const struct experiment *e, struct error *error)
{
    error_set(error, -ENOMEM, "%s: out of memory", e->path);
    return -ENOMEM;
}

int matrices_nodes(size_t *n, const struct experiment *e, struct error *error)
{
    const char *path =
        e->weights.file_count > 0 ? e->weights.files[0] : e->graph.file;
    struct table_matrix m;

    for (size_t i = 0; path == NULL && i < e->entry_count; i++)
        if (e->entries[i].weights.file_count > 0)
            path = e->entries[i].weights.files[0];
    if (path == NULL)
        return error_set(error, -EINVAL,
                         "%s:1: found no key 'nodes' in the experiment, "
                         "expected how many there are; add it",
                         e->path);
    int code = table_matrix(&m, path, error);
    if (code != 0)
        return code;
    *n = m.n;
    for (size_t k = 0; k < m.count; k++) {
        if (m.entries[k].row >= *n)
            *n = m.entries[k].row + (size_t)1;
        if (m.entries[k].column >= *n)
            *n = m.entries[k].column + (size_t)1;
    }
    table_matrix_free(&m);
    return 0;
}

/* A file's matrix, checked against the number of nodes. */
static int read_matrix(struct table_matrix *m, const char *path, size_t n,
                       struct error *error)
{
    int code = table_matrix(m, path, error);

    if (code != 0)
        return code;
    if (m->n != 0 && m->n != n)
        code = error_set(error, -EINVAL,
                         "%s: found a matrix or graph of %zu nodes, expected "
                         "%zu as the experiment has",
                         path, m->n, n);
    for (size_t k = 0; code == 0 && k < m->count; k++) {
        const struct mixing_entry *x = &m->entries[k];
        size_t most = x->row > x->column ? x->row : x->column;
        if (most >= n)
            code = error_set(error, -EINVAL,
                             "%s: found node %zu, expected nodes from 0 to %zu",
                             path, most, n - 1);
    }
    if (code != 0)
        table_matrix_free(m);
    return code;
}

static int mixing_file(struct mixing **mixing, const char *path, size_t n,
                       struct error *error)
{
    struct table_matrix m;
    int code = read_matrix(&m, path, n, error);

    if (code != 0)
        return code;
    if (!m.weighted)
        code = error_set(error, -EINVAL,
                         "%s: found links without weights, expected weights; "
                         "give it as graph: {file: ...} instead",
                         path);
    else if ((*mixing = mixing_of(m.entries, m.count, n)) == NULL)
        code = error_set(error, -ENOMEM, "%s: out of memory", path);
    table_matrix_free(&m);
    return code;
}

/* Several in turn may join together what each leaves apart; rows that do not
 * add up are told before it. */
static int check_joined(const struct sequence *mixes, const char *path,
                        struct error *error)
{
    const double tolerance = 1e-9;
    struct mixing_sums sums;

    mixing_check(&sums, mixes->mixes[0]);
    if (!(sums.row_worst < tolerance))
        return 0;
    struct graph *graph = mixing_graph(mixes->mixes[0]);
    const size_t parts = graph == NULL ? 0 : graph_parts(graph);

    graph_free(graph);
    if (parts == 1)
        return 0;
    return parts == 0 ? error_set(error, -ENOMEM, "%s: out of memory", path)
                      : error_set(error, -EINVAL,
                                  "%s: found %zu parts that no weight joins, "
                                  "expected one matrix that joins all nodes; "
                                  "add weights",
                                  path, parts);
}

static int weights_files(struct sequence **mixes, struct sequence **columns,
                         const struct experiment_weights *w, size_t n,
                         struct error *error)
{
    struct mixing *m = NULL;
    int code = 0;

    *mixes = sequence_new(SEQUENCE_CYCLE, n, 0, 0);
    if (*mixes == NULL ||
        ((*mixes)->mixes = calloc(w->file_count, sizeof m)) == NULL)
        return error_set(error, -ENOMEM, "weights: out of memory");
    for (size_t i = 0; code == 0 && i < w->file_count; i++) {
        code = mixing_file(&m, w->files[i], n, error);
        if (code == 0)
            (*mixes)->mixes[(*mixes)->count++] = m;
    }
    if (code == 0 && w->file_count == 1)
        code = check_joined(*mixes, w->files[0], error);
    if (code != 0 || w->columns == NULL)
        return code;
    code = mixing_file(&m, w->columns, n, error);
    if (code == 0 && (*columns = sequence_fixed(m)) == NULL)
        code = error_set(error, -ENOMEM, "weights: out of memory");
    return code;
}

static int graph_file(struct graph **graph, const char *path, size_t n,
                      struct error *error)
{
    struct graph_edges edges = {0};
    struct table_matrix m;
    int code = read_matrix(&m, path, n, error);

    if (code != 0)
        return code;
    for (size_t k = 0; k < m.count; k++)
        graph_add(&edges, m.entries[k].row, m.entries[k].column);
    table_matrix_free(&m);
    *graph = graph_of(&edges, n);
    return *graph != NULL
               ? 0
               : error_set(error, -ENOMEM, "%s: out of memory", path);
}

static int make_graph(struct graph **graph, const struct experiment_graph *g,
                      size_t n, uint64_t seed, struct error *error)
{
    struct named_spec spec = g->spec;

    if (g->file != NULL)
        return graph_file(graph, g->file, n, error);
    if (!g->seeded)
        spec.seed = seed;
    int code = named_graph(graph, &spec, n, error);
    return code == -ENOENT ? drawn_graph(graph, &spec, n, error) : code;
}

static bool is_drawn(const struct experiment_graph *g)
{
    for (size_t k = 0; g->file == NULL && drawn_list[k] != NULL; k++)
        if (strcmp(g->spec.name, drawn_list[k]) == 0)
            return true;
    return false;
}

static int graph_weights(struct sequence **mixes, const struct experiment *e,
                         const struct experiment_graph *g,
                         enum weights_rule rule, size_t n, uint64_t seed,
                         struct error *error)
{
    struct graph *graph = NULL;
    struct mixing *m = NULL;
    int code = make_graph(&graph, g, n, seed, error);

    if (code == 0 && graph_parts(graph) > 1)
        code = error_set(error, -EINVAL,
                         "graph: found %zu parts that no link joins, expected "
                         "one connected graph; add links%s",
                         graph_parts(graph),
                         is_drawn(g) ? ", or take another seed" : "");
    if (code == 0)
        code = weights_of(&m, graph, rule, error);
    if (code == 0 && (*mixes = sequence_fixed(m)) == NULL)
        code = -ENOMEM;
    graph_free(graph);
    if (code == -ENOMEM)
        return no_memory(e, error);
    return code == 0 ? 0 : experiment_blame(e, g->line, code, error);
}

/* Epidemic Learning's own. */
static int random_sends(struct sequence **mixes, const struct experiment *e,
                        const struct experiment_entry *entry, size_t n,
                        uint64_t seed, struct error *error)
{
    const struct alg_setting *s = &entry->setting;
    const size_t degree = (size_t)s->degree, any = (size_t)1 << 52;
    const bool drawn = entry->sends == NULL;

    if (drawn && (degree >= n || (!s->local && n * degree % 2 != 0)))
        return error_set(error, -EINVAL,
                         "%s:%u: degree: found %zu for %zu nodes, expected it "
                         "below the nodes%s",
                         e->path, entry->line, degree, n,
                         s->local ? "" : ", and an even product");
    *mixes = sequence_new(!drawn     ? SEQUENCE_SENDS
                          : s->local ? SEQUENCE_LOCAL
                                     : SEQUENCE_ORACLE,
                          n, degree, seed);
    if (*mixes == NULL)
        return no_memory(e, error);
    if (drawn)
        return 0;
    struct table *t = &(*mixes)->sends;
    int code = table_read(t, entry->sends, "step,from,to", false, error);
    const size_t bounds[] = {any, n, n};
    size_t value;
    double last = 0;
    for (size_t r = 0; code == 0 && r < t->rows; r++) {
        for (size_t c = 0; code == 0 && c < 3; c++)
            code = table_index(&value, t, r, c, bounds[c], entry->sends,
                               "a step or node", error);
        if (code == 0 && t->v[3 * r] < last)
            code = error_set(error, -EINVAL,
                             "%s:%u: found an earlier step, expected steps in "
                             "order",
                             entry->sends, t->line[r]);
        last = t->v[3 * r];
    }
    return code;
}

static bool has_own_weights(const struct experiment_graph *g)
{
    for (size_t i = 0; g->spec.name != NULL && sequence_list[i] != NULL; i++)
        if (strcmp(sequence_list[i], g->spec.name) == 0)
            return true;
    return false;
}

static int named_weights(struct sequence **mixes, const struct experiment *e,
                         const struct experiment_graph *g,
                         const struct experiment_weights *w, size_t n,
                         uint64_t seed, struct error *error)
{
    struct named_spec spec = g->spec;

    if (!g->seeded)
        spec.seed = seed;
    if (w->line != 0)
        return error_set(error, -EINVAL,
                         "%s:%u: weights: found them with %s, which brings its "
                         "own; remove them",
                         e->path, w->line, spec.name);
    int code = sequence_named(mixes, &spec, n, error);
    return code == 0 ? 0 : experiment_blame(e, g->line, code, error);
}

static int build_sparse(struct sequence **mixes, const struct experiment *e,
                        struct error *error)
{
    struct mixing *m = mixing_sparse((*mixes)->mixes[0]);

    sequence_free(*mixes);
    *mixes = sequence_fixed(m);
    return *mixes == NULL ? no_memory(e, error) : 0;
}

int matrices_build(struct sequence **mixes, struct sequence **columns,
                   const struct experiment *e,
                   const struct experiment_entry *entry, size_t n,
                   uint64_t seed, struct error *error)
{
    const unsigned needs = entry->alg->needs;
    const bool own = entry->graph.line != 0 || entry->weights.line != 0;
    const bool tokens = (needs & ALG_ON_TOKENS) != 0;
    const struct experiment_graph none = {0};
    struct experiment_graph g = tokens ? none : e->graph;
    struct experiment_weights w = entry->weights;
    int code;

    *mixes = *columns = NULL;
    if (entry->graph.line != 0)
        g = entry->graph;
    if (w.line == 0 && !tokens && e->weights.line != 0 &&
        (entry->graph.line == 0 ||
         (e->weights.file_count == 0 && !has_own_weights(&g))))
        w = e->weights;
    if (tokens && !own) {
        g.line = entry->line;
        g.spec.name = n > 1 ? "one-peer-exponential" : "path";
    }
    if ((needs & ALG_RANDOM_SENDS) != 0)
        return random_sends(mixes, e, entry, n, seed, error);
    if (w.file_count > 0)
        code = weights_files(mixes, columns, &w, n, error);
    else if (g.line != 0 && has_own_weights(&g))
        code = named_weights(mixes, e, &g, &w, n, seed, error);
    else if (g.line != 0)
        code = graph_weights(mixes, e, &g, w.rule, n, seed, error);
    else if (entry->alg->matrix[0] == ALG_MEAN || (needs & ALG_MEETINGS) != 0)
        code = (*mixes = sequence_fixed(mixing_average(n))) == NULL
                   ? no_memory(e, error)
                   : 0;
    else
        code = error_set(error, -EINVAL,
                         "%s:%u: found no graph: and no weights: for %s, "
                         "expected one of them",
                         e->path, entry->line, entry->label);
    if (code == 0 && *mixes != NULL &&
        (needs & (ALG_MEETINGS | ALG_LINKS)) != 0 &&
        (*mixes)->kind == SEQUENCE_CYCLE && (*mixes)->count == 1)
        code = build_sparse(mixes, e, error);
    return code;
}

static int refuse_sum(const struct experiment *e,
                      const struct experiment_entry *entry, bool column,
                      size_t at, double sum, struct error *error)
{
    return error_set(error, -EINVAL,
                     "%s:%u: %s: found W with %s %zu that sums to %.10g, "
                     "expected 1, else %s; %s",
                     e->path, entry->line, entry->label,
                     column ? "column" : "row", at, sum,
                     column ? "the mean drifts" : "nodes do not agree",
                     column ? "use rule: metropolis, or push-sum or sgp with "
                              "columns that sum to 1"
                            : "scale the rows");
}

static int check_sums(const struct course_plan *p, const struct experiment *e,
                      const struct experiment_entry *entry, struct error *error)
{
    const struct alg *alg = entry->alg;
    const bool columns =
        (alg->matrix[0] == ALG_COLUMNS || alg->matrix[1] == ALG_COLUMNS) &&
        p->columns != NULL;
    struct mixing_sums sums;

    for (size_t k = 0; p->mixes->kind == SEQUENCE_CYCLE && k < p->mixes->count;
         k++) {
        mixing_check(&sums, p->mixes->mixes[k]);
        if ((alg->needs & ALG_ROWS_SUM) != 0 && !(sums.row_worst < sum_error))
            return refuse_sum(e, entry, false, sums.row, sums.row_sum, error);
        if ((alg->needs & ALG_SYMMETRIC) != 0 && sums.asymmetry > sum_error)
            return error_set(error, -EINVAL,
                             "%s:%u: %s: found a W that is not symmetric, "
                             "expected a symmetric one",
                             e->path, entry->line, entry->label);
        if (columns)
            mixing_check(&sums, p->columns->mixes[0]);
        if ((alg->needs & ALG_COLUMNS_SUM) != 0 &&
            !(sums.column_worst < sum_error))
            return refuse_sum(e, entry, true, sums.column, sums.column_sum,
                              error);
    }
    return 0;
}

static int check_shape(const struct course_plan *p, const struct experiment *e,
                       const struct experiment_entry *entry,
                       struct error *error)
{
    const unsigned needs = entry->alg->needs;
    const bool fixed = p->mixes->kind == SEQUENCE_CYCLE && p->mixes->count == 1;

    if ((needs & (ALG_LINKS | ALG_FIXED | ALG_SLEM)) != 0 && !fixed)
        return error_set(error, -EINVAL,
                         "%s:%u: %s: found a W that changes from step to step, "
                         "expected a fixed one",
                         e->path, entry->line, entry->label);
    if ((needs & ALG_MEETINGS) != 0 && p->wake == NULL && !fixed)
        return error_set(error, -EINVAL,
                         "%s:%u: %s: found neither network: {wake: FILE} nor a "
                         "fixed graph to draw meetings from",
                         e->path, entry->line, entry->label);
    if ((needs & ALG_TREE) == 0)
        return 0;
    struct graph *g = mixing_graph(p->mixes->mixes[0]);
    bool tree = g != NULL && graph_is_tree(g);
    graph_free(g);
    return tree ? 0
                : error_set(error, -EINVAL,
                            "%s:%u: %s: found a graph with cycles, expected a "
                            "tree such as path, star or bintree",
                            e->path, entry->line, entry->label);
}

int matrices_check(char *note, size_t size, const struct course_plan *p,
                   const struct spectrum *spectrum, const struct experiment *e,
                   const struct experiment_entry *entry, struct error *error)
{
    const unsigned needs = entry->alg->needs;
    int code = check_shape(p, e, entry, error);

    if (code == 0 && (needs & ALG_GRADIENTS) != 0 &&
        e->kind == PROBLEM_CONSENSUS)
        code = error_set(error, -EINVAL,
                         "%s:%u: %s: found a consensus problem, expected one "
                         "with gradients: quadratic or logistic",
                         e->path, entry->line, entry->label);
    if (code != 0 || entry->unsafe)
        return code;
    code = check_sums(p, e, entry, error);
    if (code != 0 || (needs & ALG_ABOVE_THIRD) == 0)
        return code;
    if (spectrum->lambda_n < -1.0 / 3 - third_error)
        return error_set(error, -EINVAL,
                         "%s:%u: %s: found W with lambda_n = %.6g, expected it "
                         "above -1/3, else D2 diverges; use rule: "
                         "lazy-metropolis (or unsafe: yes to see it)",
                         e->path, entry->line, entry->label,
                         spectrum->lambda_n);
    if (spectrum->lambda_n < -1.0 / 3 + third_error)
        snprintf(note, size,
                 "%s: lambda_n = %.6g is at D2's limit of -1/3; "
                 "lazy-metropolis is safe",
                 entry->label, spectrum->lambda_n);
    return 0;
}
