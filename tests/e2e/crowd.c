/* e2e_crowd PORT COUNT: strangers that connect to this machine's PORT and say
 * nothing. COUNT at a time; one that is hung up on connects again. Prints
 * "here" when all have connected once; stays until it is killed. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CROWD_MAX = 4096, PAUSE_MS = 5 };

static struct pollfd crowd[CROWD_MAX];

static int call(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        perror("e2e_crowd");
        exit(1);
    }
    (void)!connect(fd, (const struct sockaddr *)at, sizeof *at);
    return fd;
}

int main(int argc, char **argv)
{
    char words[256];
    int count = argc == 3 ? atoi(argv[2]) : 0;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    if (count < 1 || count > CROWD_MAX) {
        fputs("usage: e2e_crowd PORT COUNT\n", stderr);
        return 2;
    }
    at.sin_port = htons((uint16_t)atoi(argv[1]));
    for (int i = 0; i < count; i++)
        crowd[i] = (struct pollfd){.fd = call(&at), .events = POLLIN};
    puts("here");
    fflush(stdout);
    for (;;) {
        poll(crowd, (nfds_t)count, -1);
        for (int i = 0; i < count; i++) {
            if (crowd[i].revents == 0 ||
                recv(crowd[i].fd, words, sizeof words, 0) > 0)
                continue;
            close(crowd[i].fd);
            crowd[i].fd = call(&at);
        }
        poll(NULL, 0, PAUSE_MS);
    }
}
