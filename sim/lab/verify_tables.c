#include "sim/lab/verify_tables.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/base.h"
#include "sim/lab/geometry.h"
#include "sim/lab/reference.h"
#include "sim/lab/spectrum.h"

enum { BIG = 1000 };

/* NAME.edges for every named graph, for the experiments that import them. */
static void named_graphs(struct verify *v)
{
    json_t *root = verify_json(v, "named_graphs.json"), *graph, *edge;
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
        json_t *root = verify_json(v, file);
        json_t *all = json_object_get(root, "rounds");
        if (root == NULL)
            continue;
        if (base_rounds(&rounds, &count, which[f][0], which[f][1], false) != 0)
            rounds = NULL, count = 0;
        verify_near(v, file, "n", verify_number(root, "n"), (double)which[f][0],
                    0);
        verify_near(v, file, "k", verify_number(root, "k"), (double)which[f][1],
                    0);
        verify_near(v, file, "rounds", (double)json_array_size(all),
                    (double)count, 0);
        json_array_foreach(all, k, round) if (k < count) worst =
            verify_worst(worst, round_error(round, rounds[k]));
        verify_near(v, file, "every entry, worst", 0, worst, 1e-12);
        free_rounds(rounds, count);
        json_decref(root);
    }
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
}
