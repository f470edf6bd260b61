/* Members that lie, by each deceit alone and by draws of them, and members that
 * come and go: the honest end with the result, and no checker fires. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/adversary.h"
#include "sim/chaos.h"
#include "sim/churn.h"
#include "sim/cohort.h"
#include "sim/deceit.h"
#include "sim/world.h"

enum { FIVE = 5, LIAR = 1, ROUNDS = 6, SIEGE_SEEDS = 24, CHURN_SEEDS = 20 };

static struct world_config quiet(const struct cohort *c)
{
    struct world_config config;

    c->study->task.rounds_max = ROUNDS; /* sums beyond that say no more */
    world_config_of(&config, c->study,
                    (const struct dataset *const *)c->datasets);
    return config;
}

/* Whether there is a result; a violation fails the test. */
static bool ends_well(const struct world_config *config,
                      struct world_facts *facts, const char *what)
{
    struct error error = {{0}};
    struct world *w;

    if (world_new(&w, config, &error) != 0)
        fail_msg("%s", error.text);
    bool good = world_run(w) == 0;
    if (world_violation(w)[0] != '\0')
        fail_msg("%s: %s", what, world_reason(w));
    if (!good)
        print_message("%s: %s\n", what, world_reason(w));
    world_facts(w, facts);
    world_free(w);
    return good;
}

/* Deceits that leave no letter, or need what a quiet network, or one pod, does
 * not bring: lost ballots, WANTs, a second liar, sums that wait for pods. */
static bool may_be_idle(enum adversary_deceit deceit)
{
    static const enum adversary_deceit those[] = {
        ADVERSARY_SILENT, ADVERSARY_NO_Y,   ADVERSARY_WITHHOLD,
        ADVERSARY_LOCK,   ADVERSARY_STATE,  ADVERSARY_WANT,
        ADVERSARY_PROXY,  ADVERSARY_SETTLED};

    for (size_t i = 0; i < sizeof those / sizeof *those; i++)
        if (those[i] == deceit)
            return true;
    return false;
}

static void no_deceit_alone_stops_the_honest(void **state)
{
    struct world_facts facts;
    struct cohort c;

    (void)state;
    cohort_make(&c, "linear", FIVE, "active", "continue");
    for (int d = 0; d < ADVERSARY_DECEITS; d++) {
        uint64_t lies = 0;
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct world_config config = quiet(&c);
            config.seed = seed;
            config.liars = 1 << LIAR;
            config.deceits[LIAR] = UINT64_C(1) << d;
            assert_true(ends_well(&config, &facts,
                                  deceit_name((enum adversary_deceit)d)));
            assert_int_equal(facts.steady, 31 & ~(1 << LIAR));
            lies += facts.lies;
        }
        if (lies == 0 && !may_be_idle((enum adversary_deceit)d))
            fail_msg("%s was never practised",
                     deceit_name((enum adversary_deceit)d));
    }
    cohort_free(&c);
}

static void a_siege_ends_with_the_result(void **state)
{
    uint32_t finished = 0, enough = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SIEGE_SEEDS; seed++) {
        const uint32_t members = FIVE + (uint32_t)(seed % 4);
        struct world_facts facts;
        char what[32];
        struct cohort c;
        cohort_make(&c, "linear", members, "active", "continue");
        struct world_config config = quiet(&c);
        struct adversary_config drawn = {.seed = seed};
        adversary_draw(&drawn, members, c.study->colluders);
        config.liars = drawn.liars;
        memcpy(config.deceits, drawn.deceits, sizeof config.deceits);
        config.seed = seed;
        config.end_ms = 200000;
        chaos_draw(&config);
        config.crash_count = 0;
        snprintf(what, sizeof what, "seed %u", (unsigned)seed);
        bool good = ends_well(&config, &facts, what);
        bool counts =
            (uint32_t)__builtin_popcountll(facts.steady) >= c.study->threshold;
        enough += counts;
        finished += counts && good;
        cohort_free(&c);
    }
    assert_int_equal(enough, SIEGE_SEEDS);
    assert_true(finished * 10 >= enough * 9);
}

static void churn_shows_only_what_was_said(void **state)
{
    uint32_t finished = 0;
    uint64_t revealed = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= CHURN_SEEDS; seed++) {
        const uint32_t members = 4 + (uint32_t)(seed % 5);
        struct world_facts facts;
        char what[32];
        struct cohort c;
        cohort_new(&c, "linear", members, "continue");
        struct world_config config = quiet(&c);
        config.seed = seed;
        config.end_ms = 300000;
        churn_draw(&config);
        snprintf(what, sizeof what, "seed %u", (unsigned)seed);
        finished += ends_well(&config, &facts, what);
        revealed |= facts.revealed;
        cohort_free(&c);
    }
    assert_true(revealed != 0);
    assert_true(finished * 2 >= CHURN_SEEDS);
}

/* Five members, t = 4, one of them curious: three release in attempt 0, dan and
 * eve see neither that nor the certificate, then eve is cut off. If the rest
 * tried again without her, a curious dan, who has a share of everything
 * himself, would know two sums of one round. */
static void a_release_is_not_tried_around(void **state)
{
    enum { CUT_MS = 1000, JOINED_MS = 60000 };
    struct world_facts facts;
    struct cohort c;

    (void)state;
    cohort_new(&c, "linear", FIVE, "continue");
    assert_int_equal(c.study->threshold, 4);
    struct world_config config = quiet(&c);
    config.drops[config.drop_count++] = (struct world_drop){
        .from = 31,
        .to = 24,
        .types = 1u << WIRE_COMMIT | 1u << WIRE_CERT | 1u << WIRE_UNMASK,
        .round = 0,
        .attempt = 0,
        .ballot = WORLD_ANY,
        .kind = WIRE_U,
        .until_ms = JOINED_MS};
    config.laws.partitions[config.laws.partition_count++] =
        (struct network_partition){.groups = {15, 16},
                                   .group_count = 2,
                                   .from_ms = CUT_MS,
                                   .to_ms = JOINED_MS};
    config.end_ms = 200000;
    assert_true(ends_well(&config, &facts, "a missed release"));
    assert_true(facts.virtual_ms > JOINED_MS);
    cohort_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_deceit_alone_stops_the_honest),
        cmocka_unit_test(a_siege_ends_with_the_result),
        cmocka_unit_test(churn_shows_only_what_was_said),
        cmocka_unit_test(a_release_is_not_tried_around),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
