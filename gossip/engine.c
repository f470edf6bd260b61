#include "gossip/engine.h"

#include <sodium.h>
#include <stdlib.h>

#include "gossip/cohort.h"
#include "gossip/record.h"

enum {
    /* Per kind of mail, from the widest table that it carries. */
    MAIL_BASE = 512,
    MAIL_PER_MEMBER = 68,
    WIDE_PER_MEMBER = 140, /* value, quorum and evidence */
    /* KEYS SHARES ACK Y (2) RECV UNMASK CHECK CLOSE future DONE, sums */
    MAILS_PER_MEMBER = 13,
    WIDE_MAILS = 5 * WIRE_KINDS + 4 + 1 + 9 + 1
};

static uint8_t *give(struct mail *mail, uint8_t *bytes, size_t capacity)
{
    mail->bytes = bytes;
    mail->capacity = capacity;
    return bytes + capacity;
}

static int make_mails(struct gossip *g)
{
    size_t n = g->config.members;
    size_t narrow = MAIL_BASE + MAIL_PER_MEMBER * n;
    size_t wide = MAIL_BASE + WIDE_PER_MEMBER * n;

    g->mail_size = MAILS_PER_MEMBER * n * narrow + (WIDE_MAILS + 2 * n) * wide;
    uint8_t *at = calloc(1, g->mail_size);
    g->mail_bytes = at;
    if (at == NULL)
        return -1;
    for (size_t j = 0; j < n; j++) {
        struct mail *mails[MAILS_PER_MEMBER] = {
            &g->keys_mail[j], &g->shares_out[j],  &g->acks_mail[j],
            &g->y_mail[j],    &g->recv_mail[j],   &g->unmask_mail[j],
            &g->done_mail[j], &g->future[j].mail, &g->open.sums[j],
            &g->past.sums[j], &g->check_mail[j],  &g->close_mail[j],
            &g->y_other[j]};
        for (int i = 0; i < MAILS_PER_MEMBER; i++)
            at = give(mails[i], at, narrow);
        at = give(&g->evidence[j].first, at, wide);
        at = give(&g->evidence[j].second, at, wide);
    }
    for (int kind = 0; kind < WIRE_KINDS; kind++) {
        struct agree *a = &g->agree[kind];
        at = give(&a->proposal_mail, at, wide);
        at = give(&a->prepare, at, wide);
        at = give(&a->commit, at, wide);
        at = give(&a->locked, at, wide);
        at = give(&a->cert, at, wide);
    }
    at = give(&g->open.cert_v, at, wide);
    at = give(&g->open.cert_u, at, wide);
    at = give(&g->past.cert_v, at, wide);
    at = give(&g->past.cert_u, at, wide);
    at = give(&g->bound_mail, at, wide);
    for (int i = 0; i < 9; i++)
        at = give(&g->said.mails[i], at, wide);
    give(&g->end_mail, at, wide);
    return 0;
}

static int make_vectors(struct gossip *g)
{
    size_t length = g->config.length_max, n = g->config.members;
    size_t lanes = g->config.lanes_max + sizeof(uint64_t);

    /* V is everybody where it may not change. */
    size_t fewest = cohort_changes(g) ? g->config.threshold : n;
    g->slice_max = (g->config.lanes_max / fewest / 8 + 2) * 8;
    g->state = calloc(1, g->config.state_size + COHORT_HISTORY_BYTES);
    g->next = calloc(1, g->config.state_size + COHORT_HISTORY_BYTES);
    g->values = calloc(length + 1, sizeof *g->values);
    g->plain = calloc(1, lanes);
    g->masked = calloc(1, lanes);
    g->sum_record = calloc(1, record_sum_size(g) + sizeof(uint64_t));
    if (g->sum_record != NULL)
        g->open.lanes = g->sum_record + record_lanes_at(g);
    g->kept = calloc(g->config.copies * n, g->slice_max);
    g->acks = calloc(n, sizeof *g->acks);
    g->unmasks = calloc(n, sizeof *g->unmasks);
    g->keys = calloc(n, sizeof *g->keys);
    g->recvs = calloc(n, sizeof *g->recvs);
    if (g->config.check) {
        g->check = calloc(1, sizeof *g->check);
        g->audit_lanes = calloc(n, g->slice_max);
        if (g->check == NULL || g->audit_lanes == NULL)
            return -1;
    }
    return g->state && g->next && g->values && g->plain && g->masked &&
                   g->sum_record && g->kept && g->acks && g->unmasks &&
                   g->keys && g->recvs
               ? 0
               : -1;
}

/* The carry is saved from where it is: of many large vectors, the one that
 * would have to be copied. */
static int make_record(struct gossip *g)
{
    size_t at = record_carry_at(g) % sizeof *g->carry;

    g->record_bytes = calloc(1, record_state_size(g) + sizeof *g->carry);
    if (g->record_bytes == NULL)
        return -1;
    g->record = g->record_bytes + (sizeof *g->carry - at);
    if (g->config.clips)
        g->carry = (double *)(void *)(g->record + record_carry_at(g));
    return 0;
}

/* Of slices, those are copied that do not lie in a row: a member's copies. */
static int make_effects(struct gossip *g)
{
    size_t body = g->config.copies == 1
                      ? 0
                      : (g->config.copies + 1) * g->config.lanes_max;
    size_t saves = 8 * record_promise_size(g) + 2 * record_evidence_size(g);

    return effects_new(&g->effects, g->config.members,
                       saves + body + g->config.state_size);
}

int engine_make(struct gossip *g)
{
    return make_mails(g) != 0 || make_vectors(g) != 0 || make_record(g) != 0 ||
                   make_effects(g) != 0
               ? -1
               : 0;
}

size_t engine_state_size(const struct gossip *g)
{
    return g->config.state_size +
           (cohort_changes(g) ? COHORT_HISTORY_BYTES : 0);
}

void engine_hash_state(struct gossip *g)
{
    wire_hash(g->state_hash, g->state, engine_state_size(g));
}

size_t engine_kept_size(const struct gossip *g)
{
    return (size_t)g->config.copies * g->config.members * g->slice_max;
}

static void wipe_free(void *bytes, size_t size)
{
    if (bytes != NULL)
        sodium_memzero(bytes, size);
    free(bytes);
}

void engine_free(struct gossip *g)
{
    size_t length = g->config.lanes_max;

    effects_free(&g->effects);
    wipe_free(g->mail_bytes, g->mail_size);
    wipe_free(g->plain, length);
    wipe_free(g->masked, length);
    wipe_free(g->record_bytes,
              g->record_bytes == NULL ? 0 : record_state_size(g));
    wipe_free(g->kept, engine_kept_size(g));
    wipe_free(g->unmasks, g->config.members * sizeof *g->unmasks);
    free(g->audit_lanes);
    free(g->check);
    free(g->keys);
    free(g->recvs);
    free(g->state);
    free(g->next);
    free(g->values);
    free(g->sum_record);
    free(g->acks);
    sodium_memzero(g, sizeof *g);
    free(g);
}
