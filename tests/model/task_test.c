#include "model/cohort.h"

static void refuse(const char *kind, const char *method, const char *expected)
{
    struct task_spec spec = cohort_spec(kind, 0);
    struct error error = {""};
    spec.method = (char *)method;
    assert_null(task_find(&spec, &error));
    assert_string_equal(error.text, expected);
}

static void unknown_kinds_are_refused_with_those_that_there_are(void **unused)
{
    (void)unused;
    refuse("cox", "newton",
           "kind: found 'cox', which is not in this version, expected "
           "logistic, linear, softmax or mlp");
    refuse("logit", "newton",
           "kind: found 'logit', expected logistic, linear, softmax or mlp");
    refuse("logistic", "fednova",
           "method: found 'fednova', which is not in this version for kind "
           "'logistic', expected newton, dgd, fedsgd, fedavg, fedprox, "
           "scaffold or "
           "fedadam");
    refuse("linear", "fedavg",
           "method: found 'fedavg', which is not in this version for kind "
           "'linear', expected newton");
    refuse("mlp", "newton",
           "method: found 'newton', which is not in this version for kind "
           "'mlp', expected fedsgd, fedavg, fedprox, scaffold or fedadam");
    struct task_spec spec = cohort_spec("linear", 0);
    assert_string_equal(task_find(&spec, NULL)->kind, "linear");
    assert_string_equal(task_find(&spec, NULL)->method, "newton");
}

static void reports_are_freed_twice_without_harm(void **unused)
{
    struct task_report report = {0};
    (void)unused;
    report.coefficients = calloc(1, sizeof *report.coefficients);
    task_report_free(&report);
    assert_null(report.coefficients);
    task_report_free(&report);
    task_report_free(NULL);
}

static void misfits_are_refused_at_open(void **unused)
{
    static const double x[] = {1, 2}, y[] = {0, 1};
    struct task_spec spec = cohort_spec("logistic", -1);
    struct dataset *d = cohort_data(x, y, NULL, 2, 1);
    struct error error = {""};
    struct task *task;
    const struct task_ops *ops = task_find(&spec, NULL);
    (void)unused;
    assert_true(ops->open(&task, &spec, d, &error) < 0);
    assert_string_equal(error.text, "l2: found -1, expected 0 or more");
    spec.l2 = 0;
    spec.rounds_max = 3;
    assert_true(ops->open(&task, &spec, d, &error) < 0);
    assert_non_null(strstr(error.text, "found max: 3, expected at least 4"));
    spec.rounds_max = 4;
    spec.fraction_bits = 45;
    assert_true(ops->open(&task, &spec, d, &error) < 0);
    assert_non_null(strstr(error.text, "fraction_bits: found 45"));
    spec.fraction_bits = 32;
    assert_int_equal(ops->open(&task, &spec, d, &error), 0);
    ops->close(task);
    dataset_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_kinds_are_refused_with_those_that_there_are),
        cmocka_unit_test(reports_are_freed_twice_without_harm),
        cmocka_unit_test(misfits_are_refused_at_open)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
