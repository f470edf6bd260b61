#include "node/transport.h"

#include <assert.h>
#include <czmq.h>
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "node/gauge.h"
#include "node/letter.h"
#include "node/listen.h"
#include "node/monitor.h"
#include "node/peer.h"
#include "node/zap.h"

enum {
    FRAMES = 3, /* study, head, body */
    BURST = 32, /* messages of one socket before the others' turn */
    LINGER_MS = 1000,
    DEAF_MS = 5000, /* so long nobody listens to a peer that broke a rule */
    POLL_MS = 200,  /* a signal between check and poll is seen by then */
    QUEUE_MIN = 64, /* messages */
    QUEUE_MAX = 4096,
    ITEMS_OWN = 4 /* beside two of each peer */
};
static const size_t queue_bytes = (size_t)1 << 28;
/* What a connection may bring beyond what is taken: vectors, and all that is
 * small. */
enum { GAUGE_VECTORS = 8, GAUGE_SMALL = 1 << 26, GAUGE_MS = 100 };

struct transport {
    uint32_t self, members;
    struct peer *peers; /* [members] */
    uint8_t open[X25519_BYTES], secret[X25519_BYTES];
    char study[64];
    size_t head_max, body_max;
    zsock_t *router;
    void *router_monitor;
    zactor_t *zap;
    struct letter letter; /* that was handed out */
    char *line;           /* of zap, handed out */
    char text[TRANSPORT_TEXT_SIZE];
    bool has_text;
    uint64_t dropped;
    struct gauge callers, called; /* connections to and from this node */
    int64_t gauged_ms;
    bool said_flood;
    zmq_pollitem_t *items; /* [item_max] */
    int *whose;            /* [item_max] member of an item, or enum source */
    int item_count, item_max, cursor, burst;
};

enum source { FROM_ROUTER = -1, FROM_ZAP = -2, FROM_EXTRA = -3, NOBODY = -4 };

/* One line waits at most, and each kind is said once for each peer. */
static void say(struct transport *t, bool *said, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(struct transport *t, bool *said, const char *format, ...)
{
    va_list arguments;

    if (*said || t->has_text)
        return;
    *said = true;
    t->has_text = true;
    va_start(arguments, format);
    vsnprintf(t->text, sizeof t->text, format, arguments);
    va_end(arguments);
}

static bool calls(const struct transport *t, uint32_t member)
{
    return t->self < member;
}

static int queue_max(const struct transport_config *config)
{
    size_t count = queue_bytes / (config->head_max + config->body_max);

    count = count < QUEUE_MIN ? QUEUE_MIN : count;
    return (int)(count > QUEUE_MAX ? QUEUE_MAX : count);
}

static int64_t frame_max(const struct transport_config *config)
{
    size_t size = config->head_max;

    return (int64_t)(config->body_max > size ? config->body_max : size);
}

static int silence_ms(const struct transport_config *config)
{
    return config->silence_ms > DIAL_SILENCE_MS ? config->silence_ms
                                                : DIAL_SILENCE_MS;
}

static void prepare_peers(struct transport *t,
                          const struct transport_config *config)
{
    for (uint32_t i = 0; i < t->members; i++) {
        struct peer *peer = &t->peers[i];
        const struct transport_site *site = &config->sites[i];

        snprintf(peer->name, sizeof peer->name, "%s", site->name);
        snprintf(peer->address, sizeof peer->address, "%s", site->address);
        memcpy(peer->link, site->link, sizeof peer->link);
        peer->gone = true;
        peer->gauged = -1;
        dial_init(&peer->dial, &(struct dial_config){
                                   .endpoint = peer->address,
                                   .server = peer->link,
                                   .open = t->open,
                                   .secret = t->secret,
                                   .frame_max = frame_max(config),
                                   .queue_max = queue_max(config),
                                   .silence_ms = silence_ms(config),
                               });
    }
}

static int begin(struct transport *t, const struct transport_config *config,
                 struct error *error)
{
    uint8_t(*keys)[X25519_BYTES] = calloc(t->members, sizeof *keys);
    struct listen_config where = {
        .site = config->sites[t->self].name,
        .address = config->sites[t->self].address,
        .secret = t->secret,
        .frame_max = frame_max(config),
        .queue_max = queue_max(config),
        .silence_ms = silence_ms(config),
    };

    if (keys == NULL)
        return error_set(error, -ENOMEM, "out of memory for the links");
    for (uint32_t i = 0; i < t->members; i++)
        memcpy(keys[i], config->sites[i].link, X25519_BYTES);
    t->zap = zap_new(&(struct zap_config){
        .keys = (const uint8_t(*)[X25519_BYTES])keys,
        .count = t->members,
        .self = t->self,
    });
    free(keys);
    if (t->zap == NULL)
        return error_set(error, -errno, "the link guard does not start: %s",
                         zmq_strerror(errno));
    return listen_open(&t->router, &t->router_monitor, &where, error);
}

static int take_memory(struct transport *t, uint32_t members)
{
    t->item_max = ITEMS_OWN + 2 * (int)members;
    t->peers = calloc(members, sizeof *t->peers);
    t->items = calloc((size_t)t->item_max, sizeof *t->items);
    t->whose = calloc((size_t)t->item_max, sizeof *t->whose);
    if (t->peers == NULL || t->items == NULL || t->whose == NULL)
        return -ENOMEM;
    t->members = members;
    return 0;
}

int transport_new(struct transport **transport,
                  const struct transport_config *config, struct error *error)
{
    struct transport *t;
    int code;

    assert(config->self < config->members && strlen(config->study) < 64);
    zsys_init();
    zsys_set_logstream(stderr);
    *transport = NULL;
    t = calloc(1, sizeof *t);
    if (t == NULL || take_memory(t, config->members) != 0) {
        transport_free(t);
        return error_set(error, -ENOMEM, "out of memory for the links");
    }
    t->self = config->self;
    t->head_max = config->head_max;
    t->body_max = config->body_max;
    t->callers.limit = t->called.limit =
        GAUGE_SMALL + GAUGE_VECTORS * (t->head_max + t->body_max);
    snprintf(t->study, sizeof t->study, "%s", config->study);
    memcpy(t->secret, config->link_secret, sizeof t->secret);
    x25519_base(t->open, t->secret);
    prepare_peers(t, config);
    code = begin(t, config, error);
    if (code != 0) {
        transport_free(t);
        return code;
    }
    *transport = t;
    return 0;
}

void transport_free(struct transport *t)
{
    if (t == NULL)
        return;
    letter_free(&t->letter);
    zstr_free(&t->line);
    for (uint32_t i = 0; i < t->members; i++)
        dial_free(&t->peers[i].dial, LINGER_MS);
    listen_close(&t->router, &t->router_monitor, LINGER_MS);
    zap_free(&t->zap);
    gauge_free(&t->callers);
    gauge_free(&t->called);
    free(t->peers);
    free(t->items);
    free(t->whose);
    sodium_memzero(t, sizeof *t);
    free(t);
}

static int put(void *socket, const void *bytes, size_t size, int flags)
{
    if (zmq_send(zsock_resolve(socket), bytes, size, flags | ZMQ_DONTWAIT) < 0)
        return -errno;
    return 0;
}

/* Only the first frame can fail: a message enters a queue whole. */
static int put_message(struct transport *t, uint32_t to, const uint8_t *head,
                       size_t head_size, const uint8_t *body, size_t body_size)
{
    struct peer *peer = &t->peers[to];
    void *socket = calls(t, to) ? peer->dial.dealer : t->router;
    int code = 0;

    if (!calls(t, to))
        code = put(socket, peer->id, peer->id_size, ZMQ_SNDMORE);
    if (code == 0)
        code = put(socket, t->study, strlen(t->study), ZMQ_SNDMORE);
    if (code == 0)
        code = put(socket, head, head_size, ZMQ_SNDMORE);
    if (code == 0)
        code = put(socket, body, body_size, 0);
    return code;
}

int transport_send(struct transport *t, uint32_t to, const uint8_t *head,
                   size_t head_size, const uint8_t *body, size_t body_size)
{
    struct peer *peer = &t->peers[to];
    int code;

    assert(to < t->members && to != t->self && head_size > 0);
    if (!peer->up)
        return -ENOTCONN;
    code = put_message(t, to, head, head_size, body, body_size);
    if (code == 0 || code == -EAGAIN)
        return code;
    if (!calls(t, to)) /* EHOSTUNREACH: nobody has that routing id */
        peer_hang_up(peer);
    return -ENOTCONN;
}

static void watch_router(struct transport *t)
{
    struct monitor_event event;

    while (monitor_next(t->router_monitor, &event)) {
        if (event.code == ZMQ_EVENT_ACCEPTED)
            gauge_begin(&t->callers, (int)event.value);
        if (event.code != ZMQ_EVENT_DISCONNECTED)
            continue;
        gauge_end(&t->callers, (int)event.value);
        for (uint32_t i = 0; i < t->self; i++)
            if (!t->peers[i].gone && t->peers[i].fd == event.value)
                peer_hang_up(&t->peers[i]);
    }
}

static void tell_trouble(struct transport *t, struct peer *peer)
{
    if (peer->dial.trouble == DIAL_REFUSED)
        say(t, &peer->said_trouble,
            "peer '%s' at %s does not know this node's key; compare key: of "
            "'%s' in its study file with this node's",
            peer->name, peer->address, t->peers[t->self].name);
    else if (peer->dial.trouble == DIAL_BROKEN)
        say(t, &peer->said_trouble,
            "no handshake with '%s' at %s yet; if it is running, compare its "
            "key: and address: in both study files",
            peer->name, peer->address);
    else if (peer->dial.trouble == DIAL_UNKNOWN_HOST)
        say(t, &peer->said_host,
            "cannot resolve '%.*s' (address: of '%s'); correct it in every "
            "site's study file, or this machine's name service",
            (int)(strrchr(peer->address, ':') - peer->address - 6),
            peer->address + 6, peer->name);
}

static void gauge_peer(struct transport *t, struct peer *peer)
{
    if (peer->gauged == peer->dial.fd)
        return;
    if (peer->gauged >= 0)
        gauge_end(&t->called, peer->gauged);
    peer->gauged = peer->dial.fd;
    if (peer->gauged >= 0)
        gauge_begin(&t->called, peer->gauged);
}

/* Cuts who sends a message without an end, or faster than this node takes. */
static void stop_floods(struct transport *t)
{
    int64_t now = zclock_mono();
    bool *said = &t->said_flood;
    const char *name = "a member";

    if (now < t->gauged_ms + GAUGE_MS)
        return;
    t->gauged_ms = now;
    int caller = gauge_cut(&t->callers), called = gauge_cut(&t->called);
    if (caller < 0 && called < 0)
        return;
    t->dropped++;
    for (uint32_t i = 0; i < t->members; i++)
        if ((caller >= 0 && i < t->self && !t->peers[i].gone &&
             t->peers[i].fd == (uint32_t)caller) ||
            (called >= 0 && t->peers[i].gauged == called)) {
            name = t->peers[i].name;
            said = &t->peers[i].said_rule;
        }
    say(t, said,
        "hung up on %s: it sent more than can be taken, or a message without "
        "an end",
        name);
}

/* Brings the state of all that we call up to date. */
static void tend(struct transport *t)
{
    int64_t now = zclock_mono();

    for (uint32_t i = t->self + 1; i < t->members; i++) {
        struct peer *peer = &t->peers[i];

        dial_watch(&peer->dial, now);
        dial_tend(&peer->dial, now);
        gauge_peer(t, peer);
        if (!peer->dial.up)
            peer->greeted = false;
        if (peer->dial.up != peer->up)
            peer_set_up(peer, peer->dial.up);
        if (peer->up && !peer->greeted)
            peer->greeted = put_message(t, i, NULL, 0, NULL, 0) == 0;
        tell_trouble(t, peer);
    }
}

/* A rule was broken by the holder of the peer's key: hang up for a while. */
static void drop_peer(struct transport *t, uint32_t member, const char *rule)
{
    struct peer *peer = &t->peers[member];
    int64_t now = zclock_mono();

    t->dropped++;
    peer_set_up(peer, false);
    peer->deaf_until_ms = now + DEAF_MS;
    if (calls(t, member))
        dial_drop(&peer->dial, now, DEAF_MS);
    say(t, &peer->said_rule, "dropped peer '%s': it sent %s", peer->name, rule);
}

/* True if it is a message for the engine. */
static bool judge(struct transport *t, uint32_t member)
{
    const struct letter *l = &t->letter;
    struct peer *peer = &t->peers[member];

    if (l->count != FRAMES) {
        drop_peer(t, member, "a message of another number of frames");
        return false;
    }
    if (zframe_size(l->head) > t->head_max ||
        zframe_size(l->body) > t->body_max) {
        drop_peer(t, member, "a message that is too long");
        return false;
    }
    if (!zframe_streq(l->study, t->study)) {
        t->dropped++;
        say(t, &peer->said_study,
            "peer '%s' runs another study, this node runs '%s': start both "
            "with the same study file",
            peer->name, t->study);
        return false;
    }
    return zframe_size(l->head) > 0;
}

/* Takes one message from the ROUTER (member < 0) or from the member that we
 * call. Returns the sender; -1: no message was there, -2: not one to hand
 * out. */
static int receive(struct transport *t, int member)
{
    bool called = member < 0;
    void *socket = called ? t->router : t->peers[member].dial.dealer;
    int64_t now = zclock_mono();

    if (called)
        watch_router(t); /* before a descriptor is used anew */
    zstr_free(&t->line);
    if (socket == NULL || !letter_take(&t->letter, socket, called))
        return -1;
    gauge_take(called ? &t->callers : &t->called, letter_fd(&t->letter),
               t->letter.size);
    if (called) /* our callers stand before us in the roster */
        member = letter_sender(&t->letter, t->self);
    if (member < 0 || now < t->peers[member].deaf_until_ms) {
        t->dropped++;
        return -2;
    }
    /* nobody can answer on a connection that ended before it was read */
    if (called && gauge_watches(&t->callers, letter_fd(&t->letter)))
        peer_learn(&t->peers[member], t->letter.id, t->letter.study, now);
    return judge(t, (uint32_t)member) ? member : -2;
}

static void watch(struct transport *t, void *socket, int whose)
{
    if (socket == NULL)
        return;
    assert(t->item_count < t->item_max);
    t->whose[t->item_count] = whose;
    t->items[t->item_count++] = (zmq_pollitem_t){
        .socket = zsock_resolve(socket),
        .events = ZMQ_POLLIN,
    };
}

static void wait_for_something(struct transport *t, void *extra,
                               int64_t until_ms)
{
    int64_t now = zclock_mono(), ms;

    t->item_count = t->cursor = t->burst = 0;
    watch(t, t->router_monitor, NOBODY);
    watch(t, t->router, FROM_ROUTER);
    watch(t, t->zap, FROM_ZAP);
    watch(t, extra, FROM_EXTRA);
    for (uint32_t i = t->self + 1; i < t->members; i++) {
        watch(t, t->peers[i].dial.monitor, NOBODY);
        watch(t, t->peers[i].dial.dealer, (int)i);
        if (dial_wake(&t->peers[i].dial) < until_ms)
            until_ms = dial_wake(&t->peers[i].dial);
    }
    ms = until_ms > now ? until_ms - now : 0;
    if (zmq_poll(t->items, t->item_count, (long)(ms < POLL_MS ? ms : POLL_MS)) <
        0)
        for (int i = 0; i < t->item_count; i++)
            t->items[i].revents = 0;
}

static bool tell(struct transport *t, struct transport_event *event)
{
    if (t->has_text) {
        t->has_text = false;
        event->kind = TRANSPORT_TEXT;
        event->text = t->text;
        return true;
    }
    for (uint32_t i = 0; i < t->members; i++) {
        struct peer *peer = &t->peers[i];

        if (!peer_changed(peer))
            continue;
        event->kind = TRANSPORT_LINK;
        event->member = i;
        event->up = peer->told;
        return true;
    }
    return false;
}

static void hand_out(const struct transport *t, struct transport_event *event,
                     int member)
{
    event->kind = TRANSPORT_RECEIVED;
    event->member = (uint32_t)member;
    event->head = zframe_data(t->letter.head);
    event->head_size = zframe_size(t->letter.head);
    event->body = zframe_data(t->letter.body);
    event->body_size = zframe_size(t->letter.body);
}

/* What one ready socket has; false: nothing to hand out. *done: its turn is
 * over. */
static bool serve(struct transport *t, struct transport_event *event, int whose,
                  bool *done)
{
    int member;

    *done = true;
    if (whose == NOBODY)
        return false; /* tend() and watch_router() have read it */
    if (whose == FROM_EXTRA) {
        event->kind = TRANSPORT_EXTRA;
        return true;
    }
    if (whose == FROM_ZAP) {
        zstr_free(&t->line);
        t->line = zstr_recv(t->zap);
        event->kind = TRANSPORT_TEXT;
        event->text = t->line;
        return t->line != NULL;
    }
    member = receive(t, whose);
    *done = member == -1 || ++t->burst >= BURST;
    if (member >= 0)
        hand_out(t, event, member);
    return member >= 0;
}

static bool next(struct transport *t, struct transport_event *event)
{
    while (t->cursor < t->item_count) {
        bool done = true, some = false;

        if (t->items[t->cursor].revents != 0)
            some = serve(t, event, t->whose[t->cursor], &done);
        if (done) {
            t->cursor++;
            t->burst = 0;
        }
        if (some || tell(t, event)) /* a link comes before its messages */
            return true;
    }
    return false;
}

void transport_poll(struct transport *t, struct transport_event *event,
                    void *extra, int64_t timeout_ms)
{
    int64_t until_ms = zclock_mono() + timeout_ms;

    for (;;) {
        *event = (struct transport_event){.kind = TRANSPORT_INTERRUPTED};
        if (zsys_interrupted)
            return;
        watch_router(t);
        tend(t);
        stop_floods(t);
        if (tell(t, event) || next(t, event))
            return;
        wait_for_something(t, extra, until_ms);
        if (zclock_mono() >= until_ms && t->item_count > 0) {
            watch_router(t);
            tend(t);
            if (tell(t, event) || next(t, event))
                return;
            event->kind = TRANSPORT_NOTHING;
            return;
        }
    }
}

const char *transport_endpoint(const struct transport *t)
{
    return zsock_endpoint(t->router);
}

uint64_t transport_dropped(const struct transport *t)
{
    return t->dropped;
}
