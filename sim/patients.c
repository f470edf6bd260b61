#include "sim/patients.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "crypto/prg.h"
#include "model/csv.h"

const char *const patients_names[PATIENTS_SITES] = {"north", "harbour", "hill",
                                                    "river", "lake"};

/* Of a hundred patients of a class, how many each site sees. */
static const uint8_t weights[2][PATIENTS_SITES] = {{32, 30, 18, 14, 6},
                                                   {40, 10, 24, 8, 18}};

static const char *const measures[] = {
    "radius",     "texture",          "perimeter", "area",
    "smoothness", "compactness",      "concavity", "concave_points",
    "symmetry",   "fractal_dimension"};
static const char *const kinds[] = {"mean", "se", "worst"};
enum {
    MEASURES = 10,
    KINDS = 3,
    COLUMNS = MEASURES * KINDS,
    MADE_ROWS = 600,
    MADE_FEATURES = 6
};

static const struct { /* of the made-up cohort */
    const char *name;
    double mean, sd, effect;
} made[MADE_FEATURES] = {{"age", 58, 11, 0.5},     {"size_mm", 16, 7, 1.3},
                         {"density", 2.5, 0.7, 0}, {"nodes", 1.4, 1.1, 0.8},
                         {"marker", 30, 9, 0.6},   {"bmi", 26, 4, -0.2}};

static size_t draw_site(struct prg *prg, bool is_case)
{
    uint64_t drawn = prg_below(prg, 100);
    size_t site = 0;

    for (; drawn >= weights[is_case][site]; site++)
        drawn -= weights[is_case][site];
    return site;
}

/* Counts the patient in and writes the columns before the features. */
static void begin_row(struct patients *p, FILE *to, struct prg *prg,
                      bool is_case)
{
    size_t site = draw_site(prg, is_case);

    p->rows[site]++;
    p->cases[site] += is_case;
    fprintf(to, "%s,%s", patients_names[site],
            p->rows[site] % 5 == 0 ? "test" : "train");
}

static int bad_table(const struct csv *csv, const char *found,
                     struct error *error)
{
    return error_set(error, -EINVAL,
                     "%s:%zu: found %.40s, expected the breast cancer table of "
                     "scikit-learn; leave --data out to run on a made-up "
                     "cohort",
                     csv->path, csv->line, found);
}

static int copy_rows(struct patients *p, FILE *to, struct csv *csv,
                     struct prg *prg, struct error *error)
{
    int code;

    while ((code = csv_next(csv, error)) > 0) {
        if (csv->count != COLUMNS + 1)
            return bad_table(csv, "a row of another length", error);
        const char *label = csv->fields[COLUMNS];
        if (strcmp(label, "0") != 0 && strcmp(label, "1") != 0)
            return bad_table(csv, label, error);
        bool is_case = label[0] == '0';
        begin_row(p, to, prg, is_case);
        for (size_t i = 0; i < COLUMNS; i++)
            fprintf(to, ",%s", csv->fields[i]);
        fprintf(to, ",%d\n", is_case);
    }
    return code;
}

static int copy_table(struct patients *p, FILE *to, const char *from,
                      struct prg *prg, struct error *error)
{
    struct csv csv;
    int code = csv_open(&csv, from, error);

    if (code != 0)
        return code;
    code = csv_next(&csv, error);
    if (code > 0 && (csv.count != 4 || strcmp(csv.fields[1], "30") != 0 ||
                     strcmp(csv.fields[2], "malignant") != 0))
        code = bad_table(&csv, csv.fields[0], error);
    if (code > 0) {
        p->features = COLUMNS;
        fputs("site,set", to);
        for (size_t i = 0; i < COLUMNS; i++)
            fprintf(to, ",%s_%s", measures[i % MEASURES], kinds[i / MEASURES]);
        fputs(",y\n", to);
        code = copy_rows(p, to, &csv, prg, error);
    }
    csv_close(&csv);
    return code;
}

/* Of mean 0 and variance 1, near enough to normal. */
static double draw_normal(struct prg *prg)
{
    double sum = 0;

    for (int i = 0; i < 12; i++)
        sum += (double)prg_below(prg, 1000000) / 1e6;
    return sum - 6;
}

static void make_rows(struct patients *p, FILE *to, struct prg *prg)
{
    p->features = MADE_FEATURES;
    fputs("site,set", to);
    for (size_t i = 0; i < MADE_FEATURES; i++)
        fprintf(to, ",%s", made[i].name);
    fputs(",y\n", to);
    for (size_t row = 0; row < MADE_ROWS; row++) {
        double z[MADE_FEATURES], score = -0.5;
        for (size_t i = 0; i < MADE_FEATURES; i++) {
            z[i] = draw_normal(prg);
            score += made[i].effect * z[i];
        }
        double chance = 1 / (1 + exp(-score));
        bool is_case = (double)prg_below(prg, 1000000) < 1e6 * chance;
        begin_row(p, to, prg, is_case);
        for (size_t i = 0; i < MADE_FEATURES; i++)
            fprintf(to, ",%.3f", made[i].mean + made[i].sd * z[i]);
        fprintf(to, ",%d\n", is_case);
    }
}

static int write_patients(struct patients *p, const char *to, const char *from,
                          struct error *error)
{
    static const uint8_t seed[PRG_SEED_BYTES] = "five sites, dealt once";
    struct prg prg;
    FILE *file = fopen(to, "wb");
    int code = 0;

    *p = (struct patients){0};
    if (file == NULL)
        return error_set(error, -errno, "%s: %s", to, strerror(errno));
    prg_seed(&prg, seed);
    if (from == NULL)
        make_rows(p, file, &prg);
    else
        code = copy_table(p, file, from, &prg, error);
    bool failed = ferror(file) != 0;
    failed = fclose(file) != 0 || failed;
    if (code == 0 && failed)
        code = error_set(error, -EIO, "%s: could not be written", to);
    return code;
}

int patients_read(struct patients *patients, const char *to, const char *from,
                  struct error *error)
{
    return write_patients(patients, to, from, error);
}

int patients_make(struct patients *patients, const char *to,
                  struct error *error)
{
    return write_patients(patients, to, NULL, error);
}
