#include "node/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "node/scratch.h"

enum { MEMBERS = 3, LETTERS_MAX = 200000, SLOTS = MEMBER_SLOTS };

struct letter {
    uint32_t from, to;
    uint8_t *head, *body;
    size_t head_size, body_size;
};

struct node {
    struct member *member;
    struct identity identity;
    struct dataset *dataset;
    uint64_t wake_ms;
    bool done, left;
    enum gossip_reason reason;
    uint32_t decline;
    size_t audit_count;
    char audit[1024];
    uint8_t *slots[SLOTS]; /* what was saved */
    size_t sizes[SLOTS];
    size_t saves, sends;
    uint32_t first_slot; /* of the first effect ever */
};

static struct study *study;
static struct node nodes[MEMBERS];
static struct letter letters[LETTERS_MAX];
static size_t letter_first, letter_count;
static uint64_t now_ms;

static void write_rows(const char *name, int rows, int shift, double scale)
{
    char path[600];

    snprintf(path, sizeof path, "%s", scratch_path(name));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "a,b,y\n");
    for (int i = 0; i < rows; i++) {
        double a = (i * 7 + shift) % 11, b = (i * 5 + shift * 3) % 13;
        fprintf(file, "%.17g,%.17g,%.17g\n", a * scale, b,
                2 + 0.5 * a - 0.25 * b);
    }
    fclose(file);
}

static struct study *read_study(const char *more)
{
    struct study *s = NULL;
    struct error error = {""};
    char text[1024];

    snprintf(text, sizeof text,
             "version: 1\nstudy: tiny\nsites:\n"
             "  - {name: one, data: one.csv}\n  - {name: two, data: two.csv}\n"
             "  - {name: three, data: three.csv}\n"
             "task: {kind: linear, target: y, features: [a, b]}\n%s",
             more);
    if (study_read(&s, scratch_write("s.yaml", text), &error) != 0)
        fail_msg("%s", error.text);
    return s;
}

static void identify(struct study *s)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        uint8_t seed[PRG_SEED_BYTES] = {(uint8_t)(i + 1)};
        struct prg prg;
        prg_seed(&prg, seed);
        identity_generate(&nodes[i].identity, &prg);
        s->sites[i].key = nodes[i].identity.open;
        s->sites[i].has_key = true;
    }
}

static struct member_config config_of(uint32_t i)
{
    struct member_config config = {
        .study = study,
        .dataset = nodes[i].dataset,
        .self = i,
        .identity = &nodes[i].identity,
        .seed = {(uint8_t)(40 + i)},
    };

    return config;
}

static void read_rows(uint32_t i)
{
    const struct dataset_filter all = {.column = NULL};
    struct error error = {""};

    dataset_free(nodes[i].dataset);
    if (dataset_read(&nodes[i].dataset, study->sites[i].data, &all,
                     &study->task, &error) != 0)
        fail_msg("%s", error.text);
}

static void begin(const char *more)
{
    memset(nodes, 0, sizeof nodes);
    letter_first = letter_count = 0;
    now_ms = 0;
    study = read_study(more);
    identify(study);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        struct member_config config;
        struct error error = {""};
        read_rows(i);
        config = config_of(i);
        if (member_new(&nodes[i].member, &config, NULL, 0, &error) != 0)
            fail_msg("%s", error.text);
        nodes[i].wake_ms = UINT64_MAX;
        nodes[i].first_slot = UINT32_MAX;
    }
}

static void finish(void)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        member_free(nodes[i].member);
        dataset_free(nodes[i].dataset);
        for (size_t s = 0; s < SLOTS; s++)
            free(nodes[i].slots[s]);
    }
    for (; letter_first < letter_count; letter_first++)
        free(letters[letter_first].head);
    study_free(study);
}

static void post(uint32_t from, const struct gossip_effect *e)
{
    struct letter *l = &letters[letter_count++];

    assert_true(letter_count < LETTERS_MAX);
    l->from = from;
    l->to = e->send.to;
    l->head_size = e->send.head_size;
    l->body_size = e->send.body_size;
    l->head = malloc(l->head_size + l->body_size + 1);
    assert_non_null(l->head);
    l->body = l->head + l->head_size;
    memcpy(l->head, e->send.head, l->head_size);
    if (l->body_size > 0)
        memcpy(l->body, e->send.body, l->body_size);
}

static void perform(uint32_t i, const struct gossip_effect *e)
{
    struct node *n = &nodes[i];

    if (n->saves == 0 && n->sends == 0 && e->kind == GOSSIP_SAVE)
        n->first_slot = e->save.slot;
    if (e->kind == GOSSIP_SAVE) {
        assert_true(e->save.slot < SLOTS);
        free(n->slots[e->save.slot]);
        n->slots[e->save.slot] = malloc(e->save.size + 1);
        memcpy(n->slots[e->save.slot], e->save.bytes, e->save.size);
        n->sizes[e->save.slot] = e->save.size;
        n->saves++;
    } else if (e->kind == GOSSIP_SEND) {
        post(i, e);
        n->sends++;
    } else if (e->kind == GOSSIP_WAKE) {
        n->wake_ms = e->wake.at_ms;
    } else if (e->kind == GOSSIP_DONE) {
        assert_false(n->done);
        n->done = true;
        n->reason = e->done.reason;
        n->decline = e->done.decline;
    } else if (e->kind == GOSSIP_LEAVE) {
        n->left = true;
    }
    assert_true(e->kind != GOSSIP_CONTRIBUTE && e->kind != GOSSIP_ABSORB);
}

static void feed(uint32_t i, struct gossip_event *event)
{
    const struct gossip_effect *effects = NULL;
    struct gossip_event done;
    size_t count = 0;

    event->now_ms = now_ms;
    member_step(nodes[i].member, event, &effects, &count);
    const char *line = member_audit(nodes[i].member);
    if (event->kind == GOSSIP_CONTRIBUTED) {
        assert_non_null(line);
        assert_null(member_audit(nodes[i].member));
        snprintf(nodes[i].audit, sizeof nodes[i].audit, "%s", line);
        nodes[i].audit_count++;
    } else {
        assert_null(line);
    }
    for (size_t e = 0; e < count; e++)
        perform(i, &effects[e]);
    while (member_has_job(nodes[i].member)) {
        member_work(nodes[i].member, &done);
        feed(i, &done);
    }
}

static void deliver(void)
{
    struct letter l = letters[letter_first++];
    struct gossip_event event = {.kind = GOSSIP_RECEIVED};

    event.received.from = l.from;
    event.received.head = l.head;
    event.received.head_size = l.head_size;
    event.received.body = l.body;
    event.received.body_size = l.body_size;
    if (!nodes[l.to].left)
        feed(l.to, &event);
    free(l.head);
}

static bool all_done(void)
{
    bool all = true;

    for (uint32_t i = 0; i < MEMBERS; i++)
        all = all && nodes[i].done;
    return all;
}

/* A network that delivers in order and at once; time passes when nothing is
 * under way. */
static void play(void)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        struct gossip_event event = {.kind = GOSSIP_TIMER};
        feed(i, &event);
    }
    while (!all_done() && now_ms < 600000) {
        if (letter_first < letter_count) {
            deliver();
            continue;
        }
        uint32_t next = 0;
        for (uint32_t i = 1; i < MEMBERS; i++)
            if (nodes[i].wake_ms < nodes[next].wake_ms)
                next = i;
        assert_true(nodes[next].wake_ms != UINT64_MAX);
        if (nodes[next].wake_ms > now_ms)
            now_ms = nodes[next].wake_ms;
        nodes[next].wake_ms = UINT64_MAX;
        struct gossip_event event = {.kind = GOSSIP_TIMER};
        feed(next, &event);
    }
}

static void write_all(double scale)
{
    write_rows("one.csv", 20, 1, scale);
    write_rows("two.csv", 30, 2, scale);
    write_rows("three.csv", 25, 3, scale);
}

static void three_members_end_with_one_state_and_a_fit(void **state)
{
    struct gossip_view first, view;
    (void)state;

    write_all(1);
    begin("");
    play();
    assert_true(all_done());
    member_view(nodes[0].member, &first);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        struct task_report report = {0};
        struct error error = {""};
        assert_int_equal(nodes[i].reason, GOSSIP_FINISHED);
        assert_string_equal(member_decline(nodes[i].member), "");
        member_view(nodes[i].member, &view);
        assert_memory_equal(view.state_hash, first.state_hash,
                            GOSSIP_HASH_BYTES);
        assert_int_equal(member_report(nodes[i].member, &report, &error), 0);
        assert_true(report.converged);
        assert_int_equal(report.n_train, 75);
        assert_int_equal(report.coefficient_count, 3);
        assert_true(
            fabs(report.coefficients[1].estimate / report.scaling[0].sd - 0.5) <
            1e-7);
        assert_true(
            fabs(report.coefficients[2].estimate / report.scaling[1].sd +
                 0.25) < 1e-7);
        task_report_free(&report);
        assert_true(nodes[i].audit_count >= 3);
        assert_non_null(strstr(nodes[i].audit, ": allowed"));
    }
    finish();
}

static void the_rows_fingerprint_is_saved_before_anything_is_said(void **state)
{
    (void)state;
    write_all(1);
    begin("");
    play();
    for (uint32_t i = 0; i < MEMBERS; i++) {
        assert_int_equal(nodes[i].first_slot, MEMBER_SLOT_DATA);
        assert_int_equal(nodes[i].sizes[MEMBER_SLOT_DATA], 64);
        assert_memory_equal(nodes[i].slots[MEMBER_SLOT_DATA],
                            nodes[i].dataset->fingerprint, 32);
    }
    finish();
}

static size_t saved_of(struct gossip_record *records, uint32_t i)
{
    size_t count = 0;

    for (uint32_t s = SLOTS; s-- > 0;)
        if (nodes[i].slots[s] != NULL)
            records[count++] =
                (struct gossip_record){s, nodes[i].slots[s], nodes[i].sizes[s]};
    return count;
}

static void a_restart_needs_the_same_rows(void **state)
{
    struct gossip_record records[SLOTS];
    struct error error = {""};
    struct gossip_event timer = {.kind = GOSSIP_TIMER};
    (void)state;

    write_all(1);
    begin("");
    play();
    size_t count = saved_of(records, 1);
    struct member_config config = config_of(1);
    member_free(nodes[1].member);
    assert_int_equal(
        member_new(&nodes[1].member, &config, records, count, &error), 0);
    nodes[1].saves = nodes[1].sends = 0;
    nodes[1].first_slot = UINT32_MAX;
    nodes[1].done = nodes[1].left = false;
    feed(1, &timer);
    assert_int_not_equal(nodes[1].first_slot, MEMBER_SLOT_DATA);
    member_free(nodes[1].member);
    write_rows("two.csv", 30, 4, 1);
    read_rows(1);
    config = config_of(1);
    assert_int_equal(
        member_new(&nodes[1].member, &config, records, count, &error), -ESTALE);
    assert_null(nodes[1].member);
    assert_non_null(strstr(error.text, "two.csv: the rows differ from those "
                                       "the study began with"));
    finish();
}

static void a_declining_site_ends_the_study_and_says_why(void **state)
{
    (void)state;
    write_all(1);
    write_rows("two.csv", 4, 2, 1);
    begin("");
    play();
    assert_true(all_done());
    for (uint32_t i = 0; i < MEMBERS; i++) {
        assert_int_equal(nodes[i].reason, GOSSIP_DECLINED);
        assert_int_equal(nodes[i].decline, GOSSIP_DECLINE_POLICY);
    }
    assert_non_null(strstr(member_decline(nodes[1].member),
                           "found 4 training rows, expected 5"));
    assert_non_null(strstr(nodes[1].audit, "declined (policy)"));
    assert_string_equal(member_decline(nodes[0].member), "");
    finish();
}

static void what_lanes_cannot_sum_is_declined_not_clipped(void **state)
{
    (void)state;
    write_all(1e18);
    begin("");
    play();
    assert_true(all_done());
    for (uint32_t i = 0; i < MEMBERS; i++)
        assert_int_equal(nodes[i].reason, GOSSIP_DECLINED);
    assert_int_equal(nodes[0].decline, GOSSIP_DECLINE_RANGE);
    assert_non_null(strstr(member_decline(nodes[0].member), "column 'a'"));
    assert_non_null(strstr(nodes[0].audit, "declined (range)"));
    finish();
}

static void another_nodes_key_is_refused(void **state)
{
    struct member *member = NULL;
    struct error error = {""};
    (void)state;

    write_all(1);
    begin("");
    struct member_config config = config_of(0);
    config.identity = &nodes[1].identity;
    assert_int_equal(member_new(&member, &config, NULL, 0, &error), -EACCES);
    assert_null(member);
    assert_non_null(strstr(error.text, "s.yaml:4: found another key for "
                                       "'one'"));
    finish();
}

static void records_of_another_study_are_refused(void **state)
{
    struct gossip_record records[SLOTS];
    struct member *member = NULL;
    struct error error = {""};
    (void)state;

    write_all(1);
    begin("");
    play();
    size_t count = saved_of(records, 1);
    struct study *old = study;
    study = read_study("rounds: {max: 49}\n");
    identify(study);
    struct member_config config = config_of(1);
    int code = member_new(&member, &config, records, count, &error);
    member_free(member);
    study_free(study);
    study = old;
    assert_int_equal(code, -EINVAL);
    assert_non_null(
        strstr(error.text, "s.yaml: found records of another study"));
    finish();
}

static void check_tells_what_would_leave(void **state)
{
    char text[4096];
    struct error error = {""};
    (void)state;

    write_all(1);
    begin("");
    struct member_config config = config_of(1);
    config.identity = NULL;
    assert_int_equal(member_check(&config, text, sizeof text, &error), 0);
    assert_non_null(strstr(text, "two, one of 3"));
    assert_non_null(strstr(text, "30: 30 train, 0 test; 0 dropped"));
    assert_non_null(strstr(text, "2: a b"));
    assert_non_null(strstr(text, "leaves    "));
    assert_non_null(strstr(text, "3 of 3 sites"));
    assert_non_null(strstr(text, "the threshold equals the number of sites"));
    write_rows("two.csv", 3, 2, 1);
    read_rows(1);
    config.dataset = nodes[1].dataset;
    assert_int_equal(member_check(&config, text, sizeof text, &error), -EINVAL);
    assert_non_null(strstr(error.text, "found 3 training rows"));
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_members_end_with_one_state_and_a_fit),
        cmocka_unit_test(the_rows_fingerprint_is_saved_before_anything_is_said),
        cmocka_unit_test(a_restart_needs_the_same_rows),
        cmocka_unit_test(a_declining_site_ends_the_study_and_says_why),
        cmocka_unit_test(what_lanes_cannot_sum_is_declined_not_clipped),
        cmocka_unit_test(another_nodes_key_is_refused),
        cmocka_unit_test(records_of_another_study_are_refused),
        cmocka_unit_test(check_tells_what_would_leave),
    };

    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
