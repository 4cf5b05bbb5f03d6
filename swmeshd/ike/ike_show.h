/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the IKE backend knows, for "show" and the operational state: read only.
 * Everything lives on the event loop; pointers are valid until it runs again.
 *
 * A peer is a remote AFBR, or a BGP neighbor of `protect bgp`, that something
 * is to be protected towards. Its children are what the kernel must have; the
 * IKE_SAs and CHILD_SAs are what charon says it has.
 */
#ifndef SWMESH_IKE_SHOW_H
#define SWMESH_IKE_SHOW_H

#include <time.h>

#include "ipaddr.h"
#include "typesafe.h"

#include "swmeshd/encap/protocol.h"
#include "swmeshd/model/model.h"

struct thread;

/* Of a peer: how far the conversation with charon is. Whether packets are
 * protected is told by struct ike_child and does not depend on it. */
enum ike_state {
	IKE_IDLE,	/* nothing asked for yet */
	IKE_BLOCKED,	/* configuration or announcement do not allow it */
	IKE_AWAY,	/* charon cannot be reached */
	IKE_LOADING,	/* charon has not answered to what it was given */
	IKE_WAITING,	/* the other end initiates */
	IKE_QUEUED,	/* for one of `handshakes` */
	IKE_INITIATING, /* charon is at it */
	IKE_BACKOFF,	/* failed; tried again at next_try */
	IKE_UP,		/* all children are there */
	IKE_STATES,
};

enum ike_kind {
	/* Below: the protocols of softwires, by index in encap_protocols[]. */
	IKE_CHILD_BGP_IN = ENCAP_PROTOCOLS, /* TCP at our BGP_PORT */
	IKE_CHILD_BGP_OUT,		    /* TCP at the other end's */
	IKE_CHILDREN,
};

#define IKE_ALGORITHMS_LEN 128
#define IKE_IDENTITY_LEN 128
#define IKE_WORD_LEN 24
#define IKE_DIGEST_LEN 8

/* Hashes of public keys (RFC 5566). */
struct ike_hashes {
	unsigned int n;
	uint8_t hash[AFBR_KEYS_MAX][KEY_HASH_LEN];
};

/* A CHILD_SA of charon's. */
struct ike_child_sa {
	uint32_t id;	    /* charon's number */
	enum ike_kind kind; /* IKE_CHILDREN: not one of ours */
	bool installed;
	char state[IKE_WORD_LEN];    /* charon's word: INSTALLED... */
	char protocol[IKE_WORD_LEN]; /* ESP, AH */
	char algorithms[IKE_ALGORITHMS_LEN];
	uint32_t spi_in, spi_out; /* host byte order */
	time_t since;		  /* monotime */
	/* Of the configuration it was made by; all zero: not known. */
	uint8_t digest[IKE_DIGEST_LEN];
	bool condemned; /* being taken down */
	bool seen;	/* mark of a list under way */
};
#define IKE_CHILD_SAS_MAX 16

/* An IKE_SA of charon's. */
PREDECL_DLIST(ike_sas);
struct ike_sa {
	struct ike_sas_item item;
	uint32_t id; /* charon's number; changes when it is rekeyed */
	uint64_t spi_initiator, spi_responder;
	bool initiator; /* we are, of this IKE_SA */
	bool established;
	char state[IKE_WORD_LEN]; /* ESTABLISHED, CONNECTING... */
	char algorithms[IKE_ALGORITHMS_LEN];
	char local_id[IKE_IDENTITY_LEN], remote_id[IKE_IDENTITY_LEN];
	bool ppk;
	time_t since;	     /* established, monotime */
	unsigned int rekeys; /* seen */
	/* One of these keys it was authenticated with (S5); n 0: no raw key. */
	struct ike_hashes hashes;
	/* Of the configuration it was made by; all zero: not known. */
	uint8_t digest[IKE_DIGEST_LEN];
	int64_t bad_since; /* its key may be withdrawn, since; ms, 0 */
	int64_t condemned; /* being taken down since, ms; 0: it is not */
	bool forced;	   /* ... without waiting for the peer */
	unsigned int n_children;
	struct ike_child_sa children[IKE_CHILD_SAS_MAX];
	bool seen;
};
DECLARE_DLIST(ike_sas, struct ike_sa, item);

/* What is to be protected towards a peer. */
struct ike_child {
	bool wanted;
	struct security *security; /* a reference, while wanted */
	bool up;		   /* by the kernel: protected both ways */
	time_t since;		   /* up, or not, since: monotime */
	uint32_t spi_in, spi_out;  /* by the kernel; 0: none */
	unsigned int rekeys;	   /* seen, since it was wanted */
	uint8_t digest[IKE_DIGEST_LEN];
	unsigned int failures; /* in a row, of this child alone */
	int64_t odd_since;     /* up for charon, not for the kernel; ms, 0 */
};

/* SPIs of the kernel's that charon knows nothing of. */
#define IKE_SPIS_MAX 32
struct ike_spis {
	unsigned int n;
	uint32_t spi[IKE_SPIS_MAX];
};

PREDECL_HASH(ike_peers);
PREDECL_DLIST(ike_users);
PREDECL_DLIST(ike_work_list);
PREDECL_DLIST(ike_queue);
PREDECL_HASH(ike_incoming);
struct ike_peer {
	struct ike_peers_item item;
	struct ipaddr addr;
	struct ipaddr local; /* our endpoint */
	char name[64];	     /* of the connection in charon */
	bool initiator;	     /* our address is the lower one */
	bool bgp_neighbor;   /* wanted by the configuration itself */

	struct security *security;   /* a reference: method, credentials, IKE */
	struct ike_hashes announced; /* raw keys: in BGP */
	struct ike_hashes allowed;   /* of them, those whose key we have */

	enum ike_state state;
	time_t since; /* in this state, monotime */
	struct ike_child child[IKE_CHILDREN];
	struct thread *t_confirm;
	struct ike_sas_head sas;

	char error[MESH_REASON_LEN]; /* the last one, "" if none since up */
	time_t error_at;	     /* monotime */
	unsigned int retries;	     /* failures in a row */
	int64_t next_try;	     /* monotime, ms; 0: none planned */
	unsigned int established;    /* IKE_SAs so far */
	unsigned int ike_rekeys;

	/* ---- the backend's own ---- */
	struct ike_users_head users;
	struct ike_work_list_item work_item;
	bool in_work;
	struct ike_queue_item queue_item;
	bool in_queue;
	unsigned int rank;     /* ... of the queue that it waits in */
	bool slot;	       /* holds one of `handshakes` */
	bool overdue;	       /* ... and charon had to ask again */
	bool proven;	       /* was up before */
	bool answered;	       /* ever */
	bool silent;	       /* did not, the last time */
	bool answers_now;      /* in this attempt */
	int64_t attempt_until; /* ... which ends then; monotime, ms */
	bool loaded;	       /* charon has the connection as it is now */
	int64_t loaded_at;     /* ... since; monotime, ms */
	bool loading;	       /* its answer is to come */
	bool refused;	       /* it did not take it */
	bool named;	       /* mark of a list under way */
	bool has_conn;	       /* charon may have a connection of this name */
	bool told;	       /* what it had before we came is known */
	bool asking;	       /* ... that is being asked */
	bool adopting;	       /* SAs by a connection of an earlier run */
	/* Digests of the connection that charon has, or is being given. */
	uint8_t conn_digest[IKE_DIGEST_LEN];
	uint8_t ike_digest[IKE_DIGEST_LEN];
	uint8_t secret_digest[IKE_DIGEST_LEN];
	uint8_t salt;
	struct ike_hashes allowed_before; /* the last change of `allowed` */
	int64_t allowed_since;		  /* monotime, ms */
	/* Method raw: keys out of the directory. */
	struct public_key *found[AFBR_KEYS_MAX];
	bool keys_unknown;	       /* that directory is being read */
	char blocked[MESH_REASON_LEN]; /* why charon is given nothing */
	char why[MESH_REASON_LEN];     /* of the attempt, by charon's log */
	bool why_vague, why_soon;
	uint32_t attempt;   /* IKE_SA that we are setting up */
	uint32_t failed;    /* ... that has failed last */
	int64_t attempt_at; /* asked for then; monotime, ms */
	struct ike_incoming_item incoming_item;
	uint32_t incoming;    /* IKE_SA that the peer is setting up */
	int64_t incoming_at;  /* monotime, ms */
	bool incoming_why;    /* why it failed has been told */
	enum ike_kind trying; /* child that was asked for last */
	bool lost;	      /* it was up; what made it so is gone */
	bool forced;	      /* try by ourselves, whoever's turn it is */
	bool yielded;	      /* has been left to the peer once already */
	int64_t yield_until;  /* ... until then; monotime, ms */
	int64_t extra_since;  /* more SAs than there should be; ms, 0 */
	struct ike_spis orphans;
	unsigned int pinned; /* children held to the SAs of now, by kind */
	int64_t pinned_at;   /* monotime, ms; 0: never */
	struct thread *t_pin;
	struct thread *t_timer;	  /* of the state */
	struct thread *t_work;	  /* bring charon up to date then */
	struct thread *t_check;	  /* look again in a moment */
	struct thread *t_release; /* nothing wants it any more */
};
DECLARE_DLIST(ike_work_list, struct ike_peer, work_item);
DECLARE_DLIST(ike_queue, struct ike_peer, queue_item);

/* Ordered by address. cb may not change anything; false stops. */
void swmesh_ike_each(bool (*cb)(const struct ike_peer *peer, void *arg),
		     void *arg);
const struct ike_peer *swmesh_ike_peer(const struct ipaddr *addr);
/* The next one in that order; NULL: the first one, and there is no more. */
const struct ike_peer *swmesh_ike_peer_after(const struct ike_peer *peer);

/* The IKE_SA that counts: established, and not being taken down; NULL. */
const struct ike_sa *ike_peer_sa(const struct ike_peer *peer);
/* All that is wanted is protected, by the kernel. */
bool ike_peer_protected(const struct ike_peer *peer);

const char *ike_state_name(enum ike_state state); /* "up", "backoff"... */
const char *ike_kind_name(enum ike_kind kind);	  /* "gre", "bgp-in"... */
uint8_t ike_kind_protocol(enum ike_kind kind);	  /* IPPROTO_* */
const char *ike_peer_role(const struct ike_peer *peer);

/* IKE_SAs being set up by us now, and waiting for their turn. */
unsigned int swmesh_ike_in_flight(void);
unsigned int swmesh_ike_queued(void);

#endif /* SWMESH_IKE_SHOW_H */
