/* The convergence lab on small data of its own: graphs, matrices, algorithms,
 * experiment files and their mistakes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>

#include "gossip/base.h"
#include "node/scratch.h"
#include "sim/lab/circulant.h"
#include "sim/lab/drawn.h"
#include "sim/lab/lab.h"

enum { N = 12, THREADS = 3 };

static const double pi = 3.141592653589793;

static void assert_near(double got, double expected, double allowed)
{
    if (!(fabs(got - expected) <= allowed))
        fail_msg("found %.17g, expected %.17g", got, expected);
}

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
        assert_near(spectrum("ring", n, WEIGHTS_METROPOLIS).lambda2, lambda,
                    1e-12);
        lambda = (1 + 2 * cos(pi / N1)) / 3;
        assert_near(spectrum("path", n, WEIGHTS_METROPOLIS).lambda2, lambda,
                    1e-12);
        assert_near(spectrum("star", n, WEIGHTS_METROPOLIS).gap, 1 / N1, 1e-12);
        assert_near(spectrum("star", n, WEIGHTS_BEST).slem, (N1 - 1) / (N1 + 1),
                    1e-12);
    }
    assert_near(spectrum("path", 9, WEIGHTS_FDLA).slem, cos(pi / 9), 1e-8);
    assert_near(spectrum("star", 9, WEIGHTS_FMMC).slem, 1 - 1.0 / 8, 1e-8);
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
    assert_int_equal(spectrum_of(&s, rows, &error), -E2BIG);
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
                    assert_near(x[i], 1 / (double)n, 1e-14);
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

static void compressors_contract(void **state)
{
    static const struct compress all[] = {
        {COMPRESS_IDENTITY, 0, 0}, {COMPRESS_TOP_K, 3, 0},
        {COMPRESS_RAND_K, 3, 0},   {COMPRESS_SIGN, 0, 0},
        {COMPRESS_CYCLIC, 3, 0},   {COMPRESS_QSGD, 0, 4}};
    double in[10], out[10];

    (void)state;
    for (size_t k = 0; k < 10; k++)
        in[k] = (double)((7 * k + 3) % 11) - 5;
    for (size_t c = 0; c < 6; c++) {
        double lost = 0, whole = 0;
        size_t kept = 0;
        for (uint64_t step = 0; step < 200; step++) {
            compress_apply(out, &all[c], in, 10, 1, 0, step, 0);
            for (size_t k = 0; k < 10; k++) {
                lost += (out[k] - in[k]) * (out[k] - in[k]);
                whole += in[k] * in[k];
                kept += fabs(out[k]) > 0;
            }
        }
        assert_true(lost < whole);
        if (all[c].k > 0)
            assert_true(kept <= 200 * all[c].k);
        if (c == 1) /* of equals the first: -5 at 9, 5 at 1, then -4 or 4 */
            assert_true(fabs(out[2]) < 1e-300 || fabs(in[2]) >= 4);
    }
}

/* node,k,c,a: f_i = h_i (x - c_i)^2 / 2, in two coordinates. */
static void write_problem(void)
{
    FILE *file = fopen(scratch_path("q.csv"), "w");

    assert_non_null(file);
    fputs("node,k,c,a0,a1\n", file);
    for (int i = 0; i < N; i++) {
        fprintf(file, "%d,0,%d,%.17g,0.25\n", i, i % 5, 1 + i % 3 / 4.0);
        fprintf(file, "%d,1,%.17g,0.25,%.17g\n", i, -i / 3.0, 1 + i % 2 / 2.0);
    }
    fclose(file);
    file = fopen(scratch_path("x.csv"), "w");
    assert_non_null(file);
    for (int i = 0; i < N; i++)
        fprintf(file, "%.17g\n", (i * i + 3 * i) % 7 / 7.0);
    fclose(file);
}

static struct lab *run(const char *text, size_t threads)
{
    const struct lab_options options = {.threads = threads};
    struct error error = {{0}};
    struct lab *lab;

    if (lab_run(&lab, scratch_write("e.yaml", text), &options, &error) != 0)
        fail_msg("%s", error.text);
    return lab;
}

static const char many[] =
    "version: 1\nnodes: 12\ngraph: {name: torus}\n"
    "weights: {rule: lazy-metropolis}\n"
    "problem: {kind: quadratic, file: q.csv}\nsteps: 400\nalgorithms:\n"
    "- {name: extra, step: 0.1}\n- {name: d2, step: 0.1}\n"
    "- {name: nids, step: 0.1}\n- {name: gt-cta, step: 0.05}\n"
    "- {name: gt-atc, step: 0.1}\n- {name: push-pull, step: 0.05}\n"
    "- {name: ab, step: 0.05}\n"
    "- {name: momentum-tracking, step: 0.02, beta: 0.5}\n"
    "- {name: scaffold, step: 0.1, local_steps: 3}\n"
    "- {name: kgt, step: 0.05, server_step: 0.5, local_steps: 3}\n"
    "- {name: ltadmm, step: 0.1, beta: 0.1, rho: 1, local_steps: 2}\n"
    "- {name: beer, step: 0.04, gamma: 0.4,\n"
    "   compressor: {kind: top-k, k: 1}}\n"
    "- {name: relaysgd, step: 0.1, graph: {name: bintree}}\n";

static void exact_methods_find_the_optimum(void **state)
{
    struct lab *lab = run(many, 1);
    const struct sheet *s = lab_sheet(lab);

    (void)state;
    for (size_t i = 0; i < s->experiment->entry_count; i++) {
        const struct course_row *rows = s->columns[i].rows;
        assert_true(rows[0].err > 0.1);
        if (!(rows[400].err < 1e-8 && rows[400].gap < 1e-8))
            fail_msg("%s: err %g, gap %g", s->columns[i].entry->label,
                     rows[400].err, rows[400].gap);
        assert_true(rows[400].gradients >= 400 * N);
        assert_true(rows[400].bytes > 0);
    }
    lab_free(lab);
}

/* 3000 nodes, so that several threads and blocks take part. */
static void threads_do_not_change_a_bit(void **state)
{
    static const char text[] =
        "version: 1\nnodes: 3000\ngraph: {name: regular, degree: 4}\n"
        "problem: {kind: consensus, init: big.csv}\nsteps: 10\n"
        "network: {loss: 0.1}\nalgorithms:\n- {name: gossip}\n"
        "- {name: push-sum}\n- {name: clipped-gossip, tau: 0.1}\n"
        "- {name: choco-gossip, gamma: 0.2, compressor: {kind: rand-k, k: "
        "1}}\n";
    FILE *file = fopen(scratch_path("big.csv"), "w");

    (void)state;
    for (int i = 0; i < 3000; i++)
        fprintf(file, "%.17g,%d\n", 1 / (1.0 + i), i % 17);
    fclose(file);
    struct lab *one = run(text, 1), *more = run(text, THREADS);
    for (size_t i = 0; i < 4; i++) {
        const struct course_row *a = lab_sheet(one)->columns[i].rows;
        const struct course_row *b = lab_sheet(more)->columns[i].rows;
        assert_memory_equal(a, b, 11 * sizeof *a);
        assert_true(a[10].err < a[0].err);
    }
    lab_free(one);
    lab_free(more);
}

static void lost_messages_keep_or_move_the_mean(void **state)
{
    static const char *const rules[] = {"self", "symmetric", "renormalise"};
    char text[1024];

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        snprintf(text, sizeof text,
                 "version: 1\nnodes: 12\ngraph: {name: ring}\n"
                 "problem: {kind: consensus, init: x.csv}\nsteps: 60\n"
                 "network: {loss: 0.2, on_loss: %s}\n"
                 "algorithms:\n- {name: gossip}\n"
                 "- {name: push-sum, on_loss: returned}\n",
                 rules[k]);
        struct lab *lab = run(text, 1);
        const struct course_row *rows = lab_rows(lab, "gossip", 0);
        const struct course_row *push = lab_rows(lab, "push-sum", 0);
        double moved = fabs(rows[60].mean - rows[0].mean);
        assert_true(k == 1 ? moved < 1e-14 : moved > 1e-5);
        assert_true(fabs(push[60].mass - N) < 1e-12);
        assert_true(push[60].mse < 1e-4);
        lab_free(lab);
    }
}

struct watcher {
    double worst;
};

static void compare_means(void *context, const char *label,
                          const struct course_row *row,
                          const struct course *course)
{
    struct watcher *w = context;
    double tracker = 0, gradient = 0;

    (void)label, (void)row;
    for (size_t i = 0; i < N; i++) {
        tracker += course_vector(course, 1, i)[0];
        gradient += course_vector(course, 2, i)[0];
    }
    w->worst = fmax(w->worst, fabs(tracker - gradient));
}

static void trackers_keep_the_mean_gradient(void **state)
{
    struct watcher w = {0};
    struct error error = {{0}};
    struct lab *lab;
    const struct lab_options options = {
        .threads = 1, .watch = compare_means, .context = &w};
    const char *path =
        scratch_write("e.yaml", "version: 1\nnodes: 12\ngraph: {name: ring}\n"
                                "problem: {kind: quadratic, file: q.csv}\n"
                                "steps: 50\nalgorithms:\n"
                                "- {name: gt-atc, step: 0.1}\n"
                                "- {name: gt-cta, step: 0.01}\n");

    (void)state;
    assert_int_equal(lab_run(&lab, path, &options, &error), 0);
    assert_true(w.worst < 1e-12);
    lab_free(lab);
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
        struct lab *lab = run(text, 1);
        err[k] = lab_rows(lab, "gossip", 0)[5].err;
        lab_free(lab);
    }
    assert_true(err[0] > 0 && err[0] < 1);
    assert_memory_equal(&err[0], &err[1], sizeof err[0]);
    assert_memory_equal(&err[0], &err[2], sizeof err[0]);
}

/* As numpy.save() writes it, version 1: a path's adjacency in bytes, and its
 * Metropolis weights as floats, column by column. */
static void write_npy(const char *name, bool weights)
{
    static const double w[4][4] = {{2 / 3.0, 1 / 3.0, 0, 0},
                                   {1 / 3.0, 1 / 3.0, 1 / 3.0, 0},
                                   {0, 1 / 3.0, 1 / 3.0, 1 / 3.0},
                                   {0, 0, 1 / 3.0, 2 / 3.0}};
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
        fwrite(w, sizeof w, 1, file);
    for (int i = 0; !weights && i < 16; i++)
        fputc(i / 4 - i % 4 == 1 || i % 4 - i / 4 == 1, file);
    fclose(file);
}

static void graphs_and_weights_come_in_from_numpy(void **state)
{
    static const char *const lines[] = {"graph: {file: a.npy}",
                                        "weights: {file: w.npy}",
                                        "graph: {name: path}"};
    double err[3];
    char text[512];

    (void)state;
    write_npy("a.npy", false);
    write_npy("w.npy", true);
    scratch_write("four.csv", "0\n1\n5\n2\n");
    for (size_t k = 0; k < 3; k++) {
        snprintf(text, sizeof text,
                 "version: 1\nnodes: 4\n%s\nsteps: 5\n"
                 "problem: {kind: consensus, init: four.csv}\n"
                 "algorithms: [{name: gossip}]\n",
                 lines[k]);
        struct lab *lab = run(text, 1);
        err[k] = lab_rows(lab, "gossip", 0)[5].err;
        lab_free(lab);
    }
    assert_near(err[0], err[2], 1e-15);
    assert_near(err[1], err[2], 1e-15);
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
        const int n = atoi(graphs[k]);
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
        struct lab *lab = run(text, 1);
        const struct course_row *rows = lab_rows(lab, "gossip", 0);
        assert_near(rows[1].mean, rows[0].mean, 1e-12);
        if (!(rows[1].err < 1e-3 * rows[0].err))
            fail_msg("%s: err %g", graphs[k], rows[1].err);
        lab_free(lab);
    }
}

static const struct {
    const char *rest, *says;
} mistakes[] = {
    {"steps: 1\ngraph: {name: rign}\nalgorithms: [{name: gossip}]\n",
     ":5: graph: found the name 'rign', expected a known one; did you mean "
     "'ring'?"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gosip}]\n",
     ":6: found the algorithm 'gosip', which is unknown; did you mean "
     "'gossip'?"},
    {"steps: 1\ngrph: {name: ring}\nalgorithms: [{name: gossip}]\n",
     ":5: unknown key 'grph', did you mean 'graph'?"},
    {"steps: many\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n",
     ":4: steps: found 'many', expected a whole number"},
    {"steps: 1\ngraph: {file: two.edges}\nalgorithms: [{name: gossip}]\n",
     ":5: graph: found 2 parts that no link joins, expected one connected"},
    {"steps: 1\nweights: {file: bad.mtx}\nalgorithms: [{name: gossip}]\n",
     "row 1 that sums to 0.9, expected 1"},
    {"steps: 1\nweights: {file: three.mtx}\nalgorithms: [{name: gossip}]\n",
     "three.mtx: found a matrix or graph of 3 nodes, expected 12"},
    {"steps: 1\ngraph: {name: ring}\nnetwork: {offline: wide.csv}\n"
     "algorithms: [{name: gossip}]\n",
     "wide.csv:1: found 3 columns, expected 2: step,node"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip, step: "
     "1}]\n",
     ":6: found step: for gossip, which has no such parameter"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: dgd-cta}]\n",
     ":6: found no step: for dgd-cta"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: dgd-cta, step: "
     "1}]\n",
     ":6: dgd-cta: found a consensus problem, expected one with gradients"},
    {"steps: 1\ngraph: {name: torus, rows: 5}\nalgorithms: [{name: "
     "gossip}]\n",
     ":5: torus of 5 rows and 2 columns: found 12 nodes, expected 10"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: choco-gossip, "
     "gamma: 1, compressor: {kind: top-k}}]\n",
     ":6: compressor top-k: expected k: and no levels:"},
    {"steps: 1\nalgorithms: [{name: gossip}]\n",
     ":5: found no graph: and no weights: for gossip"},
    {"steps: 1\ngraph: {name: base, k: 1}\nweights: {rule: metropolis}\n"
     "algorithms: [{name: gossip}]\n",
     ":6: weights: found them with base, which brings its own"},
    {"steps: 1\ngraph: {name: ring}\nnetwork: {wake: short.csv}\n"
     "algorithms: [{name: pairwise}, {name: gossip}]\nseeds: [a]\n",
     ":8: seeds: expected whole numbers"},
    {"steps: 1\ngraph: {name: ring, p: 0.5}\nalgorithms: [{name: gossip}]\n",
     ":5: graph: found p: for ring, which has no such key"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "seeds: [1, 1]\n",
     ":7: seeds: found 1 twice"},
    {"steps: 5\nevery: 6\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n",
     ":5: every: found 6, expected at most the steps"},
    {"steps: 1000000000000\ngraph: {name: ring}\nalgorithms: [{name: "
     "gossip}]\n",
     ":4: steps: found 1000000000000 of them to record"},
    {"steps: 1\nweights: {file: empty.mtx}\nalgorithms: [{name: gossip}]\n",
     "empty.mtx: found no size line"},
    {"steps: 1\ngraph: {file: short.npy}\nalgorithms: [{name: gossip}]\n",
     "short.npy: found another start, expected a square .npy"},
    {"steps: 1\ngraph: {name: karate}\nalgorithms: [{name: gossip}]\n",
     ":5: karate: found 12 nodes, expected 34"},
    {"steps: 1\nweights: {file: inf.mtx}\nalgorithms: [{name: gossip}]\n",
     "inf.mtx:3: found another line"},
    {"steps: 1\ngraph: {name: ring}\nnetwork: {wake: far.csv}\n"
     "algorithms: [{name: pairwise}]\n",
     "far.csv:1: found a meeting of 1 and 5, expected two nodes that a link"},
    {"steps: 9\ngraph: {name: ring}\nnetwork: {wake: short.csv}\n"
     "algorithms: [{name: pairwise}]\n",
     ":7: pairwise: found 1 meetings, expected 9: 1 in each step"},
    {"steps: 1\ngraph: {name: ring}\nnetwork: {latency_ms: early.csv}\n"
     "algorithms: [{name: gossip}]\n",
     "early.csv:1: found -2 milliseconds"},
    {"steps: 1\ngraph: {name: ring}\nnetwork: {drop: none.csv}\n"
     "algorithms: [{name: gossip}]\n",
     "none.csv: No such file or directory; expected a CSV file"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "sweep: {key: algorithms.step, values: [1]}\n",
     ":7: sweep: found the key 'algorithms.step', which has no value"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "sweep: {key: steps, values: [1]}\n",
     ":7: sweep: found the key 'steps', expected one that does not change"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "network: {loss: 0}\nsweep: {key: network.loss, values: [2]}\n",
     ":7: loss: found '2', expected a number from 0 to 1"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "network: {loss: 0}\nsweep: {key: network.loss, values: [0.1, 0.1]}\n",
     ":8: sweep: found 0.1 twice"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: choco-gossip, "
     "gamma: 1, compressor: {kind: top-k, k: 2}}]\n",
     ":6: choco-gossip: found k: 2, expected at most 1, the coordinates"},
    {"steps: 1\nsteps: 2\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n",
     ":5: found the key 'steps' a second time"},
    {"steps: -1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n",
     ":4: steps: found '-1', expected a whole number"},
};

static void mistakes_give_one_clear_line(void **state)
{
    static const char start[] =
        "version: 1\nnodes: 12\nproblem: {kind: consensus, init: x.csv}\n";

    (void)state;
    scratch_write("two.edges", "0 1\n2 3\n3 4\n4 5\n5 6\n6 7\n7 8\n8 9\n9 10\n"
                               "10 11\n11 2\n");
    scratch_write("three.mtx", "%%MatrixMarket matrix coordinate real general\n"
                               "3 3 3\n1 1 1\n2 2 1\n3 3 1\n");
    FILE *file = fopen(scratch_path("bad.mtx"), "w");
    fputs("%%MatrixMarket matrix coordinate real general\n12 12 12\n", file);
    for (int i = 1; i <= 12; i++)
        fprintf(file, "%d %d %g\n", i, i, i == 2 ? 0.9 : 1);
    fclose(file);
    scratch_write("wide.csv", "1,2,3\n");
    scratch_write("short.csv", "0,1,2\n");
    scratch_write("far.csv", "0,1,5\n");
    scratch_write("early.csv", "0,1,-2\n");
    scratch_write("empty.mtx", "");
    scratch_write("short.npy", "\x93NUMPX");
    scratch_write("inf.mtx", "%%MatrixMarket matrix coordinate real general\n"
                             "12 12 1\n1 1 1e400\n");
    for (size_t k = 0; k < sizeof mistakes / sizeof *mistakes; k++) {
        const struct lab_options options = {.threads = 1};
        char text[1024];
        struct error error = {{0}};
        struct lab *lab;
        snprintf(text, sizeof text, "%s%s", start, mistakes[k].rest);
        const char *path = scratch_write("e.yaml", text);
        assert_int_not_equal(lab_run(&lab, path, &options, &error), 0);
        if (strstr(error.text, mistakes[k].says) == NULL)
            fail_msg("case %zu: found \"%s\", expected \"%s\"", k, error.text,
                     mistakes[k].says);
    }
}

static void what_is_out_of_range_is_refused(void **state)
{
    static const struct {
        const char *entry, *says;
    } cases[] = {
        {"{name: d2, step: 0.1, graph: {name: complete}}", NULL},
        {"{name: d2, step: 0.1, graph: {name: torus, rows: 2, columns: 6}}",
         "expected it above -1/3, else D2 diverges"},
        {"{name: d2, step: 0.1, unsafe: yes, graph: {name: torus, rows: 2, "
         "columns: 6}}",
         NULL},
        {"{name: dgd-cta, step: 0.1, graph: {name: star}, weights: {rule: "
         "uniform}}",
         "column 0 that sums to"},
        {"{name: sgp, step: 0.1, graph: {name: star}, weights: {rule: "
         "uniform}}",
         "column 0 that sums to"},
        {"{name: relaysgd, step: 0.1, graph: {name: ring}}",
         "found a graph with cycles, expected a tree"},
        {"{name: extra, step: 0.1, graph: {name: static-exponential}}",
         "not symmetric"},
        {"{name: beer, step: 0.1, gamma: 0.1, graph: {name: base, k: 1}}",
         "changes from step to step"},
        {"{name: adpsgd, step: 0.1, graph: {name: base, k: 1}}",
         "found neither network: {wake: FILE} nor a fixed graph"},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const struct lab_options options = {.threads = 1};
        char text[1024];
        struct error error = {{0}};
        struct lab *lab;
        snprintf(text, sizeof text,
                 "version: 1\nnodes: 12\nsteps: 1\n"
                 "problem: {kind: quadratic, file: q.csv}\nalgorithms:\n- %s\n",
                 cases[k].entry);
        int code =
            lab_run(&lab, scratch_write("e.yaml", text), &options, &error);
        if ((code != 0) != (cases[k].says != NULL) ||
            (code != 0 && strstr(error.text, cases[k].says) == NULL))
            fail_msg("case %zu: found \"%s\", expected \"%s\"", k, error.text,
                     cases[k].says == NULL ? "" : cases[k].says);
        lab_free(lab);
    }
}

/* Numbers and words, at the top and in entries: each value gives what a file
 * of its own gives. */
static void any_key_is_swept(void **state)
{
    static const struct {
        const char *key, *values[2];
    } cases[] = {{"graph.name", {"ring", "star"}},
                 {"weights.rule", {"metropolis", "lazy-metropolis"}},
                 {"network.loss", {"0", "0.3"}},
                 {"algorithms.gamma", {"0.1", "0.3"}},
                 {"algorithms.compressor.kind", {"top-k", "rand-k"}},
                 {"precision", {"float64", "float32"}}};
    const char *own[6];
    char text[1024], label[64];

    (void)state;
    for (size_t c = 0; c < 6; c++)
        for (size_t k = 0; k < 2; k++) {
            struct course_row rows[2];
            for (size_t alone = 0; alone < 2; alone++) {
                for (size_t i = 0; i < 6; i++)
                    own[i] = cases[i].values[alone == 1 && i == c ? k : 0];
                int used = snprintf(
                    text, sizeof text,
                    "version: 1\nnodes: 12\nsteps: 9\ngraph: {name: %s}\n"
                    "weights: {rule: %s}\nnetwork: {loss: %s}\n"
                    "problem: {kind: consensus, init: x.csv}\nalgorithms:\n"
                    "- {name: choco-gossip, label: a, gamma: %s, compressor: "
                    "{kind: %s, k: 1}}\nprecision: %s\n",
                    own[0], own[1], own[2], own[3], own[4], own[5]);
                snprintf(label, sizeof label, "a");
                if (alone == 0) {
                    snprintf(text + used, sizeof text - (size_t)used,
                             "sweep: {key: %s, values: [%s, %s]}\n",
                             cases[c].key, cases[c].values[0],
                             cases[c].values[1]);
                    snprintf(label, sizeof label, "a@%s", cases[c].values[k]);
                }
                struct lab *lab = run(text, 1);
                assert_non_null(lab_rows(lab, label, 0));
                rows[alone] = lab_rows(lab, label, 0)[9];
                lab_free(lab);
            }
            assert_memory_equal(&rows[0], &rows[1], sizeof rows[0]);
        }
}

/* AD-PSGD at each node's own pace: a straggler wakes as seldom as it is slow,
 * and computing times have the mean that is given. */
static void stragglers_wake_seldom(void **state)
{
    static const char *const laws[] = {"constant", "exponential", "lognormal"};
    char text[512];

    (void)state;
    scratch_write("slow.csv", "10\n10\n10\n10\n10\n10\n10\n10\n10\n10\n10\n"
                              "1000\n");
    for (size_t k = 0; k < 3; k++) {
        snprintf(text, sizeof text,
                 "version: 1\nnodes: 12\nsteps: 4000\nevery: 4000\n"
                 "graph: {name: ring}\n"
                 "problem: {kind: quadratic, file: q.csv}\n"
                 "algorithms: [{name: adpsgd, step: 0.01}]\n"
                 "network: {compute_ms: slow.csv, compute_law: %s, "
                 "barrier: none}\n",
                 laws[k]);
        struct lab *lab = run(text, 1);
        const struct course_row *last = &lab_rows(lab, "adpsgd", 0)[1];
        /* 48000 wakings; 11.01 nodes' worth in every 10 ms */
        assert_near(last->clock_max / (48000 * 10 / 11.01), 1, 0.1);
        lab_free(lab);
    }
}

/* Gradient tracking exchanges twice a step, and its bytes take their time;
 * a compressor's do not. */
static void time_goes_with_what_is_sent(void **state)
{
    struct lab *lab =
        run("version: 1\nnodes: 12\nsteps: 10\ngraph: {name: ring}\n"
            "problem: {kind: quadratic, file: q.csv}\nalgorithms:\n"
            "- {name: dgd-atc, step: 0.1}\n- {name: gt-atc, step: 0.1}\n"
            "- {name: choco-sgd, step: 0.1, gamma: 0.1, compressor: {kind: "
            "sign}}\n"
            "network: {compute_ms: 5, latency_ms: 3, bytes_per_ms: 8, "
            "barrier: neighbourhood}\n",
            1);

    (void)state;
    assert_near(lab_rows(lab, "dgd-atc", 0)[10].clock_max, 10 * (5 + 3 + 2),
                1e-9);
    assert_near(lab_rows(lab, "gt-atc", 0)[10].clock_max,
                10 * (5 + 2 * (3 + 2)), 1e-9);
    assert_near(lab_rows(lab, "choco-sgd", 0)[10].clock_max,
                10 * (5 + 3 + (2 + 32) / 8.0 / 8), 1e-9);
    lab_free(lab);
}

static void nodes_offline_by_a_law_keep_the_mean(void **state)
{
    struct lab *lab = run("version: 1\nnodes: 12\nsteps: 200\n"
                          "graph: {name: ring}\nnetwork: {offline: 0.3}\n"
                          "problem: {kind: consensus, init: x.csv}\n"
                          "algorithms: [{name: gossip}, {name: pairwise}]\n",
                          1);
    const struct course_row *rows = lab_rows(lab, "gossip", 0);
    const struct course_row *pairs = lab_rows(lab, "pairwise", 0);

    (void)state;
    assert_near(rows[200].mean, rows[0].mean, 1e-14);
    assert_true(rows[200].err < 1e-6);
    /* who is there meets a neighbour that is */
    assert_near(pairs[200].vectors, 2 * 200 * 0.7 * (1 - 0.3 * 0.3), 40);
    lab_free(lab);
}

static int open_all(void **state)
{
    int code = scratch_make(state);

    if (code == 0)
        write_problem();
    return code;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectra_are_the_closed_forms),
        cmocka_unit_test(circulants_have_spectra_of_any_size),
        cmocka_unit_test(base_graphs_average_exactly),
        cmocka_unit_test(drawn_graphs_are_functions_of_their_seed),
        cmocka_unit_test(compressors_contract),
        cmocka_unit_test(exact_methods_find_the_optimum),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(lost_messages_keep_or_move_the_mean),
        cmocka_unit_test(trackers_keep_the_mean_gradient),
        cmocka_unit_test(graphs_come_in_from_three_kinds_of_file),
        cmocka_unit_test(graphs_and_weights_come_in_from_numpy),
        cmocka_unit_test(every_graph_can_be_had),
        cmocka_unit_test(mistakes_give_one_clear_line),
        cmocka_unit_test(what_is_out_of_range_is_refused),
        cmocka_unit_test(any_key_is_swept),
        cmocka_unit_test(stragglers_wake_seldom),
        cmocka_unit_test(time_goes_with_what_is_sent),
        cmocka_unit_test(nodes_offline_by_a_law_keep_the_mean),
    };
    return cmocka_run_group_tests(tests, open_all, scratch_remove);
}
