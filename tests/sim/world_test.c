/* Whole studies on the virtual network: what members promise to each other
 * whatever happens to one of them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "sim/chaos.h"
#include "sim/cohort.h"
#include "sim/deal.h"
#include "sim/world.h"

enum { FOUR = 4, REASON_SIZE = 512, SOON_MS = 800 };

/* What is left of a run. */
struct ending {
    int status;
    char reason[REASON_SIZE], violation[REASON_SIZE];
    struct world_facts facts;
    uint64_t survivors[64], opened_ms[64], awaited[64];
    uint64_t effects;
};

static const struct dataset *const *rows_of(const struct cohort *c)
{
    return (const struct dataset *const *)c->datasets;
}

static struct world_config quiet(const struct cohort *c)
{
    struct world_config config;

    world_config_of(&config, c->study, rows_of(c));
    return config;
}

static void end(struct ending *e, struct world *w)
{
    memset(e, 0, sizeof *e);
    e->status = world_run(w);
    snprintf(e->reason, sizeof e->reason, "%s", world_reason(w));
    snprintf(e->violation, sizeof e->violation, "%s", world_violation(w));
    world_facts(w, &e->facts);
    for (size_t i = 0; i < e->facts.round_count && i < 64; i++) {
        e->survivors[i] = e->facts.rounds[i].survivors;
        e->opened_ms[i] = e->facts.rounds[i].virtual_ms;
        e->awaited[i] = e->facts.rounds[i].awaited;
    }
    e->facts.rounds = NULL;
    e->effects = world_effects(w, 1);
}

static void run(struct ending *e, const struct world_config *config)
{
    struct error error = {{0}};
    struct world *w;

    if (world_new(&w, config, &error) != 0)
        fail_msg("%s", error.text);
    end(e, w);
    world_free(w);
    assert_string_equal(e->violation, "");
}

static void finishes(const struct ending *e)
{
    if (e->status != 0)
        fail_msg("no result: %s", e->reason);
    assert_true(e->facts.sum_exact);
}

static char *trace_of(struct world_config config, uint64_t seed)
{
    struct ending e;
    char *text = NULL;
    size_t size;

    config.seed = seed;
    config.trace = open_memstream(&text, &size);
    assert_non_null(config.trace);
    run(&e, &config);
    fclose(config.trace);
    finishes(&e);
    return text;
}

static void the_same_seed_gives_the_same_trace(void **state)
{
    struct cohort c;

    (void)state;
    cohort_new(&c, "logistic", FOUR, "wait");
    struct world_config config = quiet(&c);
    config.laws.loss_ppm = 50000;
    config.laws.duplicate_ppm = 20000;
    char *first = trace_of(config, 3), *again = trace_of(config, 3),
         *other = trace_of(config, 4);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    assert_non_null(strstr(first, " lost\n"));
    assert_non_null(strstr(first, " twice\n"));
    free(first);
    free(again);
    free(other);
    cohort_free(&c);
}

static void equals_the_pooled_fit(const char *kind, double tolerance)
{
    struct error error = {{0}};
    struct task_report pooled, report;
    struct ending e;
    struct cohort c;
    struct world *w;

    cohort_new(&c, kind, FOUR, "wait");
    struct world_config config = quiet(&c);
    assert_int_equal(world_new(&w, &config, &error), 0);
    end(&e, w);
    finishes(&e);
    assert_int_equal(member_report(world_member(w, 2), &report, &error), 0);
    assert_int_equal(
        deal_pooled_fit(&pooled, c.study, rows_of(&c), FOUR, &error), 0);
    assert_true(report.converged && pooled.converged);
    assert_int_equal(report.coefficient_count, 3);
    assert_int_equal(report.n_train, FOUR * COHORT_ROWS * 3 / 4);
    for (size_t i = 0; i < 3; i++) {
        const struct task_coefficient *a = &report.coefficients[i],
                                      *b = &pooled.coefficients[i];
        assert_true(fabs(a->estimate) > 1e-3);
        assert_true(fabs(a->estimate - b->estimate) < tolerance);
        assert_true(fabs(a->std_error - b->std_error) < tolerance);
    }
    task_report_free(&report);
    task_report_free(&pooled);
    world_free(w);
    cohort_free(&c);
}

static void a_logistic_study_equals_the_pooled_fit(void **state)
{
    (void)state;
    equals_the_pooled_fit("logistic", 1e-7);
}

static void a_linear_study_equals_the_pooled_fit(void **state)
{
    (void)state;
    equals_the_pooled_fit("linear", 1e-7);
}

/* The study without and with the crash of one member; both must end with the
 * same public state. */
static void survives(struct world_crash crash, struct ending *e)
{
    struct ending calm;
    struct cohort c;

    cohort_new(&c, "logistic", FOUR, "wait");
    struct world_config config = quiet(&c);
    run(&calm, &config);
    finishes(&calm);
    config.crashes[config.crash_count++] = crash;
    run(e, &config);
    finishes(e);
    assert_int_equal(e->facts.crashes, 1);
    assert_int_equal(e->facts.restarts, 1);
    assert_memory_equal(e->facts.state_hash, calm.facts.state_hash,
                        GOSSIP_HASH_BYTES);
    assert_int_equal(e->facts.round_count, calm.facts.round_count);
    for (size_t i = 0; i < e->facts.round_count; i++)
        assert_int_equal(e->survivors[i], 15);
    cohort_free(&c);
}

static struct world_crash dies(enum world_when when, enum wire_type type)
{
    return (struct world_crash){.member = 1,
                                .when = when,
                                .type = type,
                                .round = 2,
                                .restart_after_ms = SOON_MS};
}

static void a_member_lost_before_its_vector_is_awaited(void **state)
{
    struct world_crash crash = dies(WORLD_BEFORE, WIRE_Y);
    struct ending e;

    (void)state;
    crash.restart_after_ms = 10000;
    survives(crash, &e);
    assert_true(e.opened_ms[2] > e.opened_ms[1] + 10000);
    assert_true((e.awaited[2] & 2) != 0);
}

static void a_member_lost_after_its_vector_is_not_awaited(void **state)
{
    struct world_crash crash = dies(WORLD_AFTER, WIRE_Y);
    struct ending e;

    (void)state;
    crash.restart_after_ms = 10000;
    survives(crash, &e);
    assert_true(e.opened_ms[2] < e.opened_ms[1] + 5000);
    assert_true(e.opened_ms[3] > e.opened_ms[1] + 10000);
}

static void a_member_killed_before_keys_comes_back(void **state)
{
    struct ending e;

    (void)state;
    survives(dies(WORLD_BEFORE, WIRE_KEYS), &e);
}

static void a_member_killed_between_shares_and_ack_comes_back(void **state)
{
    struct ending e;

    (void)state;
    survives(dies(WORLD_AFTER, WIRE_SHARES), &e);
}

static void a_member_killed_while_it_sends_its_vector_comes_back(void **state)
{
    struct ending e;

    (void)state;
    survives(dies(WORLD_SOME, WIRE_Y), &e);
}

static void a_member_killed_after_recv_comes_back(void **state)
{
    struct ending e;

    (void)state;
    survives(dies(WORLD_AFTER, WIRE_RECV), &e);
}

static void a_member_killed_after_unmask_comes_back(void **state)
{
    struct ending e;

    (void)state;
    survives(dies(WORLD_AFTER, WIRE_UNMASK), &e);
}

/* Round 2's first proposer is member 2. */
static void a_proposer_killed_between_quorum_and_commit_comes_back(void **state)
{
    struct world_crash crash = dies(WORLD_BEFORE, WIRE_COMMIT);
    struct ending e;

    (void)state;
    crash.member = 2;
    survives(crash, &e);
}

static void a_proposer_killed_before_it_proposes_comes_back(void **state)
{
    struct world_crash crash = dies(WORLD_BEFORE, WIRE_PROPOSE);
    struct ending e;

    (void)state;
    crash.member = 2;
    survives(crash, &e);
}

/* Attack 30. */
static void a_copy_completes_the_slice_of_a_lost_owner(void **state)
{
    struct world_crash crash = dies(WORLD_AFTER, WIRE_RECV);
    struct ending e;

    (void)state;
    crash.restart_after_ms = 20000;
    survives(crash, &e);
    assert_true(e.opened_ms[2] < e.opened_ms[1] + 5000);
}

/* Attack 32, and what a person is told. */
static void a_cohort_never_changes_under_wait(void **state)
{
    struct world_crash crash = dies(WORLD_BEFORE, WIRE_Y);
    struct ending e;
    struct cohort c;

    (void)state;
    crash.restart_after_ms = WORLD_NEVER;
    cohort_new(&c, "logistic", FOUR, "wait");
    struct world_config config = quiet(&c);
    config.end_ms = 20000;
    config.crashes[config.crash_count++] = crash;
    run(&e, &config);
    assert_int_equal(e.status, -1);
    assert_int_equal(e.facts.round_count, 2);
    assert_non_null(strstr(e.reason, "awaits ben"));
    cohort_free(&c);
}

static void a_limited_wait_ends_with_the_reason(void **state)
{
    struct world_crash crash = dies(WORLD_BEFORE, WIRE_Y);
    struct ending e;
    struct cohort c;

    (void)state;
    crash.restart_after_ms = WORLD_NEVER;
    cohort_new(&c, "logistic", FOUR, "wait");
    c.study->wait_ms = 7000;
    struct world_config config = quiet(&c);
    config.crashes[config.crash_count++] = crash;
    run(&e, &config);
    assert_int_equal(e.status, -1);
    assert_non_null(strstr(e.reason, "gave up waiting for ben"));
    cohort_free(&c);
}

static void a_partition_only_delays(void **state)
{
    struct ending calm, e;
    struct cohort c;

    (void)state;
    cohort_new(&c, "logistic", FOUR, "wait");
    struct world_config config = quiet(&c);
    run(&calm, &config);
    config.laws.partition_count = 1;
    config.laws.partitions[0] =
        (struct network_partition){.groups = {3, 12},
                                   .group_count = 2,
                                   .from_ms = calm.opened_ms[1],
                                   .to_ms = calm.opened_ms[1] + 15000};
    run(&e, &config);
    finishes(&e);
    assert_true(e.opened_ms[3] >= calm.opened_ms[1] + 15000);
    assert_memory_equal(e.facts.state_hash, calm.facts.state_hash,
                        GOSSIP_HASH_BYTES);
    cohort_free(&c);
}

static void stop_ends_the_study_at_every_member(void **state)
{
    struct world_crash crash = dies(WORLD_BEFORE, WIRE_Y);
    struct ending e;
    struct cohort c;
    char *text = NULL;
    size_t size;

    (void)state;
    crash.restart_after_ms = WORLD_NEVER;
    cohort_new(&c, "logistic", FOUR, "stop");
    struct world_config config = quiet(&c);
    config.crashes[config.crash_count++] = crash;
    config.trace = open_memstream(&text, &size);
    run(&e, &config);
    fclose(config.trace);
    assert_int_equal(e.status, -1);
    assert_non_null(strstr(e.reason, "missing ben"));
    assert_non_null(strstr(text, "ann done stopped r2 ben"));
    assert_non_null(strstr(text, "cyd done stopped r2 ben"));
    assert_non_null(strstr(text, "dan done stopped r2 ben"));
    free(text);
    cohort_free(&c);
}

/* Attack 31: with one ACK missing all shares may not be where they must. */
static void no_vector_is_sent_while_an_ack_is_missing(void **state)
{
    struct ending e;
    struct cohort c;

    (void)state;
    cohort_new(&c, "logistic", FOUR, "wait");
    struct world_config config = quiet(&c);
    config.drops[config.drop_count++] =
        (struct world_drop){.from = 15,
                            .to = 15 & ~(1u << 3),
                            .types = 1u << WIRE_ACK,
                            .round = 0,
                            .attempt = WORLD_ANY,
                            .ballot = WORLD_ANY,
                            .kind = WORLD_ANY,
                            .until_ms = 9000};
    run(&e, &config);
    finishes(&e);
    assert_true(e.opened_ms[0] >= 9000);
    cohort_free(&c);
}

/* Attack 21: at every effect of one member's whole life. */
static void a_crash_at_any_step_changes_nothing(void **state)
{
    struct ending calm, e;
    struct cohort c;

    (void)state;
    cohort_new(&c, "linear", FOUR, "wait");
    struct world_config config = quiet(&c);
    run(&calm, &config);
    finishes(&calm);
    assert_true(calm.effects > 100);
    config.crash_count = 1;
    for (uint64_t at = 1; at <= calm.effects; at++) {
        config.crashes[0] = (struct world_crash){.member = 1,
                                                 .when = WORLD_EFFECT,
                                                 .effect = at,
                                                 .restart_after_ms = 60};
        run(&e, &config);
        if (e.status != 0)
            fail_msg("effect %" PRIu64 ": %s", at, e.reason);
        assert_memory_equal(e.facts.state_hash, calm.facts.state_hash,
                            GOSSIP_HASH_BYTES);
    }
    cohort_free(&c);
}

static void nothing_sent_holds_a_plain_row_or_vector(void **state)
{
    struct ending e;
    struct cohort c;

    (void)state;
    cohort_new(&c, "logistic", FOUR, "wait");
    c.datasets[1]->x[0] = 1234.5678901;
    struct world_config config = quiet(&c);
    config.search = true;
    config.crashes[config.crash_count++] = dies(WORLD_AFTER, WIRE_Y);
    run(&e, &config);
    finishes(&e);
    cohort_free(&c);
}

static void chaos_breaks_nothing(void **state)
{
    enum { SEEDS = 50 };
    struct cohort c;
    int finished = 0, returning = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct ending e;
        cohort_new(&c, "linear", 3 + (uint32_t)(seed % 5), "wait");
        struct world_config config = quiet(&c);
        config.seed = seed;
        config.end_ms = 600000;
        bool all_return = chaos_draw(&config);
        run(&e, &config);
        returning += all_return;
        finished += all_return && e.status == 0;
        cohort_free(&c);
    }
    assert_true(returning > SEEDS / 2);
    assert_true(finished * 100 >= returning * 95);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_trace),
        cmocka_unit_test(a_logistic_study_equals_the_pooled_fit),
        cmocka_unit_test(a_linear_study_equals_the_pooled_fit),
        cmocka_unit_test(a_member_lost_before_its_vector_is_awaited),
        cmocka_unit_test(a_member_lost_after_its_vector_is_not_awaited),
        cmocka_unit_test(a_member_killed_before_keys_comes_back),
        cmocka_unit_test(a_member_killed_between_shares_and_ack_comes_back),
        cmocka_unit_test(a_member_killed_while_it_sends_its_vector_comes_back),
        cmocka_unit_test(a_member_killed_after_recv_comes_back),
        cmocka_unit_test(a_member_killed_after_unmask_comes_back),
        cmocka_unit_test(
            a_proposer_killed_between_quorum_and_commit_comes_back),
        cmocka_unit_test(a_proposer_killed_before_it_proposes_comes_back),
        cmocka_unit_test(a_copy_completes_the_slice_of_a_lost_owner),
        cmocka_unit_test(a_cohort_never_changes_under_wait),
        cmocka_unit_test(a_limited_wait_ends_with_the_reason),
        cmocka_unit_test(a_partition_only_delays),
        cmocka_unit_test(stop_ends_the_study_at_every_member),
        cmocka_unit_test(no_vector_is_sent_while_an_ack_is_missing),
        cmocka_unit_test(a_crash_at_any_step_changes_nothing),
        cmocka_unit_test(nothing_sent_holds_a_plain_row_or_vector),
        cmocka_unit_test(chaos_breaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
