/* Node-rounds per second of the lab, on data of its own of the shape of the
 * researcher's baselines (shared/bench).
 *
 *   bench_converge WORKLOAD [NODES [ROUNDS [THREADS [float64|float32]]]]
 *
 * w1: softmax, 116 numbers, DGD on a random 20-regular graph; w2: perceptron
 * 784-126-10, 100,180 numbers, batches of 32, on a 4-regular graph; average:
 * 116 numbers on the one-peer exponential graph. Beside it, in the same run and
 * taking turns, with the same threads:
 *   mixing   W X alone, as the lab does it
 *   gather   W X row by row, every row read whole: a plain loop
 *   moves    the same, and each node's data read once, nothing computed (w1)
 *   copies   average: a plain copy of as many numbers, by one thread
 * Best of some turns, per second and per second of processor time, all threads'
 * together ("_cpu_s"), which others on the machine disturb less. One JSON
 * object on stdout.
 */

#define _DEFAULT_SOURCE /* getloadavg */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

/* The fewest seconds so far of as many rounds. */
struct best {
    double wall, cpu;
};

static const struct best never = {1e300, 1e300};

static double seconds(clockid_t id)
{
    struct timespec now;

    clock_gettime(id, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct best begin(void)
{
    return (struct best){seconds(CLOCK_MONOTONIC),
                         seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static void end(struct best *best, struct best begun)
{
    struct best now = begin();

    now.wall -= begun.wall;
    now.cpu -= begun.cpu;
    best->wall = now.wall < best->wall ? now.wall : best->wall;
    best->cpu = now.cpu < best->cpu ? now.cpu : best->cpu;
}

static void print_rate(const char *name, size_t count, const struct best *best)
{
    printf(",\"%s_per_s\":%.0f,\"%s_per_cpu_s\":%.0f", name,
           (double)count / best->wall, name, (double)count / best->cpu);
}

/* Of this process, all that it ever had at once. */
static double peak_bytes(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return 1024 * (double)usage.ru_maxrss;
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
    if (l->packed == NULL) {
        fputs("bench_converge: out of memory\n", stderr);
        exit(1);
    }
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

enum { TURNS = 5 };

static struct course *open_course(const struct course_plan *plan)
{
    struct course *course;
    struct error error;

    if (course_new(&course, plan, &error) == 0)
        return course;
    fprintf(stderr, "bench_converge: %s\n", error.text);
    exit(1);
}

static void time_steps(struct best *best, struct course *course, size_t rounds)
{
    struct error error;
    const struct best begun = begin();

    for (size_t r = 0, done = 0; r < rounds; r += done)
        if (course_advance(&done, course, rounds - r, &error) != 0)
            exit(1);
    end(best, begun);
}

static void time_copies(struct best *best, char *a, char *b, size_t size,
                        size_t rounds)
{
    const struct best begun = begin();

    for (size_t r = 0; r < rounds; r++) {
        memcpy(r % 2 == 0 ? b : a, r % 2 == 0 ? a : b, size);
        __asm__ volatile("" ::: "memory"); /* both are used */
    }
    end(best, begun);
}

/* What must be moved, row by row. */
struct moves {
    const struct mixing *mixing;
    const struct learner *learner; /* or NULL */
    size_t width;                  /* numbers of a row of x and out */
    bool single;
    char *x, *out;
};

static void move_rows(void *context, size_t from, size_t to, size_t thread)
{
    const struct moves *m = context;
    const size_t row = m->width * (m->single ? sizeof(float) : sizeof(double));
    const struct learner *l = m->learner;
    volatile float sink;

    (void)thread;
    for (size_t i = from; i < to; i++) {
        float sum = 0;
        mixing_columns(m->out + i * row, m->mixing, i, m->x, m->width, m->width,
                       m->single);
        if (l == NULL)
            continue;
        for (size_t k = l->start[i] * l->stride;
             k < l->start[i + 1] * l->stride; k += 16)
            sum += l->packed[k];
        sink = sum;
    }
    (void)sink;
}

static void time_moves(struct best *best, struct moves *m, size_t rounds,
                       struct pool *pool)
{
    const struct best begun = begin();

    for (size_t r = 0; r < rounds; r++) {
        char *old = m->x;
        pool_run(pool, m->mixing->n, 1 + 8192 / m->width, move_rows, m);
        m->x = m->out;
        m->out = old;
    }
    end(best, begun);
}

static struct moves make_moves(const struct mixing *mixing, size_t d,
                               bool single)
{
    struct moves m = {
        .mixing = mixing, .width = states_width(d, single), .single = single};
    const size_t size = mixing->n * m.width * sizeof(double);

    m.x = states_room(size);
    m.out = states_room(size);
    if (m.x == NULL || m.out == NULL) {
        fputs("bench_converge: out of memory\n", stderr);
        exit(1);
    }
    return m;
}

static void print_begin(const char *workload, size_t n, size_t rounds,
                        const struct pool *pool, bool single)
{
    double load = 0;

    (void)getloadavg(&load, 1);
    printf("{\"workload\":\"%s\",\"n\":%zu,\"rounds\":%zu,\"threads\":%zu,"
           "\"precision\":\"%s\",\"load\":%.2f",
           workload, n, rounds, pool_threads(pool),
           single ? "float32" : "float64", load);
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
    struct best steps = never, mixing = never, gather = never, moved = never;
    struct moves m = make_moves(sequence_at(plan.mixes, 0), size, single);

    for (size_t i = 0; i < n; i++)
        learner_init(problem.init + i * size, l, 42);
    for (int turn = 0; turn < TURNS; turn++) {
        plan.alg = alg_find(shape->alg);
        struct course *course = open_course(&plan);
        time_steps(&steps, course, rounds);
        course_measure(&row, course);
        course_free(course);
        plan.alg = alg_find("gossip");
        course = open_course(&plan);
        time_steps(&mixing, course, rounds);
        course_free(course);
        m.learner = NULL;
        time_moves(&gather, &m, rounds, pool);
        m.learner = shape->batch == 0 ? l : NULL;
        time_moves(&moved, &m, rounds, pool);
    }
    plan.alg = alg_find(shape->alg);
    print_begin(name, n, rounds, pool, single);
    print_rate("node_rounds", n * rounds, &steps);
    print_rate("mixing", n * rounds, &mixing);
    print_rate("gather", n * rounds, &gather);
    if (m.learner != NULL)
        print_rate("moves", n * rounds, &moved);
    printf(",\"bytes_per_node\":%.0f,\"peak_bytes\":%.0f,\"loss\":%.6f,"
           "\"consensus_distance\":%.6g}\n",
           course_bytes(&plan) / (double)n, peak_bytes(), row.gap, row.cons);
    free(m.x);
    free(m.out);
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
    struct best steps = never, copies = never;

    for (size_t k = 0; k < n * SIZE; k++)
        problem.init[k] = (double)(k * k % 101);
    const double own = course_bytes(&plan) / (double)n;
    struct course *course = open_course(&plan);
    for (int turn = 0; turn < TURNS; turn++)
        time_steps(&steps, course, rounds);
    course_measure(&row, course);
    course_free(course);
    problem_free(&problem); /* copies after it: else they count as its memory */
    char *a = states_room(bytes), *b = states_room(bytes);
    for (int turn = 0; a != NULL && b != NULL && turn < TURNS; turn++)
        time_copies(&copies, a, b, bytes, rounds);
    free(a);
    free(b);
    print_begin("average", n, rounds, pool, single);
    print_rate("node_rounds", n * rounds, &steps);
    print_rate("copies", n * rounds, &copies);
    printf(",\"bytes_per_node\":%.0f,\"peak_bytes\":%.0f,\"mean\":%.9f,"
           "\"consensus_distance\":%.6g}\n",
           own, peak_bytes(), row.mean, row.cons);
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
