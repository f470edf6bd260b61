#include "node/trainer.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* Beside the pipe's messages the hand-over is an atomic: a sanitizer does not
 * see into libzmq. */
struct trainer {
    struct member *member;
    zactor_t *actor;
    struct gossip_event done;
    atomic_bool busy;
    bool started; /* the main thread's view */
};

static void work(zsock_t *pipe, void *argument)
{
    struct trainer *trainer = argument;
    sigset_t all;

    sigfillset(&all); /* signals are the main thread's to see */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    zsock_signal(pipe, 0);
    for (;;) {
        char *command = zstr_recv(pipe);
        bool ends = command == NULL || streq(command, "$TERM");

        zstr_free(&command);
        if (ends)
            return;
        if (!atomic_load(&trainer->busy))
            continue;
        member_work(trainer->member, &trainer->done);
        atomic_store(&trainer->busy, false);
        zsock_signal(pipe, 0);
    }
}

struct trainer *trainer_new(struct member *member)
{
    struct trainer *trainer = calloc(1, sizeof *trainer);

    if (trainer == NULL)
        return NULL;
    trainer->member = member;
    atomic_init(&trainer->busy, false);
    trainer->actor = zactor_new(work, trainer);
    if (trainer->actor == NULL) {
        free(trainer);
        return NULL;
    }
    return trainer;
}

void trainer_free(struct trainer *trainer)
{
    if (trainer == NULL)
        return;
    zactor_destroy(&trainer->actor);
    free(trainer);
}

void trainer_start(struct trainer *trainer)
{
    if (trainer->started || !member_has_job(trainer->member))
        return;
    trainer->started = true;
    atomic_store(&trainer->busy, true);
    zstr_send(trainer->actor, "WORK");
}

void *trainer_socket(struct trainer *trainer)
{
    return zactor_sock(trainer->actor);
}

const struct gossip_event *trainer_take(struct trainer *trainer)
{
    assert(trainer->started);
    zsock_wait(trainer->actor);
    assert(!atomic_load(&trainer->busy)); /* stored before the signal */
    trainer->started = false;
    return &trainer->done;
}
