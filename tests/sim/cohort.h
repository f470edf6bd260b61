/* A small made-up study for the world's tests: a CSV file and a study file in a
 * folder of its own, read by the real readers. */

#ifndef TESTS_SIM_COHORT_H
#define TESTS_SIM_COHORT_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/prg.h"
#include "model/dataset.h"
#include "node/study.h"

enum { COHORT_ROWS = 40, COHORT_PATH_SIZE = 256 };

struct cohort {
    char folder[64];
    struct study *study;
    struct dataset *datasets[GOSSIP_MEMBERS_MAX];
};

static const char *const cohort_names[] = {"ann", "ben", "cyd", "dan", "eve",
                                           "fay", "gus", "hal", "ida", "joe"};

static inline void cohort_require(int status, const struct error *error)
{
    if (status == 0)
        return;
    fprintf(stderr, "cohort: %s\n", error->text);
    abort();
}

static inline FILE *cohort_open(const struct cohort *c, const char *name)
{
    char path[COHORT_PATH_SIZE];

    snprintf(path, sizeof path, "%s/%s", c->folder, name);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        abort();
    return file;
}

/* Columns with two decimals; y is a class for a logistic model. */
static inline void cohort_rows(const struct cohort *c, const char *kind,
                               uint32_t members)
{
    uint8_t seed[PRG_SEED_BYTES] = "a cohort";
    struct prg prg;
    FILE *file = cohort_open(c, "rows.csv");

    prg_seed(&prg, seed);
    fprintf(file, "site,set,a,b,y\n");
    for (uint32_t i = 0; i < members; i++)
        for (int r = 0; r < COHORT_ROWS; r++) {
            int a = (int)prg_below(&prg, 400) - 200;
            int b = (int)prg_below(&prg, 400) - 150;
            int noise = (int)prg_below(&prg, 800) - 400;
            int y = 100 + 2 * a - b + noise;
            if (strcmp(kind, "logistic") == 0)
                y = y > 0 ? 100 : 0;
            fprintf(file, "%s,%s,%d.%02d,%d.%02d,%d.%02d\n", cohort_names[i],
                    r % 4 == 3 ? "test" : "train", a / 100, abs(a % 100),
                    b / 100, abs(b % 100), y / 100, abs(y % 100));
        }
    fclose(file);
}

static inline void cohort_study(const struct cohort *c, const char *kind,
                                uint32_t members, const char *trust,
                                const char *on_loss)
{
    FILE *file = cohort_open(c, "study.yaml");

    fprintf(file,
            "version: 1\nstudy: cohort\ntrust: %s\n"
            "on_loss: %s\nsites:\n",
            trust, on_loss);
    for (uint32_t i = 0; i < members; i++)
        fprintf(file,
                "  - {name: %s, data: rows.csv, rows: {column: site, equals: "
                "%s}}\n",
                cohort_names[i], cohort_names[i]);
    fprintf(file,
            "task:\n  kind: %s\n  method: newton\n  target: y\n"
            "  features: [a, b]\n"
            "  split: {column: set, train: train, test: test}\n"
            "  standardise: none\n"
            "rounds: {max: 30, deadline_ms: 5000, grace_ms: 200, linger_ms: "
            "3000}\n"
            "sum: {lanes: 64, fraction_bits: 32%s}\nseed: 7\n"
            "network: {latency_ms: {min: 1, max: 9}, end_ms: 60000}\n",
            kind, strcmp(trust, "active") == 0 ? "" : ", colluders: 1");
    fclose(file);
}

static inline void cohort_folder(struct cohort *c)
{
    const char *temporary = getenv("TMPDIR");

    memset(c, 0, sizeof *c);
    snprintf(c->folder, sizeof c->folder, "%s/cohort-XXXXXX",
             temporary == NULL ? "/tmp" : temporary);
    if (mkdtemp(c->folder) == NULL)
        abort();
}

/* Reads folder/study.yaml and every site's rows. */
static inline void cohort_read(struct cohort *c)
{
    char path[COHORT_PATH_SIZE];
    struct error error = {{0}};

    snprintf(path, sizeof path, "%s/study.yaml", c->folder);
    cohort_require(study_read(&c->study, path, &error), &error);
    cohort_require(study_resolve(c->study, c->study->sites[0].data, &error),
                   &error);
    for (uint32_t i = 0; i < c->study->site_count; i++) {
        const struct study_site *site = &c->study->sites[i];
        struct dataset_filter filter = {.column = site->rows_column,
                                        .equals = site->rows_equals};
        cohort_require(dataset_read(&c->datasets[i], site->data, &filter,
                                    &c->study->task, &error),
                       &error);
    }
}

static inline void cohort_make(struct cohort *c, const char *kind,
                               uint32_t members, const char *trust,
                               const char *on_loss)
{
    cohort_folder(c);
    cohort_rows(c, kind, members);
    cohort_study(c, kind, members, trust, on_loss);
    cohort_read(c);
}

/* kind: "linear" or "logistic". Aborts on any error. */
static inline void cohort_new(struct cohort *c, const char *kind,
                              uint32_t members, const char *on_loss)
{
    cohort_make(c, kind, members, "semi-honest", on_loss);
}

static inline void cohort_free(struct cohort *c)
{
    static const char *const names[] = {"rows.csv", "study.yaml"};
    char path[COHORT_PATH_SIZE];

    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", c->folder, names[i]);
        unlink(path);
    }
    rmdir(c->folder);
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++)
        dataset_free(c->datasets[i]);
    study_free(c->study);
}

#endif
