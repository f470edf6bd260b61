/* Pods in bad weather and with members that lie to other pods: no checker
 * fires, and what can be had is had. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "sim/county.h"
#include "sim/rumour.h"
#include "sim/worlds.h"

enum {
    PODS = 3,
    FEATURES = 2,
    NUMBERS = PODS * (FEATURES + 1), /* with intercepts */
    LIAR = 2,
    SIEGE_SEEDS = 4,
    WEATHER_SEEDS = 2
};

static const struct county_spec active = {.pods = PODS,
                                          .members = 5,
                                          .features = FEATURES,
                                          .rows = 225,
                                          .method = "dgd",
                                          .pods_text =
                                              "graph: ring\n  method: gt-atc",
                                          .rounds = "max: 2, step: 0.5",
                                          .fraction_bits = 40,
                                          .trust = "active",
                                          .on_loss = "continue"};

/* The last models, [pods, width], and what happened; a violation fails. */
static bool run(struct worlds_facts *facts, double *models,
                const struct county *c, const struct worlds_config *config,
                const char *what)
{
    struct worlds_config full = *config;
    struct error error = {{0}};
    struct worlds *w;
    size_t count;

    full.study = c->study;
    full.datasets = (const struct dataset *const *)c->datasets;
    if (worlds_new(&w, &full, &error) != 0)
        fail_msg("%s", error.text);
    bool finished = worlds_run(w) == 0;
    if (worlds_violation(w)[0] != '\0')
        fail_msg("%s: %s", what, worlds_violation(w));
    if (!finished)
        print_message("%s: %s\n", what, worlds_reason(w));
    worlds_facts(w, facts);
    const struct worlds_round *r = worlds_rounds(w, &count);
    if (models != NULL && finished) {
        assert_int_equal(c->study->pod_count * worlds_width(w), NUMBERS);
        memcpy(models, r[count - 1].models, NUMBERS * sizeof *models);
    }
    worlds_free(w);
    return finished;
}

/* What a quiet network does not bring about. */
static bool may_be_idle(int kind)
{
    return kind == RUMOUR_SILENT || kind == RUMOUR_CERT || kind == RUMOUR_WANT;
}

/* Whoever of a pod lies about it, and however: one liar in each pod moves no
 * neighbour by a bit. (That a silent one makes its pod late is another matter.)
 */
static void no_rumour_alone_moves_a_neighbour(void **state)
{
    struct worlds_config config = {.seed = 3};
    double quiet[NUMBERS], found[NUMBERS];
    struct worlds_facts facts;
    struct county c;

    (void)state;
    county_new(&c, &active);
    assert_true(run(&facts, quiet, &c, &config, "quiet"));
    assert_true(facts.matched > 0 && facts.means == 2);
    for (int k = 0; k < RUMOUR_KINDS; k++) {
        const char *name = rumour_name((enum rumour_kind)k);
        config.liars = 1 << LIAR;
        config.rumours = UINT64_C(1) << k;
        assert_true(run(&facts, found, &c, &config, name));
        if (facts.lies == 0 && !may_be_idle(k))
            fail_msg("%s was never told", name);
        for (int j = 0; k != RUMOUR_SILENT && j < NUMBERS;
             j++) /* who is late */
            if (fabs(found[j] - quiet[j]) > 1e-12)
                fail_msg("%s: entry %d is %.17g, expected %.17g", name, j,
                         found[j], quiet[j]);
    }
    county_free(&c);
}

static void besieged_pods_break_no_rule(void **state)
{
    struct worlds_facts facts;
    uint64_t lies = 0, left_out = 0;
    uint32_t finished = 0;
    struct county c;

    (void)state;
    county_new(&c, &active);
    for (uint64_t seed = 1; seed <= SIEGE_SEEDS; seed++) {
        struct worlds_config config = {
            .seed = seed,
            .search = seed % 4 == 0,
            .ordeal = {.chaos = seed % 2 == 0, .byzantine = true}};
        char what[32];
        snprintf(what, sizeof what, "seed %u", (unsigned)seed);
        finished += run(&facts, NULL, &c, &config, what);
        lies += facts.lies;
        left_out += facts.left_out;
    }
    assert_true(lies > 100 && left_out > 0);
    assert_true(finished + 1 >= SIEGE_SEEDS);
    county_free(&c);
}

/* One of five, which a vote can miss, comes back while its fellows mix. */
static void who_comes_back_mixes_too(void **state)
{
    static const uint64_t effects[] = {60, 120, 140, 160}; /* then it mixes */
    struct worlds_facts facts;
    uint32_t finished = 0;
    struct county c;

    (void)state;
    county_new(&c, &active);
    for (size_t e = 0; e < sizeof effects / sizeof *effects; e++) {
        const uint64_t effect = effects[e];
        struct worlds_config config = {.seed = effect, .crash_count = 1};
        char what[32];
        config.crashes[0] = (struct worlds_crash){1,
                                                  {.member = 3,
                                                   .when = WORLD_EFFECT,
                                                   .effect = effect,
                                                   .restart_after_ms = 100}};
        snprintf(what, sizeof what, "effect %u", (unsigned)effect);
        finished += run(&facts, NULL, &c, &config, what);
        assert_int_equal(facts.restarts, 1);
    }
    assert_int_equal(finished, 4);
    county_free(&c);
}

/* on_loss: wait, and pods that wait for each other: whatever the weather, the
 * state is that of one pod of all sites in a quiet network. */
static void exact_pods_are_one_in_any_weather(void **state)
{
    struct county_spec spec = {.pods = 3,
                               .members = 3,
                               .features = 1,
                               .rows = 180,
                               .method = "newton",
                               .rounds = "max: 30",
                               .fraction_bits = 32};
    struct error error = {{0}};
    struct world_config quiet;
    struct gossip_view one, other;
    struct county big, c;
    struct world *world;

    (void)state;
    county_new(&big, &spec);
    world_config_of(&quiet, big.study,
                    (const struct dataset *const *)big.datasets);
    assert_int_equal(world_new(&world, &quiet, &error), 0);
    assert_int_equal(world_run(world), 0);
    member_view(world_member(world, 0), &one);
    spec.pods_text = "graph: ring\n  mode: exact";
    county_new(&c, &spec);
    uint32_t finished = 0;
    for (uint64_t seed = 1; seed <= WEATHER_SEEDS; seed++) {
        struct worlds_config config = {
            .study = c.study,
            .datasets = (const struct dataset *const *)c.datasets,
            .seed = seed,
            .search = seed == 1,
            .ordeal = {.chaos = true}};
        struct worlds_facts facts;
        struct worlds *w;
        assert_int_equal(worlds_new(&w, &config, &error), 0);
        bool good = worlds_run(w) == 0;
        assert_string_equal(worlds_violation(w), "");
        worlds_facts(w, &facts);
        for (uint32_t p = 0; p < 3 && good; p++) {
            member_view(world_member(worlds_world(w, p), 1), &other);
            assert_memory_equal(one.state_hash, other.state_hash,
                                GOSSIP_HASH_BYTES);
            assert_int_equal(one.round, other.round);
        }
        finished += good;
        if (facts.all_return && !good)
            print_message("seed %u: %s\n", (unsigned)seed, worlds_reason(w));
        worlds_free(w);
    }
    assert_true(finished >= 1);
    world_free(world);
    county_free(&big);
    county_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_rumour_alone_moves_a_neighbour),
        cmocka_unit_test(besieged_pods_break_no_rule),
        cmocka_unit_test(who_comes_back_mixes_too),
        cmocka_unit_test(exact_pods_are_one_in_any_weather),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
