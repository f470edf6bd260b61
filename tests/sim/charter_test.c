#include "sim/charter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "node/scratch.h"

static const char text[] =
    "version: 1\n"
    "study: heart\n"
    "on_loss: stop\n"
    "sites:\n"
    "  - {name: ann, data: rows.csv, rows: {column: site, equals: ann}}\n"
    "  - {name: ben, data: rows.csv, rows: {column: site, equals: ben}}\n"
    "  - {name: cyd, data: rows.csv, rows: {column: site, equals: cyd}}\n"
    "task: {kind: logistic, method: newton, target: y, l2: 0.25}\n"
    "rounds: {max: 33, deadline_ms: 1234}\n"
    "seed: 9\n"
    "network: {loss: 0.1, crash: [{site: ann, round: 1, at: after-y}]}\n";

static struct study *read_study(const char *path)
{
    struct study *study;
    struct error error;

    if (study_read(&study, path, &error) != 0)
        fail_msg("%s", error.text);
    return study;
}

static struct study *rewritten(struct charter_site *sites)
{
    struct study *study = read_study(scratch_write("study.yaml", text));
    uint8_t seed[PRG_SEED_BYTES] = {3};
    struct error error;
    struct prg prg;

    scratch_write("rows.csv",
                  "site,x,\"odd: \"\"name\"\", # 1\",y\nann,1,2,0\n");
    if (study_resolve(study, scratch_path("rows.csv"), &error) != 0)
        fail_msg("%s", error.text);
    prg_seed(&prg, seed);
    for (uint32_t i = 0; i < study->site_count; i++) {
        struct identity identity;
        identity_generate(&identity, &prg);
        sites[i].key = identity.open;
        snprintf(sites[i].address, sizeof sites[i].address,
                 "tcp://127.0.0.1:%u", 4000 + (unsigned)i);
    }
    const char *path = scratch_path("charter.yaml");
    if (charter_write(path, study, sites, &error) != 0)
        fail_msg("%s", error.text);
    study_free(study);
    return read_study(path);
}

static void settings_are_kept(void **state)
{
    struct charter_site sites[3];
    struct study *study = rewritten(sites);

    (void)state;
    assert_string_equal(study->name, "heart");
    assert_int_equal(study->on_loss, GOSSIP_STOP);
    assert_int_equal(study->rounds_max, 33);
    assert_int_equal(study->deadline_ms, 1234);
    assert_true(study->task.l2 == 0.25);
    assert_int_equal(study->task.feature_count, 2);
    assert_string_equal(study->task.features[1], "odd: \"name\", # 1");
    study_free(study);
}

static void every_site_has_its_address_and_key_and_no_data(void **state)
{
    struct charter_site sites[3];
    struct study *study = rewritten(sites);

    (void)state;
    assert_int_equal(study->site_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_string_equal(study->sites[i].address, sites[i].address);
        assert_true(study->sites[i].has_key);
        assert_memory_equal(&study->sites[i].key, &sites[i].key,
                            sizeof sites[i].key);
        assert_null(study->sites[i].data);
        assert_null(study->sites[i].rows_column);
    }
    study_free(study);
}

static void nothing_of_the_simulation_is_left(void **state)
{
    struct charter_site sites[3];
    struct study *study = rewritten(sites);

    (void)state;
    assert_int_equal(study->crash_count, 0);
    assert_true(study->loss == 0);
    study_free(study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_kept),
        cmocka_unit_test(every_site_has_its_address_and_key_and_no_data),
        cmocka_unit_test(nothing_of_the_simulation_is_left),
    };

    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
