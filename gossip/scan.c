#include "gossip/scan.h"

#include <stdbool.h>

enum {
    DEPTH_MAX = 4,  /* head, body, quorum, its list */
    ITEMS_MAX = 512 /* declared elements in one head, over all arrays */
};

static bool big_endian(const uint8_t **at, const uint8_t *end, int bytes,
                       uint64_t *value)
{
    if (end - *at < bytes)
        return false;
    for (*value = 0; bytes > 0; bytes--)
        *value = *value << 8 | *(*at)++;
    return true;
}

/* One element's header: unsigned integers, nil, binaries and arrays are the
 * whole vocabulary of the protocol; texts travel as binaries. */
static bool scan_header(const uint8_t **at, const uint8_t *end, uint32_t *items,
                        size_t *skip)
{
    uint64_t n = 0;

    *items = 0;
    *skip = 0;
    if (*at == end)
        return false;
    uint8_t tag = *(*at)++;
    if (tag <= 0x7f)
        return true;
    if ((tag & 0xf0) == 0x90) {
        *items = tag & 0x0f;
        return true;
    }
    if (tag >= 0xcc && tag <= 0xcf) {
        *skip = (size_t)1 << (tag - 0xcc);
        return true;
    }
    if (tag >= 0xc4 && tag <= 0xc6) {
        if (!big_endian(at, end, 1 << (tag - 0xc4), &n))
            return false;
        *skip = (size_t)n;
        return true;
    }
    if (tag == 0xdc || tag == 0xdd) {
        if (!big_endian(at, end, tag == 0xdc ? 2 : 4, &n))
            return false;
        *items = (uint32_t)n;
        return true;
    }
    return false;
}

/* Bounds nesting and the total of declared counts before anything is unpacked:
 * five bytes may declare 2^32 elements, and the library believes them. */
int scan_check(const uint8_t *bytes, size_t size)
{
    const uint8_t *at = bytes, *end = bytes + size;
    uint32_t left[DEPTH_MAX + 1] = {1};
    uint32_t total = 0;
    int depth = 0;

    while (depth >= 0) {
        if (left[depth] == 0) {
            depth--;
            continue;
        }
        uint32_t items;
        size_t skip;
        left[depth]--;
        if (!scan_header(&at, end, &items, &skip))
            return -1;
        if (skip > (size_t)(end - at))
            return -1;
        at += skip;
        if (items == 0)
            continue;
        if (items > ITEMS_MAX - total || depth == DEPTH_MAX)
            return -1;
        total += items;
        left[++depth] = items;
    }
    return at == end ? 0 : -1;
}
