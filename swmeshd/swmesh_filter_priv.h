/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between swmesh_filter.c, which knows what the table is to be and when,
 * swmesh_filter_elements.c, which knows what is in its sets,
 * swmesh_filter_text.c, which says it in nft's words, and swmesh_filter_nft.c,
 * which gives it to the kernel and sees who else touches it.
 */
#ifndef SWMESH_FILTER_PRIV_H
#define SWMESH_FILTER_PRIV_H

#include "typesafe.h"

#include "swmeshd/swmesh_filter.h"

#define FILTER_TABLE "swmesh"

/* ---- swmesh_filter_text.c ---- */

/* Commands for nft; grows up to a bound, then `full` and nothing is added. */
struct filter_text {
	char *data; /* NUL-terminated; NULL: empty */
	size_t len, cap;
	bool full;
};

void filter_text_free(struct filter_text *text);

enum filter_protocol {
	FILTER_PROTO_IPIP = 0x1, /* 4 */
	FILTER_PROTO_IPV6 = 0x2, /* 41 */
	FILTER_PROTO_GRE = 0x4,	 /* 47 */
};

/* What the rules depend on; compared as memory. */
struct filter_shape {
	struct ipaddr source;
	uint32_t protected; /* enum filter_protocol: what never is in clear */
	enum anti_spoof anti_spoof;
	bool log;
	uint32_t log_rate; /* lines a minute */
};

enum filter_set {
	FILTER_SET_OPEN,      /* AFBR and protocol, in clear */
	FILTER_SET_PROTECTED, /* AFBR and protocol, out of IPsec */
	FILTER_SET_SOFTWIRES, /* devices */
	FILTER_SET_PAIRS,     /* devices of one AFBR: sent by, received by */
	FILTER_SET_OWN,	      /* device, and its AFBR's address */
	FILTER_SETS,
};

/* An element of a set; which members count depends on the set. */
PREDECL_HASH(filter_elements);
struct filter_element {
	struct filter_elements_item item;
	enum filter_set set;
	struct ipaddr addr;
	uint8_t protocol;
	int ifindex, ifindex2;

	bool wanted;
	bool installed;
	bool put;	       /* into the commands under way */
	time_t unwanted_since; /* monotonic seconds; 0: wanted */
};
int filter_element_cmp(const struct filter_element *a,
		       const struct filter_element *b);
uint32_t filter_element_hash(const struct filter_element *e);
DECLARE_HASH(filter_elements, struct filter_element, item, filter_element_cmp,
	     filter_element_hash);

/* Remove the table, whether it is there or not. */
void filter_text_remove(struct filter_text *text);
/* The table with counters (left as they are), sets and rules, in one
 * transaction; `flush`: sets are emptied first. */
void filter_text_table(struct filter_text *text,
		       const struct filter_shape *shape, bool flush);

/* Elements of one kind: begin, add each, end. family: of the endpoints. */
void filter_text_elements(struct filter_text *text, const char *verb,
			  enum filter_set set, int family);
void filter_text_element(struct filter_text *text,
			 const struct filter_element *e, bool first);
void filter_text_end(struct filter_text *text);

/* ---- swmesh_filter_elements.c ---- */

/* Devices outlive their softwires by a little less, to receive what the AFBR
 * has sent on the way. */
#define FILTER_LINGER_S 4

/* Find anew what the mesh asks for. True: some is kept for FILTER_LINGER_S
 * although it no longer asks for it. */
bool filter_elements_want(struct mesh *mesh);
/* Elements to add as commands, set by set: all that the mesh asks for. */
void filter_elements_put_all(struct filter_text *text, int family);
/* Those to add that the kernel has not, and those to delete; at most max of
 * them. False: there is none. */
bool filter_elements_put_changes(struct filter_text *text, int family,
				 unsigned int max);
/* The kernel has carried out what was put. False: some are left to be put. */
bool filter_elements_done(void);
void filter_elements_clear(void);
/* The kernel has all that lets in what the AFBR sends by this softwire. */
bool filter_elements_in(const struct softwire *sw);

/* ---- swmesh_filter_nft.c ---- */

/* Carry out commands, all of them or none. */
bool filter_nft_run(const char *commands, char *err, size_t len);
/* The same, and what they print as JSON; to be freed with free(). */
char *filter_nft_list(const char *commands, char *err, size_t len);
/* The kernel certainly has no such table. */
bool filter_nft_absent(void);
/* While there are descriptors: keeps some. */
void filter_nft_init(void);
void filter_nft_stop(void);

/* Somebody else changed the table; who: text. Called from the event loop. */
extern void (*filter_nft_touched)(const char *who);

#endif /* SWMESH_FILTER_PRIV_H */
