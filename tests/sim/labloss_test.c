/* What a network that loses messages and nodes that go away leave as it is. */

#include "sim/trial.h"

enum { N = TRIAL_NODES, D = 2 };

struct mass {
    double worst, least;
};

/* sum_i (Y_i - g_i(x_i)), which column sums of 1 keep at 0. */
static void weigh(void *context, const char *label,
                  const struct course_row *row, const struct course *course)
{
    struct mass *mass = context;
    double off[D] = {0}, worst;

    (void)label;
    for (int i = 0; i < N; i++) {
        const double a[D][D] = {{1 + i % 3 / 4.0, 0.25},
                                {0.25, 1 + i % 2 / 2.0}};
        const double c[D] = {i % 5, -i / 3.0};
        const double *x = course_vector(course, 0, (size_t)i);
        const double *y = course_vector(course, 1, (size_t)i);
        for (int k = 0; k < D; k++)
            off[k] += y[k] - a[k][0] * (x[0] - c[0]) - a[k][1] * (x[1] - c[1]);
    }
    worst = fmax(fabs(off[0]), fabs(off[1]));
    mass->worst = fmax(mass->worst, worst);
    if (row->step > 0)
        mass->least = fmin(mass->least, worst);
}

static struct mass run(const char *entry)
{
    struct mass mass = {0, HUGE_VAL};
    const struct lab_options options = {
        .threads = 1, .watch = weigh, .context = &mass};
    struct error error = {{0}};
    struct lab *lab;
    char text[512];

    snprintf(text, sizeof text,
             "version: 1\nnodes: 12\ngraph: {name: ring}\nsteps: 60\n"
             "problem: {kind: quadratic, file: q.csv}\n"
             "network: {loss: 0.3}\nalgorithms: [{%s}]\n",
             entry);
    if (lab_run(&lab, scratch_write("e.yaml", text), &options, &error) != 0)
        fail_msg("%s", error.text);
    lab_free(lab);
    return mass;
}

static void write_both(void)
{
    FILE *rows = fopen(scratch_write("r.mtx", ""), "w");
    FILE *columns = fopen(scratch_write("c.mtx", ""), "w");
    const char *head = "%%MatrixMarket matrix coordinate real general\n";

    assert_true(rows != NULL && columns != NULL);
    fprintf(rows, "%s12 12 25\n", head);
    fprintf(columns, "%s12 12 25\n", head);
    for (int i = 0; i < N; i++) {
        const double in = i == 0 ? 3 : 2, out = i == 5 ? 3 : 2;
        const int to = (i + 1) % N;
        fprintf(rows, "%d %d %.17g\n%d %d %.17g\n", i + 1, i + 1, 1 / in,
                to + 1, i + 1, to == 0 ? 1.0 / 3 : 0.5);
        fprintf(columns, "%d %d %.17g\n%d %d %.17g\n", i + 1, i + 1, 1 / out,
                to + 1, i + 1, 1 / out);
    }
    fprintf(rows, "1 6 %.17g\n", 1.0 / 3);
    fprintf(columns, "1 6 %.17g\n", 1.0 / 3);
    fclose(rows);
    fclose(columns);
}

static void trackers_keep_their_mass_where_messages_are_lost(void **state)
{
    static const char *const kept[] = {
        "name: push-pull, step: 0.05",
        "name: ab, step: 0.05",
        "name: push-pull, step: 0.05, on_loss: symmetric",
        "name: ab, step: 0.05, on_loss: renormalise",
        "name: ab, step: 0.05, on_loss: returned",
        "name: push-pull, step: 0.05, weights: {rows: r.mtx, columns: c.mtx}"};

    (void)state;
    write_both();
    for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
        const struct mass mass = run(kept[k]);
        if (!(mass.worst < 1e-11))
            fail_msg("%s: off by %g", kept[k], mass.worst);
    }
    /* a share that is gone is gone */
    assert_true(run("name: ab, step: 0.05, on_loss: lost").least > 1e-3);
}

/* With its trackers' mass kept a method goes where the gradients' sum is 0. */
static void push_pull_is_exact_where_messages_are_lost(void **state)
{
    static const char format[] =
        "version: 1\nnodes: 12\ngraph: {name: ring}\nsteps: 3000\n"
        "problem: {kind: quadratic, file: q.csv}\nevery: 3000\n"
        "network: {loss: 0.1}\nalgorithms: [{name: push-pull, step: 0.05}]\n";

    (void)state;
    struct lab *lab = trial_run(format, 1);
    trial_near(lab_rows(lab, "push-pull", 0)[1].err, 0, 1e-20);
    lab_free(lab);
}

static void times(const char *network, const char *entry, double least,
                  double most)
{
    char text[512];

    snprintf(text, sizeof text,
             "version: 1\nnodes: 12\ngraph: {name: ring}\nsteps: 5\n"
             "problem: {kind: consensus, init: x.csv}\n"
             "network: {offline: away.csv, %s}\nalgorithms: [{%s, label: a}]\n",
             network, entry);
    struct lab *lab = trial_run(text, 1);
    trial_near(lab_rows(lab, "a", 0)[5].clock_min, least, 1e-9);
    trial_near(lab_rows(lab, "a", 0)[5].clock_max, most, 1e-9);
    lab_free(lab);
}

/* Node 3, which would take 100 ms where others take 10, is away throughout. */
static void who_is_away_does_not_compute_and_is_not_waited_for(void **state)
{
    (void)state;
    scratch_write("away.csv", "0,3\n1,3\n2,3\n3,3\n4,3\n");
    scratch_write("ms.csv",
                  "10\n10\n10\n100\n10\n10\n10\n10\n10\n10\n10\n10\n");
    scratch_write("wake.csv", "0,3,4\n1,4,3\n2,3,2\n3,2,3\n4,3,4\n");
    times("compute_ms: ms.csv, barrier: neighbourhood", "name: gossip", 0, 50);
    times("compute_ms: ms.csv, barrier: global", "name: gossip", 50, 50);
    times("compute_ms: ms.csv, wake: wake.csv", "name: pairwise", 0, 0);
    times("compute_ms: ms.csv, wake: wake.csv, barrier: neighbourhood",
          "name: pairwise", 0, 0);
}

/* At its own pace it is the time in which it would have woken that passes. */
static void at_its_own_pace_time_passes_for_who_is_away(void **state)
{
    (void)state;
    scratch_write("away.csv", "0,0\n1,0\n2,0\n3,0\n4,0\n");
    times("compute_ms: 10, barrier: none", "name: pairwise", 0, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_away_does_not_compute_and_is_not_waited_for),
        cmocka_unit_test(at_its_own_pace_time_passes_for_who_is_away),
        cmocka_unit_test(trackers_keep_their_mass_where_messages_are_lost),
        cmocka_unit_test(push_pull_is_exact_where_messages_are_lost),
    };
    return cmocka_run_group_tests(tests, trial_open, scratch_remove);
}
