/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Octets as hexadecimal text.
 */
#ifndef SWMESH_HEX_H
#define SWMESH_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The value of a digit, either case; -1: it is none. */
int hex_digit(char c);

/* Two digits an octet, either case; white space and colons may stand anywhere
 * between digits.  Returns octets written to buf, -1 if text holds anything
 * else or an odd number of digits, -2 if it holds more than cap octets. */
ssize_t hex_decode(const char *text, size_t text_len, uint8_t *buf, size_t cap);

/* Lower case, no separators, terminated; text must hold 2 * len + 1. */
void hex_encode(const uint8_t *octets, size_t len, char *text);

#endif /* SWMESH_HEX_H */
