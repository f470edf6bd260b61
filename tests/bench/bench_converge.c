/* Node-rounds per second of the lab, on data of its own of the shape of the
 * researcher's baselines (shared/bench).
 *
 *   bench_converge WORKLOAD [NODES [ROUNDS [THREADS [float64|float32]]]]
 *
 * w1: softmax, 116 numbers, DGD on a random 20-regular graph; w2: perceptron
 * 784-126-10, 100,180 numbers, batches of 32, on a 4-regular graph; average:
 * 116 numbers on the one-peer exponential graph. Beside it, in the same run and
 * taking turns: w1 and w2 the gather alone, W X without gradients; average a
 * plain copy of as many numbers. The best of three. One JSON object on stdout.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/lab/course.h"
#include "sim/lab/drawn.h"
#include "sim/lab/states.h"
#include "sim/lab/weights.h"

enum { SIZE = 116 }; /* w1's, average's */

struct shape {
    size_t features, rows, classes, hidden, batch, degree;
    double step;
    const char *alg;
};

static const struct shape w1_shape = {57, 16, 2, 0, 0, 20, 0.1, "dgd-cta"};
static const struct shape w2_shape = {784, 600, 10,   126,
                                      32,  4,   0.05, "dgd-atc"};

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

/* Labels follow a random direction for each class; numbers are floats, as the
 * baseline's. */
static struct learner *make_data(size_t n, const struct shape *shape)
{
    const size_t count = n * shape->rows, features = shape->features;
    struct learner *l = room(1, sizeof *l);
    struct chance chance = chance_of(42, CHANCE_SPLIT, 0, 0);
    double *direction = room(shape->classes * features, sizeof *direction);

    *l = (struct learner){.n = n,
                          .features = features,
                          .classes = shape->classes,
                          .hidden = shape->hidden,
                          .batch = shape->batch,
                          .stride = learner_stride(features)};
    l->start = room(n + 1, sizeof *l->start);
    l->z = room(count * l->stride, sizeof *l->z);
    l->label = room(count, sizeof *l->label);
    for (size_t k = 0; k < shape->classes * features; k++)
        direction[k] = chance_normal(&chance);
    for (size_t i = 0; i < n; i++)
        l->start[i + 1] = (i + 1) * shape->rows;
    for (size_t r = 0; r < count; r++) {
        double *z = l->z + r * l->stride, most = -1e300;
        for (size_t k = 0; k < features; k++)
            z[k] = (float)(chance_real(&chance) + chance_real(&chance) +
                           chance_real(&chance) - 1.5);
        z[features] = 1;
        for (size_t c = 0; c < shape->classes; c++) {
            double score = chance_normal(&chance);
            for (size_t k = 0; k < features; k++)
                score += z[k] * direction[c * features + k];
            l->label[r] = score > most ? (uint32_t)c : l->label[r];
            most = score > most ? score : most;
        }
    }
    learner_pack(l);
    free(direction);
    return l;
}

static struct sequence *make_graph(size_t n, const char *name, size_t degree)
{
    const struct named_spec spec = {.name = name, .degree = degree, .seed = 42};
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

enum { TURNS = 3 };

static struct course *open_course(const struct course_plan *plan)
{
    struct course *course;
    struct error error;

    if (course_new(&course, plan, &error) == 0)
        return course;
    fprintf(stderr, "bench_converge: %s\n", error.text);
    exit(1);
}

/* The fewest seconds of `rounds` steps so far. */
static void time_steps(double *best, struct course *course, size_t rounds)
{
    struct error error;
    double begun = seconds();

    for (size_t r = 0; r < rounds; r++)
        if (course_step(course, &error) != 0)
            exit(1);
    double took = seconds() - begun;
    *best = took < *best ? took : *best;
}

static void time_copies(double *best, char *a, char *b, size_t size,
                        size_t rounds)
{
    double begun = seconds();

    for (size_t r = 0; r < rounds; r++) {
        memcpy(r % 2 == 0 ? b : a, r % 2 == 0 ? a : b, size);
        __asm__ volatile("" ::: "memory"); /* both are used */
    }
    double took = seconds() - begun;
    *best = took < *best ? took : *best;
}

static void train(const char *name, const struct shape *shape, size_t n,
                  size_t rounds, struct pool *pool, bool single)
{
    struct learner *l = make_data(n, shape);
    const size_t size = learner_size(l);
    struct problem problem = {.kind = PROBLEM_MODEL,
                              .n = n,
                              .d = size,
                              .init = room(n, size * sizeof(double)),
                              .learner = l};
    struct course_plan plan = {
        .alg = alg_find(shape->alg),
        .setting = {.step = shape->step, .local_steps = 1},
        .problem = &problem,
        .mixes = make_graph(n, "regular", n < 100 ? 4 : shape->degree),
        .pool = pool,
        .single = single};
    struct course_row row = {0};
    const double bytes = course_bytes(&plan);
    double took = 1e300, gather = 1e300;

    for (size_t i = 0; i < n; i++)
        learner_init(problem.init + i * size, l, 42);
    for (int turn = 0; turn < TURNS; turn++) {
        plan.alg = alg_find(shape->alg);
        struct course *course = open_course(&plan);
        time_steps(&took, course, rounds);
        course_measure(&row, course);
        course_free(course);
        plan.alg = alg_find("gossip");
        course = open_course(&plan);
        time_steps(&gather, course, rounds);
        course_free(course);
    }
    printf("{\"workload\":\"%s\",\"n\":%zu,\"rounds\":%zu,\"threads\":%zu,"
           "\"precision\":\"%s\",\"node_rounds_per_s\":%.0f,"
           "\"gather_alone_per_s\":%.0f,\"bytes_per_node\":%.0f,"
           "\"loss\":%.6f,\"consensus_distance\":%.6g}\n",
           name, n, rounds, pool_threads(pool), single ? "float32" : "float64",
           (double)(n * rounds) / took, (double)(n * rounds) / gather,
           bytes / (double)n, row.gap, row.cons);
    sequence_free(plan.mixes);
    problem_free(&problem);
}

static void average(size_t n, size_t rounds, struct pool *pool, bool single)
{
    const size_t bytes = n * SIZE * (single ? sizeof(float) : sizeof(double));
    struct problem problem = {.kind = PROBLEM_CONSENSUS,
                              .n = n,
                              .d = SIZE,
                              .init = room(n, SIZE * sizeof(double))};
    struct course_plan plan = {.alg = alg_find("gossip"),
                               .problem = &problem,
                               .mixes =
                                   make_graph(n, "one-peer-exponential", 0),
                               .pool = pool,
                               .single = single};
    struct course_row row;
    double took = 1e300, copy = 1e300;

    for (size_t k = 0; k < n * SIZE; k++)
        problem.init[k] = (double)(k * k % 101);
    const double own = course_bytes(&plan) / (double)n;
    struct course *course = open_course(&plan);
    for (int turn = 0; turn < TURNS; turn++)
        time_steps(&took, course, rounds);
    course_measure(&row, course);
    course_free(course);
    problem_free(&problem); /* copies after it: else they count as its memory */
    char *a = states_room(bytes), *b = states_room(bytes);
    for (int turn = 0; a != NULL && b != NULL && turn < TURNS; turn++)
        time_copies(&copy, a, b, bytes, rounds);
    free(a);
    free(b);
    printf("{\"workload\":\"average\",\"n\":%zu,\"rounds\":%zu,"
           "\"threads\":%zu,\"precision\":\"%s\",\"node_rounds_per_s\":%.0f,"
           "\"copies_per_s\":%.0f,\"bytes_per_node\":%.0f,"
           "\"mean\":%.9f,\"consensus_distance\":%.6g}\n",
           n, rounds, pool_threads(pool), single ? "float32" : "float64",
           (double)(n * rounds) / took, (double)(n * rounds) / copy, own,
           row.mean, row.cons);
    sequence_free(plan.mixes);
}

static size_t number(int argc, char **argv, int at, size_t otherwise)
{
    return argc > at ? strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    const char *workload = argc > 1 ? argv[1] : "";
    const size_t n = number(argc, argv, 2, 1000);
    const size_t rounds = number(argc, argv, 3, 100);
    const bool single = argc > 5 && strcmp(argv[5], "float32") == 0;
    const bool known = strcmp(workload, "w1") == 0 ||
                       strcmp(workload, "w2") == 0 ||
                       strcmp(workload, "average") == 0;
    struct pool *pool = pool_new(number(argc, argv, 4, 1));

    if (!known || n < 2 || rounds < 1 || pool == NULL || argc > 6 ||
        (argc == 6 && !single && strcmp(argv[5], "float64") != 0)) {
        fputs("usage: bench_converge w1|w2|average [NODES [ROUNDS [THREADS "
              "[float64|float32]]]]\n",
              stderr);
        return 2;
    }
    if (strcmp(workload, "average") == 0)
        average(n, rounds, pool, single);
    else if (strcmp(workload, "w1") == 0)
        train("w1", &w1_shape, n, rounds, pool, single);
    else
        train("w2", &w2_shape, n, rounds, pool, single);
    pool_free(pool);
    return 0;
}
