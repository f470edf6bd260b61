/* e2e_forger STUDY SITE KEYS: a site of a study with pods that holds its true
 * keys and says what no site may. To each peer that it is linked with it sends,
 * REPEATS times, every forgery that there is room for; prints "sent NAME" when
 * the peer has them all, and stays until it is killed. The last argument "long"
 * adds a body that is too long for any message of the study. */

#include <czmq.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/mixwire.h"
#include "node/keyfile.h"
#include "node/links.h"
#include "node/member.h"
#include "node/pods.h"
#include "node/transport.h"

enum { REPEATS = 4, LONG = 60000, WORDS = 4, HEADS = 9 };

static struct study *whole;
static struct study view;
static struct study_site fellows[GOSSIP_MEMBERS_MAX];
static struct links links;
static struct identity identity;
static uint32_t site, self;
static uint8_t bound[MIXWIRE_HASH_BYTES];

static struct transport *connect_all(struct error *error)
{
    static struct transport_site sites[LINKS_MAX];
    struct transport_config config = {.self = links.self,
                                      .members = links.count,
                                      .sites = sites,
                                      .study = whole->name,
                                      .head_max = GOSSIP_HEAD_MAX,
                                      .body_max = 1 << 20,
                                      .silence_ms = 2000};
    struct transport *t = NULL;

    for (uint32_t i = 0; i < links.count; i++) {
        const struct study_site *other = &whole->sites[links.of[i].site];
        sites[i].name = other->name;
        sites[i].address = other->address;
        memcpy(sites[i].link, other->key.link, sizeof sites[i].link);
    }
    memcpy(config.link_secret, identity.link_secret, sizeof config.link_secret);
    transport_new(&t, &config, error);
    return t;
}

/* What gossip/mix.c signs under. */
static void bind_study(void)
{
    static const uint8_t label[16] = "starling pods";
    struct gossip_config c = {0};
    crypto_generichash_state h;

    member_bind(&c, &view);
    crypto_generichash_init(&h, NULL, 0, sizeof bound);
    crypto_generichash_update(&h, label, sizeof label);
    crypto_generichash_update(&h, c.network, sizeof c.network);
    crypto_generichash_update(&h, c.charter, sizeof c.charter);
    crypto_generichash_final(&h, bound, sizeof bound);
}

struct forgery {
    uint8_t head[MIXWIRE_MAX];
    size_t head_size;
    bool has_body;
};

static void put(struct forgery *f, struct mixwire m, bool signs)
{
    f->head_size =
        mixwire_write(f->head, &m, bound, signs ? identity.sign_secret : NULL);
}

/* What is wrong with each; to a peer of another pod. */
static size_t forge(struct forgery *f, const struct link *to)
{
    struct mixwire ours = {
        .type = MIXWIRE_OFFER, .pod = view.pod, .sender = self};
    struct mixwire theirs = {
        .type = MIXWIRE_OFFER, .pod = to->pod, .sender = (to->member + 1) % 3};

    put(&f[0], ours, false); /* not signed */
    f[0].has_body = true;
    put(&f[1], ours, true); /* its hash is not the vector's */
    f[1].has_body = true;
    put(&f[2], theirs, true); /* in the name of the peer's own fellow */
    ours.sender = (self + 1) % 3;
    put(&f[3], ours, true); /* in the name of ours */
    theirs.type = MIXWIRE_PREPARE;
    put(&f[4], theirs, true); /* a vote in a pod that is not ours */
    theirs.type = MIXWIRE_CERT;
    put(&f[5], theirs, true); /* a decision there */
    ours.sender = self;
    ours.type = MIXWIRE_OFFER;
    ours.pod = UINT32_MAX;
    put(&f[6], ours, true); /* no such pod */
    f[7].head[0] = 0x98;    /* an engine's message, to another pod */
    f[7].head_size = 40;
    ours.pod = view.pod;
    ours.type = MIXWIRE_WANT;
    put(&f[8], ours, true); /* cut off */
    f[8].head_size -= 1;
    return HEADS;
}

static void attack(struct transport *t, uint32_t place, bool too_long)
{
    static uint8_t body[LONG];
    struct forgery list[HEADS];
    size_t count;

    memset(list, 0, sizeof list);
    count = forge(list, &links.of[place]);
    for (size_t k = 0; k < REPEATS * count; k++) {
        const struct forgery *f = &list[k % count];
        transport_send(t, place, f->head, f->head_size, body,
                       f->has_body ? WORDS * sizeof(uint64_t) : 0);
    }
    if (too_long)
        transport_send(t, place, list[0].head, list[0].head_size, body,
                       sizeof body);
    printf("sent %s\n", whole->sites[links.of[place].site].name);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct error error = {"usage: e2e_forger STUDY SITE KEYS [long]"};
    struct transport *t = NULL;
    int code = argc < 4 || sodium_init() < 0;

    if (code == 0)
        code = study_read(&whole, argv[1], &error);
    if (code == 0)
        code = keyfile_read(&identity, argv[3], NULL, &error);
    if (code == 0) {
        site = (uint32_t)study_site(whole, argv[2]);
        uint32_t pod = 0;
        pods_find(whole, site, &pod, &self);
        pods_view(&view, fellows, whole, pod);
        code = links_find(&links, &view, self, &error);
    }
    if (code == 0)
        bind_study();
    if (code == 0)
        t = connect_all(&error);
    if (t == NULL) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    for (;;) {
        struct transport_event event;
        transport_poll(t, &event, NULL, 1000);
        if (event.kind == TRANSPORT_INTERRUPTED)
            break;
        if (event.kind == TRANSPORT_LINK && event.up)
            attack(t, event.member, argc > 4);
    }
    transport_free(t);
    study_free(whole);
    return 0;
}
