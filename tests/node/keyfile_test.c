#include "node/keyfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "node/scratch.h"

static void make_keys(const char *name)
{
    static const uint8_t seed[PRG_SEED_BYTES] = {7};
    struct identity identity;
    struct error error;
    struct prg prg;

    prg_seed(&prg, seed);
    identity_generate(&identity, &prg);
    assert_int_equal(keyfile_write(scratch_path(name), &identity, NULL, &error),
                     0);
}

static void keys_that_others_can_read_or_write_are_refused(void **state)
{
    static const mode_t modes[] = {0640, 0620, 0604, 0602, 0644};
    struct error error = {""};
    struct identity identity;
    bool sealed;
    (void)state;

    make_keys("a.keys");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(scratch_path("a.keys"), modes[i]), 0);
        assert_int_equal(
            keyfile_sealed(&sealed, scratch_path("a.keys"), &error), -EACCES);
        assert_int_equal(
            keyfile_read(&identity, scratch_path("a.keys"), NULL, &error),
            -EACCES);
        assert_non_null(strstr(error.text, "run chmod 600 "));
        assert_non_null(strstr(error.text, "a.keys"));
    }
    assert_int_equal(chmod(scratch_path("a.keys"), 0600), 0);
    assert_int_equal(
        keyfile_read(&identity, scratch_path("a.keys"), NULL, &error), 0);
}

static void
only_for_a_file_that_is_not_there_new_keys_are_proposed(void **state)
{
    struct error error;
    bool sealed;

    (void)state;
    scratch_write("file", "x");
    assert_int_equal(
        keyfile_sealed(&sealed, scratch_path("absent.keys"), &error), -ENOENT);
    assert_non_null(strstr(error.text, "starling init"));
    assert_int_equal(
        keyfile_sealed(&sealed, scratch_path("file/a.keys"), &error), -ENOTDIR);
    assert_null(strstr(error.text, "starling init"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_that_others_can_read_or_write_are_refused),
        cmocka_unit_test(
            only_for_a_file_that_is_not_there_new_keys_are_proposed),
    };

    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
