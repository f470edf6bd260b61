/* Training by real engines on the virtual network against trajectories that
 * another program computed. Skipped, visibly, where the data is not there. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "sim/deal.h"
#include "sim/trained.h"

enum { POINTS_MAX = 16, WEIGHTS_MAX = 20 };

/* One method's block of heart-disease.txt, section 6. */
struct trajectory {
    size_t points, weights;
    unsigned round[POINTS_MAX];
    double loss[POINTS_MAX], w[WEIGHTS_MAX];
};

static void read_points(struct trajectory *t, const char *at)
{
    int used;

    while (t->points < POINTS_MAX &&
           sscanf(at, "%u: %lf%n", &t->round[t->points], &t->loss[t->points],
                  &used) == 2) {
        t->points++;
        at += used;
        at += strspn(at, ", ");
    }
}

static void read_trajectory(struct trajectory *t, const char *section)
{
    static const char global[] = "  global loss at round ", w[] = "  w =";
    FILE *file = open_shared("reference/heart-disease.txt");
    char line[LINE_SIZE];
    bool inside = false;

    *t = (struct trajectory){0};
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "-- ", 3) == 0)
            inside = strncmp(line + 3, section, strlen(section)) == 0;
        if (inside && strncmp(line, global, sizeof global - 1) == 0)
            read_points(t, line + sizeof global - 1);
        if (!inside || strncmp(line, w, sizeof w - 1) != 0)
            continue;
        char *end, *at = line + sizeof w - 1;
        for (;; at = end) {
            double value = strtod(at, &end);
            if (end == at || t->weights == WEIGHTS_MAX)
                break;
            t->w[t->weights++] = value;
        }
    }
    fclose(file);
}

/* Two rounds come before those of training: means, scales. */
static void follow(const char *section, const char *method, const char *rounds)
{
    struct trajectory t;
    struct outcome o;
    double worst = 0;

    read_trajectory(&t, section);
    assert_true(t.points >= 7);
    assert_int_equal(t.weights, 14);
    heart_study(&o, method, rounds, "lanes: 64");
    outcome_run(&o);
    assert_true(o.facts.sum_exact);
    assert_int_equal(o.facts.round_count, t.round[t.points - 1] + 3);
    for (size_t i = 0; i < t.points; i++) {
        const struct result_round *r = &o.facts.rounds[t.round[i] + 2];
        near(section, r->loss, t.loss[i], 1e-6);
        worst = fmax(worst, fabs(r->loss - t.loss[i]));
    }
    for (size_t i = 0; i < t.weights; i++) {
        const struct task_coefficient *c = &o.report.coefficients[i];
        near(c->name, c->estimate, t.w[i], 1e-6);
        worst = fmax(worst, fabs(c->estimate - t.w[i]));
    }
    print_message("%s: off by %.1e at most\n", section, worst);
    outcome_free(&o);
}

static void fedsgd_follows_its_reference(void **state)
{
    (void)state;
    follow("FedSGD: E=1,", "fedsgd", "max: 1003, step: 0.5");
}

static void fedavg_follows_its_reference(void **state)
{
    (void)state;
    follow("FedAvg: E=5,", "fedavg", "max: 103, step: 0.1, local_steps: 5");
    follow("FedAvg: E=20,", "fedavg", "max: 103, step: 0.1, local_steps: 20");
}

static void fedprox_follows_its_reference(void **state)
{
    (void)state;
    follow("FedProx: E=20,", "fedprox\n  mu: 0.1",
           "max: 103, step: 0.1, local_steps: 20");
}

static void scaffold_follows_its_reference(void **state)
{
    (void)state;
    follow("SCAFFOLD: E=20,", "scaffold",
           "max: 103, step: 0.1, local_steps: 20");
}

static double penalty(const struct task_report *r, double ridge)
{
    double sum = 0;

    for (size_t i = 0; i < r->coefficient_count; i++)
        if (strncmp(r->coefficients[i].name, "(intercept)", 11) != 0)
            sum += r->coefficients[i].estimate * r->coefficients[i].estimate;
    return ridge / 2 * sum;
}

/* FedAvg's lines of digits.txt that begin so. */
static void follow_digits(const char *begin, const char *sites,
                          const char *rounds)
{
    FILE *file = open_shared("reference/digits.txt");
    double objective = NAN, accuracy = NAN;
    char line[LINE_SIZE];
    struct outcome o;

    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, begin, strlen(begin)) == 0)
            sscanf(strstr(line, "objective"), "objective %lf test accuracy %lf",
                   &objective, &accuracy);
    fclose(file);
    /* l2 counts for the sum over 1437 rows. */
    digits_study(&o, sites,
                 "  kind: softmax\n  method: fedavg\n  classes: 10\n"
                 "  standardise: none\n  l2: 1.437\n",
                 rounds, "lanes: 64");
    outcome_run(&o);
    assert_int_equal(o.report.n_train, 1437);
    double found = o.report.train.log_loss + penalty(&o.report, 0.001);
    print_message("%s: off by %.1e\n", begin, fabs(found - objective));
    near(begin, found, objective, 1e-6);
    near(begin, o.report.test.accuracy, accuracy, 1e-9);
    outcome_free(&o);
}

static void digits_follow_their_reference(void **state)
{
    (void)state;
    follow_digits("FedAvg IID E=1 ", "alike", "max: 102, step: 0.5");
    follow_digits("FedAvg IID E=10 ", "alike",
                  "max: 102, step: 0.5, local_steps: 10");
    follow_digits("FedAvg IID E=50 ", "alike",
                  "max: 22, step: 0.5, local_steps: 50");
    follow_digits("FedAvg non-IID y//2 E=1 ", "unlike", "max: 102, step: 0.5");
    follow_digits("FedAvg non-IID y//2 E=10 ", "unlike",
                  "max: 102, step: 0.5, local_steps: 10");
    follow_digits("FedAvg non-IID y//2 E=50 ", "unlike",
                  "max: 22, step: 0.5, local_steps: 50");
}

/* The same steps on all rows in one place: five sites with a batch of 32 each
 * take one step where one place takes five with 32. */
static void five_sites_teach_a_network_as_well_as_one(void **state)
{
    struct task_report pooled = {0};
    struct error error = {{0}};
    struct outcome o;

    (void)state;
    digits_study(&o, "five",
                 "  kind: mlp\n  classes: 10\n  hidden: [32]\n"
                 "  standardise: none\n",
                 "max: 42, step: 0.1, local_epochs: 2, batch: 16, momentum: "
                 "0.9",
                 "lanes: 64");
    outcome_run(&o);
    if (deal_pooled_fit(&pooled, o.cohort.study,
                        (const struct dataset *const *)o.cohort.datasets, 5,
                        &error) != 0)
        fail_msg("%s", error.text);
    print_message("digits, mlp: test accuracy %.4f, pooled %.4f\n",
                  o.report.test.accuracy, pooled.test.accuracy);
    assert_true(pooled.test.accuracy > 0.95);
    near("accuracy", o.report.test.accuracy, pooled.test.accuracy, 0.01);
    task_report_free(&pooled);
    outcome_free(&o);
}

/* The last listed loss of a block of heart-disease.txt, in 16-bit lanes. */
static void end_near(const char *section, const char *method,
                     const char *rounds)
{
    struct trajectory t;
    struct outcome o;

    read_trajectory(&t, section);
    heart_study(&o, method, rounds, "lanes: 16");
    outcome_run(&o);
    assert_true(o.facts.sum_exact);
    double expected = t.loss[t.points - 1];
    print_message("%s 16-bit lanes: off by %.1e\n", section,
                  fabs(o.report.train.log_loss - expected));
    near(section, o.report.train.log_loss, expected, 1e-3);
    outcome_free(&o);
}

static void narrow_lanes_end_at_the_same_losses(void **state)
{
    (void)state;
    end_near("FedSGD: E=1,", "fedsgd", "max: 1003, step: 0.5");
    end_near("FedAvg: E=5,", "fedavg", "max: 103, step: 0.1, local_steps: 5");
    end_near("FedAvg: E=20,", "fedavg", "max: 103, step: 0.1, local_steps: 20");
    end_near("FedProx: E=20,", "fedprox\n  mu: 0.1",
             "max: 103, step: 0.1, local_steps: 20");
    end_near("SCAFFOLD: E=20,", "scaffold",
             "max: 103, step: 0.1, local_steps: 20");
}

static void five_sites_with_narrow_lanes_find_the_malignant(void **state)
{
    static const char *const sums[] = {"lanes: 64", "lanes: 16",
                                       "lanes: 16, value_bits: 8"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct outcome o;
        wdbc_study(&o, "16", "max: 43, step: 0.05, local_epochs: 2, batch: 16",
                   sums[i]);
        outcome_run(&o);
        assert_true(o.facts.sum_exact);
        print_message("wdbc, mlp, %s: test AUC %.4f, train loss %.4f\n",
                      sums[i], o.report.test.auc, o.report.train.log_loss);
        assert_true(o.report.test.auc >= 0.99);
        outcome_free(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fedsgd_follows_its_reference),
        cmocka_unit_test(fedavg_follows_its_reference),
        cmocka_unit_test(fedprox_follows_its_reference),
        cmocka_unit_test(scaffold_follows_its_reference),
        cmocka_unit_test(digits_follow_their_reference),
        cmocka_unit_test(five_sites_teach_a_network_as_well_as_one),
        cmocka_unit_test(narrow_lanes_end_at_the_same_losses),
        cmocka_unit_test(five_sites_with_narrow_lanes_find_the_malignant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
