// SPDX-License-Identifier: GPL-2.0-or-later
/* What operators are told of a peer that is not protected: its softwires'
 * reason, its own in "show softwire security", and the log. */
#include <zebra.h>

#include "monotime.h"
#include "printfrr.h"

#include "lib/log_limit.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/ike/ike_peer.h"
#include "swmeshd/swmeshd.h"

static void tell_error(struct ike_peer *peer, const char *text)
{
	struct ike_user *user;

	strlcpy(peer->error, text, sizeof(peer->error));
	peer->error_at = monotime(NULL);
	frr_each_safe (ike_users, &peer->users, user)
		if (!user->up)
			softwire_event(user->sw, SOFTWIRE_EV_SA_FAILED, text);
}

/* Some of these texts others can make us say. */
void ike_peer_error(struct ike_peer *peer, const char *text)
{
	if (strcmp(peer->error, text))
		zlog_warn_limited(log_limit_key(text) ^ (uintptr_t)peer,
				  "ike: AFBR %pIA: %s", &peer->addr, text);
	tell_error(peer, text);
}

void ike_peer_note(struct ike_peer *peer, const char *text)
{
	DEBUGD(&swmesh_dbg_ike, "ike: AFBR %pIA: %s", &peer->addr, text);
	tell_error(peer, text);
}
