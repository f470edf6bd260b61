#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gossip/forge.h"
#include "gossip/scan.h"

/* Bytes that were allocated since it was reset. Sanitizers have their own
 * allocator, and their own limit on what it grants. */
static size_t granted;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OTHER_ALLOCATOR
#endif
#endif
#ifndef OTHER_ALLOCATOR
#define COUNTS_MEMORY
extern void *__libc_malloc(size_t size);
void *malloc(size_t size);
void *malloc(size_t size)
{
    granted += size;
    return __libc_malloc(size);
}
#endif
#endif

static struct wire_message in, out;
static uint8_t body[GOSSIP_HEAD_MAX], head[GOSSIP_HEAD_MAX + 1];

/* Encodes `in` and parses it into `out`. */
static int round_trip(uint32_t members)
{
    uint8_t signature[IDENTITY_SIGNATURE_BYTES] = {9, 8, 7};
    size_t body_size, size;

    assert_int_equal(pack_body(body, sizeof body, &body_size, &in), 0);
    assert_int_equal(pack_head(head, GOSSIP_HEAD_MAX, &size, &in, body,
                               body_size, signature),
                     0);
    if (wire_parse(&out, head, size, members) != 0)
        return -1;
    assert_int_equal(out.type, in.type);
    assert_int_equal(out.round, in.round);
    assert_int_equal(out.attempt, in.attempt);
    assert_int_equal(out.sender, in.sender);
    assert_int_equal(out.parts, in.parts);
    assert_int_equal(out.body_size, body_size);
    assert_memory_equal(out.body, body, body_size);
    assert_memory_equal(out.signature, signature, sizeof signature);
    return 0;
}

static void start(enum wire_type type)
{
    memset(&in, 0, sizeof in);
    in.type = type;
    in.round = UINT64_C(0x1234567890);
    in.attempt = 300;
    in.sender = 2;
}

/* Bytes that differ from place to place, so that a swap shows. */
static void fill(void *bytes, size_t size, uint8_t from)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)bytes)[i] = (uint8_t)(from + 3 * i + i / 32);
}

static void fill_table(uint8_t *table, size_t width, uint64_t members)
{
    for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++)
        if (members >> i & 1)
            fill(table + i * width, width, (uint8_t)i);
}

/* The union's bytes of the message in use, all of them. */
#define assert_same(field)                                                     \
    assert_memory_equal(&in.field, &out.field, sizeof in.field)

static void start_keys(uint32_t members)
{
    start(WIRE_KEYS);
    fill(in.keys.epk, X25519_BYTES, 1);
    fill(in.keys.mpk, X25519_BYTES, 2);
    fill(in.keys.commit, GOSSIP_HASH_BYTES, 3);
    fill(in.keys.prepared, GOSSIP_HASH_BYTES, 4);
    in.keys.members = members;
    fill(in.keys.of_b, GOSSIP_HASH_BYTES * members, 5);
    fill(in.keys.of_msk, GOSSIP_HASH_BYTES * members, 6);
}

static void every_check_and_close_comes_back_as_it_went(void **state)
{
    (void)state;
    start(WIRE_CHECK);
    fill(in.check.cert, GOSSIP_HASH_BYTES, 1);
    in.check.slices = 0x15;
    fill_table(in.check.hashes[0], GOSSIP_HASH_BYTES, in.check.slices);
    assert_int_equal(round_trip(5), 0);
    assert_same(check);
    start(WIRE_CLOSE);
    assert_int_equal(round_trip(5), 0);
    start(WIRE_SETTLED);
    in.settled.members = 0x15;
    fill(in.settled.state, GOSSIP_HASH_BYTES, 1);
    fill(in.settled.hash, GOSSIP_HASH_BYTES, 2);
    assert_int_equal(round_trip(5), 0);
    assert_same(settled);
}

static void every_message_comes_back_as_it_went(void **state)
{
    (void)state;
    start(WIRE_HELLO);
    strcpy(in.hello.program, "0.1.0");
    fill(in.hello.charter, GOSSIP_HASH_BYTES, 1);
    in.hello.field_count = GOSSIP_FIELDS_MAX;
    for (int i = 0; i < GOSSIP_FIELDS_MAX; i++) {
        snprintf(in.hello.fields[i].name, GOSSIP_FIELD_NAME_SIZE, "task.f%d",
                 i);
        fill(in.hello.fields[i].hash, 8, (uint8_t)i);
    }
    assert_int_equal(round_trip(64), 0);
    assert_same(hello);
    start_keys(5);
    assert_int_equal(round_trip(5), 0);
    assert_same(keys);
    start(WIRE_SHARES);
    in.shares.to = 4;
    fill(in.shares.sealed, WIRE_SEALED_BYTES, 1);
    assert_int_equal(round_trip(5), 0);
    assert_same(shares);
    start(WIRE_ACK);
    in.ack.members = UINT64_MAX;
    fill_table(in.ack.keys[0], GOSSIP_HASH_BYTES, in.ack.members);
    assert_int_equal(round_trip(64), 0);
    assert_same(ack);
    start(WIRE_Y);
    in.parts = 5;
    in.y.members = 0x15;
    fill(in.y.hash_v, GOSSIP_HASH_BYTES, 1);
    fill(in.y.state, GOSSIP_HASH_BYTES, 2);
    fill_table(in.y.slices[0], GOSSIP_HASH_BYTES, in.y.members);
    assert_int_equal(round_trip(5), 0);
    assert_same(y);
    start(WIRE_DECLINE);
    in.decline.reason = GOSSIP_DECLINE_POLICY;
    assert_int_equal(round_trip(5), 0);
    assert_same(decline);
    start(WIRE_RECV);
    fill(in.recv.hash_v, GOSSIP_HASH_BYTES, 1);
    fill(in.recv.state, GOSSIP_HASH_BYTES, 2);
    in.recv.members = 0x1b;
    fill_table(in.recv.ys[0], GOSSIP_HASH_BYTES, in.recv.members);
    assert_int_equal(round_trip(5), 0);
    assert_same(recv);
    start(WIRE_UNMASK);
    fill(in.unmask.cert, GOSSIP_HASH_BYTES, 1);
    in.unmask.members = UINT64_C(1) << 63 | 1;
    fill_table(in.unmask.shares[0], SHAMIR_BYTES, in.unmask.members);
    assert_int_equal(round_trip(64), 0);
    assert_same(unmask);
    start(WIRE_SUM);
    in.sum.slice = 3;
    fill(in.sum.cert, GOSSIP_HASH_BYTES, 1);
    fill(in.sum.hash, GOSSIP_HASH_BYTES, 2);
    assert_int_equal(round_trip(5), 0);
    assert_same(sum);
    start(WIRE_STOP);
    in.stop.members = 0x11;
    assert_int_equal(round_trip(5), 0);
    assert_same(stop);
    for (int type = WIRE_DONE; type <= WIRE_STATE;
         type += WIRE_STATE - WIRE_DONE) {
        start((enum wire_type)type);
        fill(in.done.state, GOSSIP_HASH_BYTES, 1);
        assert_int_equal(round_trip(5), 0);
        assert_same(done);
    }
}

static void every_vote_and_value_comes_back_as_it_went(void **state)
{
    static const enum wire_type types[] = {WIRE_PROPOSE, WIRE_LOCK, WIRE_CERT};

    (void)state;
    for (int type = WIRE_PREPARE; type <= WIRE_COMMIT; type++) {
        start((enum wire_type)type);
        in.vote.kind = WIRE_U;
        in.vote.ballot = UINT32_MAX - 1;
        fill(in.vote.value, GOSSIP_HASH_BYTES, 1);
        assert_int_equal(round_trip(5), 0);
        assert_same(vote);
    }
    for (int i = 0; i < 3; i++)
        for (int kind = 0; kind < WIRE_KINDS; kind++) {
            start(types[i]);
            in.propose.kind = in.propose.value.kind = (enum wire_kind)kind;
            in.propose.ballot = 7;
            in.propose.quorum.ballot = 6;
            in.propose.quorum.members = UINT64_MAX;
            fill_table(in.propose.quorum.signatures[0],
                       IDENTITY_SIGNATURE_BYTES, UINT64_MAX);
            in.propose.value.members = UINT64_MAX;
            if (kind == WIRE_V)
                fill_table(in.propose.value.said[0], GOSSIP_HASH_BYTES,
                           UINT64_MAX);
            else
                fill(in.propose.value.hash_v, GOSSIP_HASH_BYTES, 1);
            fill(in.propose.value.state, GOSSIP_HASH_BYTES, 2);
            if (types[i] == WIRE_PROPOSE) {
                in.propose.evidence = UINT64_MAX;
                fill_table(in.propose.hashes[0], GOSSIP_HASH_BYTES, UINT64_MAX);
            }
            assert_int_equal(round_trip(64), 0);
            assert_same(propose);
        }
    start(WIRE_LOCK); /* without a lock there is no value */
    in.propose.ballot = 3;
    assert_int_equal(round_trip(5), 0);
    assert_same(propose);
    start(WIRE_WANT);
    fill(&in.want, sizeof in.want, 1);
    in.want.members = 64;
    in.want.finished = 1;
    in.want.proposed = 2;
    in.want.certified = 3;
    assert_int_equal(round_trip(64), 0);
    for (int j = 0; j < 64; j++)
        assert_int_equal(in.want.slices[j], out.want.slices[j]);
    for (int kind = 0; kind < WIRE_KINDS; kind++) {
        assert_int_equal(in.want.ballot[kind], out.want.ballot[kind]);
        assert_int_equal(in.want.prepares[kind], out.want.prepares[kind]);
        assert_int_equal(in.want.commits[kind], out.want.commits[kind]);
    }
    assert_int_equal(in.want.tick, out.want.tick);
    assert_int_equal(in.want.keys, out.want.keys);
    assert_int_equal(in.want.shares, out.want.shares);
    assert_int_equal(in.want.acks, out.want.acks);
    assert_int_equal(in.want.recvs, out.want.recvs);
    assert_int_equal(in.want.unmasks, out.want.unmasks);
    assert_int_equal(in.want.sums, out.want.sums);
    assert_int_equal(in.want.dones, out.want.dones);
    assert_int_equal(in.want.proposed, out.want.proposed);
    assert_int_equal(in.want.certified, out.want.certified);
    assert_int_equal(in.want.finished, out.want.finished);
}

/* Attack 20: members that the pod does not have. */
static void members_beyond_the_pod_are_malformed(void **state)
{
    (void)state;
    start(WIRE_STOP);
    in.stop.members = 16;
    assert_int_equal(round_trip(4), -1);
    assert_int_equal(round_trip(5), 0);
    start(WIRE_STOP);
    in.sender = 4;
    assert_int_equal(round_trip(4), -1);
    assert_int_equal(round_trip(5), 0);
    start(WIRE_STOP);
    in.parts = 16;
    assert_int_equal(round_trip(4), -1);
    start(WIRE_SHARES);
    in.shares.to = 4;
    assert_int_equal(round_trip(4), -1);
    start(WIRE_SUM);
    in.sum.slice = 4;
    assert_int_equal(round_trip(4), -1);
    start(WIRE_ACK);
    in.ack.members = 16;
    assert_int_equal(round_trip(4), -1);
    start(WIRE_DECLINE);
    in.decline.reason = GOSSIP_DECLINES;
    assert_int_equal(round_trip(4), -1);
    start(WIRE_WANT);
    in.want.members = 4;
    assert_int_equal(round_trip(5), -1); /* one element too few */
    assert_int_equal(round_trip(3), -1); /* one too many */
    in.type = (enum wire_type)WIRE_TYPES;
    assert_int_equal(round_trip(4), -1);
    in.type = (enum wire_type)0;
    assert_int_equal(round_trip(4), -1);
}

static void names_in_a_greeting_are_short_and_printable(void **state)
{
    (void)state;
    start(WIRE_HELLO);
    in.hello.field_count = 1;
    strcpy(in.hello.fields[0].name, "task.l2");
    assert_int_equal(round_trip(4), 0);
    strcpy(in.hello.fields[0].name, "task\033[2J");
    assert_int_equal(round_trip(4), -1);
    strcpy(in.hello.fields[0].name, "task\n");
    assert_int_equal(round_trip(4), -1);
    memset(in.hello.fields[0].name, 'x', GOSSIP_FIELD_NAME_SIZE - 1);
    assert_int_equal(round_trip(4), 0);
    start(WIRE_HELLO);
    strcpy(in.hello.program, "\xc3\xa9");
    assert_int_equal(round_trip(4), -1);
}

/* A body of our own making in a well-formed head. */
static int parse_body(enum wire_type type, const void *bytes, size_t size)
{
    uint8_t signature[IDENTITY_SIGNATURE_BYTES] = {0};
    size_t head_size;

    start(type);
    assert_int_equal(pack_head(head, GOSSIP_HEAD_MAX, &head_size, &in, bytes,
                               size, signature),
                     0);
    return wire_parse(&out, head, head_size, 5);
}

/* Malformed, and found so in little memory. */
static void assert_bounded(const uint8_t *bytes, size_t size)
{
    granted = 0;
    assert_int_equal(wire_parse(&out, bytes, size, 5), -1);
    assert_true(granted <= 2 * GOSSIP_HEAD_MAX);
}

/* Attack 23. */
static void a_message_bomb_costs_no_memory(void **state)
{
    static const struct {
        uint8_t bytes[16];
        size_t size;
    } bombs[] = {
        {{0xdd, 0xff, 0xff, 0xff, 0xff}, 5}, /* 2^32 elements */
        {{0xdd, 0x00, 0xff, 0xff, 0xff}, 5},
        {{0xdc, 0xff, 0xff}, 3},
        {{0xdf, 0xff, 0xff, 0xff, 0xff}, 5}, /* as a map */
        {{0x91, 0xdd, 0xff, 0xff, 0xff, 0xff}, 6},
        {{0x92, 0x01, 0xdd, 0x7f, 0xff, 0xff, 0xff}, 7},
        {{0xc6, 0xff, 0xff, 0xff, 0xff}, 5},    /* 4 GB of bytes */
        {{0xdb, 0xff, 0xff, 0xff, 0xff}, 5},    /* of text */
        {{0xc9, 0xff, 0xff, 0xff, 0xff, 1}, 6}, /* ext */
    };

    (void)state;
    assert_true(wire_parse(&out, bombs[0].bytes, 0, 5) == -1);
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
        assert_bounded(bombs[i].bytes, bombs[i].size);
        for (int type = 1; type < WIRE_TYPES; type++) {
            granted = 0;
            assert_int_equal(
                parse_body((enum wire_type)type, bombs[i].bytes, bombs[i].size),
                -1);
            assert_true(granted <= 2 * GOSSIP_HEAD_MAX);
        }
    }
}

/* Attack 23: every count is small, all of them together are not; and depth. */
static void many_small_counts_and_deep_nests_are_bounded(void **state)
{
    static uint8_t bytes[GOSSIP_HEAD_MAX];
    size_t size = 0;

    (void)state;
    bytes[size++] = 0xdc; /* 400 arrays of 100 elements */
    bytes[size++] = 400 >> 8;
    bytes[size++] = 400 & 0xff;
    for (int i = 0; i < 400; i++) {
        bytes[size++] = 0xdc;
        bytes[size++] = 0;
        bytes[size++] = 100;
        memset(bytes + size, 1, 100);
        size += 100;
    }
    assert_bounded(bytes, size);
    for (size_t depth = 1; depth < GOSSIP_HEAD_MAX; depth *= 2) {
        memset(bytes, 0x91, depth);
        bytes[depth] = 1;
        assert_bounded(bytes, depth + 1);
        assert_bounded(bytes, depth);
    }
}

/* Attack 23. */
static void oversized_truncated_and_trailing_bytes_are_malformed(void **state)
{
    uint8_t signature[IDENTITY_SIGNATURE_BYTES] = {0};
    size_t body_size, size;

    (void)state;
    memset(head, 0xc0, sizeof head);
    assert_int_equal(wire_parse(&out, head, sizeof head, 5), -1);
    for (int type = 1; type < WIRE_TYPES; type++) {
        start((enum wire_type)type);
        if (type == WIRE_WANT)
            in.want.members = 5;
        if (type == WIRE_KEYS)
            in.keys.members = 5;
        pack_body(body, sizeof body, &body_size, &in);
        pack_head(head, GOSSIP_HEAD_MAX, &size, &in, body, body_size,
                  signature);
        assert_int_equal(wire_parse(&out, head, size, 5), 0);
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *exact = pod_copy(head, cut);
            assert_int_equal(wire_parse(&out, exact, cut, 5), -1);
            free(exact);
        }
        head[size] = 0;
        assert_int_equal(wire_parse(&out, head, size + 1, 5), -1);
        body[body_size] = 0; /* one element more than the type has */
        body[0]++;
        if (body[0] != 0xdd) /* WANT's count does not stand in the tag */
            assert_int_equal(
                parse_body((enum wire_type)type, body, body_size + 1), -1);
    }
}

/* Attack 23: no message is that long, so what a longer head holds is not even
 * looked at. */
static void a_head_of_64_kib_is_read_and_a_longer_one_is_not(void **state)
{
    (void)state;
    assert_int_equal(GOSSIP_HEAD_MAX, 65536);
    granted = 0;
    assert_int_equal(wire_parse(&out, NULL, GOSSIP_HEAD_MAX + 1, 5), -1);
    assert_int_equal(wire_parse(&out, NULL, SIZE_MAX, 5), -1);
    assert_int_equal(granted, 0);
    memset(head, 1, sizeof head);
    assert_int_equal(wire_parse(&out, head, GOSSIP_HEAD_MAX, 5), -1);
#ifdef COUNTS_MEMORY
    assert_true(granted > 0);
#endif
}

/* `depth` arrays of one element in one another. */
static int scan_nest(size_t depth)
{
    uint8_t bytes[8];

    memset(bytes, 0x91, depth);
    bytes[depth] = 1;
    return scan_check(bytes, depth + 1);
}

/* One array that declares `count` elements, and has them. */
static int scan_array(uint16_t count)
{
    static uint8_t bytes[3 + 1024];

    memset(bytes, 1, sizeof bytes);
    bytes[0] = 0xdc;
    bytes[1] = (uint8_t)(count >> 8);
    bytes[2] = (uint8_t)count;
    return scan_check(bytes, 3 + (size_t)count);
}

/* Attack 23. */
static void four_arrays_deep_and_512_elements_are_the_most(void **state)
{
    /* 508 elements, the last an array of 4 or of 5 */
    static uint8_t bytes[3 + 508 + 5] = {0xdc, 508 >> 8, 508 & 0xff};
    const size_t last = 3 + 507;

    (void)state;
    assert_int_equal(scan_nest(4), 0);
    assert_int_equal(scan_nest(5), -1);
    assert_int_equal(scan_array(512), 0);
    assert_int_equal(scan_array(513), -1);
    bytes[last] = 0x94;
    assert_int_equal(scan_check(bytes, last + 1 + 4), 0);
    bytes[last] = 0x95;
    assert_int_equal(scan_check(bytes, last + 1 + 5), -1);
}

/* Attack 23: an ACK of two members with a table of so many bytes. */
static int parse_table(uint8_t size)
{
    static uint8_t bytes[4 + 255] = {0x92, 3, 0xc4};

    bytes[3] = size;
    return parse_body(WIRE_ACK, bytes, 4 + (size_t)size);
}

static void a_table_has_one_entry_for_each_member(void **state)
{
    (void)state;
    assert_int_equal(parse_table(2 * GOSSIP_HASH_BYTES), 0);
    assert_int_equal(parse_table(2 * GOSSIP_HASH_BYTES - 1), -1);
    assert_int_equal(parse_table(2 * GOSSIP_HASH_BYTES + 1), -1);
    assert_int_equal(parse_table(GOSSIP_HASH_BYTES), -1);
    assert_int_equal(parse_table(3 * GOSSIP_HASH_BYTES), -1);
}

static void a_full_buffer_is_told(void **state)
{
    size_t size;

    (void)state;
    start_keys(0);
    for (size_t capacity = 0; capacity < 141; capacity++) {
        uint8_t *exact = pod_copy(body, capacity);
        assert_int_not_equal(pack_body(exact, capacity, &size, &in), 0);
        assert_true(size <= capacity);
        free(exact);
    }
    assert_int_equal(pack_body(body, 141, &size, &in), 0);
    assert_int_equal(size, 141);
}

static void a_values_hash_says_all_of_it(void **state)
{
    static struct wire_value v;
    uint8_t first[GOSSIP_HASH_BYTES], other[GOSSIP_HASH_BYTES];

    (void)state;
    v.kind = WIRE_V;
    v.members = 7;
    fill_table(v.said[0], GOSSIP_HASH_BYTES, v.members);
    wire_value_hash(first, &v);
    v.said[2][31] ^= 1;
    wire_value_hash(other, &v);
    assert_memory_not_equal(first, other, sizeof first);
    v.said[2][31] ^= 1;
    v.state[0] ^= 1;
    wire_value_hash(other, &v);
    assert_memory_not_equal(first, other, sizeof first);
    v.state[0] ^= 1;
    v.members = 15;
    wire_value_hash(other, &v);
    assert_memory_not_equal(first, other, sizeof first);
    v.members = 7;
    v.kind = WIRE_U;
    wire_value_hash(first, &v);
    v.hash_v[9] ^= 1;
    wire_value_hash(other, &v);
    assert_memory_not_equal(first, other, sizeof first);
}

/* Attack 7: what a signature is bound to. */
static void ctx_differs_for_everything_that_it_names(void **state)
{
    static struct gossip_config c;
    uint8_t first[GOSSIP_HASH_BYTES], other[GOSSIP_HASH_BYTES];
    uint8_t *names[] = {c.network, c.roster, c.charter};

    (void)state;
    wire_ctx(first, &c, 1, 2);
    for (int i = 0; i < 3; i++) {
        names[i][7] ^= 1;
        wire_ctx(other, &c, 1, 2);
        names[i][7] ^= 1;
        assert_memory_not_equal(first, other, sizeof first);
    }
    wire_ctx(other, &c, 2, 2);
    assert_memory_not_equal(first, other, sizeof first);
    wire_ctx(other, &c, 1, 3);
    assert_memory_not_equal(first, other, sizeof first);
    wire_ctx(other, &c, 2, 1);
    assert_memory_not_equal(first, other, sizeof first);
    wire_ctx(other, &c, 1, 2);
    assert_memory_equal(first, other, sizeof first);
    for (int a = 1; a < WIRE_TYPES; a++)
        for (int b = 1; b < a; b++)
            assert_string_not_equal(wire_domain((enum wire_type)a),
                                    wire_domain((enum wire_type)b));
    assert_string_equal(wire_name(WIRE_KEYS), "KEYS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_comes_back_as_it_went),
        cmocka_unit_test(every_check_and_close_comes_back_as_it_went),
        cmocka_unit_test(every_vote_and_value_comes_back_as_it_went),
        cmocka_unit_test(members_beyond_the_pod_are_malformed),
        cmocka_unit_test(names_in_a_greeting_are_short_and_printable),
        cmocka_unit_test(a_message_bomb_costs_no_memory),
        cmocka_unit_test(many_small_counts_and_deep_nests_are_bounded),
        cmocka_unit_test(oversized_truncated_and_trailing_bytes_are_malformed),
        cmocka_unit_test(a_head_of_64_kib_is_read_and_a_longer_one_is_not),
        cmocka_unit_test(four_arrays_deep_and_512_elements_are_the_most),
        cmocka_unit_test(a_table_has_one_entry_for_each_member),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(a_values_hash_says_all_of_it),
        cmocka_unit_test(ctx_differs_for_everything_that_it_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
