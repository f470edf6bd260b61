#include "sim/lab/pool.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

struct helper {
    struct pool *pool;
    size_t thread; /* from 1; the caller is 0 */
    pthread_t id;
};

struct pool {
    size_t threads;
    pthread_mutex_t lock;
    pthread_cond_t start, done;
    uint64_t turn;
    size_t busy;
    bool over;
    size_t count;
    void (*work)(void *context, size_t from, size_t to, size_t thread);
    void *context;
    size_t helper_count;
    struct helper helpers[];
};

/* OpenBLAS's own threads would be as many again for each of ours; other
 * libraries do not have this. */
extern void openblas_set_num_threads(int count) __attribute__((weak));

static void do_part(struct pool *p, size_t thread)
{
    size_t from = p->count * thread / p->threads;
    size_t to = p->count * (thread + 1) / p->threads;

    if (from < to)
        p->work(p->context, from, to, thread);
}

static void *help(void *argument)
{
    const struct helper *h = argument;
    struct pool *p = h->pool;
    uint64_t seen = 0;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->turn == seen && !p->over)
            pthread_cond_wait(&p->start, &p->lock);
        if (p->over)
            break;
        seen = p->turn;
        pthread_mutex_unlock(&p->lock);
        do_part(p, h->thread);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

struct pool *pool_new(size_t threads)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    if (threads == 0)
        threads = online < 1 ? 1 : (size_t)online;
    if (threads > POOL_THREADS_MAX)
        threads = POOL_THREADS_MAX;
    struct pool *p = calloc(1, sizeof *p + threads * sizeof *p->helpers);
    if (p == NULL)
        return NULL;
    if (openblas_set_num_threads != NULL)
        openblas_set_num_threads(1);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->start, NULL);
    pthread_cond_init(&p->done, NULL);
    p->threads = 1;
    for (size_t i = 1; i < threads; i++) {
        struct helper *h = &p->helpers[p->helper_count];
        *h = (struct helper){.pool = p, .thread = i};
        if (pthread_create(&h->id, NULL, help, h) != 0)
            break;
        p->helper_count++;
        p->threads++;
    }
    return p;
}

void pool_free(struct pool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->over = true;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->helper_count; i++)
        pthread_join(p->helpers[i].id, NULL);
    pthread_cond_destroy(&p->done);
    pthread_cond_destroy(&p->start);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

size_t pool_threads(const struct pool *p)
{
    return p->threads;
}

void pool_run(struct pool *p, size_t count, size_t grain,
              void (*work)(void *context, size_t from, size_t to,
                           size_t thread),
              void *context)
{
    assert(p->busy == 0);
    if (p->threads == 1 || count < 2 * grain) {
        if (count > 0)
            work(context, 0, count, 0);
        return;
    }
    p->count = count;
    p->work = work;
    p->context = context;
    pthread_mutex_lock(&p->lock);
    p->busy = p->threads - 1;
    p->turn++;
    pthread_cond_broadcast(&p->start);
    pthread_mutex_unlock(&p->lock);
    do_part(p, 0);
    pthread_mutex_lock(&p->lock);
    while (p->busy > 0)
        pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}
