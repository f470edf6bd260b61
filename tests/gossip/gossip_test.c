#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gossip/pod.h"

/* Every member finished with the exact sum of the last round. */
static void assert_exact(const struct pod *p, uint64_t rounds)
{
    for (uint32_t i = 0; i < p->members; i++) {
        assert_true(p->done[i]);
        assert_int_equal(p->reason[i], GOSSIP_FINISHED);
        assert_int_equal(p->final[i].rounds_left, 0);
        for (size_t k = 0; k < POD_LENGTH; k++)
            assert_true(p->final[i].sums[k] == pod_expected(p, rounds - 1, k));
    }
}

static void a_quiet_pod_opens_exact_sums_and_leaves(void **state)
{
    static const uint32_t sizes[][2] = {{3, 3}, {4, 3}, {5, 3}, {10, 6}};

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct pod *p = pod_new(sizes[s][0], sizes[s][1], 3);
        pod_begin(p);
        pod_run(p, 60000);
        assert_exact(p, 3);
        assert_true(p->now_ms < 2000);
        for (uint32_t i = 0; i < p->members; i++)
            assert_true(p->left[i]);
        pod_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_pod_opens_exact_sums_and_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
