/* Real sockets on loopback. This process is member 1: it calls member 2 and is
 * called by member 0; the others are this program again, started with
 * arguments, so that they can be killed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <czmq.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/x25519.h"
#include "node/monitor.h"
#include "node/peer.h"
#include "node/transport.h"

enum {
    MEMBERS = 3,
    LIMIT_MS = 30000,
    SHORT_MS = 1900, /* less than a silence takes to be noticed */
    STUCK_MS = 200,  /* nothing more goes out */
    HEAD_MAX = 1024,
    BODY_MAX = 4096,
    HUGE = 1 << 20,
    STRANGER = 9,
    TALKER = 2,
    ARGUMENTS = 9
};

static const char wildcard[] = "tcp://127.0.0.1:*";
static const char nowhere[] = "tcp://127.0.0.1:1"; /* nobody listens there */

struct child {
    pid_t pid;
    FILE *lines;
    char endpoint[128];
};

static void make_pair(struct x25519_pair *pair, int which)
{
    uint8_t seed[PRG_SEED_BYTES] = {(uint8_t)which, 'k'};
    struct prg prg;

    prg_seed(&prg, seed);
    x25519_generate(pair, &prg);
}

static int open_transport(struct transport **t, int self, int key,
                          const char *study, const char *const *addresses,
                          int key_of_2, struct error *error)
{
    static const char *const names[MEMBERS] = {"alpha", "beta", "gamma"};
    struct transport_site sites[MEMBERS];
    struct transport_config config = {.self = (uint32_t)self,
                                      .members = MEMBERS,
                                      .sites = sites,
                                      .study = study,
                                      .head_max = HEAD_MAX,
                                      .body_max = BODY_MAX};
    const char *silence = getenv("SILENCE_MS"); /* the children's as well */
    struct x25519_pair pair;

    for (int i = 0; i < MEMBERS; i++) {
        make_pair(&pair, i == 2 ? key_of_2 : i);
        sites[i] = (struct transport_site){names[i], addresses[i], {0}};
        memcpy(sites[i].link, pair.open, sizeof pair.open);
    }
    if (silence != NULL)
        config.silence_ms = atoi(silence);
    make_pair(&pair, key);
    memcpy(config.link_secret, pair.secret, sizeof pair.secret);
    return transport_new(t, &config, error);
}

/* What a child says when a link is up. */
static void speak(struct transport *t, uint32_t to, const char *mode)
{
    static uint8_t zeros[HUGE];

    if (strcmp(mode, "forge") == 0)
        transport_send(t, to, (const uint8_t *)"I am gamma, member 2", 20, NULL,
                       0);
    else if (strcmp(mode, "long") == 0)
        transport_send(t, to, zeros, 1, zeros, BODY_MAX + 1);
    else if (strcmp(mode, "huge") == 0)
        transport_send(t, to, zeros, 1, zeros, HUGE);
    else if (strcmp(mode, "tell") != 0)
        transport_send(t, to, (const uint8_t *)"hello", 5, NULL, 0);
}

/* For tests/e2e/cut_test.sh: one that says nothing, one that goes on saying. */
static void tell_or_talk(struct transport *t, const struct transport_event *e,
                         const char *mode)
{
    if (e->kind == TRANSPORT_LINK) {
        printf("%s %u\n", e->up ? "up" : "down", e->member);
        fflush(stdout);
    }
    for (uint32_t i = 0; i < MEMBERS && strcmp(mode, "talk") == 0; i++)
        if (i != (uint32_t)TALKER)
            transport_send(t, i, (const uint8_t *)"hello", 5, NULL, 0);
}

/* argv: name, self, key, study, mode, three addresses */
static int child_main(char **argv)
{
    const char *addresses[MEMBERS] = {argv[5], argv[6], argv[7]};
    struct transport *t;
    struct error error;
    int64_t end = zclock_mono() + 4 * LIMIT_MS;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no orphans on the next test's port */
    if (open_transport(&t, atoi(argv[1]), atoi(argv[2]), argv[3], addresses, 2,
                       &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    printf("%s\n", transport_endpoint(t));
    fflush(stdout);
    while (zclock_mono() < end) {
        struct transport_event e;

        transport_poll(t, &e, NULL, 500);
        if (e.kind == TRANSPORT_LINK && e.up)
            speak(t, e.member, argv[4]);
        if (e.kind == TRANSPORT_RECEIVED && strcmp(argv[4], "echo") == 0 &&
            e.head_size > 5)
            transport_send(t, e.member, e.head, e.head_size, e.body,
                           e.body_size);
        if (argv[4][0] == 't')
            tell_or_talk(t, &e, argv[4]);
        if (e.kind == TRANSPORT_TEXT) {
            printf("%s\n", e.text);
            fflush(stdout);
        }
        if (e.kind == TRANSPORT_INTERRUPTED)
            break;
    }
    transport_free(t);
    return 0;
}

/* The child's next line, within the limit. */
static void read_line(struct child *child, char *line, size_t size)
{
    struct pollfd item = {.fd = fileno(child->lines), .events = POLLIN};

    assert_int_equal(poll(&item, 1, LIMIT_MS), 1);
    assert_non_null(fgets(line, (int)size, child->lines));
    line[strcspn(line, "\n")] = '\0';
}

static void start(struct child *child, int self, int key, const char *study,
                  const char *mode, const char *const *addresses)
{
    char self_text[8], key_text[8];
    int ends[2];

    snprintf(self_text, sizeof self_text, "%d", self);
    snprintf(key_text, sizeof key_text, "%d", key);
    assert_int_equal(pipe(ends), 0);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        execl("/proc/self/exe", "peer", self_text, key_text, study, mode,
              addresses[0], addresses[1], addresses[2], (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    child->lines = fdopen(ends[0], "r");
    read_line(child, child->endpoint, sizeof child->endpoint);
}

static void stop(struct child *child)
{
    if (child->pid <= 0)
        return;
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    fclose(child->lines);
    child->pid = 0;
}

static bool links[MEMBERS]; /* as told so far */

/* Polls until an event of that kind (and member) comes; returns how long it
 * took. The others are passed by. */
static int64_t expect(struct transport *t, struct transport_event *e,
                      enum transport_event_kind kind, uint32_t member)
{
    int64_t begin = zclock_mono();

    for (;;) {
        int64_t left = begin + LIMIT_MS - zclock_mono();

        if (left <= 0)
            fail_msg("no event %d of member %u in time", (int)kind, member);
        transport_poll(t, e, NULL, left);
        if (e->kind == TRANSPORT_LINK)
            links[e->member] = e->up;
        if (e->kind == kind && (kind == TRANSPORT_TEXT || e->member == member))
            return zclock_mono() - begin;
    }
}

static int64_t expect_link(struct transport *t, uint32_t member, bool up)
{
    struct transport_event e;
    int64_t ms = 0;

    while (links[member] != up)
        ms += expect(t, &e, TRANSPORT_LINK, member);
    return ms;
}

static void expect_head(struct transport *t, uint32_t member, const char *head)
{
    struct transport_event e;

    do
        expect(t, &e, TRANSPORT_RECEIVED, member);
    while (e.head_size != strlen(head) ||
           memcmp(e.head, head, e.head_size) != 0);
}

/* Member 1 here, a child that it calls and a child that calls it. */
struct trio {
    struct child caller, listener;
    struct transport *t;
    const char *addresses[MEMBERS];
};

/* A port that nobody else is given while the socket lives: bound, but not
 * listening, so that one child after the other can have it. */
static int reserve(char *endpoint, size_t size)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes),
                     0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    snprintf(endpoint, size, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

static void open_trio(struct trio *trio, const char *caller_mode,
                      const char *listener_mode)
{
    struct error error;

    memset(links, 0, sizeof links);
    *trio = (struct trio){.addresses = {nowhere, wildcard, wildcard}};
    if (listener_mode != NULL) {
        start(&trio->listener, 2, 2, "heart", listener_mode, trio->addresses);
        trio->addresses[2] = trio->listener.endpoint;
    } else {
        trio->addresses[2] = nowhere;
    }
    assert_int_equal(
        open_transport(&trio->t, 1, 1, "heart", trio->addresses, 2, &error), 0);
    trio->addresses[1] = transport_endpoint(trio->t);
    if (caller_mode != NULL) {
        const char *theirs[MEMBERS] = {wildcard, trio->addresses[1], nowhere};

        start(&trio->caller, 0, 0, "heart", caller_mode, theirs);
    }
}

static void close_trio(struct trio *trio)
{
    transport_free(trio->t);
    stop(&trio->caller);
    stop(&trio->listener);
}

static void messages_go_both_ways_over_either_side_of_a_link(void **state)
{
    static const uint8_t head[] = "question", body[BODY_MAX] = {1, 2, 3};
    struct transport_event e;
    struct trio trio;

    (void)state;
    open_trio(&trio, "echo", "echo");
    expect_link(trio.t, 2, true);
    expect_link(trio.t, 0, true);
    for (uint32_t to = 0; to < MEMBERS; to += 2) {
        assert_int_equal(
            transport_send(trio.t, to, head, sizeof head, body, sizeof body),
            0);
        do
            expect(trio.t, &e, TRANSPORT_RECEIVED, to);
        while (e.head_size != sizeof head);
        assert_memory_equal(e.head, head, sizeof head);
        assert_int_equal(e.body_size, sizeof body);
        assert_memory_equal(e.body, body, sizeof body);
    }
    assert_int_equal(transport_dropped(trio.t), 0);
    close_trio(&trio);
}

static void the_sender_is_the_holder_of_the_key_whatever_it_says(void **state)
{
    struct transport_event e;
    struct trio trio;

    (void)state;
    open_trio(&trio, "forge", "quiet");
    do {
        transport_poll(trio.t, &e, NULL, LIMIT_MS);
        assert_int_not_equal(e.kind, TRANSPORT_NOTHING);
    } while (e.kind != TRANSPORT_RECEIVED || e.head_size != 20);
    assert_int_equal(e.member, 0);
    close_trio(&trio);
}

static void a_stranger_is_refused_and_reported_once(void **state)
{
    struct transport_event e;
    struct trio trio;
    struct child stranger;
    char line[512];
    int reports = 0;
    int64_t end;

    (void)state;
    open_trio(&trio, NULL, NULL);
    const char *theirs[MEMBERS] = {wildcard, trio.addresses[1], nowhere};
    start(&stranger, 0, STRANGER, "heart", "echo", theirs);
    expect(trio.t, &e, TRANSPORT_TEXT, 0);
    while (strstr(e.text, "refused a stranger at tcp://127.0.0.1") == NULL)
        expect(trio.t, &e, TRANSPORT_TEXT, 0);
    read_line(&stranger, line, sizeof line);
    /* the second if the refusal itself is lost with the connection */
    assert_true(strstr(line, "does not know this node's key") != NULL ||
                strstr(line, "no handshake with") != NULL);
    end = zclock_mono() + SHORT_MS; /* it goes on trying: no more lines */
    while (zclock_mono() < end) {
        transport_poll(trio.t, &e, NULL, end - zclock_mono());
        assert_true(e.kind != TRANSPORT_LINK && e.kind != TRANSPORT_RECEIVED);
        reports +=
            e.kind == TRANSPORT_TEXT && strstr(e.text, "stranger") != NULL;
    }
    assert_int_equal(reports, 0);
    stop(&stranger);
    close_trio(&trio);
}

static void a_listener_with_another_key_gets_no_link(void **state)
{
    struct transport_event e;
    struct error error;
    struct trio trio = {.addresses = {nowhere, wildcard, wildcard}};

    (void)state;
    start(&trio.listener, 2, 2, "heart", "echo", trio.addresses);
    trio.addresses[2] = trio.listener.endpoint;
    assert_int_equal(open_transport(&trio.t, 1, 1, "heart", trio.addresses,
                                    STRANGER, &error),
                     0);
    do {
        transport_poll(trio.t, &e, NULL, LIMIT_MS);
        assert_true(e.kind == TRANSPORT_TEXT);
    } while (strstr(e.text, "no handshake with 'gamma'") == NULL);
    assert_int_equal(
        transport_send(trio.t, 2, (const uint8_t *)"x", 1, NULL, 0), -ENOTCONN);
    close_trio(&trio);
}

static void a_killed_caller_is_noticed_and_comes_back(void **state)
{
    struct trio trio;
    int64_t ms;

    (void)state;
    open_trio(&trio, "echo", NULL);
    expect_link(trio.t, 0, true);
    for (int turn = 0; turn < 3; turn++) {
        const char *theirs[MEMBERS] = {wildcard, trio.addresses[1], nowhere};

        stop(&trio.caller);
        ms = expect_link(trio.t, 0, false);
        print_message("caller killed, noticed after %d ms\n", (int)ms);
        assert_true(ms < SHORT_MS);
        assert_int_equal(
            transport_send(trio.t, 0, (const uint8_t *)"x", 1, NULL, 0),
            -ENOTCONN);
        start(&trio.caller, 0, 0, "heart", "echo", theirs);
        expect_link(trio.t, 0, true);
        expect_head(trio.t, 0, "hello");
    }
    close_trio(&trio);
}

static void a_killed_listener_is_noticed_and_comes_back(void **state)
{
    struct trio trio = {0};
    struct error error;
    char endpoint[64];
    int64_t ms;
    int port = reserve(endpoint, sizeof endpoint);
    const char *theirs[MEMBERS] = {nowhere, nowhere, endpoint};
    const char *ours[MEMBERS] = {nowhere, wildcard, endpoint};

    (void)state;
    memset(links, 0, sizeof links);
    start(&trio.listener, 2, 2, "heart", "echo", theirs);
    assert_int_equal(open_transport(&trio.t, 1, 1, "heart", ours, 2, &error),
                     0);
    expect_link(trio.t, 2, true);
    for (int turn = 0; turn < 3; turn++) {
        stop(&trio.listener);
        ms = expect_link(trio.t, 2, false);
        print_message("listener killed, noticed after %d ms\n", (int)ms);
        assert_true(ms < SHORT_MS);
        start(&trio.listener, 2, 2, "heart", "echo", theirs);
        expect_link(trio.t, 2, true);
        expect_head(trio.t, 2, "hello");
    }
    close_trio(&trio);
    close(port);
}

/* Sends to the member, which takes nothing, until the link is given up; returns
 * how long that took. */
static int64_t send_in_vain(struct transport *t, uint32_t member)
{
    static const uint8_t body[BODY_MAX];
    int64_t begin = zclock_mono(), end = begin + 2 * LIMIT_MS;
    struct transport_event e;

    while (links[member]) {
        while (transport_send(t, member, body, 1, body, sizeof body) == 0) {
        }
        transport_poll(t, &e, NULL, STUCK_MS);
        if (e.kind == TRANSPORT_LINK)
            links[e.member] = e.up;
        assert_true(zclock_mono() < end);
    }
    return zclock_mono() - begin;
}

static void a_peer_that_takes_nothing_is_noticed(void **state)
{
    struct trio trio;

    (void)state;
    open_trio(&trio, "echo", "echo");
    expect_link(trio.t, 2, true);
    expect_link(trio.t, 0, true);
    kill(trio.caller.pid, SIGSTOP);
    kill(trio.listener.pid, SIGSTOP);
    send_in_vain(trio.t, 0);
    send_in_vain(trio.t, 2);
    close_trio(&trio);
}

/* As a slow study allows: longer than the least, and still not for ever. */
static void a_longer_silence_may_be_allowed(void **state)
{
    struct trio trio;

    (void)state;
    setenv("SILENCE_MS", "5000", 1);
    open_trio(&trio, "echo", NULL);
    unsetenv("SILENCE_MS");
    expect_link(trio.t, 0, true);
    kill(trio.caller.pid, SIGSTOP);
    assert_true(send_in_vain(trio.t, 0) > 4500);
    close_trio(&trio);
}

/* The peer says one message that is too long: it never arrives, and the peer
 * is cut off. `said` NULL: by libzmq, so that the link goes down. */
static void too_long(const char *caller, const char *listener, uint32_t member,
                     const char *said)
{
    struct transport_event e;
    struct trio trio;
    bool cut = false;

    open_trio(&trio, caller, listener);
    while (!cut) {
        transport_poll(trio.t, &e, NULL, LIMIT_MS);
        assert_int_not_equal(e.kind, TRANSPORT_NOTHING);
        assert_int_not_equal(e.kind, TRANSPORT_RECEIVED);
        if (e.kind == TRANSPORT_TEXT && said != NULL)
            cut = strstr(e.text, said) != NULL;
        if (e.kind == TRANSPORT_LINK && said == NULL)
            cut = !e.up;
    }
    if (said != NULL) /* and is not heard for a while */
        assert_int_equal(
            transport_send(trio.t, member, (const uint8_t *)"x", 1, NULL, 0),
            -ENOTCONN);
    close_trio(&trio);
}

static void a_peer_that_sends_more_than_allowed_is_dropped(void **state)
{
    (void)state;
    too_long("long", NULL, 0, "dropped peer 'alpha': it sent a message that");
    too_long(NULL, "long", 2, "dropped peer 'gamma': it sent a message that");
    too_long("huge", NULL, 0, NULL);
    too_long(NULL, "huge", 2, NULL);
}

/* A peer that holds its key several times over, as a link does not. */
static void call_with_key_of_0(zsock_t *socket, const struct trio *trio)
{
    struct x25519_pair caller, listener;

    make_pair(&caller, 0);
    make_pair(&listener, 1);
    zsock_set_curve_serverkey_bin(socket, listener.open);
    zsock_set_curve_publickey_bin(socket, caller.open);
    zsock_set_curve_secretkey_bin(socket, caller.secret);
    zsock_set_linger(socket, 0);
    assert_int_equal(zsock_connect(socket, "%s", trio->addresses[1]), 0);
}

static zsock_t *second_caller(const struct trio *trio)
{
    zsock_t *socket = zsock_new(ZMQ_DEALER);

    call_with_key_of_0(socket, trio);
    return socket;
}

/* Its connection is reset in the end. */
static zsock_t *resetting_caller(const struct trio *trio)
{
    const struct linger none = {.l_onoff = 1};
    zsock_t *socket = zsock_new(ZMQ_DEALER);
    void *monitor = monitor_new(socket);
    zmq_pollitem_t item = {monitor, 0, ZMQ_POLLIN, 0};
    struct monitor_event event;

    call_with_key_of_0(socket, trio);
    do
        assert_int_equal(zmq_poll(&item, 1, LIMIT_MS), 1);
    while (!monitor_next(monitor, &event) || event.code != ZMQ_EVENT_CONNECTED);
    assert_int_equal(
        setsockopt((int)event.value, SOL_SOCKET, SO_LINGER, &none, sizeof none),
        0);
    monitor_free(&monitor, socket);
    return socket;
}

static void a_peer_with_several_connections_does_not_flap(void **state)
{
    enum { CALLERS = 3, TURNS = 100 };
    zsock_t *callers[CALLERS];
    struct transport_event e;
    struct trio trio;
    int changes = 0;
    int64_t begin = zclock_mono(), ms;

    (void)state;
    open_trio(&trio, NULL, NULL);
    for (int i = 0; i < CALLERS; i++)
        callers[i] = second_caller(&trio);
    for (int turn = 0; turn < TURNS * CALLERS; turn++) {
        zstr_sendx(callers[turn % CALLERS], "heart", "x", "", NULL);
        do {
            transport_poll(trio.t, &e, NULL, LIMIT_MS);
            assert_int_not_equal(e.kind, TRANSPORT_NOTHING);
            changes += e.kind == TRANSPORT_LINK;
        } while (e.kind != TRANSPORT_RECEIVED);
    }
    ms = zclock_mono() - begin;
    print_message("%d changes of the link in %d ms\n", changes, (int)ms);
    assert_in_range(changes, 1, 1 + 2 * (ms / PEER_STAYS_MS + 1));
    for (int i = 0; i < CALLERS; i++)
        zsock_destroy(&callers[i]);
    close_trio(&trio);
}

/* libzmq keeps every frame until the last is there. */
static void send_without_end(void *socket)
{
    enum { FRAMES = 4000, SIZE = 60000 };
    static uint8_t zeros[SIZE];

    for (int i = 0; i < FRAMES; i++)
        zmq_send(zsock_resolve(socket), zeros, SIZE, ZMQ_SNDMORE);
    zmq_send(zsock_resolve(socket), zeros, 1, 0);
}

static void a_message_without_an_end_is_cut(void **state)
{
    struct transport_event e = {.kind = TRANSPORT_NOTHING};
    struct trio trio;

    (void)state;
    open_trio(&trio, NULL, NULL);
    zsock_t *caller = second_caller(&trio);
    zstr_sendx(caller, "heart", "x", "", NULL);
    expect(trio.t, &e, TRANSPORT_RECEIVED, 0);
    send_without_end(caller);
    expect(trio.t, &e, TRANSPORT_TEXT, 0);
    assert_string_equal(e.text,
                        "hung up on alpha: it sent more than can be taken, or "
                        "a message without an end");
    expect_link(trio.t, 0, false);
    zsock_destroy(&caller);
    close_trio(&trio);
}

static void a_message_without_an_end_is_cut_by_the_caller_too(void **state)
{
    struct trio trio = {.addresses = {nowhere, wildcard, NULL}};
    void *other = zmq_ctx_new(); /* where nobody is asked who may connect */
    void *listener = zmq_socket(other, ZMQ_ROUTER);
    struct transport_event e = {.kind = TRANSPORT_NOTHING};
    struct error error;
    struct x25519_pair pair;
    char endpoint[64];
    size_t size = sizeof endpoint;

    (void)state;
    memset(links, 0, sizeof links);
    make_pair(&pair, 2);
    zsock_set_curve_server(listener, 1);
    zsock_set_curve_secretkey_bin(listener, pair.secret);
    zsock_set_linger(listener, 0);
    assert_int_equal(zmq_bind(listener, wildcard), 0);
    zmq_getsockopt(listener, ZMQ_LAST_ENDPOINT, endpoint, &size);
    trio.addresses[2] = endpoint;
    assert_int_equal(
        open_transport(&trio.t, 1, 1, "heart", trio.addresses, 2, &error), 0);
    expect_link(trio.t, 2, true);
    zframe_t *id = zframe_recv(listener); /* of its greeting */
    zframe_send(&id, listener, ZFRAME_MORE);
    send_without_end(listener);
    expect(trio.t, &e, TRANSPORT_TEXT, 0);
    assert_string_equal(e.text,
                        "hung up on gamma: it sent more than can be taken, or "
                        "a message without an end");
    expect_link(trio.t, 2, false);
    zmq_close(listener);
    close_trio(&trio);
    zmq_ctx_term(other);
}

/* Somebody who connects and says nothing is hung up on after the silence that
 * is allowed: an event by which to wait so long. */
static void wait_for_a_silence(const char *endpoint)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd item = {.fd = fd, .events = POLLIN};
    char bytes[256];

    at.sin_port = htons((uint16_t)atoi(strrchr(endpoint, ':') + 1));
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    do /* its greeting, then the end */
        assert_int_equal(poll(&item, 1, LIMIT_MS), 1);
    while (read(fd, bytes, sizeof bytes) > 0);
    close(fd);
}

/* A command that libzmq's own heartbeats are made of. What makes a message one
 * is a bit that zmq_msg_t hides (libzmq 4.3, src/msg.hpp). */
static void ping(zsock_t *socket)
{
    enum { FLAGS_AT = 43, COMMAND = 2 };
    static const char text[] = "\4PING\0";
    zmq_msg_t message;

    assert_int_equal(zmq_msg_init_size(&message, sizeof text), 0);
    memcpy(zmq_msg_data(&message), text, sizeof text);
    ((uint8_t *)&message)[FLAGS_AT] |= COMMAND;
    zmq_msg_send(&message, zsock_resolve(socket), 0);
    zmq_msg_close(&message);
}

/* And sent until libzmq would read no more, if that were bounded. */
static void a_peer_that_dies_unread_takes_nobody_along(void **state)
{
    enum { QUEUE = 4096, MANY = 2 * QUEUE };
    struct transport_event e;
    struct trio trio;
    int sent = 0, count = 0;

    (void)state;
    open_trio(&trio, NULL, NULL);
    zsock_t *caller = resetting_caller(&trio);
    zsock_set_sndtimeo(caller, STUCK_MS);
    while (sent < MANY && zstr_sendx(caller, "heart", "x", "", NULL) == 0) {
        ping(caller);
        sent++;
    }
    wait_for_a_silence(trio.addresses[1]); /* all has arrived */
    zsock_destroy(&caller);
    wait_for_a_silence(trio.addresses[1]);
    do {
        transport_poll(trio.t, &e, NULL, STUCK_MS);
        count += e.kind == TRANSPORT_RECEIVED;
    } while (e.kind != TRANSPORT_NOTHING);
    assert_int_equal(count, MANY);
    close_trio(&trio);
}

/* What an honest caller is given next, if the generator was left as it is: the
 * answer to whoever claims it first. libzmq asserts that nobody has it. */
static void nobody_can_claim_a_name_that_is_given_next(void **state)
{
    enum { GUESSES = 4, ID_SIZE = 5 };
    uint8_t ids[GUESSES][ID_SIZE] = {{0}};
    zsock_t *callers[GUESSES + 1];
    struct transport_event e;
    struct trio trio;

    (void)state;
    zsys_init(); /* once, and it seeds */
    srand(1);
    for (int i = 0; i < GUESSES; i++) {
        uint32_t low = (uint32_t)rand(), high = (uint32_t)rand();
        uint32_t number = htonl(high << 31 | low);

        memcpy(ids[i] + 1, &number, sizeof number);
    }
    srand(1);
    open_trio(&trio, NULL, NULL);
    for (int i = 0; i <= GUESSES; i++) {
        callers[i] = zsock_new(ZMQ_DEALER);
        if (i < GUESSES)
            zmq_setsockopt(zsock_resolve(callers[i]), ZMQ_ROUTING_ID, ids[i],
                           ID_SIZE);
        call_with_key_of_0(callers[i], &trio);
        zstr_sendx(callers[i], "heart", "x", "", NULL);
        expect(trio.t, &e, TRANSPORT_RECEIVED, 0);
    }
    for (int i = 0; i <= GUESSES; i++)
        zsock_destroy(&callers[i]);
    close_trio(&trio);
}

static void who_calls_ever_anew_is_let_in_only_so_often(void **state)
{
    enum { CALLS = 200, AT_ONCE = 40, EACH_MS = 250 };
    zsock_t *callers[CALLS];
    struct transport_event e;
    struct trio trio;
    int64_t begin = zclock_mono(), ms;
    int count = 0;

    (void)state;
    open_trio(&trio, NULL, NULL);
    for (int i = 0; i < CALLS; i++) {
        callers[i] = zsock_new(ZMQ_DEALER);
        zsock_set_reconnect_ivl(callers[i], -1);
        call_with_key_of_0(callers[i], &trio);
        zstr_sendx(callers[i], "heart", "x", "", NULL);
    }
    do {
        transport_poll(trio.t, &e, NULL, SHORT_MS);
        count += e.kind == TRANSPORT_RECEIVED;
    } while (e.kind != TRANSPORT_NOTHING);
    ms = zclock_mono() - begin;
    print_message("%d of %d let in within %d ms\n", count, CALLS, (int)ms);
    assert_in_range(count, AT_ONCE, AT_ONCE + 2 + ms / EACH_MS);
    for (int i = 0; i < CALLS; i++)
        zsock_destroy(&callers[i]);
    close_trio(&trio);
}

static void who_is_gone_before_it_is_heard_is_no_link(void **state)
{
    struct transport_event e;
    struct trio trio;

    (void)state;
    open_trio(&trio, NULL, NULL);
    zsock_t *caller = second_caller(&trio);
    zsock_set_linger(caller, LIMIT_MS);
    zstr_sendx(caller, "heart", "x", "", NULL);
    zsock_destroy(&caller);
    wait_for_a_silence(trio.addresses[1]);
    transport_poll(trio.t, &e, NULL, LIMIT_MS);
    assert_int_equal(e.kind, TRANSPORT_RECEIVED);
    transport_poll(trio.t, &e, NULL, 0);
    assert_int_equal(e.kind, TRANSPORT_NOTHING);
    close_trio(&trio);
}

/* More than may wait, but it does not wait. */
static void a_stream_that_is_taken_is_not_cut(void **state)
{
    enum { TURNS = 200, TURN = 100 };
    static char body[BODY_MAX + 1];
    struct transport_event e;
    struct trio trio;

    (void)state;
    memset(body, 'b', BODY_MAX);
    open_trio(&trio, NULL, NULL);
    zsock_t *caller = second_caller(&trio);
    for (int turn = 0; turn < TURNS; turn++) {
        for (int i = 0; i < TURN; i++)
            assert_int_equal(zstr_sendx(caller, "heart", "x", body, NULL), 0);
        for (int i = 0; i < TURN; i++)
            do
                expect(trio.t, &e, TRANSPORT_RECEIVED, 0);
            while (e.body_size != BODY_MAX);
    }
    assert_int_equal(transport_dropped(trio.t), 0);
    zsock_destroy(&caller);
    close_trio(&trio);
}

static void messages_of_another_study_are_not_handed_out(void **state)
{
    struct transport_event e;
    struct child other;
    struct trio trio;

    (void)state;
    open_trio(&trio, NULL, NULL);
    const char *theirs[MEMBERS] = {wildcard, trio.addresses[1], nowhere};
    start(&other, 0, 0, "lungs", "echo", theirs);
    do {
        transport_poll(trio.t, &e, NULL, LIMIT_MS);
        assert_int_not_equal(e.kind, TRANSPORT_NOTHING);
        assert_int_not_equal(e.kind, TRANSPORT_RECEIVED);
    } while (e.kind != TRANSPORT_TEXT ||
             strstr(e.text, "'alpha' runs another study") == NULL);
    assert_true(transport_dropped(trio.t) > 0);
    stop(&other);
    close_trio(&trio);
}

static void a_port_in_use_is_named(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct transport *t;
    struct error error;
    char taken[64];

    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(taken, sizeof taken, "tcp://127.0.0.1:%d",
             ntohs(address.sin_port));
    const char *addresses[MEMBERS] = {nowhere, taken, nowhere};
    assert_int_equal(open_transport(&t, 1, 1, "heart", addresses, 2, &error),
                     -EADDRINUSE);
    assert_null(t);
    assert_non_null(strstr(error.text, taken));
    assert_non_null(strstr(error.text, "in use"));
    close(fd);
}

static void the_callers_own_socket_is_watched_too(void **state)
{
    struct transport_event e;
    struct trio trio;
    zsock_t *here, *there;

    (void)state;
    open_trio(&trio, NULL, NULL);
    here = zsock_new_pair("@inproc://transport-test");
    there = zsock_new_pair(">inproc://transport-test");
    do
        transport_poll(trio.t, &e, here, 0);
    while (e.kind != TRANSPORT_NOTHING);
    zsock_signal(there, 0);
    transport_poll(trio.t, &e, here, LIMIT_MS);
    assert_int_equal(e.kind, TRANSPORT_EXTRA);
    assert_int_equal(zsock_wait(here), 0);
    zsock_destroy(&here);
    zsock_destroy(&there);
    close_trio(&trio);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_both_ways_over_either_side_of_a_link),
        cmocka_unit_test(the_sender_is_the_holder_of_the_key_whatever_it_says),
        cmocka_unit_test(a_stranger_is_refused_and_reported_once),
        cmocka_unit_test(a_listener_with_another_key_gets_no_link),
        cmocka_unit_test(a_killed_caller_is_noticed_and_comes_back),
        cmocka_unit_test(a_killed_listener_is_noticed_and_comes_back),
        cmocka_unit_test(a_peer_that_takes_nothing_is_noticed),
        cmocka_unit_test(a_longer_silence_may_be_allowed),
        cmocka_unit_test(a_peer_that_sends_more_than_allowed_is_dropped),
        cmocka_unit_test(a_peer_with_several_connections_does_not_flap),
        cmocka_unit_test(a_message_without_an_end_is_cut),
        cmocka_unit_test(a_message_without_an_end_is_cut_by_the_caller_too),
        cmocka_unit_test(a_peer_that_dies_unread_takes_nobody_along),
        cmocka_unit_test(nobody_can_claim_a_name_that_is_given_next),
        cmocka_unit_test(who_calls_ever_anew_is_let_in_only_so_often),
        cmocka_unit_test(who_is_gone_before_it_is_heard_is_no_link),
        cmocka_unit_test(a_stream_that_is_taken_is_not_cut),
        cmocka_unit_test(messages_of_another_study_are_not_handed_out),
        cmocka_unit_test(a_port_in_use_is_named),
        cmocka_unit_test(the_callers_own_socket_is_watched_too),
    };

    if (sodium_init() < 0)
        return 1;
    if (argc == ARGUMENTS - 1)
        return child_main(argv);
    if (argc == 2)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
