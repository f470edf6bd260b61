#include "node/company.h"

#include <czmq.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    REFUSED_MIN = 8, /* fewer may be a link's last words */
    MINUTE_MS = 60000,
    LINE_SIZE = 256
};

const struct study_site *company_site(const struct company *c, uint32_t place)
{
    const struct study *whole = c->study->whole;

    return &(whole == NULL ? c->study : whole)->sites[c->links.of[place].site];
}

/* As a bitmap of the pod, for what is told; another pod's have none. */
static uint64_t bit_of(const struct link *link)
{
    return link->fellow ? UINT64_C(1) << link->member : 0;
}

/* Where it belongs, to be put behind its name. */
static const char *pod_of(char text[32], const struct link *link)
{
    text[0] = '\0';
    if (!link->fellow)
        snprintf(text, 32, " of pod %u", link->pod);
    return text;
}

static bool may_tell(struct company_peer *peer)
{
    int64_t now = zclock_mono();

    if (peer->lines == 0 || now - peer->lines_ms >= MINUTE_MS) {
        peer->lines_ms = now;
        peer->lines = 0;
    }
    if (peer->lines == COMPANY_LINES)
        return false;
    peer->lines++;
    return true;
}

bool company_may_tell(struct company *c, uint64_t members)
{
    bool may = true;

    for (uint32_t i = 0; i < c->links.count; i++)
        if (bit_of(&c->links.of[i]) & members)
            may = may_tell(&c->peers[i]) && may;
    return may;
}

void company_link(struct company *c, uint32_t place, bool up)
{
    const struct link *link = &c->links.of[place];
    char line[LINE_SIZE], pod[32];

    if (!may_tell(&c->peers[place]))
        return;
    snprintf(line, sizeof line, "%s %s%s", up ? "linked with" : "lost",
             company_site(c, place)->name, pod_of(pod, link));
    progress_tell(c->progress, up ? "link_up" : "link_down", bit_of(link), 0,
                  NULL, line);
}

/* An admitted member that sends what nobody here would have is told of, now and
 * then; who runs another study was told of already. */
void company_refused(struct company *c, uint32_t place, uint64_t count)
{
    struct company_peer *peer = &c->peers[place];
    const uint64_t bit = bit_of(&c->links.of[place]);
    int64_t now = zclock_mono();
    char line[LINE_SIZE];

    peer->refused += count;
    if (peer->differs || (c->progress->differs & bit) != 0 ||
        peer->refused - peer->told < REFUSED_MIN ||
        (peer->told > 0 && now - peer->told_ms < MINUTE_MS))
        return;
    peer->told = peer->refused;
    peer->told_ms = now;
    snprintf(line, sizeof line,
             "refused %" PRIu64 " messages of '%s' so far: malformed, badly "
             "signed, out of place or too many; look at that node",
             peer->refused, company_site(c, place)->name);
    progress_tell(c->progress, "refused_messages", bit, 0, NULL, line);
    if (c->progress->json)
        fprintf(stderr, "%s\n", line);
}

static void tell_differs(struct company *c, uint32_t place, const char *field)
{
    struct company_peer *peer = &c->peers[place];
    const struct link *link = &c->links.of[place];
    char line[PROGRESS_LINE_SIZE], pod[32];

    if (strcmp(peer->field, field) == 0 || !may_tell(peer))
        return;
    snprintf(peer->field, sizeof peer->field, "%s", field);
    progress_differs(line, field, company_site(c, place)->name,
                     pod_of(pod, link));
    progress_tell(c->progress, "differs", bit_of(link), 0, NULL, line);
    if (c->progress->json)
        fprintf(stderr, "%s\n", line);
}

/* An engine hears its own pod's greetings. It cannot read those of a site that
 * takes another pod for its own. */
bool company_greeted(struct company *c, uint32_t place, const uint8_t *head,
                     size_t size)
{
    const struct link *link = &c->links.of[place];
    struct company_peer *peer = &c->peers[place];
    char field[GOSSIP_FIELD_NAME_SIZE];
    uint32_t member;

    if (!greeting_claims(&member, head, size) ||
        (link->fellow && member == link->member))
        return false;
    if (greeting_read(field, &c->greeting, head, size,
                      company_site(c, place)->key.sign) != 0) {
        company_refused(c, place, 1);
        return true;
    }
    peer->differs = field[0] != '\0';
    if (peer->differs)
        tell_differs(c, place, field);
    else
        peer->field[0] = '\0';
    return true;
}
