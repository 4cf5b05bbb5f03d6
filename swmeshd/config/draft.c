// SPDX-License-Identifier: GPL-2.0-or-later
/* A configuration as a whole; see config/draft.h. */
#include <zebra.h>

#include "swmeshd/config/draft.h"
#include "swmeshd/swmeshd.h"

void draft_init(struct draft *draft)
{
	memset(draft, 0, sizeof(*draft));
	encap_sets_init(&draft->sets);
	securities_init(&draft->securities);
}

void draft_clear(struct draft *draft)
{
	encap_sets_del_all(&draft->sets);
	encap_sets_fini(&draft->sets);
	securities_clear(&draft->securities);
	securities_fini(&draft->securities);
}

bool config_security_uses(
	const struct mesh_config *config, struct encap_sets_head *sets,
	bool (*each)(const char *name, const char *user, void *arg), void *arg)
{
	const struct encap_tunnel *et;
	const struct encap_set *set;
	char user[ENCAP_NAME_LEN + 32];

	frr_each (encap_sets_const, sets, set) {
		snprintf(user, sizeof(user), "encap-set %s", set->name);
		if (set->security[0] && !each(set->security, user, arg))
			return false;
		frr_each (encap_tunnels_const, &set->tunnels, et) {
			if (!et->security[0] ||
			    !strcmp(et->security, SECURITY_NONE))
				continue;
			snprintf(user, sizeof(user), "encap-set %s: tunnel %u",
				 set->name, et->preference);
			if (!each(et->security, user, arg))
				return false;
		}
	}
	return !config->protect_bgp.security[0] ||
	       each(config->protect_bgp.security, "protect bgp", arg);
}

static bool other_name(const char *name, const char *user, void *arg)
{
	return strcmp(name, arg) != 0;
}

bool config_security_used(const struct mesh_config *config,
			  struct encap_sets_head *sets, const char *name)
{
	return !config_security_uses(config, sets, other_name, (void *)name);
}
