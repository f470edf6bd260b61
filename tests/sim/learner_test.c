/* The lab's models on data sets: gradients against differences of the loss,
 * partitions, and an experiment. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "node/scratch.h"
#include "sim/lab/lab.h"
#include "sim/lab/slopes.h"

enum { NODES = 6, ROWS = 120, CLASSES = 3 };

/* Labels follow the features, so that there is something to learn. */
static int open_all(void **state)
{
    int code = scratch_make(state);
    FILE *file = code == 0 ? fopen(scratch_path("rows.csv"), "w") : NULL;

    if (file == NULL)
        return -1;
    fputs("a,y,b,site\n", file);
    for (int i = 0; i < ROWS; i++) {
        double a = (37 * i % 101) / 50.0 - 1, b = (53 * i % 97) / 48.0 - 1;
        fprintf(file, "%.17g,%d,%.17g,%d\n", a,
                a > 0.2 ? 0
                : b > 0 ? 1
                        : 2,
                b, i % NODES);
    }
    return fclose(file);
}

static struct learner *learner(enum learner_split split, size_t hidden)
{
    const struct learner_spec spec = {.data = scratch_path("rows.csv"),
                                      .target = "y",
                                      .split = split,
                                      .column = split == LEARNER_COLUMN ? "site"
                                                                        : NULL,
                                      .alpha = 0.1,
                                      .hidden = hidden,
                                      .lambda = 0.01};
    struct error error = {{0}};
    struct learner *l;

    if (learner_read(&l, &spec, NODES, &error) != 0)
        fail_msg("%s", error.text);
    return l;
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    for (size_t hidden = 0; hidden <= 5; hidden += 5) {
        struct learner *l = learner(LEARNER_IID, hidden);
        const size_t size = learner_size(l);
        double x[64], g[64], sum[64] = {0}, room[1024];
        const struct slopes_way way = {.room = room};
        assert_in_range(slopes_room(l), 1, 1024);
        assert_in_range(size, 1, 64);
        for (size_t k = 0; k < size; k++)
            x[k] = (double)(k * k % 7) / 5 - 0.5;
        for (size_t i = 0; i < NODES; i++) {
            slopes_of(g, l, i, x, NULL, &way);
            for (size_t k = 0; k < size; k++)
                sum[k] += g[k] / NODES;
        }
        for (size_t k = 0; k < size; k++) {
            const double h = 1e-6, kept = x[k];
            x[k] = kept + h;
            double up = learner_value(l, x);
            x[k] = kept - h;
            double down = learner_value(l, x);
            x[k] = kept;
            assert_true(fabs((up - down) / (2 * h) - sum[k]) < 1e-8);
        }
        learner_free(l);
    }
}

/* How unlike the nodes' labels are: sum over nodes of the largest share. */
static double skew(const struct learner *l)
{
    double sum = 0;

    for (size_t i = 0; i < NODES; i++) {
        size_t count[CLASSES] = {0}, most = 0;
        for (size_t r = l->start[i]; r < l->start[i + 1]; r++)
            if (++count[l->label[r]] > most)
                most = count[l->label[r]];
        if (l->start[i + 1] > l->start[i])
            sum += (double)most / (double)(l->start[i + 1] - l->start[i]);
    }
    return sum / NODES;
}

static void partitions_deal_every_row_once(void **state)
{
    double skews[4];

    (void)state;
    for (int s = 0; s < 4; s++) {
        struct learner *l = learner((enum learner_split)s, 0);
        double sum = 0, z[4];
        assert_int_equal(l->start[NODES], ROWS);
        assert_int_equal(l->classes, CLASSES);
        assert_int_equal(l->features, s == LEARNER_COLUMN ? 2 : 3);
        for (size_t r = 0; r < ROWS; r++)
            sum += (learner_row(z, l, r), z[0]);
        double expected = 0;
        for (int i = 0; i < ROWS; i++)
            expected += (37 * i % 101) / 50.0 - 1;
        assert_true(fabs(sum - expected) < 1e-10);
        for (size_t i = 0; i < NODES && s != LEARNER_DIRICHLET; i++)
            assert_int_equal(l->start[i + 1] - l->start[i], ROWS / NODES);
        skews[s] = skew(l);
        learner_free(l);
    }
    assert_true(skews[LEARNER_LABEL] > skews[LEARNER_IID] + 0.2);
    assert_true(skews[LEARNER_DIRICHLET] > skews[LEARNER_IID]);
}

static struct lab *run(const char *partition, const char *batch)
{
    const struct lab_options options = {.threads = 1};
    char text[1024];
    struct error error = {{0}};
    struct lab *lab;

    snprintf(text, sizeof text,
             "version: 1\nnodes: 6\ngraph: {name: ring}\nsteps: 300\n"
             "problem: {kind: model, model: softmax, data: rows.csv, lambda: "
             "0.01, partition: {kind: %s}%s}\nalgorithms:\n"
             "- {name: dgd-atc, step: 0.5}\n- {name: gt-atc, step: 0.5}\n",
             partition, batch);
    if (lab_run(&lab, scratch_write("e.yaml", text), &options, &error) != 0)
        fail_msg("%s", error.text);
    return lab;
}

static void unlike_nodes_need_tracking(void **state)
{
    struct lab *like = run("iid", ""), *unlike = run("label", "");
    struct lab *batches = run("iid", ", batch: 4");
    const struct course_row *dgd = lab_rows(unlike, "dgd-atc", 0);
    const struct course_row *tracked = lab_rows(unlike, "gt-atc", 0);
    const struct course_row *easy = lab_rows(like, "dgd-atc", 0);
    const struct course_row *noisy = lab_rows(batches, "dgd-atc", 0);

    (void)state;
    assert_true(fabs(dgd[0].gap - log(CLASSES)) < 1e-12);
    assert_true(dgd[300].cons > 10 * easy[300].cons);
    assert_true(tracked[300].cons < dgd[300].cons / 100);
    assert_true(tracked[300].gap < 0.8 * dgd[0].gap);
    assert_true(noisy[300].gap < 0.8 * noisy[0].gap);
    assert_true(noisy[300].cons > 2 * easy[300].cons);
    lab_free(like);
    lab_free(unlike);
    lab_free(batches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
        cmocka_unit_test(partitions_deal_every_row_once),
        cmocka_unit_test(unlike_nodes_need_tracking),
    };
    return cmocka_run_group_tests(tests, open_all, scratch_remove);
}
