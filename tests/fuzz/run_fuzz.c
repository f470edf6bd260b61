/* libFuzzer: whole runs of a small pod in which one member lies under its own
 * signature, the network loses, repeats, delays and mixes up, links and timers
 * say what is not so, and members die between any two effects and return with
 * what they saved, or find it damaged. What must hold is in oath.h.
 *
 * Input: HEAD bytes that choose the pod (see choose), then deeds of DEED bytes,
 * [act, type, which, to, a, b, c, d]: `act` on the messages of `type` to the
 * members in `to` (bits): the `which`-th of them, or with its top bit all.
 *
 * Linked twice (CMakeLists.txt): fuzz_run with the fakes of fake.h, where
 * millions of runs are tried, and fuzz_run_real with the true signatures. */

#include <malloc.h>
#include <stdint.h>

#include "fuzz/fake.h"
#include "fuzz/lie.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);

enum {
    HEAD = 3,
    DEED = 8,
    DEEDS_MAX = 10,
    MESSAGES_MAX = 900, /* of a run; without deeds at most 780 */
    TIME_MAX = 4000,
    ERRANDS_MAX = 64,
    STALE = 32
};

enum act {
    ACT_FIELD, /* a field of the body; signed again by the liar, as the next */
    ACT_FLIP,  /* any bytes of the body */
    ACT_LANES, /* bytes beside the head, and their hash */
    ACT_DROP,
    ACT_TWICE,
    ACT_LATE,
    ACT_ELSEWHERE, /* to another receiver, too */
    ACT_STALE,     /* an older message comes again, to anybody */
    ACT_GARBLE,    /* any byte of head or lanes, not signed */
    ACT_KILL,      /* the sender, after some more of its effects */
    ACT_DAMAGE,    /* the same, and what it saved is damaged */
    ACT_LINK,      /* is said to be down */
    ACT_TIMER,     /* the receiver's comes early */
    ACT_SLEEP,     /* the sender's comes late */
    ACTS
};

/* What the main loop does at a time, outside of any step. */
struct errand {
    uint64_t at_ms;
    enum act act;
    uint32_t who, other;
    uint8_t a, b, c;
};

struct run {
    const uint8_t *deeds; /* [deed_count][DEED] */
    size_t deed_count;
    uint32_t seen[DEEDS_MAX];
    uint64_t messages;
    uint32_t dies_in[POD_MAX]; /* effects; 0: lives */
    uint64_t revive_ms[POD_MAX];
    uint8_t away_ms[POD_MAX];
    bool damaged[POD_MAX];
    uint8_t damage[POD_MAX][3];
    struct errand errands[ERRANDS_MAX];
    size_t errand_count;
};

/* The newest messages that were sent. */
static struct stale {
    struct pod_message message;
    uint8_t head[LIE_HEAD_MAX], body[LIE_HEAD_MAX];
} stale[STALE];
static size_t stale_count;

static struct run the;
static bool real; /* cryptography */

static int verify(void *context, const uint8_t *signature, const char *domain,
                  const uint8_t *message, size_t size, const uint8_t *key)
{
    if (real)
        return pod_verify(context, signature, domain, message, size, key);
    return identity_verify(signature, domain, message, size, key);
}

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    static const uint8_t secret[X25519_BYTES] = {9};
    uint8_t open[X25519_BYTES], fake[X25519_BYTES];

    (void)count, (void)arguments;
    if (sodium_init() < 0)
        abort();
    mallopt(M_MMAP_THRESHOLD, 1 << 20); /* a pod: large, mostly untouched */
    mallopt(M_TRIM_THRESHOLD, 1 << 28);
    x25519_base(open, secret);
    __wrap_x25519_base(fake, secret);
    real = memcmp(open, fake, sizeof open) != 0;
    return 0;
}

static void errand(struct pod *p, uint64_t after_ms, const uint8_t *deed,
                   uint32_t who, uint32_t other)
{
    if (the.errand_count == ERRANDS_MAX)
        return;
    the.errands[the.errand_count++] =
        (struct errand){p->now_ms + after_ms,
                        (enum act)(deed[0] % ACTS),
                        who,
                        other,
                        deed[4],
                        deed[5],
                        deed[6]};
}

static void again(struct pod *p, const struct pod_message *message, uint32_t to,
                  uint64_t after_ms)
{
    struct pod_message copy = *message;

    copy.to = to;
    copy.at_ms = p->now_ms + after_ms;
    copy.head = pod_copy(message->head, message->head_size);
    copy.body = pod_copy(message->body, message->body_size);
    pod_queue(p, copy);
}

static void keep(const struct pod_message *message)
{
    struct stale *s = &stale[stale_count % STALE];

    if (message->head_size > sizeof s->head ||
        message->body_size > sizeof s->body)
        return;
    stale_count++;
    memcpy(s->head, message->head, message->head_size);
    if (message->body_size > 0)
        memcpy(s->body, message->body, message->body_size);
    s->message = *message;
    s->message.head = s->head;
    s->message.body = s->body;
}

static void lie(struct pod *p, struct pod_message *message, const uint8_t *deed)
{
    static struct wire_message m;

    if (wire_parse(&m, message->head, message->head_size, p->members) != 0)
        return; /* garbled before */
    switch (deed[0] % ACTS) {
    case ACT_FIELD:
        lie_field(p, message, &m, deed);
        break;
    case ACT_FLIP:
        lie_flip(p, message, &m, deed);
        break;
    default:
        lie_lanes(p, message, &m, deed);
    }
}

static void garble(struct pod_message *message, const uint8_t *deed)
{
    size_t at = deed[4] + 256u * deed[5];

    if ((deed[5] & 1) && message->body_size > 0)
        message->body[at % message->body_size] ^= deed[6];
    else
        message->head[at % message->head_size] ^= deed[6];
    if (deed[7] & 1)
        message->head_size -= deed[5] % message->head_size;
}

static void doom(const uint8_t *deed, uint32_t who)
{
    if (the.dies_in[who] != 0)
        return;
    the.dies_in[who] = 1 + deed[4] % 32;
    the.away_ms[who] = deed[5];
    if (deed[0] % ACTS == ACT_DAMAGE) {
        the.damaged[who] = true;
        memcpy(the.damage[who], deed + 5, 3);
    }
}

/* False: it is lost. */
static bool do_deed(struct pod *p, struct pod_message *message,
                    const uint8_t *deed)
{
    uint32_t other = deed[4] % p->members;

    switch ((enum act)(deed[0] % ACTS)) {
    case ACT_FIELD:
    case ACT_FLIP:
    case ACT_LANES:
        lie(p, message, deed);
        break;
    case ACT_DROP:
        return false;
    case ACT_TWICE:
        again(p, message, message->to, 1 + deed[4]);
        break;
    case ACT_LATE:
        message->at_ms += 2u * deed[4];
        break;
    case ACT_ELSEWHERE:
        if (other != message->from)
            again(p, message, other, 1 + deed[5]);
        break;
    case ACT_STALE:
        if (stale_count > 0) {
            size_t kept = stale_count < STALE ? stale_count : STALE;
            const struct pod_message *m = &stale[deed[5] % kept].message;
            if (m->from != other)
                again(p, m, other, 1 + deed[6]);
        }
        break;
    case ACT_GARBLE:
        garble(message, deed);
        break;
    case ACT_KILL:
    case ACT_DAMAGE:
        doom(deed, message->from);
        break;
    case ACT_LINK:
    case ACT_TIMER:
        errand(p, deed[4], deed, message->to, message->from);
        break;
    case ACT_SLEEP:
        errand(p, 0, deed, message->from, message->to);
        break;
    case ACTS:
        break;
    }
    return true;
}

static bool meddle(struct pod *p, struct pod_message *message)
{
    oath_said(p, message);
    if (++the.messages > MESSAGES_MAX)
        return false;
    for (size_t k = 0; k < the.deed_count; k++) {
        const uint8_t *deed = the.deeds + k * DEED;
        bool lies = deed[0] % ACTS <= ACT_LANES;
        if (1 + deed[1] % (WIRE_TYPES - 1) != message->type ||
            (lies && message->from != oath.liar) ||
            (deed[3] >> (message->to & 7) & 1) == 0)
            continue;
        if (the.seen[k]++ != deed[2] % 16u && (deed[2] & 0x80) == 0)
            continue;
        if (!do_deed(p, message, deed))
            return false;
    }
    lie_remember(message);
    keep(message);
    return true;
}

/* The member dies before this effect, as told. */
static bool allow(struct pod *p, uint32_t member,
                  const struct gossip_effect *effect)
{
    if (the.dies_in[member] != 0 && --the.dies_in[member] == 0) {
        the.revive_ms[member] = p->now_ms + 1 + 8u * the.away_ms[member];
        return false;
    }
    oath_effect(p, member, effect);
    return true;
}

/* One byte of what it saved is another. */
static void damage(struct pod *p, uint32_t i)
{
    const uint8_t *how = the.damage[i];
    uint32_t slot = how[0] % GOSSIP_SLOTS;

    the.damaged[i] = false;
    for (int k = 0; k < GOSSIP_SLOTS && p->saved[i][slot].size == 0; k++)
        slot = (slot + 1) % GOSSIP_SLOTS;
    struct pod_record *r = &p->saved[i][slot];
    if (r->size > 0)
        r->bytes[(how[1] + 256u * how[2]) % r->size] ^= how[0] | 1;
}

/* Damaged records are refused, or the member works: alone at first, as nobody
 * promises anything for a member whose disk lies. True: they are taken. */
static bool try_damaged(struct pod *p, uint32_t i)
{
    struct gossip_record records[GOSSIP_SLOTS];
    struct gossip_config c = p->config;
    const struct gossip_effect *effects;
    const char *why = NULL;
    size_t count = 0;

    c.self = i;
    for (uint32_t s = 0; s < GOSSIP_SLOTS; s++)
        if (p->saved[i][s].bytes != NULL)
            records[count++] = (struct gossip_record){s, p->saved[i][s].bytes,
                                                      p->saved[i][s].size};
    struct gossip *g = gossip_new(&c, records, count, &why);
    bool taken = g != NULL;
    oath_must(taken || why != NULL, "a refusal says why");
    for (uint32_t j = 0; taken && j < p->members; j++) {
        struct gossip_event e = {.kind = GOSSIP_LINK, .now_ms = p->now_ms};
        e.link.member = j;
        e.link.up = true;
        if (j == i)
            e.kind = GOSSIP_TIMER;
        gossip_step(g, &e, &effects, &count);
    }
    gossip_free(g);
    return taken;
}

/* With a damaged store only the liar comes back: the others' promises hold
 * whatever it remembers. */
static void revive(struct pod *p)
{
    for (uint32_t i = 0; i < p->members; i++) {
        if (the.revive_ms[i] == 0 || !p->down[i])
            continue;
        if (the.damaged[i]) {
            damage(p, i);
            if (!try_damaged(p, i) || i != oath.liar) {
                the.revive_ms[i] = 0; /* for ever */
                continue;
            }
            oath.lied = oath.lied_in_sum = oath.lied_in_y = true;
        }
        if (p->now_ms >= the.revive_ms[i]) {
            the.revive_ms[i] = 0;
            pod_revive(p, i);
        }
    }
}

static void hint(struct pod *p, uint32_t who, uint32_t member, bool up)
{
    struct gossip_event e = {.kind = GOSSIP_LINK, .now_ms = p->now_ms};

    e.link.member = member;
    e.link.up = up;
    if (who != member && !p->down[who] && !p->left[who])
        pod_step(p, who, &e);
}

static void run_errand(struct pod *p, const struct errand *e)
{
    struct gossip_event timer = {.kind = GOSSIP_TIMER, .now_ms = p->now_ms};
    const uint8_t deed[DEED] = {ACT_LINK};

    switch (e->act) {
    case ACT_LINK: /* b: the other end hears it too; c: up again */
        hint(p, e->who, e->other, (e->a & 1) && e->c == 0);
        if (e->b & 1)
            hint(p, e->other, e->who, false);
        if (e->c != 0)
            errand(p, 4u * e->c, deed, e->who, e->other);
        break;
    case ACT_TIMER:
        if (!p->down[e->who] && !p->left[e->who])
            pod_step(p, e->who, &timer);
        break;
    default:
        if (p->wake_ms[e->who] != UINT64_MAX)
            p->wake_ms[e->who] += 8u * e->a;
    }
}

static void run_errands(struct pod *p)
{
    for (size_t k = 0; k < the.errand_count;) {
        if (the.errands[k].at_ms > p->now_ms) {
            k++;
            continue;
        }
        struct errand e = the.errands[k];
        the.errands[k] = the.errands[--the.errand_count];
        run_errand(p, &e);
    }
}

/* head[0]: bit 0 active; 1-2 on_loss; 3 CHECK; 4 two rounds; 5 a threshold
 * above the least; 6-7 copies. head[1]: the liar, bit 6 starts late, bit 7
 * waits for a limited time. head[2]: bits of who has nothing to contribute. */
static struct pod *choose(const uint8_t *head)
{
    static const enum gossip_on_loss on_loss[] = {GOSSIP_WAIT, GOSSIP_CONTINUE,
                                                  GOSSIP_STOP, GOSSIP_CONTINUE};
    bool active = head[0] & 1;
    uint32_t members = active ? 5 : 4, copies = active ? 3 : 2;
    struct pod *p = watch_new(members, members - 1 + (head[0] >> 5 & 1),
                              1 + (head[0] >> 4 & 1));

    p->config.active = active;
    p->config.check = active || (head[0] & 8) != 0;
    p->config.on_loss = on_loss[head[0] >> 1 & 3];
    p->config.copies = (head[0] & 0xc0) == 0xc0 && !active
                           ? 1
                           : copies + (head[0] >> 6) % (members - copies + 1);
    p->config.deadline_ms = 640;
    p->config.grace_ms = 30;
    p->config.linger_ms = 200;
    p->config.wait_ms = head[1] & 0x80 ? 1500 : 0;
    p->config.verify = verify;
    for (uint32_t i = 0; i < members; i++)
        p->decline[i] = (head[2] & 0x80) && (head[2] >> i & 1)
                            ? GOSSIP_DECLINE_DATA
                            : GOSSIP_DECLINE_NONE;
    return p;
}

static void begin(struct pod *p, bool late)
{
    for (uint32_t i = 0; i < p->members; i++)
        p->down[i] = true;
    for (uint32_t i = 0; i < p->members; i++) {
        if (late && i == oath.liar) {
            the.revive_ms[i] = 300;
            continue;
        }
        pod_start(p, i);
        pod_link(p, i);
    }
}

/* Nobody is left who could do anything. */
static bool is_over(const struct pod *p)
{
    for (uint32_t i = 0; i < p->members; i++)
        if ((!p->down[i] && !p->left[i]) || the.revive_ms[i] != 0)
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    struct pod *p = choose(data);
    memset(&the, 0, sizeof the);
    memset(&oath, 0, sizeof oath);
    lie_forget();
    stale_count = 0;
    the.deeds = data + HEAD;
    the.deed_count = (size - HEAD) / DEED;
    if (the.deed_count > DEEDS_MAX)
        the.deed_count = DEEDS_MAX;
    oath.liar = data[1] % 16 % p->members;
    oath.watch = watch_of(p);
    p->filter = meddle;
    p->allow = allow;
    begin(p, data[1] & 0x40);
    while (the.messages <= MESSAGES_MAX && !is_over(p) &&
           pod_turn(p, TIME_MAX)) {
        run_errands(p);
        revive(p);
    }
    oath_end(p);
    if (the.deed_count == 0 && (data[1] & 0xc0) == 0 && data[2] < 0x80)
        oath_must(pod_exact(p, p->start.rounds_left), "a quiet run is exact");
    watch_free(p);
    return 0;
}

/* One deed that means something: bytes alone rarely hit a message. */
static void invent(uint8_t *deed, struct prg *prg)
{
    uint8_t dice;

    prg_bytes(prg, &dice, 1);
    prg_bytes(prg, deed, DEED);
    deed[0] = (uint8_t)(deed[0] % 2 ? deed[0] / 2 % ACTS : ACT_FIELD);
    deed[1] = (uint8_t)(deed[1] % (WIRE_TYPES - 1));
    deed[2] = deed[2] % 4 == 0 ? 0x80 : (uint8_t)(deed[2] % 16);
    if (deed[3] % 4 == 0)
        deed[3] = 0xff;
    if (dice % 4 != 0)
        deed[7] = 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed)
{
    uint8_t key[PRG_SEED_BYTES] = {0}, dice[8];
    struct prg prg;

    memcpy(key, &seed, sizeof seed);
    prg_seed(&prg, key);
    prg_bytes(&prg, dice, sizeof dice);
    if (size < HEAD && size_max >= HEAD) {
        prg_bytes(&prg, data, HEAD);
        data[2] &= dice[0] % 8 ? 0x7f : 0xff;
        size = HEAD;
    }
    size_t deeds = (size - HEAD) / DEED;
    bool room = HEAD + (deeds + 1) * DEED <= size_max && deeds < DEEDS_MAX;

    if (size < HEAD || dice[1] % 4 == 0)
        return LLVMFuzzerMutate(data, size, size_max);
    if (room && (deeds == 0 || dice[1] % 4 == 1)) {
        invent(data + HEAD + deeds * DEED, &prg);
        return HEAD + (deeds + 1) * DEED;
    }
    if (deeds > 0 && dice[1] % 4 == 2) {
        invent(data + HEAD + dice[2] % deeds * DEED, &prg);
        return HEAD + deeds * DEED;
    }
    if (deeds == 0 || dice[3] % 4 == 0)
        data[dice[4] % HEAD] ^= (uint8_t)(1u << dice[5] % 8);
    else
        data[HEAD + dice[2] % deeds * DEED + dice[4] % DEED] = dice[5];
    return size;
}
