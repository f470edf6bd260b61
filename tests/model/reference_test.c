/* Full-batch training of a network, in both precisions, against losses that
 * another program computed. */

#include "model/cohort.h"
#include "model/net32.h"
#include "model/net64.h"

/* The reference's MLP: 30-16-1, relu, step 0.5, all 455 training rows. */
struct wdbc {
    struct cohort c;
    struct net net;
    double *x;
    float *narrow;
    int32_t *y;
    double w[600];
    size_t rows;
};

static const char *shared(const char *name)
{
    static char path[4096];
    const char *root = getenv("STARLING_SHARED");

    snprintf(path, sizeof path, "%s/data/breast-cancer-wdbc/%s",
             root == NULL ? "../../../shared" : root, name);
    return path;
}

static void read_rows(struct wdbc *b)
{
    char **names;
    size_t width;

    b->c.spec = cohort_spec("logistic", 0);
    assert_int_equal(
        dataset_header(&names, &width, shared("wdbc.csv"), &b->c.error), 0);
    char *features[30];
    for (size_t i = 0, used = 0; i < width; i++)
        if (strcmp(names[i], "site") != 0 && strcmp(names[i], "row") != 0 &&
            strcmp(names[i], "set") != 0 && strcmp(names[i], "y") != 0)
            features[used++] = names[i];
    b->c.spec.features = features;
    b->c.spec.feature_count = 30;
    b->c.spec.split_column = "set";
    b->c.spec.split_train = "train";
    b->c.spec.split_test = "test";
    if (dataset_read(&b->c.data[0], shared("wdbc.csv"), NULL, &b->c.spec,
                     &b->c.error) != 0)
        fail_msg("%s", b->c.error.text);
    for (size_t i = 0; i < width; i++)
        free(names[i]);
    free(names);
}

static void standardise(struct wdbc *b)
{
    const struct dataset *d = b->c.data[0];

    for (size_t j = 0; j < 30; j++) {
        double mean = 0, squares = 0, n = 0;
        for (size_t i = 0; i < d->row_count; i++)
            if (!d->test[i]) {
                mean += d->x[i * 30 + j];
                n++;
            }
        mean /= n;
        for (size_t i = 0; i < d->row_count; i++)
            if (!d->test[i])
                squares += pow(d->x[i * 30 + j] - mean, 2);
        double sd = sqrt(squares / (n - 1));
        for (size_t i = 0, row = 0; i < d->row_count; i++)
            if (!d->test[i])
                b->x[row++ * 31 + 1 + j] = (d->x[i * 30 + j] - mean) / sd;
    }
}

static void wdbc_new(struct wdbc *b)
{
    static const size_t hidden[] = {16};

    read_rows(b);
    const struct dataset *d = b->c.data[0];
    b->x = calloc(d->row_count * 31, sizeof *b->x);
    b->narrow = calloc(d->row_count * 31, sizeof *b->narrow);
    b->y = calloc(d->row_count, sizeof *b->y);
    for (size_t i = 0; i < d->row_count; i++)
        if (!d->test[i]) {
            b->x[b->rows * 31] = 1;
            b->y[b->rows++] = (int32_t)d->y[i];
        }
    assert_int_equal(b->rows, 455);
    standardise(b);
    for (size_t i = 0; i < b->rows * 31; i++)
        b->narrow[i] = (float)b->x[i];
    net_init(&b->net, 30, hidden, 1, 1, NET_RELU);
    FILE *file = fopen(shared("mlp-init.txt"), "r");
    assert_non_null(file);
    for (size_t i = 16; i < net_count(&b->net); i++)
        if (i != b->net.offset[1])
            assert_int_equal(fscanf(file, "%lf", &b->w[i]), 1);
    fclose(file);
}

static void train(struct wdbc *b, const struct net_kernel *k, double within)
{
    static const struct {
        uint64_t steps;
        double loss;
    } reference[] = {
        {0, 0.695534051542}, {1, 0.311172984714}, {10, 0.11791617509}};
    double delta[600], w[600], sums[NET_SUMS];
    void *work = malloc(k->work_size(&b->net, b->rows));
    const void *x = k == &net32_kernel ? (const void *)b->narrow : b->x;

    for (size_t r = 0; r < 3; r++) {
        struct net_descent d = {.net = &b->net,
                                .x = x,
                                .y = b->y,
                                .rows = b->rows,
                                .start = b->w,
                                .step = 0.5,
                                .steps = reference[r].steps};
        k->descend(delta, &d, work);
        for (size_t i = 0; i < net_count(&b->net); i++)
            w[i] = b->w[i] + delta[i];
        k->measure(sums, NULL, &b->net, w, x, b->y, b->rows, work);
        double loss = sums[NET_LOSS] / (double)b->rows;
        print_message("%zu bytes, %d steps: off by %.1e\n", k->real_size,
                      (int)d.steps, fabs(loss - reference[r].loss));
        assert_near(loss, reference[r].loss, within);
    }
    free(work);
}

static void breast_cancer_follows_its_reference(void **unused)
{
    static struct wdbc b;

    (void)unused;
    wdbc_new(&b);
    train(&b, &net64_kernel, 1e-9);
    train(&b, &net32_kernel, 1e-5);
    dataset_free(b.c.data[0]);
    free(b.x);
    free(b.narrow);
    free(b.y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breast_cancer_follows_its_reference)};
    if (access(shared("wdbc.csv"), R_OK) != 0) {
        print_message("no file %s: skipped\n", shared("wdbc.csv"));
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
