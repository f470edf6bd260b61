/* Many rounds in one life: SOAK_ROUNDS of them, else a few hundred. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>

#include "gossip/pod.h"

enum { WARM = 100, ROUNDS = 300, SLACK = 1 << 16 };

static uint64_t round_of(const struct pod *p)
{
    struct gossip_view view;

    gossip_view(p->engines[0], &view);
    return view.round;
}

/* What is allocated, messages under way included, when a round has begun. */
static size_t allocated_after(struct pod *p, uint64_t round)
{
    while (round_of(p) < round && pod_turn(p, UINT64_MAX - 1))
        ;
    return mallinfo2().uordblks;
}

static void memory_is_flat_over_many_rounds(void **state)
{
    const char *wish = getenv("SOAK_ROUNDS");
    uint64_t rounds = wish != NULL ? strtoull(wish, NULL, 10) : ROUNDS;
    struct pod *p = pod_new(5, 4, rounds + 1);

    (void)state;
    p->config.active = p->config.check = true;
    p->config.on_loss = GOSSIP_CONTINUE;
    p->config.copies = 3;
    pod_begin(p);
    size_t warm = allocated_after(p, WARM);
    size_t late = allocated_after(p, rounds);
    print_message("%zu bytes after %d rounds, %zu after %llu\n", warm, WARM,
                  late, (unsigned long long)rounds);
    assert_true(round_of(p) >= rounds);
    assert_true(late < warm + SLACK);
    pod_run(p, p->now_ms + 60000);
    for (uint32_t i = 0; i < p->members; i++)
        assert_true(p->done[i] && p->reason[i] == GOSSIP_FINISHED);
    pod_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_flat_over_many_rounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
