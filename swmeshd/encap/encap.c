// SPDX-License-Identifier: GPL-2.0-or-later
/* The row of encapsulations; see encap/encap.h. */
#include <zebra.h>

#include "lib/tea.h"
#include "swmeshd/encap/encap.h"

const struct encap *const encaps[] = {&encap_gre, &encap_ipip, NULL};

static bool is_of(const struct encap *encap, uint16_t type)
{
	if (encap->type == type)
		return true;
	for (const uint16_t *other = encap->stands_for; *other; other++)
		if (*other == type)
			return true;
	return false;
}

uint64_t encap_types(void)
{
	uint64_t types = 0;

	for (const struct encap *const *e = encaps; *e; e++) {
		types |= TEA_TYPE_BIT((*e)->type);
		for (const uint16_t *other = (*e)->stands_for; *other; other++)
			types |= TEA_TYPE_BIT(*other);
	}
	return types;
}

const struct encap *encap_find(uint16_t type)
{
	for (const struct encap *const *e = encaps; *e; e++)
		if (is_of(*e, type))
			return *e;
	return NULL;
}

const struct encap *encap_of_protocol(uint8_t protocol)
{
	uint8_t protocols[ENCAP_PROTOCOLS_MAX];
	unsigned int n;

	for (const struct encap *const *e = encaps; *e; e++) {
		n = (*e)->protocols(PAYLOAD_ALL, protocols);
		while (n--)
			if (protocols[n] == protocol)
				return *e;
	}
	return NULL;
}
