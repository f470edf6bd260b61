/* What the shell tests ask of result.json. Exit status 1: not so.
 *
 *   e2e_json get FILE KEY...         prints one value; array places are numbers
 *   e2e_json near FILE FILE TOL      same coefficients, errors and metrics
 *   e2e_json against FILE TOL        coefficients as on standard input, lines
 *                                    "name estimate [std_error]", all of them;
 *                                    prints how far off they are at most
 *   e2e_json same FILE FILE KEY...   equal values */

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *load(const char *path)
{
    json_error_t why;
    json_t *root = json_load_file(path, 0, &why);

    if (root == NULL) {
        fprintf(stderr, "%s: %s\n", path, why.text);
        exit(1);
    }
    return root;
}

static const json_t *find(const json_t *value, char **keys, int count)
{
    for (int i = 0; i < count && value != NULL; i++)
        value = json_is_array(value)
                    ? json_array_get(value, (size_t)strtoul(keys[i], NULL, 10))
                    : json_object_get(value, keys[i]);
    return value;
}

static int get(const json_t *root, char **keys, int count)
{
    const json_t *value = find(root, keys, count);

    if (value == NULL)
        return 1;
    if (json_is_string(value))
        puts(json_string_value(value));
    else if (json_is_real(value))
        printf("%.17g\n", json_real_value(value));
    else if (json_dumpf(value, stdout, JSON_ENCODE_ANY) != 0)
        return 1;
    else
        putchar('\n');
    return 0;
}

static const json_t *coefficient(const json_t *root, const char *name)
{
    const json_t *list = json_object_get(root, "coefficients");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *c = json_array_get(list, i);
        const char *other = json_string_value(json_object_get(c, "name"));
        if (other != NULL && strcmp(other, name) == 0)
            return c;
    }
    fprintf(stderr, "no coefficient %s\n", name);
    exit(1);
}

static void farther(double *most, const json_t *ours, double theirs)
{
    *most = fmax(*most, fabs(json_number_value(ours) - theirs));
}

static int differs(const char *what, const json_t *ours, double theirs,
                   double tolerance)
{
    if (json_is_number(ours) &&
        fabs(json_number_value(ours) - theirs) <= tolerance)
        return 0;
    fprintf(stderr, "%s: found %.12g, expected %.12g\n", what,
            json_is_number(ours) ? json_number_value(ours) : NAN, theirs);
    return 1;
}

static int against(const json_t *root, double tolerance)
{
    const json_t *list = json_object_get(root, "coefficients");
    char line[512], name[256];
    double estimate, error, off[2] = {0, 0};
    size_t count = 0;
    int status = 0;

    while (fgets(line, sizeof line, stdin) != NULL) {
        int fields = sscanf(line, "%255s %lf %lf", name, &estimate, &error);
        if (fields < 2)
            continue;
        const json_t *c = coefficient(root, name);
        const json_t *ours = json_object_get(c, "estimate");
        const json_t *ours_error = json_object_get(c, "std_error");
        count++;
        status |= differs(name, ours, estimate, tolerance);
        farther(&off[0], ours, estimate);
        if (fields == 3) {
            status |= differs("std_error", ours_error, error, tolerance);
            farther(&off[1], ours_error, error);
        }
    }
    printf("coefficients off by %.0e", off[0]);
    if (off[1] > 0)
        printf(", standard errors by %.0e", off[1]);
    putchar('\n');
    if (count == 0 || count != json_array_size(list)) {
        fprintf(stderr, "found %zu coefficients, expected %zu\n",
                json_array_size(list), count);
        return 1;
    }
    return status;
}

/* Every number of b stands in a, nearly. */
static int near(const char *what, const json_t *a, const json_t *b,
                double tolerance)
{
    int status = 0;

    if (json_is_number(b))
        return differs(what, a, json_number_value(b), tolerance);
    if (json_is_array(b)) {
        for (size_t i = 0; i < json_array_size(b); i++)
            status |= near(what, json_array_get(a, i), json_array_get(b, i),
                           tolerance);
        return status | (json_array_size(a) != json_array_size(b));
    }
    for (void *i = json_object_iter((json_t *)b); i != NULL;
         i = json_object_iter_next((json_t *)b, i)) {
        const char *key = json_object_iter_key(i);
        status |= near(key, json_object_get(a, key), json_object_iter_value(i),
                       tolerance);
    }
    return status;
}

static int near_results(const json_t *a, const json_t *b, double tolerance)
{
    static const char *const keys[] = {"coefficients", "metrics", "deviance",
                                       "n_train", "n_test"};
    int status = 0;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *value = json_object_get(b, keys[i]);
        if (value == NULL)
            return 1;
        status |= near(keys[i], json_object_get(a, keys[i]), value, tolerance);
    }
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    json_t *first = load(argv[2]), *second = NULL;
    int status = 2;

    if (strcmp(argv[1], "get") == 0) {
        status = get(first, argv + 3, argc - 3);
    } else if (strcmp(argv[1], "against") == 0) {
        status = against(first, strtod(argv[3], NULL));
    } else if (strcmp(argv[1], "near") == 0 && argc == 5) {
        second = load(argv[3]);
        status = near_results(first, second, strtod(argv[4], NULL));
    } else if (strcmp(argv[1], "same") == 0 && argc > 4) {
        second = load(argv[3]);
        const json_t *a = find(first, argv + 4, argc - 4);
        const json_t *b = find(second, argv + 4, argc - 4);
        status = a == NULL || b == NULL || !json_equal(a, b);
    }
    json_decref(first);
    json_decref(second);
    return status;
}
