#include "node/links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "node/pods.h"

enum { PODS_LARGE = 8, SIZE_LARGE = 64 };

static struct study whole;
static struct study_site sites[PODS_LARGE * SIZE_LARGE];
static struct study_pod pods[PODS_LARGE];
static uint32_t places[PODS_LARGE * SIZE_LARGE];

/* The pods take the sites in turn: pod 0 has 0, count, 2 count, ... */
static void deal(uint32_t count, uint32_t size, enum schedule_graph graph)
{
    whole = (struct study){.path = (char *)"study.yaml",
                           .sites = sites,
                           .site_count = count * size,
                           .pods = pods,
                           .pod_count = count,
                           .mixing = {.graph = graph, .n = count}};
    for (uint32_t p = 0; p < count; p++) {
        pods[p] =
            (struct study_pod){.sites = places + p * size, .site_count = size};
        for (uint32_t i = 0; i < size; i++)
            pods[p].sites[i] = i * count + p;
    }
}

static int find(struct links *links, uint32_t site, struct error *error)
{
    struct study_site fellows[GOSSIP_MEMBERS_MAX];
    struct study view;
    uint32_t pod, member;

    pods_find(&whole, site, &pod, &member);
    pods_view(&view, fellows, &whole, pod);
    return links_find(links, &view, member, error);
}

static void a_site_talks_to_its_pod_and_to_the_neighbours(void **state)
{
    struct links links;
    struct error error;

    (void)state;
    deal(4, 3, SCHEDULE_RING);
    assert_int_equal(find(&links, 5, &error), 0); /* pod 1, member 1 */
    assert_int_equal(links.count, 9);             /* of pods 0, 1, 2 */
    assert_int_equal(links.of[links.self].site, 5);
    for (uint32_t i = 0; i < links.count; i++) {
        const struct link *link = &links.of[i];
        assert_int_not_equal(link->pod, 3);
        assert_int_equal(link->fellow, link->pod == 1);
        assert_int_equal(pods[link->pod].sites[link->member], link->site);
        assert_int_equal(links_place(&links, link->pod, link->member), i);
        if (i > 0)
            assert_true(links.of[i - 1].site < link->site);
    }
    assert_int_equal(links_place(&links, 3, 0), -1);
}

/* Each knows the other, and both the order in which they stand. */
static void links_are_mutual(void **state)
{
    static const enum schedule_graph graphs[] = {
        SCHEDULE_RING, SCHEDULE_COMPLETE, SCHEDULE_EXPONENTIAL};
    struct links mine, theirs;
    struct error error;

    (void)state;
    for (size_t g = 0; g < sizeof graphs / sizeof *graphs; g++) {
        deal(8, 3, graphs[g]);
        for (uint32_t a = 0; a < whole.site_count; a++) {
            assert_int_equal(find(&mine, a, &error), 0);
            for (uint32_t i = 0; i < mine.count; i++) {
                uint32_t pod, member;
                assert_int_equal(find(&theirs, mine.of[i].site, &error), 0);
                pods_find(&whole, a, &pod, &member);
                assert_true(links_place(&theirs, pod, member) >= 0);
            }
        }
    }
}

static void in_mode_exact_all_talk_to_all(void **state)
{
    struct links links;
    struct error error;

    (void)state;
    deal(4, 3, SCHEDULE_RING);
    whole.exact = true;
    assert_int_equal(find(&links, 0, &error), 0);
    assert_int_equal(links.count, 12);
}

static void a_study_of_one_pod_is_as_it_stands(void **state)
{
    struct links links;
    struct error error;

    (void)state;
    deal(4, 3, SCHEDULE_RING);
    whole.pod_count = 0;
    assert_int_equal(links_find(&links, &whole, 7, &error), 0);
    assert_int_equal(links.count, 12);
    assert_int_equal(links.self, 7);
    for (uint32_t i = 0; i < 12; i++)
        assert_int_equal(links_place(&links, 0, i), i);
}

static void too_many_links_are_refused(void **state)
{
    struct links links;
    struct error error = {""};

    (void)state;
    deal(PODS_LARGE, SIZE_LARGE, SCHEDULE_COMPLETE);
    assert_int_equal(find(&links, 0, &error), -E2BIG);
    assert_non_null(
        strstr(error.text, "study.yaml: pods: found more than 200"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_site_talks_to_its_pod_and_to_the_neighbours),
        cmocka_unit_test(links_are_mutual),
        cmocka_unit_test(in_mode_exact_all_talk_to_all),
        cmocka_unit_test(a_study_of_one_pod_is_as_it_stands),
        cmocka_unit_test(too_many_links_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
