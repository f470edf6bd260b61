/* Two pods of three sites; this is site 0 of pod 0, which is linked with all.
 * What a person is told goes to a file instead of standard error. */

#include "node/company.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "node/pods.h"
#include "node/scratch.h"

enum { PODS = 2, SIZE = 3, SITES = PODS * SIZE, MANY = 500 };

static const char text[] =
    "version: 1\nstudy: pods\n"
    "sites: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, "
    "{name: f}]\n"
    "task: {kind: logistic, method: dgd, target: y, features: [x], l2: %d}\n"
    "rounds: {step: 1}\n"
    "pods: {sites: [[a, b, c], [d, e, f]]}\n";

static struct identity identities[SITES];

struct site {
    struct study *whole, view;
    struct study_site fellows[SIZE];
    struct greeting greeting;
};
static struct site ours, same, other; /* other: with another study file */
static struct progress progress;
static struct company company;
static FILE *told;
static int stderr_before;

static void read_site(struct site *s, int l2, uint32_t place)
{
    char file[1024];
    struct error error = {""};
    uint32_t pod, member;

    snprintf(file, sizeof file, text, l2);
    if (study_read(&s->whole, scratch_write("s.yaml", file), &error) != 0)
        fail_msg("%s", error.text);
    for (uint32_t i = 0; i < SITES; i++) {
        s->whole->sites[i].key = identities[i].open;
        s->whole->sites[i].has_key = true;
    }
    pods_find(s->whole, place, &pod, &member);
    pods_view(&s->view, s->fellows, s->whole, pod);
    greeting_write(&s->greeting, &s->view, member,
                   identities[place].sign_secret);
}

static int open_all(void **state)
{
    struct error error = {""};
    struct prg prg;
    uint8_t seed[PRG_SEED_BYTES] = "company";

    (void)state;
    prg_seed(&prg, seed);
    for (size_t i = 0; i < SITES; i++)
        identity_generate(&identities[i], &prg);
    read_site(&ours, 0, 0);
    read_site(&same, 0, 4);
    read_site(&other, 1, 4);
    progress = (struct progress){.study = &ours.view};
    company = (struct company){
        .study = &ours.view, .progress = &progress, .greeting = ours.greeting};
    assert_int_equal(links_find(&company.links, &ours.view, 0, &error), 0);
    assert_int_equal(company.links.count, SITES);
    told = fopen(scratch_path("told"), "w+");
    assert_non_null(told);
    fflush(stderr);
    stderr_before = dup(STDERR_FILENO);
    dup2(fileno(told), STDERR_FILENO);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    dup2(stderr_before, STDERR_FILENO);
    close(stderr_before);
    fclose(told);
    study_free(ours.whole);
    study_free(same.whole);
    study_free(other.whole);
    return 0;
}

static size_t lines_with(const char *part)
{
    char line[1024];
    size_t count = 0;

    fflush(stderr);
    rewind(told);
    while (fgets(line, sizeof line, told) != NULL)
        count += strstr(line, part) != NULL;
    return count;
}

static bool greets(uint32_t place, const struct greeting *g)
{
    return company_greeted(&company, place, g->head, g->size);
}

static void a_differing_file_is_told_once_and_by_name(void **state)
{
    (void)state;
    assert_true(greets(4, &other.greeting));
    assert_true(greets(4, &other.greeting));
    assert_int_equal(lines_with("peer 'e' of pod 1 runs a study that differs "
                                "in 'task.l2': compare both files"),
                     1);
    company_refused(&company, 4, MANY); /* that is why */
    assert_int_equal(lines_with("refused"), 0);
    assert_true(greets(4, &same.greeting));
    company_refused(&company, 4, MANY);
    assert_int_equal(lines_with("refused 1000 messages of 'e'"), 1);
}

static void equal_files_are_not_told(void **state)
{
    (void)state;
    assert_true(greets(4, &same.greeting));
    assert_int_equal(lines_with(""), 0);
}

static void a_greeting_counts_from_its_signer_only(void **state)
{
    struct greeting forged = other.greeting;

    (void)state;
    assert_true(greets(5, &other.greeting)); /* e's, by f */
    forged.head[forged.size - 2] ^= 1;
    assert_true(greets(4, &forged));
    assert_int_equal(lines_with("differs"), 0);
    assert_int_equal(company.peers[5].refused, 1);
    assert_int_equal(company.peers[4].refused, 1);
}

static void an_engine_hears_its_own_pods_greetings(void **state)
{
    struct site fellow;

    (void)state;
    read_site(&fellow, 1, 1);
    assert_false(greets(1, &fellow.greeting));
    /* it takes itself for another member: no engine could read that */
    greeting_write(&fellow.greeting, &fellow.view, 2,
                   identities[1].sign_secret);
    assert_true(greets(1, &fellow.greeting));
    assert_int_equal(lines_with("peer 'b' runs a study that differs"), 1);
    assert_false(company_greeted(&company, 1, (const uint8_t *)"\x98\2\2", 3));
    assert_false(company_greeted(&company, 1, (const uint8_t *)"\1", 1));
    study_free(fellow.whole);
}

/* Whoever holds a key could fill the disk of whoever keeps the log. */
static void no_peer_makes_a_log_grow_without_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        company_link(&company, 4, i % 2 == 0);
        greets(4, i % 2 == 0 ? &other.greeting : &same.greeting);
        company_refused(&company, 4, 1);
    }
    assert_in_range(lines_with(""), 1, COMPANY_LINES + 1);
    company_link(&company, 5, true);
    assert_int_equal(lines_with("linked with f of pod 1"), 1);
    for (size_t i = 0; i < COMPANY_LINES; i++)
        assert_true(company_may_tell(&company, 1 << 2));
    assert_false(company_may_tell(&company, 1 << 2));
    assert_true(company_may_tell(&company, 1 << 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_differing_file_is_told_once_and_by_name, open_all, close_all),
        cmocka_unit_test_setup_teardown(equal_files_are_not_told, open_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(a_greeting_counts_from_its_signer_only,
                                        open_all, close_all),
        cmocka_unit_test_setup_teardown(an_engine_hears_its_own_pods_greetings,
                                        open_all, close_all),
        cmocka_unit_test_setup_teardown(no_peer_makes_a_log_grow_without_end,
                                        open_all, close_all),
    };

    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
