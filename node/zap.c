#include "node/zap.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAMES = 7, /* RFC 27: version, id, domain, address, routing id, mechanism,
                   key */
    SEEN = 16,  /* strangers that are remembered */
    SILENCE_MS = 10000,
    ADDRESS_SIZE = 64,
    VISIT_MS = 250,    /* that often for ever; an honest site: 1000 */
    VISITS_MS = 10000, /* and so much at once */
    Z85_SIZE = 41
};

struct stranger {
    char address[ADDRESS_SIZE];
    uint8_t key[X25519_BYTES];
    int64_t until_ms; /* no line about it before */
};

struct zap {
    zsock_t *pipe, *handler;
    uint8_t (*keys)[X25519_BYTES]; /* [count] */
    int64_t *paid_ms;              /* [count] when its visits are paid for */
    uint32_t count, self;
    struct stranger seen[SEEN];
    size_t seen_next;
    uint32_t unsaid;
};

struct start {
    const struct zap_config *config;
    atomic_int code; /* errno of the actor's start */
};

static const char endpoint[] = "inproc://zeromq.zap.01";

/* The site with that key, or -1. */
static int find(const struct zap *zap, zframe_t *key)
{
    if (zframe_size(key) != X25519_BYTES)
        return -1;
    for (uint32_t i = 0; i < zap->count; i++)
        if (i != zap->self &&
            memcmp(zap->keys[i], zframe_data(key), X25519_BYTES) == 0)
            return (int)i;
    return -1;
}

static bool is_silenced(struct zap *zap, const char *address,
                        const uint8_t key[X25519_BYTES])
{
    int64_t now = zclock_mono();
    struct stranger *s;

    for (size_t i = 0; i < SEEN; i++)
        if (zap->seen[i].until_ms > now &&
            strcmp(zap->seen[i].address, address) == 0 &&
            memcmp(zap->seen[i].key, key, X25519_BYTES) == 0)
            return true;
    s = &zap->seen[zap->seen_next];
    if (s->until_ms > now)
        return true; /* a flood of new keys: say no more than SEEN of them */
    zap->seen_next = (zap->seen_next + 1) % SEEN;
    snprintf(s->address, sizeof s->address, "%s", address);
    memcpy(s->key, key, X25519_BYTES);
    s->until_ms = now + SILENCE_MS;
    return false;
}

static void report(struct zap *zap, zframe_t *where, zframe_t *key)
{
    char address[ADDRESS_SIZE], text[Z85_SIZE] = "none";
    uint8_t bytes[X25519_BYTES] = {0};
    size_t size = zframe_size(where);

    size = size < sizeof address ? size : sizeof address - 1;
    memcpy(address, zframe_data(where), size);
    address[size] = '\0';
    if (zframe_size(key) == sizeof bytes) {
        memcpy(bytes, zframe_data(key), sizeof bytes);
        zmq_z85_encode(text, bytes, sizeof bytes);
    }
    if (!is_silenced(zap, address, bytes))
        zstr_sendf(zap->pipe, "refused a stranger at tcp://%s (key %s)",
                   address, text);
}

static bool visits_too_often(struct zap *zap, int site)
{
    int64_t now = zclock_mono(), *paid_ms = &zap->paid_ms[site];

    if (*paid_ms > now + VISITS_MS)
        return true;
    *paid_ms = (*paid_ms < now ? now : *paid_ms) + VISIT_MS;
    return false;
}

static void answer(struct zap *zap, zmsg_t *request)
{
    zframe_t *frames[FRAMES] = {NULL};
    bool sound = zmsg_size(request) == FRAMES;
    const char *code = "400", *text = "No member of this study";
    char user[16] = "";
    int site = -1;

    frames[0] = zmsg_first(request);
    for (size_t i = 1; i < FRAMES; i++)
        frames[i] = zmsg_next(request);
    if (sound && zframe_streq(frames[0], "1.0") &&
        zframe_streq(frames[2], ZAP_DOMAIN) && zframe_streq(frames[5], "CURVE"))
        site = find(zap, frames[6]);
    if (site >= 0 && visits_too_often(zap, site)) {
        code = "300";
        text = "Too often";
    } else if (site >= 0) {
        code = "200";
        text = "OK";
        snprintf(user, sizeof user, "%d", site);
    } else if (sound)
        report(zap, frames[3], frames[6]);

    zmsg_t *reply = zmsg_new();
    zmsg_addstr(reply, "1.0");
    zmsg_addmem(reply, frames[1] != NULL ? zframe_data(frames[1]) : NULL,
                frames[1] != NULL ? zframe_size(frames[1]) : 0);
    zmsg_addstr(reply, code);
    zmsg_addstr(reply, text);
    zmsg_addstr(reply, user);
    zmsg_addmem(reply, "", 0);
    zmsg_send(&reply, zap->handler);
}

static int prepare(struct zap *zap, zsock_t *pipe,
                   const struct zap_config *config)
{
    zap->pipe = pipe;
    zap->count = config->count;
    zap->self = config->self;
    zap->keys = calloc(config->count, sizeof *zap->keys);
    zap->paid_ms = calloc(config->count, sizeof *zap->paid_ms);
    if (zap->keys == NULL || zap->paid_ms == NULL)
        return ENOMEM;
    memcpy(zap->keys, config->keys, config->count * sizeof *config->keys);
    zap->handler = zsock_new(ZMQ_REP);
    if (zap->handler == NULL)
        return ENOMEM;
    if (zsock_bind(zap->handler, "%s", endpoint) < 0)
        return errno != 0 ? errno : EADDRINUSE;
    return 0;
}

static void serve(struct zap *zap, zpoller_t *poller)
{
    for (;;) {
        void *ready = zpoller_wait(poller, -1);
        zmsg_t *message;

        if (ready == NULL)
            return;
        message = zmsg_recv(ready);
        if (message == NULL)
            return;
        if (ready == zap->pipe) { /* $TERM is all that is ever told */
            zmsg_destroy(&message);
            return;
        }
        answer(zap, message);
        zmsg_destroy(&message);
    }
}

static void run(zsock_t *pipe, void *argument)
{
    struct start *start = argument;
    struct zap *zap = calloc(1, sizeof *zap);
    zpoller_t *poller = NULL;
    sigset_t all;
    int code;

    sigfillset(&all); /* signals are the main thread's to see */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    code = zap != NULL ? prepare(zap, pipe, start->config) : ENOMEM;
    atomic_store(&start->code, code);
    if (code == 0) {
        poller = zpoller_new(pipe, zap->handler, NULL);
        zpoller_set_nonstop(poller, true); /* Ctrl-C ends it by its owner */
    }
    zsock_signal(pipe, 0); /* from here on `start` is gone */
    if (code == 0)
        serve(zap, poller);
    else
        zstr_free(&(char *){zstr_recv(pipe)});
    zpoller_destroy(&poller);
    if (zap != NULL && zap->handler != NULL) {
        zsock_unbind(zap->handler, "%s", endpoint);
        zsock_destroy(&zap->handler);
    }
    if (zap != NULL) {
        free(zap->keys);
        free(zap->paid_ms);
    }
    free(zap);
}

zactor_t *zap_new(const struct zap_config *config)
{
    struct start start = {.config = config};
    zactor_t *zap;
    int code;

    atomic_init(&start.code, 0);
    zap = zactor_new(run, &start);
    code = atomic_load(&start.code);
    if (zap != NULL && code != 0)
        zactor_destroy(&zap);
    if (zap == NULL)
        errno = code != 0 ? code : ENOMEM;
    return zap;
}

void zap_free(zactor_t **zap)
{
    zactor_destroy(zap);
}
