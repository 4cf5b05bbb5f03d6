// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sets of the table, and an element of one: as the hash of all elements
 * compares it, and as nf_tables has its key. No input, no output.
 */
#include <zebra.h>

#include "jhash.h"

#include "swmeshd/filter/filter_element.h"

enum part { PART_NONE, PART_ADDR, PART_PROTOCOL, PART_IFINDEX, PART_IFINDEX2 };

static const struct {
	const char *name;
	bool by_family; /* has the endpoints' addresses: a set for each */
	const char *type4, *type6;
	enum part parts[2]; /* of a key, as the type has them */
} sets[FILTER_SETS] = {
	[FILTER_SET_OPEN] = {"open",
			     true,
			     "ipv4_addr . inet_proto",
			     "ipv6_addr . inet_proto",
			     {PART_ADDR, PART_PROTOCOL}},
	[FILTER_SET_PROTECTED] = {"protected",
				  true,
				  "ipv4_addr . inet_proto",
				  "ipv6_addr . inet_proto",
				  {PART_ADDR, PART_PROTOCOL}},
	[FILTER_SET_SOFTWIRES] = {"softwires",
				  false,
				  "iface_index",
				  "iface_index",
				  {PART_IFINDEX}},
	[FILTER_SET_PAIRS] = {"pairs",
			      false,
			      "iface_index . iface_index",
			      "iface_index . iface_index",
			      {PART_IFINDEX, PART_IFINDEX2}},
	[FILTER_SET_OWN] = {"own",
			    true,
			    "iface_index . ipv4_addr",
			    "iface_index . ipv6_addr",
			    {PART_IFINDEX, PART_ADDR}},
};

int filter_element_cmp(const struct filter_element *a,
		       const struct filter_element *b)
{
	int diff = numcmp(a->set, b->set);

	if (!diff)
		diff = numcmp(a->ifindex, b->ifindex);
	if (!diff)
		diff = numcmp(a->ifindex2, b->ifindex2);
	if (!diff)
		diff = numcmp(a->protocol, b->protocol);
	return diff ? diff : ipaddr_cmp(&a->addr, &b->addr);
}

uint32_t filter_element_hash(const struct filter_element *e)
{
	uint32_t h = jhash_3words(e->set << 8 | e->protocol, e->ifindex,
				  e->ifindex2, 0x53574654);

	return jhash(&e->addr.ip, IS_IPADDR_V4(&e->addr) ? 4 : 16, h);
}

const char *filter_set_name(enum filter_set set, int family,
			    char buf[FILTER_SET_NAME_LEN])
{
	snprintf(buf, FILTER_SET_NAME_LEN, "%s%s", sets[set].name,
		 !sets[set].by_family ? ""
		 : family == AF_INET  ? "4"
				      : "6");
	return buf;
}

const char *filter_set_type(enum filter_set set, int family)
{
	return family == AF_INET ? sets[set].type4 : sets[set].type6;
}

/* ---- keys ---- */

static void *field(struct filter_element *e, enum part part, int family,
		   size_t *octets)
{
	switch (part) {
	case PART_ADDR:
		*octets = family == AF_INET ? 4 : 16;
		return &e->addr.ip;
	case PART_PROTOCOL:
		*octets = sizeof(e->protocol);
		return &e->protocol;
	case PART_IFINDEX:
		*octets = sizeof(e->ifindex);
		return &e->ifindex;
	case PART_IFINDEX2:
		*octets = sizeof(e->ifindex2);
		return &e->ifindex2;
	case PART_NONE:
		break;
	}
	*octets = 0;
	return NULL;
}

/* nf_tables keeps each part in registers of four octets. */
static size_t padded(size_t octets)
{
	return (octets + 3) & ~(size_t)3;
}

size_t filter_key_write(const struct filter_element *e, int family,
			uint8_t key[FILTER_KEY_OCTETS])
{
	struct filter_element copy = *e;
	size_t at = 0, octets;
	const void *from;

	memset(key, 0, FILTER_KEY_OCTETS);
	for (unsigned int i = 0; i < array_size(sets[e->set].parts); i++) {
		from = field(&copy, sets[e->set].parts[i], family, &octets);
		if (from)
			memcpy(key + at, from, octets);
		at += padded(octets);
	}
	return at;
}

bool filter_key_read(struct filter_element *e, int family, const uint8_t *key,
		     size_t len)
{
	size_t at = 0, octets;
	void *to;

	if (sets[e->set].by_family)
		e->addr.ipa_type = family == AF_INET ? IPADDR_V4 : IPADDR_V6;
	for (unsigned int i = 0; i < array_size(sets[e->set].parts); i++) {
		to = field(e, sets[e->set].parts[i], family, &octets);
		if (len - at < padded(octets))
			return false;
		if (to)
			memcpy(to, key + at, octets);
		at += padded(octets);
	}
	return at == len;
}
