/* libFuzzer: any bytes through the parser; what it takes has to survive being
 * written and read again. First byte: the pod's size; with its top bit set, the
 * second is a type and the rest the body in a well-formed head. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/pack.h"
#include "gossip/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A head around these bytes as the body; NULL if they do not fit. */
static const uint8_t *around(const uint8_t *data, size_t *size)
{
    static uint8_t head[2 * GOSSIP_HEAD_MAX];
    static const uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    static struct wire_message m;

    m.type = (enum wire_type)(data[0] % WIRE_TYPES);
    if (pack_head(head, sizeof head, size, &m, data + 1, *size - 1,
                  signature) != 0)
        return NULL;
    return head;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wire_message m, again;
    static uint8_t body[2 * GOSSIP_HEAD_MAX], head[2 * GOSSIP_HEAD_MAX];
    size_t body_size, head_size;

    if (size < 1)
        return 0;
    uint32_t members = 3 + (data[0] & 0x7fu) % (GOSSIP_MEMBERS_MAX - 2);
    const uint8_t *bytes = data + 1;
    size_t count = size - 1;
    if ((data[0] & 0x80) != 0 && count > 0)
        bytes = around(bytes, &count);
    if (bytes == NULL || wire_parse(&m, bytes, count, members) != 0)
        return 0;
    if (pack_body(body, sizeof body, &body_size, &m) != 0 ||
        pack_head(head, sizeof head, &head_size, &m, body, body_size,
                  m.signature) != 0 ||
        wire_parse(&again, head, head_size, members) != 0)
        abort();
    if (again.type != m.type || again.round != m.round ||
        again.attempt != m.attempt || again.sender != m.sender ||
        again.parts != m.parts || again.body_size != body_size ||
        memcmp(again.body, body, body_size) != 0 ||
        (m.type == WIRE_WANT &&
         memcmp(&again.want, &m.want, sizeof m.want) != 0))
        abort();
    return 0;
}
