/* A member among pods has two machines, its pod's engine and the one that
 * mixes: an event is a step of either, never two of the engine. What the engine
 * would say or save lives until its next step; node/member.c asserts that there
 * is one, and the world that each head is of the type that was to be sent. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/county.h"
#include "sim/worlds.h"

static const struct county_spec spec = {.pods = 2,
                                        .members = 5,
                                        .features = 1,
                                        .rows = 150,
                                        .method = "dgd",
                                        .pods_text =
                                            "graph: ring\n  method: gt-atc",
                                        .rounds = "max: 3, step: 0.5",
                                        .fraction_bits = 40,
                                        .trust = "active",
                                        .on_loss = "continue"};

static void what_is_mixed_waits_for_a_step_of_its_own(void **state)
{
    struct county c;

    (void)state;
    county_new(&c, &spec);
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct worlds_config config = {
            .seed = seed,
            .study = c.study,
            .datasets = (const struct dataset *const *)c.datasets,
            .ordeal = {.chaos = true}};
        struct worlds_facts facts;
        struct error error = {{0}};
        struct worlds *w;
        if (worlds_new(&w, &config, &error) != 0)
            fail_msg("%s", error.text);
        int code = worlds_run(w);
        assert_string_equal(worlds_violation(w), "");
        if (code != 0)
            fail_msg("%s", worlds_reason(w));
        worlds_facts(w, &facts);
        assert_true(facts.matched > 0);
        worlds_free(w);
    }
    county_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_mixed_waits_for_a_step_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
