#include "node/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "node/scratch.h"

static char site_a[] = "cleveland", site_b[] = "va", site_c[] = "hungarian";
static char logistic[] = "logistic", linear[] = "linear", newton[] = "newton";

static struct study_site sites[3] = {
    {.name = site_a}, {.name = site_b}, {.name = site_c}};
static struct study study = {
    .name = "heart",
    .sites = sites,
    .site_count = 3,
    .task = {.kind = logistic, .method = newton},
    .seed = 7,
};
static struct task_coefficient coefficients[2] = {
    {"(intercept)", 0.1, 1.0 / 3, 2, 0.31, -0.12, 0.38},
    {"age", -2.5e-17, NAN, NAN, NAN, NAN, NAN}};
static struct task_scaling scaling[1] = {{"age", 53.25, 9.5}};
static struct task_report report = {
    .converged = true,
    .n_train = 486,
    .n_test = 254,
    .deviance = 406.336568833,
    .coefficients = coefficients,
    .coefficient_count = 2,
    .scaling = scaling,
    .scaling_count = 1,
    .train = {486, 0.41, 0.9, 0.83, 0.12, NAN, NAN},
    .test = {0, NAN, NAN, NAN, NAN, NAN, NAN},
    .notes = {"one class at va"},
    .note_count = 1,
};
static const struct result_site per_site[2] = {
    {site_a, 199, 104, 51234, 0.83, 0.86}, {site_b, 85, 45, 12, NAN, 0.5}};
static const struct result_round rounds[2] = {
    {1, 40, 7, NAN, 1000, 0, "means", {NAN, NAN, NAN}, NAN, 0},
    {2, 95, 3, 0.1, 2000, 6, "newton", {0.75, NAN, 0.5}, NAN, 0}};
static const char *const notes[1] = {"a note of the driver"};

static struct result whole(void)
{
    return (struct result){
        .study = &study,
        .report = &report,
        .sites = per_site,
        .site_count = 2,
        .rounds = rounds,
        .round_count = 2,
        .state_hash = {0xab, 0x01},
        .sum_exact = true,
        .knows_sum_exact = true,
        .simulated = true,
        .virtual_seconds = 1.9,
        .wall_seconds = NAN,
        .notes = notes,
        .note_count = 1,
    };
}

static json_t *written(const struct result *result)
{
    struct error error = {""};
    json_error_t why;
    char path[600];

    if (result_write(result, scratch_folder, &error) != 0)
        fail_msg("%s", error.text);
    snprintf(path, sizeof path, "%s", scratch_path("result.json"));
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL)
        fail_msg("%s", why.text);
    return root;
}

static const json_t *at(const json_t *root, const char *a, size_t i,
                        const char *b)
{
    const json_t *list = json_object_get(root, a);
    const json_t *found = json_object_get(json_array_get(list, i), b);

    assert_non_null(found);
    return found;
}

static void what_is_written_reads_back_to_the_last_bit(void **state)
{
    struct result result = whole();
    json_t *root = written(&result);
    (void)state;

    assert_int_equal(json_integer_value(json_object_get(root, "version")), 1);
    assert_string_equal(json_string_value(json_object_get(root, "study")),
                        "heart");
    assert_true(json_is_true(json_object_get(root, "converged")));
    assert_true(json_is_true(json_object_get(root, "sum_exact")));
    assert_true(json_real_value(json_object_get(root, "deviance")) ==
                406.336568833);
    assert_true(json_real_value(at(root, "coefficients", 0, "std_error")) ==
                1.0 / 3);
    assert_true(json_real_value(at(root, "coefficients", 1, "estimate")) ==
                -2.5e-17);
    assert_true(json_real_value(json_array_get(
                    at(root, "coefficients", 0, "ci95"), 1)) == 0.38);
    assert_int_equal(json_integer_value(at(root, "per_site", 0, "bytes_sent")),
                     51234);
    assert_true(json_real_value(at(root, "standardisation", 0, "mean")) ==
                53.25);
    assert_string_equal(
        json_string_value(at(root, "standardisation", 0, "name")), "age");
    const char *hash = json_string_value(json_object_get(root, "state_hash"));
    assert_int_equal(strlen(hash), 64);
    assert_memory_equal(hash, "ab0100", 6);
    const json_t *list = json_object_get(root, "notes");
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(json_string_value(json_array_get(list, 0)),
                        "one class at va");
    assert_true(json_number_value(json_object_get(root, "virtual_seconds")) ==
                1.9);
    assert_int_equal(json_integer_value(json_object_get(root, "seed")), 7);
    json_decref(root);
}

static void survivors_are_counts_one_for_each_round(void **state)
{
    struct result result = whole();
    json_t *root = written(&result);
    const json_t *list = json_object_get(root, "survivors");
    (void)state;

    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_integer_value(json_array_get(list, 0)), 3);
    assert_int_equal(json_integer_value(json_array_get(list, 1)), 2);
    assert_int_equal(json_integer_value(json_object_get(root, "rounds")), 2);
    json_decref(root);
}

static void every_result_says_that_it_has_no_noise(void **state)
{
    struct result result = whole();
    (void)state;

    result.note_count = 0;
    report.note_count = 0;
    json_t *root = written(&result);
    report.note_count = 1;
    const json_t *list = json_object_get(root, "notes");
    assert_int_equal(json_array_size(list), 1);
    assert_non_null(strstr(json_string_value(json_array_get(list, 0)),
                           "not differentially private"));
    json_decref(root);
}

static void a_real_node_has_neither_virtual_time_nor_seed(void **state)
{
    struct result result = whole();
    (void)state;

    result.simulated = false;
    json_t *root = written(&result);
    assert_true(json_is_null(json_object_get(root, "virtual_seconds")));
    assert_true(json_is_null(json_object_get(root, "seed")));
    json_decref(root);
}

static void what_is_not_known_is_null(void **state)
{
    struct result result = whole();
    (void)state;

    result.knows_sum_exact = false;
    json_t *root = written(&result);
    assert_true(json_is_null(json_object_get(root, "sum_exact")));
    assert_true(json_is_null(json_object_get(root, "wall_seconds")));
    assert_true(json_is_null(at(root, "coefficients", 1, "std_error")));
    assert_true(json_is_null(at(root, "coefficients", 1, "p")));
    assert_true(json_is_null(at(root, "coefficients", 1, "ci95")));
    assert_true(json_is_null(at(root, "per_site", 1, "local_auc")));
    const json_t *test =
        json_object_get(json_object_get(root, "metrics"), "test");
    assert_int_equal(json_integer_value(json_object_get(test, "n")), 0);
    assert_true(json_is_null(json_object_get(test, "auc")));
    json_decref(root);
}

static void regression_has_its_own_metrics(void **state)
{
    struct result result = whole();
    (void)state;

    study.task.kind = linear;
    report.train.mse = 0.25;
    json_t *root = written(&result);
    study.task.kind = logistic;
    report.train.mse = NAN;
    const json_t *train =
        json_object_get(json_object_get(root, "metrics"), "train");
    assert_true(json_real_value(json_object_get(train, "mse")) == 0.25);
    assert_null(json_object_get(train, "auc"));
    json_decref(root);
}

static void keys_stand_in_the_order_of_the_format(void **state)
{
    static const char *const order[] = {
        "\"version\"",   "\"study\"",    "\"task\"",       "\"method\"",
        "\"converged\"", "\"rounds\"",   "\"members\"",    "\"survivors\"",
        "\"n_train\"",   "\"deviance\"", "\"metrics\"",    "\"per_site\"",
        "\"sum_exact\"", "\"seed\"",     "\"state_hash\"", "\"notes\""};
    struct result result = whole();
    size_t size;
    (void)state;

    json_decref(written(&result));
    char *bytes = scratch_read(scratch_path("result.json"), &size);
    const char *from = bytes;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        from = strstr(from, order[i]);
        assert_non_null(from);
    }
    free(bytes);
}

static void rounds_are_a_table_with_names_of_the_awaited(void **state)
{
    struct result result = whole();
    size_t size;
    (void)state;

    json_decref(written(&result));
    char *bytes = scratch_read(scratch_path("rounds.csv"), &size);
    assert_string_equal(
        bytes, "round,virtual_ms,survivors,loss,phase,bytes_sent,awaited,"
               "accuracy,test_loss,test_accuracy\n"
               "1,40,3,,means,1000,,,,\n"
               "2,95,2,0.10000000000000001,newton,2000,va+hungarian,0.75,,0.5"
               "\n");
    free(bytes);
}

static void a_folder_that_cannot_be_written_is_named(void **state)
{
    struct result result = whole();
    struct error error = {""};
    (void)state;

    const char *file = scratch_write("plain", "");
    assert_int_equal(result_write(&result, file, &error), -ENOTDIR);
    assert_non_null(strstr(error.text, "plain"));
    assert_non_null(strstr(error.text, "Not a directory"));
    assert_int_equal(result_write(&result, scratch_path("a/b"), &error),
                     -ENOENT);
}

static void one_sites_part_reads_back(void **state)
{
    struct result result = whole();
    struct result_part part;
    struct error error = {""};
    char path[600];
    (void)state;

    json_decref(written(&result));
    snprintf(path, sizeof path, "%s", scratch_path("result.json"));
    assert_int_equal(result_read_site(&part, path, "va", &error), 0);
    assert_string_equal(part.site, "va");
    assert_int_equal(part.bytes_sent, 12);
    assert_int_equal(part.n_test, 45);
    assert_true(isnan(part.local_auc) && part.global_auc == 0.5);
    assert_int_equal(part.rounds, 2);
    assert_memory_equal(part.state_hash, "ab01", 4);
    assert_int_equal(part.coefficient_count, 2);
    assert_string_equal(part.coefficients[1].name, "age");
    assert_true(part.coefficients[0].std_error == 1.0 / 3);
    assert_true(part.coefficients[0].high == 0.38);
    assert_true(isnan(part.coefficients[1].p));
    result_free_part(&part);
    assert_int_equal(result_read_site(&part, path, "nobody", &error), -EINVAL);
    assert_non_null(strstr(error.text, "found no per_site entry"));
    scratch_write("result.json", "{\"per_site\": [");
    assert_int_equal(result_read_site(&part, path, NULL, &error), -EINVAL);
    assert_non_null(strstr(error.text, "result.json:1: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_to_the_last_bit),
        cmocka_unit_test(survivors_are_counts_one_for_each_round),
        cmocka_unit_test(every_result_says_that_it_has_no_noise),
        cmocka_unit_test(a_real_node_has_neither_virtual_time_nor_seed),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(regression_has_its_own_metrics),
        cmocka_unit_test(keys_stand_in_the_order_of_the_format),
        cmocka_unit_test(rounds_are_a_table_with_names_of_the_awaited),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_named),
        cmocka_unit_test(one_sites_part_reads_back),
    };

    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
