/* Many pods in one virtual network. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "sim/county.h"
#include "sim/worlds.h"

static const struct dataset *const *rows_of(const struct county *c)
{
    return (const struct dataset *const *)c->datasets;
}

static struct worlds *run(const struct county *c,
                          const struct worlds_config *config)
{
    struct worlds_config full = *config;
    struct error error = {{0}};
    struct worlds *w;

    full.study = c->study;
    full.datasets = rows_of(c);
    if (worlds_new(&w, &full, &error) != 0)
        fail_msg("%s", error.text);
    int status = worlds_run(w);
    assert_string_equal(worlds_violation(w), "");
    if (status != 0)
        fail_msg("no result: %s", worlds_reason(w));
    return w;
}

static void state_of(struct gossip_view *view, struct worlds *w, uint32_t pod,
                     uint32_t member)
{
    member_view(world_member(worlds_world(w, pod), member), view);
}

static void exact_pods_equal_one_big_pod(void **state)
{
    struct county_spec spec = {.pods = 3,
                               .members = 4,
                               .features = 2,
                               .rows = 240,
                               .method = "newton",
                               .pods_text = "graph: ring\n  mode: exact",
                               .rounds = "max: 30",
                               .fraction_bits = 32};
    struct error error = {{0}};
    struct gossip_view one, many;
    struct county pods, big;
    struct world *world;

    (void)state;
    county_new(&pods, &spec);
    spec.pods_text = NULL;
    county_new(&big, &spec);
    struct world_config config;
    world_config_of(&config, big.study, rows_of(&big));
    assert_int_equal(world_new(&world, &config, &error), 0);
    assert_int_equal(world_run(world), 0);
    struct worlds *w = run(&pods, &(struct worlds_config){.seed = 5});
    member_view(world_member(world, 0), &one);
    for (uint32_t p = 0; p < spec.pods; p++)
        for (uint32_t i = 0; i < spec.members; i++) {
            state_of(&many, w, p, i);
            assert_true(many.finished);
            assert_int_equal(many.round, one.round);
            assert_memory_equal(many.state_hash, one.state_hash,
                                sizeof one.state_hash);
        }
    worlds_free(w);
    world_free(world);
    county_free(&pods);
    county_free(&big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_pods_equal_one_big_pod),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
