#include "sim/lab/verify.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "node/args.h"
#include "sim/lab/verify_average.h"
#include "sim/lab/verify_chance.h"
#include "sim/lab/verify_files.h"
#include "sim/lab/verify_gradient.h"
#include "sim/lab/verify_graphs.h"

static const char usage[] =
    "Recomputes what is known about decentralised averaging and learning, and\n"
    "prints a table: fact, expected, got, pass.\n"
    "\n"
    "  starling sim verify        closed forms and published numbers\n"
    "  starling sim verify DIR    and every column of a reference folder\n"
    "\n"
    "  --failures       print only what does not pass\n"
    "  --quick          leave out what takes more than a second\n"
    "  --threads N      default: all processors\n"
    "\n"
    "Example: starling sim verify ../shared/reference/decentralized\n";

static void say(struct verify *v, const char *fact, const char *what,
                const char *expected, const char *got, bool pass)
{
    if (pass)
        v->passed++;
    else
        v->failed++;
    if (!pass || !v->failures_only)
        fprintf(v->out, "%-22s %-44s %-22s %-22s %s\n", fact, what, expected,
                got, pass ? "pass" : "FAIL");
}

void verify_near(struct verify *v, const char *fact, const char *what,
                 double expected, double got, double allowed)
{
    char a[32], b[32];

    snprintf(a, sizeof a, "%.12g", expected);
    snprintf(b, sizeof b, "%.12g", got);
    say(v, fact, what, a, b, fabs(expected - got) <= allowed);
}

void verify_digits(struct verify *v, const char *fact, const char *what,
                   double expected, double got, int digits)
{
    char a[32], b[32];

    snprintf(a, sizeof a, "%.*g", digits, expected);
    snprintf(b, sizeof b, "%.*g", digits, got);
    /* one unit of the last digit, as it may have been cut instead of rounded */
    double unit = pow(10, floor(log10(fabs(expected))) + 1 - digits);
    say(v, fact, what, a, b, fabs(expected - got) <= unit * 1.001);
}

void verify_error(struct verify *v, const char *fact, const char *what,
                  double expected, double got)
{
    char a[32], b[32];
    double root = verify_root(expected);

    snprintf(a, sizeof a, "%.12g", expected);
    snprintf(b, sizeof b, "%.12g", got);
    say(v, fact, what, a, b,
        fabs(root - verify_root(got)) <= 1e-10 * fmax(1, root));
}

void verify_holds(struct verify *v, const char *fact, const char *what,
                  bool holds)
{
    say(v, fact, what, "holds", holds ? "holds" : "does not", holds);
}

void verify_fail(struct verify *v, const char *fact, const char *why)
{
    v->failed++;
    fprintf(v->out, "%-22s FAIL: %s\n", fact, why);
}

json_t *verify_json(struct verify *v, const char *file)
{
    char path[4096];
    json_error_t error;

    snprintf(path, sizeof path, "%s/%s", v->dir, file);
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL)
        verify_fail(v, file, error.text);
    return root;
}

double verify_number(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);

    return json_is_number(number) ? json_number_value(number) : (double)NAN;
}

double verify_worst(double a, double b)
{
    if (isnan(a) || isnan(b))
        return HUGE_VAL;
    return a > b ? a : b;
}

double verify_root(double x)
{
    return x < 0 ? 0 : sqrt(x);
}

void verify_skip(struct verify *v, const char *fact, const char *why)
{
    v->skipped++;
    fprintf(v->out, "%-22s SKIPPED: %s\n", fact, why);
}

const struct course_row *verify_row(const struct lab *lab, const char *label,
                                    size_t row)
{
    static const struct course_row none = {.err = (double)NAN,
                                           .cons = (double)NAN,
                                           .gap = (double)NAN,
                                           .mean = (double)NAN};
    const struct course_row *rows =
        lab == NULL ? NULL : lab_rows(lab, label, 0);

    return rows == NULL || row >= lab_sheet(lab)->row_count ? &none
                                                            : &rows[row];
}

static int check_dir(const char *dir)
{
    struct stat about;

    if (dir == NULL || (stat(dir, &about) == 0 && S_ISDIR(about.st_mode)))
        return 0;
    fprintf(stderr,
            "starling: %s: found no folder, expected the reference "
            "folder with its CSV files\n",
            dir);
    return 1;
}

static int check_all(struct verify *v)
{
    fprintf(v->out, "%-22s %-44s %-22s %-22s %s\n", "fact", "what", "expected",
            "got", "pass");
    fflush(v->out);
    verify_graphs_facts(v);
    verify_average_facts(v);
    verify_gradient_facts(v);
    verify_chance_facts(v);
    if (v->dir != NULL)
        verify_files_facts(v);
    fprintf(v->out, "%zu pass, %zu fail, %zu skipped\n", v->passed, v->failed,
            v->skipped);
    return fflush(v->out) == 0 && v->failed == 0 ? 0 : 1;
}

static volatile sig_atomic_t worker; /* a handler can reach nothing else */

static void pass_on(int number)
{
    if (worker > 0)
        kill((pid_t)worker, number);
}

/* The facts in a process of their own: whatever ends it, a signal to us too,
 * the folder that it works in goes. */
static int check_apart(struct verify *v)
{
    struct sigaction action = {.sa_handler = pass_on};
    int status = 0;

    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(check_all(v));
    if (child < 0) {
        fprintf(stderr, "starling: %s\n", strerror(errno));
        return 1;
    }
    worker = child;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    fprintf(stderr, "starling: the facts were stopped by signal %d (%s)\n",
            WTERMSIG(status), strsignal(WTERMSIG(status)));
    return 1;
}

int verify_main(int argc, char **argv)
{
    const char *threads = NULL;
    bool help = false;
    struct verify v = {.out = stdout};
    const struct args_flag flags[] = {{"--threads", &threads, NULL},
                                      {"--failures", NULL, &v.failures_only},
                                      {"--quick", NULL, &v.quick},
                                      {"--help", NULL, &help}};
    const struct args args = {"starling sim verify", flags,
                              sizeof flags / sizeof *flags, &v.dir};
    struct error error = {{0}};
    int status = args_parse(&args, argv + 1, argc - 1);

    if (status != 0)
        return status;
    if (help) {
        fputs(usage, stdout);
        return 0;
    }
    if (check_dir(v.dir) != 0)
        return 1;
    long count = threads == NULL ? 0 : strtol(threads, NULL, 10);
    if (threads != NULL && (count < 1 || count > POOL_THREADS_MAX))
        return args_misuse("starling sim verify",
                           "found %s, expected --threads "
                           "from 1 to 256",
                           threads);
    if (rig_open(&v.rig, (size_t)count, &error) != 0) {
        fprintf(stderr, "starling: %s\n", error.text);
        return 1;
    }
    status = check_apart(&v);
    rig_close(&v.rig);
    return status;
}
