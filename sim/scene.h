/* What the files of a world share: its sites and the events to come. Not for
 * users of sim/world.h. */

#ifndef SIM_SCENE_H
#define SIM_SCENE_H

#include "sim/adversary.h"
#include "sim/canary.h"
#include "sim/check.h"
#include "sim/podcheck.h"
#include "sim/queue.h"
#include "sim/rumour.h"
#include "sim/signatures.h"
#include "sim/trace.h"
#include "sim/world.h"

enum { SCENE_REASON_SIZE = 640, SCENE_VIOLATION_SIZE = 320 };

struct scene_record {
    bool set;
    uint8_t *bytes; /* [size], [capacity] */
    size_t size, capacity;
};

/* One site: its process when it is up, its disk always. */
struct scene_site {
    struct member *member; /* NULL while down */
    struct identity identity;
    struct scene_record saved[MEMBER_SLOTS];
    bool up, left, done, working, returning;
    uint64_t life;
    uint64_t wake_ms; /* UINT64_MAX: none */
    uint64_t told;    /* bitmap: links it believes up */
    uint64_t effects, bytes_sent, seen_round, crashes;
    bool has_lost_store;
    uint64_t loss_effects; /* `effects` then */
    struct {
        enum gossip_reason reason;
        uint64_t members;
        char decline[256];
    } end;
};

struct world {
    struct world_config config;
    struct study study; /* a copy whose sites carry this world's keys */
    struct prg prg;
    struct network network;
    struct queue queue;
    struct check *check;
    struct canary *canary;        /* NULL: no search */
    struct adversary *adversary;  /* NULL: nobody lies */
    struct podcheck *podcheck;    /* NULL: one pod; so is */
    struct rumour *rumour;        /* also if nobody lies */
    struct gossip_config context; /* what ctx depends on */
    struct signatures *signatures;
    struct scene_site *sites; /* [study.site_count] */
    struct trace trace;
    bool fired[WORLD_CRASHES_MAX];
    uint64_t now_ms, opened_ms, messages, crashes, restarts, lies, round_bytes;
    struct result_round *rounds;
    size_t round_count;
    const uint8_t *parsed_head; /* of which `parsed` is, within one step */
    struct wire_message parsed, lie;
    struct world_post *posts; /* [post_count], [post_room] to other pods */
    size_t post_count, post_room;
    bool late; /* past end_ms, or stalled */
    char violation[SCENE_VIOLATION_SIZE], reason[SCENE_REASON_SIZE];
};

/* After `after_ms` the member is told how its link to `about` then is. */
void scene_hint(struct world *world, uint32_t member, uint32_t about,
                uint64_t after_ms);
/* All others are told about `about`: after latency, when it comes; at once,
 * as far as a transport can, when it goes. */
void scene_hint_all(struct world *world, uint32_t about, bool comes);
/* The process is gone; it starts again after restart_after_ms. */
void scene_crash(struct world *world, uint32_t member,
                 uint64_t restart_after_ms);
/* It is down, and its disk is empty now. */
void scene_lose_store(struct world *world, uint32_t member);

#endif
