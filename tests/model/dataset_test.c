/* CSV files of every kind, right and wrong. */

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/dataset.h"

static char *features[] = {"age", "cp"};
static char *levels[] = {"1", "2", "4"};
static struct task_categorical cp = {"cp", levels, 3};

static struct task_spec plain_spec(void)
{
    return (struct task_spec){.kind = "logistic",
                              .method = "newton",
                              .target = "y",
                              .features = features,
                              .feature_count = 2,
                              .categorical = &cp,
                              .categorical_count = 1};
}

/* path must be "/tmp/...XXXXXX". */
static void write_file(char *path, const char *text, size_t size)
{
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, size), (ssize_t)size);
    close(file);
}

static int read_sized(struct dataset **data, const char *text, size_t size,
                      const struct dataset_filter *filter,
                      const struct task_spec *spec, struct error *error)
{
    char path[] = "/tmp/starling-csv-XXXXXX";
    write_file(path, text, size);
    int code = dataset_read(data, path, filter, spec, error);
    unlink(path);
    return code;
}

static int read_text(struct dataset **data, const char *text,
                     const struct task_spec *spec, struct error *error)
{
    return read_sized(data, text, strlen(text), NULL, spec, error);
}

static struct dataset *good(const char *text, const struct task_spec *spec)
{
    struct dataset *data;
    struct error error = {""};
    if (read_text(&data, text, spec, &error) != 0)
        fail_msg("%s", error.text);
    return data;
}

/* The message holds `expected`, behind the file's name. */
static void bad(const char *text, const struct task_spec *spec,
                const char *expected)
{
    struct dataset *data;
    struct error error = {""};
    assert_int_equal(read_text(&data, text, spec, &error), -EINVAL);
    assert_null(data);
    if (strstr(error.text, expected) == NULL)
        fail_msg("'%s' lacks '%s'", error.text, expected);
    assert_null(strchr(error.text, '\n'));
}

static const char plain[] = "age,cp,note,y\n63,1,a,0\n41.5,4,b,1\n50,2.0,c,1\n";

static void columns_come_in_the_study_s_order(void **unused)
{
    struct task_spec spec = plain_spec();
    struct dataset *d = good(plain, &spec);
    static const double x[] = {63, 0, 0, 41.5, 0, 1, 50, 1, 0};
    (void)unused;
    assert_int_equal(d->row_count, 3);
    assert_int_equal(d->column_count, 3);
    assert_string_equal(d->names[0], "age");
    assert_string_equal(d->names[1], "cp=2");
    assert_string_equal(d->names[2], "cp=4");
    assert_memory_equal(d->x, x, sizeof x);
    assert_true(d->y[0] == 0 && d->y[1] == 1 && d->y[2] == 1);
    assert_int_equal(d->test[0] + d->test[1] + d->test[2], 0);
    dataset_free(d);
    static char *turned[] = {"cp", "age"};
    spec.features = turned;
    d = good(plain, &spec);
    assert_string_equal(d->names[0], "cp=2");
    assert_string_equal(d->names[2], "age");
    dataset_free(d);
    static char *alone[] = {"age"};
    spec.features = alone;
    spec.feature_count = 1;
    d = good(plain, &spec);
    assert_string_equal(d->names[0], "age");
    assert_string_equal(d->names[1], "cp=2");
    dataset_free(d);
}

static void quotes_crlf_bom_and_blanks_change_nothing(void **unused)
{
    static const char *const same[] = {
        "\xEF\xBB\xBF"
        "age,cp,note,y\r\n63,1,a,0\r\n41.5,4,b,1\r\n50,2,c,1\r\n",
        "\"age\",\"cp\",\"note\",\"y\"\n\"63\",\"1\",\"a, \"\"b\"\"\",\"0\"\n"
        "41.5,4,\"two\nlines\",1\n50,\"2\",,1",
        "\n age , cp,note,y\n\n63 ,1, a,0\n 41.5,\t4,b,1\n50,\"2\" ,c,1\n\r\n",
        "note,y,age,cp\n,0,6.3e1,1.0\n,1,+41.50,4\n,1,0050,2e0\n"};
    struct task_spec spec = plain_spec();
    struct dataset *d = good(plain, &spec);
    (void)unused;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        struct dataset *other = good(same[i], &spec);
        assert_memory_equal(d->fingerprint, other->fingerprint, 32);
        dataset_free(other);
    }
    struct dataset *changed =
        good("age,cp,note,y\n63,1,a,0\n41.5,4,b,1\n50.5,2.0,c,1\n", &spec);
    assert_memory_not_equal(d->fingerprint, changed->fingerprint, 32);
    dataset_free(changed);
    dataset_free(d);
}

static const char holes[] = "age,cp,y\n63,1,0\n,1,1\nNA,2,0\n50,?,1\nnan,4,1\n"
                            "NaN,4,0\n60,2,NA\n61,4,1\n";

static void rows_with_missing_values_are_dropped(void **unused)
{
    struct task_spec spec = plain_spec();
    struct dataset *d = good(holes, &spec);
    (void)unused;
    assert_int_equal(d->row_count, 2);
    assert_int_equal(d->dropped, 6);
    assert_true(d->x[0] == 63 && d->x[3] == 61);
    dataset_free(d);
}

static void
missing_values_stay_for_the_mean_but_not_in_the_target(void **unused)
{
    struct task_spec spec = plain_spec();
    (void)unused;
    spec.missing = TASK_MISSING_MEAN;
    struct dataset *d = good(holes, &spec);
    assert_int_equal(d->row_count, 7);
    assert_int_equal(d->dropped, 1);
    assert_true(isnan(d->x[3]));
    assert_true(d->x[4] == 0);
    assert_true(d->x[9] == 50 && isnan(d->x[10]) && isnan(d->x[11]));
    dataset_free(d);
}

static void missing_values_fail_where_the_study_says_so(void **unused)
{
    struct task_spec spec = plain_spec();
    (void)unused;
    spec.missing = TASK_MISSING_FAIL;
    bad(holes, &spec, ":3: column 'age': found ''");
    bad("age,cp,y\n1,?,0\n", &spec, ":2: column 'cp': found '?'");
    bad("age,cp,y\n1,1,0\n1,1,NA\n", &spec, ":3: column 'y': found 'NA'");
}

static void split_and_filter_choose_rows(void **unused)
{
    static const char text[] = "site,set,age,cp,y\na,train,1,1,0\nb,odd,x,9,7\n"
                               "a,test,2,2,1\na,train,3,4,1\n";
    struct task_spec spec = plain_spec();
    struct dataset_filter filter = {.column = "site", .equals = "a"},
                          none = {.column = "site", .equals = "zurich"},
                          other = {.column = "sitee", .equals = "a"};
    struct dataset *d;
    struct error error = {""};
    (void)unused;
    spec.split_column = "set";
    spec.split_train = "train";
    spec.split_test = "test";
    assert_int_equal(read_sized(&d, text, strlen(text), &filter, &spec, &error),
                     0);
    assert_int_equal(d->row_count, 3);
    assert_int_equal(d->test[0], 0);
    assert_int_equal(d->test[1], 1);
    assert_int_equal(d->test[2], 0);
    dataset_free(d);
    assert_int_equal(read_sized(&d, text, strlen(text), &none, &spec, &error),
                     -EINVAL);
    assert_non_null(strstr(error.text, "'site' equals 'zurich'"));
    bad(text, &spec,
        ":3: column 'set': found 'odd', expected 'train' or 'test'");
    bad("set,age,cp,y\ntest,1,1,0\n", &spec, "found no training row");
    assert_int_equal(read_sized(&d, text, strlen(text), &other, &spec, &error),
                     -EINVAL);
    assert_non_null(strstr(error.text, ":1: found no column 'sitee'"));
    assert_non_null(strstr(error.text, "the nearest is 'site'"));
}

static void only_a_sites_own_file_may_lack_the_filters_column(void **unused)
{
    static const char own[] = "age,cp,y\n1,1,0\n2,2,1\n";
    static const char shared[] = "site,age,cp,y\na,1,1,0\nb,2,2,1\n";
    struct dataset_filter filter = {.column = "site", .equals = "a"};
    struct task_spec spec = plain_spec();
    struct dataset *d;
    struct error error = {""};
    (void)unused;
    assert_int_equal(read_sized(&d, own, strlen(own), &filter, &spec, &error),
                     -EINVAL);
    assert_non_null(strstr(error.text, "found no column 'site'"));
    filter.optional = true;
    assert_int_equal(read_sized(&d, own, strlen(own), &filter, &spec, &error),
                     0);
    assert_int_equal(d->row_count, 2);
    assert_false(d->filtered);
    dataset_free(d);
    assert_int_equal(
        read_sized(&d, shared, strlen(shared), &filter, &spec, &error), 0);
    assert_int_equal(d->row_count, 1);
    assert_true(d->filtered);
    dataset_free(d);
}

static void every_mistake_names_its_line(void **unused)
{
    struct task_spec spec = plain_spec();
    (void)unused;
    bad("age,cp,y\n1,1,0\nabc,1,0\n", &spec,
        ":3: column 'age': found 'abc', expected a number");
    bad("age,cp,y\n\"1\n\",1,0\n", &spec, ":2: column 'age'");
    bad("age,cp,note,y\n1,1,\"two\nlines\",0\n1x,1,,0\n", &spec,
        ":4: column 'age': found '1x'");
    bad("age,cp,y\r\n1,1,0\r\n0x10,1,0\r\n", &spec, ":3: column 'age'");
    bad("age,cp,y\n1,1,0\n1,1,0\n1,3,0\n", &spec,
        ":4: column 'cp': found '3', expected one of the study's levels: 1, "
        "2, 4");
    bad("age,cp,y\n1,1,2\n", &spec, ":2: column 'y': found 2, expected 0 or 1");
    bad("age,cp,y\n1,1,yes\n", &spec, ":2: column 'y': found 'yes'");
    bad("age,cp,y\n1,1,0\ninf,1,0\n", &spec,
        ":3: column 'age': found 'inf', expected a finite number");
    bad("age,cp,y\n1e999,1,0\n", &spec, "expected a finite number");
    bad("age,cp,y\n1,1,0\n1,1\n", &spec, ":3: found 2 fields, expected 3");
    bad("age,cp,y\n1,1,0,\n", &spec, ":2: found 4 fields, expected 3");
    bad("age,cp,y\n1,1,0\n\"1,1,0\n1,1,1\n", &spec,
        ":3: found a quote that is never closed");
    bad("age,cp,y\n\"1\"x,1,0\n", &spec, ":2: found 'x,1,0");
    bad("agee,cp,y\n1,1,0\n", &spec, ":1: found no column 'age'");
    bad("agee,cp,y\n1,1,0\n", &spec, "the nearest is 'agee'");
    bad("age,cp,age,y\n1,1,0,0\n", &spec, ":1: found two columns named 'age'");
    bad("age;cp;y\n1;1;0\n", &spec, "expected names parted by ','");
    bad("", &spec, "found an empty file");
    bad("\n\n", &spec, "blank lines only");
    bad("age,cp,y\n", &spec, "found a header and no rows");
    bad("age,cp,y\n?,1,0\n", &spec, "found no training row");
}

static void binary_files_and_absent_ones_are_refused(void **unused)
{
    static const char nul[] = "age,cp,y\n1,1,0\n1,\0,0\n";
    struct task_spec spec = plain_spec();
    struct dataset *d;
    struct error error = {""};
    (void)unused;
    assert_int_equal(read_sized(&d, nul, sizeof nul - 1, NULL, &spec, &error),
                     -EINVAL);
    assert_non_null(strstr(error.text, ":3: found a NUL byte"));
    assert_int_equal(dataset_read(&d, "no/such.csv", NULL, &spec, &error),
                     -ENOENT);
    assert_string_equal(error.text,
                        "no/such.csv: No such file or directory; give an "
                        "existing CSV file with --data or data:");
    assert_int_equal(dataset_read(&d, "/tmp", NULL, &spec, &error), -EISDIR);
}

static void a_feature_named_twice_is_refused(void **unused)
{
    static char *twice[] = {"age", "age"}, *target[] = {"age", "y"};
    struct task_spec spec = plain_spec();
    (void)unused;
    spec.features = twice;
    bad(plain, &spec, "the feature 'age' twice");
    spec.features = target;
    bad(plain, &spec, "both as the target and as a feature");
}

static void linear_targets_may_be_any_number(void **unused)
{
    struct task_spec spec = plain_spec();
    (void)unused;
    spec.kind = "linear";
    struct dataset *d = good("age,cp,y\n1,1,-2.5\n", &spec);
    assert_true(d->y[0] == -2.5);
    dataset_free(d);
}

static void header_gives_the_names(void **unused)
{
    char path[] = "/tmp/starling-csv-XXXXXX", **names;
    size_t count;
    struct error error = {""};
    (void)unused;
    write_file(path, "\"a,b\",c\n1,2\n", 12);
    assert_int_equal(dataset_header(&names, &count, path, &error), 0);
    unlink(path);
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "a,b");
    assert_string_equal(names[1], "c");
    free(names[0]);
    free(names[1]);
    free(names);
}

static void a_hundred_thousand_rows_are_read(void **unused)
{
    enum { ROWS = 100000, COLUMNS = 20, LINE = COLUMNS * 12 };
    char *text = malloc((size_t)ROWS * LINE), name[COLUMNS][8];
    char *list[COLUMNS];
    size_t size = 0;
    struct timespec from, to;
    (void)unused;
    for (int j = 0; j < COLUMNS; j++) {
        snprintf(name[j], sizeof name[j], "x%d", j);
        list[j] = name[j];
        size += (size_t)sprintf(text + size, "x%d,", j);
    }
    size += (size_t)sprintf(text + size, "y\n");
    for (unsigned i = 0; i < ROWS; i++) {
        for (unsigned j = 0; j < COLUMNS; j++)
            size += (size_t)sprintf(text + size, "%u.%04u,", (i * 7 + j) % 1000,
                                    (i * 31 + j) % 10000);
        size += (size_t)sprintf(text + size, "%u\n", i % 2);
    }
    struct task_spec spec = {.kind = "logistic",
                             .target = "y",
                             .features = list,
                             .feature_count = COLUMNS};
    clock_gettime(CLOCK_MONOTONIC, &from);
    struct dataset *d;
    struct error error = {""};
    assert_int_equal(read_sized(&d, text, size, NULL, &spec, &error), 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_int_equal(d->row_count, ROWS);
    assert_true(d->x[(size_t)99999 * COLUMNS + 3] == 996.9972);
    print_message("100000 rows of 20 columns: %.0f ms\n",
                  (double)(to.tv_sec - from.tv_sec) * 1e3 +
                      (double)(to.tv_nsec - from.tv_nsec) / 1e6);
    dataset_free(d);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_come_in_the_study_s_order),
        cmocka_unit_test(quotes_crlf_bom_and_blanks_change_nothing),
        cmocka_unit_test(rows_with_missing_values_are_dropped),
        cmocka_unit_test(
            missing_values_stay_for_the_mean_but_not_in_the_target),
        cmocka_unit_test(missing_values_fail_where_the_study_says_so),
        cmocka_unit_test(split_and_filter_choose_rows),
        cmocka_unit_test(only_a_sites_own_file_may_lack_the_filters_column),
        cmocka_unit_test(every_mistake_names_its_line),
        cmocka_unit_test(binary_files_and_absent_ones_are_refused),
        cmocka_unit_test(a_feature_named_twice_is_refused),
        cmocka_unit_test(linear_targets_may_be_any_number),
        cmocka_unit_test(header_gives_the_names),
        cmocka_unit_test(a_hundred_thousand_rows_are_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
