// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Path MTU of softwires over an IPv6 core (F4).
 *
 * A router of the core that cannot forward an outer packet tells us so by
 * ICMPv6 "packet too big" (RFC 8201). What the kernel makes of that is not
 * enough. For ip6gre it looks for the tunnel by the key of the packet that came
 * back, which is the key we send with, among the keys that tunnels receive with
 * (ip6gre_err()): where the two differ it drops the news, and large packets
 * would vanish for ever. Else it lowers the path's MTU, and answers what is too
 * large for it by ICMP, IPv4 packets that may be fragmented, too
 * (ip6_tnl_xmit()), and nobody heeds that. So swmeshd listens itself and gives
 * the device the smaller MTU; the kernel then fragments before the device, or
 * answers the inner source. What is below the least MTU of a device that
 * carries IPv6 goes into the routes (softwire_route_mtu()).
 *
 * A message counts only if it quotes a packet from our endpoint to an AFBR's
 * as we send them, with the key for GRE, and never lowers the MTU below what
 * every IPv6 link has (RFC 8201 section 4). Of protected softwires it quotes
 * ESP or AH, which is the kernel's. What was learned is forgotten after ten
 * minutes, as the kernel does, in case the path has become wider.
 */
#include <zebra.h>

#include <netinet/icmp6.h>
#include <netinet/ip6.h>

#include "log.h"
#include "monotime.h"
#include "network.h"
#include "privs.h"
#include "thread.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_model.h"
#include "swmeshd/swmesh_pmtu.h"
#include "swmeshd/swmeshd.h"

#define LEARNED_S 600
#define LOOK_S 60
/* Messages read in one go: whoever floods us does not stop the event loop. */
#define READ_MAX 64

/* GRE (RFC 2784, RFC 2890). */
#define GRE_FLAGS_LEN 4
#define GRE_FLAG_CHECK 0x8000
#define GRE_FLAG_KEY 0x2000
#define GRE_KEY_LEN 4

/* RFC 8200 section 5. */
#define MTU_MIN 1280

static int sock = -1;
static struct thread *t_read, *t_look;

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* The key of a GRE header; false if it is cut off. */
static bool gre_key(const uint8_t *gre, size_t len, bool *has, uint32_t *key)
{
	size_t at = GRE_FLAGS_LEN;

	if (len < GRE_FLAGS_LEN)
		return false;
	*has = get16(gre) & GRE_FLAG_KEY;
	*key = 0;
	if (!*has)
		return true;
	if (get16(gre) & GRE_FLAG_CHECK)
		at += 4;
	if (len < at + GRE_KEY_LEN)
		return false;
	*key = get32(gre + at);
	return true;
}

static bool sends(const struct softwire *sw, uint16_t type, bool has,
		  uint32_t key)
{
	if (sw->tunnel.type != type || !sw->peer_has || sw->security)
		return false;
	return type != TEA_TYPE_GRE || (sw->has_okey == has && sw->okey == key);
}

static struct softwire *find_softwire(struct mesh *mesh,
				      const struct ip6_hdr *ip6, uint16_t type,
				      bool has, uint32_t key)
{
	struct ipaddr remote = {.ipa_type = IPADDR_V6,
				.ipaddr_v6 = ip6->ip6_dst};
	struct softwire *sw;
	struct afbr *afbr;

	if (!IS_IPADDR_V6(&mesh->local_source) ||
	    !IPV6_ADDR_SAME(&mesh->local_source.ipaddr_v6, &ip6->ip6_src))
		return NULL;
	afbr = afbr_find(mesh, &remote);
	if (!afbr)
		return NULL;
	frr_each (afbr_softwires, &afbr->softwires, sw) {
		if (sends(sw, type, has, key))
			return sw;
	}
	return NULL;
}

struct softwire *swmesh_pmtu_parse(struct mesh *mesh, const uint8_t *msg,
				   size_t len, uint32_t *mtu)
{
	struct icmp6_hdr icmp;
	struct ip6_hdr ip6;
	uint16_t type = TEA_TYPE_IPIP;
	uint32_t key = 0;
	bool has = false;

	if (len < sizeof(icmp) + sizeof(ip6))
		return NULL;
	memcpy(&icmp, msg, sizeof(icmp));
	memcpy(&ip6, msg + sizeof(icmp), sizeof(ip6));
	if (icmp.icmp6_type != ICMP6_PACKET_TOO_BIG)
		return NULL;
	msg += sizeof(icmp) + sizeof(ip6);
	len -= sizeof(icmp) + sizeof(ip6);
	if (ip6.ip6_nxt == IPPROTO_GRE) {
		type = TEA_TYPE_GRE;
		if (!gre_key(msg, len, &has, &key))
			return NULL;
	} else if (ip6.ip6_nxt != IPPROTO_IPIP && ip6.ip6_nxt != IPPROTO_IPV6)
		return NULL;
	*mtu = MAX(ntohl(icmp.icmp6_mtu), (uint32_t)MTU_MIN);
	return find_softwire(mesh, &ip6, type, has, key);
}

/* Devices have it as their MTU, and routes may. */
static void changed(struct afbr *afbr)
{
	afbr_mark_dirty(afbr);
	afbr_mark_demands(afbr);
}

static void learn(struct softwire *sw, uint32_t mtu)
{
	uint32_t known = softwire_path_mtu(sw);

	if (known && mtu > known)
		return;
	sw->core_mtu_until = monotime(NULL) + LEARNED_S;
	if (known == mtu)
		return;
	sw->core_mtu = mtu;
	zlog_info_limited(sw, "AFBR %pIA: the core's MTU is %u",
			  &sw->afbr->addr, mtu);
	changed(sw->afbr);
}

static void read_messages(struct thread *t)
{
	uint8_t buf[MTU_MIN];
	struct softwire *sw;
	uint32_t mtu;
	ssize_t n;

	thread_add_read(master, read_messages, NULL, sock, &t_read);
	for (int i = 0; i < READ_MAX; i++) {
		n = recv(sock, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0)
			return;
		sw = swmesh_pmtu_parse(swmesh, buf, n, &mtu);
		if (sw)
			learn(sw, mtu);
	}
}

/* Forget what is too old. */
static void look(struct thread *t)
{
	time_t now = monotime(NULL);
	struct softwire *sw;
	struct afbr *afbr;

	thread_add_timer(master, look, NULL, LOOK_S, &t_look);
	frr_each (afbr_table, &swmesh->afbrs, afbr) {
		frr_each (afbr_softwires, &afbr->softwires, sw) {
			if (!sw->core_mtu || sw->core_mtu_until > now)
				continue;
			sw->core_mtu = 0;
			changed(afbr);
		}
	}
}

void swmesh_pmtu_init(void)
{
	struct icmp6_filter filter;

	frr_with_privs (&swmesh_privs) {
		sock = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
			      IPPROTO_ICMPV6);
	}
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &filter);
	if (sock < 0 || setsockopt(sock, IPPROTO_ICMPV6, ICMP6_FILTER, &filter,
				   sizeof(filter)) < 0) {
		zlog_warn(
			"no socket for ICMPv6: %s; the MTU of softwires does not follow the core's",
			safe_strerror(errno));
		swmesh_pmtu_stop();
		return;
	}
	set_nonblocking(sock);
	thread_add_read(master, read_messages, NULL, sock, &t_read);
	thread_add_timer(master, look, NULL, LOOK_S, &t_look);
}

void swmesh_pmtu_stop(void)
{
	THREAD_OFF(t_read);
	THREAD_OFF(t_look);
	if (sock >= 0)
		close(sock);
	sock = -1;
}
