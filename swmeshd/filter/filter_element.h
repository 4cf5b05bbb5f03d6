/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An element of the filter's sets, and its key as nf_tables has it. */
#ifndef SWMESH_FILTER_ELEMENT_H
#define SWMESH_FILTER_ELEMENT_H

#include "ipaddr.h"
#include "typesafe.h"

#define FILTER_TABLE "swmesh"

enum filter_set {
	FILTER_SET_OPEN,      /* AFBR and protocol, in clear */
	FILTER_SET_PROTECTED, /* AFBR and protocol, out of IPsec */
	FILTER_SET_SOFTWIRES, /* devices */
	FILTER_SET_PAIRS,     /* devices of one AFBR: sent by, received by */
	FILTER_SET_OWN,	      /* device, and its AFBR's address */
	FILTER_SETS,
};

#define FILTER_SET_NAME_LEN 16
/* "open6": one name for each type, so that a change of the transit's family
 * meets no set of another type. Returns buf. */
const char *filter_set_name(enum filter_set set, int family,
			    char buf[FILTER_SET_NAME_LEN]);

/* An element of a set; which members count depends on the set. */
PREDECL_HASH(filter_elements);
PREDECL_DLIST(filter_todo);
struct filter_element {
	struct filter_elements_item item;
	struct filter_todo_item todo; /* while it is to be added or deleted */
	enum filter_set set;
	struct ipaddr addr;
	uint8_t protocol;
	int ifindex, ifindex2;

	bool wanted;	       /* by the mesh */
	bool stays;	       /* wanted, or kept for a while */
	bool installed;	       /* the kernel has it */
	bool found;	       /* ... and this run has never wanted it */
	bool listed;	       /* to be added or deleted */
	time_t unwanted_since; /* monotonic seconds; 0: wanted */
};
int filter_element_cmp(const struct filter_element *a,
		       const struct filter_element *b);
uint32_t filter_element_hash(const struct filter_element *e);
DECLARE_HASH(filter_elements, struct filter_element, item, filter_element_cmp,
	     filter_element_hash);
DECLARE_DLIST(filter_todo, struct filter_element, todo);

/* nft's word for the type of its keys; family: of the endpoints. */
const char *filter_set_type(enum filter_set set, int family);
/* A key as nf_tables has it: addresses in network byte order, indexes in the
 * host's, each part padded to four octets. */
#define FILTER_KEY_OCTETS 20
/* Returns its length. */
size_t filter_key_write(const struct filter_element *e, int family,
			uint8_t key[FILTER_KEY_OCTETS]);
/* Into e, of which the set is known. False: that is no key of the set. */
bool filter_key_read(struct filter_element *e, int family, const uint8_t *key,
		     size_t len);

#endif /* SWMESH_FILTER_ELEMENT_H */
