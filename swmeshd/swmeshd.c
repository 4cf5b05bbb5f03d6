// SPDX-License-Identifier: GPL-2.0-or-later
/* What the parts of swmeshd share; see swmeshd.h. */
#include <zebra.h>

#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd");

struct thread_master *master;
struct mesh *swmesh;
unsigned int swmesh_grace = SWMESH_GRACE_DEFAULT;

static zebra_capabilities_t caps[] = {ZCAP_NET_ADMIN, ZCAP_NET_RAW};

struct zebra_privs_t swmesh_privs = {
#if defined(FRR_USER) && defined(FRR_GROUP)
	.user = FRR_USER,
	.group = FRR_GROUP,
#endif
#ifdef VTY_GROUP
	.vty_group = VTY_GROUP,
#endif
	.caps_p = caps,
	.cap_num_p = array_size(caps),
	.cap_num_i = 0,
};
