// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Path MTU of softwires (F4), here over an IPv6 core.
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
 * Over an IPv4 core it is alike (RFC 1191, ipgre_err()). There outer packets
 * are fragmented when the path carries less than 1280 octets of IPv6
 * (softwire_fragments()).
 *
 * A message counts only if it quotes a packet from our endpoint to an AFBR's
 * as we send them, with the key for GRE and the SPI for ESP or AH, and never
 * lowers the MTU below what every IPv6 link has (RFC 8201 section 4). What was
 * learned is forgotten after ten minutes, as the kernel does, in case the path
 * has become wider.
 */
#include <zebra.h>

#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>

#include "checksum.h"
#include "log.h"
#include "monotime.h"
#include "network.h"
#include "privs.h"
#include "thread.h"

#include "lib/log_limit.h"

#include "swmeshd/model/model.h"
#include "swmeshd/kernel/pmtu.h"
#include "swmeshd/swmeshd.h"

#define LEARNED_S 600
#define LOOK_S 60
/* Messages read in one go: whoever floods us does not stop the event loop. */
#define READ_MAX 64

/* Where the SPI is: RFC 4303 section 2, RFC 4302 section 2. */
#define ESP_AT_SPI 0
#define AH_AT_SPI 4
#define SPI_LEN 4

/* RFC 8200 section 5. */
#define MTU_MIN 1280

/* The least that Linux itself believes of an IPv4 path (ip_rt_min_pmtu). */
#define MTU4_MIN 552
/* RFC 1191 section 4. */
#define ICMP4_AT_MTU 6

/* linux/icmp.h goes ill with the C library's headers. */
#define ICMP_FILTER 1

static int sock6 = -1, sock4 = -1;
static struct thread *t_read6, *t_read4, *t_look;

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static bool sends(const struct softwire *sw, const struct encap *encap,
		  bool has, uint32_t key)
{
	if (sw->tunnel.type != encap->type || !sw->peer_has || sw->security)
		return false;
	return !encap->keyed || (sw->has_okey == has && sw->okey == key);
}

/* An outer packet, or as much of it as is quoted. */
struct quoted {
	struct ipaddr source, dest;
	uint8_t protocol;
	const uint8_t *data; /* behind its IP header */
	size_t len;
};

static struct softwire *find_clear(struct afbr *afbr, const struct quoted *q,
				   const struct encap *encap)
{
	struct softwire *sw;
	uint32_t key = 0;
	bool has = false;

	if (encap->keyed && !encap->read_key(q->data, q->len, &has, &key))
		return NULL;
	frr_each (afbr_softwires, &afbr->softwires, sw) {
		if (sends(sw, encap, has, key))
			return sw;
	}
	return NULL;
}

/* The SPI is what a stranger does not know. */
static struct softwire *find_protected(struct afbr *afbr,
				       const struct quoted *q)
{
	size_t at = q->protocol == IPPROTO_ESP ? ESP_AT_SPI : AH_AT_SPI;
	struct softwire *sw;

	if (q->len < at + SPI_LEN)
		return NULL;
	frr_each (afbr_softwires, &afbr->softwires, sw)
		if (sw->security &&
		    afbr->mesh->ops->sa_sends(sw, q->protocol,
					      get32(q->data + at)))
			return sw;
	return NULL;
}

static struct softwire *find_softwire(struct mesh *mesh, const struct quoted *q)
{
	const struct encap *encap;
	struct afbr *afbr;

	if (ipaddr_cmp(&mesh->local_source, &q->source))
		return NULL;
	afbr = afbr_find(mesh, &q->dest);
	if (!afbr)
		return NULL;
	if (q->protocol == IPPROTO_ESP || q->protocol == IPPROTO_AH)
		return find_protected(afbr, q);
	encap = encap_of_protocol(q->protocol);
	return encap ? find_clear(afbr, q, encap) : NULL;
}

struct softwire *swmesh_pmtu_parse(struct mesh *mesh, const uint8_t *msg,
				   size_t len, uint32_t *mtu)
{
	struct quoted q = {};
	struct icmp6_hdr icmp;
	struct ip6_hdr ip6;

	if (len < sizeof(icmp) + sizeof(ip6))
		return NULL;
	memcpy(&icmp, msg, sizeof(icmp));
	memcpy(&ip6, msg + sizeof(icmp), sizeof(ip6));
	if (icmp.icmp6_type != ICMP6_PACKET_TOO_BIG)
		return NULL;
	*mtu = MAX(ntohl(icmp.icmp6_mtu), (uint32_t)MTU_MIN);
	q.source.ipa_type = q.dest.ipa_type = IPADDR_V6;
	q.source.ipaddr_v6 = ip6.ip6_src;
	q.dest.ipaddr_v6 = ip6.ip6_dst;
	q.protocol = ip6.ip6_nxt;
	q.data = msg + sizeof(icmp) + sizeof(ip6);
	q.len = len - sizeof(icmp) - sizeof(ip6);
	return find_softwire(mesh, &q);
}

/* Its length in octets; 0: it is cut off. */
static size_t ip4_header(const uint8_t *msg, size_t len, struct ip *ip)
{
	size_t octets;

	if (len < sizeof(*ip))
		return 0;
	memcpy(ip, msg, sizeof(*ip));
	octets = (size_t)ip->ip_hl * 4;
	return octets >= sizeof(*ip) && octets <= len ? octets : 0;
}

struct softwire *swmesh_pmtu_parse4(struct mesh *mesh, const uint8_t *msg,
				    size_t len, uint32_t *mtu)
{
	struct quoted q = {};
	struct ip ip;
	size_t at;

	at = ip4_header(msg, len, &ip);
	msg += at;
	len -= at;
	if (!at || len < ICMP_MINLEN || msg[0] != ICMP_UNREACH ||
	    msg[1] != ICMP_UNREACH_NEEDFRAG || in_cksum(msg, len))
		return NULL;
	/* A router from before RFC 1191 tells none. */
	if (!get16(msg + ICMP4_AT_MTU))
		return NULL;
	*mtu = MAX(get16(msg + ICMP4_AT_MTU), MTU4_MIN);
	msg += ICMP_MINLEN;
	len -= ICMP_MINLEN;
	at = ip4_header(msg, len, &ip);
	if (!at)
		return NULL;
	q.source.ipa_type = q.dest.ipa_type = IPADDR_V4;
	q.source.ipaddr_v4 = ip.ip_src;
	q.dest.ipaddr_v4 = ip.ip_dst;
	q.protocol = ip.ip_p;
	q.data = msg + at;
	q.len = len - at;
	return find_softwire(mesh, &q);
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

typedef struct softwire *(*parser)(struct mesh *mesh, const uint8_t *msg,
				   size_t len, uint32_t *mtu);

static void read_messages(int sock, parser parse)
{
	uint8_t buf[MTU_MIN];
	struct softwire *sw;
	uint32_t mtu;
	ssize_t n;

	for (int i = 0; i < READ_MAX; i++) {
		n = recv(sock, buf, sizeof(buf), MSG_DONTWAIT);
		if (n < 0)
			return;
		sw = parse(swmesh, buf, n, &mtu);
		if (sw)
			learn(sw, mtu);
	}
}

static void read6(struct thread *t)
{
	thread_add_read(master, read6, NULL, sock6, &t_read6);
	read_messages(sock6, swmesh_pmtu_parse);
}

static void read4(struct thread *t)
{
	thread_add_read(master, read4, NULL, sock4, &t_read4);
	read_messages(sock4, swmesh_pmtu_parse4);
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

/* That hears what the filter lets through; -1 without one. */
static int open_socket(int family, int protocol, int level, int option,
		       const void *filter, socklen_t len)
{
	int fd = -1;

	frr_with_privs (&swmesh_privs) {
		fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol);
	}
	if (fd >= 0 && !setsockopt(fd, level, option, filter, len)) {
		set_nonblocking(fd);
		return fd;
	}
	zlog_warn(
		"no socket for %s: %s; the MTU of softwires does not follow the core's",
		family == AF_INET ? "ICMP" : "ICMPv6", safe_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

void swmesh_pmtu_init(void)
{
	const uint32_t unreachable = ~(1u << ICMP_UNREACH);
	struct icmp6_filter filter;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &filter);
	sock6 = open_socket(AF_INET6, IPPROTO_ICMPV6, IPPROTO_ICMPV6,
			    ICMP6_FILTER, &filter, sizeof(filter));
	if (sock6 >= 0)
		thread_add_read(master, read6, NULL, sock6, &t_read6);
	sock4 = open_socket(AF_INET, IPPROTO_ICMP, SOL_RAW, ICMP_FILTER,
			    &unreachable, sizeof(unreachable));
	if (sock4 >= 0)
		thread_add_read(master, read4, NULL, sock4, &t_read4);
	thread_add_timer(master, look, NULL, LOOK_S, &t_look);
}

void swmesh_pmtu_stop(void)
{
	THREAD_OFF(t_read6);
	THREAD_OFF(t_read4);
	THREAD_OFF(t_look);
	if (sock6 >= 0)
		close(sock6);
	if (sock4 >= 0)
		close(sock4);
	sock6 = sock4 = -1;
}
