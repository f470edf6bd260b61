#include "sim/lab/verify_graphs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/base.h"
#include "sim/lab/spectrum.h"

static const double pi = 3.141592653589793;

static struct spectrum spectrum(const char *name, size_t n,
                                enum weights_rule rule)
{
    const struct named_spec spec = {.name = name};
    struct spectrum s = {.lambda2 = (double)NAN,
                         .lambda_n = (double)NAN,
                         .slem = (double)NAN,
                         .gap = (double)NAN};
    struct graph *graph;
    struct mixing *m = NULL;

    if (named_graph(&graph, &spec, n, NULL) == 0 &&
        weights_of(&m, graph, rule, NULL) == 0)
        spectrum_of(&s, m, NULL);
    mixing_free(m);
    graph_free(graph);
    return s;
}

static void check_gap(struct verify *v, const char *fact, const char *name,
                      size_t n, double expected)
{
    char what[64];

    snprintf(what, sizeof what, "%s %zu: gap", name, n);
    verify_near(v, fact, what, expected,
                spectrum(name, n, WEIGHTS_METROPOLIS).gap,
                n >= 1000 ? 1e-8 : 1e-9);
}

static void closed_forms(struct verify *v)
{
    static const size_t rings[] = {8, 16, 64, 1000};

    if (v->quick)
        verify_skip(v, "1", "n=1000: --quick");
    for (size_t i = 0; i < (v->quick ? 3 : 4); i++)
        check_gap(v, "1", "ring", rings[i],
                  2.0 / 3 * (1 - cos(2 * pi / (double)rings[i])));
    for (size_t i = 0; i < 3; i++)
        verify_near(v, "1", "ring, even n: lambda_n", -1.0 / 3,
                    spectrum("ring", rings[i], WEIGHTS_METROPOLIS).lambda_n,
                    1e-9);
    check_gap(v, "2", "path", 8, 2.0 / 3 * (1 - cos(pi / 8)));
    check_gap(v, "2", "path", 8, spectrum("ring", 16, WEIGHTS_METROPOLIS).gap);
    check_gap(v, "3", "star", 8, 1.0 / 8);
    check_gap(v, "3", "star", 64, 1.0 / 64);
    verify_near(v, "3", "star 8: best constant slem", 7.0 / 9,
                spectrum("star", 8, WEIGHTS_BEST).slem, 1e-9);
    for (size_t n = 8; n <= 64; n *= 2)
        check_gap(v, "4", "hypercube", n, 2 / (log2((double)n) + 1));
    check_gap(v, "4", "torus", 64, 0.117157287525);
    check_gap(v, "4", "torus", 100, 0.076393202250);
}

static void fastest(struct verify *v)
{
    static const struct {
        const char *fact, *name;
        size_t n;
        enum weights_rule rule;
        double slem;
    } rows[] = {{"3", "star", 8, WEIGHTS_FMMC, 6.0 / 7},
                {"3", "star", 8, WEIGHTS_FDLA, 7.0 / 9},
                {"5", "path", 8, WEIGHTS_FDLA, 0.923879532511},
                {"5", "path", 8, WEIGHTS_FMMC, 0.923879532511},
                {"5", "ring", 8, WEIGHTS_FDLA, 0.744520838205},
                {"5", "grid", 16, WEIGHTS_FDLA, 0.824388643297},
                {"5", "bintree", 15, WEIGHTS_FDLA, 0.958624546},
                {"5", "bintree", 15, WEIGHTS_FMMC, 0.962695265}};
    char what[64];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(what, sizeof what, "%s %zu: %s slem", rows[i].name, rows[i].n,
                 rows[i].rule == WEIGHTS_FDLA ? "FDLA" : "FMMC");
        verify_near(v, rows[i].fact, what, rows[i].slem,
                    spectrum(rows[i].name, rows[i].n, rows[i].rule).slem, 1e-7);
    }
}

static void exponential(struct verify *v)
{
    static const size_t sizes[] = {8, 16, 64, 100, 25};

    for (size_t i = 0; i < 5; i++) {
        const struct named_spec spec = {.name = "static-exponential"};
        const double tau = ceil(log2((double)sizes[i]));
        struct spectrum s = {.norm = (double)NAN};
        struct sequence *q;
        char what[64];
        if (sequence_named(&q, &spec, sizes[i], NULL) == 0)
            spectrum_of(&s, q->mixes[0], NULL);
        sequence_free(q);
        snprintf(what, sizeof what, "static exponential %zu: ||W-J||",
                 sizes[i]);
        verify_near(v, "6", what,
                    sizes[i] % 2 == 0 ? (tau - 1) / (tau + 1) : 0.510860870884,
                    s.norm, 1e-9);
    }
}

/* The error of the formula's start after the matrices in this order. */
static double error_after(const struct sequence *q, const size_t *order,
                          size_t count)
{
    double *x = malloc(2 * q->n * sizeof *x), *y = x + q->n, mean = 0, err = 0;

    for (size_t i = 0; i < q->n; i++)
        x[i] = rig_start(i);
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < q->n; i++)
            mixing_row(&y[i], q->mixes[order[t] % q->count], i, x, 1);
        memcpy(x, y, q->n * sizeof *x);
    }
    for (size_t i = 0; i < q->n; i++)
        mean += x[i] / (double)q->n;
    for (size_t i = 0; i < q->n; i++)
        err += (x[i] - mean) * (x[i] - mean) / (double)q->n;
    free(x);
    return err;
}

static void one_peer(struct verify *v)
{
    static const size_t orders[][4] = {
        {0, 1, 2, 3}, {2, 0, 3, 1}, {3, 2, 1, 0}};
    const struct named_spec spec = {.name = "one-peer-exponential"};
    size_t in_turn[20];
    struct sequence *q;

    for (size_t t = 0; t < 20; t++)
        in_turn[t] = t;
    if (sequence_named(&q, &spec, 16, NULL) != 0) {
        verify_fail(v, "7", "the sequence could not be built");
        return;
    }
    for (size_t k = 0; k < 3; k++)
        verify_near(v, "7", "one-peer exponential 16: 4 rounds, any order", 0,
                    error_after(q, orders[k], 4), 1e-30);
    verify_digits(v, "7", "one-peer exponential 16: 3 rounds", 1.267952e-2,
                  error_after(q, in_turn, 3), 7);
    sequence_free(q);
    if (sequence_named(&q, &spec, 25, NULL) != 0) {
        verify_fail(v, "7", "the sequence could not be built");
        return;
    }
    verify_digits(v, "7", "one-peer exponential 25: 5 rounds", 3.661559e-4,
                  error_after(q, in_turn, 5), 7);
    verify_digits(v, "7", "one-peer exponential 25: 20 rounds", 5.069e-9,
                  error_after(q, in_turn, 20), 4);
    sequence_free(q);
}

static void base_lengths(struct verify *v)
{
    static const struct {
        size_t n, k, simple, base;
    } rows[] = {{5, 1, 5, 5},  {6, 1, 5, 4},     {22, 1, 9, 8},
                {25, 1, 0, 9}, {25, 2, 0, 6},    {25, 3, 0, 5},
                {25, 4, 0, 2}, {100, 1, 13, 11}, {1000, 1, 19, 16}};
    char what[64];
    bool bounded = true;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(what, sizeof what, "Base-%zu, n=%zu: length", rows[i].k + 1,
                 rows[i].n);
        verify_near(v, "8", what, (double)rows[i].base,
                    (double)base_length(rows[i].n, rows[i].k, false), 0);
        if (rows[i].simple > 0)
            verify_near(v, "8", "simple, length", (double)rows[i].simple,
                        (double)base_length(rows[i].n, rows[i].k, true), 0);
    }
    for (size_t n = 2; n <= 1000; n++)
        for (size_t k = 1; k <= 4 && k < n; k++)
            bounded =
                bounded && (double)base_length(n, k, false) <=
                               2 * log((double)n) / log((double)k + 1) + 2;
    verify_holds(v, "8", "length <= 2 log_{k+1} n + 2, n <= 1000, k <= 4",
                 bounded);
}

static void base_errors(struct verify *v)
{
    static const double before[] = {1.019317e-3, 1.364140e-4, 1.060944e-3,
                                    1.198e-2};
    size_t in_turn[16];

    for (size_t t = 0; t < 16; t++)
        in_turn[t] = t;
    for (size_t k = 1; k <= 4; k++) {
        const struct named_spec spec = {.name = "base", .k = k};
        struct sequence *q;
        char what[64];
        if (sequence_named(&q, &spec, 25, NULL) != 0) {
            verify_fail(v, "8", "the sequence could not be built");
            continue;
        }
        snprintf(what, sizeof what, "Base-%zu, n=25: error before the end",
                 k + 1);
        verify_digits(v, "8", what, before[k - 1],
                      error_after(q, in_turn, q->count - 1), k == 4 ? 4 : 7);
        snprintf(what, sizeof what, "Base-%zu, n=25: error at the end", k + 1);
        verify_near(v, "8", what, 0, error_after(q, in_turn, q->count), 1e-28);
        sequence_free(q);
    }
}

void verify_graphs_facts(struct verify *v)
{
    closed_forms(v);
    fastest(v);
    exponential(v);
    one_peer(v);
    base_lengths(v);
    base_errors(v);
}
