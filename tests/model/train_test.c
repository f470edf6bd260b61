/* Training by rounds, on made-up rows dealt to a few sites. */

#include <errno.h>

#include "model/rounds.h"

/* The first parameter's place among the state's doubles (model/train.h, which
 * does not go together with newton.h): after 16 slots and the scale. */
enum { TRAIN_FIRST_WEIGHT = 16 };

static void fedsgd_is_gradient_descent_on_all_rows(void **unused)
{
    struct cohort c = cohort_of("logistic", "fedsgd", 50);
    double beta[1 + COLUMNS];

    (void)unused;
    make_rows(2);
    c.spec.l2 = 2;
    c.unrounded = true;
    deal_unlike(&c);
    cohort_run(&c);
    assert_string_equal(c.report.failure, "");
    descend(beta, 50, 0.2, 2);
    for (size_t j = 0; j <= COLUMNS; j++)
        assert_near(c.report.coefficients[j].estimate, beta[j], 1e-12);
    assert_int_equal(c.rounds, 53);
    assert_string_equal(c.phases[1], "scales");
    assert_string_equal(c.phases[2], "fedsgd");
    assert_string_equal(c.phases[52], "metrics");
    assert_string_equal(c.report.coefficients[2].name, "x2");
    assert_near(c.losses[2], log(2), 1e-12);
    assert_false(c.report.converged);
    cohort_close(&c);
}

/* One local step is the same in all methods; more are not. */
static void methods_differ_where_they_should(void **unused)
{
    static const char *const methods[] = {"fedavg", "fedprox", "scaffold"};
    double end[2][3];

    (void)unused;
    for (int more = 0; more < 2; more++)
        for (int m = 0; m < 3; m++) {
            struct cohort c = cohort_of("logistic", methods[m], 12);
            c.spec.training.local_steps = more ? 8 : 1;
            c.spec.training.mu = more ? 0.5 : 1e-12;
            run(&c);
            end[more][m] = c.report.coefficients[1].estimate;
            cohort_close(&c);
        }
    assert_near(end[0][0], end[0][1], 1e-9);
    assert_near(end[0][0], end[0][2], 1e-9);
    assert_true(fabs(end[1][0] - end[1][1]) > 1e-4);
    assert_true(fabs(end[1][0] - end[1][2]) > 1e-4);
}

static void steps_follow_the_schedule(void **unused)
{
    double moved[3][2];

    (void)unused;
    for (int schedule = 0; schedule < 3; schedule++) {
        struct cohort c = cohort_of("logistic", "fedavg", 4);
        double w[5] = {0};
        c.spec.training.schedule = (enum task_schedule)schedule;
        c.spec.training.decay = 0.25;
        make_rows(2);
        deal(&c);
        cohort_open(&c);
        for (int r = 0; r < 6; r++) {
            cohort_round(&c);
            cohort_report(&c, 0);
            memcpy(&w[r < 2 ? 0 : r - 1],
                   (char *)c.state +
                       (TRAIN_FIRST_WEIGHT + 2 * (1 + COLUMNS)) * sizeof *w,
                   sizeof *w);
        }
        moved[schedule][0] = w[1] - w[0];
        moved[schedule][1] = w[4] - w[3];
        cohort_close(&c);
    }
    assert_near(moved[0][0], moved[1][0], 1e-9);
    assert_near(moved[0][0], moved[2][0], 1e-9);
    assert_true(fabs(moved[1][1]) < 0.1 * fabs(moved[0][1]));
    assert_true(fabs(moved[2][1]) < 0.3 * fabs(moved[0][1]));
}

static void softmax_and_networks_learn(void **unused)
{
    (void)unused;
    for (int kind = 0; kind < 3; kind++) {
        struct cohort c =
            cohort_of(kind == 0 ? "softmax" : "mlp", "fedavg", 60);
        c.spec.training.classes = kind == 2 ? 2 : 3;
        c.spec.training.local_epochs = 5;
        c.spec.training.local_steps = 0;
        c.spec.training.batch = 8;
        c.spec.training.momentum = 0.9;
        c.spec.training.precision = (enum task_precision)(kind == 0);
        c.spec.step = 0.05;
        make_rows((int)c.spec.training.classes);
        deal(&c);
        cohort_run(&c);
        assert_string_equal(c.report.failure, "");
        assert_true(c.report.train.accuracy > 0.75);
        assert_true(c.losses[61] < 0.6 * c.losses[2]);
        assert_int_equal(c.report.coefficient_count, kind == 0   ? 12
                                                     : kind == 1 ? 24 + 21
                                                                 : 24 + 7);
        assert_int_equal(c.report.scaling_count, COLUMNS);
        assert_true(isnan(c.report.train.auc) == (kind != 2));
        assert_string_equal(c.report.coefficients[0].name,
                            kind == 0 ? "(intercept):0" : "1:(intercept):0");
        cohort_close(&c);
    }
}

static void raw_columns_train_as_they_stand(void **unused)
{
    struct cohort c = cohort_of("logistic", "fedsgd", 5);

    (void)unused;
    make_rows(2);
    for (size_t i = 0; i < ROWS; i++) {
        rows_x[i * COLUMNS] = 1; /* constant: fine where nothing divides */
        rows_x[i * COLUMNS + 1] = i % 7 == 0 ? (double)NAN : 2;
    }
    c.spec.standardise = TASK_STANDARDISE_NONE;
    c.spec.missing = TASK_MISSING_MEAN;
    deal(&c);
    cohort_run(&c);
    assert_string_equal(c.report.failure, "");
    assert_null(c.report.scaling);
    /* Its column is the intercept's, and the missing are its mean, 2. */
    assert_near(c.report.coefficients[0].estimate,
                c.report.coefficients[1].estimate, 1e-12);
    assert_near(2 * c.report.coefficients[0].estimate,
                c.report.coefficients[2].estimate, 1e-9);
    cohort_close(&c);
}

/* One class only, a column that is not there, a batch of more than all rows. */
static void odd_sites_take_part(void **unused)
{
    struct cohort c = cohort_of("logistic", "fedavg", 12);

    (void)unused;
    c.spec.training.batch = 1000;
    c.spec.training.local_steps = 0;
    c.spec.training.local_epochs = 2;
    c.spec.missing = TASK_MISSING_MEAN;
    make_rows(2);
    deal(&c);
    for (size_t i = 0; i < c.data[0]->row_count; i++)
        c.data[0]->y[i] = 1;
    for (size_t i = 0; i < c.data[1]->row_count; i++)
        c.data[1]->x[i * COLUMNS + 2] = (double)NAN;
    cohort_run(&c);
    assert_string_equal(c.report.failure, "");
    assert_true(c.losses[14] < 0.95 * c.losses[2]);
    cohort_close(&c);
}

static void one_class_is_nothing_to_learn(void **unused)
{
    static const char *const kinds[] = {"logistic", "softmax", "mlp"};

    (void)unused;
    for (int i = 0; i < 12; i++) {
        struct cohort c = cohort_of(kinds[i / 4], "fedavg", 5);
        make_rows(2);
        c.spec.training.classes = i / 4 == 0 ? 2 : 3;
        if (i % 2 == 1)
            c.spec.standardise = TASK_STANDARDISE_NONE;
        for (size_t k = 0; k < ROWS; k++)
            rows_y[k] = i / 2 % 2 == 0 ? 0 : c.spec.training.classes - 1;
        deal(&c);
        cohort_run(&c);
        assert_non_null(strstr(c.report.failure, "one value of 'y'"));
        cohort_close(&c);
    }
}

static void failures_say_why(void **unused)
{
    struct cohort c = cohort_of("logistic", "fedavg", 5);

    (void)unused;
    make_rows(2);
    for (size_t i = 0; i < ROWS; i++)
        rows_x[i * COLUMNS + 1] = 4;
    deal(&c);
    cohort_run(&c);
    assert_non_null(strstr(c.report.failure, "'x2' is constant"));
    cohort_close(&c);
}

static void training_that_runs_away_declines(void **unused)
{
    struct cohort c = cohort_of("softmax", "fedavg", 50);
    double x[64];
    int code = 0;

    (void)unused;
    make_rows(2);
    c.spec.step = 1e6;
    c.spec.l2 = 1000;
    c.spec.training.local_steps = 50;
    deal(&c);
    cohort_open(&c);
    cohort_round(&c);
    cohort_round(&c);
    assert_true(c.ops->shape(c.task[0], c.state).length <= 64);
    code =
        c.ops->contribute(c.task[0], x, c.memory[0], c.state, &c.prg, &c.error);
    assert_int_equal(code, -ERANGE);
    assert_non_null(strstr(c.error.text, "memory.csv: training runs away"));
    cohort_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fedsgd_is_gradient_descent_on_all_rows),
        cmocka_unit_test(methods_differ_where_they_should),
        cmocka_unit_test(steps_follow_the_schedule),
        cmocka_unit_test(softmax_and_networks_learn),
        cmocka_unit_test(raw_columns_train_as_they_stand),
        cmocka_unit_test(odd_sites_take_part),
        cmocka_unit_test(one_class_is_nothing_to_learn),
        cmocka_unit_test(failures_say_why),
        cmocka_unit_test(training_that_runs_away_declines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
