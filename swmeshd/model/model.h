/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model: what the mesh is to be and what it is.
 *
 *   demand    routes need a softwire: a SW-NHOP, with the BGP next hop and the
 *             Tunnel Encapsulation attribute it stands for (from bgpd's module)
 *   AFBR      a remote tunnel endpoint that some demand names
 *   softwire  an AFBR and one of the tunnels we announce: a network device, by
 *             which we receive whatever the AFBR prefers, and send if it is the
 *             best that both ends support (RFC 9012 section 6, design 4)
 *
 * The model does no I/O. What it wants goes through struct mesh_ops; what the
 * backends find out comes back as events. Everything runs on one event loop.
 */
#ifndef SWMESH_MODEL_H
#define SWMESH_MODEL_H

#include <net/if.h>

#include "ipaddr.h"
#include "prefix.h"
#include "typesafe.h"

#include "swmeshd/model/encap_set.h"
#include "swmeshd/security/security.h"
#include "swmeshd/model/transit.h"

struct thread;
struct mesh;
struct afbr;
struct demand;
struct softwire;

/*
 * Endpoints that are used of one attribute, and AFBRs and demands in all: what
 * comes from the network costs a bounded amount of work. bgpd's module asks for
 * half as many at most (SWMESH_POOL_MAX) and shares them out among neighbors;
 * the other half is for what an earlier bgpd has asked for, while its grace
 * time runs.
 */
#define DEMAND_AFBRS_MAX 8
#define MESH_AFBRS_MAX 16384
#define MESH_DEMANDS_MAX 16384

#define MESH_REASON_LEN 256

/* ---- softwire ---- */

enum softwire_state {
	SOFTWIRE_DOWN,
	SOFTWIRE_WAIT_ENDPOINT, /* no usable route to the endpoint */
	SOFTWIRE_WAIT_DEVICE,	/* the kernel is at it */
	SOFTWIRE_WAIT_SA,	/* IKE is at it; nothing leaves in clear */
	SOFTWIRE_WAIT_FILTER,	/* what the AFBR sends is not let in yet */
	SOFTWIRE_UP,
	SOFTWIRE_FAILING, /* the kernel refused; tried again later */
	SOFTWIRE_STATES,
};

enum softwire_event {
	SOFTWIRE_EV_NONE,
	SOFTWIRE_EV_START,
	SOFTWIRE_EV_ENDPOINT_UP,
	SOFTWIRE_EV_ENDPOINT_DOWN,
	SOFTWIRE_EV_CHANGED, /* parameters: peer's key, MTU, our address */
	SOFTWIRE_EV_DEVICE_READY,
	SOFTWIRE_EV_DEVICE_FAILED,
	SOFTWIRE_EV_DEVICE_LOST, /* someone removed it or set it down */
	SOFTWIRE_EV_SA_READY,	 /* protected, or need not be */
	SOFTWIRE_EV_SA_FAILED,	 /* the IKE backend goes on trying */
	SOFTWIRE_EV_SA_LOST,
	SOFTWIRE_EV_FILTER_READY,
	SOFTWIRE_EV_FILTER_FAILED, /* the filter backend goes on trying */
	SOFTWIRE_EV_ROUTE_IN,	   /* a SW-NHOP's route by it is there */
	SOFTWIRE_EV_ROUTE_REFUSED, /* the kernel does not take it */
	SOFTWIRE_EV_RETRY,	   /* timer */
	SOFTWIRE_EV_STOP,
	SOFTWIRE_EVENTS,
};

/* Why nothing is sent by a softwire without security (S6). */
enum clear_refusal {
	CLEAR_OK,
	CLEAR_ASKED,   /* the AFBR asks for IPsec */
	CLEAR_HISTORY, /* it does not, but SAs with it were up */
};

/* The softwire's device, as the kernel backend tells it. */
struct softwire_device {
	int ifindex; /* 0: it is not in the kernel */
	char name[IFNAMSIZ];
	uint32_t mtu;
};

PREDECL_DLIST(afbr_softwires);
PREDECL_DLIST(softwire_users);
struct softwire {
	struct afbr *afbr;
	struct afbr_softwires_item item;
	struct sw_tunnel tunnel; /* what we announced: key we receive with */
	/* A reference; NULL: not protected. */
	struct security *security;

	bool peer_has;	 /* the AFBR announces this type: we may send */
	uint8_t payload; /* families that both ends announce for it */
	bool peer_clear; /* ... and it does not ask for IPsec */
	enum clear_refusal clear_refused;
	bool has_okey; /* GRE: key we send with, the AFBR's */
	uint32_t okey;
	/* Smaller MTU of the core, where the kernel does not learn it by itself
	 * (kernel/pmtu.c); 0: none. Until when (monotonic seconds). */
	uint32_t core_mtu;
	time_t core_mtu_until;

	enum softwire_state state;
	time_t since;	  /* of the last change of state, monotonic seconds */
	uint32_t changes; /* times it went up */
	unsigned int failures;	     /* in a row */
	char error[MESH_REASON_LEN]; /* of the last failure */
	struct thread *t_retry;

	struct softwire_users_head users; /* demands sent through it */
	bool wanted; /* mark while an AFBR is brought up to date */
	struct softwire_device dev;
	void *device; /* the kernel backend's */
	void *sa;     /* the IKE backend's */
};
DECLARE_DLIST(afbr_softwires, struct softwire, item);

/* ---- AFBR ---- */

/* What zebra says of the way to an endpoint. */
struct endpoint_path {
	bool known;	/* zebra has answered */
	bool reachable; /* by something that is not a softwire */
	bool recursive; /* by a softwire of ours (RFC 9012 section 7.2, B5) */
	uint32_t mtu;	/* smallest of the ways, octets; 0: not known */
	char via[64];	/* for "show": "2001:db8::1 eth0" */
	/* It does not lead through the core, or not to an AFBR's. */
	struct transit_fault fault;
};

/*
 * What an AFBR's Tunnel Encapsulation attributes say of its keys (RFC 5566):
 * hashes, with the key itself where it is announced too and has that hash.
 */
#define AFBR_KEYS_MAX 8
struct afbr_auth {
	unsigned int n;
	struct public_key *keys[AFBR_KEYS_MAX]; /* owned */
};

PREDECL_DLIST(afbr_refs);
struct afbr_ref {
	struct afbr_refs_item item;
	struct demand *demand;
	struct afbr *afbr;
};
DECLARE_DLIST(afbr_refs, struct afbr_ref, item);

PREDECL_HASH(afbr_table);
PREDECL_DLIST(afbr_dirty);
struct afbr {
	struct mesh *mesh;
	struct afbr_table_item item;
	struct ipaddr addr;
	struct endpoint_path path;
	struct afbr_auth auth;
	/* Some time it has announced that it wants IPsec; if never, a protected
	 * softwire to it was up all the same: an older swmesh with a group key
	 * or certificates. */
	bool has_asked, was_protected;
	/* B5: how often a path through a softwire was seen, and until when
	 * the endpoint is not tried again (monotonic seconds). */
	unsigned int recursions, hold_level;
	time_t held_until;
	struct thread *t_held;

	struct afbr_refs_head refs; /* demands that name it */
	struct afbr_softwires_head softwires;
	struct afbr_dirty_item dirty_item;
	bool dirty;
	void *tracker; /* the zebra backend's */
};

/* ---- demand ---- */

PREDECL_HASH(demand_table);
PREDECL_DLIST(demand_dirty);
PREDECL_DLIST(demand_cut);
struct demand {
	struct mesh *mesh;
	struct demand_table_item item;
	struct in6_addr sw_nhop;
	struct ipaddr next_hop;
	struct tea tea;			   /* owned */
	uint32_t routes_ipv4, routes_ipv6; /* paths, by NLRI family */
	char *refused;		/* by the module, and why; NULL: fine */
	bool marked;		/* not yet named in the resync under way */
	struct thread *t_stale; /* bgpd no longer names it */

	unsigned int n_refs;
	struct afbr_ref refs[DEMAND_AFBRS_MAX];
	bool refs_cut; /* more endpoints than that */
	/* There were too many AFBRs; linked again when one has gone. */
	struct demand_cut_item cut_item;
	bool cut;

	struct softwire *via; /* what its packets leave by; NULL: none */
	bool route_in;	      /* the kernel has its route by via */
	uint16_t via_type;    /* of the peer's tunnel */
	bool via_has_key;
	uint32_t via_key;
	struct softwire_users_item users_item;
	bool pending; /* no verdict yet: what is in the kernel stays */
	time_t since;
	char reason[MESH_REASON_LEN]; /* why it is not up */

	struct demand_dirty_item dirty_item;
	bool dirty;
	void *route; /* the kernel backend's */
};
DECLARE_DLIST(softwire_users, struct demand, users_item);
DECLARE_DLIST(demand_dirty, struct demand, dirty_item);
DECLARE_DLIST(demand_cut, struct demand, cut_item);
DECLARE_DLIST(afbr_dirty, struct afbr, dirty_item);

int afbr_cmp(const struct afbr *a, const struct afbr *b);
uint32_t afbr_hash(const struct afbr *a);
DECLARE_HASH(afbr_table, struct afbr, item, afbr_cmp, afbr_hash);
int demand_cmp(const struct demand *a, const struct demand *b);
uint32_t demand_hash(const struct demand *a);
DECLARE_HASH(demand_table, struct demand, item, demand_cmp, demand_hash);

/* ---- the mesh ---- */

enum anti_spoof {
	ANTI_SPOOF_OFF,
	ANTI_SPOOF_LOOSE,  /* there is a route to the inner source */
	ANTI_SPOOF_STRICT, /* ... and it leads back to the AFBR it came from */
};

struct filter_config {
	bool off;
	enum anti_spoof anti_spoof;
	bool log;
	uint32_t log_rate; /* lines a minute */
};

/* S11: TCP 179 between AFBRs. */
#define PROTECT_BGP_NEIGHBORS_MAX 64
#define BGP_PORT 179

struct protect_bgp_config {
	char security[SECURITY_NAME_LEN + 1]; /* empty: off */
	/* Always protected, known from BGP or not; needs no raw key. */
	unsigned int n;
	struct ipaddr neighbor[PROTECT_BGP_NEIGHBORS_MAX];
};

#define HANDSHAKES_DEFAULT 16

struct mesh_config {
	bool enabled;
	struct ipaddr source; /* none: not configured */
	struct transit_config transit;
	struct prefix_ipv6 nhop_prefix;
	bool policy_required;
	bool policy_protected;		   /* for show; the sets have it */
	char announce[ENCAP_NAME_LEN + 1]; /* empty: first by name */

	unsigned int handshakes; /* of IKE at a time */
	struct filter_config filter;
	struct protect_bgp_config protect_bgp;
};

enum mesh_status {
	MESH_DISABLED,
	MESH_NO_SOURCE,
	MESH_WAIT_ADDRESS,
	MESH_READY,
};

enum own_address {
	OWN_ADDRESS_UNKNOWN, /* zebra has not told all interfaces yet */
	OWN_ADDRESS_NO,
	OWN_ADDRESS_YES,
};

/* Room for what mesh_ops.overlap() tells. */
#define OVERLAP_TEXT_LEN (PREFIX2STR_BUFFER + 32)

struct mesh_ops {
	/* Call mesh_run_slice() from the event loop until it is done. */
	void (*schedule)(struct mesh *mesh);
	/* After ms: softwire_event(RETRY); afbr_mark_dirty() and
	 * afbr_mark_demands(). */
	void (*retry)(struct softwire *sw, unsigned int ms);
	void (*retry_cancel)(struct softwire *sw);
	void (*hold)(struct afbr *afbr, unsigned int ms);
	void (*hold_cancel)(struct afbr *afbr);
	void (*stale_cancel)(struct demand *demand);

	/* zebra's word on an address of this system. */
	enum own_address (*address)(const struct ipaddr *addr);
	/* An interface whose connected prefix overlaps this one:
	 * "2001:db8::1/64 on eth0". buf is returned; empty: there is none. */
	const char *(*overlap)(const struct prefix *prefix, char *buf,
			       size_t len);
	/* Learn of the way to an endpoint, by afbr_path(). */
	void (*track)(struct afbr *afbr);
	void (*untrack)(struct afbr *afbr);

	/*
	 * Make the device what the softwire says, or leave it when it is.
	 * True: it is, now. False: DEVICE_READY or DEVICE_FAILED follows.
	 */
	bool (*device_set)(struct softwire *sw);
	/* Nothing is sent by it any more: remove it before long. */
	void (*device_release)(struct softwire *sw);
	/* A device of ours, of whatever run. */
	bool (*device_ours)(int ifindex);
	/* Whether a device of ours is there, or being made, that sends tunnels
	 * of this type from this address. */
	bool (*device_any)(const struct ipaddr *local, uint16_t type);
	/*
	 * Host route of the SW-NHOP: through sw's device; NULL: none. True: it
	 * is there, now. False: demand_route_in() or demand_route_refused()
	 * follows, unless sw is NULL.
	 */
	bool (*route_set)(struct demand *demand, struct softwire *sw);
	/* The demand goes; so does what was kept for it. */
	void (*route_release)(struct demand *demand);

	/*
	 * From now on nothing of a protected softwire's protocols leaves or
	 * enters in clear (S9). Before its device is made; false with a text:
	 * the kernel refused, and the device must not be.
	 */
	bool (*guard_set)(struct softwire *sw, char *err, size_t len);
	/*
	 * Protect it. True: it is, now, or need not be. False: SA_READY or
	 * SA_FAILED follows, SA_FAILED any number of times; err is what has
	 * been found of its AFBR before, mostly empty.
	 */
	bool (*sa_set)(struct softwire *sw, char *err, size_t len);
	void (*sa_release)(struct softwire *sw);
	/* Whether it sends by that SA (IPPROTO_ESP or IPPROTO_AH, SPI in host
	 * byte order). */
	bool (*sa_sends)(const struct softwire *sw, uint8_t protocol,
			 uint32_t spi);
	/*
	 * Let in what the AFBR sends by it (S8). True: it is, now. False:
	 * FILTER_READY or FILTER_FAILED follows, FILTER_FAILED any number of
	 * times.
	 */
	bool (*filter_set)(struct softwire *sw);
	/* Its state or what it sends with has changed, or it goes. */
	void (*softwire_changed)(struct softwire *sw);

	/* The demand's softwire came, went or changed: tell the module. */
	void (*demand_changed)(struct demand *demand);
	/* Encap-sets or the rest of the configuration changed: likewise. */
	void (*config_changed)(struct mesh *mesh);
};

struct mesh {
	const struct mesh_ops *ops;
	struct mesh_config config;
	struct encap_sets_head sets;
	struct securities_head securities;
	bool config_dirty;

	/* The transit source is on this system; not known before zebra has
	 * told its interfaces. */
	bool source_known, source_ok;
	/* bgpd's full state is being read for the first time: wait for its
	 * end. */
	bool syncing;

	/* What the sets come to: for receiving, and for sending by family. */
	struct local_tunnels local;
	struct local_tunnels order_ipv4, order_ipv6;
	struct ipaddr local_source; /* endpoint the softwires are made with */

	struct afbr_table_head afbrs;
	struct demand_table_head demands;
	struct afbr_dirty_head dirty_afbrs;
	struct demand_dirty_head dirty_demands;
	struct demand_cut_head cut_demands;
};

/* model/mesh.c */
void mesh_init(struct mesh *mesh, const struct mesh_ops *ops);
void mesh_fini(struct mesh *mesh);
/* Something in config or sets was changed. */
void mesh_config_changed(struct mesh *mesh);
/* The transit source is (not) an address of this system. */
void mesh_source(struct mesh *mesh, bool ok);
/* Bring everything that was marked up to date. */
void mesh_run(struct mesh *mesh);
/* The same for a slice of time; false: call it again soon. */
bool mesh_run_slice(struct mesh *mesh);
/* The tunnel, with what all our sets that have it say; NULL: none has it. */
const struct local_tunnel *mesh_local_tunnel(const struct mesh *mesh,
					     const struct sw_tunnel *tunnel);
/* Families of all our sets that have this tunnel. */
uint8_t mesh_local_payload(const struct mesh *mesh,
			   const struct sw_tunnel *tunnel);
enum mesh_status mesh_status(const struct mesh *mesh);
const char *mesh_status_name(enum mesh_status status);

/* model/afbr.c */
struct demand *demand_find(struct mesh *mesh, const struct in6_addr *sw_nhop);
/* Made when missing; NULL: there are too many. */
struct demand *demand_get(struct mesh *mesh, const struct in6_addr *sw_nhop);
/* A demand as bgpd's module tells it; tea is copied. True if it changed. */
bool demand_update(struct demand *demand, const struct ipaddr *next_hop,
		   const uint8_t *tea, size_t tea_len, uint32_t routes_ipv4,
		   uint32_t routes_ipv6, const char *refused);
void demand_del(struct demand *demand);
void demand_mark_dirty(struct demand *demand);
/* Find its endpoints anew (the attribute or our family changed). */
void demand_link(struct demand *demand);
/* The same for those that there was no AFBR to be had for, as many as there
 * are to be had now. */
void demand_link_cut(struct mesh *mesh);
void demand_choose(struct demand *demand);
/* It has a softwire that is up, and the kernel has the route. */
bool demand_up(const struct demand *demand);
/* What the kernel says of the route that route_set() asked for. */
void demand_route_in(struct demand *demand);
void demand_route_refused(struct demand *demand, const char *why);
uint8_t demand_payload(const struct demand *demand);

/* After mutual recursion (B5) it is not used for a while. */
bool afbr_held(const struct afbr *afbr);
struct afbr *afbr_find(struct mesh *mesh, const struct ipaddr *addr);
void afbr_mark_dirty(struct afbr *afbr);
void afbr_mark_demands(struct afbr *afbr);
/* zebra's answer; the caller's copy. */
void afbr_path(struct afbr *afbr, const struct endpoint_path *path);
/* Softwires for every tunnel we announce, with the keys the AFBR announced. */
void afbr_update(struct afbr *afbr);
/* Read anew what the AFBR's attributes say (model/announced.c): GRE keys,
 * payloads and public keys; what changed is told to its softwires. */
void afbr_read_announced(struct afbr *afbr);
void afbr_auth_clear(struct afbr_auth *auth);
bool afbr_usable(const struct afbr *afbr);
/* There is a way to it that is none through the core: it is no AFBR, as far as
 * we can see, and nothing is made, sent or let in for it. */
bool afbr_barred(const struct afbr *afbr);
/* Why not: buf is returned. */
const char *afbr_reason(const struct afbr *afbr, char *buf, size_t len);
struct softwire *afbr_softwire(struct afbr *afbr,
			       const struct sw_tunnel *tunnel);
/* The tunnel type of ours by which a TLV of this type is served: RFC 5566's
 * types 4 and 5 are IP in IP inside ESP on the wire. */
uint16_t tunnel_base_type(uint16_t type);
/* The TLV asks for IPsec: by its type or an authenticator (RFC 5566). */
bool tunnel_wants_ipsec(const struct tea_tunnel *tt);
/* For an operator; CLEAR_OK has none. */
const char *clear_refusal_reason(enum clear_refusal why);
/* The endpoint a TLV stands for: its own or the next hop (RFC 9012 3.1), an
 * IPv4-mapped address as IPv4 (B13). False if it has none we know. */
bool tunnel_endpoint(const struct tea_tunnel *tt, const struct ipaddr *next_hop,
		     struct ipaddr *out);

/* The kernel backend: this is its device now. */
void softwire_device(struct softwire *sw, const struct softwire_device *dev);

/* model/softwire.c */
struct softwire *softwire_new(struct afbr *afbr,
			      const struct sw_tunnel *tunnel);
void softwire_del(struct softwire *sw);
/* text: of a failure, copied; else NULL. */
void softwire_event(struct softwire *sw, enum softwire_event event,
		    const char *text);
const char *softwire_state_name(enum softwire_state state);
const char *softwire_event_name(enum softwire_event event);
/* The next state by the table alone, for tests and "show". */
enum softwire_state softwire_next_state(enum softwire_state state,
					enum softwire_event event);
/* IP protocols it is carried by on the core: one for GRE, and for IP in IP one
 * for each family. How many; for which `payload` decides. */
#define SOFTWIRE_PROTOCOLS_MAX 2
unsigned int softwire_protocols(const struct softwire *sw,
				uint8_t protocols[SOFTWIRE_PROTOCOLS_MAX]);
/* Octets that the encapsulation adds, outer header and ESP or AH included. */
unsigned int softwire_overhead(const struct softwire *sw);
/* Of an outer packet; 0: not known. */
uint32_t softwire_path_mtu(const struct softwire *sw);
/* What may be carried: the path's MTU less the overhead (F4), but never less
 * than an IPv6 link has to carry; 0: not known. */
uint32_t softwire_mtu(const struct softwire *sw);
/* Over an IPv4 core that carries less than that: outer packets are fragmented
 * (RFC 4213 section 3.2.2). Over an IPv6 core Linux makes no fragments of what
 * it forwards. */
bool softwire_fragments(const struct softwire *sw);
/* What its routes are to say where the path carries less than that; 0: the
 * device says it, or outer packets are fragmented. Below
 * SOFTWIRE_ROUTE_MTU_MAX. */
#define SOFTWIRE_ROUTE_MTU_MAX 1280
uint32_t softwire_route_mtu(const struct softwire *sw);
/* For "show": what that means; empty: nothing. */
const char *softwire_mtu_note(const struct softwire *sw, char *buf, size_t len);
/* "gre/200" as it is sent, "gre/100" as it is received. */
const char *softwire_tunnel_text(const struct softwire *sw, char *buf,
				 size_t len);
const char *softwire_reason(const struct softwire *sw, char *buf, size_t len);

#endif /* SWMESH_MODEL_H */
