/* A newcomer's mistakes in an experiment and its files: one clear line each. */

#include "sim/trial.h"

#include <errno.h>
#include <unistd.h>

#include "sim/lab/digest.h"
#include "sim/lab/sheet.h"

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
     ":8: seeds: found a, expected whole numbers"},
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
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: pairwise}]\n"
     "network: {barrier: none, latency_ms: 3}\n",
     ":7: barrier: found none and computing that takes no time"},
    {"steps: 1\ngraph: {file: .}\nalgorithms: [{name: gossip}]\n",
     "cannot be read, expected a file"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "network: {bytes_per_ms: 3, bandwidth_mbit: 3}\n",
     ":7: network: found bandwidth_mbit: and bytes_per_ms:, expected one"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "network: {latency_ms: 3, compute_law: pareto}\n",
     ":7: network: found compute_law: and no compute_ms:"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "network: {stragglers: {share: 0.5, factor: 2}}\n",
     ":7: network: found stragglers: and no compute_ms:"},
    {"steps: 1\nweights: {file: parts.mtx}\nalgorithms: [{name: gossip}]\n",
     "parts.mtx: found 12 parts that no weight joins, expected one matrix"},
    {"steps: 1\nweights: {file: inf.mtx}\nalgorithms: [{name: gossip}]\n",
     "inf.mtx:3: found another line"},
    {"steps: 1\ngraph: {name: ring}\nnetwork: {wake: far.csv}\n"
     "algorithms: [{name: pairwise}]\n",
     "far.csv:1: found a meeting of 1 and 5, expected two nodes that a link"},
    {"steps: 1\ngraph: {name: ring}\nnetwork: {wake: late.csv}\n"
     "algorithms: [{name: pairwise}]\n",
     "late.csv:2: found a meeting of 1 and 5, expected two nodes that a link"},
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
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "network: {byzantine: liars.csv}\n",
     ":7: byzantine: found that all 12 nodes send what they like"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "network: {wake: short.csv}\n",
     ":7: wake: found it and none of pairwise and adpsgd"},
    {"steps: 1\ngraph: {name: ring}\nweights: {file: bad.mtx}\n"
     "algorithms: [{name: gossip}]\n",
     ":5: graph: found it beside weights: of a file"},
    {"steps: 1\nalgorithms: [{name: gossip, graph: {name: ring}, weights: "
     "{file: bad.mtx}}]\n",
     ":5: graph: found it beside weights: of a file"},
    {"steps: 1\nalgorithms: [{name: epidemic, step: 0.1, degree: 2, sends: "
     "short.csv}]\n",
     ":5: found degree: beside sends:, expected one of them"},
    {"steps: 1\nalgorithms: [{name: teleportation, step: 0.1, tokens: 2, "
     "placement: short.csv}]\n",
     ":5: found tokens: beside placement:, expected one of them"},
    {"steps: 1\ngraph: {file: cut.graphml}\nalgorithms: [{name: gossip}]\n",
     "cut.graphml:2: found another line, expected a tag that ends with >; is"},
    {"steps: 1\ngraph: {file: half.graphml}\nalgorithms: [{name: gossip}]\n",
     "half.graphml:3: found no </graphml>, expected it at the end; is the"},
    {"steps: 1\ngraph: {file: comment.graphml}\n"
     "algorithms: [{name: gossip}]\n",
     "comment.graphml: found no <node>, expected a GraphML file"},
    {"steps: 1\ngraph: {name: erdos-renyi}\nalgorithms: [{name: gossip}]\n",
     ":5: erdos-renyi: found no p, expected p: above 0"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "network: {latency_ms: -3}\n",
     ":7: latency_ms: found -3, expected milliseconds, 0 or more"},
    {"steps: 1\ngraph: {name: ring}\nalgorithms: [{name: gossip}]\n"
     "seeds: 3\n",
     ":7: seeds: found '3', expected a list"},
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
    scratch_write("late.csv", "1,0,1\n0,1,5\n");
    scratch_write("early.csv", "0,1,-2\n");
    scratch_write("empty.mtx", "");
    scratch_write("short.npy", "\x93NUMPX");
    scratch_write("parts.mtx", "%%MatrixMarket matrix coordinate real general\n"
                               "12 12 12\n1 1 1\n2 2 1\n3 3 1\n4 4 1\n5 5 1\n"
                               "6 6 1\n7 7 1\n8 8 1\n9 9 1\n10 10 1\n11 11 1\n"
                               "12 12 1\n");
    scratch_write("liars.csv", "0,1,9\n1,2,9\n2,3,9\n3,4,9\n4,5,9\n5,6,9\n"
                               "6,7,9\n7,8,9\n8,9,9\n9,10,9\n10,11,9\n"
                               "11,0,9\n");
    scratch_write("cut.graphml", "<graphml>\n<node id=\"a\"/><node id=\"b\"/>"
                                 "<edge source=\"a\" tar");
    scratch_write("half.graphml",
                  "<graphml>\n<node id=\"a\"/>\n<node id=\"b\"/>");
    scratch_write("comment.graphml",
                  "<graphml><!-- <node id=\"a\"/> --></graphml>");
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
        {"{name: ltadmm, step: 0.1, beta: 0.1, rho: 1, weights: {file: "
         "oneway.mtx}}",
         "ltadmm: found links that go one way only, expected both ways"},
        {"{name: dgd-cta, step: 0.1, weights: {file: oneway.mtx}}", NULL},
        {"{name: kgt, step: 0, graph: {name: ring}}",
         ":6: step: found 0 for kgt, expected it above 0"},
        {"{name: scaffold, step: 0}",
         ":6: step: found 0 for scaffold, expected it above 0"},
        {"{name: dgd-atc, step: 0, graph: {name: ring}}", NULL},
        {"{name: gt-atc, step: 0.1, graph: {name: ring}}\n"
         "network: {compute_ms: 5, barrier: none}",
         ":6: gt-atc: found barrier: none, expected it with pairwise and"},
        {"{name: adpsgd, step: 0.1, graph: {name: ring}}\n"
         "network: {compute_ms: 5, barrier: none}",
         NULL},
    };

    (void)state;
    FILE *file = fopen(scratch_write("oneway.mtx", ""), "w");
    assert_non_null(file);
    fputs("%%MatrixMarket matrix coordinate real general\n12 12 24\n", file);
    for (int i = 1; i <= 12; i++)
        fprintf(file, "%d %d 0.5\n%d %d 0.5\n", i, i, i, i % 12 + 1);
    fclose(file);
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

/* The weights are one-peer exponential's own: of one node there are none. */
static void one_node_alone_is_told_what_it_lacks(void **state)
{
    const struct lab_options options = {.threads = 1};
    struct error error = {{0}};
    struct lab *lab;

    (void)state;
    scratch_write("one.csv", "1\n");
    const char *path =
        scratch_write("e.yaml", "version: 1\nnodes: 1\nsteps: 1\n"
                                "problem: {kind: consensus, init: one.csv}\n"
                                "graph: {name: one-peer-exponential}\n"
                                "algorithms: [{name: gossip}]\n");
    assert_int_not_equal(lab_run(&lab, path, &options, &error), 0);
    assert_non_null(strstr(error.text, ":5: one-peer-exponential: found 1 "
                                       "nodes, expected at least 2"));
}

/* What would be passed over in silence. */
static void a_key_of_another_problem_is_refused(void **state)
{
    static const struct {
        const char *problem, *says;
    } cases[] = {
        {"{kind: consensus, init: x.csv, noise: 1}",
         ":4: problem: found noise: for kind consensus"},
        {"{kind: consensus, init: x.csv, lambda: 1}",
         ":4: problem: found lambda: for kind consensus"},
        {"{kind: quadratic, file: q.csv, lambda: 1}",
         ":4: problem: found lambda: for kind quadratic"},
        {"{kind: quadratic, file: q.csv, batch: 1}",
         ":4: problem: found batch: for kind quadratic"},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const struct lab_options options = {.threads = 1};
        char text[512];
        struct error error = {{0}};
        struct lab *lab;
        snprintf(text, sizeof text,
                 "version: 1\nnodes: 12\nsteps: 1\nproblem: %s\n"
                 "graph: {name: ring}\nalgorithms: [{name: gossip}]\n",
                 cases[k].problem);
        assert_int_not_equal(
            lab_run(&lab, scratch_write("e.yaml", text), &options, &error), 0);
        if (strstr(error.text, cases[k].says) == NULL)
            fail_msg("case %zu: found \"%s\"", k, error.text);
    }
}

/* Of the process's own memory nothing can be read at its beginning. */
static void a_file_that_cannot_be_read_to_its_end_is_told(void **state)
{
    const char *path = "/proc/self/mem";
    struct experiment experiment = {.path = path};
    unsigned char hash[DIGEST_BYTES];
    struct error error = {{0}};

    (void)state;
    assert_int_equal(digest_file(hash, "no/such/file", &error), 0);
    assert_int_equal(digest_file(hash, ".", &error), 0);
    assert_int_equal(digest_file(hash, path, &error), -EIO);
    assert_non_null(strstr(error.text, "/proc/self/mem: Input/output error"));
    assert_int_equal(digest_experiment(hash, &experiment, &error), -EIO);
    char *texts[] = {(char *)path};
    experiment = (struct experiment){
        .path = scratch_write("e.yaml", ""), .texts = texts, .text_count = 1};
    assert_int_equal(digest_experiment(hash, &experiment, &error), -EIO);
    const struct sheet sheet = {.experiment = &experiment};
    error = (struct error){{0}};
    assert_int_equal(sheet_write(&sheet, scratch_path("."), &error), -EIO);
    assert_non_null(strstr(error.text, "/proc/self/mem: Input/output error"));
    assert_int_equal(access(scratch_path("manifest.json"), F_OK), -1);
    assert_int_equal(access(scratch_path("trajectories.csv"), F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_cannot_be_read_to_its_end_is_told),
        cmocka_unit_test(mistakes_give_one_clear_line),
        cmocka_unit_test(what_is_out_of_range_is_refused),
        cmocka_unit_test(one_node_alone_is_told_what_it_lacks),
        cmocka_unit_test(a_key_of_another_problem_is_refused),
    };
    return cmocka_run_group_tests(tests, trial_open, scratch_remove);
}
