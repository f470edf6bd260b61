/* Training by rounds, on made-up rows dealt to a few sites. */

#include <errno.h>

#include "crypto/lanes.h"
#include "model/cohort.h"
#include "model/digits.h"

/* The first parameter's place among the state's doubles (model/train.h, which
 * does not go together with newton.h): after 16 slots and the scale. */
enum { TRAIN_FIRST_WEIGHT = 16 };

enum { ROWS = 120, COLUMNS = 3, SITES = 4 };

static double rows_x[ROWS * COLUMNS], rows_y[ROWS];

/* Noisy classes 0..count - 1 by a plane. */
static void make_rows(int count)
{
    uint64_t seed = 5;

    for (size_t i = 0; i < ROWS; i++) {
        double *x = rows_x + i * COLUMNS, z = 0;
        for (size_t j = 0; j < COLUMNS; j++)
            x[j] = 3 * cohort_uniform(&seed) + (double)j;
        z = x[0] - x[1] + 0.5 * x[2] + cohort_uniform(&seed);
        double at = fmin(fmax((z + 3) / 6, 0), 0.999);
        rows_y[i] = floor(at * count);
    }
}

static struct cohort cohort_of(const char *kind, const char *method,
                               uint32_t rounds)
{
    struct cohort c = {.spec = cohort_spec(kind, 0)};

    c.spec.method = (char *)method;
    c.spec.rounds_max = rounds + 3;
    c.spec.step = 0.2;
    c.spec.training =
        (struct task_training){.classes = 2,
                               .local_steps = 1,
                               .server_step = 1,
                               .decay = 1,
                               .mu = 0.5,
                               .hidden = {6},
                               .hidden_count = 1,
                               .precision = TASK_PRECISION_DOUBLE};
    return c;
}

static void deal(struct cohort *c)
{
    cohort_deal(c, SITES, rows_x, rows_y, ROWS, COLUMNS);
}

/* Sites of 64, 32, 16 and 8 rows, of which the first have more ones. */
static void deal_unlike(struct cohort *c)
{
    static double x[ROWS * COLUMNS], y[ROWS];
    size_t last = ROWS, first = 0, at = 0;

    for (size_t i = 0; i < ROWS; i++) {
        const size_t to = rows_y[i] > 0 ? first++ : --last;
        memcpy(x + to * COLUMNS, rows_x + i * COLUMNS, COLUMNS * sizeof *x);
        y[to] = rows_y[i];
    }
    c->count = SITES;
    for (uint32_t s = 0; s < SITES; s++) {
        const size_t rows = (size_t)64 >> s;
        c->data[s] = cohort_data(x + at * COLUMNS, y + at, NULL, rows, COLUMNS);
        at += rows;
    }
    assert_int_equal(at, ROWS);
}

/* The first `count` rows of each site to its test rows. */
static void set_tests(struct cohort *c, size_t count)
{
    for (uint32_t s = 0; s < c->count; s++)
        memset(c->data[s]->test, 1, count);
}

static void standardise(double *z)
{
    for (size_t j = 0; j < COLUMNS; j++) {
        double mean = 0, squares = 0;
        for (size_t i = 0; i < ROWS; i++)
            mean += rows_x[i * COLUMNS + j] / ROWS;
        for (size_t i = 0; i < ROWS; i++)
            squares += pow(rows_x[i * COLUMNS + j] - mean, 2);
        for (size_t i = 0; i < ROWS; i++)
            z[i * COLUMNS + j] =
                (rows_x[i * COLUMNS + j] - mean) / sqrt(squares / (ROWS - 1));
    }
}

/* Plain gradient descent on all rows, written out. */
static void descend(double *beta, int steps, double step, double l2)
{
    static double z[ROWS * COLUMNS];

    standardise(z);
    memset(beta, 0, (1 + COLUMNS) * sizeof *beta);
    for (int s = 0; s < steps; s++) {
        double g[1 + COLUMNS] = {0};
        for (size_t i = 0; i < ROWS; i++) {
            double eta = beta[0];
            for (size_t j = 0; j < COLUMNS; j++)
                eta += beta[j + 1] * z[i * COLUMNS + j];
            double r = 1 / (1 + exp(-eta)) - rows_y[i];
            g[0] += r / ROWS;
            for (size_t j = 0; j < COLUMNS; j++)
                g[j + 1] += r * z[i * COLUMNS + j] / ROWS;
        }
        for (size_t j = 0; j <= COLUMNS; j++)
            beta[j] -= step * (g[j] + (j == 0 ? 0 : l2 / ROWS * beta[j]));
    }
}

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

static void run(struct cohort *c)
{
    make_rows(2);
    deal(c);
    cohort_run(c);
    assert_string_equal(c->report.failure, "");
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
    assert_true(c.rounds < 300);
    assert_near(c.report.test.log_loss, least, 1e-9);
    assert_int_equal(c.report.n_test, 40);
    cohort_close(&c);
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

static void failures_say_why(void **unused)
{
    struct cohort c = cohort_of("logistic", "fedavg", 5);

    (void)unused;
    make_rows(2);
    for (size_t i = 0; i < ROWS; i++)
        rows_y[i] = 1;
    deal(&c);
    cohort_run(&c);
    assert_non_null(strstr(c.report.failure, "one value of 'y'"));
    cohort_close(&c);
    c = cohort_of("logistic", "fedavg", 5);
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

/* Counts go through a grid unharmed, whatever its noise and the sites. */
static void digits_survive_the_grid(void **unused)
{
    static const double values[] = {0, 1, 1.0 / 3, 569, 123456.789, 1e9};
    uint64_t at_random = 3;

    (void)unused;
    for (uint8_t lane = 16; lane <= 32; lane += 16)
        for (uint8_t bits = 2; bits <= lane - 3; bits++) {
            struct fixed_shape s = {
                .bound = 0.37, .lane_bits = lane, .value_bits = bits};
            double x[64], carry[64] = {0}, total = 0;
            uint32_t lanes[64], sum[64] = {0};
            s.length = digits_count(&s);
            assert_true(s.length <= 64 && lanes_fit(&s, SITES));
            for (int site = 0; site < SITES; site++) {
                uint8_t seed[PRG_SEED_BYTES];
                size_t at;
                for (size_t i = 0; i < sizeof seed; i++)
                    seed[i] = (uint8_t)cohort_next(&at_random);
                double value = values[cohort_next(&at_random) % 6];
                total += value;
                assert_true(digits_write(x, value, &s));
                assert_int_equal(lanes_encode(lanes, carry, x, &s, seed, &at),
                                 0);
                lanes_add(sum, lanes, s.length, &s);
            }
            size_t at;
            assert_int_equal(lanes_decode(x, sum, SITES, &s, &at), 0);
            assert_near(digits_read(x, &s), total, 1e-6 + 1e-15 * total);
            if (bits >= 20) { /* where a point is held with its noise */
                x[s.length - 1] += s.bound / (double)((1 << (bits - 1)) - 1);
                assert_near(digits_read(x, &s), total, 1e-6 + 1e-15 * total);
            }
            assert_false(digits_write(x, -1, &s));
            assert_false(digits_write(x, 1e10, &s));
            assert_false(digits_write(x, (double)NAN, &s));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fedsgd_is_gradient_descent_on_all_rows),
        cmocka_unit_test(methods_differ_where_they_should),
        cmocka_unit_test(scaffold_reaches_the_optimum_of_all_rows),
        cmocka_unit_test(a_missing_site_leaves_the_mean),
        cmocka_unit_test(a_repeated_round_starts_from_the_same_control),
        cmocka_unit_test(a_control_is_the_mean_gradient),
        cmocka_unit_test(controls_are_within_the_clip),
        cmocka_unit_test(means_are_over_the_rows_in_the_sum),
        cmocka_unit_test(patience_waits_for_the_rows_it_goes_by),
        cmocka_unit_test(odd_sites_take_part),
        cmocka_unit_test(steps_follow_the_schedule),
        cmocka_unit_test(training_stops_where_test_loss_was_least),
        cmocka_unit_test(softmax_and_networks_learn),
        cmocka_unit_test(fedadam_divides_by_the_root_of_squares),
        cmocka_unit_test(raw_columns_train_as_they_stand),
        cmocka_unit_test(failures_say_why),
        cmocka_unit_test(training_that_runs_away_declines),
        cmocka_unit_test(training_that_ends_worse_than_it_began_fails),
        cmocka_unit_test(forged_sums_are_survived),
        cmocka_unit_test(digits_survive_the_grid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
