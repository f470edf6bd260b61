#include "sim/lab/verify_chance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/lab/chance.h"
#include "sim/lab/moments.h"

enum { SEEDS_MAX = 2000, TEXT_SIZE = 16384 };
static const double sigmas = 4; /* seeds are fixed: no false alarm by chance */

struct estimate {
    double sum, square, count;
};

static void add(struct estimate *e, double x)
{
    e->sum += x;
    e->square += x * x;
    e->count += 1;
}

static void judge(struct verify *v, const char *fact, const char *what,
                  double expected, const struct estimate *e)
{
    double mean = e->sum / e->count;
    double variance = (e->square / e->count - mean * mean) / (e->count - 1);

    const double interval = sigmas * sqrt(fmax(variance, 0));
    char text[96];

    /* what a wrong formula could hide in */
    snprintf(text, sizeof text, "%s +- %.2g", what, interval);
    verify_near(v, fact, text, expected, mean, interval);
}

static const char *seeds(char text[TEXT_SIZE], size_t count)
{
    size_t used = 0;

    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, TEXT_SIZE - used, "%s%zu",
                                 i == 0 ? "seeds: [" : ", ", i + 1);
    snprintf(text + used, TEXT_SIZE - used, "]\n");
    return text;
}

static void meetings(struct verify *v)
{
    char text[TEXT_SIZE];
    struct moments m;
    struct lab *lab =
        rig_runf(&v->rig,
                 "version: 1\nnodes: 16\ngraph: {name: ring}\n"
                 "problem: {kind: consensus, init: x16.csv}\nsteps: 200\n"
                 "every: 100\n%salgorithms:\n- {name: pairwise}\n",
                 seeds(text, 500));

    if (moments_open(&m, "ring", 16) != 0) {
        verify_fail(v, "11", "the ring could not be built");
        lab_free(lab);
        return;
    }
    verify_near(v, "11", "pairwise, ring 16: lambda_2 of E[W]", 0.995242470782,
                m.lambda2, 1e-9);
    for (size_t row = 0; row <= 2; row++) {
        struct estimate e = {0};
        char what[64];
        for (size_t k = 0; k < 500 && lab != NULL; k++)
            add(&e, lab_rows(lab, "pairwise", k)[row].err);
        snprintf(what, sizeof what, "E err after %zu ticks, 500 seeds",
                 row * 100);
        if (row > 0)
            judge(v, "11", what, moments_error(&m), &e);
        moments_advance(&m, 100);
    }
    moments_close(&m);
    lab_free(lab);
}

static void epidemic_of(struct verify *v, bool local, double s)
{
    const double n = 96;
    const double expected =
        local ? (1 - pow(1 - s / (n - 1), n)) / s - 1 / (n - 1)
              : (1 - s / (n - 1)) / (s + 1);
    char text[TEXT_SIZE], what[64];
    struct estimate e = {0};
    struct lab *lab = rig_runf(
        &v->rig,
        "version: 1\nnodes: 96\nproblem: {kind: consensus, init: x96.csv}\n"
        "steps: 1\n%salgorithms:\n"
        "- {name: epidemic, step: 0, degree: %.0f, mode: %s}\n",
        seeds(text, SEEDS_MAX), s, local ? "local" : "oracle");

    for (size_t k = 0; k < SEEDS_MAX && lab != NULL; k++) {
        const struct course_row *rows = lab_rows(lab, "epidemic", k);
        add(&e, rows[1].mse / rows[0].mse);
    }
    snprintf(what, sizeof what, "%s, n=96, s=%.0f: factor of one round",
             local ? "Local" : "Oracle", s);
    judge(v, "14", what, expected, &e);
    lab_free(lab);
}

static void matching(struct verify *v)
{
    char text[TEXT_SIZE];
    struct estimate e = {0};
    struct lab *lab =
        rig_runf(&v->rig,
                 "version: 1\nnodes: 16\ngraph: {name: matching}\n"
                 "problem: {kind: consensus, init: x16.csv}\nsteps: 1\n"
                 "%salgorithms:\n- {name: gossip}\n",
                 seeds(text, SEEDS_MAX));

    for (size_t k = 0; k < SEEDS_MAX && lab != NULL; k++) {
        const struct course_row *rows = lab_rows(lab, "gossip", k);
        add(&e, rows[1].err / rows[0].err);
    }
    judge(v, "15", "random matching, n=16: factor", 0.5 - 0.5 / 15, &e);
    lab_free(lab);
}

enum { NOISY_SEEDS = 8, NOISY_STEPS = 50000, NOISY_EVERY = 5, BURN = 100 };

/* f_i = x^2 / 2 with noise of variance 1: the stationary variances. */
static void noisy(struct verify *v, const char *graph, size_t n,
                  const char *name, double variance, double cons)
{
    char text[TEXT_SIZE], what[64];
    struct estimate square = {0}, spread = {0};
    FILE *file = rig_create(&v->rig, "flat.csv");

    fputs("node,k,c,a0\n", file);
    for (size_t i = 0; i < n; i++)
        fprintf(file, "%zu,0,0,1\n", i);
    fclose(file);
    struct lab *lab = rig_runf(
        &v->rig,
        "version: 1\nnodes: %zu\ngraph: {name: %s}\n"
        "problem: {kind: quadratic, file: flat.csv, noise: 1}\nsteps: %d\n"
        "every: %d\n%salgorithms:\n- {name: %s, step: 0.1}\n",
        n, graph, NOISY_STEPS, NOISY_EVERY, seeds(text, NOISY_SEEDS), name);
    for (size_t k = 0; k < NOISY_SEEDS && lab != NULL; k++) {
        const struct course_row *rows = lab_rows(lab, name, k);
        const size_t count = lab_sheet(lab)->row_count;
        double a = 0, b = 0;
        for (size_t r = BURN; r < count; r++) {
            a += rows[r].mean * rows[r].mean / (double)(count - BURN);
            b += rows[r].cons / (double)(count - BURN);
        }
        add(&square, a);
        add(&spread, b);
    }
    snprintf(what, sizeof what, "%s %zu, %s: variance of the mean", graph, n,
             name);
    judge(v, "26", what, variance, &square);
    snprintf(what, sizeof what, "%s %zu, %s: consensus distance", graph, n,
             name);
    if (cons > 0)
        judge(v, "26", what, cons, &spread);
    lab_free(lab);
}

static void noisy_all(struct verify *v)
{
    noisy(v, "ring", 16, "dgd-cta", 3.289474e-3, 1.474058e-2);
    noisy(v, "ring", 16, "dgd-atc", 3.289474e-3, 6.841526e-3);
    noisy(v, "complete", 64, "dgd-atc", 3.289474e-3 / 4, 0);
}

enum { NOISES = 4000 };

static void take_square(void *context, const char *label,
                        const struct course_row *row,
                        const struct course *course)
{
    struct estimate *e = context;

    (void)label;
    for (size_t k = 0; row->step == 4 && k < NOISES; k++) {
        double x = course_state(course, 3)[k];
        add(e, x * x);
    }
}

/* Muffliato: noise of variance 1 on every value, then exact averaging. */
static void noise_averages(struct verify *v)
{
    struct estimate e = {0};
    const struct lab_options options = {
        .threads = v->rig.threads, .watch = take_square, .context = &e};
    FILE *file = rig_create(&v->rig, "noise.csv");

    for (size_t i = 0; i < 16; i++) {
        struct chance chance = chance_of(29, CHANCE_NOISE, i, 0);
        for (size_t k = 0; k < NOISES; k++)
            fprintf(file, "%s%.17g", k == 0 ? "" : ",", chance_normal(&chance));
        fputc('\n', file);
    }
    fclose(file);
    lab_free(rig_run(&v->rig,
                     "version: 1\nnodes: 16\ngraph: {name: base, k: 1}\n"
                     "problem: {kind: consensus, init: noise.csv}\nsteps: 4\n"
                     "algorithms:\n- {name: gossip}\n",
                     &options));
    judge(v, "29", "noise after full mixing, n=16: 1/n", 1.0 / 16, &e);
}

/* DECOR: both ends of a link draw v_ij = -v_ji from their seed. */
static void noise_cancels(struct verify *v)
{
    double worst = 0;
    struct estimate own = {0}, between = {0};

    for (uint64_t draw = 0; draw < 20000; draw++) {
        double noise[8] = {0}, sum = 0;
        for (uint64_t i = 0; i < 8; i++) {
            struct chance chance = chance_of(draw, CHANCE_NOISE, i, 1);
            double value = chance_normal(&chance);
            noise[i] += value;
            noise[(i + 1) % 8] -= value;
        }
        for (size_t i = 0; i < 8; i++)
            sum += noise[i];
        worst = verify_worst(worst, fabs(sum));
        add(&own, noise[0] * noise[0]);
        add(&between, noise[0] * noise[1]);
    }
    verify_near(v, "29", "pairwise noise on ring 8 sums to", 0, worst, 1e-14);
    judge(v, "29", "its covariance is L: own", 2, &own);
    judge(v, "29", "its covariance is L: neighbours", -1, &between);
}

void verify_chance_facts(struct verify *v)
{
    static const double degrees[] = {1, 4, 7};

    rig_starts(&v->rig, 96);
    meetings(v);
    for (size_t i = 0; i < 3; i++) {
        epidemic_of(v, false, degrees[i]);
        epidemic_of(v, true, degrees[i]);
    }
    matching(v);
    if (v->quick)
        verify_skip(v, "26", "--quick");
    else
        noisy_all(v);
    noise_averages(v);
    noise_cancels(v);
}
