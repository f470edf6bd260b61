/* Real data on the virtual network against references that other programs
 * computed. Skipped, visibly, where the data is not there. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "sim/cohort.h"
#include "sim/world.h"

enum { COEFFICIENTS_MAX = 40, SITES_MAX = 8, LINE_SIZE = 16384 };

struct expected {
    size_t count;
    double estimate[COEFFICIENTS_MAX], std_error[COEFFICIENTS_MAX];
    double deviance; /* NAN: not given */
};

struct study_text {
    const char *data, *l2;
    const char *sites[SITES_MAX]; /* NULL ends them */
};

static const char *shared(void)
{
    const char *folder = getenv("STARLING_SHARED");

    return folder == NULL ? "../../../shared" : folder;
}

static FILE *open_reference(const char *name)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/reference/%s", shared(), name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        skip();
    return file;
}

/* Lines "name estimate standard-error" from "(Intercept)" to "deviance". */
static void read_heart(struct expected *e, const char *section)
{
    FILE *file = open_reference("heart-disease.txt");
    char line[LINE_SIZE], name[64];
    bool inside = false;

    *e = (struct expected){.deviance = (double)NAN};
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "== ", 3) == 0)
            inside = strncmp(line, section, strlen(section)) == 0;
        if (inside && strncmp(line, "deviance ", 9) == 0)
            sscanf(line, "deviance %lf", &e->deviance);
        if (!inside ||
            (e->count == 0 && strncmp(line, "(Intercept)", 11) != 0) ||
            strncmp(line, "deviance", 8) == 0 || strchr(line, '=') != NULL)
            continue;
        size_t at = e->count;
        e->std_error[at] = (double)NAN;
        if (sscanf(line, "%63s %lf %lf", name, &e->estimate[at],
                   &e->std_error[at]) >= 2)
            e->count++;
    }
    fclose(file);
}

/* "w[0]=intercept, ...: w w w" on the line after `section`'s. */
static void read_weights(struct expected *e, const char *name,
                         const char *section)
{
    FILE *file = open_reference(name);
    char line[LINE_SIZE];
    bool next = false;

    *e = (struct expected){.deviance = (double)NAN};
    while (fgets(line, sizeof line, file) != NULL) {
        char *at = strstr(line, "]: ");
        if (next && at != NULL) {
            char *end;
            for (at += 3;; at = end) {
                double value = strtod(at, &end);
                if (end == at || e->count == COEFFICIENTS_MAX)
                    break;
                e->std_error[e->count] = (double)NAN;
                e->estimate[e->count++] = value;
            }
        }
        next = strstr(line, section) != NULL;
    }
    fclose(file);
}

/* Features are all columns but those that the study names elsewhere. */
static void write_study(struct cohort *c, const struct study_text *text,
                        const char *data)
{
    cohort_folder(c);
    FILE *file = cohort_open(c, "study.yaml");
    fprintf(file, "version: 1\nstudy: real\ntrust: semi-honest\nsites:\n");
    for (int i = 0; text->sites[i] != NULL; i++)
        fprintf(file,
                "  - {name: %s, data: \"%s\", rows: {column: site, equals: "
                "%s}}\n",
                text->sites[i], data, text->sites[i]);
    fprintf(file,
            "task:\n  kind: logistic\n  method: newton\n  target: y\n%s"
            "  split: {column: set, train: train, test: test}\n"
            "  standardise: pooled\n  l2: %s\n"
            "rounds: {max: 50, tolerance: 1e-9}\n"
            "sum: {lanes: 64, fraction_bits: 32, colluders: 1}\nseed: 7\n"
            "network: {latency_ms: {min: 5, max: 60}, loss: 0.02}\n",
            strstr(data, "heart") == NULL
                ? ""
                : "  features: [age, sex, trestbps, chol, fbs, thalach, exang,"
                  " oldpeak, cp2, cp3, cp4, restecg1, restecg2]\n",
            text->l2);
    fclose(file);
}

static void study_new(struct cohort *c, const struct study_text *text)
{
    char folder[2048] = "", data[4096];

    if (shared()[0] != '/')
        assert_non_null(getcwd(folder, sizeof folder));
    snprintf(data, sizeof data, "%s/%s/data/%s", folder, shared(), text->data);
    if (access(data, R_OK) != 0)
        skip();
    write_study(c, text, data);
    cohort_read(c);
}

static void compare(const struct task_report *report, const struct expected *e)
{
    assert_true(report->converged);
    assert_int_equal(report->coefficient_count, e->count);
    for (size_t i = 0; i < e->count; i++) {
        const struct task_coefficient *k = &report->coefficients[i];
        double scale = fmax(1, fabs(e->estimate[i]));
        if (!(fabs(k->estimate - e->estimate[i]) < 1e-6 * scale))
            fail_msg("%s: found %.12g, expected %.12g", k->name, k->estimate,
                     e->estimate[i]);
        if (!isnan(e->std_error[i]))
            assert_true(fabs(k->std_error - e->std_error[i]) < 1e-6);
    }
    if (!isnan(e->deviance))
        assert_true(fabs(report->deviance - e->deviance) < 1e-6);
}

static void run(struct task_report *report, const struct study_text *text,
                const struct expected *e)
{
    struct error error = {{0}};
    struct world_config config;
    struct world_facts facts;
    struct cohort c;
    struct world *w;

    study_new(&c, text);
    world_config_of(&config, c.study,
                    (const struct dataset *const *)c.datasets);
    assert_int_equal(world_new(&w, &config, &error), 0);
    if (world_run(w) != 0)
        fail_msg("%s", world_reason(w));
    world_facts(w, &facts);
    assert_true(facts.sum_exact);
    assert_int_equal(member_report(world_member(w, 2), report, &error), 0);
    compare(report, e);
    world_free(w);
    cohort_free(&c);
}

static void four_hospitals_equal_the_pooled_analysis(void **state)
{
    const struct study_text text = {
        "heart-disease/heart740.csv",
        "0",
        {"cleveland", "hungarian", "switzerland", "va"}};
    struct task_report report;
    struct expected e;

    (void)state;
    read_heart(&e, "== 3.");
    assert_int_equal(e.count, 14);
    assert_false(isnan(e.deviance) || isnan(e.std_error[13]));
    run(&report, &text, &e);
    assert_true(fabs(report.test.auc - 0.88109) < 1e-4);
    assert_int_equal(report.n_train, 486);
    assert_int_equal(report.n_test, 254);
    task_report_free(&report);
}

static void four_hospitals_equal_the_pooled_ridge(void **state)
{
    const struct study_text text = {
        "heart-disease/heart740.csv",
        "1",
        {"cleveland", "hungarian", "switzerland", "va"}};
    struct task_report report;
    struct expected e;

    (void)state;
    read_heart(&e, "== 4.");
    assert_int_equal(e.count, 14);
    run(&report, &text, &e);
    task_report_free(&report);
}

static void breast_cancer_equals_the_pooled_ridge(void **state)
{
    const struct study_text text = {"breast-cancer-wdbc/wdbc.csv",
                                    "1",
                                    {"site0", "site1", "site2", "site3"}};
    struct task_report report;
    struct expected e;

    (void)state;
    read_weights(&e, "breast-cancer-wdbc.txt", "lambda=1.0,");
    assert_int_equal(e.count, 31);
    run(&report, &text, &e);
    task_report_free(&report);
}

static void retina_equals_the_pooled_ridge(void **state)
{
    static const char *const lambdas[][2] = {{"1", "lambda=1.0,"},
                                             {"0.01", "lambda=0.01,"}};
    struct study_text text = {"retina-debrecen/retina-prepared.csv",
                              NULL,
                              {"site0", "site1", "site2", "site3", "site4"}};
    struct task_report report;
    struct expected e;

    (void)state;
    for (int i = 0; i < 2; i++) {
        text.l2 = lambdas[i][0];
        read_weights(&e, "retina-debrecen.txt", lambdas[i][1]);
        assert_int_equal(e.count, 20);
        run(&report, &text, &e);
        task_report_free(&report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_hospitals_equal_the_pooled_analysis),
        cmocka_unit_test(four_hospitals_equal_the_pooled_ridge),
        cmocka_unit_test(breast_cancer_equals_the_pooled_ridge),
        cmocka_unit_test(retina_equals_the_pooled_ridge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
