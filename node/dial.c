#include "node/dial.h"

#include "node/monitor.h"
#include "node/socket.h"

/* Beyond what a frame may have, and what encryption adds to it: a frame that is
 * a little too long still arrives, so that its sender can be named. libzmq
 * hangs up on a longer one without a word. */
enum { EXTRA_BYTES = 1 << 16 };

void dial_options(void *socket, int64_t frame_max, int queue_max,
                  int silence_ms)
{
    int64_t size = 2 * frame_max + EXTRA_BYTES;
    int seconds = silence_ms / 4000 + 1;

    /* CZMQ's setter takes an int; a frame may be longer than that. */
    zmq_setsockopt(zsock_resolve(socket), ZMQ_MAXMSGSIZE, &size, sizeof size);
    zsock_set_sndhwm(socket, queue_max);
    /* No bound here, gauge.h has one. With messages that wait unread because
     * there are too many, libzmq ends the process when the peer is gone and has
     * sent a PING behind them (stream_engine_base.cpp, out_event). */
    zsock_set_rcvhwm(socket, 0);
    zsock_set_handshake_ivl(socket, silence_ms);
    /* The kernel notices a machine that is gone. ZMTP's heartbeats stay off:
     * with a bound on what waits they, too, end the process (libzmq issue 4364,
     * open in 4.3.5). */
    zsock_set_tcp_keepalive(socket, 1);
    zsock_set_tcp_keepalive_idle(socket, seconds);
    zsock_set_tcp_keepalive_intvl(socket, seconds);
    zmq_setsockopt(zsock_resolve(socket), ZMQ_TCP_MAXRT, &silence_ms,
                   sizeof silence_ms);
}

void dial_init(struct dial *dial, const struct dial_config *config)
{
    *dial =
        (struct dial){.config = *config, .fd = -1, .again_ms = DIAL_AGAIN_MS};
}

static void close_sockets(struct dial *dial, int linger_ms)
{
    if (dial->dealer != NULL)
        zsock_set_linger(dial->dealer, dial->up ? linger_ms : 0);
    if (dial->monitor != NULL)
        monitor_free(&dial->monitor, dial->dealer);
    socket_free(&dial->dealer);
    dial->up = false;
    dial->fd = -1;
}

void dial_free(struct dial *dial, int linger_ms)
{
    close_sockets(dial, linger_ms);
}

static void again(struct dial *dial, int64_t now_ms)
{
    if (dial->up && now_ms - dial->up_ms > DIAL_AGAIN_MAX_MS)
        dial->again_ms = DIAL_AGAIN_MS;
    dial->up = false;
    if (dial->due_ms != INT64_MAX)
        return; /* two events may tell of one break */
    dial->due_ms = now_ms + dial->again_ms;
    dial->again_ms *= 2;
    if (dial->again_ms > DIAL_AGAIN_MAX_MS)
        dial->again_ms = DIAL_AGAIN_MAX_MS;
}

static void call(struct dial *dial, int64_t now_ms)
{
    const struct dial_config *c = &dial->config;

    close_sockets(dial, 0);
    dial->due_ms = INT64_MAX;
    dial->tried = false;
    dial->patience_ms = now_ms + 2 * (int64_t)c->silence_ms;
    dial->dealer = socket_new(ZMQ_DEALER);
    if (dial->dealer == NULL) {
        again(dial, now_ms);
        return;
    }
    dial_options(dial->dealer, c->frame_max, c->queue_max, c->silence_ms);
    /* libzmq itself gives up for good after some errors, so this file does the
     * calling again. It must not be -1, which drops what has arrived. */
    zsock_set_reconnect_ivl(dial->dealer, 24 * 3600 * 1000);
    zsock_set_connect_timeout(dial->dealer, c->silence_ms);
    zsock_set_ipv6(dial->dealer, strchr(c->endpoint, '[') != NULL);
    zsock_set_curve_serverkey_bin(dial->dealer, c->server);
    zsock_set_curve_publickey_bin(dial->dealer, c->open);
    zsock_set_curve_secretkey_bin(dial->dealer, c->secret);
    dial->monitor = monitor_new(dial->dealer);
    if (dial->monitor == NULL || zmq_connect(dial->dealer, c->endpoint) != 0)
        again(dial, now_ms);
}

void dial_tend(struct dial *dial, int64_t now_ms)
{
    if (dial->dealer != NULL && !dial->up && now_ms >= dial->patience_ms)
        again(dial, now_ms);
    if (now_ms >= dial->due_ms)
        call(dial, now_ms);
}

int64_t dial_wake(const struct dial *dial)
{
    if (dial->due_ms != INT64_MAX || dial->up)
        return dial->due_ms;
    return dial->patience_ms;
}

void dial_watch(struct dial *dial, int64_t now_ms)
{
    struct monitor_event event;

    while (dial->monitor != NULL && monitor_next(dial->monitor, &event)) {
        switch (event.code) {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            dial->up = true;
            dial->up_ms = now_ms;
            dial->failures = 0;
            dial->trouble = DIAL_NO_TROUBLE;
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            dial->trouble = DIAL_REFUSED;
            again(dial, now_ms);
            break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
            if (++dial->failures >= DIAL_FAILURES &&
                dial->trouble == DIAL_NO_TROUBLE)
                dial->trouble = DIAL_BROKEN;
            again(dial, now_ms);
            break;
        case ZMQ_EVENT_CONNECTED:
            dial->fd = (int)event.value;
            dial->tried = true;
            if (dial->trouble == DIAL_UNKNOWN_HOST)
                dial->trouble = DIAL_NO_TROUBLE;
            break;
        case ZMQ_EVENT_CONNECT_DELAYED:
            dial->tried = true;
            if (dial->trouble == DIAL_UNKNOWN_HOST)
                dial->trouble = DIAL_NO_TROUBLE;
            break;
        case ZMQ_EVENT_CONNECT_RETRIED: /* without a socket: no address */
            if (!dial->tried && dial->trouble == DIAL_NO_TROUBLE)
                dial->trouble = DIAL_UNKNOWN_HOST;
            again(dial, now_ms);
            break;
        case ZMQ_EVENT_DISCONNECTED:
            dial->fd = -1;
            if (!dial->up && ++dial->failures >= DIAL_FAILURES &&
                dial->trouble == DIAL_NO_TROUBLE)
                dial->trouble = DIAL_BROKEN;
            dial->tried = true;
            again(dial, now_ms);
            break;
        case ZMQ_EVENT_CLOSED: /* so there was a socket */
            dial->tried = true;
            again(dial, now_ms);
            break;
        default:
            break;
        }
    }
}

void dial_drop(struct dial *dial, int64_t now_ms, int64_t ms)
{
    close_sockets(dial, 0);
    dial->due_ms = now_ms + ms;
}
