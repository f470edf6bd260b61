#include "sim/demo.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/deal.h"
#include "sim/options.h"
#include "sim/stage.h"
#include "sim/story.h"

enum { FINE = 0, FAILED = 1, MISUSE = 2 };
#define TOLERANCE 1e-6 /* of a coefficient against the pooled fit */
#define RIDGE 1.0

static const char usage[] =
    "A whole network of real node processes on this machine, and its story.\n"
    "\n"
    "  starling demo [--data DIR] [--kill NAME@ROUND] [--out DIR]\n"
    "\n"
    "  --data DIR          where breast_cancer.csv of scikit-learn lies; "
    "without\n"
    "                      it the patients are made up\n"
    "  --kill NAME@ROUND   which node dies, and when (river@4); none: nobody\n"
    "  --out DIR           where everything goes (starling-demo)\n"
    "\n"
    "Sites: north, harbour, hill, river, lake.\n"
    "Example: starling demo --kill lake@5\n";

struct command {
    const char *data, *out;
    char victim[STUDY_NAME_SIZE]; /* "": nobody */
    unsigned long round;
    bool help;
};

static int misuse(const char *found, const char *expected)
{
    fprintf(stderr,
            "starling: found %s, expected %s; see starling demo --help\n",
            found, expected);
    return MISUSE;
}

static int take_kill(struct command *c, const char *text)
{
    size_t length = strcspn(text, "@");
    char *end;

    c->victim[0] = '\0';
    if (strcmp(text, "none") == 0)
        return FINE;
    for (size_t i = 0; i < PATIENTS_SITES; i++)
        if (strlen(patients_names[i]) == length &&
            memcmp(patients_names[i], text, length) == 0)
            snprintf(c->victim, sizeof c->victim, "%s", patients_names[i]);
    if (c->victim[0] == '\0' || text[length] != '@' || text[length + 1] < '0' ||
        text[length + 1] > '9')
        return misuse(text, "--kill NAME@ROUND with the name of a site, such "
                            "as river@4");
    errno = 0;
    c->round = strtoul(text + length + 1, &end, 10);
    if (errno != 0 || *end != '\0')
        return misuse(text, "--kill NAME@ROUND, such as river@4");
    return FINE;
}

static int read_command(struct command *c, int argc, char **argv)
{
    static const struct option names[] = {
        {"data", required_argument, NULL, 'd'},
        {"kill", required_argument, NULL, 'k'},
        {"out", required_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option, code = options_check("starling demo", argc, argv, names);

    opterr = 0;
    while (code == FINE &&
           (option = getopt_long(argc, argv, "h", names, NULL)) != -1) {
        if (option == 'd')
            c->data = optarg;
        else if (option == 'o')
            c->out = optarg;
        else if (option == 'h')
            c->help = true;
        else if (option == 'k')
            code = take_kill(c, optarg);
        else
            code = misuse("an unknown option", "one of those in the help");
    }
    if (code == FINE && !c->help && optind < argc)
        return misuse(argv[optind], "options only");
    return code;
}

static int write_study(const char *path, const struct command *command,
                       struct error *error)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL)
        return error_set(error, -errno, "%s: %s", path, strerror(errno));
    fputs(
        "version: 1\nstudy: demo\ntrust: semi-honest\non_loss: wait\nsites:\n",
        file);
    for (size_t i = 0; i < PATIENTS_SITES; i++)
        fprintf(file,
                "  - {name: %s, data: patients.csv, rows: {column: site, "
                "equals: %s}}\n",
                patients_names[i], patients_names[i]);
    fprintf(file,
            "task:\n  kind: logistic\n  method: newton\n  target: y\n"
            "  split: {column: set, train: train, test: test}\n  l2: %g\n",
            RIDGE);
    if (command->victim[0] != '\0')
        fprintf(file,
                "network:\n"
                "  crash: [{site: %s, round: %lu, at: after-y}]\n"
                "  restart: [{site: %s, after_ms: 700}]\n  end_ms: 120000\n",
                command->victim, command->round, command->victim);
    bool failed = ferror(file) != 0;
    failed = fclose(file) != 0 || failed;
    return failed ? error_set(error, -EIO, "%s: could not be written", path)
                  : 0;
}

/* Fills the folder with the patients and the study about them. */
static int prepare(struct patients *patients, char study[STAGE_PATH_SIZE],
                   const struct command *command, struct error *error)
{
    char table[STAGE_PATH_SIZE], from[STAGE_PATH_SIZE];
    int code = stage_folder(command->out, error);

    if (code != 0)
        return code;
    stage_path(table, command->out, NULL, "patients.csv");
    stage_path(study, command->out, NULL, "demo.yaml");
    if (command->data == NULL) {
        code = patients_make(patients, table, error);
    } else {
        stage_path(from, command->data, NULL, "breast_cancer.csv");
        code = patients_read(patients, table, from, error);
    }
    return code == 0 ? write_study(study, command, error) : code;
}

static int follow(struct fleet *fleet, struct error *error)
{
    struct story story = {0};
    struct fleet_event event;
    int code;

    do {
        code = fleet_next(fleet, &event, error);
        if (code == 0)
            story_tell(&story, fleet, &event);
    } while (code == 0 && event.kind != FLEET_OVER);
    return code;
}

/* The same rows in one place, with plain sums: what the joint fit must equal.
 */
static int fit_pooled(struct task_report *report, const struct study *study,
                      const char *out, struct error *error)
{
    struct dataset *datasets[PATIENTS_SITES] = {NULL};
    const struct dataset_filter all = {.column = NULL};
    char path[STAGE_PATH_SIZE];
    int code = 0;

    for (uint32_t i = 0; code == 0 && i < study->site_count; i++) {
        stage_path(path, out, study->sites[i].name, "rows.csv");
        code = dataset_read(&datasets[i], path, &all, &study->task, error);
    }
    if (code == 0)
        code = deal_pooled_fit(report, study,
                               (const struct dataset *const *)datasets,
                               study->site_count, error);
    for (uint32_t i = 0; i < study->site_count; i++)
        dataset_free(datasets[i]);
    return code;
}

static int conclude(const struct fleet *fleet, const char *out,
                    struct error *error)
{
    struct task_report pooled = {0};
    json_t *result = NULL;
    int code = fleet_result(&result, fleet, error);

    if (code == 0)
        code = fit_pooled(&pooled, fleet_study(fleet), out, error);
    if (code == 0) {
        double largest = story_end(result, &pooled, out);
        if (!(largest < TOLERANCE))
            code = error_set(error, -EINVAL,
                             "found a difference of %g to the pooled fit, "
                             "expected less than %g",
                             largest, TOLERANCE);
    }
    json_decref(result);
    task_report_free(&pooled);
    return code;
}

static int run(const struct command *command, struct error *error)
{
    struct fleet_options options = {.out = command->out};
    char study[STAGE_PATH_SIZE];
    struct patients patients;
    struct fleet *fleet = NULL;
    int code = prepare(&patients, study, command, error);

    options.study = study;
    if (code == 0)
        code = fleet_new(&fleet, &options, error);
    if (code == 0) {
        story_begin(&patients, command->data != NULL, RIDGE,
                    fleet_study(fleet)->threshold);
        code = follow(fleet, error);
    }
    if (code == 0)
        fleet_tell_spared(fleet, stderr);
    if (code == 0)
        code = conclude(fleet, command->out, error);
    fleet_free(fleet);
    return code;
}

int demo_main(int argc, char **argv)
{
    struct command command = {
        .out = "starling-demo", .victim = "river", .round = 4};
    struct error error = {""};
    int code = read_command(&command, argc, argv);

    if (code != FINE)
        return code;
    if (command.help) {
        fputs(usage, stdout);
        return FINE;
    }
    if (sodium_init() < 0) {
        fputs("starling: libsodium does not start on this machine\n", stderr);
        return FAILED;
    }
    if (run(&command, &error) == 0)
        return FINE;
    fprintf(stderr, "starling: %s\n", error.text);
    return FAILED;
}
