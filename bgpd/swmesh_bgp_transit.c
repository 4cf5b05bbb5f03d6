// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attribute 23 inside struct transit, where bgpd keeps attributes that it does
 * not know, octet for octet (T1-T11 unchanged).
 */

#include <zebra.h>

#include "bgpd/bgpd.h"
#include "bgpd/bgp_attr.h"
#include "bgpd/bgp_memory.h"

#include "bgpd/swmesh_bgp.h"

bool swmesh_transit_find(const struct transit *transit,
			 struct swmesh_found *found)
{
	size_t at = 0;
	struct tea_attr attr;

	if (!transit)
		return false;
	while (tea_attr_read(transit->val + at, transit->length - at, &attr)) {
		if (attr.type == TEA_ATTR_TYPE) {
			found->value = attr.value;
			found->len = attr.len;
			found->total = attr.total;
			return true;
		}
		at += attr.total;
	}
	return false;
}

static struct transit *transit_new(size_t size)
{
	struct transit *transit = XCALLOC(MTYPE_TRANSIT, sizeof(*transit));

	transit->val = XMALLOC(MTYPE_TRANSIT_VAL, size);
	return transit;
}

void swmesh_transit_free(struct transit *transit)
{
	XFREE(MTYPE_TRANSIT_VAL, transit->val);
	XFREE(MTYPE_TRANSIT, transit);
}

static void transit_add(struct transit *transit, const uint8_t *attr,
			size_t len)
{
	memcpy(transit->val + transit->length, attr, len);
	transit->length += len;
}

struct transit *swmesh_transit_replace(const struct transit *from,
				       const uint8_t *tea, size_t len)
{
	size_t from_len = from ? (size_t)from->length : 0;
	struct transit *to = transit_new(from_len + len + 1);
	size_t at = 0;
	struct tea_attr attr;

	while (from && tea_attr_read(from->val + at, from_len - at, &attr)) {
		if (attr.type != TEA_ATTR_TYPE)
			transit_add(to, from->val + at, attr.total);
		at += attr.total;
	}
	if (len)
		transit_add(to, tea, len);
	if (to->length)
		return to;
	swmesh_transit_free(to);
	return NULL;
}
