#include "sim/crew.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void start(struct crew *crew, size_t child, const char *script)
{
    const char *const arguments[] = {"/bin/sh", "-c", script, NULL};
    const char *const settings[] = {"CREW_TEST=set", NULL};
    struct error error;

    assert_int_equal(crew_start(crew, child, arguments, settings, &error), 0);
}

static struct crew_event next(struct crew *crew)
{
    struct crew_event event;

    crew_next(crew, &event, crew_now_ms() + 10000);
    return event;
}

static void expect_line(struct crew *crew, enum crew_kind kind,
                        const char *line)
{
    struct crew_event event = next(crew);

    assert_int_equal(event.kind, kind);
    assert_string_equal(event.line, line);
}

static void every_line_is_told_before_the_exit(void **state)
{
    struct crew *crew = crew_new(1);

    (void)state;
    start(crew, 0, "echo one; echo; printf 'three, no end'; exit 7");
    expect_line(crew, CREW_LINE, "one");
    expect_line(crew, CREW_LINE, "");
    expect_line(crew, CREW_LINE, "three, no end");
    struct crew_event event = next(crew);
    assert_int_equal(event.kind, CREW_EXIT);
    assert_int_equal(event.status, 7);
    assert_int_equal(crew_count(crew), 0);
    crew_free(crew);
}

/* Who asks for what is there already hears it, however late the hour. */
static void a_late_question_is_answered(void **state)
{
    struct crew *crew = crew_new(1);
    struct crew_event event = {.kind = CREW_TIMEOUT};
    const uint64_t limit = crew_now_ms() + 10000;

    (void)state;
    start(crew, 0, "exit 3");
    while (event.kind == CREW_TIMEOUT && crew_now_ms() < limit)
        crew_next(crew, &event, 0);
    assert_int_equal(event.kind, CREW_EXIT);
    assert_int_equal(event.status, 3);
    crew_free(crew);
}

static void standard_error_is_told_apart(void **state)
{
    struct crew *crew = crew_new(2);

    (void)state;
    start(crew, 1, "echo wrong >&2");
    struct crew_event event = next(crew);
    assert_int_equal(event.kind, CREW_COMPLAINT);
    assert_int_equal(event.child, 1);
    assert_string_equal(event.line, "wrong");
    crew_free(crew);
}

static void settings_reach_the_child_and_its_input_is_empty(void **state)
{
    struct crew *crew = crew_new(1);

    (void)state;
    start(crew, 0, "read line || echo \"$CREW_TEST\"");
    expect_line(crew, CREW_LINE, "set");
    crew_free(crew);
}

static void a_line_may_be_longer_than_a_pipe(void **state)
{
    struct crew *crew = crew_new(1);

    (void)state;
    start(crew, 0, "head -c 300000 /dev/zero | tr '\\0' x; echo; echo end");
    struct crew_event event = next(crew);
    assert_int_equal(event.kind, CREW_LINE);
    assert_int_equal(strlen(event.line), 300000);
    expect_line(crew, CREW_LINE, "end");
    crew_free(crew);
}

/* As the result of a large network is: the child goes on all the same. */
static void a_line_that_has_no_room_is_left_out(void **state)
{
    struct crew *crew = crew_new(1);

    (void)state;
    start(crew, 0,
          "echo begin; head -c 3000000 /dev/zero | tr '\\0' x; echo; "
          "echo end || exit 3");
    expect_line(crew, CREW_LINE, "begin");
    expect_line(crew, CREW_LINE, "end");
    struct crew_event event = next(crew);
    assert_int_equal(event.kind, CREW_EXIT);
    assert_int_equal(event.status, 0);
    crew_free(crew);
}

static void a_killed_child_is_told_by_its_signal_and_starts_again(void **state)
{
    struct crew *crew = crew_new(1);

    (void)state;
    start(crew, 0, "echo up; exec sleep 1000");
    expect_line(crew, CREW_LINE, "up");
    crew_signal(crew, 0, SIGKILL);
    struct crew_event event = next(crew);
    assert_int_equal(event.kind, CREW_EXIT);
    assert_int_equal(event.status, 128 + SIGKILL);
    start(crew, 0, "echo again");
    expect_line(crew, CREW_LINE, "again");
    crew_free(crew);
}

static void no_child_outlives_the_crew(void **state)
{
    struct crew *crew = crew_new(1);

    (void)state;
    start(crew, 0, "echo $$; exec sleep 1000");
    struct crew_event event = next(crew);
    pid_t pid = (pid_t)atol(event.line);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, 0), 0);
    crew_free(crew);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

/* The middle process holds the crew; when it is killed with no chance to tidy
 * up, the pipe that its child inherited must close. */
static void no_child_outlives_a_killed_parent(void **state)
{
    int fds[2];
    char byte;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid_t middle = fork();
    if (middle == 0) {
        struct crew *crew = crew_new(1);
        start(crew, 0, "echo up; exec sleep 1000");
        struct crew_event event = next(crew);
        if (event.kind != CREW_LINE || write(fds[1], "u", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    kill(middle, SIGKILL);
    waitpid(middle, NULL, 0);
    alarm(10);
    assert_int_equal(read(fds[0], &byte, 1), 0);
    alarm(0);
    close(fds[0]);
}

static void an_interrupt_is_an_event(void **state)
{
    struct crew *crew = crew_new(1);

    (void)state;
    start(crew, 0, "exec sleep 1000");
    raise(SIGINT);
    assert_int_equal(next(crew).kind, CREW_INTERRUPT);
    crew_free(crew);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_told_before_the_exit),
        cmocka_unit_test(a_late_question_is_answered),
        cmocka_unit_test(standard_error_is_told_apart),
        cmocka_unit_test(settings_reach_the_child_and_its_input_is_empty),
        cmocka_unit_test(a_line_may_be_longer_than_a_pipe),
        cmocka_unit_test(a_line_that_has_no_room_is_left_out),
        cmocka_unit_test(a_killed_child_is_told_by_its_signal_and_starts_again),
        cmocka_unit_test(no_child_outlives_the_crew),
        cmocka_unit_test(no_child_outlives_a_killed_parent),
        cmocka_unit_test(an_interrupt_is_an_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
