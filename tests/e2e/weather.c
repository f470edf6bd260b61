/* A bad network between processes of this machine, made by the test itself: one
 * network namespace and one TUN device for each node, 10.77.0.1 and on, and
 * every packet between them goes through this program, under laws that a seed
 * makes repeatable. Works wherever there are namespaces and /dev/net/tun.
 *
 *   e2e_weather NODES [LAW...] -- COMMAND...   exit status: the command's; 77:
 *                                              this machine does not allow it
 *   e2e_weather in NODE COMMAND...   inside COMMAND: there, at 10.77.0.NODE
 *   e2e_weather say LAW...           inside COMMAND: from now on
 *
 * Laws, each one argument:
 *   'seed N'               before all others
 *   'latency MS [JITTER]'  one way; packets of one link keep their order
 *   'kbit N [NODE]'        of a node's line, up and down; 0: no limit
 *   'queue MS'             a line drops what would wait longer
 *   'loss P'               0..1, of every packet
 *   'partition 1,2|3,4'    who is in no group is alone
 *   'heal'                 no partition
 *
 * A node dies with the shell that started it, the shell with this program, the
 * namespaces with the last of them. */

#define _GNU_SOURCE /* NOLINT: unshare, setns */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SKIPPED = 77,
    NODES_MAX = 64,
    PACKET_SIZE = 2048,
    FLYING_MAX = 1 << 16,
    SAY_FD = 199,  /* where `say` writes */
    HOME_FD = 200, /* namespace of COMMAND; of node i: HOME_FD + i */
    MS = 1000000   /* nanoseconds */
};

struct packet {
    uint64_t at_ns, order;
    uint32_t from, to;
    bool arrived; /* at the other node's line */
    size_t size;
    uint8_t bytes[PACKET_SIZE];
};

struct line {
    uint64_t kbit, free_ns;
};

static struct weather {
    uint32_t nodes;
    int tun[NODES_MAX], say, signals;
    uint64_t seed, latency_ns, jitter_ns, queue_ns;
    double loss;
    uint32_t group[NODES_MAX]; /* equal: they hear each other */
    struct line up[NODES_MAX], down[NODES_MAX];
    uint64_t last_ns[NODES_MAX][NODES_MAX], drawn[NODES_MAX][NODES_MAX];
    struct packet *flying[FLYING_MAX]; /* heap: the earliest is [0] */
    size_t flying_count;
    uint64_t order, sent[NODES_MAX], bytes[NODES_MAX];
    uint64_t lost, cut, overflow;
} w;

static void quit(int status, const char *what)
{
    fprintf(stderr, "weather: %s: %s\n", what, strerror(errno));
    exit(status);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

/* 0..1. Of each link its own stream, so that the fate of its n-th packet does
 * not hang on the others' timing (splitmix64's finish). */
static double draw(uint32_t from, uint32_t to)
{
    uint64_t z = w.seed + (from * NODES_MAX + to + 1) * 0x9e3779b97f4a7c15 +
                 ++w.drawn[from][to] * 0xd1342543de82ef95;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (double)((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static bool earlier(const struct packet *a, const struct packet *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

static void push(struct packet *packet)
{
    size_t at = w.flying_count++;

    for (; at > 0 && earlier(packet, w.flying[(at - 1) / 2]); at = (at - 1) / 2)
        w.flying[at] = w.flying[(at - 1) / 2];
    w.flying[at] = packet;
}

static struct packet *pop(void)
{
    struct packet *first = w.flying[0], *last = w.flying[--w.flying_count];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < w.flying_count &&
            earlier(w.flying[child + 1], w.flying[child]))
            child++;
        if (child >= w.flying_count || !earlier(w.flying[child], last))
            break;
        w.flying[at] = w.flying[child];
        at = child;
    }
    w.flying[at] = last;
    return first;
}

/* When a packet that comes at `at_ns` has passed the line; 0: no room. */
static uint64_t pass(struct line *line, uint64_t at_ns, size_t size)
{
    uint64_t start = line->free_ns > at_ns ? line->free_ns : at_ns;

    if (line->kbit == 0)
        return at_ns;
    if (start - at_ns > w.queue_ns) {
        w.overflow++;
        return 0;
    }
    line->free_ns = start + size * 8 * MS / line->kbit;
    return line->free_ns;
}

static bool survives(uint32_t from, uint32_t to)
{
    bool lost = draw(from, to) < w.loss;
    bool cut = w.group[from] != w.group[to];

    w.lost += lost && !cut;
    w.cut += cut;
    return !lost && !cut;
}

static void send_off(struct packet *p)
{
    uint64_t *last = &w.last_ns[p->from][p->to];
    uint64_t at = pass(&w.up[p->from], now_ns(), p->size);

    w.sent[p->from]++;
    w.bytes[p->from] += p->size;
    if (at == 0 || !survives(p->from, p->to) || w.flying_count == FLYING_MAX) {
        free(p);
        return;
    }
    at += w.latency_ns;
    at += (uint64_t)(draw(p->from, p->to) * (double)w.jitter_ns);
    *last = p->at_ns = at > *last ? at : *last;
    p->order = w.order++;
    push(p);
}

/* What a node's kernel wants to send: IPv4 to one of the others. */
static void take(uint32_t from)
{
    for (;;) {
        struct packet *p = calloc(1, sizeof *p);
        ssize_t size = p == NULL ? 0 : read(w.tun[from], p->bytes, PACKET_SIZE);

        if (size <= 0) {
            free(p);
            return;
        }
        p->from = from;
        p->to = p->bytes[19] - 1U;
        p->size = (size_t)size;
        if (size < 20 || p->bytes[0] >> 4 != 4 || p->to >= w.nodes ||
            memcmp(p->bytes + 16, "\x0a\x4d", 3) != 0)
            free(p);
        else
            send_off(p);
    }
}

static void deliver_due(void)
{
    while (w.flying_count > 0 && w.flying[0]->at_ns <= now_ns()) {
        struct packet *p = pop();

        if (!p->arrived) {
            p->arrived = true;
            p->at_ns = pass(&w.down[p->to], p->at_ns, p->size);
            if (p->at_ns > 0) {
                push(p);
                continue;
            }
        } else if (write(w.tun[p->to], p->bytes, p->size) < 0) {
            w.overflow++;
        }
        free(p);
    }
}

static bool part(const char *text)
{
    uint32_t group[NODES_MAX], name = NODES_MAX;

    for (uint32_t i = 0; i < NODES_MAX; i++)
        group[i] = i;
    while (*text != '\0') {
        char *end;
        unsigned long node = strtoul(text, &end, 10);

        if (end == text || node < 1 || node > w.nodes ||
            (*end != '\0' && strchr(",|\n", *end) == NULL))
            return false;
        group[node - 1] = name;
        name += *end == '|';
        text = end + (*end != '\0');
    }
    memcpy(w.group, group, sizeof group);
    return true;
}

static bool limit(uint64_t kbit, uint64_t node)
{
    if (node > w.nodes)
        return false;
    for (uint32_t i = 0; i < w.nodes; i++)
        if (node == 0 || node == i + 1)
            w.up[i].kbit = w.down[i].kbit = kbit;
    return true;
}

static bool obey(const char *law)
{
    char word[16] = "";
    double a = 0, b = 0;
    int count = sscanf(law, "%15s %lf %lf", word, &a, &b);

    if (strcmp(word, "heal") == 0) {
        memset(w.group, 0, sizeof w.group);
        return true;
    }
    if (strcmp(word, "partition") == 0)
        return part(law + strlen(word));
    if (count < 2 || !(a >= 0 && a < 1e9 && b >= 0 && b < 1e9))
        return false;
    if (strcmp(word, "seed") == 0)
        w.seed = (uint64_t)a;
    else if (strcmp(word, "loss") == 0)
        w.loss = a;
    else if (strcmp(word, "queue") == 0)
        w.queue_ns = (uint64_t)(a * MS);
    else if (strcmp(word, "latency") == 0)
        w.latency_ns = (uint64_t)(a * MS), w.jitter_ns = (uint64_t)(b * MS);
    else
        return strcmp(word, "kbit") == 0 && limit((uint64_t)a, (uint64_t)b);
    return true;
}

static void hear(void)
{
    char text[4096];
    ssize_t size = read(w.say, text, sizeof text - 1);

    text[size > 0 ? size : 0] = '\0';
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (!obey(line))
            fprintf(stderr, "weather: no law: %s\n", line);
}

/* Brings an interface up, with an address if node > 0. */
static void raise_link(const char *name, uint32_t node)
{
    struct ifreq r = {0};
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), fault = fd < 0;

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    if (node > 0) {
        at.sin_addr.s_addr = htonl(0x0a4d0000 + node);
        memcpy(&r.ifr_addr, &at, sizeof at);
        fault |= ioctl(fd, SIOCSIFADDR, &r);
        at.sin_addr.s_addr = htonl(0xffffff00);
        memcpy(&r.ifr_netmask, &at, sizeof at);
        fault |= ioctl(fd, SIOCSIFNETMASK, &r);
    }
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    if (fault != 0 || ioctl(fd, SIOCSIFFLAGS, &r) != 0)
        quit(SKIPPED, name);
    close(fd);
}

static void keep(int fd, int place)
{
    if (fd < 0 || fcntl(fd, F_DUPFD_CLOEXEC, place) != place)
        quit(SKIPPED, "descriptors");
    close(fd);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        quit(SKIPPED, path);
    close(fd);
}

/* A namespace of this process alone, kept open as HOME_FD + place. Without the
 * right to make one, it is made inside a namespace of users. */
static void enter_new(uint32_t place)
{
    char map[64];

    if (unshare(CLONE_NEWNET) != 0) {
        snprintf(map, sizeof map, "0 %u 1\n", (unsigned)getuid());
        if (place > 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
            quit(SKIPPED, "no network namespace");
        write_file("/proc/self/uid_map", map);
    }
    keep(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), HOME_FD + (int)place);
    raise_link("lo", 0);
}

static void make_node(uint32_t i)
{
    struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI};

    enter_new(i + 1);
    strcpy(r.ifr_name, "weather");
    w.tun[i] = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (w.tun[i] < 0 || ioctl(w.tun[i], TUNSETIFF, &r) != 0)
        quit(SKIPPED, "/dev/net/tun");
    raise_link("weather", i + 1);
}

static void make_network(void)
{
    int ends[2];

    enter_new(0);
    for (uint32_t i = 0; i < w.nodes; i++)
        make_node(i);
    if (setns(HOME_FD, CLONE_NEWNET) != 0)
        quit(SKIPPED, "setns");
    if (pipe2(ends, O_CLOEXEC) != 0)
        quit(1, "pipe");
    w.say = ends[0];
    keep(ends[1], SAY_FD);
}

static void die_with_parent(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        exit(1);
}

static pid_t start(char **command)
{
    char self[16];
    pid_t parent = getpid(), child;
    sigset_t heard;

    snprintf(self, sizeof self, "%d", (int)parent);
    setenv("STARLING_WEATHER", self, 1);
    sigemptyset(&heard);
    sigaddset(&heard, SIGCHLD);
    sigaddset(&heard, SIGTERM);
    sigaddset(&heard, SIGINT);
    sigprocmask(SIG_BLOCK, &heard, NULL);
    w.signals = signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
    child = fork();
    if (child < 0 || w.signals < 0)
        quit(1, "fork");
    if (child > 0)
        return child;
    die_with_parent(parent);
    sigprocmask(SIG_UNBLOCK, &heard, NULL);
    execvp(command[0], command);
    quit(127, command[0]);
    return -1;
}

/* Until the command has ended; returns its status. */
static int blow(pid_t child)
{
    struct pollfd items[NODES_MAX + 2] = {{.fd = w.signals, .events = POLLIN},
                                          {.fd = w.say, .events = POLLIN}};
    struct signalfd_siginfo heard;
    int status;

    for (uint32_t i = 0; i < w.nodes; i++)
        items[2 + i] = (struct pollfd){.fd = w.tun[i], .events = POLLIN};
    for (;;) {
        uint64_t now = now_ns(), next = now + (uint64_t)1000 * MS;
        if (w.flying_count > 0 && w.flying[0]->at_ns < next)
            next = w.flying[0]->at_ns > now ? w.flying[0]->at_ns : now;
        struct timespec rest = {.tv_sec = (time_t)((next - now) / 1000 / MS),
                                .tv_nsec = (long)((next - now) % (1000 * MS))};
        ppoll(items, w.nodes + 2, &rest, NULL);
        while (read(w.signals, &heard, sizeof heard) == sizeof heard)
            if (heard.ssi_signo != SIGCHLD)
                kill(child, (int)heard.ssi_signo);
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status)
                                     : 128 + WTERMSIG(status);
        if (items[1].revents != 0)
            hear();
        for (uint32_t i = 0; i < w.nodes; i++)
            if (items[2 + i].revents != 0)
                take(i);
        deliver_due();
    }
}

static void tell(void)
{
    uint64_t packets = 0, bytes = 0;

    for (uint32_t i = 0; i < w.nodes; i++) {
        packets += w.sent[i];
        bytes += w.bytes[i];
    }
    fprintf(stderr,
            "weather: %" PRIu64 " packets, %" PRIu64 " bytes; %" PRIu64
            " lost, %" PRIu64 " cut off, %" PRIu64 " without room; bytes sent:",
            packets, bytes, w.lost, w.cut, w.overflow);
    for (uint32_t i = 0; i < w.nodes; i++)
        fprintf(stderr, " %" PRIu64, w.bytes[i]);
    fputc('\n', stderr);
}

/* What an `in` or `say` opens of the program that it is inside of. */
static int open_outer(int fd, int flags)
{
    const char *outer = getenv("STARLING_WEATHER");
    char path[64];

    snprintf(path, sizeof path, "/proc/%s/fd/%d", outer ? outer : "", fd);
    fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        quit(1, path);
    return fd;
}

static int enter(char **arguments)
{
    int fd = open_outer(HOME_FD + atoi(arguments[0]), O_RDONLY);
    pid_t parent = getppid();

    if (setns(fd, CLONE_NEWNET) != 0)
        quit(1, "setns");
    die_with_parent(parent);
    execvp(arguments[1], arguments + 1);
    quit(127, arguments[1]);
    return 1;
}

static int say(char **laws)
{
    int fd = open_outer(SAY_FD, O_WRONLY);

    for (; *laws != NULL; laws++)
        if (dprintf(fd, "%s\n", *laws) < 0)
            quit(1, *laws);
    return 0;
}

int main(int argc, char **argv)
{
    int at = 2, status;

    if (argc >= 4 && strcmp(argv[1], "in") == 0)
        return enter(argv + 2);
    if (argc >= 3 && strcmp(argv[1], "say") == 0)
        return say(argv + 2);
    w.nodes = argc >= 4 ? (uint32_t)atoi(argv[1]) : 0;
    w.queue_ns = (uint64_t)1000 * MS;
    for (; w.nodes > 0 && at < argc && strcmp(argv[at], "--") != 0; at++)
        if (!obey(argv[at])) {
            fprintf(stderr, "weather: no law: %s\n", argv[at]);
            return 2;
        }
    if (w.nodes < 1 || w.nodes > NODES_MAX || at + 1 >= argc) {
        fputs("usage: e2e_weather NODES [LAW...] -- COMMAND...\n", stderr);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    make_network();
    status = blow(start(argv + at + 1));
    tell();
    return status;
}
