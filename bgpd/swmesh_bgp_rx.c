// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Received UPDATEs, before bgpd parses them (bgp_packet.c:2885).
 *
 * bgpd's own parser resets the session over legal attributes 23 and is a
 * decade behind RFC 9012, so it never gets to see one.  What happens to an
 * UPDATE with the attribute:
 *
 *  - the codec refuses it (B7), or its length does not fit (B10):
 *    treat-as-withdraw, RFC 7606, on iBGP as on eBGP;
 *  - from a neighbor that is filtered (B6): taken out;
 *  - otherwise it goes on under a stand-in type (_carry), less the TLVs whose
 *    endpoint is missing or malformed (B9).
 *
 * This holds for all address families: bgpd has one parser for them all.
 *
 * Registered late, so that BMP and MRT dumps show what was received.
 */

#include <zebra.h>

#include "lib/frr_pthread.h"
#include "lib/hook.h"
#include "lib/jhash.h"
#include "lib/stream.h"

#include "bgpd/bgpd.h"
#include "bgpd/bgp_packet.h"

#include "bgpd/swmesh_bgp.h"
#include "bgpd/swmesh_update.h"

DEFINE_MTYPE_STATIC(SWMESH, SWMESH_SEEN, "Decoded attribute");

/*
 * Verdicts on attributes seen lately, by their octets: a mesh has few of them
 * and sends each with many routes.
 */
#define SEEN_SLOTS 256

struct seen {
	uint32_t hash;
	size_t len;
	uint8_t *attr;		/* header and value */
	bool endpoint_optional; /* judged for SAFI 7 or 73 */
	enum tea_verdict verdict;
	bool trimmed;
	size_t propagate_len; /* of a trimmed one */
	uint8_t *propagate;
	char reason[TEA_TEXT_LEN];
};

static struct seen *seen_slots[SEEN_SLOTS];
static uint8_t scratch[UPDATE_BODY_MAX];

/* Runs after everything else that wants to see the packet. */
#define RX_PRIORITY 10000

static void seen_free(struct seen **slot)
{
	if (!*slot)
		return;
	XFREE(MTYPE_SWMESH_SEEN, (*slot)->attr);
	XFREE(MTYPE_SWMESH_SEEN, (*slot)->propagate);
	XFREE(MTYPE_SWMESH_SEEN, *slot);
}

static const struct seen *judge(const uint8_t *attr, size_t len,
				bool endpoint_optional)
{
	uint32_t hash = jhash(attr, len, 0x73776d65 + endpoint_optional);
	struct tea_opts opts = tea_opts_default;
	struct seen **slot = &seen_slots[hash % SEEN_SLOTS];
	struct seen *s = *slot;
	struct tea tea;

	if (s && s->hash == hash && s->len == len &&
	    s->endpoint_optional == endpoint_optional &&
	    !memcmp(s->attr, attr, len))
		return s;
	seen_free(slot);
	*slot = s = XCALLOC(MTYPE_SWMESH_SEEN, sizeof(*s));
	s->hash = hash;
	s->len = len;
	s->attr = XMALLOC(MTYPE_SWMESH_SEEN, len);
	memcpy(s->attr, attr, len);
	s->endpoint_optional = endpoint_optional;

	opts.endpoint_optional = endpoint_optional;
	s->verdict = tea_decode_attr(attr, len, &opts, &tea);
	if (s->verdict != TEA_ACCEPT) {
		tea_reason(&tea, s->reason, sizeof(s->reason));
	} else if (tea.propagate_len != tea.wire_len) {
		s->trimmed = true;
		s->propagate_len = tea.propagate_len;
		s->propagate = XMALLOC(MTYPE_SWMESH_SEEN, tea.propagate_len);
		memcpy(s->propagate, tea.propagate, tea.propagate_len);
	}
	tea_free(&tea);
	return s;
}

/*
 * Have bgpd parse this body next, as a message that came from the neighbor
 * after the one that it is at.  What waits in peer->ibuf is guarded by io_mtx:
 * the I/O thread appends to it (bgp_io.c:250).
 */
static void parse_next(struct peer *peer, const uint8_t *body, size_t len)
{
	struct stream *s = stream_new(BGP_HEADER_SIZE + len);

	for (int i = 0; i < BGP_MARKER_SIZE; i++)
		stream_putc(s, 0xff);
	stream_putw(s, BGP_HEADER_SIZE + len);
	stream_putc(s, BGP_MSG_UPDATE);
	stream_put(s, body, len);
	frr_with_mutex (&peer->io_mtx) {
		s->next = peer->ibuf->head;
		peer->ibuf->head = s;
		if (!peer->ibuf->tail)
			peer->ibuf->tail = s;
		peer->ibuf->count++;
	}
	/* One message has come, not two. */
	atomic_fetch_sub_explicit(&peer->update_in, 1, memory_order_relaxed);
}

/* RFC 7606 treat-as-withdraw. */
static void withdraw(struct peer *peer, struct update_scan *scan)
{
	static const struct update_edit edit = {.withdraw = true};
	size_t len;

	if (update_rewrite(scan, &edit, scratch))
		return;
	len = update_take_withdrawal(scan, scratch);
	if (len)
		parse_next(peer, scratch, len);
}

/* What is to blame: attribute 23, all from where the list is broken, or the
 * communities. */
static struct update_span refused_attr(const struct update_scan *scan)
{
	struct update_span rest = {.at = scan->broken_at};

	if (scan->tea.total)
		return scan->tea;
	if (!scan->broken)
		return scan->ext_comm;
	rest.total = scan->attrs_at + scan->attrs_len - scan->broken_at;
	return rest;
}

static const char no_mandatory[] =
	"it comes with routes but without ORIGIN, AS_PATH or NEXT_HOP";

static void refuse(struct peer *peer, struct update_scan *scan,
		   const char *reason)
{
	struct swmesh_peer *stats = swmesh_peer_get(peer);
	const struct update_span culprit = refused_attr(scan);

	stats->count[SWMESH_COUNT_WITHDRAWN]++;
	swmesh_peer_refused(stats, reason, scan->body + culprit.at,
			    culprit.total);
	if (SWMESH_DBG(UPDATE))
		zlog_debug(
			"%s: Tunnel Encapsulation attribute refused, routes withdrawn: %s",
			peer->host, reason);
	withdraw(peer, scan);
}

/* Take it out, and the communities that mean the same. */
static void remove_tea(struct peer *peer, struct update_scan *scan)
{
	const struct update_edit edit = {
		.drop_encap_communities = update_has_ip_routes(scan),
	};

	swmesh_peer_get(peer)->count[SWMESH_COUNT_FILTERED]++;
	if (SWMESH_DBG(UPDATE))
		zlog_debug(
			"%s: Tunnel Encapsulation attribute taken out: neighbor is filtered",
			peer->host);
	if (!update_rewrite(scan, &edit, scratch))
		refuse(peer, scan, "no attribute type free to replace it");
}

/* Let it through, under a stand-in type. */
static void pass_on(struct peer *peer, struct update_scan *scan,
		    const struct seen *s)
{
	struct swmesh_peer *stats = swmesh_peer_get(peer);
	const uint8_t *attr = scan->body + scan->tea.at;
	struct update_edit edit = {.keep_tea = true};
	bool done;

	if (!s->trimmed && scan->n_tea == 1) {
		done = update_mark_tea(scan);
	} else {
		edit.tea = s->trimmed ? s->propagate : attr + scan->tea.header;
		edit.tea_len = s->trimmed ? s->propagate_len
					  : scan->tea.total - scan->tea.header;
		done = update_rewrite(scan, &edit, scratch);
	}
	if (!done) {
		refuse(peer, scan, "no attribute type free to carry it");
		return;
	}
	stats->count[SWMESH_COUNT_ACCEPTED]++;
	if (s->trimmed)
		stats->count[SWMESH_COUNT_TRIMMED]++;
}

/* An UPDATE with at least one attribute 23. */
static void update_with_tea(struct peer *peer, struct update_scan *scan,
			    bool allowed)
{
	struct swmesh_peer *stats = swmesh_peer_get(peer);
	const struct seen *s;

	stats->count[SWMESH_COUNT_RECEIVED]++;
	if (scan->n_tea > 1)
		stats->count[SWMESH_COUNT_DUPLICATES] += scan->n_tea - 1;
	if (scan->tea_broken && !scan->n_tea) {
		refuse(peer, scan,
		       "its length passes the end of the path attributes");
		return;
	}
	s = judge(scan->body + scan->tea.at, scan->tea.total,
		  update_is_of_endpoints(scan));
	if (s->verdict != TEA_ACCEPT || scan->broken) {
		refuse(peer, scan,
		       s->verdict != TEA_ACCEPT
			       ? s->reason
			       : "an attribute beside it passes the end of the path attributes");
		return;
	}
	/* bgpd would see one attribute less than it came with. */
	if (update_lacks_mandatory(scan)) {
		refuse(peer, scan, no_mandatory);
		return;
	}
	if (allowed)
		pass_on(peer, scan, s);
	else
		remove_tea(peer, scan);
}

static void filter_communities(struct peer *peer, struct update_scan *scan)
{
	const struct update_edit edit = {.drop_encap_communities = true};

	if (!update_has_ip_routes(scan) || !update_has_encap_community(scan))
		return;
	swmesh_peer_get(peer)->count[SWMESH_COUNT_COMMUNITY_FILTERED]++;
	if (update_lacks_mandatory(scan)) {
		refuse(peer, scan, no_mandatory);
		return;
	}
	if (!update_rewrite(scan, &edit, scratch))
		refuse(peer, scan,
		       "no attribute type free to replace its Encapsulation community");
}

static void update_received(struct peer *peer, uint8_t *body, size_t len)
{
	struct update_scan scan;
	bool allowed;

	if (!update_scan(&scan, body, len))
		return;
	allowed = swmesh_filter_allows_in(peer);
	if (scan.n_tea || scan.tea_broken)
		update_with_tea(peer, &scan, allowed);
	else if (!allowed && scan.ext_comm.total && !scan.broken)
		filter_communities(peer, &scan);
}

static int packet_received(struct peer *peer, uint8_t type, bgp_size_t size,
			   struct stream *s)
{
	if (swmesh_stopping)
		return 0;
	if (type == BGP_MSG_UPDATE && size >= BGP_HEADER_SIZE &&
	    STREAM_READABLE(s) >= (size_t)size - BGP_HEADER_SIZE)
		update_received(peer, stream_pnt(s), size - BGP_HEADER_SIZE);
	return 0;
}

void swmesh_rx_init(void)
{
	hook_register_prio(bgp_packet_dump, RX_PRIORITY, packet_received);
}

void swmesh_rx_fini(void)
{
	for (size_t i = 0; i < SEEN_SLOTS; i++)
		seen_free(&seen_slots[i]);
}
