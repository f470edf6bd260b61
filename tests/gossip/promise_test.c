#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gossip/engine.h"
#include "gossip/forge.h"

enum { G = 4, T = 3, ROUNDS = 2 };

static uint64_t checked[WIRE_TYPES];

static bool holds(const struct pod_record *record, const uint8_t *bytes,
                  size_t size)
{
    for (size_t at = 0; size > 0 && at + size <= record->size; at++)
        if (memcmp(record->bytes + at, bytes, size) == 0)
            return true;
    return false;
}

static bool keeps(const struct pod_record *record, const struct mail *mail)
{
    return holds(record, mail->bytes, mail->size);
}

/* Attack 21: what binds a member stands in the promise that it has on disk at
 * the moment when it says so. */
static bool promised(struct pod *p, uint32_t i, const struct gossip_effect *e)
{
    const struct pod_record *record = &p->saved[i][GOSSIP_SLOT_PROMISE];
    const struct gossip *g = p->engines[i];
    static struct wire_message m;

    if (e->kind != GOSSIP_SEND)
        return true;
    assert_int_equal(
        wire_parse(&m, e->send.head, e->send.head_size, p->members), 0);
    if (m.sender != i || m.round != g->round || m.attempt != g->attempt)
        return true;
    checked[m.type]++;
    switch (m.type) {
    case WIRE_COMMIT:
        assert_true(keeps(record, &g->agree[m.vote.kind].locked));
        assert_true(holds(record, e->send.head, e->send.head_size));
        break;
    case WIRE_KEYS:
    case WIRE_PREPARE:
        assert_true(holds(record, e->send.head, e->send.head_size));
        break;
    case WIRE_Y:
        assert_true(keeps(record, &g->agree[WIRE_V].cert));
        break;
    case WIRE_UNMASK:
        assert_true(keeps(record, &g->agree[WIRE_U].cert));
        break;
    default:
        break;
    }
    return true;
}

static void what_a_member_says_is_on_disk_before(void **state)
{
    static const enum wire_type types[] = {WIRE_KEYS, WIRE_PREPARE, WIRE_COMMIT,
                                           WIRE_Y, WIRE_UNMASK};
    struct pod *p = watch_new(G, T, ROUNDS);

    (void)state;
    p->allow = promised;
    pod_begin(p);
    pod_run(p, 60000);
    assert_true(pod_exact(p, ROUNDS));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        assert_true(checked[types[i]] >= (uint64_t)G * ROUNDS);
    watch_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_member_says_is_on_disk_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
