/* What one member that lies cannot do to another, trust active. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crypto/tree.h"
#include "gossip/engine.h"
#include "gossip/evidence.h"
#include "gossip/forge.h"
#include "gossip/round.h"

enum { G = 5, T = 4, LIAR = 1, VICTIM = 0, ALL = 31 };

static struct pod *active(uint64_t rounds)
{
    struct pod *p = watch_new(G, T, rounds);

    p->config.active = p->config.check = true;
    p->config.on_loss = GOSSIP_CONTINUE;
    p->config.copies = 3;
    watch_of(p)->keep = true;
    return p;
}

static void newest_keys(struct wire_message *m, struct pod *p, uint32_t from)
{
    const struct watch *w = watch_of(p);

    for (size_t i = w->held_count; i > 0; i--) {
        const struct pod_message *h = &w->held[i - 1];
        if (h->type != WIRE_KEYS || h->from != from)
            continue;
        assert_int_equal(wire_parse(m, h->head, h->head_size, G), 0);
        return;
    }
    fail_msg("no KEYS of %u", from);
}

/* c + 1 do. */
static void one_liar_moves_nobody_to_another_attempt(void **state)
{
    struct pod *p = active(1);
    static struct wire_message m;

    (void)state;
    pod_begin(p);
    pod_run(p, 3);
    for (uint64_t attempt = 1; attempt < 4; attempt++) {
        newest_keys(&m, p, LIAR);
        m.attempt = attempt;
        forge_say(p, LIAR, VICTIM, &m);
        assert_int_equal(p->engines[VICTIM]->attempt, 0);
    }
    newest_keys(&m, p, 2);
    m.attempt = 2;
    forge_say(p, 2, VICTIM, &m);
    assert_int_equal(p->engines[VICTIM]->attempt, 2);
    watch_free(p);
}

/* Attack 16: nobody is accused by what another has signed. */
static void evidence_takes_two_signatures_of_the_accused(void **state)
{
    struct pod *p = active(1);
    static struct wire_message m;
    static struct forged good, bad;
    const struct gossip *judge;
    uint8_t body[4096];
    size_t size;

    (void)state;
    pod_begin(p);
    pod_run(p, 3);
    judge = p->engines[VICTIM];
    newest_keys(&m, p, 2);
    forge(&good, p, 2, &m);
    m.keys.commit[0] ^= 1;
    forge(&bad, p, 2, &m);
    assert_true(
        evidence_contradicts(judge, good.head, good.size, bad.head, bad.size));
    forge(&bad, p, LIAR, &m);
    assert_int_equal(wire_parse(&m, bad.head, bad.size, G), 0);
    size = m.body_size;
    memcpy(body, m.body, size);
    m.sender = 2; /* it says, and LIAR has signed it */
    uint8_t signature[IDENTITY_SIGNATURE_BYTES];
    memcpy(signature, m.signature, sizeof signature);
    assert_int_equal(pack_head(bad.head, sizeof bad.head, &bad.size, &m, body,
                               size, signature),
                     0);
    assert_false(
        evidence_contradicts(judge, good.head, good.size, bad.head, bad.size));
    assert_false(
        evidence_contradicts(judge, bad.head, bad.size, good.head, good.size));
    watch_free(p);
}

/* The liar's Y to the victim: other lanes in the first slice, signed. */
static bool other_lanes(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;
    static struct forged f;
    uint32_t slice = 0;
    size_t first, count;

    if (m->from != LIAR || m->to != VICTIM || m->type != WIRE_Y ||
        wire_parse(&r, m->head, m->head_size, G) != 0 || r.sender != LIAR ||
        r.round != 0 || watch_of(p)->number++ > 0)
        return true;
    while ((r.parts >> slice & 1) == 0)
        slice++;
    round_slice(&first, &count, POD_LENGTH, G, slice);
    m->body[0] ^= 1;
    tree_hash(r.y.slices[slice], m->body, count * sizeof(uint64_t));
    forge(&f, p, LIAR, &r);
    free(m->head);
    m->head = pod_copy(f.head, f.size);
    m->head_size = f.size;
    return true;
}

/* The victim would add up another sum than the other holders, and be taken for
 * the liar: U says which Y counts. */
static void a_vector_in_two_versions_frames_nobody(void **state)
{
    struct pod *p = active(2);

    (void)state;
    watch_of(p)->filter = other_lanes;
    pod_begin(p);
    pod_run(p, 120000);
    assert_true(watch_of(p)->number > 0);
    for (uint32_t i = 0; i < G; i++) {
        struct gossip_view view;
        if (i == LIAR)
            continue;
        assert_true(p->done[i]);
        assert_int_equal(p->reason[i], GOSSIP_FINISHED);
        assert_memory_equal(&p->final[i], &p->final[VICTIM],
                            sizeof p->final[i]);
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_LIED], 0);
        gossip_view(p->engines[i], &view);
        assert_int_equal(view.accused & ~(1u << LIAR), 0);
    }
    watch_free(p);
}

/* No KEYS of LIAR, who is honest here, reach the victim in the first round. */
static bool keys_kept_back(struct pod *p, struct pod_message *m)
{
    static struct wire_message r;

    if (m->to != VICTIM || m->type != WIRE_KEYS ||
        wire_parse(&r, m->head, m->head_size, G) != 0 || r.sender != LIAR ||
        r.round != 0)
        return true;
    watch_of(p)->number++;
    return false;
}

/* The others certify V by KEYS that are not here, and release their shares. */
static void who_lacks_keys_accuses_nobody_of_shares(void **state)
{
    struct pod *p = active(2);

    (void)state;
    watch_of(p)->filter = keys_kept_back;
    pod_begin(p);
    pod_run(p, 120000);
    assert_true(watch_of(p)->number > 0);
    for (uint32_t i = 0; i < G; i++) {
        assert_true(p->done[i]);
        assert_int_equal(p->reason[i], GOSSIP_FINISHED);
        assert_memory_equal(&p->final[i], &p->final[VICTIM],
                            sizeof p->final[i]);
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_BAD_SHARE], 0);
        assert_int_equal(p->note_count[i][GOSSIP_NOTE_BAD_DEAL], 0);
    }
    watch_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_liar_moves_nobody_to_another_attempt),
        cmocka_unit_test(evidence_takes_two_signatures_of_the_accused),
        cmocka_unit_test(a_vector_in_two_versions_frames_nobody),
        cmocka_unit_test(who_lacks_keys_accuses_nobody_of_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
