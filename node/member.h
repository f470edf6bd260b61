/* One study at one site, without sockets or files: engine, task and gate
 * together. The driver performs SAVE, SEND, WAKE, NOTE, DONE, LEAVE and runs
 * the jobs; CONTRIBUTE and ABSORB do not reach it. */

#ifndef NODE_MEMBER_H
#define NODE_MEMBER_H

#include "gossip/gossip.h"
#include "gossip/mix.h"
#include "model/dataset.h"
#include "model/error.h"
#include "model/task.h"
#include "node/gate.h"
#include "node/study.h"

struct member;

enum member_slot { /* beyond the engine's */
                   MEMBER_SLOT_MEMORY =
                       GOSSIP_SLOTS, /* the task's private memory */
                   MEMBER_SLOT_DATA, /* fingerprint of the rows, hash of the
                                        charter */
                   MEMBER_SLOT_MIX,  /* votes about what pods offer */
                   MEMBER_SLOTS
};

struct member_config {
    const struct study *study;     /* resolved; borrowed */
    const struct dataset *dataset; /* borrowed */
    uint32_t self;
    const struct gate_policy *policy; /* the site's own, borrowed; NULL: the
                                         default, node/gate.h */
    const struct identity *identity;  /* copied */
    uint8_t seed[PRG_SEED_BYTES];     /* fresh from the OS at every start */
    int (*verify)(void *context, const uint8_t *signature, const char *domain,
                  const uint8_t *message, size_t size, const uint8_t *key);
    void *verify_context; /* verify NULL: identity_verify */
    void (*share)(void *context, size_t count,
                  void (*work)(void *argument, size_t k), void *argument);
    void *share_context;        /* as in gossip_config */
    const struct mix_pod *pods; /* [study->pod_count] of a pod's view; borrowed.
                                   NULL: no pods */
};

/* `saved` as in gossip_new, with the member's own slots. Returns 0 or a
 * negative errno with an error: -ESTALE if the rows are not those that the
 * study began with. */
int member_new(struct member **member, const struct member_config *config,
               const struct gossip_record *saved, size_t count,
               struct error *error);
void member_free(struct member *member);

/* Network, roster and charter of *config: what binds signatures to a study. */
void member_bind(struct gossip_config *config, const struct study *study);

/* As gossip_step. A SAVE of the driver's slots may be among the effects. */
void member_step(struct member *member, const struct gossip_event *event,
                 const struct gossip_effect **effects, size_t *count);

/* A job is waiting: call member_work, on any one thread while member_step goes
 * on on another, then feed *done to member_step. Only one job at a time. */
bool member_has_job(const struct member *member);
void member_work(struct member *member, struct gossip_event *done);

/* Why this site declined, or "". */
const char *member_decline(const struct member *member);

/* The newest line for the audit log, or NULL if it was given out already. Ask
 * after feeding CONTRIBUTED and log it before performing that step's SENDs. */
const char *member_audit(struct member *member);

/* What it thinks of its neighbour pods; all zero if there are none. */
void member_pods(const struct member *member, struct mix_view *view);
/* How far what it mixed last was from what its neighbours had, as in
 * node/blend.h; 0 if there are none. */
double member_distance(const struct member *member);
void member_view(const struct member *member, struct gossip_view *view);
/* As gossip_evidence. */
size_t member_evidence(const struct member *member, uint32_t accused,
                       const uint8_t *heads[2], size_t sizes[2]);
const char *member_phase(const struct member *member);
double member_loss(const struct member *member); /* NAN: none yet */
struct task_watch member_watch(const struct member *member);

/* After DONE with GOSSIP_FINISHED. Free with task_report_free. */
int member_report(const struct member *member, struct task_report *report,
                  struct error *error);

/* What this site would contribute, in words for `--check`; a text of lines.
 * Needs no identity. Fails with the reason if this site would decline. */
int member_check(const struct member_config *config, char *text, size_t size,
                 struct error *error);

/* gossip_plain of its engine, for the world's checker. */
const void *member_plain(const struct member *member, uint64_t *round,
                         struct fixed_shape *shape);

#endif
