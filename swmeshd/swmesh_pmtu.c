// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Path MTU of GRE softwires with two keys (F4).
 *
 * A router of the core that cannot forward an outer packet tells us so by
 * ICMPv6 "packet too big" (RFC 8201), and the kernel then lowers the path's
 * MTU. For ip6gre it first looks for the tunnel by the key of the packet that
 * came back, which is the key we send with, among the keys that tunnels receive
 * with (ip6gre_err()). Where the two differ it finds none and drops the news:
 * large packets would vanish for ever. So swmeshd listens itself and gives the
 * device the smaller MTU; the kernel then answers the inner source.
 *
 * A message counts only if it quotes a packet from our endpoint to an AFBR's
 * with the key that we send with, and never lowers the MTU below what every
 * IPv6 link has (RFC 8201 section 4). What was learned is forgotten after ten
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

static struct softwire *find_softwire(struct mesh *mesh,
				      const struct ip6_hdr *ip6, bool has,
				      uint32_t key)
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
		if (sw->tunnel.type != TEA_TYPE_GRE || !sw->peer_has ||
		    sw->has_okey != has || sw->okey != key)
			continue;
		if (sw->tunnel.has_key != has || sw->tunnel.key != key)
			return sw;
	}
	return NULL;
}

struct softwire *swmesh_pmtu_parse(struct mesh *mesh, const uint8_t *msg,
				   size_t len, uint32_t *mtu)
{
	struct icmp6_hdr icmp;
	struct ip6_hdr ip6;
	uint32_t key;
	bool has;

	if (len < sizeof(icmp) + sizeof(ip6))
		return NULL;
	memcpy(&icmp, msg, sizeof(icmp));
	memcpy(&ip6, msg + sizeof(icmp), sizeof(ip6));
	if (icmp.icmp6_type != ICMP6_PACKET_TOO_BIG ||
	    ip6.ip6_nxt != IPPROTO_GRE)
		return NULL;
	msg += sizeof(icmp) + sizeof(ip6);
	len -= sizeof(icmp) + sizeof(ip6);
	if (!gre_key(msg, len, &has, &key))
		return NULL;
	*mtu = MAX(ntohl(icmp.icmp6_mtu), (uint32_t)MTU_MIN);
	return find_softwire(mesh, &ip6, has, key);
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
	zlog_info("AFBR %pIA: the core's MTU is %u", &sw->afbr->addr, mtu);
	afbr_mark_dirty(sw->afbr);
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
			afbr_mark_dirty(afbr);
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
			"no socket for ICMPv6: %s; the MTU of GRE softwires with two keys does not follow the core's",
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
