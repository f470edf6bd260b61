/* Node-rounds per second of the lab, on data of its own of the shape of the
 * researcher's baselines (shared/bench).
 *
 *   bench_converge w1 [NODES [ROUNDS [THREADS]]]   softmax, 116 numbers, DGD
 *   bench_converge average [NODES [ROUNDS [THREADS]]]  one-peer exponential
 *
 * w1 also measures the gather alone, W X without gradients; average also a
 * plain copy of the state. One JSON object on stdout. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/lab/course.h"
#include "sim/lab/drawn.h"
#include "sim/lab/states.h"
#include "sim/lab/weights.h"

enum { FEATURES = 57, ROWS = 16, SIZE = 116, DEGREE = 20 };

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void *room(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (p == NULL) {
        fputs("bench_converge: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

/* Labels follow a random direction, as in the baseline's gen_data.py. */
static struct learner *make_data(size_t n)
{
    struct learner *l = room(1, sizeof *l);
    struct chance chance = chance_of(42, CHANCE_SPLIT, 0, 0);
    double direction[FEATURES];

    *l = (struct learner){.n = n, .features = FEATURES, .classes = 2};
    l->start = room(n + 1, sizeof *l->start);
    l->stride = learner_stride(FEATURES);
    l->z = room(n * ROWS * l->stride, sizeof *l->z);
    l->label = room(n * ROWS, sizeof *l->label);
    for (size_t k = 0; k < FEATURES; k++)
        direction[k] = chance_normal(&chance);
    for (size_t i = 0; i < n; i++)
        l->start[i + 1] = (i + 1) * ROWS;
    for (size_t r = 0; r < n * ROWS; r++) {
        double *z = l->z + r * l->stride, sum = 2 * chance_normal(&chance);
        for (size_t k = 0; k < FEATURES; k++) {
            z[k] = (float)chance_normal(&chance); /* as the baseline's */
            sum += z[k] * direction[k];
        }
        z[FEATURES] = 1;
        l->label[r] = sum > 0;
    }
    learner_pack(l);
    return l;
}

static struct sequence *make_graph(size_t n, const char *name)
{
    const struct named_spec spec = {
        .name = name, .degree = n < 100 ? 4 : DEGREE, .seed = 42};
    struct sequence *s = NULL;
    struct graph *g;
    struct mixing *m;

    if (sequence_named(&s, &spec, n, NULL) == 0)
        return s;
    if (drawn_graph(&g, &spec, n, NULL) != 0 ||
        weights_of(&m, g, WEIGHTS_METROPOLIS, NULL) != 0) {
        fputs("bench_converge: no such graph\n", stderr);
        exit(1);
    }
    graph_free(g);
    return sequence_fixed(m);
}

/* Seconds of `rounds` steps; the best of three, as others use the machine. */
static double measure(const struct course_plan *plan, size_t rounds,
                      struct course_row *row)
{
    double best = 1e300;

    for (int turn = 0; turn < 3; turn++) {
        struct course *course;
        struct error error;
        if (course_new(&course, plan, &error) != 0) {
            fprintf(stderr, "bench_converge: %s\n", error.text);
            exit(1);
        }
        double begun = seconds();
        for (size_t r = 0; r < rounds; r++)
            if (course_step(course, &error) != 0)
                exit(1);
        double took = seconds() - begun;
        best = took < best ? took : best;
        course_measure(row, course);
        course_free(course);
    }
    return best;
}

/* The best of three, as measure()'s. */
static double copy_seconds(size_t n, size_t rounds, bool single)
{
    const size_t size = n * SIZE * (single ? sizeof(float) : sizeof(double));
    char *a = states_room(size), *b = states_room(size);
    double best = 1e300;

    if (a == NULL || b == NULL)
        exit(1);
    for (int turn = 0; turn < 4; turn++) { /* the first one is to warm up */
        double begun = seconds();
        for (size_t r = 0; r < rounds; r++) {
            memcpy(r % 2 == 0 ? b : a, r % 2 == 0 ? a : b, size);
            __asm__ volatile("" ::: "memory");
        }
        double took = seconds() - begun;
        best = turn > 0 && took < best ? took : best;
    }
    free(a);
    free(b);
    return best;
}

static void w1(size_t n, size_t rounds, struct pool *pool, bool single)
{
    struct learner *l = make_data(n);
    struct problem problem = {.kind = PROBLEM_MODEL,
                              .n = n,
                              .d = SIZE,
                              .init = room(n, SIZE * sizeof(double)),
                              .learner = l};
    struct course_plan plan = {.alg = alg_find("dgd-cta"),
                               .setting = {.step = 0.1, .local_steps = 1},
                               .problem = &problem,
                               .mixes = make_graph(n, "regular"),
                               .pool = pool,
                               .single = single};
    struct course_row row, unused;
    double took = measure(&plan, rounds, &row);

    plan.alg = alg_find("gossip");
    double gather = measure(&plan, rounds, &unused);
    printf("{\"workload\":\"w1\",\"n\":%zu,\"rounds\":%zu,\"threads\":%zu,"
           "\"node_rounds_per_s\":%.0f,\"gather_alone_per_s\":%.0f,"
           "\"loss\":%.6f,\"consensus_distance\":%.6g}\n",
           n, rounds, pool_threads(pool), (double)(n * rounds) / took,
           (double)(n * rounds) / gather, row.gap, row.cons);
    sequence_free(plan.mixes);
    problem_free(&problem);
}

static void average(size_t n, size_t rounds, struct pool *pool, bool single)
{
    struct problem problem = {.kind = PROBLEM_CONSENSUS,
                              .n = n,
                              .d = SIZE,
                              .init = room(n, SIZE * sizeof(double))};
    struct course_plan plan = {.alg = alg_find("gossip"),
                               .problem = &problem,
                               .mixes = make_graph(n, "one-peer-exponential"),
                               .pool = pool,
                               .single = single};
    struct course_row row;

    for (size_t k = 0; k < n * SIZE; k++)
        problem.init[k] = (double)(k * k % 101);
    double took = measure(&plan, rounds, &row);
    printf("{\"workload\":\"average\",\"n\":%zu,\"rounds\":%zu,\"threads\":%zu,"
           "\"node_rounds_per_s\":%.0f,\"copies_per_s\":%.0f}\n",
           n, rounds, pool_threads(pool), (double)(n * rounds) / took,
           (double)(n * rounds) / copy_seconds(n, rounds, single));
    sequence_free(plan.mixes);
    problem_free(&problem);
}

static size_t number(int argc, char **argv, int at, size_t otherwise)
{
    return argc > at ? strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    const bool first = argc > 1 && strcmp(argv[1], "w1") == 0;
    const size_t n = number(argc, argv, 2, 1000);
    const size_t rounds = number(argc, argv, 3, 100);
    struct pool *pool = pool_new(number(argc, argv, 4, 1));

    if ((!first && (argc < 2 || strcmp(argv[1], "average") != 0)) || n < 2 ||
        rounds < 1 || pool == NULL) {
        fputs("usage: bench_converge w1|average [NODES [ROUNDS [THREADS]]]\n",
              stderr);
        return 2;
    }
    (first ? w1 : average)(n, rounds, pool, argc > 5);
    pool_free(pool);
    return 0;
}
