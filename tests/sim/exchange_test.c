/* What narrow lanes cost against an exchange of float32 vectors, computed
 * plainly: the numbers of docs/training.md. Skipped, visibly, where the data is
 * not there. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/task.h"
#include "sim/trained.h"

enum { SUMS = 4, SOME_ROUND = 5 };

static const char *const sums[SUMS] = {"lanes: 64", "lanes: 32", "lanes: 16",
                                       "lanes: 16, value_bits: 8"};

/* What one way of exchanging led to. */
struct price {
    double loss, auc, accuracy;
    uint64_t bytes; /* that a site sends in a round of training */
};

static struct price price_of(const struct task_report *report, uint64_t bytes)
{
    return (struct price){.loss = report->train.log_loss,
                          .auc = report->test.auc,
                          .accuracy = report->test.accuracy,
                          .bytes = bytes};
}

/* Sites' tasks in one place, their vectors added up as float32. */
struct plain {
    const struct cohort *cohort;
    const struct task_ops *ops;
    struct task *task[GOSSIP_MEMBERS_MAX];
    void *state;
    double *x, *sum;
    uint64_t bytes;
};

static void plain_open(struct plain *p, const struct cohort *c)
{
    const struct study *s = c->study;
    struct error error;

    *p = (struct plain){.cohort = c, .ops = task_find(&s->task, &error)};
    for (uint32_t i = 0; i < s->site_count; i++)
        if (p->ops->open(&p->task[i], &s->task, c->datasets[i], &error) != 0)
            fail_msg("%s", error.text);
    p->state = malloc(p->ops->state_size(p->task[0]));
    p->x = calloc(p->ops->length_max(p->task[0]), sizeof *p->x);
    p->sum = calloc(p->ops->length_max(p->task[0]), sizeof *p->sum);
    p->ops->start(p->task[0], p->state);
}

static bool plain_round(struct plain *p)
{
    const size_t length = p->ops->shape(p->task[0], p->state).length;
    const uint32_t sites = p->cohort->study->site_count;
    const bool training =
        strcmp(p->ops->phase(p->task[0], p->state), "fedavg") == 0;
    uint8_t seed[PRG_SEED_BYTES] = "no batches are drawn";
    struct error error;
    struct prg prg;

    prg_seed(&prg, seed);
    memset(p->sum, 0, length * sizeof *p->sum);
    for (uint32_t i = 0; i < sites && length > 0; i++) {
        assert_int_equal(
            p->ops->contribute(p->task[i], p->x, NULL, p->state, &prg, &error),
            0);
        for (size_t j = 0; j < length; j++)
            p->sum[j] += training ? (double)(float)p->x[j] : p->x[j];
    }
    if (training)
        p->bytes = length * sizeof(float);
    struct task_sum opened = {.values = p->sum,
                              .survivors = (UINT64_C(1) << sites) - 1,
                              .members = sites};
    if (length > 0)
        p->ops->absorb(p->task[0], p->state, p->state, &opened);
    return length > 0;
}

static struct price plain_price(const struct cohort *c)
{
    struct task_report report;
    struct error error;
    struct plain p;

    plain_open(&p, c);
    while (plain_round(&p))
        ;
    if (p.ops->report(p.task[0], p.state, &report, &error) != 0)
        fail_msg("%s", error.text);
    const struct price price = price_of(&report, p.bytes);
    task_report_free(&report);
    for (uint32_t i = 0; i < c->study->site_count; i++)
        p.ops->close(p.task[i]);
    free(p.state);
    free(p.x);
    free(p.sum);
    return price;
}

typedef void study_writer(struct outcome *o, const char *sum);

static void tell(const char *name, const char *way, const struct price *p)
{
    print_message("%-8s %-24s %7llu bytes, loss %.6f, test AUC %.4f, accuracy "
                  "%.4f\n",
                  name, way, (unsigned long long)p->bytes, p->loss, p->auc,
                  p->accuracy);
}

/* The first is float32's, then those of sums. */
static void price_all(struct price price[1 + SUMS], const char *name,
                      study_writer *write)
{
    for (size_t i = 0; i < SUMS; i++) {
        struct outcome o;
        write(&o, sums[i]);
        outcome_run(&o);
        assert_true(o.facts.sum_exact);
        if (i == 0) {
            price[0] = plain_price(&o.cohort);
            tell(name, "float32", &price[0]);
        }
        price[1 + i] =
            price_of(&o.report, o.facts.rounds[SOME_ROUND].bytes_sent /
                                    o.cohort.study->site_count);
        tell(name, sums[i], &price[1 + i]);
        outcome_free(&o);
    }
    near("lanes: 64", price[1].loss, price[0].loss, 1e-6);
    near("lanes: 32", price[2].loss, price[0].loss, 1e-6);
    near("lanes: 16", price[3].loss, price[0].loss, 1e-3);
    assert_true(price[2].bytes < price[1].bytes);
    assert_true(price[3].bytes < price[2].bytes);
}

/* In parts of what float32 reaches. */
static void loses_less_than_a_hundredth(double found, double whole)
{
    if (!(found > 0.99 * whole))
        fail_msg("8 value bits: found %.6f, expected above 0.99 * %.6f", found,
                 whole);
}

static void write_heart(struct outcome *o, const char *sum)
{
    heart_study(o, "fedavg", "max: 103, step: 0.1, local_steps: 20", sum);
}

static void write_wdbc(struct outcome *o, const char *sum)
{
    wdbc_study(o, "16", "max: 63, step: 0.1, local_steps: 10", sum);
}

/* 24,449 parameters: what pairs and signatures cost is little beside them. */
static void write_wide(struct outcome *o, const char *sum)
{
    wdbc_study(o, "256, 64", "max: 33, step: 0.05, local_steps: 5", sum);
}

static void write_digits_study(struct outcome *o, const char *sum)
{
    digits_study(o, "five",
                 "  kind: softmax\n  method: fedavg\n  classes: 10\n"
                 "  standardise: none\n  l2: 1.437\n",
                 "max: 52, step: 0.5, local_steps: 10", sum);
}

/* The reference's FedAvg with E = 20. */
static void write_retina(struct outcome *o, const char *sum)
{
    static const char *const names[] = {"site0", "site1", "site2",
                                        "site3", "site4", NULL};
    char folder[2048] = "", data[4096];

    if (shared()[0] != '/')
        assert_non_null(getcwd(folder, sizeof folder));
    snprintf(data, sizeof data, "%s/%s/data/retina-debrecen/%s", folder,
             shared(), "retina-prepared.csv");
    fclose(open_shared("data/retina-debrecen/retina-prepared.csv"));
    cohort_folder(&o->cohort);
    write_study(&o->cohort, names, data, "  kind: logistic\n  method: fedavg\n",
                "max: 53, step: 0.3, local_steps: 20", sum);
}

static void heart_costs_little(void **state)
{
    struct price p[1 + SUMS];

    (void)state;
    price_all(p, "heart", write_heart);
    loses_less_than_a_hundredth(p[4].auc, p[0].auc);
}

static void wdbc_costs_little(void **state)
{
    struct price p[1 + SUMS];

    (void)state;
    price_all(p, "wdbc", write_wdbc);
    loses_less_than_a_hundredth(p[4].auc, p[0].auc);
}

static void wide_networks_cost_little(void **state)
{
    struct price p[1 + SUMS];

    (void)state;
    price_all(p, "wide", write_wide);
    loses_less_than_a_hundredth(p[4].auc, p[0].auc);
    assert_true((double)p[3].bytes < 0.3 * (double)p[1].bytes);
}

static void digits_cost_little(void **state)
{
    struct price p[1 + SUMS];

    (void)state;
    price_all(p, "digits", write_digits_study);
    loses_less_than_a_hundredth(p[4].accuracy, p[0].accuracy);
}

static void retina_costs_little(void **state)
{
    struct price p[1 + SUMS];

    (void)state;
    price_all(p, "retina", write_retina);
    loses_less_than_a_hundredth(p[4].auc, p[0].auc);
    near("retina, E=20", p[1].loss, 0.522682842084, 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heart_costs_little),
        cmocka_unit_test(wdbc_costs_little),
        cmocka_unit_test(wide_networks_cost_little),
        cmocka_unit_test(digits_cost_little),
        cmocka_unit_test(retina_costs_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
