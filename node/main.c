#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "node/args.h"
#include "node/init.h"
#include "node/reader.h"
#include "node/run.h"

enum { PATH_SIZE = 4096 };

static const char help[] =
    "starling: sites learn one model together, and no record leaves its site\n"
    "\n"
    "  starling init           make this node's keys\n"
    "      starling init --out va.keys\n"
    "  starling run STUDY      take part in a study\n"
    "      starling run heart.yaml --as va --data va.csv --keys va.keys\n"
    "  starling demo           a whole network on this machine\n"
    "      starling demo\n"
    "  starling sim COMMAND    simulate: world, cluster, converge, verify\n"
    "      starling sim world heart.yaml --out results\n"
    "\n"
    "Every command has a --help. starling --version prints the version.\n";

/* The other program stands beside this one, or where packages put helpers, or
 * on the PATH. */
static int run_simulator(char **argv)
{
    char self[PATH_SIZE], path[PATH_SIZE + 32];
    static char name[] = "starling-sim";
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    char **arguments = strcmp(argv[1], "sim") == 0 ? argv + 1 : argv;

    arguments[0] = name;
    if (size > 0) {
        self[size] = '\0';
        *strrchr(self, '/') = '\0';
        snprintf(path, sizeof path, "%s/%s", self, name);
        execv(path, arguments);
        snprintf(path, sizeof path, "%s/../libexec/%s", self, name);
        execv(path, arguments);
    }
    execvp(name, arguments);
    fprintf(stderr,
            "starling: %s: %s, expected it beside this program, in ../libexec "
            "or on the PATH; build or install both programs\n",
            name, strerror(errno));
    return 1;
}

static int unknown(const char *command)
{
    static const char *const names[] = {"init", "run", "demo", "sim"};
    const char *nearest =
        reader_nearest(command, names, sizeof names / sizeof *names);

    if (nearest != NULL)
        return args_misuse("starling", "unknown command %s (did you mean %s?)",
                           command, nearest);
    return args_misuse("starling", "unknown command %s", command);
}

/* Whoever reads the output may have gone away: that ends nothing, but it is
 * told. */
static int finish(int status)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return status;
    if (status == 0)
        fputs("starling: the output could not be written whole (standard "
              "output is closed or full)\n",
              stderr);
    return status == 0 ? 1 : status;
}

static int run_command(int argc, char **argv)
{
    const char *command = argv[1];

    if (strcmp(command, "init") == 0)
        return init_main(argc - 2, argv + 2);
    if (strcmp(command, "run") == 0)
        return run_main(argc - 2, argv + 2);
    if (strcmp(command, "--version") == 0) {
        puts("starling " STARLING_VERSION);
        return 0;
    }
    if (strcmp(command, "--help") == 0 || strcmp(command, "help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    return unknown(command);
}

/* A link takes a few, and so does, for a while, whoever connects without being
 * let in: those may not have all memory, either. */
enum { FILES = 4096 };

static void take_files(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    if (files.rlim_cur >= FILES)
        return;
    files.rlim_cur = files.rlim_max < FILES ? files.rlim_max : FILES;
    setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv)
{
    const struct rlimit none = {0, 0};
    const char *command = argc > 1 ? argv[1] : NULL;

    if (command == NULL)
        return args_misuse("starling", "a command is missing");
    if (strcmp(command, "sim") == 0 || strcmp(command, "demo") == 0)
        return run_simulator(argv);
    take_files();
    setrlimit(RLIMIT_CORE, &none); /* secrets stay out of core files */
    if (sodium_init() < 0) {
        fputs("starling: libsodium does not start\n", stderr);
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    return finish(run_command(argc, argv));
}
