/* The protocol of one member of one pod, as a pure state machine; PROTOCOL.md
 * beside this file tells the protocol.
 *
 * The driver feeds one event, performs the effects in order, repeats.
 * gossip_step() reads no clock, socket, file or random device: equal
 * configurations and equal events give equal effects, byte for byte.
 */

#ifndef GOSSIP_GOSSIP_H
#define GOSSIP_GOSSIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/fixed.h"
#include "crypto/identity.h"
#include "crypto/prg.h"

enum {
    GOSSIP_MEMBERS_MAX = 64,
    GOSSIP_HEAD_MAX = 65536, /* bytes of a message's head */
    GOSSIP_HASH_BYTES = 32,
    GOSSIP_FIELDS_MAX = 64,
    GOSSIP_FIELD_NAME_SIZE = 32
};

/* What happens when a member of the cohort is gone (PROTOCOL.md, cohorts). */
enum gossip_on_loss { GOSSIP_WAIT, GOSSIP_STOP, GOSSIP_CONTINUE };

/* One field of the charter, so that members can name what differs. */
struct gossip_field {
    char name[GOSSIP_FIELD_NAME_SIZE]; /* "task.l2", "program" */
    uint8_t hash[8];
};

struct gossip_config {
    uint32_t self, members; /* self: place in the roster, 0..members-1 */
    uint32_t threshold, colluders;
    uint32_t copies; /* holders of a slice, 1..members */
    enum gossip_on_loss on_loss;
    bool active; /* members may deviate; later attempts need c + 1 */
    bool check;  /* sums are absorbed only when checked (CHECK); with `active`
                    always */
    uint64_t deadline_ms, grace_ms, linger_ms;
    uint64_t wait_ms; /* 0: wait for ever */
    uint8_t network[GOSSIP_HASH_BYTES], roster[GOSSIP_HASH_BYTES];
    uint8_t charter[GOSSIP_HASH_BYTES];
    const struct gossip_field *fields; /* [field_count], copied */
    size_t field_count;
    uint8_t keys[GOSSIP_MEMBERS_MAX][IDENTITY_KEY_BYTES];
    uint8_t sign_secret[IDENTITY_SECRET_BYTES];
    uint8_t seed[PRG_SEED_BYTES]; /* fresh from the OS at every start */
    size_t state_size;            /* bytes of the public state */
    size_t length_max;            /* elements of the longest vector */
    size_t lanes_max;             /* bytes of the largest one's lanes; 0: 8 an
                                     element */
    bool clips;                   /* lanes of some round are a grid */
    bool keeps_sum; /* an opened sum waits for other pods: it is saved first */
    const void *state;        /* [state_size] of round 0, copied */
    struct fixed_shape shape; /* of round 0 */
    /* identity_verify, or a memory of it where many engines share a process;
     * same arguments and result. */
    int (*verify)(void *context, const uint8_t *signature, const char *domain,
                  const uint8_t *message, size_t size, const uint8_t *key);
    void *verify_context;
    /* Calls work(argument, k) once for each k < count, on any threads and in
     * any order, and returns when all are done; NULL: one after the other.
     * Results are the same. */
    void (*share)(void *context, size_t count,
                  void (*work)(void *argument, size_t k), void *argument);
    void *share_context;
};

/* Slots of durable records; the engine reads none back but at gossip_new. */
enum gossip_slot {
    GOSSIP_SLOT_STATE,   /* public state, its round, the result before it */
    GOSSIP_SLOT_PROMISE, /* what was said in the attempt under way, the locks */
    GOSSIP_SLOT_END,     /* why the study ended, if it did not finish */
    GOSSIP_SLOT_EVIDENCE, /* signed messages that show who broke the rules */
    GOSSIP_SLOT_SUM, /* with keeps_sum: the round's opened sum, until absorbed
                      */
    GOSSIP_SLOTS = 8 /* slots from here on are the driver's */
};

struct gossip_record {
    uint32_t slot;
    const uint8_t *bytes; /* [size] */
    size_t size;
};

enum gossip_event_kind {
    GOSSIP_RECEIVED,
    GOSSIP_TIMER, /* any time; late and early ones are harmless */
    GOSSIP_LINK,
    GOSSIP_CONTRIBUTED,
    GOSSIP_ABSORBED,
    GOSSIP_POSTED /* from another pod, or about one: not the engine's */
};

/* Everything that may happen to a member. Pointers are borrowed for one step.
 */
struct gossip_event {
    enum gossip_event_kind kind;
    uint64_t now_ms; /* monotonic, from any origin */
    union {
        struct {
            uint32_t from; /* the link's member: any member may relay */
            const uint8_t *head, *body;
            size_t head_size, body_size;
        } received;
        struct {
            uint32_t pod, from; /* the link's */
            const uint8_t *head, *body;
            size_t head_size, body_size;
        } posted;
        struct {
            uint32_t member;
            bool up; /* a hint only */
        } link;
        struct {
            uint64_t round;
            const double *x;  /* [shape.length] */
            uint32_t decline; /* 0, or enum gossip_decline: x is not read */
        } contributed;
        struct {
            uint64_t round;           /* of the state that was made */
            struct fixed_shape shape; /* what that round sums */
            struct fixed_region mixed;
        } absorbed;
    };
};

enum gossip_decline {
    GOSSIP_DECLINE_NONE,
    GOSSIP_DECLINE_RANGE,  /* a value beyond the lanes' bound, or not finite */
    GOSSIP_DECLINE_DATA,   /* the task could not compute on this site's rows */
    GOSSIP_DECLINE_POLICY, /* the site's gate said no */
    GOSSIP_DECLINES
};

enum gossip_reason { /* of GOSSIP_DONE */
                     GOSSIP_FINISHED,
                     GOSSIP_STOPPED,  /* on_loss: stop, and somebody was missing
                                       */
                     GOSSIP_DECLINED, /* a member cannot contribute */
                     GOSSIP_TIMED_OUT, /* wait_ms passed */
                     GOSSIP_SPOILED /* a sum that stood CHECK is out of range:
                                       somebody contributed what is impossible
                                     */
};

enum gossip_effect_kind {
    GOSSIP_SAVE,
    GOSSIP_SEND,
    GOSSIP_WAKE,
    GOSSIP_CONTRIBUTE,
    GOSSIP_ABSORB,
    GOSSIP_NOTE,
    GOSSIP_DONE,
    GOSSIP_LEAVE,
    GOSSIP_POST /* never from the engine: what pods say, gossip/mix.h */
};

/* What a person should be told; the comment says what `members` and `detail`
 * of the note are. */
enum gossip_note {
    GOSSIP_NOTE_ROUND,     /* a round begins */
    GOSSIP_NOTE_ATTEMPT,   /* detail: attempt that begins, > 0 */
    GOSSIP_NOTE_AWAITED,   /* members: whom the study waits for; 0: nobody */
    GOSSIP_NOTE_KEYS,      /* this member has sent its KEYS */
    GOSSIP_NOTE_SHARES,    /* ... its SHARES */
    GOSSIP_NOTE_ACK,       /* ... its ACK */
    GOSSIP_NOTE_PAIRED,    /* V is certified; members: V */
    GOSSIP_NOTE_Y,         /* its masked vector */
    GOSSIP_NOTE_RECV,      /* has all slices that it owns or keeps */
    GOSSIP_NOTE_SURVIVORS, /* U is certified; members: U */
    GOSSIP_NOTE_UNMASK,    /* has released its shares */
    GOSSIP_NOTE_REBUILT,   /* members: secrets rebuilt without their owner */
    GOSSIP_NOTE_COPY,      /* a slice was completed from a copy; members: its
                              owner, detail: the holder */
    GOSSIP_NOTE_OPENED,    /* the sum is open; members: U */
    GOSSIP_NOTE_CAUGHT_UP, /* took over a result or state; members: from whom */
    GOSSIP_NOTE_DIFFERS,   /* members: whose study differs; text: the field */
    GOSSIP_NOTE_EQUIVOCATED, /* members: who signed two different messages
                                where one is allowed; text: their type */
    GOSSIP_NOTE_DECLINED,    /* members: who, detail: enum gossip_decline */
    GOSSIP_NOTE_STOPPED,     /* members: who was missing */
    GOSSIP_NOTE_REFUSED,     /* a driver's mistake that would spend a vector
                                twice was refused */
    GOSSIP_NOTE_BAD_SHARE,   /* members: who released a wrong share */
    GOSSIP_NOTE_BAD_DEAL,    /* members: whose secret does not fit, although t
                                shares as it dealt them are here */
    GOSSIP_NOTE_LIED,     /* members: who signed a false sum; detail: slice */
    GOSSIP_NOTE_AUDIT,    /* detail: slice that is summed again here */
    GOSSIP_NOTE_CLOSED,   /* detail: attempt given up for ever */
    GOSSIP_NOTE_REVEALS,  /* members: whose vector the difference of opened
                             sums may show, once this sum is open */
    GOSSIP_NOTE_DIVERGED, /* members: whose state is not ours */
    GOSSIP_NOTE_MIXED,    /* members: neighbour pods whose offers were taken, by
                             place; detail: how many were left out */
    GOSSIP_NOTES
};

/* One word, for logs and --json: "caught_up". */
const char *gossip_note_name(enum gossip_note note);

/* What the driver must do next, in order. Pointers live until the next step. */
struct gossip_effect {
    enum gossip_effect_kind kind;
    union {
        struct { /* durable before any later effect is performed */
            uint32_t slot;
            const uint8_t *bytes;
            size_t size;
        } save;
        struct { /* may be lost; the engine sends again */
            uint32_t to;
            uint8_t type; /* enum wire_type, for traces */
            const uint8_t *head, *body;
            size_t head_size, body_size;
        } send;
        struct {
            uint64_t at_ms; /* replaces the wake before; UINT64_MAX: none */
        } wake;
        struct { /* answer with GOSSIP_CONTRIBUTED, when done */
            uint64_t round;
            const void *state; /* valid until answered */
        } contribute;
        struct {               /* answer with GOSSIP_ABSORBED, when done */
            uint64_t round;    /* of `next` */
            const void *state; /* [state_size] */
            void *next;        /* [state_size], to be written */
            const double *sum; /* NULL: nothing to absorb, `next` is written
                                  already; only its shape is asked */
            const void *lanes; /* [length] the sum before it was decoded, as
                                  wide as the round's shape says; NULL as
                                  `sum` is */
            size_t length;
            uint64_t survivors;
        } absorb;
        struct { /* may be lost */
            uint32_t pod, to;
            const uint8_t *head, *body;
            size_t head_size, body_size;
        } post;
        struct {
            enum gossip_note code;
            uint64_t round, attempt, members;
            uint64_t detail;
            const char *text; /* or NULL */
        } note;
        struct { /* the study is over; once in a life of the engine */
            enum gossip_reason reason;
            const void *state; /* [state_size], the last public state */
            uint64_t round;
            uint64_t members; /* missing or declining members, else 0 */
            uint32_t decline;
        } done;
        /* GOSSIP_LEAVE: nobody needs this member any more; it may exit */
    };
};

struct gossip; /* opaque */

/* `saved`: the newest record of each slot (any order; count 0: a first start).
 * Copies everything. Returns NULL if out of memory or if a record is not this
 * study's: *why then says which (a constant string). First event: any. */
struct gossip *gossip_new(const struct gossip_config *config,
                          const struct gossip_record *saved, size_t count,
                          const char **why);
void gossip_free(struct gossip *gossip); /* wipes secrets */

/* Sets *effects and *count. Cannot fail: all memory is taken by gossip_new(),
 * and a malformed or hostile message is dropped, counted, and moves no other
 * state. */
void gossip_step(struct gossip *gossip, const struct gossip_event *event,
                 const struct gossip_effect **effects, size_t *count);

/* For displays and checkers. */
struct gossip_view {
    uint64_t round, attempt;
    uint64_t awaited; /* bitmap */
    uint64_t dropped; /* messages that were refused */
    uint64_t bytes_sent;
    bool finished, ended;
    uint64_t revealed; /* bitmap: whose vectors opened sums may show */
    uint64_t accused;  /* bitmap: against whom there is evidence */
    uint8_t state_hash[GOSSIP_HASH_BYTES];
    const void *state;
};
void gossip_view(const struct gossip *gossip, struct gossip_view *view);

/* For checkers: this site's own lanes of the present round, [shape.length] as
 * `shape` says, valid until the next step; NULL: none yet. */
const void *gossip_plain(const struct gossip *gossip, uint64_t *round,
                         struct fixed_shape *shape);

/* The signed heads that show that `member` broke the rules: two that contradict
 * each other, or one SUM or CHECK that recomputing refutes (size[1] is 0).
 * Returns their number, 0 if there is no evidence; valid until the next step.
 */
size_t gossip_evidence(const struct gossip *gossip, uint32_t member,
                       const uint8_t *heads[2], size_t sizes[2]);

#endif
