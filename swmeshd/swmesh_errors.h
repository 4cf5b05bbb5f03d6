/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Error references of swmeshd, for "show error" and the log. */
#ifndef SWMESH_ERRORS_H
#define SWMESH_ERRORS_H

#include "ferr.h"

/* FRR 8.4.4 uses 0x01 to 0x11 and 0xf1. */
#define SWMESH_FERR_START 0x53000001

enum swmesh_log_refs {
	EC_SWMESH_NETLINK_SOCKET = SWMESH_FERR_START,
	EC_SWMESH_NETLINK_DUMP,
	EC_SWMESH_NETLINK_OVERRUN,
	EC_SWMESH_DEVICE,
	EC_SWMESH_ROUTE,
	EC_SWMESH_BGP_VERSION,
	EC_SWMESH_BGP_ITEM,
	EC_SWMESH_GUARD_GONE,
	EC_SWMESH_FILTER,
	EC_SWMESH_FILTER_GONE,
	EC_SWMESH_VICI,
	EC_SWMESH_SECURITY,
	EC_SWMESH_CLEAR_REFUSED,
	EC_SWMESH_CHARON_HANGS,
};

/* Also begins the periods of lib/log_limit.h. */
void swmesh_errors_init(void);
void swmesh_errors_stop(void);

#endif /* SWMESH_ERRORS_H */
