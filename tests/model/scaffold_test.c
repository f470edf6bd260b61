/* Scaffold's control variates, at the sites and in the sum. */

#include "model/rounds.h"

/* Unlike sites pull fedavg's mean off the optimum of all rows, and scaffold's
 * controls pull it back. */
static void scaffold_reaches_the_optimum_of_all_rows(void **unused)
{
    double beta[1 + COLUMNS], off[2] = {0, 0};

    (void)unused;
    for (int scaffold = 0; scaffold < 2; scaffold++) {
        struct cohort c =
            cohort_of("logistic", scaffold ? "scaffold" : "fedavg", 350);
        c.spec.l2 = 5;
        c.spec.training.local_steps = 10;
        make_rows(2);
        deal_unlike(&c);
        cohort_run(&c);
        descend(beta, 20000, 0.5, 5);
        for (size_t j = 0; j <= COLUMNS; j++)
            off[scaffold] =
                fmax(off[scaffold],
                     fabs(c.report.coefficients[j].estimate - beta[j]));
        cohort_close(&c);
    }
    assert_true(off[0] > 0.02);
    assert_near(off[1], 0, 1e-6);
}

/* Where all sites are alike, the mean is the same without one of them. */
static void a_missing_site_leaves_the_mean(void **unused)
{
    double end[2];

    (void)unused;
    for (int absent = 0; absent < 2; absent++) {
        struct cohort c = cohort_of("logistic", "scaffold", 9);
        c.spec.training.local_steps = 3;
        make_rows(2);
        deal(&c);
        for (int s = 1; s < SITES; s++) {
            memcpy(c.data[s]->x, c.data[0]->x,
                   c.data[0]->row_count * COLUMNS * sizeof *c.data[0]->x);
            memcpy(c.data[s]->y, c.data[0]->y,
                   c.data[0]->row_count * sizeof *c.data[0]->y);
        }
        cohort_open(&c);
        for (int r = 0; r < 12; r++) {
            c.absent = absent && r >= 2 ? 2 : 0;
            cohort_round(&c);
        }
        cohort_report(&c, 0);
        end[absent] = c.report.coefficients[1].estimate;
        cohort_close(&c);
    }
    assert_near(end[0], end[1], 1e-8);
}

/* A site that was left out of some sums, whether it had computed its vector or
 * not, is back with a control of old: all the same the optimum is reached. */
static void who_missed_rounds_does_not_pull_the_optimum_away(void **unused)
{
    double beta[1 + COLUMNS], x[64];

    (void)unused;
    for (int computes = 0; computes < 2; computes++) {
        struct cohort c = cohort_of("logistic", "scaffold", 380);
        c.spec.l2 = 5;
        c.spec.training.local_steps = 10;
        make_rows(2);
        deal_unlike(&c);
        cohort_open(&c);
        do {
            c.absent = c.rounds >= 10 && c.rounds < 30 ? 1 << c.rounds % 3 : 0;
            for (uint32_t s = 0; computes && s < SITES; s++)
                if (c.absent >> s & 1)
                    c.ops->contribute(c.task[s], x, c.memory[s], c.state,
                                      &c.prg, &c.error);
        } while (cohort_round(&c));
        cohort_report(&c, 0);
        descend(beta, 20000, 0.5, 5);
        for (size_t j = 0; j <= COLUMNS; j++)
            assert_near(c.report.coefficients[j].estimate, beta[j], 1e-6);
        cohort_close(&c);
    }
}

/* A round that is tried again sends the same and leaves the same memory. */
static void a_repeated_round_starts_from_the_same_control(void **unused)
{
    struct cohort c = cohort_of("logistic", "scaffold", 9);
    double x[64], again[64];

    (void)unused;
    c.spec.training.local_steps = 4;
    make_rows(2);
    deal(&c);
    cohort_open(&c);
    for (int r = 0; r < 6; r++)
        cohort_round(&c);
    const size_t size = c.ops->memory_size(c.task[0]);
    struct fixed_shape shape = c.ops->shape(c.task[0], c.state);
    assert_true(size > 0 && shape.length <= 64);
    void *kept = malloc(size);
    c.ops->contribute(c.task[0], x, c.memory[0], c.state, &c.prg, &c.error);
    memcpy(kept, c.memory[0], size);
    c.ops->contribute(c.task[0], again, c.memory[0], c.state, &c.prg, &c.error);
    assert_memory_equal(x, again, shape.length * sizeof *x);
    assert_memory_equal(kept, c.memory[0], size);
    free(kept);
    while (cohort_round(&c))
        ;
    cohort_close(&c);
}

/* The place of scaffold's control variate in a vector. */
enum { CONTROL = 1 + COLUMNS };

/* With steps too short to matter c_k is the gradient, however many they were
 * and whatever momentum carries over. */
static void a_control_is_the_mean_gradient(void **unused)
{
    static const double momentum[] = {0, 0.9};
    double x[64], gradient[1 + COLUMNS];

    (void)unused;
    for (int run = 0; run < 3; run++) {
        struct cohort c =
            cohort_of("logistic", run == 0 ? "fedsgd" : "scaffold", 9);
        c.spec.step = run == 0 ? 0.2 : 1e-8;
        c.spec.training.local_steps = run == 0 ? 1 : 10;
        c.spec.training.momentum = momentum[run == 2];
        make_rows(2);
        deal(&c);
        cohort_open(&c);
        cohort_round(&c);
        cohort_round(&c);
        c.ops->contribute(c.task[0], x, c.memory[0], c.state, &c.prg, &c.error);
        for (size_t j = 0; j <= COLUMNS; j++) {
            if (run == 0)
                gradient[j] = -x[j] / 0.2;
            else
                assert_near(x[CONTROL + j], gradient[j], 1e-6);
        }
        cohort_close(&c);
    }
}

/* What the lanes cut off they send later: right for differences, wrong for a
 * value that is sent anew each round. */
static void controls_are_within_the_clip(void **unused)
{
    struct cohort c = cohort_of("logistic", "scaffold", 9);
    double x[256], most = 0;

    (void)unused;
    c.spec.lane_bits = 16;
    c.spec.value_bits = 12;
    c.spec.clip = 0.01;
    make_rows(2);
    deal(&c);
    cohort_open(&c);
    cohort_round(&c);
    cohort_round(&c);
    assert_true(c.ops->shape(c.task[0], c.state).length <= 256);
    c.ops->contribute(c.task[0], x, c.memory[0], c.state, &c.prg, &c.error);
    const double *memory = c.memory[0];
    for (size_t j = 0; j <= COLUMNS; j++) {
        most = fmax(most, fabs(x[CONTROL + j]));
        /* the site has a fourth of the rows, and so a weight of 1 */
        assert_near(memory[1 + CONTROL + j], x[CONTROL + j], 1e-15);
    }
    assert_near(most, c.spec.clip, 1e-15);
    cohort_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scaffold_reaches_the_optimum_of_all_rows),
        cmocka_unit_test(a_missing_site_leaves_the_mean),
        cmocka_unit_test(who_missed_rounds_does_not_pull_the_optimum_away),
        cmocka_unit_test(a_repeated_round_starts_from_the_same_control),
        cmocka_unit_test(a_control_is_the_mean_gradient),
        cmocka_unit_test(controls_are_within_the_clip)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
