/* What one site computes for a study: its vector, the next state. Beside the
 * engine, on one other thread: one side queues what the engine asks for and
 * takes answers, the other works. list[head] is the worker's until its answer
 * comes back; the other place is the engine's side's, so no lock is needed.
 */

#ifndef NODE_JOBS_H
#define NODE_JOBS_H

#include "gossip/gossip.h"
#include "model/dataset.h"
#include "model/error.h"
#include "model/task.h"
#include "node/gate.h"
#include "node/study.h"

enum {
    JOBS_MAX = 2,
    JOBS_FINGERPRINT_BYTES = sizeof((struct dataset *)0)->fingerprint,
    JOBS_ORIGIN_BYTES = JOBS_FINGERPRINT_BYTES + GOSSIP_HASH_BYTES
};

/* What a thread needs to work while the engine goes on: copies. */
struct job {
    enum gossip_effect_kind kind; /* CONTRIBUTE or ABSORB */
    uint64_t round, serial;
    uint8_t *state; /* [state_size] */
    uint8_t *next;  /* [state_size] */
    double *sum;    /* [length_max] */
    bool has_sum;
    uint64_t survivors;
};

struct jobs { /* the first seven are the owner's to set, before jobs_open */
    const struct study *study;
    const struct dataset *dataset;
    uint32_t self;
    const struct gate_policy *policy;
    const struct task_ops *ops;
    struct task *task;
    uint8_t key[PRG_SEED_BYTES];       /* of the task's randomness */
    uint8_t origin[JOBS_ORIGIN_BYTES]; /* whose rows, whose charter */
    size_t state_size, memory_size, length_max;
    struct job list[JOBS_MAX];
    size_t head, count;
    uint64_t serial, contribute_serial, absorb_serial;
    void *absorb_next; /* [state_size] the engine's, for the newest ABSORB */
    double *x;         /* [length_max] wiped after use */
    uint8_t *memory, *memory_new; /* [memory_size] */
    bool audit_waits;
    char audit[GATE_LINE_SIZE], audit_new[GATE_LINE_SIZE];
    struct error decline, decline_new;
};

/* Takes the memory that the task needs. Returns 0 or -ENOMEM. */
int jobs_open(struct jobs *jobs, struct error *error);
void jobs_free(struct jobs *jobs); /* wipes; not the task */

void jobs_contribute(struct jobs *jobs, const struct gossip_effect *effect);
void jobs_absorb(struct jobs *jobs, const struct gossip_effect *effect);
/* Takes the answer of list[head] in. Returns whether the engine still wants it.
 */
bool jobs_take(struct jobs *jobs, const struct gossip_event *event,
               bool *save_memory);
/* Does list[head]; the worker's. */
void jobs_work(struct jobs *jobs, struct gossip_event *done);

#endif
