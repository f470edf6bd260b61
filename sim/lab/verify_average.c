#include "sim/lab/verify_average.h"

#include <math.h>
#include <stdlib.h>

#include "sim/lab/moments.h"

static void accelerated(struct verify *v)
{
    struct lab *lab = rig_run(&v->rig,
                              "version: 1\nnodes: 16\ngraph: {name: ring}\n"
                              "problem: {kind: consensus, init: x16.csv}\n"
                              "steps: 100\nalgorithms:\n- {name: gossip}\n"
                              "- {name: chebyshev}\n",
                              NULL);

    verify_digits(v, "9", "gossip, ring 16: err at 100", 9.205251e-7,
                  verify_row(lab, "gossip", 100)->err, 7);
    verify_error(v, "9", "Chebyshev, ring 16: err at 100", 7.84e-30,
                 verify_row(lab, "chebyshev", 100)->err);
    lab_free(lab);
}

static void pairs(struct verify *v)
{
    struct lab *lab = rig_run(&v->rig,
                              "version: 1\nnodes: 16\n"
                              "problem: {kind: consensus, init: x16.csv}\n"
                              "steps: 100\nnetwork: {wake: "
                              "wake_complete.csv}\nalgorithms:\n"
                              "- {name: pairwise}\n",
                              NULL);

    verify_digits(v, "10", "complete 16: err at the start", 0.0669480933,
                  verify_row(lab, "pairwise", 0)->err, 9);
    lab_free(lab);
    /* the factor 1 - 1/15 a tick holds for the expectation: exact there */
    struct moments m;
    if (moments_open(&m, "complete", 16) != 0) {
        verify_fail(v, "10", "the complete graph could not be built");
        return;
    }
    double before = moments_error(&m);
    moments_advance(&m, 1);
    verify_near(v, "10", "complete 16: factor of one tick", 14.0 / 15,
                moments_error(&m) / before, 1e-12);
    moments_advance(&m, 99);
    verify_digits(v, "10", "E err after 100 ticks", 6.751742569e-5,
                  moments_error(&m), 10);
    moments_close(&m);
}

static void push(struct verify *v)
{
    struct lab *lab = rig_run(&v->rig,
                              "version: 1\nnodes: 16\n"
                              "problem: {kind: consensus, init: x16.csv}\n"
                              "steps: 400\nalgorithms:\n"
                              "- {name: push-sum, weights: {file: C.mtx}}\n"
                              "- {name: gossip, weights: {file: R.mtx}}\n",
                              NULL);
    const struct course_row *last = verify_row(lab, "push-sum", 100);

    verify_digits(v, "12", "push-sum: MSE at 10", 1.889351e-5,
                  verify_row(lab, "push-sum", 10)->mse, 7);
    verify_near(v, "12", "push-sum: MSE at 100", 0, last->mse, 1e-30);
    verify_near(v, "12", "push-sum: sum of x", 8.118811881188, last->sum,
                1e-11);
    verify_near(v, "12", "push-sum: sum of w", 16, last->mass, 1e-12);
    last = verify_row(lab, "gossip", 400);
    verify_digits(v, "12", "row average: MSE", 5.7013e-5, last->mse, 5);
    verify_near(v, "12", "row average: wrong limit", 0.499875, last->mean,
                1e-6);
    verify_near(v, "12", "push-sum: right limit", 0.507426,
                verify_row(lab, "push-sum", 400)->mean, 1e-6);
    lab_free(lab);
}

static void lose(struct verify *v, const char *network, const char *name,
                 const char *what, double mean, double mass)
{
    struct lab *lab =
        rig_runf(&v->rig,
                 "version: 1\nnodes: 16\ngraph: {name: ring}\n"
                 "problem: {kind: consensus, init: x16.csv}\nsteps: 100\n"
                 "network: {%s}\nalgorithms:\n- {name: %s, label: a}\n",
                 network, name);
    const struct course_row *last = verify_row(lab, "a", 100);

    if (mean > 0)
        verify_near(v, "13", what, mean, last->mean, 1e-6);
    if (mass > 0)
        verify_near(v, "13", what, mass, last->mass, 1e-4);
    lab_free(lab);
}

static void large(struct verify *v, size_t n, const char *graph, size_t step,
                  double expected, int digits)
{
    char what[64];

    rig_starts(&v->rig, n);
    struct lab *lab =
        rig_runf(&v->rig,
                 "version: 1\nnodes: %zu\ngraph: {name: %s}\n"
                 "problem: {kind: consensus, init: x%zu.csv}\nsteps: %zu\n"
                 "every: %zu\nalgorithms:\n- {name: gossip}\n",
                 n, graph, n, step, step);
    snprintf(what, sizeof what, "%s %zu: err at %zu", graph, n, step);
    double got = verify_row(lab, "gossip", 1)->err;
    if (digits > 0)
        verify_digits(v, "16", what, expected, got, digits);
    else
        verify_error(v, "16", what, expected, got);
    lab_free(lab);
}

static void clipped(struct verify *v)
{
    struct lab *lab = rig_run(
        &v->rig,
        "version: 1\nnodes: 16\ngraph: {name: circulant, offsets: [1, 2]}\n"
        "problem: {kind: consensus, init: x16.csv}\nsteps: 60\n"
        "network: {byzantine: byzantine.csv}\nalgorithms:\n"
        "- {name: clipped-gossip, tau: 0.05, label: a}\n"
        "- {name: clipped-gossip, tau: 0.5, label: b}\n"
        "- {name: clipped-gossip, tau: 1e9, label: c}\n",
        NULL);

    verify_near(v, "27", "honest mean, tau 0.05", 0.651,
                verify_row(lab, "a", 60)->mean, 1e-3);
    verify_near(v, "27", "honest mean, tau 0.5", 2.091,
                verify_row(lab, "b", 60)->mean, 1e-3);
    verify_near(v, "27", "honest mean, no clipping", 8.662,
                verify_row(lab, "c", 60)->mean, 1e-3);
    /* tau t: twice the time is twice the drift, ten times tau ten times */
    const double start = verify_row(lab, "a", 0)->mean;
    const double half = verify_row(lab, "a", 30)->mean - start;
    verify_near(v, "27", "drift at 60 over drift at 30, tau 0.05", 2,
                (verify_row(lab, "a", 60)->mean - start) / half, 0.02);
    verify_near(v, "27", "drift of tau 0.5 over tau 0.05", 10,
                (verify_row(lab, "b", 60)->mean - start) /
                    (verify_row(lab, "a", 60)->mean - start),
                0.2);
    lab_free(lab);
}

static void straggler(struct verify *v)
{
    static const char *const barriers[] = {"global", "neighbourhood"};
    double ahead = 0;

    for (size_t b = 0; b < 2; b++) {
        struct lab *lab = rig_runf(
            &v->rig,
            "version: 1\nnodes: 16\ngraph: {name: ring}\n"
            "problem: {kind: consensus, init: x16.csv}\nsteps: 60\n"
            "network: {compute_ms: compute.csv, latency_ms: latency.csv, "
            "bytes_per_ms: 1000, message_bytes: 4000, barrier: %s}\n"
            "algorithms:\n- {name: gossip}\n",
            barriers[b]);
        const struct course_row *last = verify_row(lab, "gossip", 60);
        for (size_t t = 0; b == 1 && t <= 60; t++) {
            const struct course_row *row = verify_row(lab, "gossip", t);
            ahead = verify_worst(ahead, row->clock_max - row->clock_min);
        }
        verify_near(v, "28",
                    b == 0 ? "global barrier: round 60, ms"
                           : "neighbourhood barrier: round 60, ms",
                    b == 0 ? 63 * 60 : 3308, last->clock_max, 1e-9);
        if (b == 1)
            verify_near(v, "28", "asymptotically 55 ms a round", 55,
                        last->clock_max -
                            verify_row(lab, "gossip", 59)->clock_max,
                        1e-9);
        lab_free(lab);
    }
    verify_near(v, "28", "the far side ahead by at most, ms", 253, ahead, 1e-9);
}

void verify_average_facts(struct verify *v)
{
    accelerated(v);
    pairs(v);
    push(v);
    lose(v, "drop: drops.csv, on_loss: self", "gossip",
         "loss, receiver compensates: the mean moves", 0.511813, 0);
    lose(v, "drop: drops.csv, on_loss: symmetric", "gossip",
         "loss, symmetric: the mean stays", 0.507426, 0);
    lose(v, "offline: offline.csv", "gossip", "churn: the mean stays", 0.507426,
         0);
    lose(v, "drop: drops.csv, on_loss: lost", "push-sum",
         "loss, push-sum: mass kept of 16", 0, 0.0145);
    large(v, 131072, "one-peer-exponential", 10, 4.767334e-7, 7);
    large(v, 131072, "one-peer-exponential", 17, 0, 0);
    large(v, 131072, "ring", 100, 9.33334e-4, 6);
    if (v->quick)
        verify_skip(v, "16", "n=1000000: --quick");
    else
        large(v, 1000000, "one-peer-exponential", 20, 2.85e-13, 3);
    clipped(v);
    straggler(v);
}
