/* A look at MessagePack bytes before the library unpacks them: five bytes may
 * declare 2^32 elements, and it would believe them. */

#ifndef GOSSIP_SCAN_H
#define GOSSIP_SCAN_H

#include <stddef.h>
#include <stdint.h>

/* 0 if bytes[size] are one element of the protocol's vocabulary (unsigned
 * integers, binaries, arrays), nested and declaring no more than any message
 * may; else -1. Reads no byte twice and none behind the end. */
int scan_check(const uint8_t *bytes, size_t size);

#endif
