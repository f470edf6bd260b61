/* The references of real cohorts, by sums over the sites. */

#include "model/cohort.h"

struct expected {
    double estimate, std_error;
};

static const struct expected heart[14] = {
    {0.130743739563, 0.129649518081},   {0.214227900896, 0.151854637305},
    {0.547252970098, 0.135540730745},   {0.0375763513626, 0.131385045074},
    {-0.0751715913984, 0.133184956166}, {0.240474368198, 0.132579573541},
    {-0.329932258368, 0.144564941994},  {0.637198776089, 0.141839247356},
    {0.55041556286, 0.147663857487},    {-0.161942242034, 0.233773001767},
    {0.0510499800102, 0.218994366707},  {0.686839908193, 0.257894582349},
    {0.105263444865, 0.139416282042},   {0.190291413134, 0.133738326199}};

static const double heart_ridge[14] = {
    0.128484072231,   0.213737220924,  0.536520397732,  0.0363984881036,
    -0.0749842811658, 0.234788800317,  -0.328108823953, 0.631151744025,
    0.538981215086,   -0.186227028909, 0.0256550661361, 0.651268991083,
    0.104500885495,   0.184843876251};

static const struct expected heart_raw[14] = {
    {-2.241258205942368, 1.70079150039334},
    {0.022255659041988, 0.01577583973738},
    {1.275005969834287, 0.31578675731046},
    {0.001958012813974, 0.00684615702406},
    {-0.000802563333664, 0.00142193826719},
    {0.672390146423396, 0.37070561629515},
    {-0.012644957863430, 0.00554058463115},
    {1.307003890157081, 0.29093660413002},
    {0.513388224016549, 0.13773027265548},
    {-0.404751515713406, 0.58428224538315},
    {0.123916016247433, 0.53157532084180},
    {1.373942144244405, 0.51588766353555},
    {0.296005761182358, 0.39204514672712},
    {0.444633398259689, 0.31249190636654}};

static const double wdbc[31] = {
    -0.2435209659, 0.3630171226,  0.6061182377,   0.3735371466, 0.4765362883,
    0.382734517,   -0.4277146404, 0.8633657566,   1.057715794,  -0.07619991423,
    -0.1780789663, 1.185498821,   -0.2261733512,  0.9225693561, 0.8759028116,
    0.2090476554,  -1.059375504,  -0.05428412775, 0.4280241746, -0.2040397126,
    -0.583599724,  0.968945224,   1.074544153,    0.9442445034, 0.9478408671,
    0.4505968265,  -0.1194599459, 0.7767215943,   0.8258033078, 0.6942479204,
    0.4664800726};

static const double retina_one[20] = {
    0.3465286997,  0.2998174479,   -0.2401473639,  4.853304016,
    1.128091337,   -1.236813062,   -2.665642489,   -1.30064986,
    -0.1271481287, 0.6323989526,   -0.6312982071,  -0.0382843808,
    -0.3542059247, 0.478548444,    -0.6890051344,  0.987783899,
    0.6334592862,  -0.03522781759, -0.08314226324, -0.1413744027};

static const double retina_hundredth[20] = {
    0.5485055132,  0.5390978425,   -0.2805200235,  18.41669668,
    -7.888987059,  -4.407025119,   -5.201384505,   -0.454819648,
    0.4249218132,  0.814832256,    -0.7238014458,  -0.09980047962,
    -0.4683791102, 0.8185291703,   -1.38883598,    1.480022514,
    0.6138200654,  -0.04383821349, -0.06852727781, -0.2055987644};

static const char *shared(const char *name)
{
    static char path[4096];
    const char *root = getenv("STARLING_SHARED");
    snprintf(path, sizeof path, "%s/data/%s",
             root == NULL ? "../../../shared" : root, name);
    return path;
}

/* All columns but site, row, set, y are features. */
static void load(struct cohort *c, const char *file, const char *const *sites,
                 uint32_t count)
{
    const char *path = shared(file);
    char **names, **features;
    size_t width, used = 0;
    if (dataset_header(&names, &width, path, &c->error) != 0)
        fail_msg("%s", c->error.text);
    features = calloc(width, sizeof *features);
    for (size_t i = 0; i < width; i++)
        if (strcmp(names[i], "site") != 0 && strcmp(names[i], "row") != 0 &&
            strcmp(names[i], "set") != 0 && strcmp(names[i], "y") != 0)
            features[used++] = names[i];
    c->spec.features = features;
    c->spec.feature_count = used;
    c->spec.split_column = "set";
    c->spec.split_train = "train";
    c->spec.split_test = "test";
    c->count = count;
    for (uint32_t s = 0; s < count; s++) {
        struct dataset_filter filter = {.column = "site", .equals = sites[s]};
        if (dataset_read(&c->data[s], path, &filter, &c->spec, &c->error) != 0)
            fail_msg("%s", c->error.text);
    }
    for (size_t i = 0; i < width; i++)
        free(names[i]);
    free(names);
    free(features);
    c->spec.features = NULL;
}

static const char *const hospitals[] = {"cleveland", "hungarian", "switzerland",
                                        "va"};
static const char *const blocks[] = {"site0", "site1", "site2", "site3",
                                     "site4"};

static void load_heart(struct cohort *c)
{
    load(c, "heart-disease/heart740.csv", hospitals, 4);
}

static void four_hospitals_equal_the_pooled_fit(void **unused)
{
    struct cohort c = {.spec = cohort_spec("logistic", 0)};
    (void)unused;
    load_heart(&c);
    cohort_run(&c);
    const struct task_report *r = &c.report;
    assert_string_equal(r->failure, "");
    assert_true(r->converged);
    assert_int_equal(r->n_train, 486);
    assert_int_equal(r->n_test, 254);
    assert_int_equal(r->coefficient_count, 14);
    assert_string_equal(r->coefficients[0].name, "(intercept)");
    assert_string_equal(r->coefficients[11].name, "cp4");
    for (size_t i = 0; i < 14; i++) {
        assert_near(r->coefficients[i].estimate, heart[i].estimate, 1e-7);
        assert_near(r->coefficients[i].std_error, heart[i].std_error, 1e-7);
    }
    assert_near(r->coefficients[2].z, 4.0375536, 1e-6);
    assert_near(r->coefficients[2].p, 5.40114985623e-05, 1e-10);
    assert_near(r->coefficients[2].low,
                heart[2].estimate - 1.959963984540054 * heart[2].std_error,
                1e-6);
    assert_near(r->deviance, 406.336568833, 1e-6);
    assert_near(r->scaling[0].mean, 52.9526748971, 1e-9);
    assert_near(r->scaling[3].sd, 93.6643729476, 1e-9);
    assert_near(r->train.log_loss, 0.418041737483, 1e-9);
    assert_int_equal(r->test.n, 254);
    assert_near(r->test.auc, 0.881058772420, 1e-9);
    assert_near(r->test.accuracy, 0.7913385827, 1e-9);
    assert_near(r->test.brier, 0.1379120707, 1e-9);
    assert_near(r->test.log_loss, 0.4356291475, 1e-9);
    print_message("heart: %zu rounds\n", c.rounds);
    cohort_close(&c);
}

static void each_hospital_sees_its_own_gain(void **unused)
{
    static const double local[4] = {0.8299851190, 0.8398268398, NAN,
                                    0.5971428571};
    static const double joint[4] = {0.8642113095, 0.8760822511, 0.9333333333,
                                    0.7771428571};
    struct cohort c = {.spec = cohort_spec("logistic", 0)};
    (void)unused;
    load_heart(&c);
    cohort_run(&c);
    for (uint32_t s = 0; s < 4; s++) {
        cohort_report(&c, s);
        assert_near(c.report.local.global_auc, joint[s], 1e-9);
        if (isnan(local[s]))
            assert_true(isnan(c.report.local.local_auc));
        else
            assert_near(c.report.local.local_auc, local[s], 1e-9);
        assert_int_equal(c.report.note_count, s == 2);
    }
    cohort_report(&c, 2);
    assert_string_equal(c.report.notes[0],
                        "all training rows of this site have y=1: it takes "
                        "part, but no local model can be fitted");
    assert_int_equal(c.report.local.n_train, 30);
    assert_int_equal(c.report.local.n_test, 16);
    cohort_close(&c);
}

static void ridge_equals_its_reference_and_has_no_errors(void **unused)
{
    struct cohort c = {.spec = cohort_spec("logistic", 1)};
    (void)unused;
    load_heart(&c);
    cohort_run(&c);
    for (size_t i = 0; i < 14; i++) {
        assert_near(c.report.coefficients[i].estimate, heart_ridge[i], 1e-7);
        assert_true(isnan(c.report.coefficients[i].std_error));
        assert_true(isnan(c.report.coefficients[i].p));
        assert_true(isnan(c.report.coefficients[i].low));
    }
    assert_near(c.report.test.brier, 0.1378274361, 1e-9);
    assert_near(c.report.test.log_loss, 0.4354640274, 1e-9);
    cohort_report(&c, 3);
    assert_near(c.report.local.global_auc, 0.7742857143, 1e-9);
    cohort_close(&c);
}

static void raw_units_equal_r(void **unused)
{
    struct cohort c = {.spec = cohort_spec("logistic", 0)};
    (void)unused;
    c.spec.standardise = TASK_STANDARDISE_NONE;
    load_heart(&c);
    cohort_run(&c);
    assert_null(c.report.scaling);
    for (size_t i = 0; i < 14; i++) {
        assert_near(c.report.coefficients[i].estimate, heart_raw[i].estimate,
                    1e-7);
        assert_near(c.report.coefficients[i].std_error, heart_raw[i].std_error,
                    1e-7);
    }
    assert_near(c.report.deviance, 406.336568833, 1e-6);
    cohort_close(&c);
}

static void breast_cancer_equals_its_reference(void **unused)
{
    struct cohort c = {.spec = cohort_spec("logistic", 1)};
    (void)unused;
    load(&c, "breast-cancer-wdbc/wdbc.csv", blocks, 4);
    cohort_run(&c);
    assert_string_equal(c.report.failure, "");
    for (size_t i = 0; i < 31; i++)
        assert_near(c.report.coefficients[i].estimate, wdbc[i], 2e-9);
    assert_near(c.report.train.log_loss, 0.0485570282481, 1e-9);
    assert_near(c.report.test.accuracy, 0.9649122807, 1e-9);
    assert_near(c.report.test.auc, 0.9962837838, 1e-3);
    cohort_close(&c);
}

static void separated_breast_cancer_asks_for_a_ridge(void **unused)
{
    struct cohort c = {.spec = cohort_spec("logistic", 0)};
    (void)unused;
    load(&c, "breast-cancer-wdbc/wdbc.csv", blocks, 4);
    cohort_run(&c);
    assert_false(c.report.converged);
    assert_non_null(strstr(c.report.failure, "set l2"));
    assert_non_null(strstr(c.report.failure, "separate"));
    cohort_close(&c);
}

static void retina(double l2, const double *expected, double log_loss,
                   double brier)
{
    struct cohort c = {.spec = cohort_spec("logistic", l2)};
    load(&c, "retina-debrecen/retina-prepared.csv", blocks, 5);
    cohort_run(&c);
    assert_string_equal(c.report.failure, "");
    for (size_t i = 0; i < 20; i++)
        assert_near(c.report.coefficients[i].estimate, expected[i], 1e-6);
    assert_near(c.report.train.log_loss, log_loss, 1e-9);
    assert_near(c.report.test.brier, brier, 1e-9);
    print_message("retina, l2 %g: %zu rounds\n", l2, c.rounds);
    cohort_close(&c);
}

static void retina_equals_its_references(void **unused)
{
    (void)unused;
    retina(1, retina_one, 0.507139924898, 0.1751640454);
    retina(0.01, retina_hundredth, 0.471342321709, 0.1677608117);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_hospitals_equal_the_pooled_fit),
        cmocka_unit_test(each_hospital_sees_its_own_gain),
        cmocka_unit_test(ridge_equals_its_reference_and_has_no_errors),
        cmocka_unit_test(raw_units_equal_r),
        cmocka_unit_test(breast_cancer_equals_its_reference),
        cmocka_unit_test(separated_breast_cancer_asks_for_a_ridge),
        cmocka_unit_test(retina_equals_its_references)};
    if (access(shared(""), R_OK) != 0) {
        print_message("no folder %s: skipped\n", shared(""));
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
