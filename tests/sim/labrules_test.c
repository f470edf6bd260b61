/* The lab's algorithms that no trajectory file has, against slow obvious ones;
 * identities between algorithms; what compressors keep on average. */

#include "sim/trial.h"

#include "sim/lab/compress.h"

enum { N = TRIAL_NODES, D = 2, STEPS = 30 };

static const double step = 0.1;

/* Problem trial_problem()'s gradients, written out again. */
static void gradient(double g[D], int i, const double x[D])
{
    const double a[D][D] = {{1 + i % 3 / 4.0, 0.25}, {0.25, 1 + i % 2 / 2.0}};
    const double c[D] = {i % 5, -i / 3.0};

    for (int k = 0; k < D; k++)
        g[k] = a[k][0] * (x[0] - c[0]) + a[k][1] * (x[1] - c[1]);
}

/* out = W x of the ring's Metropolis weights, all 1/3. */
static void mix(double out[N][D], double x[N][D])
{
    for (int i = 0; i < N; i++)
        for (int k = 0; k < D; k++)
            out[i][k] =
                (x[(i + N - 1) % N][k] + x[i][k] + x[(i + 1) % N][k]) / 3;
}

static void gradients(double g[N][D], double x[N][D])
{
    for (int i = 0; i < N; i++)
        gradient(g[i], i, x[i]);
}

struct expected {
    double x[STEPS + 1][N][D];
    double worst;
};

static void compare(void *context, const char *label,
                    const struct course_row *row, const struct course *course)
{
    struct expected *e = context;

    (void)label;
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < D; k++)
            e->worst = fmax(e->worst, fabs(course_state(course, i)[k] -
                                           e->x[row->step][i][k]));
}

static void expect(struct expected *e, const char *graph, const char *entry)
{
    const struct lab_options options = {
        .threads = 1, .watch = compare, .context = e};
    struct error error = {{0}};
    struct lab *lab;
    char text[512];

    snprintf(text, sizeof text,
             "version: 1\nnodes: 12\ngraph: {name: %s}\nsteps: %d\n"
             "problem: {kind: quadratic, file: q.csv}\n"
             "algorithms: [{%s}]\n",
             graph, STEPS, entry);
    e->worst = 0;
    if (lab_run(&lab, scratch_write("e.yaml", text), &options, &error) != 0)
        fail_msg("%s", error.text);
    lab_free(lab);
    if (!(e->worst < 1e-12))
        fail_msg("%s: off by %g", entry, e->worst);
}

/* X1 = X0 - step G0, then W~ (2 X1 - X0 - step (G1 - G0)), W~ = (I + W) / 2 */
static void nids_is_its_recursion(void **state)
{
    struct expected e = {0};
    double g[N][D], before[N][D], v[N][D], wv[N][D];

    (void)state;
    gradients(before, e.x[0]);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < D; k++)
            e.x[1][i][k] = -step * before[i][k];
    for (int t = 1; t < STEPS; t++) {
        gradients(g, e.x[t]);
        for (int i = 0; i < N; i++)
            for (int k = 0; k < D; k++)
                v[i][k] = 2 * e.x[t][i][k] - e.x[t - 1][i][k] -
                          step * (g[i][k] - before[i][k]);
        mix(wv, v);
        for (int i = 0; i < N; i++)
            for (int k = 0; k < D; k++) {
                e.x[t + 1][i][k] = (v[i][k] + wv[i][k]) / 2;
                before[i][k] = g[i][k];
            }
    }
    expect(&e, "ring", "name: nids, step: 0.1");
}

/* Step, mix with what is known, then send the larger coordinate of x - xh. */
static void choco_of_2020_mixes_first(void **state)
{
    struct expected e = {0};
    double known[N][D] = {{0}}, mixed[N][D], g[N][D];

    (void)state;
    for (int t = 0; t < STEPS; t++) {
        gradients(g, e.x[t]);
        mix(mixed, known);
        for (int i = 0; i < N; i++) {
            double off[D];
            for (int k = 0; k < D; k++) {
                e.x[t + 1][i][k] = e.x[t][i][k] - step * g[i][k] +
                                   0.3 * (mixed[i][k] - known[i][k]);
                off[k] = e.x[t + 1][i][k] - known[i][k];
            }
            const int larger = fabs(off[1]) > fabs(off[0]);
            known[i][larger] += off[larger];
        }
    }
    expect(&e, "ring",
           "name: choco-sgd, step: 0.1, gamma: 0.3, order: iclr20, "
           "compressor: {kind: top-k, k: 1}");
}

/* On the exact average these are gradient descent on F, node by node. */
static void all_are_descent_on_the_complete_graph(void **state)
{
    static const char *const entries[] = {
        "name: dgd-atc, step: 0.1",
        "name: local-dsgd, step: 0.1, local_steps: 1",
        "name: fedavg, step: 0.1, local_steps: 1",
        "name: fedprox, step: 0.1, local_steps: 1, mu: 1",
        "name: scaffold, step: 0.1, server_step: 1, local_steps: 1",
        "name: gt-atc, step: 0.1",
        "name: d2, step: 0.1",
        "name: sgp, step: 0.1",
        "name: dmsgd, step: 0.1, beta: 0",
        "name: choco-sgd, step: 0.1, gamma: 1",
        "name: deepsqueeze, step: 0.1, gamma: 1"};
    struct expected e = {0};
    double g[N][D];

    (void)state;
    for (int t = 0; t < STEPS; t++) {
        gradients(g, e.x[t]);
        for (int k = 0; k < D; k++) {
            double mean = 0;
            for (int i = 0; i < N; i++)
                mean += g[i][k] / N;
            for (int i = 0; i < N; i++)
                e.x[t + 1][i][k] = e.x[t][i][k] - step * mean;
        }
    }
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        expect(&e, "complete", entries[i]);
}

/* rand-k keeps every coordinate as often; QSGD is right on average, but for
 * the factor that makes it contract. */
static void drawn_compressors_keep_the_mean(void **state)
{
    enum { DRAWS = 40000, SIZE = 10 };
    const struct compress rand = {COMPRESS_RAND_K, 3, 0};
    const struct compress qsgd = {COMPRESS_QSGD, 0, 4};
    const double scale = 1 + fmin(SIZE / 16.0, sqrt(SIZE) / 4);
    double in[SIZE], out[SIZE], r[SIZE] = {0}, q[SIZE] = {0};

    (void)state;
    for (int k = 0; k < SIZE; k++)
        in[k] = 1 + (7 * k + 3) % 11;
    for (uint64_t t = 0; t < DRAWS; t++) {
        compress_apply(out, &rand, in, SIZE, 1, 0, t, 0);
        for (int k = 0; k < SIZE; k++)
            r[k] += out[k] / DRAWS;
        compress_apply(out, &qsgd, in, SIZE, 1, 0, t, 0);
        for (int k = 0; k < SIZE; k++)
            q[k] += out[k] * scale / DRAWS;
    }
    for (int k = 0; k < SIZE; k++) {
        trial_near(r[k] / in[k], 3.0 / SIZE, 0.012);
        trial_near(q[k], in[k], 0.1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nids_is_its_recursion),
        cmocka_unit_test(choco_of_2020_mixes_first),
        cmocka_unit_test(all_are_descent_on_the_complete_graph),
        cmocka_unit_test(drawn_compressors_keep_the_mean),
    };
    return cmocka_run_group_tests(tests, trial_open, scratch_remove);
}
