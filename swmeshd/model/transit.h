/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which ways lead through the transit core. A remote AFBR is on the other side
 * of the core (RFC 5565 section 2); an endpoint that is reached through an
 * island would have us send there, and let in what a host there sends. The rule
 * by itself, without I/O: talk/way.c knows routes, interfaces and
 * prefix-lists.
 */
#ifndef SWMESH_TRANSIT_H
#define SWMESH_TRANSIT_H

#include "if.h"
#include "prefix.h"

struct ipaddr;

#define TRANSIT_INTERFACES_MAX 64
#define TRANSIT_LIST_NAME_LEN 128 /* as frr-filter.yang has it */

/* As configured. */
struct transit_config {
	/* The core is behind these and no other ones; none: see
	 * transit_island_address(). */
	unsigned int n_interfaces;
	char interface[TRANSIT_INTERFACES_MAX][INTERFACE_NAMSIZ];
	/* What permits the endpoints of AFBRs; empty: all may be. */
	char prefix_list[TRANSIT_LIST_NAME_LEN + 1];
};

/* An interface by which packets to an endpoint leave. */
struct transit_leg {
	char ifname[INTERFACE_NAMSIZ]; /* empty: there is none of its index */
	bool foreign;  /* not in the default VRF, so its addresses are not known
			*/
	bool loopback; /* or a VRF's own device */
	struct prefix island; /* an address of the islands; family 0: none */
};

enum transit_verdict {
	TRANSIT_CORE,
	TRANSIT_NOT_LISTED,   /* the prefix-list does not permit the endpoint */
	TRANSIT_NO_LIST,      /* there is no such prefix-list */
	TRANSIT_NO_INTERFACE, /* the interface is not known */
	TRANSIT_FOREIGN,
	TRANSIT_LOOPBACK,
	TRANSIT_ISLAND,	   /* the interface is an island's */
	TRANSIT_NOT_NAMED, /* ... or no 'transit interface' */
};

/* What is wrong with a way; all zero: nothing. Compared as octets. */
struct transit_fault {
	enum transit_verdict verdict;
	char ifname[INTERFACE_NAMSIZ];
	char island[PREFIX2STR_BUFFER]; /* of TRANSIT_ISLAND */
};

/*
 * Whether an address of an interface tells that an island is there: it is of
 * the family that the core does not have, and more than link-local. core:
 * AF_INET or AF_INET6.
 */
bool transit_island_address(const struct prefix *address, int core);

/* Judge one more leg: a fault that was found before stays. All legs of a way
 * have to comply, since packets may take any. */
void transit_judge(const struct transit_config *config,
		   const struct transit_leg *leg, struct transit_fault *fault);

/* Text for an operator; empty: no fault. buf is returned. */
const char *transit_reason(const struct transit_config *config,
			   const struct transit_fault *fault,
			   const struct ipaddr *endpoint, char *buf,
			   size_t len);

#endif /* SWMESH_TRANSIT_H */
