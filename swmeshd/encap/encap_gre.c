// SPDX-License-Identifier: GPL-2.0-or-later
/* GRE (RFC 2784), with a key if the receiver asks for one (RFC 2890). */
#include <zebra.h>

#include "lib/tea.h"
#include "swmeshd/encap/encap.h"

#define GRE_LEN 4
#define GRE_CHECKSUM_LEN 4 /* with what is reserved */
#define GRE_KEY_LEN 4
/* Of the first two octets. */
#define GRE_HAS_CHECKSUM 0x8000
#define GRE_HAS_KEY 0x2000

static unsigned int protocols(uint8_t payload, uint8_t out[ENCAP_PROTOCOLS_MAX])
{
	out[0] = IPPROTO_GRE;
	return 1;
}

static unsigned int header(bool has_key)
{
	return GRE_LEN + (has_key ? GRE_KEY_LEN : 0);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static bool read_key(const uint8_t *packet, size_t len, bool *has,
		     uint32_t *key)
{
	uint16_t flags;
	size_t at = GRE_LEN;

	if (len < GRE_LEN)
		return false;
	flags = packet[0] << 8 | packet[1];
	*has = flags & GRE_HAS_KEY;
	*key = 0;
	if (!*has)
		return true;
	if (flags & GRE_HAS_CHECKSUM)
		at += GRE_CHECKSUM_LEN;
	if (len < at + GRE_KEY_LEN)
		return false;
	*key = get32(packet + at);
	return true;
}

const struct encap encap_gre = {
	.type = TEA_TYPE_GRE,
	.keyed = true,
	.protocols = protocols,
	.header = header,
	.read_key = read_key,
};
