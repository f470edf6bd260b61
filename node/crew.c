#include "node/crew.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t begun, ended;
    bool over;
    void (*work)(void *argument, size_t k);
    void *argument;
    size_t count, next, left; /* left: not done yet */
    size_t helper_count;
    pthread_t helpers[CREW_HELPERS_MAX];
};

/* Takes parts until there are none; locked at both ends. */
static void help(struct crew *crew)
{
    while (crew->next < crew->count) {
        size_t k = crew->next++;
        pthread_mutex_unlock(&crew->lock);
        crew->work(crew->argument, k);
        pthread_mutex_lock(&crew->lock);
        if (--crew->left == 0)
            pthread_cond_signal(&crew->ended);
    }
}

static void *stand_by(void *argument)
{
    struct crew *crew = argument;

    pthread_mutex_lock(&crew->lock);
    while (!crew->over) {
        help(crew);
        if (!crew->over)
            pthread_cond_wait(&crew->begun, &crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

struct crew *crew_new(size_t helpers)
{
    struct crew *crew = calloc(1, sizeof *crew);
    sigset_t all, before;

    assert(helpers <= CREW_HELPERS_MAX);
    if (crew == NULL)
        return NULL;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->begun, NULL);
    pthread_cond_init(&crew->ended, NULL);
    sigfillset(&all); /* signals are the main thread's to see */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (crew->helper_count < helpers &&
           pthread_create(&crew->helpers[crew->helper_count], NULL, stand_by,
                          crew) == 0)
        crew->helper_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return crew;
}

void crew_free(struct crew *crew)
{
    if (crew == NULL)
        return;
    pthread_mutex_lock(&crew->lock);
    crew->over = true;
    pthread_cond_broadcast(&crew->begun);
    pthread_mutex_unlock(&crew->lock);
    for (size_t i = 0; i < crew->helper_count; i++)
        pthread_join(crew->helpers[i], NULL);
    pthread_cond_destroy(&crew->begun);
    pthread_cond_destroy(&crew->ended);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
}

void crew_share(void *context, size_t count,
                void (*work)(void *argument, size_t k), void *argument)
{
    struct crew *crew = context;

    pthread_mutex_lock(&crew->lock);
    crew->work = work;
    crew->argument = argument;
    crew->next = 0;
    crew->count = crew->left = count;
    pthread_cond_broadcast(&crew->begun);
    help(crew);
    while (crew->left > 0)
        pthread_cond_wait(&crew->ended, &crew->lock);
    crew->count = 0;
    pthread_mutex_unlock(&crew->lock);
}
