/* The public half of Newton's method: it halves steps that overshoot, and has
 * equal bits everywhere, whatever the sums say. */

#include "model/cohort.h"

enum { ROWS = 60, COLUMNS = 3 };

static void deal(struct cohort *c)
{
    double x[ROWS * COLUMNS], y[ROWS];
    uint64_t seed = 5;

    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        x[i] = cohort_uniform(&seed);
    for (size_t i = 0; i < ROWS; i++)
        y[i] = cohort_next(&seed) % 2 == 0 ? 0 : 1;
    cohort_deal(c, 4, x, y, ROWS, COLUMNS);
}

/* Few rows with heavy tails: a full Newton step overshoots. */
static void overshooting_steps_are_halved(void **unused)
{
    enum { FEW = 20 };
    double x[FEW * 2], y[FEW];
    uint64_t seed = 1800;
    struct cohort c = {.spec = cohort_spec("logistic", 0)};
    (void)unused;
    for (size_t i = 0; i < FEW; i++) {
        double z = 0;
        for (size_t j = 0; j < 2; j++) {
            double a = cohort_uniform(&seed), cube = a * a * a;
            x[i * 2 + j] = cube * cube * cube * 1000 + (a > 0 ? a * 10 : 0);
            z += x[i * 2 + j] / (j == 0 ? 3 : 100);
        }
        y[i] = z + 3 * cohort_uniform(&seed) > 0;
        if (cohort_next(&seed) % 6 == 0)
            y[i] = 1 - y[i];
    }
    cohort_deal(&c, 4, x, y, FEW, 2);
    cohort_open(&c);
    double before = INFINITY;
    while (cohort_round(&c)) {
        double objective = cohort_slot(&c, NEWTON_OBJECTIVE);
        if (cohort_slot(&c, NEWTON_EVALUATED) == 0)
            continue;
        assert_true(objective <= before + 1e-7);
        before = objective;
    }
    cohort_report(&c, 0);
    print_message("halvings: %g, %zu rounds %s\n",
                  cohort_slot(&c, NEWTON_HALVINGS), c.rounds, c.report.failure);
    assert_true(cohort_slot(&c, NEWTON_HALVINGS) > 0);
    assert_string_equal(c.report.failure, "");
    cohort_close(&c);
}

/* Sums made of integers alone: no libm, no BLAS. A made-up quadratic-like
 * problem of 3 columns; what matters is that each branch's bits are equal. */
static void made_up_sum(double *v, const struct task *task, const double *state,
                        size_t round)
{
    size_t length = task->ops->shape(task, state).length;
    uint64_t seed = 77 + round;
    for (size_t i = 0; i < length; i++)
        v[i] = (double)(int64_t)(cohort_next(&seed) % 100);
    if (round < 2) { /* limbs of 2^96 to 2^48 are 0; the y of half is 1 */
        size_t first = round == 0 ? 2 : 0;
        for (size_t i = first; i < length; i++)
            v[i] = (i - first) % 9 < 2 ? 0 : v[i];
        for (size_t i = 0; i < 9 && round == 0; i++)
            v[2 + i] = i == 4 ? 150 : 0;
        if (round == 0) {
            v[0] = 300;
            v[1] = 100;
        }
    } else if (length == 15) {
        double scale = 1 / (double)(UINT64_C(1) << (2 * (round - 2)));
        v[0] = 200 - (double)round + (round == 4 ? 9 : 0);
        for (size_t j = 1; j < 5; j++)
            v[j] *= scale * scale;
        for (size_t i = 0, at = 5; i < 4; i++)
            for (size_t j = i; j < 4; j++, at++)
                v[at] = i == j ? 61 + v[at] / 7 : v[at] / 11;
    }
}

static void absorbed_states_have_the_same_bits_everywhere(void **unused)
{
    static const char expected[] =
        "ad9db2fe3708e7bc9ac6234a3593693f5ee989538b1de53449b4edf41f2fb447";
    static double v[5000];
    struct cohort c = {.spec = cohort_spec("logistic", 1e-5)};
    crypto_generichash_state hash;
    uint8_t digest[32];
    char text[65];
    (void)unused;
    deal(&c);
    cohort_open(&c);
    size_t size = c.ops->state_size(c.task[0]), round = 0;
    crypto_generichash_init(&hash, NULL, 0, sizeof digest);
    for (; c.ops->shape(c.task[0], c.state).length > 0; round++) {
        struct task_sum sum = {.values = v, .survivors = 15, .members = 4};
        made_up_sum(v, c.task[0], c.state, round);
        c.ops->absorb(c.task[0], c.state, c.state, &sum);
        crypto_generichash_update(&hash, c.state, size);
    }
    crypto_generichash_final(&hash, digest, sizeof digest);
    sodium_bin2hex(text, sizeof text, digest, sizeof digest);
    cohort_report(&c, 0);
    assert_string_equal(c.report.failure, "");
    assert_true(cohort_slot(&c, NEWTON_HALVINGS) > 0);
    assert_true(round > 6);
    assert_string_equal(text, expected);
    cohort_close(&c);
}

static void forged_counts_are_reported_as_none(void **state)
{
    static const double forged[] = {-5, -1e300, 1e300, NAN};
    (void)state;
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        struct cohort c = {.spec = cohort_spec("linear", 0)};
        struct task_report report = {0};
        deal(&c);
        cohort_run(&c);
        double *slots = c.state;
        size_t width = COLUMNS + 1;
        slots[NEWTON_N_TRAIN] = slots[NEWTON_N_TEST] = forged[i];
        newton_view(slots, width).metrics[NEWTON_ROWS] = forged[i];
        slots[NEWTON_PHASE] = NEWTON_FAILED;
        assert_int_equal(c.ops->report(c.task[0], c.state, &report, &c.error),
                         0);
        assert_int_equal(report.n_train, 0);
        assert_int_equal(report.n_test, 0);
        assert_int_equal(report.train.n, 0);
        task_report_free(&report);
        cohort_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overshooting_steps_are_halved),
        cmocka_unit_test(forged_counts_are_reported_as_none),
        cmocka_unit_test(absorbed_states_have_the_same_bits_everywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
