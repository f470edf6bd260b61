/* The engine of a pod of one, driven by hand. */

#include "node/solo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>

enum { STATE_SIZE = 16, LENGTH = 2 };

static const struct fixed_shape shape = {
    .length = LENGTH, .bound = 8, .fraction_bits = 2, .exact = true};
static const uint8_t first_state[STATE_SIZE] = "begin";

static struct solo *open_solo(const struct gossip_record *saved)
{
    const struct solo_config config = {.state_size = STATE_SIZE,
                                       .length_max = LENGTH,
                                       .state = first_state,
                                       .shape = shape};
    const char *why;

    return solo_new(&config, saved, &why);
}

static size_t step(struct solo *s, const struct gossip_event *event,
                   const struct gossip_effect **effects)
{
    size_t count;

    solo_step(s, event, effects, &count);
    return count;
}

static size_t tick(struct solo *s, const struct gossip_effect **effects)
{
    return step(s, &(struct gossip_event){.kind = GOSSIP_TIMER}, effects);
}

static size_t contribute(struct solo *s, uint64_t round, const double *x,
                         uint32_t decline, const struct gossip_effect **effects)
{
    struct gossip_event event = {.kind = GOSSIP_CONTRIBUTED};

    event.contributed.round = round;
    event.contributed.x = x;
    event.contributed.decline = decline;
    return step(s, &event, effects);
}

static size_t absorb(struct solo *s, uint64_t round, size_t length,
                     const struct gossip_effect **effects)
{
    struct gossip_event event = {.kind = GOSSIP_ABSORBED};

    event.absorbed.round = round;
    event.absorbed.shape = shape;
    event.absorbed.shape.length = length;
    return step(s, &event, effects);
}

/* The view is asked for at every message; its hash is the state's all along. */
static void shows_its_state(const struct solo *s)
{
    uint8_t hash[GOSSIP_HASH_BYTES];
    struct gossip_view view;

    solo_view(s, &view);
    crypto_generichash(hash, sizeof hash, view.state, STATE_SIZE, NULL, 0);
    assert_memory_equal(view.state_hash, hash, sizeof hash);
}

static void a_round_is_its_own_vector_in_lanes(void **state)
{
    const double x[LENGTH] = {1.1, -3};
    const struct gossip_effect *e;
    struct gossip_view view;
    struct solo *s = open_solo(NULL);

    (void)state;
    shows_its_state(s);
    assert_int_equal(tick(s, &e), 1);
    assert_int_equal(e[0].kind, GOSSIP_CONTRIBUTE);
    assert_int_equal(tick(s, &e), 0);
    assert_int_equal(contribute(s, 0, x, 0, &e), 2);
    assert_int_equal(e[0].note.code, GOSSIP_NOTE_OPENED);
    assert_int_equal(e[1].kind, GOSSIP_ABSORB);
    assert_int_equal(e[1].absorb.round, 1);
    assert_int_equal(e[1].absorb.survivors, 1);
    assert_true(e[1].absorb.sum[0] == 1); /* to a quarter */
    assert_true(e[1].absorb.sum[1] == -3);
    assert_memory_equal(e[1].absorb.state, first_state, STATE_SIZE);
    memcpy(e[1].absorb.next, "after", 6);
    assert_int_equal(absorb(s, 1, LENGTH, &e), 2);
    assert_int_equal(e[0].kind, GOSSIP_SAVE);
    assert_int_equal(e[1].kind, GOSSIP_CONTRIBUTE);
    assert_int_equal(e[1].contribute.round, 1);
    assert_string_equal(e[1].contribute.state, "after");
    solo_view(s, &view);
    assert_int_equal(view.round, 1);
    assert_false(view.ended);
    shows_its_state(s);
    solo_free(s);
}

static void it_ends_when_nothing_is_left_to_sum(void **state)
{
    const double x[LENGTH] = {0};
    const struct gossip_effect *e;
    struct gossip_view view;
    struct solo *s = open_solo(NULL);

    (void)state;
    tick(s, &e);
    contribute(s, 0, x, 0, &e);
    assert_int_equal(absorb(s, 1, 0, &e), 3);
    assert_int_equal(e[0].kind, GOSSIP_SAVE);
    assert_int_equal(e[1].kind, GOSSIP_DONE);
    assert_int_equal(e[1].done.reason, GOSSIP_FINISHED);
    assert_int_equal(e[2].kind, GOSSIP_LEAVE);
    solo_view(s, &view);
    assert_true(view.finished && view.ended);
    assert_int_equal(tick(s, &e), 0);
    solo_free(s);
}

static void a_restart_goes_on_from_what_was_saved(void **state)
{
    const double x[LENGTH] = {2, 2};
    const struct gossip_effect *e;
    uint8_t bytes[64];
    struct gossip_record saved = {.slot = GOSSIP_SLOT_STATE, .bytes = bytes};
    struct solo *s = open_solo(NULL);

    (void)state;
    tick(s, &e);
    contribute(s, 0, x, 0, &e);
    memcpy(e[1].absorb.next, "after", 6);
    absorb(s, 1, LENGTH, &e);
    saved.size = e[0].save.size;
    memcpy(bytes, e[0].save.bytes, saved.size);
    solo_free(s);

    s = open_solo(&saved);
    shows_its_state(s);
    assert_int_equal(tick(s, &e), 1); /* what does that state sum? */
    assert_int_equal(e[0].kind, GOSSIP_ABSORB);
    assert_null(e[0].absorb.sum);
    assert_int_equal(e[0].absorb.round, 1);
    assert_string_equal(e[0].absorb.next, "after");
    assert_int_equal(absorb(s, 1, LENGTH, &e), 1); /* nothing new to save */
    assert_int_equal(e[0].kind, GOSSIP_CONTRIBUTE);
    assert_int_equal(e[0].contribute.round, 1);
    assert_string_equal(e[0].contribute.state, "after");
    solo_free(s);
    saved.size--;
    assert_null(open_solo(&saved));
}

static void ends_declined(const double *x, uint32_t decline, uint32_t expected)
{
    const struct gossip_effect *e;
    struct solo *s = open_solo(NULL);

    tick(s, &e);
    assert_int_equal(contribute(s, 0, x, decline, &e), 3);
    assert_int_equal(e[0].note.code, GOSSIP_NOTE_DECLINED);
    assert_int_equal(e[1].done.reason, GOSSIP_DECLINED);
    assert_int_equal(e[1].done.decline, expected);
    assert_int_equal(e[1].done.members, 1);
    assert_int_equal(e[2].kind, GOSSIP_LEAVE);
    solo_free(s);
}

static void who_cannot_contribute_ends_it(void **state)
{
    const double x[LENGTH] = {0}, large[LENGTH] = {0, 8.5};

    (void)state;
    ends_declined(x, GOSSIP_DECLINE_POLICY, GOSSIP_DECLINE_POLICY);
    ends_declined(large, 0, GOSSIP_DECLINE_RANGE);
}

static void answers_that_nobody_asked_for_change_nothing(void **state)
{
    const double x[LENGTH] = {0};
    const struct gossip_effect *e;
    struct solo *s = open_solo(NULL);

    (void)state;
    tick(s, &e);
    assert_int_equal(contribute(s, 1, x, 0, &e), 0);
    assert_int_equal(absorb(s, 1, LENGTH, &e), 0);
    assert_int_equal(contribute(s, 0, x, 0, &e), 2);
    assert_int_equal(contribute(s, 0, x, 0, &e), 0);
    solo_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_is_its_own_vector_in_lanes),
        cmocka_unit_test(it_ends_when_nothing_is_left_to_sum),
        cmocka_unit_test(a_restart_goes_on_from_what_was_saved),
        cmocka_unit_test(who_cannot_contribute_ends_it),
        cmocka_unit_test(answers_that_nobody_asked_for_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
