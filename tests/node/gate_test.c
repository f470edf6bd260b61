#include "node/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

static char kind[] = "linear", path[] = "rows.csv";
static uint8_t test_rows[40];
static double values[3] = {1.5, -2, 0};
static struct dataset dataset = {
    .path = path, .row_count = 30, .test = test_rows};
static const struct study study = {
    .name = "heart", .site_count = 4, .task = {.kind = kind}};

static struct gate_request request(void)
{
    return (struct gate_request){
        .study = &study,
        .dataset = &dataset,
        .self = 1,
        .round = 2,
        .phase = "means",
        .shape = {.length = 3, .bound = 8, .fraction_bits = 32, .exact = true},
        .values = values,
        .length = 3,
    };
}

static enum gossip_decline ask(const struct gate_request *q, const char *words)
{
    struct error error = {""};
    char line[GATE_LINE_SIZE];
    enum gossip_decline no = gate_ask(q, &error);

    if (strstr(error.text, words) == NULL)
        print_error("%s\n", error.text);
    assert_non_null(strstr(error.text, words));
    gate_line(line, q, no, &error);
    assert_ptr_equal(strstr(line, "study heart round 2 means length 3: "),
                     line);
    assert_non_null(strstr(line, error.text));
    assert_true((strstr(line, ": allowed") != NULL) == (no == 0));
    return no;
}

static void an_honest_vector_passes(void **state)
{
    struct gate_request q = request();
    (void)state;

    assert_int_equal(ask(&q, ""), GOSSIP_DECLINE_NONE);
}

static void what_the_charter_does_not_name_stays(void **state)
{
    struct gate_request q = request();
    (void)state;

    q.length = 2;
    assert_int_equal(ask(&q, "a vector of 2 values"), GOSSIP_DECLINE_POLICY);
    q = request();
    q.shape.bound = ldexp(1, 30); /* four of them overflow 64 bits */
    assert_int_equal(ask(&q, "not what the charter"), GOSSIP_DECLINE_POLICY);
    q = request();
    q.self = 4;
    assert_int_equal(ask(&q, "not in the charter"), GOSSIP_DECLINE_POLICY);
}

static void small_counts_stay(void **state)
{
    const struct gate_policy strict = {.rows_min = 31};
    struct gate_request q = request();
    (void)state;

    dataset.row_count = 4;
    assert_int_equal(ask(&q, "found 4 training rows"), GOSSIP_DECLINE_POLICY);
    dataset.row_count = 5;
    assert_int_equal(ask(&q, ""), GOSSIP_DECLINE_NONE);
    test_rows[2] = 1;
    assert_int_equal(ask(&q, "found 4 training rows"), GOSSIP_DECLINE_POLICY);
    test_rows[2] = 0;
    dataset.row_count = 30;
    q.policy = &strict;
    assert_int_equal(ask(&q, "expected 31 at least"), GOSSIP_DECLINE_POLICY);
}

/* What a peer sees of a site's test rows may be theirs alone. */
static void few_test_rows_stay_as_well(void **state)
{
    struct gate_request q = request();
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        test_rows[i] = 1;
        assert_int_equal(ask(&q, "test rows, expected none, or 5 at least"),
                         GOSSIP_DECLINE_POLICY);
    }
    test_rows[4] = 1;
    assert_int_equal(ask(&q, ""), GOSSIP_DECLINE_NONE);
    for (size_t i = 0; i < 5; i++)
        test_rows[i] = 0;
}

static void masks_are_off_only_where_the_site_agrees(void **state)
{
    const struct gate_policy agrees = {.rows_min = 5, .unmasked = true},
                             strict = {.rows_min = 5};
    struct study open = study;
    struct gate_request q = request();
    (void)state;

    open.path = path;
    open.unmasked = true;
    q.study = &open;
    assert_int_equal(ask(&q, "give --unmasked"), GOSSIP_DECLINE_POLICY);
    q.policy = &strict;
    assert_int_equal(ask(&q, "give --unmasked"), GOSSIP_DECLINE_POLICY);
    q.policy = &agrees;
    assert_int_equal(ask(&q, ""), GOSSIP_DECLINE_NONE);
}

static void wild_values_stay_and_are_named_by_place_only(void **state)
{
    struct gate_request q = request();
    (void)state;

    values[1] = 8.5;
    assert_int_equal(ask(&q, "element 2 of 3"), GOSSIP_DECLINE_RANGE);
    assert_int_equal(ask(&q, "beyond the bound"), GOSSIP_DECLINE_RANGE);
    values[1] = NAN;
    assert_int_equal(ask(&q, "not a finite number"), GOSSIP_DECLINE_RANGE);
    values[1] = -2;
}

static void the_charter_is_asked_before_the_policy(void **state)
{
    struct gate_request q = request();
    (void)state;

    dataset.row_count = 4;
    values[1] = NAN;
    q.length = 2;
    assert_int_equal(ask(&q, "charter"), GOSSIP_DECLINE_POLICY);
    q.length = 3;
    assert_int_equal(ask(&q, "training rows"), GOSSIP_DECLINE_POLICY);
    dataset.row_count = 30;
    values[1] = -2;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_honest_vector_passes),
        cmocka_unit_test(what_the_charter_does_not_name_stays),
        cmocka_unit_test(small_counts_stay),
        cmocka_unit_test(few_test_rows_stay_as_well),
        cmocka_unit_test(masks_are_off_only_where_the_site_agrees),
        cmocka_unit_test(wild_values_stay_and_are_named_by_place_only),
        cmocka_unit_test(the_charter_is_asked_before_the_policy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
