#include "node/halt.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/wire.h"

enum when { AFTER_ALL, BEFORE_FIRST, AFTER_HALF };

static const struct phase {
    const char *name;
    enum wire_type type;
    int kind; /* of a vote; -1: any */
    enum when when;
} phases[] = {
    {"before-keys", WIRE_KEYS, -1, BEFORE_FIRST},
    {"keys", WIRE_KEYS, -1, AFTER_ALL},
    {"shares", WIRE_SHARES, -1, AFTER_ALL},
    {"ack", WIRE_ACK, -1, AFTER_ALL},
    {"prepare-v", WIRE_PREPARE, WIRE_V, AFTER_ALL},
    {"commit-v", WIRE_COMMIT, WIRE_V, AFTER_ALL},
    {"y", WIRE_Y, -1, AFTER_ALL},
    {"y-some", WIRE_Y, -1, AFTER_HALF},
    {"recv", WIRE_RECV, -1, AFTER_ALL},
    {"prepare-u", WIRE_PREPARE, WIRE_U, AFTER_ALL},
    {"commit-u", WIRE_COMMIT, WIRE_U, AFTER_ALL},
    {"unmask", WIRE_UNMASK, -1, AFTER_ALL},
    {"sum", WIRE_SUM, -1, AFTER_ALL},
};
enum { PHASES = sizeof phases / sizeof *phases };

int halt_parse(struct halt *halt, const char *text, struct error *error)
{
    const char *at = text != NULL ? strchr(text, '@') : NULL;
    char *end = NULL;

    *halt = (struct halt){0};
    if (text == NULL)
        return 0;
    for (size_t i = 0; at != NULL && i < PHASES; i++) {
        size_t size = (size_t)(at - text);

        if (strlen(phases[i].name) != size ||
            memcmp(phases[i].name, text, size) != 0)
            continue;
        halt->phase = i;
        halt->round = strtoull(at + 1, &end, 10);
    }
    if (end == NULL || end == at + 1 || *end != '\0')
        return error_set(error, -EINVAL,
                         "--hold: found '%s', expected PHASE@ROUND with one of "
                         "the phases " HALT_PHASES,
                         text);
    halt->set = true;
    return 0;
}

static bool matches(const struct halt *halt, const struct gossip_effect *effect)
{
    const struct phase *phase = &phases[halt->phase];
    struct wire_message m;

    if (effect->kind != GOSSIP_SEND || effect->send.type != phase->type)
        return false;
    if (wire_parse(&m, effect->send.head, effect->send.head_size,
                   halt->members) != 0)
        return false;
    return m.round == halt->round &&
           (phase->kind < 0 || (int)m.vote.kind == phase->kind);
}

size_t halt_after(const struct halt *halt, const struct gossip_effect *effects,
                  size_t count)
{
    size_t matched = 0, last = 0, half = 0;

    if (!halt->set)
        return SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        if (!matches(halt, &effects[i]))
            continue;
        if (phases[halt->phase].when == BEFORE_FIRST)
            return i;
        matched++;
        last = i;
    }
    if (matched == 0)
        return SIZE_MAX;
    if (phases[halt->phase].when == AFTER_ALL)
        return last + 1;
    for (size_t i = 0; i < count; i++)
        if (matches(halt, &effects[i]) && ++half >= matched / 2)
            return i + (matched > 1 ? 1 : 0);
    return SIZE_MAX;
}

const char *halt_phase(const struct halt *halt)
{
    return phases[halt->phase].name;
}
