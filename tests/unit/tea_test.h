/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the Tunnel Encapsulation codec share: attributes written
 * in hex, with spaces where a reader wants them.
 */
#ifndef SWMESH_TEA_TEST_H
#define SWMESH_TEA_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/hex.h"
#include "lib/tea.h"

/* A Tunnel Egress Endpoint (RFC 9012 section 3.1): type 6, length, reserved,
 * address family, address. */
#define EP_NEXT_HOP "06 06 00000000 0000 "
#define EP_IPV4 "06 0a 00000000 0001 0a000001 "
#define EP_IPV6 "06 16 00000000 0002 fd000000000000000000000000000001 "

#define ALL_TYPES UINT64_MAX

struct octets {
	uint8_t at[8192];
	size_t len;
};

static inline struct octets octets_of(const char *hex)
{
	struct octets o;
	ssize_t len = hex_decode(hex, strlen(hex), o.at, sizeof(o.at));

	if (len < 0)
		fail_msg("not hex: %s", hex);
	o.len = (size_t)len;
	return o;
}

/* A tunnel TLV around sub-TLVs, its length filled in. */
static inline struct octets tlv_of(uint16_t type, const char *subs)
{
	struct octets body = octets_of(subs), tlv;
	struct wire_writer w = wire_writer_of(tlv.at, sizeof(tlv.at));

	wire_put_u16(&w, type);
	wire_put_u16(&w, (uint16_t)body.len);
	wire_put_bytes(&w, body.at, body.len);
	assert_false(w.failed);
	tlv.len = w.len;
	return tlv;
}

static inline void assert_octets(const uint8_t *at, size_t len, const char *hex)
{
	struct octets want = octets_of(hex);

	assert_int_equal(len, want.len);
	assert_memory_equal(at, want.at, len);
}

/* What holds for every accepted attribute: encoding gives it back, and what is
 * passed on is accepted whole and passed on the same by the next router. */
static inline void assert_stable(const struct tea *tea,
				 const struct tea_opts *opts)
{
	static uint8_t again[TEA_MAX_LEN];
	struct tea next;

	assert_int_equal(tea_encode(tea, again, sizeof(again)), tea->wire_len);
	assert_memory_equal(again, tea->wire, tea->wire_len);
	assert_int_equal(
		tea_decode(tea->propagate, tea->propagate_len, opts, &next),
		TEA_ACCEPT);
	assert_true(tea_equal(&next, tea));
	tea_free(&next);
}

#endif /* SWMESH_TEA_TEST_H */
