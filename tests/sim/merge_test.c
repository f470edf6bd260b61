#include "sim/merge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "node/scratch.h"

static struct study_site sites[] = {{.name = "ann"}, {.name = "ben"}};
static const struct study study = {
    .sites = sites, .site_count = 2, .rounds_max = 9};
static char out[512];
static int rounds_seen = 4;
static const uint64_t lost[] = {0, 1000};

static void write_site(const char *site, const char *hash, const char *rows)
{
    char path[600];

    snprintf(path, sizeof path, "%s/%s", out, site);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/result.json", out, site);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "{\"rounds\": %d, \"state_hash\": \"%s\", \"notes\": [\"%s\", "
            "\"both\", \"%s\"], \"per_site\": [{\"site\": \"%s\", "
            "\"bytes_sent\": 5}], "
            "\"wall_seconds\": 1}",
            rounds_seen, hash, site,
            strcmp(site, "ann") == 0 ? "small is this site" : "both", site);
    fclose(file);
    snprintf(path, sizeof path, "%s/%s/rounds.csv", out, site);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "round,virtual_ms,survivors,loss,phase,bytes_sent,awaited,accuracy,"
            "test_loss,test_accuracy\n%s",
            rows);
    fclose(file);
}

static int clean(void **state)
{
    static const char *const names[] = {"result.json", "rounds.csv"};
    char path[600];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 2; j++) {
            snprintf(path, sizeof path, "%s/%s/%s", out, sites[i].name,
                     names[j]);
            unlink(path);
        }
        snprintf(path, sizeof path, "%s/%s", out, sites[i].name);
        rmdir(path);
    }
    return 0;
}

static void a_note_on_one_sites_rows_bears_its_name(void **state)
{
    struct error error;
    json_t *result;

    (void)state;
    write_site("ann", "ab", "");
    write_site("ben", "ab", "");
    assert_int_equal(merge_results(&result, &study, out, lost, 1, &error), 0);
    const json_t *notes = json_object_get(result, "notes");
    assert_int_equal(json_array_size(notes), 4);
    assert_string_equal(json_string_value(json_array_get(notes, 3)),
                        "ann: small is this site");
    json_decref(result);
}

static void sites_and_notes_come_together_once(void **state)
{
    struct error error;
    json_t *result;

    (void)state;
    write_site("ann", "ab", "");
    write_site("ben", "ab", "");
    assert_int_equal(merge_results(&result, &study, out, lost, 2.5, &error), 0);
    assert_int_equal(json_array_size(json_object_get(result, "per_site")), 2);
    assert_int_equal(json_array_size(json_object_get(result, "notes")), 4);
    const json_t *ben = json_array_get(json_object_get(result, "per_site"), 1);
    assert_int_equal(json_integer_value(json_object_get(ben, "bytes_sent")),
                     1005);
    assert_true(json_number_value(json_object_get(result, "wall_seconds")) ==
                2.5);
    json_decref(result);
}

static void bytes_of_a_round_are_summed_and_gaps_filled(void **state)
{
    struct error error;
    json_t *result;
    size_t size;

    (void)state;
    write_site("ann", "ab",
               "0,5,2,,means,100,,,,\n2,9,1,0.5,fedavg,10,ben,0.7,,0.6\n"
               "3,12,2,,fedavg,1,,,,\n"); /* was killed before it knew */
    write_site("ben", "ab",
               "0,6,2,,means,11,,,,\n1,7,2,,squares,7,,,,\n"
               "2,9,1,0.5,fedavg,20,,0.7,,0.6\n"
               "3,11,2,0.4,fedavg,2,,0.8,,0.7\n");
    assert_int_equal(merge_results(&result, &study, out, lost, 1, &error), 0);
    json_decref(result);
    char *bytes = scratch_read(scratch_path("rounds.csv"), &size);
    assert_string_equal(
        bytes, "round,virtual_ms,survivors,loss,phase,bytes_sent,awaited,"
               "accuracy,test_loss,test_accuracy\n"
               "0,6,2,,means,111,,,,\n1,7,2,,squares,7,,,,\n"
               "2,9,1,0.5,fedavg,30,ben,0.7,,0.6\n"
               "3,12,2,0.4,fedavg,3,,0.8,,0.7\n");
    free(bytes);
}

static void the_common_part_is_of_a_site_that_saw_all_rounds(void **state)
{
    struct error error;
    json_t *result;

    (void)state;
    rounds_seen = 1;
    write_site("ann", "ab", "");
    rounds_seen = 3;
    write_site("ben", "ab", "");
    assert_int_equal(merge_results(&result, &study, out, lost, 1, &error), 0);
    assert_int_equal(json_integer_value(json_object_get(result, "rounds")), 3);
    assert_int_equal(json_array_size(json_object_get(result, "per_site")), 2);
    json_decref(result);
}

static void sites_that_disagree_have_no_common_result(void **state)
{
    struct error error;
    json_t *result;

    (void)state;
    unlink(scratch_path("result.json"));
    write_site("ann", "ab", "");
    write_site("ben", "cd", "");
    assert_int_equal(merge_results(&result, &study, out, lost, 1, &error),
                     -EINVAL);
    assert_non_null(strstr(error.text, "cd at ben"));
    assert_null(result);
    assert_int_equal(access(scratch_path("result.json"), F_OK), -1);
}

static void a_site_that_never_returned_is_named(void **state)
{
    struct error error;
    json_t *result;

    (void)state;
    assert_int_equal(merge_results(&result, &study, out, lost, 1, &error),
                     -ENOENT);
    write_site("ben", "ab", "");
    assert_int_equal(merge_results(&result, &study, out, lost, 1, &error), 0);
    char *text = json_dumps(json_object_get(result, "notes"), 0);
    assert_non_null(strstr(text, "ann has no result of its own"));
    free(text);
    json_decref(result);
}

static int make(void **state)
{
    int code = scratch_make(state);

    snprintf(out, sizeof out, "%s", scratch_folder);
    return code;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_note_on_one_sites_rows_bears_its_name,
                                  clean),
        cmocka_unit_test_teardown(sites_and_notes_come_together_once, clean),
        cmocka_unit_test_teardown(bytes_of_a_round_are_summed_and_gaps_filled,
                                  clean),
        cmocka_unit_test_teardown(
            the_common_part_is_of_a_site_that_saw_all_rounds, clean),
        cmocka_unit_test_teardown(sites_that_disagree_have_no_common_result,
                                  clean),
        cmocka_unit_test_teardown(a_site_that_never_returned_is_named, clean),
    };

    return cmocka_run_group_tests(tests, make, scratch_remove);
}
