/* Networks: gradients against differences, both precisions against each other.
 */

#include "model/net.h"

#include "model/cohort.h"
#include "model/net32.h"
#include "model/net64.h"

enum { ROWS = 300, INPUTS = 3, COUNT_MAX = 1000 };

struct problem {
    struct net net;
    double w[COUNT_MAX];
    double x[ROWS * (1 + INPUTS)];
    float narrow[ROWS * (1 + INPUTS)];
    int32_t y[ROWS];
    void *work;
};

static void problem_new(struct problem *p, size_t hidden_count, size_t outputs,
                        enum net_activation activation)
{
    static const size_t hidden[] = {5, 4, 3, 6};
    const size_t classes = outputs == 1 ? 2 : outputs;
    uint64_t seed = 11;

    net_init(&p->net, INPUTS, hidden, hidden_count, outputs, activation);
    assert_true(net_count(&p->net) <= COUNT_MAX);
    for (size_t i = 0; i < net_count(&p->net); i++)
        p->w[i] = 0.7 * cohort_uniform(&seed);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j <= INPUTS; j++) {
            const size_t at = i * (1 + INPUTS) + j;
            p->x[at] = j == 0 ? 1 : 2 * cohort_uniform(&seed);
            p->narrow[at] = (float)p->x[at];
        }
        p->y[i] = (int32_t)(cohort_next(&seed) % classes);
    }
    p->work = malloc(net64_kernel.work_size(&p->net, ROWS));
    assert_non_null(p->work);
}

static double loss_at(struct problem *p, size_t at, double by)
{
    double sums[NET_SUMS], before = p->w[at];

    p->w[at] += by;
    net64_kernel.measure(sums, NULL, &p->net, p->w, p->x, p->y, ROWS, p->work);
    p->w[at] = before;
    return sums[NET_LOSS] / ROWS;
}

static void check_gradient(size_t hidden_count, size_t outputs,
                           enum net_activation activation)
{
    double g[COUNT_MAX], narrow[COUNT_MAX];
    struct problem p;

    problem_new(&p, hidden_count, outputs, activation);
    double loss = net64_kernel.gradient(g, &p.net, p.w, p.x, p.y, ROWS, p.work);
    assert_near(loss, loss_at(&p, 0, 0), 1e-13);
    for (size_t i = 0; i < net_count(&p.net); i++) {
        const double h = 1e-6;
        assert_near(g[i], (loss_at(&p, i, h) - loss_at(&p, i, -h)) / (2 * h),
                    2e-8);
    }
    double same =
        net32_kernel.gradient(narrow, &p.net, p.w, p.narrow, p.y, ROWS, p.work);
    assert_near(same, loss, 1e-6);
    for (size_t i = 0; i < net_count(&p.net); i++)
        assert_near(narrow[i], g[i], 1e-5);
    free(p.work);
}

static void gradients_are_the_slopes_of_the_loss(void **unused)
{
    (void)unused;
    for (size_t outputs = 1; outputs <= 4; outputs += 3) {
        check_gradient(0, outputs, NET_RELU);
        check_gradient(1, outputs, NET_RELU);
        check_gradient(1, outputs, NET_TANH);
        check_gradient(2, outputs, NET_RELU);
        check_gradient(2, outputs, NET_TANH);
        check_gradient(4, outputs, NET_RELU);
        check_gradient(4, outputs, NET_TANH);
    }
}

static struct net_descent descent_of(const struct problem *p)
{
    return (struct net_descent){.net = &p->net,
                                .x = p->x,
                                .y = p->y,
                                .rows = ROWS,
                                .start = p->w,
                                .step = 0.1,
                                .steps = 3};
}

/* Three steps, written out. */
static void steps_are_what_they_say(void **unused)
{
    double g[COUNT_MAX], delta[COUNT_MAX], shift[COUNT_MAX];
    double w[COUNT_MAX], velocity[COUNT_MAX] = {0};
    struct problem p;

    (void)unused;
    problem_new(&p, 1, 4, NET_TANH);
    const size_t count = net_count(&p.net);
    struct net_descent d = descent_of(&p);
    d.momentum = 0.9;
    d.ridge = 0.3;
    d.mu = 0.2;
    d.shift = shift;
    for (size_t i = 0; i < count; i++)
        shift[i] = 0.01 * (double)i;
    memcpy(w, p.w, sizeof w);
    for (int s = 0; s < 3; s++) {
        net64_kernel.gradient(g, &p.net, w, p.x, p.y, ROWS, p.work);
        for (size_t i = 0; i < count; i++) {
            bool bias = i < 5 || (i >= 20 && i < 24);
            double slope = g[i] + (bias ? 0 : 0.3 * w[i]) +
                           0.2 * (w[i] - p.w[i]) + shift[i];
            velocity[i] = 0.9 * velocity[i] + slope;
            w[i] -= 0.1 * velocity[i];
        }
    }
    net64_kernel.descend(delta, &d, p.work);
    for (size_t i = 0; i < count; i++)
        assert_near(delta[i], w[i] - p.w[i], 1e-14);
    free(p.work);
}

/* Without steps between them the batches of an epoch make the whole gradient:
 * a step so small that w stays where it is. */
static void an_epoch_deals_every_row_once(void **unused)
{
    static const uint8_t seed[PRG_SEED_BYTES] = "order";
    double g[COUNT_MAX], delta[COUNT_MAX];
    struct problem p;
    struct prg prg;

    (void)unused;
    problem_new(&p, 0, 1, NET_RELU);
    struct net_descent d = descent_of(&p);
    prg_seed(&prg, seed);
    d.prg = &prg;
    d.batch = 100;
    d.step = 1e-7;
    net64_kernel.gradient(g, &p.net, p.w, p.x, p.y, ROWS, p.work);
    net64_kernel.descend(delta, &d, p.work);
    for (size_t i = 0; i < net_count(&p.net); i++)
        assert_near(delta[i] / -3e-7, g[i], 1e-6);
    d.steps = 1;
    net64_kernel.descend(delta, &d, p.work);
    assert_true(fabs(delta[0] / -1e-7 - g[0]) > 1e-4); /* a third of the rows */
    free(p.work);
}

static void a_batch_of_all_rows_or_more_is_none(void **unused)
{
    double whole[COUNT_MAX], batched[COUNT_MAX];
    struct problem p;

    (void)unused;
    problem_new(&p, 1, 1, NET_RELU);
    struct net_descent d = descent_of(&p);
    net64_kernel.descend(whole, &d, p.work);
    for (d.batch = ROWS; d.batch <= ROWS + 1; d.batch++) {
        net64_kernel.descend(batched, &d, p.work);
        assert_memory_equal(whole, batched, net_count(&p.net) * sizeof *whole);
    }
    free(p.work);
}

static void first_weights_follow_from_the_seed(void **unused)
{
    static const size_t hidden[] = {50};
    static const uint8_t one[PRG_SEED_BYTES] = "1";
    static double a[2000], b[2000];
    struct net net;
    struct prg prg;

    (void)unused;
    net_init(&net, 24, hidden, 1, 3, NET_RELU);
    for (int i = 0; i < 2; i++) {
        prg_seed(&prg, one);
        net_start(i == 0 ? a : b, &net, &prg);
    }
    assert_memory_equal(a, b, net_count(&net) * sizeof *a);
    double most = 0;
    for (size_t i = 0; i < 25 * 50; i++) {
        assert_true(i >= 50 || a[i] == 0);
        most = fmax(most, fabs(a[i]));
    }
    assert_true(most <= 0.5 && most > 0.49); /* sqrt(6 / 24) */
    net_init(&net, 24, NULL, 0, 3, NET_RELU);
    net_start(a, &net, &prg);
    for (size_t i = 0; i < net_count(&net); i++)
        assert_true(a[i] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
        cmocka_unit_test(steps_are_what_they_say),
        cmocka_unit_test(an_epoch_deals_every_row_once),
        cmocka_unit_test(a_batch_of_all_rows_or_more_is_none),
        cmocka_unit_test(first_weights_follow_from_the_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
