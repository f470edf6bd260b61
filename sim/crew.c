#include "sim/crew.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CHUNK = 4096,
    ROOM = 4 * CHUNK,
    LINE_MAX_SIZE = 1 << 20,
    SLICE_MS = 200
};

/* A pipe and what was read from it but not yet told. */
struct stream {
    int fd; /* -1: closed */
    char *bytes;
    size_t used, told, size;
    bool skips; /* the rest of a line that has no room */
};

struct child {
    pid_t pid;                /* 0: not running */
    struct stream streams[2]; /* standard output, standard error */
};

struct crew {
    size_t count;
    struct child *children; /* [count] */
    struct pollfd *polls;   /* [2 count] */
};

/* A signal handler can reach nothing else. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

uint64_t crew_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct crew *crew_new(size_t count)
{
    struct crew *crew = calloc(1, sizeof *crew);
    struct sigaction action = {.sa_handler = on_signal};

    if (crew == NULL)
        return NULL;
    crew->count = count;
    crew->children = calloc(count, sizeof *crew->children);
    crew->polls = calloc(2 * count, sizeof *crew->polls);
    if (crew->children == NULL || crew->polls == NULL) {
        free(crew->children);
        free(crew->polls);
        free(crew);
        return NULL;
    }
    for (size_t i = 0; i < 2 * count; i++)
        crew->children[i / 2].streams[i % 2].fd = -1;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return crew;
}

static void close_stream(struct stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    stream->fd = -1;
}

static int reap(struct child *child)
{
    int status = 0;

    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    child->pid = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void crew_free(struct crew *crew)
{
    if (crew == NULL)
        return;
    for (size_t i = 0; i < crew->count; i++)
        crew_signal(crew, i, SIGKILL);
    for (size_t i = 0; i < crew->count; i++) {
        struct child *child = &crew->children[i];
        if (child->pid > 0)
            reap(child);
        for (int j = 0; j < 2; j++) {
            close_stream(&child->streams[j]);
            free(child->streams[j].bytes);
        }
    }
    free(crew->children);
    free(crew->polls);
    free(crew);
}

static void set(const char *setting)
{
    char name[64];
    size_t length = strcspn(setting, "=");

    if (length >= sizeof name || setting[length] == '\0')
        _exit(127);
    memcpy(name, setting, length);
    name[length] = '\0';
    if (setenv(name, setting + length + 1, 1) != 0)
        _exit(127);
}

/* Between fork and exec; this process has one thread. */
static void become(const char *const *arguments, const char *const *settings,
                   pid_t parent, const int fds[2])
{
    int null = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || null < 0)
        _exit(127);
    dup2(null, STDIN_FILENO);
    dup2(fds[0], STDOUT_FILENO);
    dup2(fds[1], STDERR_FILENO);
    for (; settings != NULL && *settings != NULL; settings++)
        set(*settings);
    execv(arguments[0], (char *const *)(uintptr_t)arguments);
    dprintf(STDERR_FILENO, "%s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

static int make_pipes(int pipes[2][2])
{
    for (int i = 0; i < 2; i++) {
        if (pipe(pipes[i]) != 0) {
            int code = -errno;
            if (i == 1) {
                close(pipes[0][0]);
                close(pipes[0][1]);
            }
            return code;
        }
        fcntl(pipes[i][0], F_SETFD, FD_CLOEXEC);
        fcntl(pipes[i][1], F_SETFD, FD_CLOEXEC);
    }
    return 0;
}

int crew_start(struct crew *crew, size_t index, const char *const *arguments,
               const char *const *settings, struct error *error)
{
    struct child *child = &crew->children[index];
    int pipes[2][2];
    pid_t parent = getpid();

    assert(index < crew->count && child->pid == 0);
    int code = make_pipes(pipes);
    if (code != 0)
        return error_set(error, code, "pipe: %s", strerror(-code));
    fflush(NULL);
    child->pid = fork();
    if (child->pid == 0)
        become(arguments, settings, parent, (int[]){pipes[0][1], pipes[1][1]});
    code = child->pid < 0 ? -errno : 0;
    for (int i = 0; i < 2; i++) {
        close(pipes[i][1]);
        child->streams[i].fd = pipes[i][0];
        child->streams[i].used = child->streams[i].told = 0;
        child->streams[i].skips = false;
    }
    if (code != 0) {
        child->pid = 0;
        close_stream(&child->streams[0]);
        close_stream(&child->streams[1]);
        return error_set(error, code, "%s: cannot start a process: %s",
                         arguments[0], strerror(-code));
    }
    return 0;
}

void crew_signal(const struct crew *crew, size_t child, int number)
{
    if (crew->children[child].pid > 0)
        kill(crew->children[child].pid, number);
}

bool crew_runs(const struct crew *crew, size_t child)
{
    return crew->children[child].pid > 0;
}

size_t crew_count(const struct crew *crew)
{
    size_t count = 0;

    for (size_t i = 0; i < crew->count; i++)
        count += crew_runs(crew, i);
    return count;
}

/* Forgets what is read of a line that has no room, its end included. */
static void skip(struct stream *s)
{
    char *end = s->used > s->told
                    ? memchr(s->bytes + s->told, '\n', s->used - s->told)
                    : NULL;

    s->told = end == NULL ? s->used : (size_t)(end - s->bytes) + 1;
    s->skips = end == NULL;
}

/* The next whole line, or at the end of the stream what is left; else NULL. */
static const char *take_line(struct stream *s)
{
    if (s->skips)
        skip(s);
    size_t left = s->used - s->told;

    if (left == 0)
        return NULL;
    char *start = s->bytes + s->told;
    char *end = memchr(start, '\n', left);
    if (end == NULL && s->fd >= 0)
        return NULL;
    if (end == NULL)
        end = start + left; /* there is room for the NUL: see fill */
    *end = '\0';
    s->told = (size_t)(end - s->bytes) + 1;
    if (s->told > s->used)
        s->told = s->used;
    return start;
}

static bool take_event(struct crew *crew, struct crew_event *event)
{
    for (size_t i = 0; i < crew->count; i++) {
        struct child *child = &crew->children[i];
        for (int j = 0; j < 2; j++) {
            event->line = take_line(&child->streams[j]);
            if (event->line == NULL)
                continue;
            event->kind = j == 0 ? CREW_LINE : CREW_COMPLAINT;
            event->child = i;
            return true;
        }
        if (child->pid > 0 && child->streams[0].fd < 0 &&
            child->streams[1].fd < 0) {
            event->kind = CREW_EXIT;
            event->child = i;
            event->status = reap(child);
            return true;
        }
    }
    return false;
}

static void fill(struct stream *s)
{
    if (s->told > 0)
        memmove(s->bytes, s->bytes + s->told, s->used - s->told);
    s->used -= s->told;
    s->told = 0;
    if (s->size - s->used < CHUNK + 1) {
        char *more =
            s->size > LINE_MAX_SIZE ? NULL : realloc(s->bytes, s->size + ROOM);
        if (more == NULL) {
            s->used = 0;
            s->skips = true;
        } else {
            s->bytes = more;
            s->size += ROOM;
        }
    }
    if (s->size < CHUNK + 1) { /* no memory at all */
        close_stream(s);
        return;
    }
    ssize_t got = read(s->fd, s->bytes + s->used, CHUNK);
    if (got > 0)
        s->used += (size_t)got;
    else if (got == 0 || errno != EINTR)
        close_stream(s);
}

static void wait_for_bytes(struct crew *crew, int timeout_ms)
{
    for (size_t i = 0; i < 2 * crew->count; i++)
        crew->polls[i] =
            (struct pollfd){crew->children[i / 2].streams[i % 2].fd, POLLIN, 0};
    if (poll(crew->polls, (nfds_t)(2 * crew->count), timeout_ms) <= 0)
        return;
    for (size_t i = 0; i < 2 * crew->count; i++)
        if (crew->polls[i].revents != 0)
            fill(&crew->children[i / 2].streams[i % 2]);
}

void crew_next(struct crew *crew, struct crew_event *event, uint64_t until_ms)
{
    for (bool looked = false;; looked = true) {
        uint64_t now = crew_now_ms();
        *event = (struct crew_event){.kind = CREW_TIMEOUT};
        if (interrupted) {
            interrupted = 0;
            event->kind = CREW_INTERRUPT;
            return;
        }
        if (take_event(crew, event) || (looked && now >= until_ms))
            return;
        uint64_t left = now < until_ms ? until_ms - now : 0;
        wait_for_bytes(crew, left < SLICE_MS ? (int)left : SLICE_MS);
    }
}
