/* The lab's algorithms, faults, clocks and sweeps, on small data of its own. */

#include "sim/trial.h"

enum { THREADS = 3 };

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
    struct lab *lab = trial_run(many, 1);
    const struct sheet *s = lab_sheet(lab);

    (void)state;
    for (size_t i = 0; i < s->experiment->entry_count; i++) {
        const struct course_row *rows = s->columns[i].rows;
        assert_true(rows[0].err > 0.1);
        if (!(rows[400].err < 1e-8 && rows[400].gap < 1e-8))
            fail_msg("%s: err %g, gap %g", s->columns[i].entry->label,
                     rows[400].err, rows[400].gap);
        assert_true(rows[400].gradients >= 400 * TRIAL_NODES);
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
        "- {name: choco-gossip, gamma: 0.2, unsafe: yes, compressor: {kind: "
        "rand-k, k: "
        "1}}\n";
    FILE *file = fopen(scratch_path("big.csv"), "w");

    (void)state;
    for (int i = 0; i < 3000; i++)
        fprintf(file, "%.17g,%d\n", 1 / (1.0 + i), i % 17);
    fclose(file);
    struct lab *one = trial_run(text, 1), *more = trial_run(text, THREADS);
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
        struct lab *lab = trial_run(text, 1);
        const struct course_row *rows = lab_rows(lab, "gossip", 0);
        const struct course_row *push = lab_rows(lab, "push-sum", 0);
        double moved = fabs(rows[60].mean - rows[0].mean);
        assert_true(k == 1 ? moved < 1e-14 : moved > 1e-5);
        assert_true(fabs(push[60].mass - TRIAL_NODES) < 1e-12);
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
    for (size_t i = 0; i < TRIAL_NODES; i++) {
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
                    "- {name: choco-gossip, label: a, gamma: %s, unsafe: yes, "
                    "compressor: "
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
                struct lab *lab = trial_run(text, 1);
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
        struct lab *lab = trial_run(text, 1);
        const struct course_row *last = &lab_rows(lab, "adpsgd", 0)[1];
        /* 48000 wakings; 11.01 nodes' worth in every 10 ms */
        trial_near(last->clock_max / (48000 * 10 / 11.01), 1, 0.1);
        lab_free(lab);
    }
}

/* Gradient tracking exchanges twice a step, and its bytes take their time;
 * a compressor's do not. */
static void time_goes_with_what_is_sent(void **state)
{
    struct lab *lab = trial_run(
        "version: 1\nnodes: 12\nsteps: 10\ngraph: {name: ring}\n"
        "problem: {kind: quadratic, file: q.csv}\nalgorithms:\n"
        "- {name: dgd-atc, step: 0.1}\n- {name: gt-atc, step: 0.1}\n"
        "- {name: choco-sgd, step: 0.1, gamma: 0.1, compressor: {kind: "
        "sign}}\n"
        "network: {compute_ms: 5, latency_ms: 3, bytes_per_ms: 8, "
        "barrier: neighbourhood}\n",
        1);

    (void)state;
    trial_near(lab_rows(lab, "dgd-atc", 0)[10].clock_max, 10 * (5 + 3 + 2),
               1e-9);
    trial_near(lab_rows(lab, "gt-atc", 0)[10].clock_max, 10 * (5 + 2 * (3 + 2)),
               1e-9);
    trial_near(lab_rows(lab, "choco-sgd", 0)[10].clock_max,
               10 * (5 + 3 + (2 + 32) / 8.0 / 8), 1e-9);
    lab_free(lab);
}

/* On a graph's matrix and on one that is kept by its offsets. */
static void lies_are_told_on_any_graph(void **state)
{
    char text[512];

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        snprintf(text, sizeof text,
                 "version: 1\nnodes: 8\nsteps: 20\ngraph: {name: %s}\n"
                 "problem: {kind: consensus, init: eight.csv}\n"
                 "network: {byzantine: lies.csv}\n%s"
                 "algorithms: [{name: gossip}]\n",
                 k == 0 ? "static-exponential" : "ring",
                 k == 0 ? "" : "weights: {rule: metropolis}\n");
        scratch_write("lies.csv", "3,2,50\n");
        scratch_write("eight.csv", "0\n1\n2\n3\n4\n5\n6\n7\n");
        struct lab *lab = trial_run(text, 1);
        /* pulled towards the lie */
        assert_true(lab_rows(lab, "gossip", 0)[20].mean > 20);
        lab_free(lab);
    }
}

static void nodes_offline_by_a_law_keep_the_mean(void **state)
{
    struct lab *lab =
        trial_run("version: 1\nnodes: 12\nsteps: 200\n"
                  "graph: {name: ring}\nnetwork: {offline: 0.3}\n"
                  "problem: {kind: consensus, init: x.csv}\n"
                  "algorithms: [{name: gossip}, {name: pairwise}]\n",
                  1);
    const struct course_row *rows = lab_rows(lab, "gossip", 0);
    const struct course_row *pairs = lab_rows(lab, "pairwise", 0);

    (void)state;
    trial_near(rows[200].mean, rows[0].mean, 1e-14);
    assert_true(rows[200].err < 1e-6);
    /* who is there meets a neighbour that is */
    trial_near(pairs[200].vectors, 2 * 200 * 0.7 * (1 - 0.3 * 0.3), 40);
    lab_free(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressors_contract),
        cmocka_unit_test(exact_methods_find_the_optimum),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(lost_messages_keep_or_move_the_mean),
        cmocka_unit_test(trackers_keep_the_mean_gradient),
        cmocka_unit_test(any_key_is_swept),
        cmocka_unit_test(stragglers_wake_seldom),
        cmocka_unit_test(time_goes_with_what_is_sent),
        cmocka_unit_test(lies_are_told_on_any_graph),
        cmocka_unit_test(nodes_offline_by_a_law_keep_the_mean),
    };
    return cmocka_run_group_tests(tests, trial_open, scratch_remove);
}
