/* Real connections on loopback: the count is the kernel's. */

#include "node/gauge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT = 10000, LIMIT_MS = 5000 };

struct pair {
    int sends, takes;
};

static struct pair connect_pair(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    struct pair p;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    p.sends = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(p.sends, (struct sockaddr *)&at, size), 0);
    p.takes = accept(listener, NULL, NULL);
    assert_true(p.takes >= 0);
    close(listener);
    return p;
}

static void close_pair(struct pair *p)
{
    close(p->sends);
    close(p->takes);
}

/* Returns when it has arrived. */
static void bring(const struct pair *p, size_t size)
{
    static char bytes[8 * LIMIT];
    struct pollfd item = {.fd = p->takes, .events = POLLIN};
    size_t got = 0;

    assert_int_equal(send(p->sends, bytes, size, 0), size);
    while (got < size) {
        assert_int_equal(poll(&item, 1, LIMIT_MS), 1);
        ssize_t some = recv(p->takes, bytes, sizeof bytes, 0);
        assert_true(some > 0);
        got += (size_t)some;
    }
}

static bool is_cut(const struct pair *p)
{
    char byte;

    return recv(p->sends, &byte, 1, MSG_DONTWAIT) == 0;
}

static void who_brings_too_much_is_cut_once(void **state)
{
    struct gauge g = {.limit = LIMIT};
    struct pair calm = connect_pair(), wild = connect_pair();

    (void)state;
    gauge_begin(&g, calm.takes);
    gauge_begin(&g, wild.takes);
    bring(&calm, LIMIT);
    bring(&wild, LIMIT + 1);
    assert_int_equal(gauge_cut(&g), wild.takes);
    assert_true(is_cut(&wild));
    assert_false(is_cut(&calm));
    assert_int_equal(gauge_cut(&g), -1);
    close_pair(&calm);
    close_pair(&wild);
    gauge_free(&g);
}

static void whole_messages_do_not_add_up(void **state)
{
    struct gauge g = {.limit = LIMIT};
    struct pair p = connect_pair();

    (void)state;
    gauge_begin(&g, p.takes);
    for (int i = 0; i < 10; i++) {
        bring(&p, LIMIT);
        assert_int_equal(gauge_cut(&g), -1);
        gauge_take(&g, p.takes, LIMIT);
    }
    assert_false(is_cut(&p));
    close_pair(&p);
    gauge_free(&g);
}

/* One site may hold many connections. */
static void many_together_are_cut_too(void **state)
{
    enum { MANY = GAUGE_TOTAL + 1 };
    struct gauge g = {.limit = LIMIT};
    struct pair pairs[MANY];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        pairs[i] = connect_pair();
        gauge_begin(&g, pairs[i].takes);
        bring(&pairs[i], LIMIT - (i == 2 ? 0 : 1));
    }
    assert_int_equal(gauge_cut(&g), pairs[2].takes);
    assert_int_equal(gauge_cut(&g), -1);
    for (int i = 0; i < MANY; i++)
        close_pair(&pairs[i]);
    gauge_free(&g);
}

static void what_has_ended_is_not_watched(void **state)
{
    struct gauge g = {.limit = LIMIT};
    struct pair p = connect_pair();

    (void)state;
    gauge_begin(&g, p.takes);
    gauge_end(&g, p.takes);
    gauge_end(&g, p.takes);
    bring(&p, 2 * LIMIT);
    assert_int_equal(gauge_cut(&g), -1);
    close_pair(&p);
    gauge_begin(&g, p.takes); /* no connection has that number now */
    assert_int_equal(gauge_cut(&g), -1);
    gauge_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_brings_too_much_is_cut_once),
        cmocka_unit_test(whole_messages_do_not_add_up),
        cmocka_unit_test(many_together_are_cut_too),
        cmocka_unit_test(what_has_ended_is_not_watched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
