#include "sim/parcel.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "node/scratch.h"

static void expect(const char *table, const char *column, const char *equals,
                   const char *wanted, size_t wanted_rows)
{
    const struct dataset_filter filter = {.column = column, .equals = equals};
    struct error error;
    size_t rows, size;
    const char *from = scratch_write("table.csv", table);
    const char *to = scratch_path("rows.csv");

    assert_int_equal(parcel_rows(&rows, to, from, &filter, &error), 0);
    char *bytes = scratch_read(to, &size);
    assert_string_equal(bytes, wanted);
    assert_int_equal(rows, wanted_rows);
    free(bytes);
}

static void a_site_gets_its_own_rows_and_no_others(void **state)
{
    (void)state;
    expect("site,x\nva,1\nlake,2\nva,3\n", "site", "va", "site,x\nva,1\nva,3\n",
           2);
    expect("x,site\n1,va\n2,vast\n3, va \n", "site", "va",
           "x,site\n1,va\n3, va \n", 2);
}

static void bytes_stay_as_they_stand(void **state)
{
    (void)state;
    expect("\xef\xbb\xbf\"site\",note\r\n\"va\",\"a, \"\"b\"\"\nva\"\r\n"
           "lake,\"va\"\r\nva,last",
           "site", "va",
           "\xef\xbb\xbf\"site\",note\r\n\"va\",\"a, \"\"b\"\"\nva\"\r\n"
           "va,last\n",
           2);
}

static void without_a_filter_all_rows_are_the_sites(void **state)
{
    (void)state;
    expect("x,y\n1,2\n3,4\n", NULL, NULL, "x,y\n1,2\n3,4\n", 2);
}

static void a_misspelt_filter_gives_no_row_to_anybody(void **state)
{
    const struct dataset_filter filter = {.column = "sitee", .equals = "va"};
    struct error error;
    size_t rows;
    const char *from = scratch_write("table.csv", "site,x\nva,1\n");

    (void)state;
    assert_int_equal(
        parcel_rows(&rows, scratch_path("rows.csv"), from, &filter, &error),
        -EINVAL);
    assert_non_null(strstr(error.text, "table.csv:1: found no column 'sitee'"));
}

static void a_site_without_rows_is_an_error_that_names_the_filter(void **state)
{
    const struct dataset_filter filter = {.column = "site", .equals = "va"};
    struct error error;
    size_t rows;
    const char *from = scratch_write("table.csv", "site,x\nlake,1\n");

    (void)state;
    assert_int_equal(
        parcel_rows(&rows, scratch_path("rows.csv"), from, &filter, &error),
        -EINVAL);
    assert_non_null(strstr(error.text, "site = va"));
    assert_int_equal(parcel_rows(&rows, scratch_path("rows.csv"),
                                 scratch_path("absent.csv"), &filter, &error),
                     -ENOENT);
}

static void only_the_owner_may_read_a_sites_rows(void **state)
{
    struct stat about;

    (void)state;
    unlink(scratch_path("rows.csv"));
    expect("x\n1\n", NULL, NULL, "x\n1\n", 1);
    assert_int_equal(stat(scratch_path("rows.csv"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
}

static void a_full_disk_leaves_no_part_of_the_rows(void **state)
{
    const struct dataset_filter filter = {0};
    const struct rlimit few = {.rlim_cur = 4, .rlim_max = RLIM_INFINITY};
    struct rlimit before;
    struct error error;
    size_t rows;
    const char *from = scratch_write("table.csv", "x,y\n1,2\n3,4\n");
    const char *to = scratch_path("rows.csv");

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
    int code = parcel_rows(&rows, to, from, &filter, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(code, -EIO);
    assert_non_null(strstr(error.text, strerror(EFBIG)));
    assert_int_equal(access(to, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_gets_its_own_rows_and_no_others),
        cmocka_unit_test(bytes_stay_as_they_stand),
        cmocka_unit_test(without_a_filter_all_rows_are_the_sites),
        cmocka_unit_test(a_misspelt_filter_gives_no_row_to_anybody),
        cmocka_unit_test(a_site_without_rows_is_an_error_that_names_the_filter),
        cmocka_unit_test(only_the_owner_may_read_a_sites_rows),
        cmocka_unit_test(a_full_disk_leaves_no_part_of_the_rows),
    };

    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
