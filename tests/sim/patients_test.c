#include "sim/patients.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "node/scratch.h"

static size_t total(const size_t *counts)
{
    size_t sum = 0;

    for (size_t i = 0; i < PATIENTS_SITES; i++)
        sum += counts[i];
    return sum;
}

static void write_table(size_t rows)
{
    FILE *file = fopen(scratch_path("breast_cancer.csv"), "w");

    assert_non_null(file);
    fprintf(file, "%zu,30,malignant,benign\n", rows);
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < 30; i++)
            fprintf(file, "%zu.5,", row * 100 + i);
        fprintf(file, "%d\n", row % 3 == 0 ? 0 : 1);
    }
    fclose(file);
}

static void every_patient_lands_at_one_site_with_malignant_as_1(void **state)
{
    struct patients patients;
    struct error error;
    size_t size;

    (void)state;
    write_table(300);
    assert_int_equal(patients_read(&patients, scratch_path("to.csv"),
                                   scratch_path("breast_cancer.csv"), &error),
                     0);
    assert_int_equal(total(patients.rows), 300);
    assert_int_equal(total(patients.cases), 100);
    assert_int_equal(patients.features, 30);
    char *bytes = scratch_read(scratch_path("to.csv"), &size);
    assert_non_null(strstr(bytes, "site,set,radius_mean,texture_mean,"));
    assert_non_null(strstr(bytes, ",fractal_dimension_worst,y\n"));
    assert_non_null(strstr(bytes, ",0.5,1.5,2.5,"));
    assert_non_null(strstr(bytes, ",29.5,1\n"));
    assert_non_null(strstr(bytes, ",129.5,0\n"));
    free(bytes);
}

static void sites_differ_in_size_and_case_mix(void **state)
{
    struct patients p, again;
    struct error error;

    (void)state;
    assert_int_equal(patients_make(&p, scratch_path("a.csv"), &error), 0);
    assert_int_equal(patients_make(&again, scratch_path("b.csv"), &error), 0);
    assert_memory_equal(&p, &again, sizeof p);
    for (size_t i = 0; i < PATIENTS_SITES; i++) {
        assert_true(p.rows[i] >= 30);
        assert_true(p.cases[i] >= 5 && p.rows[i] - p.cases[i] >= 5);
    }
    assert_true(p.rows[0] > 2 * p.rows[4]);
    assert_true(p.cases[4] * p.rows[1] > 2 * p.cases[1] * p.rows[4]);
}

static void another_table_is_refused_by_name_and_line(void **state)
{
    struct patients patients;
    struct error error;
    const char *from =
        scratch_write("breast_cancer.csv", "2,30,malignant,benign\n1,2,3\n");

    (void)state;
    assert_int_equal(
        patients_read(&patients, scratch_path("to.csv"), from, &error),
        -EINVAL);
    assert_non_null(strstr(error.text, "breast_cancer.csv:2: found a row"));
    from = scratch_write("breast_cancer.csv", "age,y\n1,2\n");
    assert_int_equal(
        patients_read(&patients, scratch_path("to.csv"), from, &error),
        -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_patient_lands_at_one_site_with_malignant_as_1),
        cmocka_unit_test(sites_differ_in_size_and_case_mix),
        cmocka_unit_test(another_table_is_refused_by_name_and_line),
    };

    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
