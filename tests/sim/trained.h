/* Studies that train on the data sets of ../shared, and their runs on the
 * virtual network. The including test includes cmocka before. */

#ifndef TESTS_SIM_TRAINED_H
#define TESTS_SIM_TRAINED_H

#include <math.h>

#include "sim/cohort.h"
#include "sim/world.h"

enum { LINE_SIZE = 4096 };

static inline const char *shared(void)
{
    const char *folder = getenv("STARLING_SHARED");

    return folder == NULL ? "../../../shared" : folder;
}

static inline FILE *open_shared(const char *name)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", shared(), name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        skip();
    return file;
}

/* A world that has run; report is any member's. */
struct outcome {
    struct cohort cohort;
    struct world *world;
    struct world_facts facts;
    struct task_report report;
};

static inline void outcome_run(struct outcome *o)
{
    struct world_config config;
    struct error error = {{0}};

    cohort_read(&o->cohort);
    world_config_of(&config, o->cohort.study,
                    (const struct dataset *const *)o->cohort.datasets);
    assert_int_equal(world_new(&o->world, &config, &error), 0);
    if (world_run(o->world) != 0)
        fail_msg("%s", world_reason(o->world));
    world_facts(o->world, &o->facts);
    if (member_report(world_member(o->world, 1), &o->report, &error) != 0)
        fail_msg("%s", error.text);
    assert_string_equal(o->report.failure, "");
}

static inline void outcome_free(struct outcome *o)
{
    task_report_free(&o->report);
    world_free(o->world);
    cohort_free(&o->cohort);
}

static inline void near(const char *what, double found, double expected,
                        double within)
{
    if (!(fabs(found - expected) <= within))
        fail_msg("%s: found %.12g, expected %.12g within %g", what, found,
                 expected, within);
}

/* "rounds" and "task" lines of a study of `sites` in data.csv. */
static inline void write_study(const struct cohort *c, const char *const *sites,
                               const char *data, const char *task,
                               const char *rounds, const char *sum)
{
    FILE *file = cohort_open(c, "study.yaml");

    fprintf(file, "version: 1\nstudy: training\nsites:\n");
    for (int i = 0; sites[i] != NULL; i++)
        fprintf(file,
                "  - {name: %s, data: \"%s\", rows: {column: site, equals: "
                "%s}}\n",
                sites[i], data, sites[i]);
    fprintf(file,
            "task:\n%s  target: y\n"
            "  split: {column: set, train: train, test: test}\n"
            "rounds: {%s}\nsum: {%s}\n",
            task, rounds, sum);
    fclose(file);
}

static inline void heart_study(struct outcome *o, const char *method,
                               const char *rounds, const char *sum)
{
    static const char *const sites[] = {"cleveland", "hungarian", "switzerland",
                                        "va", NULL};
    char folder[2048] = "", data[4096], task[512];

    if (shared()[0] != '/')
        assert_non_null(getcwd(folder, sizeof folder));
    snprintf(data, sizeof data, "%s/%s/data/heart-disease/heart740.csv", folder,
             shared());
    snprintf(task, sizeof task,
             "  kind: logistic\n  method: %s\n"
             "  features: [age, sex, trestbps, chol, fbs, thalach, exang, "
             "oldpeak, cp2, cp3, cp4, restecg1, restecg2]\n",
             method);
    fclose(open_shared("data/heart-disease/heart740.csv"));
    cohort_folder(&o->cohort);
    write_study(&o->cohort, sites, data, task, rounds, sum);
}

/* The digits, a site for every two classes or dealt evenly, pixels / 16. */
static inline void write_digits(const struct cohort *c, const char *sites)
{
    char command[4096], line[LINE_SIZE];
    FILE *file = cohort_open(c, "rows.csv");

    snprintf(command, sizeof command, "gzip -dc '%s/data/digits/digits.csv.gz'",
             shared());
    FILE *from = popen(command, "r");
    assert_non_null(from);
    fputs("site,set,y", file);
    for (int j = 0; j < 64; j++)
        fprintf(file, ",p%d", j);
    for (int i = 0; fgets(line, sizeof line, from) != NULL; i++) {
        char *at = line;
        double v[65];
        for (int j = 0; j < 65; j++, at += strspn(at, ","))
            v[j] = strtod(at, &at);
        int part = i % 5 - 1;
        if (strcmp(sites, "unlike") == 0)
            part = (int)v[64] / 2;
        else if (strcmp(sites, "five") == 0)
            part = i / 5 % 5;
        else if (part < 0)
            part = i / 5 % 4;
        fprintf(file, "\ns%d,%s,%d", part, i % 5 == 0 ? "test" : "train",
                (int)v[64]);
        for (int j = 0; j < 64; j++)
            fprintf(file, ",%.17g", v[j] / 16);
    }
    fputs("\n", file);
    fclose(file);
    assert_int_equal(pclose(from), 0);
}

static inline void digits_study(struct outcome *o, const char *sites,
                                const char *task, const char *rounds,
                                const char *sum)
{
    static const char *const names[] = {"s0", "s1", "s2", "s3", "s4", NULL};
    static const char *const four[] = {"s0", "s1", "s2", "s3", NULL};
    char data[COHORT_PATH_SIZE];

    fclose(open_shared("data/digits/digits.csv.gz"));
    cohort_folder(&o->cohort);
    write_digits(&o->cohort, sites);
    snprintf(data, sizeof data, "%s/rows.csv", o->cohort.folder);
    write_study(&o->cohort, strcmp(sites, "alike") == 0 ? four : names, data,
                task, rounds, sum);
}

/* Rows of wdbc.csv in five blocks, each fifth row a test row. */
static inline void wdbc_study(struct outcome *o, const char *hidden,
                              const char *rounds, const char *sum)
{
    static const char *const names[] = {"s0", "s1", "s2", "s3", "s4", NULL};
    char data[COHORT_PATH_SIZE], line[LINE_SIZE], task[200];
    FILE *from = open_shared("data/breast-cancer-wdbc/wdbc.csv");

    cohort_folder(&o->cohort);
    snprintf(data, sizeof data, "%s/rows.csv", o->cohort.folder);
    FILE *file = cohort_open(&o->cohort, "rows.csv");
    for (int i = -1; fgets(line, sizeof line, from) != NULL; i++) {
        const char *rest = strchr(line, ','); /* "site" or "site<i>" */
        assert_non_null(rest);
        if (i < 0)
            fputs(line, file);
        else
            fprintf(file, "s%d%s", i / 114, rest);
    }
    fclose(from);
    fclose(file);
    snprintf(task, sizeof task, "  kind: mlp\n  hidden: [%s]\n", hidden);
    write_study(&o->cohort, names, data, task, rounds, sum);
}

#endif
