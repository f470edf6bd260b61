#include "node/listen.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "node/dial.h"
#include "node/monitor.h"
#include "node/zap.h"

static int bind_once(zsock_t *router, const char *address)
{
    errno = 0;
    if (zsock_bind(router, "%s", address) >= 0)
        return 0;
    return errno != 0 ? -errno : -EINVAL;
}

/* The address is the one that peers call. Where it is a name, or another
 * machine's (behind a router), this machine listens on all of its own. */
static int bind_any(zsock_t *router, const char *address)
{
    const char *port = strrchr(address, ':');
    char any[32];
    int code = bind_once(router, address);

    if ((code != -ENODEV && code != -EADDRNOTAVAIL) || strlen(port) > 6)
        return code;
    snprintf(any, sizeof any, "tcp://*%s", port);
    return bind_once(router, any);
}

static int explain(struct error *error, int code,
                   const struct listen_config *config)
{
    switch (-code) {
    case EADDRINUSE:
        return error_set(error, code,
                         "%s: the port is in use; end the other program (is "
                         "this node running already?), or give '%s' another "
                         "address: in every site's study file",
                         config->address, config->site);
    case EACCES:
        return error_set(error, code,
                         "%s: not allowed to listen there; take a port above "
                         "1023 for '%s' in every site's study file",
                         config->address, config->site);
    default:
        return error_set(error, code,
                         "%s: cannot listen there: %s; expected "
                         "tcp://host:port as address: of '%s'",
                         config->address, zmq_strerror(-code), config->site);
    }
}

int listen_open(zsock_t **router, void **monitor,
                const struct listen_config *config, struct error *error)
{
    int code = -ENOMEM;

    *monitor = NULL;
    /* A ROUTER numbers its callers from rand() on, which CZMQ seeds with the
     * time, and asserts that no caller has claimed the next number. */
    srand(randombytes_random());
    *router = zsock_new(ZMQ_ROUTER);
    if (*router == NULL)
        return error_set(error, code, "no socket: %s", zmq_strerror(errno));
    dial_options(*router, config->frame_max, config->queue_max,
                 config->silence_ms);
    zsock_set_router_mandatory(*router, 1);
    zsock_set_ipv6(*router, strchr(config->address, '[') != NULL);
    zsock_set_curve_server(*router, 1);
    zsock_set_curve_secretkey_bin(*router, config->secret);
    zsock_set_zap_domain(*router, ZAP_DOMAIN);
    zsock_set_zap_enforce_domain(*router, 1);
    *monitor = monitor_new(*router);
    if (*monitor == NULL)
        error_set(error, code, "no monitor: %s", zmq_strerror(errno));
    else if ((code = bind_any(*router, config->address)) == 0)
        return 0;
    else
        explain(error, code, config);
    listen_close(router, monitor, 0);
    return code;
}

void listen_close(zsock_t **router, void **monitor, int linger_ms)
{
    if (*router == NULL)
        return;
    zsock_set_linger(*router, linger_ms);
    monitor_free(monitor, *router);
    zsock_destroy(router);
}
