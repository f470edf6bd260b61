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

static double worst_loss(const struct county *c, struct worlds *w)
{
    const size_t width = worlds_width(w);
    double worst = 0;
    size_t count;
    const struct worlds_round *r = worlds_rounds(w, &count);

    for (uint32_t p = 0; p < c->study->pod_count; p++)
        worst =
            fmax(worst, county_loss(c, r[count - 1].models + p * width, NULL));
    return worst;
}

static const struct county_spec six = {
    .pods = 6,
    .members = 3,
    .features = 2,
    .rows = 540,
    .method = "dgd",
    .pods_text = "graph: ring\n  method: gt-atc\n  rows: 540\n  restart: 40",
    .rounds = "max: 160, step: 0.8",
    .fraction_bits = 40};

static void tracked_gradients_reach_the_pooled_loss(void **state)
{
    struct worlds_config quiet = {.seed = 5}, cut = quiet;
    struct county c;
    size_t count;

    (void)state;
    county_new(&c, &six);
    double best = county_best_loss(&c, 2000);
    struct worlds *w = run(&c, &quiet);
    const struct worlds_round *r = worlds_rounds(w, &count);
    assert_int_equal(count, 160);
    uint64_t ms = r[count - 1].virtual_ms;
    assert_true(worst_loss(&c, w) - best < 1e-6);
    assert_true(r[count - 1].consensus < 1e-8);
    worlds_free(w);

    cut.loss_ppm = 20000;
    cut.cuts[0] = (struct worlds_cut){2, ms / 3, 2 * ms / 3};
    cut.cut_count = 1;
    w = run(&c, &cut);
    r = worlds_rounds(w, &count);
    uint32_t alone = 0;
    double farthest = 0;
    for (size_t k = 0; k < count; k++) {
        alone += r[k].left_out;
        farthest = fmax(farthest, r[k].consensus);
    }
    assert_true(alone > 20 && farthest > 1e-3); /* it was cut off */
    assert_true(worst_loss(&c, w) - best < 1e-4);
    worlds_free(w);
    county_free(&c);
}

static void gradients_without_trackers_are_biased(void **state)
{
    struct county_spec spec = six;
    struct worlds_config quiet = {.seed = 5};
    struct county c;

    (void)state;
    spec.pods_text = "graph: ring\n  method: dgd-atc\n  rows: 540";
    county_new(&c, &spec);
    struct worlds *w = run(&c, &quiet);
    assert_true(worst_loss(&c, w) - county_best_loss(&c, 2000) > 1e-4);
    worlds_free(w);
    county_free(&c);
}

static void hash_of(uint8_t hash[GOSSIP_HASH_BYTES], struct worlds *w)
{
    struct gossip_view view;

    state_of(&view, w, 1, 2);
    memcpy(hash, view.state_hash, GOSSIP_HASH_BYTES);
}

static void threads_and_members_do_not_change_a_bit(void **state)
{
    struct county_spec spec = six;
    struct worlds_config one = {.seed = 3, .loss_ppm = 50000, .search = true},
                         three = one;
    uint8_t hashes[2][GOSSIP_HASH_BYTES];
    struct gossip_view first, other;
    struct county c;
    size_t counts[2];
    uint64_t ms[2];

    (void)state;
    spec.rounds = "max: 12, step: 0.8";
    three.threads = 3;
    county_new(&c, &spec);
    for (int k = 0; k < 2; k++) {
        struct worlds *w = run(&c, k == 0 ? &one : &three);
        hash_of(hashes[k], w);
        ms[k] = worlds_rounds(w, &counts[k])[11].virtual_ms;
        for (uint32_t p = 0; p < 6; p++)
            for (uint32_t i = 1; i < 3; i++) {
                state_of(&first, w, p, 0);
                state_of(&other, w, p, i);
                assert_memory_equal(first.state_hash, other.state_hash,
                                    GOSSIP_HASH_BYTES);
            }
        worlds_free(w);
    }
    assert_memory_equal(hashes[0], hashes[1], GOSSIP_HASH_BYTES);
    assert_int_equal(ms[0], ms[1]);
    county_free(&c);
}

static void all_members_agree(struct worlds *w, const struct county *c)
{
    struct gossip_view first, other;

    for (uint32_t p = 0; p < c->study->pod_count; p++) {
        state_of(&first, w, p, 0);
        for (uint32_t i = 0; i < c->study->pods[p].site_count; i++) {
            state_of(&other, w, p, i);
            assert_true(other.finished);
            assert_memory_equal(first.state_hash, other.state_hash,
                                GOSSIP_HASH_BYTES);
        }
    }
}

/* Killed after each of its first effects in turn, a member comes back and its
 * pod is of one mind, whatever it was saying about other pods. */
static void members_crash_while_pods_mix(void **state)
{
    struct county_spec spec = six;
    struct county c;

    (void)state;
    spec.pods = 3;
    spec.rows = 180;
    spec.pods_text = "graph: ring\n  method: gt-atc";
    spec.rounds = "max: 5, step: 0.8";
    county_new(&c, &spec);
    for (uint64_t effect = 20; effect < 400; effect += 7) {
        struct worlds_config config = {.seed = effect, .loss_ppm = 20000};
        config.crashes[0] = (struct worlds_crash){
            1,
            {.member = (uint32_t)(effect % 3),
             .when = WORLD_EFFECT,
             .effect = effect,
             .restart_after_ms = 100 + 30 * (effect % 50)}};
        config.crash_count = 1;
        struct worlds *w = run(&c, &config);
        all_members_agree(w, &c);
        worlds_free(w);
    }
    county_free(&c);
}

/* Exact pods wait for one that is cut off, and then still add up to one. */
static void exact_pods_wait(void **state)
{
    struct county_spec spec = {.pods = 3,
                               .members = 3,
                               .features = 2,
                               .rows = 180,
                               .method = "newton",
                               .pods_text = "graph: ring\n  mode: exact",
                               .rounds = "max: 30",
                               .fraction_bits = 32};
    struct worlds_config config = {.seed = 4, .loss_ppm = 100000};
    struct gossip_view first, other;
    struct county c;
    size_t count;

    (void)state;
    config.cuts[0] = (struct worlds_cut){1, 300, 20000};
    config.cut_count = 1;
    county_new(&c, &spec);
    struct worlds *w = run(&c, &config);
    state_of(&first, w, 0, 0);
    for (uint32_t p = 1; p < 3; p++) {
        state_of(&other, w, p, 2);
        assert_memory_equal(first.state_hash, other.state_hash,
                            GOSSIP_HASH_BYTES);
    }
    const struct worlds_round *r = worlds_rounds(w, &count);
    assert_true(count > 4 && r[count - 1].virtual_ms > 20000);
    for (size_t k = 0; k < count; k++)
        assert_int_equal(r[k].left_out, 0);
    worlds_free(w);
    county_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_pods_equal_one_big_pod),
        cmocka_unit_test(tracked_gradients_reach_the_pooled_loss),
        cmocka_unit_test(threads_and_members_do_not_change_a_bit),
        cmocka_unit_test(members_crash_while_pods_mix),
        cmocka_unit_test(exact_pods_wait),
        cmocka_unit_test(gradients_without_trackers_are_biased),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
