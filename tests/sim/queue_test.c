#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "crypto/prg.h"
#include "sim/queue.h"

enum { ITEMS = 3000 };

static void items_come_by_time_then_by_age(void **state)
{
    const uint8_t seed[PRG_SEED_BYTES] = {1};
    struct queue q = {0};
    struct queue_item item, last = {0};
    struct prg prg;

    (void)state;
    prg_seed(&prg, seed);
    for (int i = 0; i < ITEMS; i++)
        queue_push(&q, (struct queue_item){.at_ms = prg_below(&prg, 50)});
    for (int i = 0; i < ITEMS; i++) {
        assert_true(queue_pop(&q, &item));
        assert_true(i == 0 || item.at_ms > last.at_ms ||
                    (item.at_ms == last.at_ms && item.age > last.age));
        last = item;
    }
    assert_false(queue_pop(&q, &item));
    queue_free(&q);
}

static void what_has_not_left_vanishes_with_its_sender(void **state)
{
    struct queue q = {0};
    struct queue_item item;
    uint64_t last = 0;
    int left = 0;

    (void)state;
    for (uint32_t i = 0; i < ITEMS; i++)
        queue_push(&q, (struct queue_item){.at_ms = (i * 7919) % ITEMS,
                                           .kind = QUEUE_MESSAGE,
                                           .from = i % 3,
                                           .departs_us = i,
                                           .head = malloc(1)});
    queue_unsend(&q, 1, ITEMS / 2);
    while (queue_pop(&q, &item)) {
        assert_true(item.from != 1 || item.departs_us <= ITEMS / 2);
        assert_true(item.at_ms >= last);
        last = item.at_ms;
        left++;
        free(item.head);
    }
    assert_int_equal(left, ITEMS - ITEMS / 6);
    queue_free(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_by_time_then_by_age),
        cmocka_unit_test(what_has_not_left_vanishes_with_its_sender),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
