// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table `inet swmesh` in nft's words; see filter/filter.h for what it does
 * and doc/filter.md for how it reads to an operator.
 *
 * Chain `outer` sees packets to this system, ESP and AH after they are opened,
 * too: the kernel passes what was in them through the hooks once more, marked
 * as out of IPsec. Chain `sent` is there for the moment in which somebody has
 * flushed the kernel's IPsec policies, and for ICMP errors. Chain `inner` sees
 * what comes out of our tunnel devices, before connection tracking.
 */
#include <zebra.h>

#include "memory.h"

#include "swmeshd/encap/protocol.h"
#include "swmeshd/filter/filter_counters.h"
#include "swmeshd/filter/filter_text.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, FILTER_TEXT, "Filter commands");

/* Rules do not grow with the number of AFBRs. */
#define TEXT_MAX (64 * 1024)
#define TEXT_STEP 4096

#define ENCAPSULATIONS "{ 4, 41, 47, 115 }"

/* How long a source that was in order is not looked at again, and how long it
 * is let in when its route has gone; of how many. */
#define RECENT_S 2
#define SEEN_S 10
#define SEEN_MAX 16384

/* ---- the buffer ---- */

static bool text_room(struct filter_text *text, size_t len)
{
	size_t cap = text->cap ? text->cap : TEXT_STEP;

	if (text->full || len >= TEXT_MAX - text->len) {
		text->full = true;
		return false;
	}
	while (cap <= text->len + len)
		cap *= 2;
	if (cap != text->cap) {
		text->data = XREALLOC(MTYPE_FILTER_TEXT, text->data, cap);
		text->cap = cap;
	}
	return true;
}

static void PRINTFRR(2, 3)
	add(struct filter_text *text, const char *format, ...)
{
	char line[512];
	va_list args;
	ssize_t n;

	va_start(args, format);
	n = vsnprintfrr(line, sizeof(line), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line) || !text_room(text, n)) {
		text->full = true;
		return;
	}
	memcpy(text->data + text->len, line, n + 1);
	text->len += n;
}

void filter_text_free(struct filter_text *text)
{
	XFREE(MTYPE_FILTER_TEXT, text->data);
	memset(text, 0, sizeof(*text));
}

/* ---- rules ---- */

static void rule(struct filter_text *text, const char *chain,
		 const char *format, ...) PRINTFRR(3, 4);

static void rule(struct filter_text *text, const char *chain,
		 const char *format, ...)
{
	char line[400];
	va_list args;

	va_start(args, format);
	vsnprintfrr(line, sizeof(line), format, args);
	va_end(args);
	add(text, "add rule inet " FILTER_TABLE " %s %s\n", chain, line);
}

/* What matches is dropped, counted, and logged if that is asked for. */
static void drop(struct filter_text *text, const struct filter_shape *shape,
		 const char *chain, const char *match,
		 enum filter_counter counter)
{
	const char *name = filter_counter_name(counter);

	if (shape->log)
		rule(text, chain,
		     "%s limit rate %u/minute log prefix \"swmesh %s: \"",
		     match, shape->log_rate, name);
	rule(text, chain, "%s counter name \"%s\" drop", match, name);
}

static void rules_outer(struct filter_text *text,
			const struct filter_shape *shape, const char *ip)
{
	int family = ipaddr_family(&shape->source);
	char set[FILTER_SET_NAME_LEN], match[128];

	rule(text, "outer", "meta l4proto != " ENCAPSULATIONS " accept");
	snprintf(match, sizeof(match), "%s saddr . meta l4proto @%s", ip,
		 filter_set_name(FILTER_SET_PROTECTED, family, set));
	/* Most packets by the fewest rules: where it goes to does not matter,
	 * as what goes elsewhere is accepted, too. */
	rule(text, "outer", "meta ipsec exists %s accept", match);
	rule(text, "outer", "meta nfproto != %s accept",
	     family == AF_INET ? "ipv4" : "ipv6");
	rule(text, "outer", "%s daddr != %pIA accept", ip, &shape->source);

	/* First: an AFBR may still be in the other set for a moment. */
	drop(text, shape, "outer", match, FILTER_CLEAR);

	rule(text, "outer", "%s saddr . meta l4proto @%s accept", ip,
	     filter_set_name(FILTER_SET_OPEN, family, set));
	drop(text, shape, "outer", "", FILTER_UNKNOWN_SOURCE);
}

/*
 * An ICMP error quotes the packet that it is about (RFC 792, RFC 4443 section
 * 3). When a device has just gone, that is what IPsec has opened, and the
 * kernel's "port unreachable" would bring it back through the core in clear. Of
 * IPv6 also packets with extension headers before the encapsulation.
 */
static void rule_quoted(struct filter_text *text,
			const struct filter_shape *shape, unsigned int protocol)
{
	char match[200];

	/* @th: offset and length in bits, from the ICMP header on. */
	if (IS_IPADDR_V4(&shape->source))
		snprintfrr(
			match, sizeof(match),
			"icmp type { 3, 11, 12 } @th,136,8 %u rt ipsec missing ip saddr %pIA",
			protocol, &shape->source);
	else
		snprintfrr(
			match, sizeof(match),
			"icmpv6 type { 1, 2, 3, 4 } @th,112,8 { 0, 43, 44, 60, %u } rt ipsec missing ip6 saddr %pIA",
			protocol, &shape->source);
	drop(text, shape, "sent", match, FILTER_CLEAR_SENT);
}

static void rules_sent(struct filter_text *text,
		       const struct filter_shape *shape, const char *ip)
{
	char match[128];

	for (unsigned int i = 0; i < ENCAP_PROTOCOLS; i++) {
		if (!(shape->protected & 1u << i))
			continue;
		/* In this order: the address is the dearest to compare. */
		snprintfrr(match, sizeof(match),
			   "meta l4proto %u rt ipsec missing %s saddr %pIA",
			   encap_protocols[i].number, ip, &shape->source);
		drop(text, shape, "sent", match, FILTER_CLEAR_SENT);
		rule_quoted(text, shape, encap_protocols[i].number);
	}
}

/*
 * Sources that were found to be in order not long ago. A route that bgpd has
 * just taken away, to give it another SW-NHOP, comes back in a moment: what is
 * under way meanwhile is no forgery. And most packets need no route lookup.
 */
static void seen_sets(struct filter_text *text)
{
	static const char *const families[] = {"4", "6"};

	for (unsigned int i = 0; i < array_size(families); i++)
		add(text,
		    "add set inet " FILTER_TABLE
		    " recent%s { type iface_index . ipv%s_addr; size %u; flags dynamic,timeout; }\n"
		    "add set inet " FILTER_TABLE
		    " seen%s { type iface_index . ipv%s_addr; size %u; flags dynamic,timeout; }\n",
		    families[i], families[i], SEEN_MAX, families[i],
		    families[i], SEEN_MAX);
}

/* A set that is full adds nothing: then the rule ends, the chain goes on. */
static void rules_valid(struct filter_text *text)
{
	rule(text, "valid", "add @recent4 { iif . ip saddr timeout %us }",
	     RECENT_S);
	rule(text, "valid", "add @recent6 { iif . ip6 saddr timeout %us }",
	     RECENT_S);
	rule(text, "valid", "update @seen4 { iif . ip saddr timeout %us }",
	     SEEN_S);
	rule(text, "valid", "update @seen6 { iif . ip6 saddr timeout %us }",
	     SEEN_S);
	rule(text, "valid", "accept");
}

static void rules_inner(struct filter_text *text,
			const struct filter_shape *shape, const char *ip)
{
	int family = ipaddr_family(&shape->source);
	char set[FILTER_SET_NAME_LEN];

	if (shape->anti_spoof == ANTI_SPOOF_OFF)
		return;
	/* The first stands before the second for its price only: a softwire is
	 * no Ethernet, and every packet of this system comes by here. */
	rule(text, "inner", "meta iiftype ether accept");
	rule(text, "inner", "iif != @softwires accept");
	if (shape->anti_spoof == ANTI_SPOOF_LOOSE) {
		/* A route that leads somewhere: not to this system, not to
		 * "unreachable". */
		rule(text, "inner", "fib saddr oif exists accept");
	} else {
		rule(text, "inner", "iif . ip saddr @recent4 accept");
		rule(text, "inner", "iif . ip6 saddr @recent6 accept");
		rule(text, "inner", "fib saddr . iif oif exists goto valid");
		/* The AFBR may send by another tunnel than we do: each end
		 * chooses for itself (RFC 9012 section 6). */
		rule(text, "inner", "fib saddr oif . iif @pairs goto valid");
		rule(text, "inner", "iif . ip saddr @seen4 accept");
		rule(text, "inner", "iif . ip6 saddr @seen6 accept");
	}
	/* What the AFBR itself sends, ICMP errors for one: its endpoint is
	 * routed through the core, not back into the softwire. */
	rule(text, "inner", "iif . %s saddr @%s accept", ip,
	     filter_set_name(FILTER_SET_OWN, family, set));
	/* Nobody forwards these. */
	rule(text, "inner",
	     "ip6 saddr { ::, fe80::/10 } ip6 daddr { fe80::/10, ff02::/16 } accept");
	drop(text, shape, "inner", "", FILTER_SPOOFED);
}

static void chain(struct filter_text *text, const char *name, const char *hook)
{
	add(text,
	    "add chain inet " FILTER_TABLE
	    " %s { type filter hook %s; policy accept; }\n"
	    "flush chain inet " FILTER_TABLE " %s\n",
	    name, hook, name);
}

void filter_text_remove(struct filter_text *text)
{
	/* The first makes that the second never fails. */
	add(text, "add table inet " FILTER_TABLE
		  "\n"
		  "delete table inet " FILTER_TABLE "\n");
}

void filter_text_sets(struct filter_text *text, int family)
{
	char name[FILTER_SET_NAME_LEN];

	add(text, "add table inet " FILTER_TABLE "\n");
	for (unsigned int i = 0; i < FILTER_COUNTERS; i++)
		add(text, "add counter inet " FILTER_TABLE " %s\n",
		    filter_counter_name(i));
	for (unsigned int i = 0; i < FILTER_SETS; i++)
		add(text, "add set inet " FILTER_TABLE " %s { type %s; }\n",
		    filter_set_name(i, family, name),
		    filter_set_type(i, family));
	seen_sets(text);
}

void filter_text_table(struct filter_text *text,
		       const struct filter_shape *shape)
{
	int family = ipaddr_family(&shape->source);
	const char *ip = family == AF_INET ? "ip" : "ip6";

	filter_text_sets(text, family);
	add(text, "add chain inet " FILTER_TABLE
		  " valid\n"
		  "flush chain inet " FILTER_TABLE " valid\n");
	chain(text, "outer", "input priority filter - 10");
	chain(text, "sent", "output priority filter - 10");
	chain(text, "inner", "prerouting priority raw + 10");
	rules_outer(text, shape, ip);
	rules_sent(text, shape, ip);
	rules_valid(text);
	rules_inner(text, shape, ip);
}
