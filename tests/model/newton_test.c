/* Newton's method on sums: what it fits and what it refuses. */

#include "model/cohort.h"

enum { ROWS = 400, COLUMNS = 3 };

struct table {
    double x[ROWS * COLUMNS], y[ROWS];
};

static struct table noisy(bool classes)
{
    struct table t;
    uint64_t seed = 5;
    for (size_t i = 0; i < ROWS; i++) {
        double *x = t.x + i * COLUMNS, z = 0.3;
        for (size_t j = 0; j < COLUMNS; j++) {
            x[j] = 20 + 7 * cohort_uniform(&seed);
            z += ((double)j - 1) * (x[j] - 20) / 5;
        }
        z += 0.9 * cohort_uniform(&seed) + 0.9 * cohort_uniform(&seed);
        t.y[i] = classes ? z > 0 : 100 * z;
    }
    return t;
}

static struct cohort run(struct task_spec spec, const struct table *t,
                         uint32_t sites)
{
    struct cohort c = {.spec = spec};
    cohort_deal(&c, sites, t->x, t->y, ROWS, COLUMNS);
    cohort_run(&c);
    return c;
}

static void expect_failure(struct task_spec spec, const struct table *t,
                           const char *expected)
{
    struct cohort c = run(spec, t, 4);
    assert_false(c.report.converged);
    assert_string_equal(c.report.failure, expected);
    assert_string_equal(c.ops->phase(c.task[0], c.state), "failed");
    assert_int_equal(c.report.coefficient_count, 0);
    cohort_close(&c);
}

/* Householder's QR of [1, x], the textbook's way; also (X'X)^-1's diagonal. */
static double least_squares(double *beta, double *diagonal,
                            const struct table *t)
{
    enum { P = COLUMNS + 1 };
    static double a[ROWS][P], b[ROWS];
    double inverse[P][P] = {{0}}, rss = 0;
    for (size_t i = 0; i < ROWS; i++) {
        a[i][0] = 1;
        memcpy(a[i] + 1, t->x + i * COLUMNS, COLUMNS * sizeof(double));
        b[i] = t->y[i];
    }
    for (size_t k = 0; k < P; k++) {
        double norm = 0, v[ROWS] = {0}, square = 0;
        for (size_t i = k; i < ROWS; i++)
            norm += a[i][k] * a[i][k];
        norm = a[k][k] > 0 ? -sqrt(norm) : sqrt(norm);
        for (size_t i = k; i < ROWS; i++)
            v[i] = a[i][k] - (i == k ? norm : 0);
        for (size_t i = k; i < ROWS; i++)
            square += v[i] * v[i];
        for (size_t j = k; j <= P; j++) {
            double dot = 0;
            for (size_t i = k; i < ROWS; i++)
                dot += v[i] * (j < P ? a[i][j] : b[i]);
            for (size_t i = k; i < ROWS; i++)
                *(j < P ? &a[i][j] : &b[i]) -= 2 * dot / square * v[i];
        }
    }
    for (size_t i = P; i-- > 0;) {
        beta[i] = b[i];
        for (size_t j = i + 1; j < P; j++)
            beta[i] -= a[i][j] * beta[j];
        beta[i] /= a[i][i];
        for (size_t c = i; c < P; c++) {
            double sum = c == i;
            for (size_t j = i + 1; j <= c; j++)
                sum -= a[i][j] * inverse[j][c];
            inverse[i][c] = sum / a[i][i];
        }
    }
    for (size_t i = 0; i < P; i++) {
        diagonal[i] = 0;
        for (size_t c = i; c < P; c++)
            diagonal[i] += inverse[i][c] * inverse[i][c];
    }
    for (size_t i = P; i < ROWS; i++)
        rss += b[i] * b[i];
    return rss;
}

static void linear_sums_equal_pooled_least_squares(void **unused)
{
    struct table t = noisy(false);
    double beta[COLUMNS + 1], diagonal[COLUMNS + 1];
    double rss = least_squares(beta, diagonal, &t);
    struct task_spec spec = cohort_spec("linear", 0);
    (void)unused;
    spec.standardise = TASK_STANDARDISE_NONE;
    struct cohort c = run(spec, &t, 5);
    const struct task_report *r = &c.report;
    assert_string_equal(r->failure, "");
    assert_near(r->deviance, rss, 1e-8 * rss);
    for (size_t i = 0; i <= COLUMNS; i++) {
        double error = sqrt(rss / (ROWS - COLUMNS - 1) * diagonal[i]);
        assert_near(r->coefficients[i].estimate, beta[i], 1e-7);
        assert_near(r->coefficients[i].std_error, error, 1e-7 * error);
        assert_near(r->coefficients[i].high, beta[i] + 1.9659698 * error, 1e-4);
    }
    assert_near(r->train.mse, rss / ROWS, 1e-8 * rss);
    assert_near(c.losses[c.rounds - 1], rss / ROWS, 1e-8 * rss);
    assert_true(isnan(r->train.auc) && isnan(r->local.local_auc));
    assert_int_equal(r->test.n, 0);
    double mean = 0, total = 0;
    for (size_t i = 0; i < ROWS; i++)
        mean += t.y[i] / ROWS;
    for (size_t i = 0; i < ROWS; i++)
        total += (t.y[i] - mean) * (t.y[i] - mean);
    assert_near(r->train.r2, 1 - rss / total, 1e-9);
    cohort_close(&c);
}

static void standardised_coefficients_are_raw_ones_times_sd(void **unused)
{
    struct table t = noisy(false);
    struct cohort c = run(cohort_spec("linear", 0), &t, 3);
    struct task_spec spec = cohort_spec("linear", 0);
    (void)unused;
    spec.standardise = TASK_STANDARDISE_NONE;
    struct cohort raw = run(spec, &t, 4);
    for (size_t j = 1; j <= COLUMNS; j++) {
        double sd = c.report.scaling[j - 1].sd;
        assert_near(c.report.coefficients[j].estimate,
                    raw.report.coefficients[j].estimate * sd, 1e-7);
        assert_near(c.report.coefficients[j].z, raw.report.coefficients[j].z,
                    1e-6);
    }
    cohort_close(&c);
    cohort_close(&raw);
}

/* The gradient of the ridge objective on raw columns vanishes. */
static void raw_ridge_is_at_its_own_optimum(void **unused)
{
    struct table t = noisy(true);
    struct task_spec spec = cohort_spec("logistic", 3);
    (void)unused;
    spec.standardise = TASK_STANDARDISE_NONE;
    struct cohort c = run(spec, &t, 4);
    assert_string_equal(c.report.failure, "");
    const struct task_coefficient *b = c.report.coefficients;
    double gradient[COLUMNS + 1] = {0};
    for (size_t i = 0; i < ROWS; i++) {
        double eta = b[0].estimate;
        for (size_t j = 0; j < COLUMNS; j++)
            eta += b[j + 1].estimate * t.x[i * COLUMNS + j];
        double residual = 1 / (1 + exp(-eta)) - t.y[i];
        gradient[0] += residual;
        for (size_t j = 0; j < COLUMNS; j++)
            gradient[j + 1] += residual * (t.x[i * COLUMNS + j] - 20);
    }
    assert_near(gradient[0], 0, 1e-6);
    for (size_t j = 1; j <= COLUMNS; j++)
        assert_near(gradient[j] + 3 * b[j].estimate, 0, 1e-6);
    cohort_close(&c);
}

static void any_dealing_of_rows_gives_the_same_fit(void **unused)
{
    struct table t = noisy(true);
    struct cohort one = run(cohort_spec("logistic", 0), &t, 1);
    (void)unused;
    assert_string_equal(one.report.failure, "");
    assert_string_equal(one.report.notes[0],
                        "this site has no test rows: its AUCs are of its "
                        "training rows");
    assert_near(one.report.local.global_auc, one.report.train.auc, 1e-3);
    for (uint32_t sites = 2; sites <= 8; sites += 3) {
        struct cohort c = run(cohort_spec("logistic", 0), &t, sites);
        for (size_t j = 0; j <= COLUMNS; j++)
            assert_near(c.report.coefficients[j].estimate,
                        one.report.coefficients[j].estimate, 1e-8);
        assert_near(c.report.deviance, one.report.deviance, 1e-7);
        cohort_close(&c);
    }
    cohort_close(&one);
}

static void phases_and_losses_tell_the_story(void **unused)
{
    struct table t = noisy(true);
    struct cohort c = run(cohort_spec("logistic", 0), &t, 4);
    (void)unused;
    assert_string_equal(c.phases[0], "means");
    assert_string_equal(c.phases[1], "scales");
    assert_string_equal(c.phases[2], "newton");
    assert_string_equal(c.phases[c.rounds - 1], "metrics");
    assert_string_equal(c.ops->phase(c.task[0], c.state), "finished");
    assert_true(isnan(c.losses[0]) && isnan(c.losses[1]));
    assert_near(c.losses[2], log(2), 1e-9);
    assert_near(c.losses[c.rounds - 1], c.report.deviance / 2 / ROWS, 1e-12);
    cohort_close(&c);
}

static void missing_values_become_the_pooled_mean(void **unused)
{
    struct table t = noisy(true), filled = t;
    double sum = 0;
    struct task_spec spec = cohort_spec("logistic", 0);
    (void)unused;
    for (size_t i = 0; i < ROWS; i++) {
        if (i % 7 == 0)
            t.x[i * COLUMNS + 1] = NAN;
        else
            sum += t.x[i * COLUMNS + 1];
    }
    for (size_t i = 0; i < ROWS; i += 7)
        filled.x[i * COLUMNS + 1] = sum / (ROWS - (ROWS + 6) / 7);
    spec.missing = TASK_MISSING_MEAN;
    struct cohort c = run(spec, &t, 4), d = run(spec, &filled, 3);
    assert_string_equal(c.report.failure, "");
    for (size_t j = 0; j <= COLUMNS; j++)
        assert_near(c.report.coefficients[j].estimate,
                    d.report.coefficients[j].estimate, 1e-8);
    cohort_close(&c);
    cohort_close(&d);
    for (size_t i = 0; i < ROWS; i++)
        t.x[i * COLUMNS + 1] = NAN;
    expect_failure(spec, &t,
                   "column 'x2' is missing in all 400 training rows of all "
                   "sites; leave it out of the features");
}

static void columns_of_any_unit_fit_alike(void **unused)
{
    static const double units[] = {1e-12, 1e-6, 1e6, 1e13};
    struct table t = noisy(true);
    struct cohort one = run(cohort_spec("logistic", 0), &t, 4);
    (void)unused;
    for (size_t u = 0; u < 4; u++) {
        struct table scaled = t;
        for (size_t i = 0; i < ROWS; i++)
            scaled.x[i * COLUMNS + 2] *= units[u];
        struct cohort c = run(cohort_spec("logistic", 0), &scaled, 4);
        assert_string_equal(c.report.failure, "");
        for (size_t j = 0; j <= COLUMNS; j++)
            assert_near(c.report.coefficients[j].estimate,
                        one.report.coefficients[j].estimate, 1e-8);
        cohort_close(&c);
    }
    cohort_close(&one);
}

static void hopeless_data_fail_with_the_reason(void **unused)
{
    struct table t = noisy(true);
    struct task_spec spec = cohort_spec("logistic", 0);
    (void)unused;
    for (size_t i = 0; i < ROWS; i++)
        t.y[i] = 1;
    expect_failure(spec, &t,
                   "all 400 training rows of all sites have y=1: nothing to "
                   "fit; check target 'y'");
    expect_failure(cohort_spec("linear", 0), &t,
                   "all 400 training rows of all sites have y=1: nothing to "
                   "fit; check target 'y'");
    t = noisy(true);
    for (size_t i = 0; i < ROWS; i++)
        t.x[i * COLUMNS + 1] = 0.1;
    expect_failure(spec, &t,
                   "column 'x2' is constant over all 400 training rows of all "
                   "sites; leave it out of the features");
    t = noisy(true);
    for (size_t i = 0; i < ROWS; i++)
        t.x[i * COLUMNS + 2] = 3 * t.x[i * COLUMNS] - t.x[i * COLUMNS + 1] + 1;
    expect_failure(spec, &t,
                   "columns are linearly dependent at 'x3'; remove one or set "
                   "l2");
    struct table linear = t;
    expect_failure(cohort_spec("linear", 0), &linear,
                   "columns are linearly dependent at 'x3'; remove one or set "
                   "l2");
    struct cohort ridge = run(cohort_spec("logistic", 0.5), &t, 4);
    assert_string_equal(ridge.report.failure, "");
    cohort_close(&ridge);
}

static void separation_asks_for_a_ridge(void **unused)
{
    struct table t = noisy(true);
    struct task_spec spec = cohort_spec("logistic", 0);
    (void)unused;
    for (size_t i = 0; i < ROWS; i++)
        t.y[i] = t.x[i * COLUMNS] > 21;
    expect_failure(spec, &t,
                   "the features separate the classes of 'y' completely, so no "
                   "finite coefficients exist; set l2 (1 is usual)");
    t = noisy(true);
    for (size_t i = 0; i < ROWS; i++) { /* a level that is always ill */
        t.x[i * COLUMNS + 1] = i % 20 == 3;
        if (i % 20 == 3)
            t.y[i] = 1;
    }
    expect_failure(spec, &t,
                   "the features separate some rows of 'y' completely and the "
                   "coefficient of 'x2' runs away; remove it or set l2");
    struct cohort ridge = run(cohort_spec("logistic", 1), &t, 4);
    assert_string_equal(ridge.report.failure, "");
    cohort_close(&ridge);
}

static void rounds_run_out_with_the_reason(void **unused)
{
    struct table t = noisy(true);
    struct task_spec spec = cohort_spec("logistic", 0);
    (void)unused;
    spec.rounds_max = 6;
    struct cohort c = run(spec, &t, 4);
    assert_string_equal(c.report.failure,
                        "not converged in 6 rounds; raise max of rounds or "
                        "tolerance");
    assert_true(c.rounds <= 6);
    size_t needed;
    cohort_close(&c);
    c = run(cohort_spec("logistic", 0), &t, 4);
    needed = c.rounds;
    cohort_close(&c);
    spec.rounds_max = (uint32_t)needed;
    c = run(spec, &t, 4);
    assert_string_equal(c.report.failure, "");
    cohort_close(&c);
    spec.rounds_max = (uint32_t)needed - 1;
    c = run(spec, &t, 4);
    assert_string_not_equal(c.report.failure, "");
    cohort_close(&c);
}

static void few_rows_need_a_ridge(void **unused)
{
    static const double x[] = {1, 5, 2, 3, 1, 4, 2, 2, 9};
    static const double y[] = {0, 1, 1};
    struct cohort c = {.spec = cohort_spec("logistic", 0)};
    (void)unused;
    cohort_deal(&c, 3, x, y, 3, 3);
    cohort_run(&c);
    assert_string_equal(c.report.failure,
                        "found 3 training rows at all sites together, expected "
                        "at least 4, one a coefficient; use fewer features or "
                        "set l2");
    cohort_close(&c);
    struct cohort ridge = {.spec = cohort_spec("logistic", 1)};
    cohort_deal(&ridge, 3, x, y, 3, 3);
    cohort_run(&ridge);
    assert_string_equal(ridge.report.failure, "");
    cohort_close(&ridge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_sums_equal_pooled_least_squares),
        cmocka_unit_test(standardised_coefficients_are_raw_ones_times_sd),
        cmocka_unit_test(raw_ridge_is_at_its_own_optimum),
        cmocka_unit_test(any_dealing_of_rows_gives_the_same_fit),
        cmocka_unit_test(phases_and_losses_tell_the_story),
        cmocka_unit_test(missing_values_become_the_pooled_mean),
        cmocka_unit_test(columns_of_any_unit_fit_alike),
        cmocka_unit_test(hopeless_data_fail_with_the_reason),
        cmocka_unit_test(separation_asks_for_a_ridge),
        cmocka_unit_test(rounds_run_out_with_the_reason),
        cmocka_unit_test(few_rows_need_a_ridge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
