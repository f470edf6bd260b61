#include "sim/lab/sheet.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sim/lab/digest.h"
#include "sim/lab/picture.h"

enum { PATH_SIZE = 4096, MEASURES = 15, PARTS_MAX = 4 };

static bool always(const struct experiment *e, const struct alg *alg)
{
    (void)e, (void)alg;
    return true;
}

static bool consensus(const struct experiment *e, const struct alg *alg)
{
    (void)alg;
    return e->kind == PROBLEM_CONSENSUS;
}

static bool weighted(const struct experiment *e, const struct alg *alg)
{
    (void)e;
    return alg->scalar_sends > 0;
}

static bool timed(const struct experiment *e, const struct alg *alg)
{
    (void)alg;
    return e->has_clock;
}

/* Where a measure lies in struct course_row, and whether an entry has it. */
#define AT(member) offsetof(struct course_row, member)
static const struct {
    const char *name;
    size_t offset;
    bool (*has)(const struct experiment *e, const struct alg *alg);
} measures[MEASURES] = {
    {"err", AT(err), always},
    {"cons", AT(cons), always},
    {"gap", AT(gap), always},
    {"mean", AT(mean), always},
    {"mse", AT(mse), consensus},
    {"mass", AT(mass), weighted},
    {"w_min", AT(least), weighted},
    {"w_max", AT(most), weighted},
    {"sum", AT(sum), weighted},
    {"vectors", AT(vectors), always},
    {"bytes", AT(bytes), always},
    {"gradients", AT(gradients), always},
    {"virtual_ms_min", AT(clock_min), timed},
    {"virtual_ms_max", AT(clock_max), timed},
    {"virtual_ms_mean", AT(clock_mean), timed},
};

static double value(const struct course_row *row, size_t measure)
{
    double v;

    memcpy(&v, (const char *)row + measures[measure].offset, sizeof v);
    return v;
}

/* Mean over the seeds, and half a 95 % interval of it. */
static double over_seeds(double *half, const struct sheet *s,
                         const struct sheet_column *c, size_t row,
                         size_t measure)
{
    const size_t count = s->experiment->seed_count;
    double mean = 0, square = 0;

    for (size_t k = 0; k < count; k++)
        mean += value(&c->rows[k * s->row_count + row], measure);
    mean /= (double)count;
    for (size_t k = 0; k < count; k++) {
        double off = value(&c->rows[k * s->row_count + row], measure) - mean;
        square += off * off;
    }
    *half = count < 2 ? 0
                      : 1.959963984540054 *
                            sqrt(square / (double)(count - 1) / (double)count);
    return mean;
}

/* One spelling of what is not a number, whatever its sign. */
static void write_number(FILE *file, double v)
{
    if (isnan(v))
        fputs(",nan", file);
    else
        fprintf(file, ",%.17g", v);
}

static void write_header(FILE *file, const struct sheet *s)
{
    const struct experiment *e = s->experiment;

    fputs("step", file);
    for (size_t i = 0; i < s->column_count; i++)
        for (size_t m = 0; m < MEASURES; m++) {
            const char *label = s->columns[i].label;
            if (!measures[m].has(e, s->columns[i].entry->alg))
                continue;
            fprintf(file, ",%s:%s", label, measures[m].name);
            if (e->seed_count > 1 && m < 4)
                fprintf(file, ",%s:%s_ci95", label, measures[m].name);
        }
    fputc('\n', file);
}

static int write_rows(FILE *file, const struct sheet *s, struct error *error)
{
    const struct experiment *e = s->experiment;
    double half;

    (void)error;
    write_header(file, s);
    for (size_t r = 0; r < s->row_count; r++) {
        fprintf(file, "%llu", (unsigned long long)s->columns[0].rows[r].step);
        for (size_t i = 0; i < s->column_count; i++)
            for (size_t m = 0; m < MEASURES; m++) {
                if (!measures[m].has(e, s->columns[i].entry->alg))
                    continue;
                write_number(file, over_seeds(&half, s, &s->columns[i], r, m));
                if (e->seed_count > 1 && m < 4)
                    write_number(file, half);
            }
        fputc('\n', file);
    }
    return 0;
}

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *spectrum_json(const struct sheet_column *c)
{
    const struct spectrum *s = &c->spectrum;

    if (!c->has_spectrum)
        return json_null();
    return json_pack(
        "{so so so so so so sb sb sb}", "lambda2", number(s->lambda2),
        "lambda_n", number(s->lambda_n), "slem", number(s->slem), "gap",
        number(s->gap), "one_minus_slem2", number(1 - s->slem * s->slem),
        "norm", number(s->norm), "symmetric", s->symmetric, "rows_sum_to_1",
        s->rows_sum, "columns_sum_to_1", s->columns_sum);
}

/* The first entry's at the top, as most experiments have one matrix. */
static json_t *all_spectra(const struct sheet *s)
{
    json_t *root = NULL, *entries = json_object();

    for (size_t i = 0; i < s->column_count; i++) {
        if (root == NULL && s->columns[i].has_spectrum)
            root = spectrum_json(&s->columns[i]);
        json_object_set_new(entries, s->columns[i].label,
                            spectrum_json(&s->columns[i]));
    }
    if (root == NULL)
        root = json_object();
    json_object_set_new(root, "entries", entries);
    return root;
}

/* Adds its hash if it is a file. */
static int add_hash(json_t *inputs, const char *path, struct error *error)
{
    unsigned char hash[DIGEST_BYTES];
    char text[2 * DIGEST_BYTES + 1];
    int code = digest_file(hash, path, error);

    if (code != 1)
        return code;
    sodium_bin2hex(text, sizeof text, hash, sizeof hash);
    json_object_set_new(inputs, path, json_string(text));
    return 0;
}

static int hash_all(json_t *inputs, const struct experiment *e,
                    struct error *error)
{
    int code = add_hash(inputs, e->path, error);

    for (size_t i = 0; code == 0 && i < e->text_count; i++)
        code = add_hash(inputs, e->texts[i], error);
    return code;
}

/* Takes inputs. */
static json_t *manifest(const struct sheet *s, json_t *inputs)
{
    const struct experiment *e = s->experiment;
    json_t *seeds = json_array();
    struct utsname machine;

    for (size_t i = 0; i < e->seed_count; i++)
        json_array_append_new(seeds, json_integer((json_int_t)e->seeds[i]));
    if (uname(&machine) != 0)
        memset(&machine, 0, sizeof machine);
    return json_pack("{si ss so so s{ss ss ss}}", "version", 1, "program",
                     "starling " STARLING_VERSION, "seeds", seeds,
                     "inputs_blake2b", inputs, "machine", "system",
                     machine.sysname, "release", machine.release, "processor",
                     machine.machine);
}

static int failed(const char *path, struct error *error)
{
    return error_set(error, -EIO, "%s: %s; is the disk full?", path,
                     strerror(errno));
}

static void write_json(FILE *file, json_t *json)
{
    errno = ENOMEM; /* without json the file stays empty */
    if (json != NULL)
        json_dumpf(json, file, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    json_decref(json);
}

static int write_spectra(FILE *file, const struct sheet *s, struct error *error)
{
    (void)error;
    write_json(file, all_spectra(s));
    return 0;
}

static int write_picture(FILE *file, const struct sheet *s, struct error *error)
{
    (void)error;
    picture_write(file, s);
    return 0;
}

static int write_manifest(FILE *file, const struct sheet *s,
                          struct error *error)
{
    json_t *inputs = json_object();
    int code = hash_all(inputs, s->experiment, error);

    if (code == 0)
        write_json(file, manifest(s, inputs));
    else
        json_decref(inputs);
    return code;
}

enum { FILES = 4 };

static const struct {
    const char *name;
    int (*write)(FILE *file, const struct sheet *sheet, struct error *error);
} files[FILES] = {{"trajectories.csv", write_rows},
                  {"report.html", write_picture},
                  {"spectrum.json", write_spectra},
                  {"manifest.json", write_manifest}};

static void path_of(char path[PATH_SIZE], const char *folder, size_t k,
                    const char *end)
{
    snprintf(path, PATH_SIZE, "%s/%s%s", folder, files[k].name, end);
}

static int write_part(const struct sheet *s, const char *folder, size_t k,
                      struct error *error)
{
    char part[PATH_SIZE];

    path_of(part, folder, k, ".part");
    FILE *file = fopen(part, "w");
    if (file == NULL)
        return failed(part, error);
    int code = files[k].write(file, s, error);
    bool bad = ferror(file) != 0 || ftell(file) <= 0;
    bad = fclose(file) != 0 || bad;
    return code == 0 && bad ? failed(part, error) : code;
}

int sheet_write(const struct sheet *s, const char *folder, struct error *error)
{
    char part[PATH_SIZE], path[PATH_SIZE];
    int code = 0;

    for (size_t k = 0; code == 0 && k < FILES; k++)
        code = write_part(s, folder, k, error);
    for (size_t k = 0; k < FILES; k++) {
        path_of(part, folder, k, ".part");
        path_of(path, folder, k, "");
        if (code == 0 && rename(part, path) != 0)
            code = failed(path, error);
        if (code != 0)
            unlink(part);
    }
    return code;
}
