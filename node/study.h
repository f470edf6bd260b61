/* The study file (charter): FORMATS section "Study" in docs/formats.md. Read
 * with libyaml against a table of keys: an unknown key (the nearest known one
 * is named), a wrong type, a duplicate, an alias is an error with file and
 * line. */

#ifndef NODE_STUDY_H
#define NODE_STUDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/gossip.h"
#include "gossip/schedule.h"
#include "model/dataset.h"
#include "model/error.h"
#include "model/task.h"

enum { STUDY_NAME_SIZE = 41, STUDY_RULES_MAX = 16 };

struct study_site {
    char *name;
    char *data; /* absolute or relative to the working directory; NULL: own */
    char *rows_column, *rows_equals; /* NULL: all rows */
    char *address;                   /* tcp://host:port or NULL */
    bool has_key;
    struct identity_public key;
    uint32_t line; /* in the study file */
};

struct study_pod {
    uint32_t *sites; /* [site_count] places in the study's sites */
    uint32_t site_count;
    uint32_t colluders, threshold, copies;
};

struct study_crash { /* simulation only */
    uint32_t site;
    uint64_t round;
    bool after_y;
};
struct study_restart {
    uint32_t site;
    uint64_t after_ms;
};
struct study_partition {
    uint64_t groups[8]; /* bitmaps; members in none are alone */
    size_t group_count;
    uint64_t from_ms, to_ms;
};

struct study {
    char *path;
    char name[STUDY_NAME_SIZE];
    bool active; /* trust: members may deviate */
    bool verify; /* every sum stands CHECK; always if active */
    enum gossip_on_loss on_loss;
    uint64_t wait_ms;         /* 0: for ever */
    struct study_site *sites; /* [site_count] in roster order */
    uint32_t site_count;
    struct task_spec task;
    bool features_given;
    uint32_t rounds_max;
    uint64_t deadline_ms, grace_ms, linger_ms;
    uint32_t colluders, threshold, copies; /* of one pod */
    struct study_pod *pods;                /* [pod_count] */
    uint32_t pod_count;                    /* 0: all sites are one pod */
    struct schedule_spec mixing;           /* of pods; edges are owned */
    bool exact;                            /* pods add their sums up */
    bool unmasked; /* pods of one: what a site computes goes to neighbours */
    uint64_t patience_ms; /* how long a silent neighbour pod is waited for */
    const struct study *whole; /* of one pod's view, see node/pods.h; or NULL */
    uint32_t pod;              /* then: which */
    uint64_t seed;             /* simulation only, all below */
    uint64_t latency_min_ms, latency_max_ms;
    double bandwidth_mbit; /* 0: unlimited */
    double loss;
    uint64_t end_ms;
    struct study_crash crash[STUDY_RULES_MAX];
    size_t crash_count;
    struct study_restart restart[STUDY_RULES_MAX];
    size_t restart_count;
    struct study_partition partition[STUDY_RULES_MAX];
    size_t partition_count;
};

/* Reads and checks everything that needs no data. Returns 0 or a negative
 * errno; *study is NULL on failure. */
int study_read(struct study **study, const char *path, struct error *error);
void study_free(struct study *study);

/* Fills task.features from the header of `data` if the study names none: every
 * column but those named elsewhere. */
int study_resolve(struct study *study, const char *data, struct error *error);

/* What the study allows but a person should know when it is made, or NULL. */
const char *study_note(const struct study *study);

/* The table of PROTOCOL.md, section 1, for `sites` members: the colluders that
 * are assumed, the least threshold, the holders of a slice. */
uint32_t study_colluders(bool active, uint32_t sites);
uint32_t study_threshold(bool active, enum gossip_on_loss on_loss,
                         uint32_t sites, uint32_t colluders);
uint32_t study_copies(bool active, uint32_t sites, uint32_t colluders,
                      uint32_t threshold);

/* The site of that name, or -1. */
int study_site(const struct study *study, const char *name);

/* The site's name nearest to a mistyped one, or NULL. */
const char *study_nearest(const struct study *study, const char *name);

/* Fields of the canonical study with their hashes, for HELLO, and the charter
 * hash over all of them: without data, rows, address, network, seed; with the
 * program's version as a field `program` that the charter hash leaves out.
 * After study_resolve. */
size_t study_fields(struct gossip_field fields[GOSSIP_FIELDS_MAX],
                    uint8_t charter[GOSSIP_HASH_BYTES],
                    const struct study *study);
/* H over names and public keys, in order. */
void study_roster(uint8_t roster[GOSSIP_HASH_BYTES], const struct study *study);

#endif
