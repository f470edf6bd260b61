#include "node/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

enum { CAUGHT = 4 };
static const int caught[CAUGHT] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP};
static volatile sig_atomic_t came; /* while the terminal is silent; 0: none */

static void note_signal(int number)
{
    came = number;
}

/* Byte by byte: what follows the line is somebody else's. */
static int read_line(char passphrase[PASSPHRASE_SIZE], int fd,
                     const sigset_t *unblocked)
{
    size_t size = 0;

    memset(passphrase, 0, PASSPHRASE_SIZE);
    for (;;) {
        fd_set set;

        if (unblocked != NULL && fd < FD_SETSIZE) {
            FD_ZERO(&set);
            FD_SET(fd, &set);
            pselect(fd + 1, &set, NULL, NULL, NULL, unblocked);
        }
        if (came != 0)
            return -EINTR;
        ssize_t count = read(fd, passphrase + size, 1);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -errno;
        if (count == 0 || passphrase[size] == '\n')
            break;
        if ((unsigned char)passphrase[size] < 0x20)
            return -EILSEQ;
        if (++size == PASSPHRASE_SIZE - 1)
            return -EINVAL;
    }
    passphrase[size] = '\0';
    return size > 0 ? 0 : -EINVAL;
}

static void print(int fd, const char *text)
{
    ssize_t written = write(fd, text, strlen(text));

    (void)written;
}

static int ask_silently(char passphrase[PASSPHRASE_SIZE], int terminal,
                        const char *question, const sigset_t *unblocked)
{
    struct termios before, silent;
    int code;

    if (tcgetattr(terminal, &before) != 0)
        return -ENOTTY;
    silent = before;
    silent.c_lflag &= (tcflag_t)~ECHO;
    if (tcsetattr(terminal, TCSAFLUSH, &silent) != 0)
        return -ENOTTY;
    print(terminal, question);
    code = read_line(passphrase, terminal, unblocked);
    print(terminal, "\n");
    tcsetattr(terminal, TCSAFLUSH, &before);
    return code;
}

/* A signal that would end or stop this process is heard only once the terminal
 * shows again what is typed. */
static int ask(char passphrase[PASSPHRASE_SIZE], int terminal,
               const char *question)
{
    struct sigaction note = {.sa_handler = note_signal}, before[CAUGHT];
    sigset_t blocked, unblocked;
    int code, number;

    do {
        sigemptyset(&blocked);
        for (size_t i = 0; i < CAUGHT; i++)
            sigaddset(&blocked, caught[i]);
        sigprocmask(SIG_BLOCK, &blocked, &unblocked);
        for (size_t i = 0; i < CAUGHT; i++) {
            sigaction(caught[i], NULL, &before[i]);
            if (before[i].sa_handler != SIG_IGN)
                sigaction(caught[i], &note, NULL);
        }
        came = 0;
        code = ask_silently(passphrase, terminal, question, &unblocked);
        number = came;
        came = 0;
        for (size_t i = 0; i < CAUGHT; i++)
            sigaction(caught[i], &before[i], NULL);
        sigprocmask(SIG_SETMASK, &unblocked, NULL);
        if (number != 0)
            raise(number);
    } while (code == -EINTR); /* it was stopped, and goes on */
    return code;
}

static const char *fault(int code)
{
    if (code == -EILSEQ)
        return "found a control byte";
    return code == -EINVAL ? "found none, or too long a one" : strerror(-code);
}

static int ask_twice(char passphrase[PASSPHRASE_SIZE], int terminal,
                     struct error *error)
{
    char again[PASSPHRASE_SIZE];
    int code = ask(again, terminal, "the same again: ");

    if (code != 0 || sodium_memcmp(again, passphrase, PASSPHRASE_SIZE) != 0)
        code = error_set(error, -EINVAL,
                         "the two passphrases are not the same; try again");
    sodium_memzero(again, sizeof again);
    return code;
}

int passphrase_get(char passphrase[PASSPHRASE_SIZE], int fd, bool is_new,
                   struct error *error)
{
    int terminal, code;

    if (fd >= 0) {
        code = read_line(passphrase, fd, NULL);
        if (code != 0)
            return error_set(error, code,
                             "--passphrase-fd %d: %s, expected a line with the "
                             "passphrase",
                             fd, fault(code));
        return 0;
    }
    terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0)
        return error_set(error, -ENOTTY,
                         "no terminal to ask for the passphrase; give it with "
                         "--passphrase-fd N");
    code = ask(passphrase, terminal, "passphrase of this node's keys: ");
    if (code != 0)
        error_set(error, code,
                  "passphrase: %s, expected a line of printable characters",
                  fault(code));
    else if (is_new)
        code = ask_twice(passphrase, terminal, error);
    close(terminal);
    return code;
}

int passphrase_fd(int *fd, const char *text, struct error *error)
{
    char *end;
    long value;

    *fd = -1;
    if (text == NULL)
        return 0;
    errno = 0;
    value = strtol(text, &end, 10);
    if (errno != 0 || *text == '\0' || *end != '\0' || value < 0 ||
        value > 65535)
        return error_set(error, -EINVAL,
                         "--passphrase-fd: found '%s', expected the number of "
                         "an open file descriptor",
                         text);
    *fd = (int)value;
    return 0;
}
