/* A made-up network of pods for tests: people with two or more features whose
 * sites differ in case mix and size, a study file, read by the real readers. */

#ifndef TESTS_SIM_COUNTY_H
#define TESTS_SIM_COUNTY_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/prg.h"
#include "model/dataset.h"
#include "node/study.h"

enum { COUNTY_SITES_MAX = 1024, COUNTY_WIDTH_MAX = 2048 };

struct county_spec {
    uint32_t pods, members, features; /* members of each pod */
    uint32_t rows;                    /* of all sites */
    bool equal;                       /* sites of the same size */
    const char *method;               /* of the task */
    const char *pods_text; /* "graph: ring, mode: gossip", NULL: one big pod */
    const char *rounds;    /* "max: 30, step: 0.1" */
    double l2, loss;       /* loss: of messages, a share */
    unsigned fraction_bits;
    const char *trust, *on_loss; /* NULL: semi-honest, wait */
    const double *start; /* [pods], from 1 to 2; NULL: made-up people, else
                            county_fitted's */
};

struct county {
    char folder[64];
    struct study *study;
    struct dataset *datasets[COUNTY_SITES_MAX];
};

static inline double county_unit(struct prg *prg)
{
    return (double)prg_below(prg, 1000000) / 500000 - 1;
}

static inline FILE *county_open(const struct county *c, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", c->folder, name);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        abort();
    return file;
}

static inline uint32_t county_rows_of(const struct county_spec *s,
                                      uint32_t site)
{
    const uint32_t sites = s->pods * s->members, each = s->rows / sites;

    /* A third of the sites have half as many rows, a third half as many more.
     */
    return s->equal || each < 2 ? each : each * (site % 3 + 1) / 2;
}

/* People of class 1 only, with one feature: the first gradient, at 0, is half
 * of it, and whatever a model of 32 or more times what it leads to says of them
 * is true to the last bit: their later gradients are 0. So method dgd with
 * `step: 64` begins at 32 start[pod], and from then on only averages. */
static inline void county_fitted(FILE *file, const struct county_spec *s,
                                 uint32_t site)
{
    fprintf(file, "x0,y\n");
    for (uint32_t r = 0; r < county_rows_of(s, site); r++)
        fprintf(file, "%.17g,1\n", s->start[site / s->members]);
}

static inline void county_people(FILE *file, const struct county_spec *s,
                                 uint32_t site, struct prg *prg)
{
    const double shift =
        0.8 * sin(0.7 * (site % s->members) + 1.3 * (site / s->members));

    for (uint32_t j = 0; j < s->features; j++)
        fprintf(file, "x%u,", j);
    fprintf(file, "y\n");
    for (uint32_t r = 0; r < county_rows_of(s, site); r++) {
        double eta = -0.4 + shift / 2;
        for (uint32_t j = 0; j < s->features; j++) {
            double x = county_unit(prg) + (j == 0 ? shift : 0);
            eta += x * (j % 3 == 0 ? 1.1 : j % 3 == 1 ? -0.7 : 0.3);
            fprintf(file, "%.6f,", x);
        }
        double p = 1 / (1 + exp(-eta));
        fprintf(file, "%d\n", (county_unit(prg) + 1) / 2 < p);
    }
}

/* One file a site: s0.csv and so on. */
static inline void county_rows(const struct county *c,
                               const struct county_spec *s)
{
    uint8_t seed[PRG_SEED_BYTES] = "a county";
    struct prg prg;

    prg_seed(&prg, seed);
    for (uint32_t i = 0; i < s->pods * s->members; i++) {
        char name[32];
        snprintf(name, sizeof name, "s%u.csv", i);
        FILE *file = county_open(c, name);
        if (s->start != NULL)
            county_fitted(file, s, i);
        else
            county_people(file, s, i, &prg);
        fclose(file);
    }
}

static inline void county_study(const struct county *c,
                                const struct county_spec *s)
{
    FILE *file = county_open(c, "study.yaml");

    fprintf(file, "version: 1\nstudy: county\ntrust: %s\non_loss: %s\nsites:\n",
            s->trust == NULL ? "semi-honest" : s->trust,
            s->on_loss == NULL ? "wait" : s->on_loss);
    for (uint32_t i = 0; i < s->pods * s->members; i++)
        fprintf(file, "  - {name: s%u, data: s%u.csv}\n", i, i);
    if (s->pods_text != NULL) {
        fprintf(file, "pods:\n  sites:\n");
        for (uint32_t p = 0; p < s->pods; p++) {
            fprintf(file, "    - [");
            for (uint32_t i = 0; i < s->members; i++)
                fprintf(file, "%ss%u", i == 0 ? "" : ", ", p * s->members + i);
            fprintf(file, "]\n");
        }
        fprintf(file, "  %s\n", s->pods_text);
    }
    fprintf(file,
            "task: {kind: logistic, method: %s, target: y, standardise: none, "
            "l2: %g}\nrounds: {%s, deadline_ms: 5000, linger_ms: 3000}\n"
            "sum: {fraction_bits: %u}\nseed: 5\n"
            "network: {latency_ms: {min: 1, max: 9}, loss: %g, "
            "end_ms: 100000000}\n",
            s->method, s->l2, s->rounds, s->fraction_bits, s->loss);
    fclose(file);
}

static inline void county_require(int status, const struct error *error)
{
    if (status == 0)
        return;
    fprintf(stderr, "county: %s\n", error->text);
    abort();
}

/* The files and the study as it was read; aborts on any error. */
static inline void county_read(struct county *c, const struct county_spec *s)
{
    const char *temporary = getenv("TMPDIR");
    struct error error = {{0}};
    char path[128];

    memset(c, 0, sizeof *c);
    snprintf(c->folder, sizeof c->folder, "%s/county-XXXXXX",
             temporary == NULL ? "/tmp" : temporary);
    if (mkdtemp(c->folder) == NULL || s->pods * s->members > COUNTY_SITES_MAX)
        abort();
    county_rows(c, s);
    county_study(c, s);
    snprintf(path, sizeof path, "%s/study.yaml", c->folder);
    county_require(study_read(&c->study, path, &error), &error);
}

/* Resolved, with its rows. */
static inline void county_new(struct county *c, const struct county_spec *s)
{
    struct dataset_filter all = {0};
    struct error error = {{0}};

    county_read(c, s);
    county_require(study_resolve(c->study, c->study->sites[0].data, &error),
                   &error);
    for (uint32_t i = 0; i < c->study->site_count; i++)
        county_require(dataset_read(&c->datasets[i], c->study->sites[i].data,
                                    &all, &c->study->task, &error),
                       &error);
}

static inline void county_free(struct county *c)
{
    char path[128];

    for (uint32_t i = 0; i < c->study->site_count; i++) {
        unlink(c->study->sites[i].data);
        dataset_free(c->datasets[i]);
    }
    snprintf(path, sizeof path, "%s/study.yaml", c->folder);
    unlink(path);
    rmdir(c->folder);
    study_free(c->study);
}

/* Mean loss of all rows at x; g[width] NULL: not asked. */
static inline double county_loss(const struct county *c, const double *x,
                                 double *g)
{
    const size_t width = c->datasets[0]->column_count + 1;
    double sum = 0, rows = 0;

    for (size_t j = 0; g != NULL && j < width; j++)
        g[j] = 0;
    for (uint32_t i = 0; i < c->study->site_count; i++) {
        const struct dataset *d = c->datasets[i];
        for (size_t r = 0; r < d->row_count; r++) {
            const double *row = d->x + r * d->column_count;
            double eta = x[0];
            rows += 1;
            for (size_t j = 1; j < width; j++)
                eta += x[j] * row[j - 1];
            sum += log1p(exp(-fabs(eta))) + fmax(eta, 0) - d->y[r] * eta;
            double e = 1 / (1 + exp(-eta)) - d->y[r];
            for (size_t j = 0; g != NULL && j < width; j++)
                g[j] += e * (j == 0 ? 1 : row[j - 1]);
        }
    }
    for (size_t j = 0; g != NULL && j < width; j++)
        g[j] /= rows;
    return sum / rows;
}

/* The pooled optimum's, by plain gradient descent. */
static inline double county_best_loss(const struct county *c, int steps)
{
    static double x[COUNTY_WIDTH_MAX], g[COUNTY_WIDTH_MAX];
    const size_t width = c->datasets[0]->column_count + 1;

    memset(x, 0, sizeof x);
    while (steps-- > 0) {
        county_loss(c, x, g);
        for (size_t j = 0; j < width; j++)
            x[j] -= 2 * g[j];
    }
    return county_loss(c, x, NULL);
}

#endif
