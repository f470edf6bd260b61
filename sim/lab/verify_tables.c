#include "sim/lab/verify_tables.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/base.h"
#include "sim/lab/geometry.h"
#include "sim/lab/reference.h"
#include "sim/lab/spectrum.h"

enum { N = 16, D = 4, BIG = 1000 };

static json_t *load(struct verify *v, const char *file)
{
    char path[4096];
    json_error_t error;

    snprintf(path, sizeof path, "%s/%s", v->dir, file);
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL)
        verify_fail(v, file, error.text);
    return root;
}

/* NAME.edges for every named graph, for the experiments that import them. */
static void named_graphs(struct verify *v)
{
    json_t *root = load(v, "named_graphs.json"), *graph, *edge;
    const char *name;
    size_t k;

    json_object_foreach(root, name, graph)
    {
        char file[128], what[128];
        struct graph_edges edges = {0};
        snprintf(file, sizeof file, "%s.edges", name);
        FILE *out = rig_create(&v->rig, file);
        json_array_foreach(json_object_get(graph, "edges"), k, edge)
        {
            long long i = json_integer_value(json_array_get(edge, 0));
            long long j = json_integer_value(json_array_get(edge, 1));
            fprintf(out, "%lld %lld\n", i, j);
            graph_add(&edges, (size_t)i, (size_t)j);
        }
        fclose(out);
        size_t n = (size_t)json_integer_value(json_object_get(graph, "n"));
        struct graph *g = graph_of(&edges, n);
        const struct named_spec spec = {
            .name = strncmp(name, "karate", 6) == 0 ? "karate" : "davis"};
        struct graph *own = NULL;
        if (g != NULL && named_graph(&own, &spec, n, NULL) == 0) {
            snprintf(what, sizeof what, "%s: the same links", name);
            verify_holds(
                v, "named_graphs.json", what,
                g->start[n] == own->start[n] &&
                    memcmp(g->to, own->to, g->start[n] * sizeof *g->to) == 0);
        }
        graph_free(own);
        snprintf(what, sizeof what, "%s: edges", name);
        verify_near(v, "named_graphs.json", what,
                    (double)json_integer_value(json_object_get(graph, "m")),
                    g == NULL ? 0 : (double)g->start[n] / 2, 0);
        graph_free(g);
    }
    if (root != NULL)
        verify_holds(v, "named_graphs.json",
                     "davis_southern_women and karate_club",
                     json_object_size(root) == 2 &&
                         json_object_get(root, "davis_southern_women") &&
                         json_object_get(root, "karate_club"));
    json_decref(root);
}

static struct graph *file_graph(const struct verify *v, const char *name,
                                size_t n)
{
    char file[128];
    struct table_matrix m;
    struct graph_edges edges = {0};

    snprintf(file, sizeof file, "%s.edges", name);
    if (table_matrix(&m, rig_path(&v->rig, file), NULL) != 0)
        return NULL;
    for (size_t k = 0; k < m.count; k++)
        graph_add(&edges, m.entries[k].row, m.entries[k].column);
    table_matrix_free(&m);
    return graph_of(&edges, n);
}

static struct graph *any_graph(const struct verify *v, const char *name,
                               size_t n)
{
    const bool undirected = strcmp(name, "exp_undirected") == 0;
    const struct named_spec spec = {
        .name = undirected ? "exponential-undirected" : name};
    struct graph *graph = NULL;

    if (strcmp(name, "geometric") == 0)
        return geometry_graph(n, geometry_radius(n));
    return named_graph(&graph, &spec, n, NULL) == 0 ? graph
                                                    : file_graph(v, name, n);
}

/* Columns graph,n,edges,deg_min,deg_max,weights,lambda2,lambda_n,slem,gap,
 * one_minus_slem2,lap_lambda2,lap_lambdan */
static void spectral_row(struct verify *v, const struct reference *r, size_t t,
                         const struct graph *g, const double laplacian[2])
{
    static const enum weights_rule rules[] = {
        WEIGHTS_METROPOLIS, WEIGHTS_MAX_DEGREE, WEIGHTS_LAZY, WEIGHTS_BEST};
    struct spectrum s = {.lambda2 = (double)NAN};
    struct mixing *m;
    char what[128];
    size_t least = SIZE_MAX;
    double worst = 0;

    for (size_t i = 0; i < g->n; i++)
        least = graph_degree(g, i) < least ? graph_degree(g, i) : least;
    if (weights_of(&m, g, rules[t % 4], NULL) == 0)
        spectrum_of(&s, m, NULL);
    mixing_free(m);
    const double got[] = {(double)g->start[g->n] / 2,
                          (double)least,
                          (double)graph_degree_max(g),
                          0,
                          s.lambda2,
                          s.lambda_n,
                          s.slem,
                          s.gap,
                          1 - s.slem * s.slem,
                          laplacian[0],
                          laplacian[1]};
    for (size_t c = 2; c < r->columns; c++)
        if (c != 5)
            worst =
                verify_worst(worst, fabs(got[c - 2] - reference_at(r, t, c)));
    static const char *const names[] = {"metropolis", "maxdegree",
                                        "lazy_metropolis", "bestconst"};
    snprintf(what, sizeof what, "%s %zu, %s: all columns, worst",
             reference_word(r, t, 0), g->n, names[t % 4]);
    if (strcmp(reference_word(r, t, 5), names[t % 4]) != 0)
        worst = HUGE_VAL;
    verify_near(v, r->file, what, 0, worst, g->n >= 1000 ? 1e-8 : 1e-9);
}

static void spectral(struct verify *v)
{
    struct reference r;
    struct graph *g = NULL;
    double laplacian[2] = {0, 0};

    if (reference_open(&r, v, "spectral.csv",
                       "graph$,n,edges,deg_min,deg_max,weights$,lambda2,"
                       "lambda_n,slem,gap,one_minus_slem2,lap_lambda2,"
                       "lap_lambdan",
                       284) != 0)
        return;
    if (v->quick)
        verify_skip(v, r.file, "n=1000: --quick");
    for (size_t t = 0; t < r.rows; t++) {
        if (v->quick && reference_at(&r, t, 1) >= BIG)
            continue;
        if (t % 4 == 0) {
            graph_free(g);
            g = any_graph(v, reference_word(&r, t, 0),
                          (size_t)reference_at(&r, t, 1));
            if (g == NULL)
                break;
            spectrum_laplacian(&laplacian[0], &laplacian[1], g, NULL);
        }
        spectral_row(v, &r, t, g, laplacian);
    }
    verify_holds(v, r.file, "every graph could be built", g != NULL);
    graph_free(g);
    reference_close(&r);
}

static void static_exponential(struct verify *v)
{
    struct reference r;

    if (reference_open(&r, v, "static_exponential.csv",
                       "n,tau,second_abs_eig,norm2_W_minus_J,gap", 6) != 0)
        return;
    if (v->quick)
        verify_skip(v, r.file, "n=1000: --quick");
    for (size_t t = 0; t < r.rows; t++) {
        const size_t n = (size_t)reference_at(&r, t, 0);
        const struct named_spec spec = {.name = "static-exponential"};
        struct spectrum s = {0};
        struct sequence *q;
        char what[96];
        if (v->quick && n >= BIG)
            continue;
        if (sequence_named(&q, &spec, n, NULL) != 0 ||
            spectrum_of(&s, q->mixes[0], NULL) != 0) {
            verify_fail(v, r.file, "a spectrum could not be computed");
            sequence_free(q);
            continue;
        }
        snprintf(what, sizeof what, "%zu: second_abs_eig", n);
        verify_near(v, r.file, what, reference_at(&r, t, 2), s.slem,
                    n >= 1000 ? 1e-8 : 1e-9);
        snprintf(what, sizeof what, "%zu: norm2_W_minus_J", n);
        verify_near(v, r.file, what, reference_at(&r, t, 3), s.norm,
                    n >= 1000 ? 1e-8 : 1e-9);
        snprintf(what, sizeof what, "%zu: tau", n);
        verify_near(v, r.file, what, reference_at(&r, t, 1),
                    (double)q->mixes[0]->offset_count - 1, 0);
        snprintf(what, sizeof what, "%zu: gap", n);
        verify_near(v, r.file, what, reference_at(&r, t, 4), 1 - s.norm,
                    n >= 1000 ? 1e-8 : 1e-9);
        sequence_free(q);
    }
    reference_close(&r);
}

/* "path8", "grid4x4", "lattice4_16" */
static void fastest(struct verify *v)
{
    static const enum weights_rule rules[] = {WEIGHTS_METROPOLIS,
                                              WEIGHTS_MAX_DEGREE, WEIGHTS_BEST,
                                              WEIGHTS_FDLA, WEIGHTS_FMMC};
    struct reference r;

    if (reference_open(&r, v, "fastest_mixing.csv",
                       "graph$,n,slem_metropolis,slem_maxdegree,"
                       "slem_bestconst,slem_FDLA_opt,slem_FMMC_opt",
                       8) != 0)
        return;
    for (size_t t = 0; t < r.rows; t++) {
        char name[64], what[160];
        snprintf(name, sizeof name, "%s", reference_word(&r, t, 0));
        if (strncmp(name, "lattice4", 8) == 0)
            name[8] = '\0';
        else
            name[strcspn(name, "0123456789")] = '\0';
        struct graph *g = any_graph(v, name, (size_t)reference_at(&r, t, 1));
        for (size_t k = 0; k < 5; k++) {
            struct spectrum s = {.slem = (double)NAN};
            struct mixing *m = NULL;
            if (g != NULL && weights_of(&m, g, rules[k], NULL) == 0)
                spectrum_of(&s, m, NULL);
            mixing_free(m);
            snprintf(what, sizeof what, "%s: %s", reference_word(&r, t, 0),
                     r.names[2 + k]);
            verify_near(v, r.file, what, reference_at(&r, t, 2 + k), s.slem,
                        k < 3 ? 1e-9 : 1e-7);
        }
        graph_free(g);
    }
    reference_close(&r);
}

static void geometric_radius(struct verify *v)
{
    struct reference r;

    if (reference_open(&r, v, "geometric_radius.csv", "n,m_percent", 6) != 0)
        return;
    for (size_t t = 0; t < r.rows; t++)
        r.got[t] = (double)geometry_radius((size_t)reference_at(&r, t, 0));
    reference_judge(&r, v, 1, REFERENCE_PLAIN);
    reference_close(&r);
}

static size_t degree_most(struct mixing **rounds, size_t count)
{
    size_t most = 0;

    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < rounds[t]->n; i++) {
            size_t links = 0;
            for (size_t e = rounds[t]->start[i]; e < rounds[t]->start[i + 1];
                 e++)
                links += rounds[t]->column[e] != i &&
                         fpclassify(rounds[t]->weight[e]) != FP_ZERO;
            most = links > most ? links : most;
        }
    return most;
}

static void free_rounds(struct mixing **rounds, size_t count)
{
    for (size_t t = 0; t < count; t++)
        mixing_free(rounds[t]);
    free(rounds);
}

/* The product of all rounds against the average of all. */
static double product_error(struct mixing **rounds, size_t count, size_t n)
{
    double *x = calloc(n * n, sizeof *x), *y = malloc(n * n * sizeof *y);
    double worst = 0;

    for (size_t i = 0; i < n; i++)
        x[i * n + i] = 1;
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < n; i++)
            mixing_row(y + i * n, rounds[t], i, x, n);
        double *kept = x;
        x = y;
        y = kept;
    }
    for (size_t i = 0; i < n * n; i++)
        worst = verify_worst(worst, fabs(x[i] - 1 / (double)n));
    free(x);
    free(y);
    return worst;
}

/* n,k,simple_base_len,simple_base_maxdeg,base_len,base_maxdeg,bound */
static void base_lengths(struct verify *v)
{
    struct reference r;
    double worst = 0;

    if (reference_open(&r, v, "base_graph_length.csv",
                       "n,k,simple_base_len,simple_base_maxdeg,base_len,"
                       "base_maxdeg,paper_bound_2log_plus_2",
                       182) != 0)
        return;
    for (size_t c = 2; c < r.columns; c++) {
        for (size_t t = 0; t < r.rows; t++) {
            const size_t n = (size_t)reference_at(&r, t, 0);
            const size_t k = (size_t)reference_at(&r, t, 1);
            struct mixing **rounds;
            size_t count;
            r.got[t] = c == 6 ? 2 * log2((double)n) / log2((double)k + 1) + 2
                              : (double)NAN;
            if (c == 6 || base_rounds(&rounds, &count, n, k, c < 4) != 0)
                continue;
            r.got[t] =
                c % 2 == 0 ? (double)count : (double)degree_most(rounds, count);
            if (c % 2 == 0 && (n < BIG || !v->quick))
                worst = verify_worst(worst, product_error(rounds, count, n));
            free_rounds(rounds, count);
        }
        reference_judge(&r, v, c, REFERENCE_PLAIN);
    }
    if (v->quick)
        verify_skip(v, r.file, "product of rounds, n=1000: --quick");
    verify_near(v, r.file, "product of rounds - J, worst", 0, worst, 1e-12);
    reference_close(&r);
}

static double get(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);

    return json_is_number(number) ? json_number_value(number) : (double)NAN;
}

/* Lower triangles of every round, entry by entry. */
static double round_error(const json_t *round, const struct mixing *m)
{
    double *dense = malloc(m->n * m->n * sizeof *dense), worst = 0;
    json_t *entry;
    size_t k;

    mixing_dense(dense, m);
    json_array_foreach(round, k, entry)
    {
        size_t i = (size_t)json_integer_value(json_array_get(entry, 0));
        size_t j = (size_t)json_integer_value(json_array_get(entry, 1));
        double w = json_number_value(json_array_get(entry, 2));
        if (i >= m->n || j >= m->n || !json_is_number(json_array_get(entry, 2)))
            worst = HUGE_VAL;
        if (i >= m->n || j >= m->n)
            continue;
        worst = verify_worst(worst, fabs(dense[i * m->n + j] - w));
        dense[i * m->n + j] = dense[j * m->n + i] = 0;
    }
    for (size_t i = 0; i < m->n * m->n; i++)
        worst = verify_worst(worst,
                             fabs(dense[i])); /* what the file does not have */
    free(dense);
    return worst;
}

static void base_graphs(struct verify *v)
{
    static const size_t which[][2] = {{5, 1},  {6, 1},  {22, 2},
                                      {25, 1}, {25, 2}, {25, 4}};

    for (size_t f = 0; f < 6; f++) {
        char file[64];
        struct mixing **rounds;
        size_t count, k;
        json_t *round;
        double worst = 0;
        snprintf(file, sizeof file, "base_graph_n%zu_k%zu.json", which[f][0],
                 which[f][1]);
        json_t *root = load(v, file);
        json_t *all = json_object_get(root, "rounds");
        if (root == NULL)
            continue;
        if (base_rounds(&rounds, &count, which[f][0], which[f][1], false) != 0)
            rounds = NULL, count = 0;
        verify_near(v, file, "n", get(root, "n"), (double)which[f][0], 0);
        verify_near(v, file, "k", get(root, "k"), (double)which[f][1], 0);
        verify_near(v, file, "rounds", (double)json_array_size(all),
                    (double)count, 0);
        json_array_foreach(all, k, round) if (k < count) worst =
            verify_worst(worst, round_error(round, rounds[k]));
        verify_near(v, file, "every entry, worst", 0, worst, 1e-12);
        free_rounds(rounds, count);
        json_decref(root);
    }
}

static void optimum(struct verify *v, const json_t *expected, const char *what,
                    const struct problem *p)
{
    const json_t *best = json_object_get(expected, "x_star");
    char text[64];

    snprintf(text, sizeof text, "%s: coordinates", what);
    verify_near(v, "closed_forms.json", text, (double)json_array_size(best),
                (double)p->d, 0);
    for (size_t k = 0; k < p->d; k++) {
        snprintf(text, sizeof text, "%s: x*_%zu", what, k);
        verify_near(v, "closed_forms.json", text,
                    json_number_value(json_array_get(best, k)), p->best[k],
                    1e-12);
    }
    snprintf(text, sizeof text, "%s: F*", what);
    verify_near(v, "closed_forms.json", text, get(expected, "F_star"),
                p->best_value, 1e-13 * fmax(1, p->best_value));
}

static void optima(struct verify *v, const json_t *root)
{
    struct problem p;
    double zeta = 0, g[D];

    if (problem_quadratic(&p, N, rig_path(&v->rig, "q.csv"), NULL, NULL) == 0 &&
        problem_solve(&p, NULL) == 0) {
        const json_t *expected = json_object_get(root, "problem");
        optimum(v, expected, "Q", &p);
        for (size_t i = 0; i < N; i++) {
            problem_gradient(g, &p, i, p.best, NULL, NULL);
            for (size_t k = 0; k < D; k++)
                zeta += g[k] * g[k] / N;
        }
        verify_near(v, "closed_forms.json", "Q: zeta^2", get(expected, "zeta2"),
                    zeta, 1e-12);
        double most = 0, least = HUGE_VAL; /* its A_i are diagonal */
        for (size_t i = 0; i < N * D; i++) {
            most = fmax(most, p.a[i * D + i % D]);
            least = fmin(least, p.a[i * D + i % D]);
        }
        verify_near(v, "closed_forms.json", "Q: L", get(expected, "L"), most,
                    0);
        verify_near(v, "closed_forms.json", "Q: mu", get(expected, "mu"), least,
                    0);
        verify_near(v, "closed_forms.json", "Q: n and d",
                    get(expected, "n") + get(expected, "d") / 10, N + D / 10.0,
                    1e-12);
    }
    problem_free(&p);
    if (problem_logistic(&p, N, rig_path(&v->rig, "l.csv"), 0.1, NULL, NULL) ==
            0 &&
        problem_solve(&p, NULL) == 0)
        optimum(v, json_object_get(root, "logistic"), "LOG", &p);
    problem_free(&p);
}

static void dgd_limits(struct verify *v, const json_t *root)
{
    const char *eta;
    json_t *both;

    json_object_foreach(json_object_get(root, "dgd_limits_by_eta"), eta,
                        both) for (size_t k = 0; k < 2; k++)
    {
        const char *order = k == 0 ? "cta" : "atc";
        const json_t *e = json_object_get(both, order);
        struct lab *lab =
            rig_runf(&v->rig,
                     "version: 1\nnodes: 16\ngraph: {name: ring}\nsteps: 6000\n"
                     "every: 6000\nproblem: {kind: quadratic, file: q.csv}\n"
                     "algorithms:\n- {name: dgd-%s, step: %s, label: a}\n",
                     order, eta);
        const struct course_row *row = verify_row(lab, "a", 1);
        char what[96];
        snprintf(what, sizeof what, "DGD-%s, step %s: err", order, eta);
        verify_error(v, "closed_forms.json", what, get(e, "err"), row->err);
        snprintf(what, sizeof what, "DGD-%s, step %s: cons", order, eta);
        verify_error(v, "closed_forms.json", what, get(e, "cons"), row->cons);
        snprintf(what, sizeof what, "DGD-%s, step %s: gap", order, eta);
        verify_near(v, "closed_forms.json", what, get(e, "gap"), row->gap,
                    1e-13);
        snprintf(what, sizeof what, "DGD-%s, step %s: mean's bias", order, eta);
        verify_near(v, "closed_forms.json", what, get(e, "mean_bias_norm"),
                    verify_root(row->err - row->cons), 1e-10);
        lab_free(lab);
    }
}

/* Metropolis weights of a named graph: the eigenvalues by their closed form's
 * place, LAPACK. */
static void stationary(struct verify *v, const json_t *root)
{
    json_t *e;
    size_t k;

    json_array_foreach(json_object_get(root, "sgd_stationary"), k, e)
    {
        const char *name = json_string_value(json_object_get(e, "graph"));
        const size_t n = (size_t)get(e, "n");
        const double h = get(e, "h"), s = get(e, "sigma2"), eta = get(e, "eta");
        double *values = malloc((n + 1) * sizeof *values), cta = 0, atc = 0;
        struct graph *g = name == NULL ? NULL : any_graph(v, name, n);
        struct mixing *m = NULL;
        char what[96];
        if (g == NULL || weights_of(&m, g, WEIGHTS_METROPOLIS, NULL) != 0 ||
            spectrum_values(values, m, NULL) != 0)
            cta = atc = (double)NAN;
        else
            for (size_t i = 0; i + 1 < n; i++) { /* the last one is 1 */
                double l = values[i], keep = l - eta * h;
                cta += eta * eta * s / (double)n / (1 - keep * keep);
                keep = l * (1 - eta * h);
                atc += eta * eta * s / (double)n * l * l / (1 - keep * keep);
            }
        snprintf(what, sizeof what, "%s %zu: var_mean", name, n);
        verify_near(v, "closed_forms.json", what, get(e, "var_mean"),
                    eta * s / ((double)n * h * (2 - eta * h)), 1e-12);
        snprintf(what, sizeof what, "%s %zu: cons_cta", name, n);
        verify_near(v, "closed_forms.json", what, get(e, "cons_cta"), cta,
                    1e-12);
        snprintf(what, sizeof what, "%s %zu: cons_atc", name, n);
        verify_near(v, "closed_forms.json", what, get(e, "cons_atc"), atc,
                    1e-12);
        mixing_free(m);
        graph_free(g);
        free(values);
    }
}

static void formulas(struct verify *v, const json_t *root)
{
    json_t *e;
    const char *key;
    char what[96];
    size_t k;

    json_array_foreach(json_object_get(root, "epidemic_beta"), k, e)
    {
        const double n = get(e, "n"), s = get(e, "s");
        snprintf(what, sizeof what, "epidemic n=%.0f s=%.0f: oracle", n, s);
        verify_near(v, "closed_forms.json", what, get(e, "oracle"),
                    (1 - s / (n - 1)) / (s + 1), 1e-12);
        snprintf(what, sizeof what, "epidemic n=%.0f s=%.0f: local", n, s);
        verify_near(v, "closed_forms.json", what, get(e, "local"),
                    (1 - pow(1 - s / (n - 1), n)) / s - 1 / (n - 1), 1e-12);
    }
    json_object_foreach(json_object_get(root, "pairwise_complete_lambda2"), key,
                        e)
    {
        snprintf(what, sizeof what, "pairwise complete %s: lambda2", key);
        verify_near(v, "closed_forms.json", what, json_number_value(e),
                    1 - 1 / (strtod(key, NULL) - 1), 1e-12);
    }
    json_object_foreach(json_object_get(root, "pairwise_ring_lambda2"), key, e)
    {
        const double n = strtod(key, NULL);
        snprintf(what, sizeof what, "pairwise ring %s: lambda2", key);
        verify_near(v, "closed_forms.json", what, json_number_value(e),
                    1 - (1 - cos(2 * 3.141592653589793 / n)) / n, 1e-12);
    }
}

static void choco_gammas(struct verify *v, const json_t *root)
{
    json_t *e;
    size_t k;

    json_array_foreach(json_object_get(root, "choco_theory_gamma"), k, e)
    {
        const char *name = json_string_value(json_object_get(e, "graph"));
        const double w = get(e, "omega");
        struct graph *g =
            name == NULL ? NULL : any_graph(v, name, (size_t)get(e, "n"));
        struct mixing *m = NULL;
        struct spectrum s = {.gap = (double)NAN};
        char what[96];
        if (g != NULL && weights_of(&m, g, WEIGHTS_METROPOLIS, NULL) == 0)
            spectrum_of(&s, m, NULL);
        const double d = s.gap, b = 1 - s.lambda_n; /* ||I - W|| */
        const double gamma =
            d * d * w /
            (16 * d + d * d + 4 * b * b + 2 * d * b * b - 8 * d * w);
        snprintf(what, sizeof what, "CHOCO %s, omega %g: gamma", name, w);
        verify_near(v, "closed_forms.json", what, get(e, "gamma"), gamma,
                    1e-12);
        snprintf(what, sizeof what, "CHOCO %s, omega %g: rate", name, w);
        verify_near(v, "closed_forms.json", what, get(e, "rate_bound"),
                    1 - d * d * w / 82, 1e-12);
        snprintf(what, sizeof what, "CHOCO %s, omega %g: delta", name, w);
        verify_near(v, "closed_forms.json", what, get(e, "delta"), d, 1e-9);
        snprintf(what, sizeof what, "CHOCO %s, omega %g: beta", name, w);
        verify_near(v, "closed_forms.json", what, get(e, "beta"), b, 1e-9);
        mixing_free(m);
        graph_free(g);
    }
}

/* How many values a section has; a list's or object's own, all the way down. */
static size_t count_values(json_t *json)
{
    json_t *item;
    const char *key;
    size_t k, count = 0;

    if (!json_is_object(json) && !json_is_array(json))
        return json != NULL;
    json_object_foreach(json, key, item) count += count_values(item);
    json_array_foreach(json, k, item) count += count_values(item);
    return count;
}

/* So that nothing that is there, or was, goes unread. */
static void sections(struct verify *v, const json_t *root)
{
    static const struct {
        const char *name;
        size_t values;
    } all[] = {
        {"problem", 5 + D + 1},           {"logistic", D + 1},
        {"dgd_limits_by_eta", 3 * 2 * 4}, {"sgd_stationary", 5 * 8},
        {"epidemic_beta", 12 * 4},        {"pairwise_complete_lambda2", 6},
        {"pairwise_ring_lambda2", 6},     {"choco_theory_gamma", 6 * 7}};

    verify_near(v, "closed_forms.json", "sections",
                (double)json_object_size(root), 8, 0);
    for (size_t k = 0; k < 8; k++)
        verify_near(v, "closed_forms.json", all[k].name,
                    (double)count_values(json_object_get(root, all[k].name)),
                    (double)all[k].values, 0);
}

static void closed_forms(struct verify *v)
{
    json_t *root = load(v, "closed_forms.json");

    if (root == NULL)
        return;
    sections(v, root);
    optima(v, root);
    dgd_limits(v, root);
    stationary(v, root);
    formulas(v, root);
    choco_gammas(v, root);
    json_decref(root);
}

enum { LABELS_MAX = 64, STATE_STEPS = 5 };

struct watched {
    const json_t *root;
    double worst[LABELS_MAX];
    char labels[LABELS_MAX][64];
    size_t steps[LABELS_MAX]; /* how many of the file's were compared */
    size_t count;
};

static size_t place_of(struct watched *s, const char *label)
{
    size_t at = 0;

    while (at < s->count && strcmp(s->labels[at], label) != 0)
        at++;
    assert(at < LABELS_MAX);
    if (at == s->count)
        snprintf(s->labels[s->count++], sizeof s->labels[0], "%s", label);
    return at;
}

static double state_error(const json_t *rows, const struct course *course)
{
    double worst = 0;

    if (json_array_size(rows) != course_rows(course))
        return HUGE_VAL;
    for (size_t i = 0; i < course_rows(course); i++) {
        const json_t *row = json_array_get(rows, i);
        if (json_array_size(row) != D)
            return HUGE_VAL;
        for (size_t k = 0; k < D; k++) {
            const json_t *x = json_array_get(row, k);
            const double want =
                json_is_number(x) ? json_number_value(x) : (double)NAN;
            worst =
                verify_worst(worst, fabs(want - course_state(course, i)[k]) /
                                        fmax(1, fabs(want)));
        }
    }
    return worst;
}

static void compare_states(void *context, const char *label,
                           const struct course_row *row,
                           const struct course *course)
{
    struct watched *s = context;
    const size_t at = place_of(s, label);
    char step[32];

    snprintf(step, sizeof step, "%llu", (unsigned long long)row->step);
    const json_t *rows = json_object_get(json_object_get(s->root, label), step);
    if (rows == NULL)
        return;
    s->steps[at]++;
    /* divergence and near-ties: only the first steps */
    if (row->step <= 5 || (strcmp(label, "deepsqueeze_grid64") != 0 &&
                           strcmp(label, "choco_sgd_sign") != 0))
        s->worst[at] = verify_worst(s->worst[at], state_error(rows, course));
}

static void states(struct verify *v)
{
    json_t *root = load(v, "quad_states.json");
    struct watched s = {.root = root};
    const struct lab_options options = {
        .threads = v->rig.threads, .watch = compare_states, .context = &s};
    char what[96];

    if (root == NULL)
        return;
    lab_free(rig_run(&v->rig, rig_quadratic, &options));
    for (size_t i = 0; i < s.count; i++) {
        snprintf(what, sizeof what, "%s: all states, worst", s.labels[i]);
        const size_t there =
            json_object_size(json_object_get(root, s.labels[i]));
        const bool all = there == STATE_STEPS && s.steps[i] == there;
        verify_near(v, "quad_states.json", what, 0, all ? s.worst[i] : HUGE_VAL,
                    1e-10);
    }
    verify_near(v, "quad_states.json", "algorithms",
                (double)json_object_size(root), (double)s.count, 0);
    json_decref(root);
}

void verify_tables_facts(struct verify *v)
{
    named_graphs(v);
    spectral(v);
    static_exponential(v);
    fastest(v);
    geometric_radius(v);
    base_lengths(v);
    base_graphs(v);
    closed_forms(v);
    states(v);
}
