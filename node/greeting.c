#include "node/greeting.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "gossip/fields.h"
#include "gossip/pack.h"

/* What it is signed under names no round and no study: those may differ. */
static const uint8_t ctx[GOSSIP_HASH_BYTES];

void greeting_write(struct greeting *g, const struct study *study,
                    uint32_t self,
                    const uint8_t sign_secret[IDENTITY_SECRET_BYTES])
{
    struct wire_message m = {.type = WIRE_HELLO, .sender = self};
    uint8_t body[sizeof g->head], signature[IDENTITY_SIGNATURE_BYTES];
    uint8_t covered[WIRE_SIGNED_BYTES];
    size_t body_size;

    g->field_count = study_fields(g->fields, g->charter, study);
    snprintf(m.hello.program, sizeof m.hello.program, "%s", STARLING_VERSION);
    memcpy(m.hello.charter, g->charter, sizeof m.hello.charter);
    m.hello.field_count = g->field_count;
    memcpy(m.hello.fields, g->fields, sizeof m.hello.fields);
    int code = pack_body(body, sizeof body, &body_size, &m);
    assert(code == 0);
    wire_signed(covered, ctx, self, body, body_size);
    identity_sign(signature, wire_domain(WIRE_HELLO), covered, sizeof covered,
                  sign_secret);
    code = pack_head(g->head, sizeof g->head, &g->size, &m, body, body_size,
                     signature);
    assert(code == 0);
}

bool greeting_claims(uint32_t *member, const uint8_t *head, size_t size)
{
    struct wire_message m;

    /* [array of 8, version, type: most messages end here */
    if (size < 3 || head[0] != 0x98 || head[1] != WIRE_VERSION ||
        head[2] != WIRE_HELLO ||
        wire_parse(&m, head, size, GOSSIP_MEMBERS_MAX) != 0)
        return false;
    *member = m.sender;
    return true;
}

int greeting_read(char field[GOSSIP_FIELD_NAME_SIZE],
                  const struct greeting *ours, const uint8_t *head, size_t size,
                  const uint8_t key[IDENTITY_KEY_BYTES])
{
    uint8_t covered[WIRE_SIGNED_BYTES];
    struct wire_message m;
    const char *name;

    if (wire_parse(&m, head, size, GOSSIP_MEMBERS_MAX) != 0 ||
        m.type != WIRE_HELLO)
        return -1;
    wire_signed(covered, ctx, m.sender, m.body, m.body_size);
    if (identity_verify(m.signature, wire_domain(WIRE_HELLO), covered,
                        sizeof covered, key) != 0)
        return -1;
    name = fields_difference(ours->fields, ours->field_count, m.hello.fields,
                             m.hello.field_count);
    if (name == NULL)
        name = memcmp(m.hello.charter, ours->charter, GOSSIP_HASH_BYTES) == 0
                   ? ""
                   : "charter";
    snprintf(field, GOSSIP_FIELD_NAME_SIZE, "%s", name);
    return 0;
}
