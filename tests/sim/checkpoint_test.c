/* A run that goes on from a checkpoint ends with the bits of one that was never
 * stopped: for every algorithm, what it keeps from step to step is all there.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>

#include "node/scratch.h"
#include "sim/lab/checkpoint.h"
#include "sim/lab/course_piece.h"
#include "sim/lab/plan.h"

enum { N = 12, STEPS = 20, AT = 7, EVERY = 3, ROWS = STEPS / EVERY + 1 };

static int open_all(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    FILE *init = fopen(scratch_path("init.csv"), "w");
    FILE *rows = fopen(scratch_path("rows.csv"), "w");
    FILE *wake = fopen(scratch_path("wake.csv"), "w");
    if (init == NULL || rows == NULL || wake == NULL)
        return -1;
    for (int i = 0; i < N; i++)
        fprintf(init, "%.17g,%.17g,%.17g\n", sin(i), cos(i), sin(i * i + 1));
    fputs("a,b,y\n", rows);
    for (int r = 0; r < 10 * N; r++)
        fprintf(rows, "%.17g,%.17g,%d\n", sin(3 * r), cos(r * r), r % 3);
    for (int t = 0; t < N * STEPS; t++)
        fprintf(wake, "%d,%d,%d\n", t, t % N, (t % N + 1) % N);
    fclose(init);
    fclose(rows);
    fclose(wake);
    scratch_write("offline.csv", "6,3\n7,3\n8,3\n8,5\n12,0\n");
    scratch_write("drop.csv", "5,0,1\n6,0,1\n7,0,1\n8,0,1\n9,1,2\n");
    scratch_write("lies.csv", "5,4,10\n5,6,-3\n");
    return 0;
}

#define GRADIENTS                                                              \
    "problem: {kind: model, model: softmax, data: rows.csv, target: y, "       \
    "batch: "                                                                  \
    "4, noise: 0.01}\n"

static const char consensus[] =
    "graph: {name: ring}\n"
    "problem: {kind: consensus, init: init.csv}\n"
    "algorithms:\n"
    "- {name: gossip}\n- {name: chebyshev}\n- {name: second-order}\n"
    "- {name: push-sum}\n- {name: pairwise}\n"
    "- {name: clipped-gossip, tau: 0.3}\n"
    "- {name: choco-gossip, gamma: 0.3, unsafe: yes, compressor: {kind: "
    "rand-k, k: 1}}\n"
    "- {name: choco-gossip, gamma: 0.2, unsafe: yes, compressor: {kind: "
    "cyclic, k: 1}, "
    "label: cyclic}\n";

static const char gradients[] =
    "graph: {name: ring}\nweights: {rule: lazy-metropolis}\n" GRADIENTS
    "algorithms:\n"
    "- {name: dgd-cta, step: 0.1}\n- {name: dgd-atc, step: 0.1}\n"
    "- {name: local-dsgd, step: 0.1, local_steps: 2}\n"
    "- {name: extra, step: 0.1}\n- {name: d2, step: 0.1}\n"
    "- {name: nids, step: 0.1}\n- {name: gt-cta, step: 0.1}\n"
    "- {name: gt-atc, step: 0.1}\n- {name: sgp, step: 0.1}\n"
    "- {name: dmsgd, step: 0.1, beta: 0.9}\n"
    "- {name: decentlam, step: 0.1, beta: 0.9}\n"
    "- {name: qg-dsgdm, step: 0.1, beta: 0.9, mu: 0.9}\n"
    "- {name: qg-dsgdm-n, step: 0.1, beta: 0.9, mu: 0.9}\n"
    "- {name: push-pull, step: 0.1}\n- {name: ab, step: 0.1}\n"
    "- {name: momentum-tracking, step: 0.1, beta: 0.9}\n"
    "- {name: relaysgd, step: 0.1, graph: {name: bintree}}\n"
    "- {name: fedavg, step: 0.1, local_steps: 2}\n"
    "- {name: fedprox, step: 0.1, local_steps: 2, mu: 1}\n"
    "- {name: scaffold, step: 0.1, local_steps: 2}\n"
    "- {name: kgt, step: 0.1, server_step: 0.5, local_steps: 2}\n"
    "- {name: ltadmm, step: 0.1, beta: 0.1, rho: 1, local_steps: 2}\n"
    "- {name: choco-sgd, step: 0.1, gamma: 0.2, unsafe: yes, compressor: "
    "{kind: sign}}\n"
    "- {name: deepsqueeze, step: 0.1, gamma: 0.3, compressor: {kind: grid, "
    "levels: 64}}\n"
    "- {name: beer, step: 0.1, gamma: 0.2, unsafe: yes, compressor: {kind: "
    "top-k, k: 2}}\n"
    "- {name: epidemic, step: 0.1, degree: 2}\n"
    "- {name: teleportation, step: 0.1, tokens: 4}\n"
    "- {name: adpsgd, step: 0.1}\n"
    "- {name: dgd-atc, step: 0.1, graph: {name: base, k: 1}, label: base}\n";

/* What goes without a barrier. */
static const char free_gradients[] =
    "graph: {name: ring}\n" GRADIENTS "algorithms:\n"
    "- {name: adpsgd, step: 0.1}\n";

static const char free_consensus[] =
    "graph: {name: ring}\n"
    "problem: {kind: consensus, init: init.csv}\n"
    "algorithms:\n- {name: pairwise}\n";

static const struct {
    const char *more, *rest;
    size_t refused; /* entries that do not go with this network */
} experiments[] = {
    {"", consensus, 0},
    {"network: {wake: wake.csv}\n", consensus, 0},
    {"network: {byzantine: lies.csv}\n", consensus, 1},
    {"", gradients, 0},
    {"precision: float32\n", gradients, 0},
    {"network: {offline: offline.csv, drop: drop.csv, loss: 0.1, compute_ms: "
     "3, latency_ms: 2}\n",
     gradients, 4},
    {"network: {compute_ms: 3, compute_law: exponential, latency_ms: 2, "
     "bytes_per_ms: 9, barrier: neighbourhood, stragglers: {share: 0.2, "
     "factor: 5}}\n",
     gradients, 1},
    {"network: {compute_ms: 3, compute_law: exponential, latency_ms: 2, "
     "bytes_per_ms: 9, barrier: none, stragglers: {share: 0.2, factor: 5}}\n",
     free_gradients, 0},
    {"network: {compute_ms: 3, compute_law: pareto, barrier: neighbourhood, "
     "loss: 0.2}\n",
     consensus, 0},
    {"network: {compute_ms: 3, compute_law: pareto, barrier: none, loss: "
     "0.2}\n",
     free_consensus, 0},
};

struct stage { /* one run of one entry */
    struct plan_run run;
    struct course *course;
    struct course_row rows[ROWS];
};

static void begin(struct stage *s, struct plan *plan,
                  const struct experiment_entry *entry)
{
    struct error error = {{0}};

    memset(s, 0, sizeof *s);
    if (plan_run(&s->run, plan, entry, 5, &error) != 0 ||
        course_new(&s->course, &s->run.course, &error) != 0)
        fail_msg("%s: %s", entry->label, error.text);
    course_measure(&s->rows[0], s->course);
}

static void steps(struct stage *s, uint64_t from, uint64_t to)
{
    struct error error = {{0}};

    for (uint64_t step = from + 1; step <= to; step++) {
        if (course_step(s->course, &error) != 0)
            fail_msg("%s", error.text);
        if (step % EVERY == 0)
            course_measure(&s->rows[step / EVERY], s->course);
    }
}

static void end(struct stage *s)
{
    course_free(s->course);
    plan_run_free(&s->run);
}

static void same(const struct stage *a, const struct stage *b,
                 const char *label)
{
    struct course_piece x[COURSE_PIECES_MAX], y[COURSE_PIECES_MAX];
    const size_t count = course_piece_list(x, a->course);

    if (memcmp(a->rows, b->rows, sizeof a->rows) != 0)
        fail_msg("%s: other rows", label);
    assert_int_equal(course_piece_list(y, b->course), count);
    for (size_t k = 0; k < count; k++) {
        assert_int_equal(x[k].size, y[k].size);
        if (memcmp(x[k].at, y[k].at, x[k].size) != 0)
            fail_msg("%s: piece %zu is another", label, k);
    }
}

static void a_run_goes_on_bit_by_bit(struct plan *plan,
                                     const struct experiment_entry *entry,
                                     const struct keep *keep)
{
    static struct stage whole, part;
    struct checkpoint c;
    struct error error = {{0}};
    uint64_t step;

    checkpoint_begin(&c, keep, 3, 1, EVERY, 0);
    begin(&whole, plan, entry);
    steps(&whole, 0, AT);
    checkpoint_save(&c, AT, whole.course, whole.rows);
    steps(&whole, AT, STEPS);
    begin(&part, plan, entry);
    assert_int_equal(checkpoint_load(&step, &c, part.course, part.rows, &error),
                     0);
    assert_int_equal(step, AT);
    steps(&part, AT, STEPS);
    same(&whole, &part, entry->label);
    end(&whole);
    end(&part);
}

static struct experiment *experiment;
static struct plan *plan;
static struct keep keep;

static void open_experiment(size_t k)
{
    struct error error = {{0}};
    char text[8192];

    snprintf(text, sizeof text, "version: 1\nnodes: %d\nsteps: %d\n%s%s", N,
             STEPS, experiments[k].more, experiments[k].rest);
    if (experiment_read(&experiment, scratch_write("e.yaml", text), &error) !=
            0 ||
        plan_open(&plan, experiment, 2, &error) != 0 ||
        keep_open(&keep, scratch_folder, experiment, &error) != 0)
        fail_msg("%s", error.text);
}

static void close_experiment(void)
{
    keep_clear(&keep);
    plan_close(plan);
    experiment_free(experiment);
}

static bool is_refused(const struct experiment_entry *entry)
{
    struct error error = {{0}};
    struct plan_run run;

    if (plan_run(&run, plan, entry, 5, &error) != 0)
        return true;
    plan_run_free(&run);
    return false;
}

static void every_algorithm_goes_on_bit_by_bit(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof experiments / sizeof *experiments; k++) {
        size_t refused = 0;
        open_experiment(k);
        for (size_t i = 0; i < experiment->entry_count; i++) {
            if (is_refused(&experiment->entries[i]))
                refused++;
            else
                a_run_goes_on_bit_by_bit(plan, &experiment->entries[i], &keep);
        }
        assert_int_equal(refused, experiments[k].refused);
        close_experiment();
    }
}

/* -1: none is there; else the byte that is changed, or where it is cut. */
static uint64_t load_changed(long flip, long cut, size_t index)
{
    static struct stage s;
    char path[KEEP_PATH_SIZE];
    struct checkpoint c;
    struct error error = {{0}};
    uint64_t step = 99;

    checkpoint_begin(&c, &keep, 0, 1, EVERY, 0);
    begin(&s, plan, &experiment->entries[0]);
    steps(&s, 0, AT);
    checkpoint_save(&c, AT, s.course, s.rows);
    keep_path(path, &keep, 0, ".at");
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    if (flip >= 0) {
        assert_int_equal(fseek(file, flip, SEEK_SET), 0);
        int byte = fgetc(file);
        assert_int_equal(fseek(file, flip, SEEK_SET), 0);
        fputc(byte ^ 1, file);
    }
    if (cut >= 0)
        assert_int_equal(ftruncate(fileno(file), cut), 0);
    fclose(file);
    c.index = index;
    end(&s);
    begin(&s, plan, &experiment->entries[0]);
    assert_int_equal(checkpoint_load(&step, &c, s.course, s.rows, &error), 0);
    end(&s);
    return step;
}

static void what_is_damaged_or_stale_is_not_used(void **state)
{
    char path[KEEP_PATH_SIZE], other[KEEP_PATH_SIZE];

    (void)state;
    open_experiment(0);
    assert_int_equal(load_changed(-1, -1, 0), AT);
    for (long at = 0; at < 1000; at += 37)
        assert_int_equal(load_changed(at, -1, 0), 0);
    assert_int_equal(load_changed(-1, 0, 0), 0);
    assert_int_equal(load_changed(-1, 500, 0), 0);
    assert_int_equal(load_changed(-1, -1, 1), 0); /* no such file */
    keep_path(path, &keep, 0, ".at");
    keep_path(other, &keep, 1, ".at");
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(load_changed(-1, -1, 1), 0); /* of another run */
    keep.hash[0] ^= 1;
    assert_int_equal(load_changed(-1, -1, 0), AT);
    keep.hash[0] ^= 1;
    close_experiment();
}

/* By time a short run has none, and the slower the disk the fewer. */
static void by_time_it_costs_little(void **state)
{
    struct checkpoint c;

    (void)state;
    open_experiment(0);
    checkpoint_begin(&c, &keep, 0, 0, EVERY, 100);
    assert_false(checkpoint_is_due(&c, 1, 129));
    assert_true(checkpoint_is_due(&c, 1, 130));
    checkpoint_wait(&c, 131, 0.1);
    assert_false(checkpoint_is_due(&c, 2, 160));
    assert_true(checkpoint_is_due(&c, 2, 161));
    checkpoint_wait(&c, 200, 10);
    assert_false(checkpoint_is_due(&c, 3, 399));
    assert_true(checkpoint_is_due(&c, 3, 400));
    checkpoint_begin(&c, &keep, 0, 5, EVERY, 100);
    assert_false(checkpoint_is_due(&c, 4, 1e9));
    assert_true(checkpoint_is_due(&c, 5, 0));
    close_experiment();
}

static void a_full_disk_stops_checkpoints_not_the_run(void **state)
{
    static struct stage s;
    struct checkpoint c;

    (void)state;
    open_experiment(0);
    begin(&s, plan, &experiment->entries[0]);
    checkpoint_begin(&c, &keep, 0, 1, EVERY, 0);
    keep_clear(&keep); /* as if: nothing can be created there */
    checkpoint_save(&c, 1, s.course, s.rows);
    assert_false(checkpoint_is_due(&c, 2, 0));
    end(&s);
    close_experiment();
}

/* Another run into the same folder is told so, and takes nothing away. */
static void a_folder_has_one_run_at_a_time(void **state)
{
    struct keep other;
    struct error error = {{0}};
    char path[KEEP_PATH_SIZE];

    (void)state;
    open_experiment(0);
    assert_int_equal(keep_open(&other, scratch_folder, experiment, &error),
                     -EBUSY);
    assert_non_null(strstr(error.text, "another run at work"));
    keep_close(&other);
    snprintf(path, sizeof path, "%s/.runs", scratch_folder);
    assert_int_equal(access(path, F_OK), 0);
    close_experiment();
    open_experiment(0);
    close_experiment();
    assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_goes_on_bit_by_bit),
        cmocka_unit_test(what_is_damaged_or_stale_is_not_used),
        cmocka_unit_test(by_time_it_costs_little),
        cmocka_unit_test(a_folder_has_one_run_at_a_time),
        cmocka_unit_test(a_full_disk_stops_checkpoints_not_the_run),
    };
    return cmocka_run_group_tests(tests, open_all, scratch_remove);
}
