/* libFuzzer: a member that lies under its own signature. The input is a list of
 * actions on a running pod of four: let it run for some turns, or take a
 * message that member 1 has sent, change bytes of its body, sign it again as
 * member 1 and say it to member 0. Whatever it says, nobody aborts, no honest
 * member contradicts itself, and a sum that the honest finish with is either
 * everywhere the same or not there. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/forge.h"

enum { LIAR = 1, ACTION = 8, ACTIONS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* action: [what, message, message, place, place, flip, round, to] */
static void lie(struct pod *p, const uint8_t action[ACTION])
{
    struct watch *w = watch_of(p);
    static struct wire_message m;
    static uint8_t head[GOSSIP_HEAD_MAX], body[GOSSIP_HEAD_MAX];
    uint8_t ctx[GOSSIP_HASH_BYTES] = {0}, covered[WIRE_SIGNED_BYTES];
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    uint32_t to = action[7] % 4;
    size_t head_size;

    if (w->held_count == 0 || to == LIAR || p->down[to] || p->left[to])
        return;
    const struct pod_message *h =
        &w->held[(action[1] + 256u * action[2]) % w->held_count];
    if (wire_parse(&m, h->head, h->head_size, p->members) != 0 ||
        m.body_size == 0)
        return;
    memcpy(body, m.body, m.body_size);
    body[(action[3] + 256u * action[4]) % m.body_size] ^= action[5];
    m.sender = LIAR;
    m.attempt += action[6] & 3;
    m.round += action[6] >> 2 & 3;
    if (m.type != WIRE_HELLO)
        wire_ctx(ctx, &p->config, m.round, m.attempt);
    wire_signed(covered, ctx, LIAR, body, m.body_size);
    identity_sign(signature, wire_domain(m.type), covered, sizeof covered,
                  p->identities[LIAR].sign_secret);
    if (pack_head(head, sizeof head, &head_size, &m, body, m.body_size,
                  signature) != 0)
        return;
    forge_deliver(p, LIAR, to, head, head_size, h->body, h->body_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pod *p = watch_new(4, 3, 2);
    struct watch *w = watch_of(p);
    const struct pod_state *first = NULL;

    w->keep = true;
    pod_begin(p);
    for (size_t k = 0; k < ACTIONS_MAX && size >= ACTION; k++) {
        for (int turn = 0; turn < data[0]; turn++)
            (void)pod_turn(p, 60000);
        lie(p, data);
        data += ACTION;
        size -= ACTION;
    }
    pod_run(p, p->now_ms + 3000);
    if (w->contradictions != 0)
        abort();
    for (uint32_t i = 0; i < p->members; i++) {
        if (i == LIAR || !p->done[i] || p->reason[i] != GOSSIP_FINISHED)
            continue;
        if (first != NULL && memcmp(first, &p->final[i], sizeof *first) != 0)
            abort();
        first = &p->final[i];
    }
    watch_free(p);
    return 0;
}
