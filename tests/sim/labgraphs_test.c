/* The lab's graphs and matrices: closed forms, chance, files. */

#include "sim/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "gossip/base.h"
#include "sim/lab/circulant.h"
#include "sim/lab/drawn.h"

static const double pi = 3.141592653589793;

static struct mixing *weights(const char *name, size_t n,
                              enum weights_rule rule)
{
    const struct named_spec spec = {.name = name};
    struct graph *graph;
    struct mixing *m;

    assert_int_equal(named_graph(&graph, &spec, n, NULL), 0);
    assert_int_equal(weights_of(&m, graph, rule, NULL), 0);
    graph_free(graph);
    return m;
}

static struct spectrum spectrum(const char *name, size_t n,
                                enum weights_rule rule)
{
    struct mixing *m = weights(name, n, rule);
    struct spectrum s;

    assert_int_equal(spectrum_of(&s, m, NULL), 0);
    mixing_free(m);
    return s;
}

static void spectra_are_the_closed_forms(void **state)
{
    (void)state;
    for (size_t n = 3; n < 20; n++) {
        double N1 = (double)n;
        double lambda = (1 + 2 * cos(2 * pi / N1)) / 3;
        trial_near(spectrum("ring", n, WEIGHTS_METROPOLIS).lambda2, lambda,
                   1e-12);
        lambda = (1 + 2 * cos(pi / N1)) / 3;
        trial_near(spectrum("path", n, WEIGHTS_METROPOLIS).lambda2, lambda,
                   1e-12);
        trial_near(spectrum("star", n, WEIGHTS_METROPOLIS).gap, 1 / N1, 1e-12);
        trial_near(spectrum("star", n, WEIGHTS_BEST).slem, (N1 - 1) / (N1 + 1),
                   1e-12);
    }
    trial_near(spectrum("path", 9, WEIGHTS_FDLA).slem, cos(pi / 9), 1e-8);
    trial_near(spectrum("star", 9, WEIGHTS_FMMC).slem, 1 - 1.0 / 8, 1e-8);
}

/* Ring, directed ring; beside LAPACK where that reaches. */
static void circulants_have_spectra_of_any_size(void **state)
{
    const size_t ring[] = {0, 1, 4999}, next[] = {0, 1};
    const double third[] = {1 / 3.0, 1 / 3.0, 1 / 3.0};
    const double half[] = {0.5, 0.5};
    struct spectrum s, closed;
    struct error error;

    (void)state;
    struct mixing *m = mixing_circulant(5000, ring, third, 3);
    struct mixing *rows = mixing_sparse(m);
    assert_int_equal(spectrum_of(&s, rows, &error), 0);
    assert_true(s.symmetric);
    assert_true(fabs(s.lambda2 - (1 + 2 * cos(acos(-1) / 2500)) / 3) < 1e-12);
    assert_true(fabs(s.lambda_n + 1 / 3.0) < 1e-12);
    rows->weight[rows->start[2500]] += 1e-6;
    assert_int_equal(spectrum_of(&s, rows, &error), -EDOM);
    mixing_free(rows);
    mixing_free(m);
    m = mixing_circulant(100, next, half, 2);
    assert_true(circulant_is(m));
    circulant_spectrum(&closed, m);
    assert_int_equal(spectrum_of(&s, m, &error), 0);
    assert_false(s.symmetric || closed.symmetric);
    assert_true(fabs(s.lambda2 - closed.lambda2) < 1e-9);
    assert_true(fabs(s.norm - closed.norm) < 1e-9);
    mixing_free(m);
}

static void base_graphs_average_exactly(void **state)
{
    double x[40], y[40];

    (void)state;
    for (size_t n = 2; n <= 40; n++)
        for (size_t k = 1; k < n && k <= 4; k++)
            for (int simple = 0; simple < 2; simple++) {
                struct mixing **rounds;
                size_t count;
                assert_int_equal(base_rounds(&rounds, &count, n, k, simple), 0);
                for (size_t i = 0; i < n; i++)
                    x[i] = i == n / 2;
                for (size_t t = 0; t < count; t++) {
                    for (size_t i = 0; i < n; i++)
                        mixing_row(&y[i], rounds[t], i, x, 1);
                    memcpy(x, y, sizeof x);
                    mixing_free(rounds[t]);
                }
                for (size_t i = 0; i < n; i++)
                    trial_near(x[i], 1 / (double)n, 1e-14);
                free(rounds);
            }
}

static void drawn_graphs_are_functions_of_their_seed(void **state)
{
    static const struct named_spec specs[] = {
        {.name = "erdos-renyi", .p = 0.1},
        {.name = "regular", .degree = 5},
        {.name = "watts-strogatz", .k = 4, .p = 0.3},
        {.name = "barabasi-albert", .m = 3},
        {.name = "geometric", .radius = 0.2}};

    (void)state;
    for (size_t s = 0; s < 5; s++) {
        struct graph *g[3];
        for (uint64_t k = 0; k < 3; k++) {
            struct named_spec spec = specs[s];
            spec.seed = k / 2;
            assert_int_equal(drawn_graph(&g[k], &spec, 100, NULL), 0);
        }
        const size_t size = g[0]->start[100] * sizeof *g[0]->to;
        assert_int_equal(g[0]->start[100], g[1]->start[100]);
        assert_memory_equal(g[0]->to, g[1]->to, size);
        assert_true(g[0]->start[100] != g[2]->start[100] ||
                    memcmp(g[0]->to, g[2]->to, size) != 0);
        for (size_t i = 0; i < 100 && s == 1; i++)
            assert_int_equal(graph_degree(g[0], i), 5);
        if (s == 3)
            assert_int_equal(g[0]->start[100] / 2, 3 + 96 * 3);
        for (size_t k = 0; k < 3; k++)
            graph_free(g[k]);
    }
}

static void graphs_come_in_from_three_kinds_of_file(void **state)
{
    static const char *const files[] = {"g.edges", "g.mtx", "g.graphml"};
    double err[3];

    (void)state;
    scratch_write("g.edges", "# a path\n0 1\n1 2 # and on\n2 3\n");
    scratch_write("g.mtx",
                  "%%MatrixMarket matrix coordinate pattern symmetric\n"
                  "% a path\n4 4 3\n2 1\n3 2\n4 3\n");
    scratch_write("g.graphml",
                  "<?xml version=\"1.0\"?>\n<graphml><graph id=\"G\" "
                  "edgedefault=\"undirected\">\n<node id=\"a\"/><node "
                  "id=\"b\"/>\n<node id=\"c\"/><node id='d'/>\n"
                  "<edge source=\"a\" target=\"b\"/><edge source=\"b\" "
                  "target=\"c\"/>\n<edge id=\"e\" source=\"c\" "
                  "target=\"d\"/></graph></graphml>\n");
    scratch_write("four.csv", "0\n1\n5\n2\n");
    for (size_t k = 0; k < 3; k++) {
        char text[512];
        snprintf(text, sizeof text,
                 "version: 1\ngraph: {file: %s}\nsteps: 5\n"
                 "problem: {kind: consensus, init: four.csv}\n"
                 "algorithms: [{name: gossip}]\n",
                 files[k]);
        struct lab *lab = trial_run(text, 1);
        err[k] = lab_rows(lab, "gossip", 0)[5].err;
        lab_free(lab);
    }
    assert_true(err[0] > 0 && err[0] < 1);
    assert_memory_equal(&err[0], &err[1], sizeof err[0]);
    assert_memory_equal(&err[0], &err[2], sizeof err[0]);
}

/* As numpy.save() writes it, version 1: a path's adjacency in bytes; weights as
 * floats, column by column, by which all come to hold what node 0 has. */
static void write_npy(const char *name, bool weights)
{
    static const double columns[4][4] = {
        {1, 0.5, 0, 0}, {0, 0.5, 0.5, 0}, {0, 0, 0.5, 0.5}, {0, 0, 0, 0.5}};
    FILE *file = fopen(scratch_path(name), "wb");
    char head[119];

    assert_non_null(file);
    snprintf(head, sizeof head, "%-117s\n",
             weights
                 ? "{'descr': '<f8', 'fortran_order': True, 'shape': (4, 4), }"
                 : "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 4), "
                   "}");
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file);
    fwrite(head, 1, 118, file);
    if (weights)
        fwrite(columns, sizeof columns, 1, file);
    for (int i = 0; !weights && i < 16; i++)
        fputc(i / 4 - i % 4 == 1 || i % 4 - i / 4 == 1, file);
    fclose(file);
}

static void graphs_and_weights_come_in_from_numpy(void **state)
{
    static const char *const lines[] = {"graph: {file: a.npy}",
                                        "weights: {file: w.npy}",
                                        "graph: {name: path}"};
    struct course_row last[3];
    char text[512];

    (void)state;
    write_npy("a.npy", false);
    write_npy("w.npy", true);
    scratch_write("four.csv", "7\n1\n5\n2\n");
    for (size_t k = 0; k < 3; k++) {
        snprintf(text, sizeof text,
                 "version: 1\nnodes: 4\n%s\nsteps: 50\n"
                 "problem: {kind: consensus, init: four.csv}\n"
                 "algorithms: [{name: gossip}]\n",
                 lines[k]);
        struct lab *lab = trial_run(text, 1);
        last[k] = lab_rows(lab, "gossip", 0)[50];
        lab_free(lab);
    }
    trial_near(last[0].err, last[2].err, 1e-15);
    trial_near(last[0].mean, 3.75, 1e-12);
    trial_near(last[1].mean, 7, 1e-9);
}

/* Every graph there is, each with all that it takes, averages. */
static void every_graph_can_be_had(void **state)
{
    static const char *const graphs[] = {
        "16 name: path",
        "16 name: ring",
        "16 name: star",
        "16 name: complete",
        "16 name: grid",
        "16 name: torus, rows: 2, columns: 8",
        "16 name: hypercube",
        "16 name: bintree",
        "16 name: circulant, offsets: [1, 3]",
        "16 name: barbell",
        "16 name: barbell, clique: 6",
        "16 name: lollipop, clique: 6",
        "16 name: wheel",
        "16 name: caveman",
        "16 name: caveman, clique: 8",
        "16 name: halfthird",
        "16 name: double-bintree",
        "16 name: lattice4",
        "16 name: exponential-undirected",
        "16 name: hierarchical",
        "34 name: karate",
        "32 name: davis",
        "15 name: florentine",
        "16 name: static-exponential",
        "16 name: one-peer-exponential",
        "16 name: one-peer-hypercube",
        "15 name: base, k: 2",
        "15 name: simple-base, k: 2",
        "15 name: equi-static, m: 4",
        "15 name: u-equi-static, m: 4",
        "15 name: equi-dynamic",
        "15 name: ou-equi-dynamic",
        "16 name: matching",
        "16 name: erdos-renyi, p: 0.5, seed: 3",
        "16 name: regular, degree: 3, seed: 3",
        "16 name: watts-strogatz, k: 4, p: 0.3, seed: 3",
        "16 name: barabasi-albert, m: 2, seed: 3",
        "16 name: geometric, radius: 0.7, seed: 3",
        "16 name: communities, clique: 4, p: 0.9, q: 0.3, seed: 3"};
    char text[512];

    (void)state;
    for (size_t k = 0; k < sizeof graphs / sizeof *graphs; k++) {
        const int n = (int)strtol(graphs[k], NULL, 10);
        FILE *file = fopen(scratch_path("n.csv"), "w");
        assert_non_null(file);
        for (int i = 0; i < n; i++)
            fprintf(file, "%d\n", i * i % 7);
        fclose(file);
        snprintf(text, sizeof text,
                 "version: 1\nnodes: %d\ngraph: {%s}\nsteps: 2000\n"
                 "every: 2000\n"
                 "problem: {kind: consensus, init: n.csv}\n"
                 "algorithms: [{name: gossip}]\n",
                 n, graphs[k] + 3);
        struct lab *lab = trial_run(text, 1);
        const struct course_row *rows = lab_rows(lab, "gossip", 0);
        trial_near(rows[1].mean, rows[0].mean, 1e-12);
        if (!(rows[1].err < 1e-3 * rows[0].err))
            fail_msg("%s: err %g", graphs[k], rows[1].err);
        lab_free(lab);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectra_are_the_closed_forms),
        cmocka_unit_test(circulants_have_spectra_of_any_size),
        cmocka_unit_test(base_graphs_average_exactly),
        cmocka_unit_test(drawn_graphs_are_functions_of_their_seed),
        cmocka_unit_test(graphs_come_in_from_three_kinds_of_file),
        cmocka_unit_test(graphs_and_weights_come_in_from_numpy),
        cmocka_unit_test(every_graph_can_be_had),
    };
    return cmocka_run_group_tests(tests, trial_open, scratch_remove);
}
