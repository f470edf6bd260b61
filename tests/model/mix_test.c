/* What follows from an opened sum of training, and where training ends. */

#include "model/digits.h"
#include "model/net.h"
#include "model/rounds.h"

/* Under `continue` a sum may lack a site: means are over those who are in it.
 */
static void means_are_over_the_rows_in_the_sum(void **unused)
{
    struct cohort c = cohort_of("softmax", "fedavg", 4);

    (void)unused;
    c.spec.training.patience = 1;
    c.spec.step = 1e-12; /* the loss stays what it was */
    make_rows(2);
    deal(&c);
    set_tests(&c, 10);
    cohort_open(&c);
    while (c.ops->shape(c.task[0], c.state).length > 0) {
        c.absent = c.rounds == 2 || c.rounds == 4 ? 8 : 0;
        cohort_round(&c);
        struct task_watch w = c.ops->watch(c.task[0], c.state);
        if (c.rounds < 3)
            continue;
        assert_near(c.losses[c.rounds - 1], log(2), 1e-9);
        assert_near(w.test_loss, log(2), 1e-9);
    }
    cohort_report(&c, 0);
    assert_int_equal(c.report.train.n, c.absent == 8 ? 60 : 80);
    assert_near(c.report.train.log_loss, log(2), 1e-9);
    cohort_close(&c);
}

/* Test rows that only one site has say nothing while it is away. */
static void patience_waits_for_the_rows_it_goes_by(void **unused)
{
    struct cohort c = cohort_of("logistic", "fedavg", 12);

    (void)unused;
    c.spec.training.patience = 1;
    make_rows(2);
    deal(&c);
    memset(c.data[3]->test, 1, 10);
    cohort_open(&c);
    while (c.ops->shape(c.task[0], c.state).length > 0) {
        c.absent = c.rounds >= 2 ? 8 : 0;
        cohort_round(&c);
    }
    cohort_report(&c, 0);
    assert_int_equal(c.rounds, 15);
    assert_false(c.report.converged);
    assert_true(c.losses[14] < c.losses[2]); /* not the weights of the start */
    cohort_close(&c);
}

static void training_stops_where_test_loss_was_least(void **unused)
{
    struct cohort c = cohort_of("mlp", "fedavg", 300);
    double least = INFINITY;

    (void)unused;
    make_rows(2);
    for (size_t i = 0; i < ROWS; i += 3)
        rows_y[i] = 1 - rows_y[i]; /* noise to learn by heart */
    c.spec.training.hidden[0] = 40;
    c.spec.training.patience = 5;
    c.spec.training.local_steps = 20;
    c.spec.step = 0.5;
    deal(&c);
    set_tests(&c, 10);
    cohort_open(&c);
    while (cohort_round(&c)) {
        struct task_watch w = c.ops->watch(c.task[0], c.state);
        if (!isnan(w.test_loss))
            least = fmin(least, w.test_loss);
    }
    cohort_report(&c, 0);
    assert_true(c.report.converged);
    assert_non_null(strstr(c.report.notes[0], "chose the parameters by the "
                                              "test rows"));
    assert_true(c.rounds < 300);
    assert_near(c.report.test.log_loss, least, 1e-9);
    assert_int_equal(c.report.n_test, 40);
    cohort_close(&c);
}

/* Adam, written out, on the mean differences that fedavg's first round has. */
static void fedadam_divides_by_the_root_of_squares(void **unused)
{
    struct cohort a = cohort_of("logistic", "fedavg", 1);
    struct cohort b = cohort_of("logistic", "fedadam", 1);

    (void)unused;
    b.spec.training.server_step = 0.3;
    run(&a);
    run(&b);
    for (size_t j = 0; j <= COLUMNS; j++) {
        double d = a.report.coefficients[j].estimate;
        double expected = 0.3 * 0.1 * d / (sqrt(0.01 * d * d) + 1e-3);
        assert_near(b.report.coefficients[j].estimate, expected, 1e-9);
    }
    cohort_close(&a);
    cohort_close(&b);
}

/* Where the lanes hold it all: worse than nothing is no result. */
static void training_that_ends_worse_than_it_began_fails(void **unused)
{
    struct cohort c = cohort_of("logistic", "fedsgd", 20);

    (void)unused;
    make_rows(2);
    for (size_t i = 0; i < ROWS; i += 3)
        rows_y[i] = 1 - rows_y[i];
    c.spec.step = 1000;
    deal(&c);
    cohort_run(&c);
    assert_non_null(strstr(c.report.failure, "training ran away"));
    assert_null(c.report.coefficients);
    cohort_close(&c);
}

/* Whatever a sum says, the next state is one that can be worked with. */
static void forged_sums_are_survived(void **unused)
{
    static const double forged[] = {0, -1, 1e8, -1e8};

    (void)unused;
    for (size_t f = 0; f < 4; f++)
        for (int begin = 0; begin < 8; begin++) {
            struct cohort c =
                cohort_of("logistic", f % 2 ? "scaffold" : "fedadam", 5);
            make_rows(2);
            c.spec.training.patience = f < 2 ? 0 : 2;
            deal(&c);
            set_tests(&c, 10);
            cohort_open(&c);
            for (int r = 0; r < begin; r++)
                cohort_round(&c);
            for (int r = begin; r < 12; r++) {
                struct fixed_shape s = c.ops->shape(c.task[0], c.state);
                double *v = malloc((s.length + 1) * sizeof *v);
                for (size_t i = 0; i < s.length; i++)
                    v[i] = forged[f];
                struct task_sum sum = {v, 15, 4};
                if (s.length > 0)
                    c.ops->absorb(c.task[0], c.state, c.state, &sum);
                free(v);
            }
            assert_int_equal(c.ops->shape(c.task[0], c.state).length, 0);
            cohort_report(&c, 0);
            cohort_close(&c);
        }
}

/* Sums made of integers alone: no libm, no BLAS. */
static void made_up_sum(double *v, const struct cohort *c)
{
    const struct fixed_shape shape = c->ops->shape(c->task[0], c->state);
    const char *phase = c->ops->phase(c->task[0], c->state);
    const size_t step = digits_count(&shape), first = c->rounds == 0 ? 2 : 0;
    const double falls = 1 / (double)c->rounds;
    const double numbers[] = {300, 200 * falls, 170, 100, 77 * falls, 61};
    uint64_t seed = 77 + c->rounds;

    for (size_t i = 0; i < shape.length; i++)
        v[i] = (double)(cohort_next(&seed) % 100);
    if (c->rounds < 2) { /* limbs of 2^96 and 2^72 are 0; the y of half is 1 */
        for (size_t i = first; i < shape.length; i++)
            v[i] = (i - first) % 9 < 2 ? 0 : v[i];
        for (size_t i = 0; i < 9 && c->rounds == 0; i++)
            v[2 + i] = i == 4 ? 150 : 0;
        v[0] = c->rounds == 0 ? 300 : v[0];
        v[1] = c->rounds == 0 ? 100 : v[1];
    } else if (strcmp(phase, "metrics") == 0) {
        v[NET_LOSS] = 1;
        v[NET_SUMS] = 300;
    } else {
        const size_t values = shape.length - 6 * step;
        for (size_t i = 0; i < values; i++)
            v[i] = (v[i] - 50) / 128;
        for (size_t n = 0; n < 6; n++)
            assert_true(
                digits_write(v + values + n * step, numbers[n], &shape));
    }
}

/* All members are to agree on H(state), whatever machine they are. */
static void absorbed_states_have_the_same_bits_everywhere(void **unused)
{
    static const char *const methods[] = {"fedavg", "scaffold", "fedadam"};
    static const char expected[] =
        "162cf80f327fde6812906b412337211ff109e305f6a4968188f3345ac0711b3b";
    static double v[5000];
    crypto_generichash_state hash;
    uint8_t digest[32];
    char text[65];

    (void)unused;
    crypto_generichash_init(&hash, NULL, 0, sizeof digest);
    for (uint8_t i = 0; i < 9; i++) {
        struct cohort c = cohort_of("mlp", methods[i / 3], 6);
        c.spec.lane_bits = (uint8_t)(16 << i % 3);
        c.spec.value_bits = i % 3 == 0 ? 12 : 28;
        c.spec.clip = 0.7;
        c.spec.training.patience = 4;
        make_rows(2);
        deal(&c);
        cohort_open(&c);
        for (; c.ops->shape(c.task[0], c.state).length > 0; c.rounds++) {
            struct task_sum sum = {.values = v, .survivors = 15, .members = 4};
            made_up_sum(v, &c);
            c.ops->absorb(c.task[0], c.state, c.state, &sum);
            crypto_generichash_update(&hash, c.state,
                                      c.ops->state_size(c.task[0]));
        }
        assert_int_equal(c.rounds, 9);
        assert_string_equal(c.ops->phase(c.task[0], c.state), "finished");
        cohort_close(&c);
    }
    crypto_generichash_final(&hash, digest, sizeof digest);
    sodium_bin2hex(text, sizeof text, digest, sizeof digest);
    assert_string_equal(text, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_are_over_the_rows_in_the_sum),
        cmocka_unit_test(patience_waits_for_the_rows_it_goes_by),
        cmocka_unit_test(training_stops_where_test_loss_was_least),
        cmocka_unit_test(fedadam_divides_by_the_root_of_squares),
        cmocka_unit_test(training_that_ends_worse_than_it_began_fails),
        cmocka_unit_test(forged_sums_are_survived),
        cmocka_unit_test(absorbed_states_have_the_same_bits_everywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
