/* A real connection on loopback, encrypted as the links are. */

#include "node/letter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { LIMIT_MS = 5000 };

struct line {
    zsock_t *calls, *listens;
    struct letter letter;
};

static struct line open_line(void)
{
    struct line line = {zsock_new(ZMQ_DEALER), zsock_new(ZMQ_ROUTER), {0}};
    zcert_t *ours = zcert_new(), *theirs = zcert_new();

    zcert_apply(ours, line.listens);
    zsock_set_curve_server(line.listens, 1);
    zsock_set_rcvtimeo(line.listens, LIMIT_MS);
    assert_true(zsock_bind(line.listens, "tcp://127.0.0.1:*") > 0);
    zcert_apply(theirs, line.calls);
    zsock_set_curve_serverkey_bin(line.calls, zcert_public_key(ours));
    assert_int_equal(
        zsock_connect(line.calls, "%s", zsock_endpoint(line.listens)), 0);
    zcert_destroy(&ours);
    zcert_destroy(&theirs);
    return line;
}

static void close_line(struct line *line)
{
    letter_free(&line->letter);
    zsock_destroy(&line->calls);
    zsock_destroy(&line->listens);
}

/* Sends frames[count] of those sizes and takes them at the other end. */
static void pass(struct line *line, const size_t *sizes, size_t count)
{
    static uint8_t bytes[1 << 17];
    zmq_pollitem_t item = {zsock_resolve(line->listens), 0, ZMQ_POLLIN, 0};

    for (size_t i = 0; i < count; i++)
        assert_int_equal(zmq_send(zsock_resolve(line->calls), bytes, sizes[i],
                                  i + 1 < count ? ZMQ_SNDMORE : 0),
                         sizes[i]);
    assert_int_equal(zmq_poll(&item, 1, LIMIT_MS), 1);
    assert_true(letter_take(&line->letter, line->listens, true));
    assert_int_equal(line->letter.count, count);
}

/* As the kernel counts. CZMQ brings glibc's struct, which ends before it. */
static uint64_t received(int fd)
{
    struct {
        struct tcp_info older;
        uint64_t pacing, pacing_max, acknowledged, received;
    } info = {0};
    socklen_t size = sizeof info;

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    assert_int_equal(size, sizeof info);
    return info.received;
}

static void its_size_is_what_it_took_on_the_line(void **state)
{
    static const size_t sizes[] = {5,   0,   1,   200, 221,   222,
                                   223, 224, 255, 256, 70000, 0};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    struct line line = open_line();

    (void)state;
    pass(&line, sizes, 1); /* and the handshake */
    for (size_t count = 1; count <= COUNT; count++) {
        uint64_t before = received(letter_fd(&line.letter));

        pass(&line, sizes, count);
        assert_int_equal(line.letter.size,
                         received(letter_fd(&line.letter)) - before);
    }
    close_line(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_size_is_what_it_took_on_the_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
