/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between filter/filter.c, which knows what the table is to be and when,
 * filter/filter_elements.c, which knows what is in its sets,
 * filter/filter_text.c, which says the rules in nft's words,
 * filter/filter_nft.c, which gives these to the kernel and sees who else
 * touches the table, and filter/filter_change.c and filter/filter_read.c, which
 * give the kernel elements and read those that it has.
 */
#ifndef SWMESH_FILTER_PRIV_H
#define SWMESH_FILTER_PRIV_H

#include "typesafe.h"

#include "swmeshd/filter/filter.h"

#define FILTER_TABLE "swmesh"

/* ---- filter/filter_text.c ---- */

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

/* ---- filter/filter_element.c ---- */

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

/* Remove the table, whether it is there or not. */
void filter_text_remove(struct filter_text *text);
/* The table with counters and sets, which stay as they are if they are there;
 * no rules. */
void filter_text_sets(struct filter_text *text, int family);
/* The whole, in one transaction whose size does not depend on the number of
 * AFBRs: counters and sets as above, and rules in the place of those that are
 * there. */
void filter_text_table(struct filter_text *text,
		       const struct filter_shape *shape);

/* ---- filter/filter_elements.c ---- */

/* Devices outlive their softwires by a little less, to receive what the AFBR
 * has sent on the way. */
#define FILTER_LINGER_S 4

/* Find anew what the mesh asks for, and what is to be done for it, AFBR by
 * AFBR; adopt: what was found stays. True: some is kept for FILTER_LINGER_S
 * although the mesh no longer asks for it. */
bool filter_elements_want(struct mesh *mesh, bool adopt);
/* Begin a change with what is to be done, at most max elements; returns how
 * many. */
unsigned int filter_elements_put(int family, unsigned int max);
/* The kernel has carried out what was put. False: some are left to be put. */
bool filter_elements_done(void);
/* The sets are empty, or what is in them is not known and about to be found.
 * Wants are to be found anew afterwards. */
void filter_elements_unknown(void);
void filter_elements_found(const struct filter_element *key);
void filter_elements_clear(void);
/* The kernel has all that lets in what the AFBR sends by this softwire. */
bool filter_elements_in(const struct softwire *sw);

/* ---- filter/filter_sock.c ---- */

struct mnl_socket;
struct nlmsghdr;

/* linux/netfilter.h goes ill with the C library's headers. */
#define FILTER_FAMILY_INET 1 /* NFPROTO_INET */

/* Unless it is open. False: with errno. */
bool filter_sock_open(struct mnl_socket **sock);
/* False: with errno. */
bool filter_sock_send(struct mnl_socket *sock, const void *data, size_t len);
/* Of the next request, for all of these sockets. */
uint32_t filter_sock_seq(void);
/* Write the headers of a message, for family inet. Returns it; attributes are
 * put after them. */
struct nlmsghdr *filter_sock_message(void *to, uint16_t type, uint16_t flags,
				     uint32_t seq);

/* ---- filter/filter_change.c ---- */

/* All elements of a change are in one transaction: so many would not fit into
 * the socket's buffer, or, of one set, into an attribute. */
#define FILTER_CHANGE_MAX 1024u

/* Begin a change, and put elements into it that are to be added or deleted:
 * FILTER_CHANGE_MAX at most, those of one set and kind together. */
void filter_change_begin(void);
void filter_change_put(bool add, const struct filter_element *e, int family);
/* Carry it out, all of it or nothing. There must be something in it. */
bool filter_change_commit(char *err, size_t len);
/* Have the socket for it. False: with errno. */
bool filter_change_open(void);
/* By which the kernel tells others of our changes; 0: none yet. */
uint32_t filter_change_port(void);
void filter_change_stop(void);

/* ---- filter/filter_nft.c ---- */

/* Carry out commands, all of them or none. */
bool filter_nft_run(const char *commands, char *err, size_t len);
/* While there are descriptors: keeps some. */
void filter_nft_init(void);
void filter_nft_stop(void);

/* Somebody else changed the table; who: text. Called from the event loop. */
extern void (*filter_nft_touched)(const char *who);

/* ---- filter/filter_read.c ---- */

/* Have the sockets for it, of which it then needs no further ones. False: with
 * errno. */
bool filter_read_open(void);
void filter_read_stop(void);
/* Tell the elements of all sets, in slices: filter_elements_found() for each,
 * then filter_read_done(). Begins again if it is under way. */
void filter_read_begin(int family);
/* What is told from now on would be of another time: nothing is, no end either.
 */
void filter_read_cancel(void);
/* Called when all were told; err: why not, NULL if they were. */
extern void (*filter_read_done)(const char *err);
/* At once: four counters, whatever the table holds. */
bool filter_read_counters(struct filter_count counts[FILTER_COUNTERS],
			  char *err, size_t len);
/* The kernel certainly has no such table. */
bool filter_read_absent(void);

#endif /* SWMESH_FILTER_PRIV_H */
