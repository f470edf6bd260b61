/* Matrices of states: products against those of single rows, in both
 * precisions, and whole experiments in single precision. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "node/scratch.h"
#include "sim/lab/drawn.h"
#include "sim/lab/lab.h"
#include "sim/lab/shift.h"
#include "sim/lab/states.h"
#include "sim/lab/weights.h"

enum { THREADS = 3, ROWS = 900 };

static void fill(struct states *x, size_t n, size_t d, bool single)
{
    double row[5000];

    assert_in_range(d, 1, 5000);
    assert_int_equal(states_new(x, n, d, single), 0);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < d; k++)
            row[k] = sin((double)(i * d + k * k % 1013));
        states_write(x, i, row);
    }
}

/* Row i of W x, the slow way. */
static void expect_row(const struct states *got, const struct mixing *m,
                       const struct states *x, size_t i)
{
    const size_t size = x->single ? sizeof(float) : sizeof(double);
    char row[5000 * sizeof(double)];

    mixing_columns(row, m, i, x->x, x->stride, x->d, x->single);
    assert_memory_equal(states_row(got, i), row, x->d * size);
}

static void a_product_is_that_of_its_rows(void **state)
{
    static const size_t sizes[] = {1, 5, 116, 5000};
    const struct named_spec spec = {.name = "regular", .degree = 4, .seed = 1};
    struct graph *g;
    struct mixing *m;

    (void)state;
    assert_int_equal(drawn_graph(&g, &spec, 60, NULL), 0);
    assert_int_equal(weights_of(&m, g, WEIGHTS_METROPOLIS, NULL), 0);
    for (size_t k = 0; k < 8; k++) {
        struct states x, got;
        fill(&x, 60, sizes[k / 2], k % 2);
        assert_int_equal(states_new(&got, 60, sizes[k / 2], k % 2), 0);
        states_mix(&got, m, &x, 0, 25);
        states_mix(&got, m, &x, 25, 60);
        for (size_t i = 0; i < 60; i++)
            expect_row(&got, m, &x, i);
        states_free(&x);
        states_free(&got);
    }
    mixing_free(m);
    graph_free(g);
}

/* So many rows that they are mixed slice by slice, where a core's own cache is
 * of 512 KiB to 8 MiB. */
static void slices_are_the_whole_product(void **state)
{
    enum { N = 8000, D = 116 };
    const struct named_spec spec = {.name = "regular", .degree = 4, .seed = 1};
    struct graph *g;
    struct mixing *m;

    (void)state;
    assert_int_equal(drawn_graph(&g, &spec, N, NULL), 0);
    assert_int_equal(weights_of(&m, g, WEIGHTS_METROPOLIS, NULL), 0);
    for (size_t k = 0; k < 2; k++) {
        struct states x, got;
        fill(&x, N, D, k == 1);
        assert_int_equal(states_new(&got, N, D, k == 1), 0);
        print_message("%s\n", states_sliced(&x) ? "sliced" : "whole");
        states_mix(&got, m, &x, 0, N / 3);
        states_mix(&got, m, &x, N / 3, N);
        for (size_t i = 0; i < N; i++)
            expect_row(&got, m, &x, i);
        states_free(&x);
        states_free(&got);
    }
    mixing_free(m);
    graph_free(g);
}

/* x by `count` matrices of these shifts, each into another place. */
static void follow(struct states *x, struct mixing *const *m, size_t count)
{
    struct states next;

    assert_int_equal(states_new(&next, x->n, x->d, x->single), 0);
    for (size_t r = 0; r < count; r++) {
        struct states old = *x;
        states_mix(&next, m[r], x, 0, x->n);
        *x = next;
        next = old;
    }
    states_free(&next);
}

/* Parts as of `threads`: first all save, then each goes on, in any order.
 * Returns in how many passes. */
static size_t expect_shifts(size_t n, size_t d, const size_t *shifts,
                            size_t count, size_t threads, bool single)
{
    struct mixing *m[32];
    struct states x, expected;
    struct shift s = {0};
    size_t passes = 0;

    for (size_t r = 0; r < count; r++) {
        const double share = 0.3 + 0.01 * (double)r;
        m[r] = mixing_circulant(n, (size_t[]){0, shifts[r]},
                                (double[]){share, 1 - share}, 2);
        assert_true(shift_is(m[r]));
    }
    fill(&x, n, d, single);
    fill(&expected, n, d, single);
    assert_non_null(s.room = malloc(threads * shift_room(&x)));
    for (size_t r = 0; r < count; r += s.count, passes++) {
        const struct mixing *rest[32];
        memcpy(rest, m + r, (count - r) * sizeof *rest);
        shift_plan(&s, &x, rest, count - r);
        for (size_t t = 0; t < threads; t++)
            shift_save(&s, n * t / threads, n * (t + 1) / threads, t);
        for (size_t t = threads; t-- > 0;)
            shift_pass(&s, n * t / threads, n * (t + 1) / threads, t);
    }
    follow(&expected, m, count);
    for (size_t i = 0; i < n; i++)
        assert_memory_equal(states_row(&x, i), states_row(&expected, i),
                            d * (single ? sizeof(float) : sizeof(double)));
    for (size_t r = 0; r < count; r++)
        mixing_free(m[r]);
    states_free(&x);
    states_free(&expected);
    free(s.room);
    return passes;
}

static const size_t powers[] = {1,   2,   4,   8,    16, 32, 64,
                                128, 256, 512, 1024, 1,  2};

static void shifts_in_place_are_the_products(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 3; threads++)
        for (size_t from = 0; from < 13; from++)
            for (size_t k = 0; k < 2; k++) {
                expect_shifts(2000, 116, powers + from, 13 - from, threads, k);
                expect_shifts(1025, 3, powers + from, 13 - from, threads, k);
            }
    assert_int_equal(expect_shifts(2048, 116, powers, 11, 2, false), 2);
    assert_int_equal(expect_shifts(2001, 1, powers, 11, 5, false), 2);
}

static void any_shift_is_the_product(void **state)
{
    static const size_t shifts[] = {700, 1400, 3, 3, 2, 1999, 2000, 6, 1};

    (void)state;
    for (size_t threads = 1; threads <= 7; threads++) {
        expect_shifts(2001, 116, shifts, 9, threads, false);
        expect_shifts(2001, 5000, shifts, 2, threads, true);
        expect_shifts(2, 116, (size_t[]){1, 1, 1, 1}, 4, threads, false);
        expect_shifts(5, 4, (size_t[]){1, 2, 4, 1, 3}, 5, threads, true);
        expect_shifts(3000, 7, (size_t[]){1500, 1500, 750}, 3, threads, true);
    }
}

static int open_all(void **state)
{
    int code = scratch_make(state);
    FILE *file = code == 0 ? fopen(scratch_path("rows.csv"), "w") : NULL;

    if (file == NULL)
        return -1;
    for (int k = 0; k < 40; k++)
        fprintf(file, "f%d,", k);
    fputs("y\n", file);
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int k = 0; k < 40; k++) {
            int v = (i * (k + 3) + i * i * 7 + 31 * k) % 17 - 8;
            sum += v * (k % 5 - 2);
            fprintf(file, "%.17g,", v / 8.0);
        }
        fprintf(file, "%d\n", sum > 0);
    }
    if (fclose(file) != 0 ||
        (file = fopen(scratch_path("init.csv"), "w")) == NULL)
        return -1;
    for (int i = 0; i < 300; i++)
        for (int k = 0; k < 80; k++)
            fprintf(file, "%.17g%c", sin(i * 80 + k), k == 79 ? '\n' : ',');
    return fclose(file);
}

static struct lab *run(const char *rest, const char *precision, size_t threads)
{
    const struct lab_options options = {.threads = threads};
    char text[2048];
    struct error error = {{0}};
    struct lab *lab;

    snprintf(text, sizeof text, "version: 1\nprecision: %s\nsteps: 12\n%s",
             precision, rest);
    if (lab_run(&lab, scratch_write("e.yaml", text), &options, &error) != 0)
        fail_msg("%s", error.text);
    return lab;
}

static const char *const experiments[] = {
    "nodes: 300\ngraph: {name: one-peer-exponential}\n"
    "problem: {kind: consensus, init: init.csv}\nalgorithms:\n"
    "- {name: gossip}\n- {name: push-sum}\n",
    "nodes: 300\ngraph: {name: regular, degree: 6}\n"
    "problem: {kind: model, model: softmax, data: rows.csv, target: y}\n"
    "algorithms:\n- {name: dgd-cta, step: 0.1}\n"
    "- {name: dgd-atc, step: 0.1}\n- {name: gt-atc, step: 0.1}\n"
    "- {name: gt-cta, step: 0.1}\n- {name: extra, step: 0.1}\n"
    "- {name: nids, step: 0.1}\n- {name: fedavg, step: 0.1, local_steps: 2}\n"
    "- {name: choco-sgd, step: 0.1, gamma: 0.3, compressor: {kind: sign}}\n"
    "- {name: relaysgd, step: 0.1, graph: {name: bintree}}\n",
    "nodes: 300\ngraph: {name: ring}\n"
    "problem: {kind: consensus, init: init.csv}\nalgorithms:\n"
    "- {name: clipped-gossip, tau: 0.1}\n- {name: pairwise}\n",
    "nodes: 30\ngraph: {name: ring}\n"
    "problem: {kind: model, model: mlp, hidden: 20, batch: 40, data: rows.csv, "
    "target: y}\nalgorithms:\n- {name: dgd-atc, step: 0.2}\n"
    "- {name: local-dsgd, step: 0.2, local_steps: 3}\n",
    /* sliced, in double precision */
    "nodes: 8000\ngraph: {name: regular, degree: 4}\n"
    "problem: {kind: model, model: softmax, data: rows.csv, target: y}\n"
    "algorithms:\n- {name: dgd-cta, step: 0.1}\n- {name: gt-cta, step: 0.1}\n",
};

enum { EXPERIMENTS = sizeof experiments / sizeof experiments[0] };

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2 * EXPERIMENTS; k++) {
        const char *precision = k % 2 == 0 ? "float64" : "float32";
        struct lab *one = run(experiments[k / 2], precision, 1);
        struct lab *more = run(experiments[k / 2], precision, THREADS);
        const struct sheet *a = lab_sheet(one), *b = lab_sheet(more);
        for (size_t i = 0; i < a->column_count; i++)
            assert_memory_equal(a->columns[i].rows, b->columns[i].rows,
                                a->row_count * sizeof *a->columns[i].rows);
        lab_free(one);
        lab_free(more);
    }
}

static void single_precision_is_near_double(void **state)
{
    (void)state;
    for (size_t k = 0; k < EXPERIMENTS; k++) {
        struct lab *fine = run(experiments[k], "float64", 1);
        struct lab *rough = run(experiments[k], "float32", 1);
        const struct sheet *a = lab_sheet(fine), *b = lab_sheet(rough);
        for (size_t i = 0; i < a->column_count; i++) {
            const struct course_row *x = &a->columns[i].rows[12];
            const struct course_row *y = &b->columns[i].rows[12];
            /* a sign jumps where a number rounds across zero */
            if (strcmp(a->columns[i].label, "choco-sgd") == 0)
                continue;
            assert_true(fabs(x->mean - y->mean) < 1e-6);
            assert_true(fabs(x->gap - y->gap) < 1e-5);
            assert_true(fabs(x->cons - y->cons) < 1e-4 * x->cons + 1e-9);
            assert_true(memcmp(&x->cons, &y->cons, sizeof x->cons) != 0);
        }
        lab_free(fine);
        lab_free(rough);
    }
}

/* Several steps in one pass where nothing is recorded between them; a clock,
 * that moves step by step, takes that away. */
static void steps_at_once_are_the_steps(void **state)
{
    static const char rest[] =
        "nodes: 300\ngraph: {name: one-peer-exponential}\nevery: %d\n%s"
        "problem: {kind: consensus, init: init.csv}\n"
        "algorithms: [{name: gossip}]\n";
    static const char clock[] = "network: {compute_ms: 3}\n";
    char text[512];

    (void)state;
    for (size_t k = 0; k < 2; k++)
        for (int every = 3; every <= 12; every++) {
            const char *precision = k == 0 ? "float64" : "float32";
            snprintf(text, sizeof text, rest, 1, "");
            struct lab *one = run(text, precision, 1);
            snprintf(text, sizeof text, rest, every, every == 5 ? clock : "");
            struct lab *many = run(text, precision, 2);
            for (int step = 0; step <= 12; step += every) {
                struct course_row x = lab_rows(one, "gossip", 0)[step];
                struct course_row y = lab_rows(many, "gossip", 0)[step / every];
                assert_true(every != 5 || step == 0 || y.clock_min > 0);
                y.clock_min = y.clock_max = y.clock_mean = 0;
                assert_memory_equal(&x, &y, sizeof x);
            }
            lab_free(one);
            lab_free(many);
        }
}

/* Noise so small that it is lost in rounding takes the longer way. */
static void a_descent_has_the_bits_of_its_steps(void **state)
{
    static const char rest[] =
        "nodes: 30\ngraph: {name: regular, degree: 4}\n"
        "problem: {kind: model, model: mlp, hidden: 20, batch: %d, "
        "data: rows.csv, target: y, noise: %s}\n"
        "%s";
    static const char *const more[] = {
        "network: {offline: 0.2}\n"
        "algorithms:\n- {name: dgd-atc, step: 0.1}\n"
        "- {name: local-dsgd, step: 0.1, local_steps: 2}\n",
        "algorithms:\n- {name: fedavg, step: 0.1, local_steps: 1}\n"
        "- {name: fedprox, step: 0.1, local_steps: 1, mu: 0.5}\n"};
    static const char *const all[][2] = {{"dgd-atc", "local-dsgd"},
                                         {"fedavg", "fedprox"}};
    char text[1024];

    (void)state;
    for (int turn = 0; turn < 6; turn++) {
        const int batch = turn / 2 * 20;
        const char *const *names = all[turn % 2];
        snprintf(text, sizeof text, rest, batch, "0", more[turn % 2]);
        struct lab *lean = run(text, "float32", 1);
        snprintf(text, sizeof text, rest, batch, "1e-300", more[turn % 2]);
        struct lab *full = run(text, "float32", 2);
        for (size_t k = 0; k < 2; k++)
            assert_memory_equal(lab_rows(lean, names[k], 0),
                                lab_rows(full, names[k], 0),
                                13 * sizeof(struct course_row));
        lab_free(lean);
        lab_free(full);
    }
}

/* The rows are floats, and so kept as such. */
static void packed_rows_have_the_slopes_of_the_loss(void **state)
{
    struct learner_spec spec = {
        .data = scratch_path("rows.csv"), .target = "y", .lambda = 0.01};
    struct error error = {{0}};

    (void)state;
    for (size_t k = 0; k < 6; k++) {
        struct learner *l;
        double x[256], g[256], room[8192], slope;
        float narrow[256];
        spec.hidden = k % 3 == 0 ? 0 : 5;
        assert_int_equal(learner_read(&l, &spec, 1, &error), 0);
        assert_non_null(l->packed);
        const size_t size = learner_size(l);
        assert_in_range(size, 1, 256);
        assert_in_range(slopes_room(l), 1, 8192);
        for (size_t i = 0; i < size; i++)
            x[i] = narrow[i] = (float)sin((double)(i * i)) / 4;
        slopes_of(g, l, 0, x, NULL,
                  &(struct slopes_way){room, k >= 3, k == 5 ? narrow : NULL});
        for (size_t i = 0; i < size; i++) {
            const double h = 1e-5, kept = x[i];
            x[i] = kept + h;
            slope = learner_value(l, x);
            x[i] = kept - h;
            slope = (slope - learner_value(l, x)) / (2 * h);
            x[i] = kept;
            assert_true(fabs(slope - g[i]) < (k < 3 ? 1e-8 : 1e-6));
        }
        learner_free(l);
    }
}

static void other_precisions_are_refused(void **state)
{
    struct lab_options options = {.threads = 1};
    struct error error = {{0}};
    struct lab *lab;

    (void)state;
    const char *path = scratch_write(
        "e.yaml", "version: 1\nprecision: half\nsteps: 1\nnodes: 4\ngraph: "
                  "{name: ring}\nproblem: {kind: consensus, init: x.csv}\n"
                  "algorithms: [{name: gossip}]\n");
    assert_int_not_equal(lab_run(&lab, path, &options, &error), 0);
    assert_non_null(
        strstr(error.text, ":2: precision: found 'half', expected"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_is_that_of_its_rows),
        cmocka_unit_test(slices_are_the_whole_product),
        cmocka_unit_test(shifts_in_place_are_the_products),
        cmocka_unit_test(any_shift_is_the_product),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(steps_at_once_are_the_steps),
        cmocka_unit_test(single_precision_is_near_double),
        cmocka_unit_test(a_descent_has_the_bits_of_its_steps),
        cmocka_unit_test(packed_rows_have_the_slopes_of_the_loss),
        cmocka_unit_test(other_precisions_are_refused),
    };
    return cmocka_run_group_tests(tests, open_all, scratch_remove);
}
