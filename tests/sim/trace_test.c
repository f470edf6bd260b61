/* Golden traces: the whole life of a small study, read like a story. With
 * UPDATE=1 in the environment the files are rewritten; then read the diff. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/adversary.h"
#include "sim/cohort.h"
#include "sim/world.h"

enum { TRACE_SIZE_MAX = 1 << 20, MEMBERS = 4, ALL = 15 };

static struct cohort cohort;

static int begin(void **state)
{
    (void)state;
    cohort_new(&cohort, "linear", MEMBERS, "wait");
    return 0;
}

static int begin_siege(void **state)
{
    (void)state;
    cohort_make(&cohort, "linear", 5, "active", "continue");
    return 0;
}

static int end(void **state)
{
    (void)state;
    cohort_free(&cohort);
    return 0;
}

static struct world_config quiet(void)
{
    struct world_config config;

    world_config_of(&config, cohort.study,
                    (const struct dataset *const *)cohort.datasets);
    config.story = true;
    return config;
}

static void compare(const char *name, const char *actual)
{
    static char expected[TRACE_SIZE_MAX];
    char path[COHORT_PATH_SIZE];
    bool update = getenv("UPDATE") != NULL;

    snprintf(path, sizeof path, "traces/%s.txt", name);
    FILE *file = fopen(path, update ? "w" : "r");
    if (file == NULL)
        fail_msg("%s: not there; run with UPDATE=1 and read the diff", path);
    if (update) {
        assert_true(fputs(actual, file) >= 0);
    } else {
        size_t size = fread(expected, 1, sizeof expected - 1, file);
        expected[size] = '\0';
        if (strcmp(actual, expected) != 0)
            fail_msg("%s: the trace has changed; run with UPDATE=1 and read "
                     "the diff",
                     path);
    }
    fclose(file);
}

/* Everything happens in round 0; the story ends when round 1 has its vectors.
 */
static void cut(char *text)
{
    char *last = strstr(text, " note y r1 ");

    assert_non_null(last);
    strcpy(strchr(last, '\n') + 1, "...\n");
}

/* Runs to the end; `words` must be part of the story. */
static void tells(const char *name, struct world_config config,
                  const char *words)
{
    struct error error = {{0}};
    struct world *world;
    char *text = NULL;
    size_t size;

    config.trace = open_memstream(&text, &size);
    assert_non_null(config.trace);
    assert_int_equal(world_new(&world, &config, &error), 0);
    int status = world_run(world);
    fclose(config.trace);
    if (status != 0)
        fail_msg("%s: %s", name, world_reason(world));
    world_free(world);
    cut(text);
    if (strstr(text, words) == NULL)
        fail_msg("%s does not tell '%s'", name, words);
    compare(name, text);
    free(text);
}

static struct world_crash dies(uint32_t member, enum world_when when,
                               enum wire_type type, uint64_t restart_after_ms)
{
    return (struct world_crash){.member = member,
                                .when = when,
                                .type = type,
                                .round = 0,
                                .restart_after_ms = restart_after_ms};
}

static struct world_drop loses(uint64_t from, uint64_t to, enum wire_type type,
                               enum wire_kind kind)
{
    return (struct world_drop){.from = from,
                               .to = to,
                               .types = UINT64_C(1) << type,
                               .round = 0,
                               .attempt = 0,
                               .ballot = 0,
                               .kind = (uint32_t)kind,
                               .until_ms = 60000};
}

static void a_quiet_study(void **state)
{
    struct world_config config = quiet();

    (void)state;
    config.story = false;
    tells("quiet", config, "note opened r0 a0 all");
}

static void a_loss_before_y(void **state)
{
    struct world_config config = quiet();

    (void)state;
    config.crashes[config.crash_count++] = dies(1, WORLD_BEFORE, WIRE_Y, 1000);
    tells("loss-before-y", config, "note awaited r0");
}

static void a_loss_after_y(void **state)
{
    struct world_config config = quiet();

    (void)state;
    config.crashes[config.crash_count++] = dies(1, WORLD_AFTER, WIRE_Y, 3000);
    tells("loss-after-y", config, "note copy r0 a0 ben held by");
}

static void a_silent_proposer(void **state)
{
    struct world_config config = quiet();

    (void)state;
    config.drops[config.drop_count++] =
        loses(1u << 0, ALL, WIRE_PROPOSE, WIRE_V);
    tells("silent-proposer", config, "ben -> ann,cyd,dan PROPOSE r0 a0");
}

/* Two members see the PREPAREs of ballot 0, and lock; two do not. */
static void a_split_vote(void **state)
{
    struct world_config config = quiet();

    (void)state;
    config.drops[config.drop_count++] = loses(ALL, 12, WIRE_PREPARE, WIRE_U);
    config.drops[config.drop_count++] = loses(ALL, 12, WIRE_COMMIT, WIRE_U);
    tells("split-vote", config, " LOCK r0 a0");
}

static void a_restart_between_commit_and_unmask(void **state)
{
    struct world_config config = quiet();

    (void)state;
    config.crashes[config.crash_count++] =
        dies(2, WORLD_BEFORE, WIRE_UNMASK, 500);
    tells("restart-between-commit-and-unmask", config, "cyd starts again");
}

static void an_owner_lost_after_recv(void **state)
{
    struct world_config config = quiet();

    (void)state;
    config.crashes[config.crash_count++] =
        dies(3, WORLD_AFTER, WIRE_RECV, 3000);
    tells("owner-lost-after-recv", config, "note copy r0 a0 dan");
}

/* Ben lies; the seed gives it a habit that suits the story. */
static struct world_config lying(enum adversary_deceit deceit, uint64_t seed)
{
    struct world_config config = quiet();

    config.seed = seed;
    config.liars = 2;
    config.deceits[1] = UINT64_C(1) << deceit;
    return config;
}

static void a_lying_owner(void **state)
{
    (void)state;
    tells("lying-owner", lying(ADVERSARY_SUM, 22), "note lied r0 a0 ben");
}

static void two_vectors_of_one_member(void **state)
{
    (void)state;
    tells("two-vectors", lying(ADVERSARY_TWO_Y, 5),
          "note equivocated r0 a0 ben");
}

int main(void)
{
#define SIEGE(test) cmocka_unit_test_setup_teardown(test, begin_siege, end)
#define STORY(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        STORY(a_quiet_study),
        STORY(a_loss_before_y),
        STORY(a_loss_after_y),
        STORY(a_silent_proposer),
        STORY(a_split_vote),
        STORY(a_restart_between_commit_and_unmask),
        STORY(an_owner_lost_after_recv),
        SIEGE(a_lying_owner),
        SIEGE(two_vectors_of_one_member),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
