#include "sim/jobs.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(struct jobs *jobs, uint32_t k)
{
    int ends[2];
    pid_t parent = getpid();

    if (pipe(ends) != 0)
        return -2;
    jobs->children[k] = fork();
    if (jobs->children[k] == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        for (uint32_t j = 0; j < k; j++)
            close(jobs->fds[j]);
        close(ends[0]);
        jobs->fds[0] = ends[1];
        return (int)k;
    }
    close(ends[1]);
    jobs->fds[k] = ends[0];
    jobs->count++;
    return jobs->children[k] < 0 ? -2 : -1;
}

int jobs_fork(struct jobs *jobs, uint32_t count)
{
    assert(count >= 1 && count <= JOBS_MAX);
    *jobs = (struct jobs){0};
    for (uint32_t k = 0; k < count; k++) {
        int place = start(jobs, k);
        if (place >= 0)
            return place;
        if (place == -2) {
            jobs_end(jobs);
            return -2;
        }
    }
    return -1;
}

void jobs_tell(const struct jobs *jobs, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t written = write(jobs->fds[0], at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            _exit(1); /* nobody listens */
        at += written;
        size -= (size_t)written;
    }
}

bool jobs_hear(const struct jobs *jobs, void *bytes, size_t size,
               uint64_t index)
{
    int fd = jobs->fds[index % jobs->count];
    char *at = bytes;

    while (size > 0) {
        ssize_t got = read(fd, at, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

void jobs_end(struct jobs *jobs)
{
    for (uint32_t k = 0; k < jobs->count; k++) {
        close(jobs->fds[k]);
        if (jobs->children[k] <= 0)
            continue;
        kill(jobs->children[k], SIGKILL);
        while (waitpid(jobs->children[k], NULL, 0) < 0 && errno == EINTR)
            ;
    }
    jobs->count = 0;
}
