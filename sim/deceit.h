/* The deceits of sim/adversary.h, each a small function over one message that a
 * liar is about to send. */

#ifndef SIM_DECEIT_H
#define SIM_DECEIT_H

#include "sim/adversary.h"

enum {
    DECEIT_VALUES = 16, /* known values that votes may be for */
    DECEIT_HEARD = 96,  /* messages kept to replay */
    DECEIT_FLOOD = 64   /* extra WANTs in a liar's life */
};

/* How a liar practises one deceit. */
struct deceit_habit {
    uint32_t percent; /* of the messages that it could falsify; 100: always */
    uint64_t victims, types; /* bitmaps */
    uint64_t from_round;
    uint64_t salt; /* for what must be the same every time */
};

/* A message that was heard or said. */
struct deceit_memory {
    uint8_t *bytes; /* head, then body */
    size_t head_size, body_size, capacity;
};

struct deceit_value {
    uint64_t round, attempt;
    enum wire_kind kind;
    uint8_t hash[GOSSIP_HASH_BYTES];
};

/* What all liars know. */
struct deceit_mind {
    uint32_t members, threshold;
    struct prg prg;
    struct deceit_value values[DECEIT_VALUES];
    size_t value_count; /* ever; the newest stay */
    struct deceit_memory heard[DECEIT_HEARD];
    size_t heard_count;
    size_t state_size;
    struct deceit_liar {
        struct wire_message lock; /* the first with a quorum; type 0: none */
        uint32_t floods;
        /* The first slice of its newest vector. */
        uint64_t round, attempt;
        uint8_t hash_v[GOSSIP_HASH_BYTES];
        uint8_t *slice; /* [slice_size] */
        size_t slice_size;
    } liars[GOSSIP_MEMBERS_MAX];
};

/* One message on its way, and what becomes of it. */
struct deceit_case {
    struct deceit_mind *mind;
    const struct deceit_habit *habit; /* of the deceit that looks at it now */
    uint32_t liar, to;
    struct wire_message *m;
    uint8_t *body; /* [body_size], to be written; raw lanes */
    size_t body_size;
    bool withheld, changed, damaged, proxy;
    uint64_t delay_ms;
    uint64_t delta;              /* added to the first lane of its vector */
    struct wire_message *beside; /* [beside_count] said besides */
    size_t beside_count;
    size_t replays;
    uint8_t beside_body[4096];
    size_t beside_body_size;
};

enum { DECEIT_BESIDE_MAX = 8 };

/* The deceit looks at the case; true if it has done something. */
bool deceit_practise(enum adversary_deceit deceit, struct deceit_case *c);
/* Messages of which types it may falsify: a bitmap. */
uint64_t deceit_types(enum adversary_deceit deceit);

void deceit_learn(struct deceit_mind *mind, const struct wire_message *m);

/* One word: "two_y". */
const char *deceit_name(enum adversary_deceit deceit);

#endif
