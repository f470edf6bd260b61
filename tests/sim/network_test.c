#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/network.h"

enum { MESSAGES = 20000 };

static const uint8_t seed[PRG_SEED_BYTES] = {5};

static void latency_stays_within_its_limits(void **state)
{
    struct network n;
    uint64_t lowest = UINT64_MAX, highest = 0;

    (void)state;
    network_start(
        &n, &(struct network_laws){.latency_min_ms = 3, .latency_max_ms = 9},
        seed);
    for (int i = 0; i < MESSAGES; i++) {
        struct network_fate fate;
        network_send(&n, &fate, 0, 1, 100, 1000);
        assert_int_equal(fate.arrivals, 1);
        if (fate.at_ms[0] < lowest)
            lowest = fate.at_ms[0];
        if (fate.at_ms[0] > highest)
            highest = fate.at_ms[0];
    }
    assert_int_equal(lowest, 1003);
    assert_int_equal(highest, 1009);
}

static void loss_and_duplication_have_their_shares(void **state)
{
    struct network n;
    uint32_t counts[3] = {0};

    (void)state;
    network_start(
        &n, &(struct network_laws){.loss_ppm = 200000, .duplicate_ppm = 50000},
        seed);
    for (int i = 0; i < MESSAGES; i++) {
        struct network_fate fate;
        network_send(&n, &fate, 0, 1, 100, 0);
        counts[fate.arrivals]++;
    }
    assert_in_range(counts[0], MESSAGES / 5 - 300, MESSAGES / 5 + 300);
    assert_in_range(counts[2], MESSAGES / 25 - 200, MESSAGES / 25 + 200);
}

/* 1000 bits a millisecond: 1250 bytes take 10 ms. */
static void a_sender_sends_one_after_the_other(void **state)
{
    struct network n;
    struct network_fate fate;

    (void)state;
    network_start(&n, &(struct network_laws){.bits_per_ms = 1000}, seed);
    network_send(&n, &fate, 0, 1, 1250, 50);
    assert_int_equal(fate.at_ms[0], 60);
    network_send(&n, &fate, 0, 2, 1250, 51);
    assert_int_equal(fate.at_ms[0], 70);
    network_send(&n, &fate, 1, 2, 1250, 51);
    assert_int_equal(fate.at_ms[0], 61);
}

static void a_partition_parts_its_groups_while_it_lasts(void **state)
{
    struct network_laws laws = {.partition_count = 1};
    struct network_fate fate;
    struct network n;

    (void)state;
    laws.partitions[0] = (struct network_partition){
        .groups = {3, 4}, .group_count = 2, .from_ms = 100, .to_ms = 200};
    network_start(&n, &laws, seed);
    assert_true(network_joined(&n, 0, 2, 99));
    assert_false(network_joined(&n, 0, 2, 100));
    assert_true(network_joined(&n, 0, 1, 150));
    assert_false(network_joined(&n, 3, 4, 150)); /* in no group: alone */
    assert_true(network_joined(&n, 0, 2, 200));
    network_send(&n, &fate, 0, 2, 10, 150);
    assert_int_equal(fate.arrivals, 0);
    network_send(&n, &fate, 0, 1, 10, 150);
    assert_int_equal(fate.arrivals, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(latency_stays_within_its_limits),
        cmocka_unit_test(loss_and_duplication_have_their_shares),
        cmocka_unit_test(a_sender_sends_one_after_the_other),
        cmocka_unit_test(a_partition_parts_its_groups_while_it_lasts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
