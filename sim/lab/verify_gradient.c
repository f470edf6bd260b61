#include "sim/lab/verify_gradient.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char quadratic[] = "version: 1\nnodes: 16\ngraph: {name: ring}\n"
                                "problem: {kind: quadratic, file: q.csv}\n";

/* The last step's row of one algorithm on problem Q; `rest`: its parameters. */
static struct course_row last_of(struct verify *v, const char *rest,
                                 size_t steps)
{
    struct lab *lab = rig_runf(&v->rig,
                               "%ssteps: %zu\nevery: %zu\nalgorithms:\n"
                               "- {label: a, %s}\n",
                               quadratic, steps, steps, rest);
    struct course_row row = *verify_row(lab, "a", 1);

    lab_free(lab);
    return row;
}

static void biased(struct verify *v)
{
    struct course_row row = last_of(v, "name: dgd-cta, step: 0.1", 200);

    verify_digits(v, "17", "DGD-CTA: err at 200", 7.794798e-2, row.err, 7);
    /* err = cons + |mean - x*|^2 */
    verify_digits(v, "17", "DGD-CTA: bias of the mean", 1.709e-2,
                  sqrt(row.err - row.cons), 4);
    row = last_of(v, "name: dgd-atc, step: 0.1", 200);
    verify_digits(v, "17", "DGD-ATC: err at 200", 5.349164e-2, row.err, 7);
    verify_digits(v, "17", "DGD-ATC: bias of the mean", 9.703e-3,
                  sqrt(row.err - row.cons), 4);
    verify_digits(v, "17", "DGD-CTA, step 0.01: limit", 2.934067e-3,
                  last_of(v, "name: dgd-cta, step: 0.01", 5000).err, 7);
    verify_digits(v, "17", "DGD-ATC, step 0.01: limit", 2.202760e-3,
                  last_of(v, "name: dgd-atc, step: 0.01", 5000).err, 7);
}

/* Equal Hessians h I on the ring: per mode k of W, DGD-CTA's limit deviates
 * from the target's coefficient by the factor step h / (1 - l_k + step h), and
 * so cons = (1/n) sum over k > 0 of (factor c_k)^2 with Fourier c_k. */
static void equal_hessians(struct verify *v)
{
    static const double pi = 3.141592653589793, h = 1.5, step = 0.1;
    double c[16], cons = 0, mean = 0;
    FILE *file = rig_create(&v->rig, "equal.csv");

    fputs("node,k,c,a0\n", file);
    for (int i = 0; i < 16; i++) {
        c[i] = 7 * i % 16 / 8.0 - 1;
        mean += c[i] / 16;
        fprintf(file, "%d,0,%.17g,%.17g\n", i, c[i], h);
    }
    fclose(file);
    for (int k = 1; k < 16; k++) {
        double lambda = (1 + 2 * cos(2 * pi * k / 16)) / 3, re = 0, im = 0;
        for (int i = 0; i < 16; i++) {
            re += c[i] * cos(2 * pi * k * i / 16) / 16;
            im += c[i] * sin(2 * pi * k * i / 16) / 16;
        }
        double factor = step * h / (1 - lambda + step * h);
        cons += factor * factor * (re * re + im * im);
    }
    struct lab *lab = rig_run(&v->rig,
                              "version: 1\nnodes: 16\ngraph: {name: ring}\n"
                              "problem: {kind: quadratic, file: equal.csv}\n"
                              "steps: 2000\nevery: 2000\nalgorithms:\n"
                              "- {name: dgd-cta, step: 0.1}\n",
                              NULL);
    const struct course_row *row = verify_row(lab, "dgd-cta", 1);
    verify_near(v, "18", "equal Hessians: the mean is unbiased", mean,
                row->mean, 1e-10);
    verify_error(v, "18", "equal Hessians: cons by modes", cons, row->cons);
    lab_free(lab);
}

static void exact(struct verify *v)
{
    static const struct {
        const char *what, *rest;
        size_t steps;
        double err;
        int digits;
    } rows[] = {
        {"EXTRA", "name: extra, step: 0.1", 200, 2.6e-19, 2},
        {"D2, lazy", "name: d2, step: 0.1, weights: {rule: lazy-metropolis}",
         200, 2.7e-19, 2},
        {"GT-ATC", "name: gt-atc, step: 0.1", 200, 1.236314e-4, 7},
        {"GT-ATC at 2000", "name: gt-atc, step: 0.1", 2000, 1.6e-22, 2},
        {"K-GT", "name: kgt, step: 0.05, server_step: 0.5, local_steps: 5", 200,
         3.79e-8, 3},
        {"LT-ADMM",
         "name: ltadmm, step: 0.1, beta: 0.1, rho: 1, local_steps: 5", 200,
         4.70e-11, 3},
        {"RelaySGD", "name: relaysgd, step: 0.1, graph: {name: path}", 200,
         2.18e-7, 3},
        {"FedAvg K=5", "name: fedavg, step: 0.1, local_steps: 5", 200,
         4.947391e-4, 7},
        {"FedProx K=5, mu 1", "name: fedprox, step: 0.1, local_steps: 5, mu: 1",
         200, 4.697234e-4, 7}};
    char what[64];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(what, sizeof what, "%s: err", rows[i].what);
        verify_digits(v, i < 7 ? "19" : "23", what, rows[i].err,
                      last_of(v, rows[i].rest, rows[i].steps).err,
                      rows[i].digits);
    }
    verify_near(
        v, "19", "SCAFFOLD: err", 0,
        last_of(v, "name: scaffold, step: 0.1, local_steps: 5", 200).err,
        1e-30);
    verify_digits(v, "20", "D2, torus 4x4: err at 100", 5.48e28,
                  last_of(v,
                          "name: d2, step: 0.1, graph: {name: torus}, "
                          "unsafe: yes",
                          100)
                      .err,
                  3);
    verify_digits(v, "20", "D2, torus 4x4, lazy: err at 100", 1.7e-16,
                  last_of(v,
                          "name: d2, step: 0.1, graph: {name: torus}, "
                          "weights: {rule: lazy-metropolis}",
                          100)
                      .err,
                  2);
}

static void cliffs(struct verify *v)
{
    static const struct {
        const char *what, *rest;
        bool diverges;
    } rows[] = {{"DGD-CTA at 0.6 diverges", "name: dgd-cta, step: 0.6", true},
                {"DGD-CTA at 0.3 does not", "name: dgd-cta, step: 0.3", false},
                {"EXTRA at 0.6 diverges", "name: extra, step: 0.6", true},
                {"GT-CTA at 0.2 diverges", "name: gt-cta, step: 0.2", true},
                {"GT-ATC at 0.9 converges", "name: gt-atc, step: 0.9", false},
                {"D2, lazy, at 0.9 converges",
                 "name: d2, step: 0.9, weights: {rule: lazy-metropolis}",
                 false}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        /* early enough that what diverges is still a number */
        double err =
            last_of(v, rows[i].rest, rows[i].diverges ? 300 : 3000).err;
        verify_holds(v, "21", rows[i].what,
                     rows[i].diverges ? err > 1e3 && isfinite(err) : err < 1);
    }
}

static void momentum(struct verify *v)
{
    verify_digits(v, "22", "DmSGD 0.01, beta 0.9: limit of ATC 0.1", 5.349e-2,
                  last_of(v, "name: dmsgd, step: 0.01, beta: 0.9", 5000).err,
                  4);
    verify_digits(
        v, "22", "DecentLaM 0.01: limit of ATC 0.01", 2.203e-3,
        last_of(v, "name: decentlam, step: 0.01, beta: 0.9", 5000).err, 4);
    verify_near(
        v, "22", "QG-N 0.01: limit of ATC 0.019",
        last_of(v, "name: dgd-atc, step: 0.019", 5000).err,
        last_of(v, "name: qg-dsgdm-n, step: 0.01, beta: 0.9", 20000).err, 1e-9);
}

static void compressed_average(struct verify *v)
{
    struct lab *lab = rig_run(&v->rig, rig_choco, NULL);
    static const char *const labels[] = {"choco_top1_g0.2", "choco_sign_g0.2",
                                         "choco_cyclic1_g0.1"};
    double drift = 0;

    for (size_t i = 0; i < 3; i++)
        drift = verify_worst(drift, fabs(verify_row(lab, labels[i], 400)->mean -
                                         verify_row(lab, labels[i], 0)->mean));
    verify_near(v, "24", "CHOCO-Gossip keeps the mean", 0, drift, 1e-14);
    verify_digits(v, "24", "CHOCO-Gossip top-1: err at 100", 5.739100e-3,
                  verify_row(lab, labels[0], 100)->err, 7);
    verify_digits(v, "24", "CHOCO-Gossip top-1: err at 400", 1.189212e-5,
                  verify_row(lab, labels[0], 400)->err, 7);
    lab_free(lab);
}

/* I + 0.2 (W - I) of the ring's Metropolis W */
static void write_slow_ring(struct verify *v)
{
    FILE *file = rig_create(&v->rig, "slow.mtx");

    fprintf(file, "%%%%MatrixMarket matrix coordinate real general\n"
                  "16 16 48\n");
    for (int i = 0; i < 16; i++)
        for (int j = 15; j <= 17; j++)
            fprintf(file, "%d %d %.17g\n", i + 1, (i + j) % 16 + 1,
                    j == 16 ? 1 - 0.4 / 3 : 0.2 / 3);
    fclose(file);
}

static void compressed(struct verify *v)
{
    static const char top[] = "name: choco-sgd, step: 0.1, gamma: 0.2, "
                              "compressor: {kind: top-k, k: 1}";
    static const char sign[] = "name: choco-sgd, step: 0.1, gamma: 0.2, "
                               "compressor: {kind: sign}";
    const double gap = 2.0 / 3 * (1 - cos(3.141592653589793 / 8)), b = 4.0 / 3;

    compressed_average(v);
    write_slow_ring(v);
    verify_digits(v, "24", "CHOCO-SGD top-1: limit", 2.983247e-1,
                  last_of(v, top, 3000).err, 7);
    verify_digits(v, "24", "CHOCO-SGD sign: the same", 2.983247e-1,
                  last_of(v, sign, 3000).err, 7);
    verify_digits(v, "24", "DGD-ATC with I + 0.2 (W - I): the same",
                  2.983247e-1,
                  last_of(v,
                          "name: dgd-atc, step: 0.1, weights: "
                          "{file: slow.mtx}",
                          3000)
                      .err,
                  7);
    verify_digits(
        v, "24", "theory's gamma, ring 16, omega 1", 3.34e-4,
        gap * gap /
            (16 * gap + gap * gap + 4 * b * b + 2 * gap * b * b - 8 * gap),
        3);
}

/* Two algorithms that are the same, step for step. */
static void same(struct verify *v, const char *fact, const char *what,
                 const char *one, const char *other)
{
    struct lab *lab = rig_runf(&v->rig,
                               "%ssteps: 50\nalgorithms:\n- {label: a, %s}\n"
                               "- {label: b, %s}\n",
                               quadratic, one, other);
    double worst = lab == NULL ? HUGE_VAL : 0;

    for (size_t t = 0; t <= 50; t++)
        worst = verify_worst(worst, fabs(sqrt(verify_row(lab, "a", t)->err) -
                                         sqrt(verify_row(lab, "b", t)->err)));
    verify_near(v, fact, what, 0, worst, 1e-12);
    lab_free(lab);
}

void verify_gradient_facts(struct verify *v)
{
    biased(v);
    equal_hessians(v);
    exact(v);
    cliffs(v);
    momentum(v);
    compressed(v);
    same(v, "24", "CHOCO-SGD, gamma 1, no compression = ATC",
         "name: choco-sgd, step: 0.1, gamma: 1", "name: dgd-atc, step: 0.1");
    same(v, "25", "SGP on a doubly stochastic sequence = ATC",
         "name: sgp, step: 0.1, graph: {name: one-peer-exponential}",
         "name: dgd-atc, step: 0.1, graph: {name: one-peer-exponential}");
}
