// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's tunnel devices; see kernel/tun.h.
 *
 * Common to all: an explicit hop limit; the DS field of the inner packet on the
 * outer one (RFC 2983's uniform model, RFC 6040 for ECN, which the kernel
 * does); path MTU discovery in the core, so that too-big reaches the inner
 * source (F4), unless the core carries too little for IPv6
 * (tun_params.fragment); no encapsulation-limit option, which would put a
 * destination-options header on every packet (RFC 2473 section 4.1.1 leaves it
 * to the operator).
 */
#include <zebra.h>

#include "swmeshd/kernel/tun.h"
#include "swmeshd/kernel/uapi.h"

#define TOS_INHERIT 1

/* All attributes of these kinds are below this. */
#define ATTRS_MAX 32

struct tun_kind {
	const struct encap *encap;
	int family; /* of the core */
	const char *name;
	bool gre; /* IFLA_GRE_*, else IFLA_IPTUN_* */
};

/* sit and not ipip for an IPv4 core: in mode "any" one device carries both IPv4
 * and IPv6, as ip6tnl does. */
/* clang-format off */
static const struct tun_kind kinds[] = {
	{ &encap_gre,  AF_INET6, "ip6gre", true  },
	{ &encap_gre,  AF_INET,  "gre",    true  },
	{ &encap_ipip, AF_INET6, "ip6tnl", false },
	{ &encap_ipip, AF_INET,  "sit",    false },
};
/* clang-format on */

#define IP6_FLAGS (IP6_TNL_F_IGN_ENCAP_LIMIT | IP6_TNL_F_USE_ORIG_TCLASS)

const struct tun_kind *tun_kind_find(uint16_t type, int family)
{
	for (size_t i = 0; i < array_size(kinds); i++)
		if (kinds[i].encap->type == type && kinds[i].family == family)
			return &kinds[i];
	return NULL;
}

const struct tun_kind *tun_kind_next(const struct tun_kind *prev)
{
	const struct tun_kind *next = prev ? prev + 1 : kinds;

	return next < kinds + array_size(kinds) ? next : NULL;
}

const char *tun_kind_name(const struct tun_kind *kind)
{
	return kind->name;
}

bool tun_has_df(uint16_t type)
{
	const struct tun_kind *kind = tun_kind_find(type, AF_INET);

	return kind && kind->gre;
}

static const struct tun_kind *kind_by_name(const char *name)
{
	for (size_t i = 0; i < array_size(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

/* ---- writing ---- */

static void put_addr(struct nlmsghdr *nlh, uint16_t attr,
		     const struct ipaddr *addr)
{
	if (IS_IPADDR_V4(addr))
		mnl_attr_put(nlh, attr, sizeof(addr->ipaddr_v4),
			     &addr->ipaddr_v4);
	else
		mnl_attr_put(nlh, attr, sizeof(addr->ipaddr_v6),
			     &addr->ipaddr_v6);
}

static void put_key(struct nlmsghdr *nlh, uint16_t flags_attr,
		    uint16_t key_attr, bool has, uint32_t key)
{
	mnl_attr_put_u16(nlh, flags_attr, has ? GRE_KEY : 0);
	mnl_attr_put_u32(nlh, key_attr, has ? htonl(key) : 0);
}

static void put_gre(struct nlmsghdr *nlh, const struct tun_kind *kind,
		    const struct tun_params *p)
{
	put_addr(nlh, IFLA_GRE_LOCAL, &p->local);
	put_addr(nlh, IFLA_GRE_REMOTE, &p->remote);
	put_key(nlh, IFLA_GRE_IFLAGS, IFLA_GRE_IKEY, p->tunnel.has_key,
		p->tunnel.key);
	put_key(nlh, IFLA_GRE_OFLAGS, IFLA_GRE_OKEY, p->has_okey, p->okey);
	mnl_attr_put_u8(nlh, IFLA_GRE_TTL, TUNNEL_HOP_LIMIT);
	if (kind->family == AF_INET6) {
		mnl_attr_put_u32(nlh, IFLA_GRE_FLAGS, IP6_FLAGS);
	} else {
		mnl_attr_put_u8(nlh, IFLA_GRE_TOS, TOS_INHERIT);
		mnl_attr_put_u8(nlh, IFLA_GRE_PMTUDISC, !p->fragment);
	}
}

static void put_iptun(struct nlmsghdr *nlh, const struct tun_kind *kind,
		      const struct tun_params *p)
{
	put_addr(nlh, IFLA_IPTUN_LOCAL, &p->local);
	put_addr(nlh, IFLA_IPTUN_REMOTE, &p->remote);
	mnl_attr_put_u8(nlh, IFLA_IPTUN_TTL, TUNNEL_HOP_LIMIT);
	mnl_attr_put_u8(nlh, IFLA_IPTUN_PROTO, 0); /* any payload */
	if (kind->family == AF_INET6) {
		mnl_attr_put_u32(nlh, IFLA_IPTUN_FLAGS, IP6_FLAGS);
	} else {
		mnl_attr_put_u8(nlh, IFLA_IPTUN_TOS, TOS_INHERIT);
		mnl_attr_put_u8(nlh, IFLA_IPTUN_PMTUDISC, 1);
	}
}

void tun_put(struct nlmsghdr *nlh, const struct tun_params *p)
{
	const struct tun_kind *kind =
		tun_kind_find(p->tunnel.type, ipaddr_family(&p->remote));
	struct nlattr *info, *data;

	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, kind->name);
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	if (kind->gre)
		put_gre(nlh, kind, p);
	else
		put_iptun(nlh, kind, p);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
}

/* ---- reading ---- */

struct attrs {
	const struct nlattr *a[ATTRS_MAX];
};

static int collect(const struct nlattr *attr, void *arg)
{
	struct attrs *attrs = arg;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < ATTRS_MAX)
		attrs->a[type] = attr;
	return MNL_CB_OK;
}

static bool get_addr(const struct attrs *attrs, uint16_t type, int family,
		     struct ipaddr *addr)
{
	const struct nlattr *attr = attrs->a[type];
	size_t len = family == AF_INET ? sizeof(struct in_addr)
				       : sizeof(struct in6_addr);

	memset(addr, 0, sizeof(*addr));
	if (!attr || mnl_attr_get_payload_len(attr) != len)
		return false;
	addr->ipa_type = family == AF_INET ? IPADDR_V4 : IPADDR_V6;
	memcpy(&addr->ip, mnl_attr_get_payload(attr), len);
	return true;
}

/* 0 for what is missing or of another length. */
static uint32_t get_num(const struct attrs *attrs, uint16_t type)
{
	const struct nlattr *attr = attrs->a[type];

	if (!attr)
		return 0;
	switch (mnl_attr_get_payload_len(attr)) {
	case 1:
		return mnl_attr_get_u8(attr);
	case 2:
		return mnl_attr_get_u16(attr);
	case 4:
		return mnl_attr_get_u32(attr);
	default:
		return 0;
	}
}

static void get_key(const struct attrs *attrs, uint16_t flags_attr,
		    uint16_t key_attr, bool *has, uint32_t *key)
{
	*has = get_num(attrs, flags_attr) & GRE_KEY;
	*key = *has ? ntohl(get_num(attrs, key_attr)) : 0;
}

static bool get_gre(const struct attrs *attrs, const struct tun_kind *kind,
		    struct tun_params *p, bool *exact)
{
	if (!get_addr(attrs, IFLA_GRE_LOCAL, kind->family, &p->local) ||
	    !get_addr(attrs, IFLA_GRE_REMOTE, kind->family, &p->remote))
		return false;
	get_key(attrs, IFLA_GRE_IFLAGS, IFLA_GRE_IKEY, &p->tunnel.has_key,
		&p->tunnel.key);
	get_key(attrs, IFLA_GRE_OFLAGS, IFLA_GRE_OKEY, &p->has_okey, &p->okey);
	*exact = get_num(attrs, IFLA_GRE_TTL) == TUNNEL_HOP_LIMIT;
	if (kind->family == AF_INET6) {
		*exact &= (get_num(attrs, IFLA_GRE_FLAGS) & IP6_FLAGS) ==
			  IP6_FLAGS;
	} else {
		*exact &= get_num(attrs, IFLA_GRE_TOS) == TOS_INHERIT;
		p->fragment = !get_num(attrs, IFLA_GRE_PMTUDISC);
	}
	return true;
}

static bool get_iptun(const struct attrs *attrs, const struct tun_kind *kind,
		      struct tun_params *p, bool *exact)
{
	if (!get_addr(attrs, IFLA_IPTUN_LOCAL, kind->family, &p->local) ||
	    !get_addr(attrs, IFLA_IPTUN_REMOTE, kind->family, &p->remote))
		return false;
	*exact = get_num(attrs, IFLA_IPTUN_TTL) == TUNNEL_HOP_LIMIT &&
		 get_num(attrs, IFLA_IPTUN_PROTO) == 0;
	if (kind->family == AF_INET6)
		*exact &= (get_num(attrs, IFLA_IPTUN_FLAGS) & IP6_FLAGS) ==
			  IP6_FLAGS;
	else
		*exact &= get_num(attrs, IFLA_IPTUN_TOS) == TOS_INHERIT &&
			  get_num(attrs, IFLA_IPTUN_PMTUDISC) == 1;
	return true;
}

bool tun_get(const struct nlattr *linkinfo, struct tun_params *p, bool *exact)
{
	struct attrs info = {}, data = {};
	const struct tun_kind *kind;

	memset(p, 0, sizeof(*p));
	mnl_attr_parse_nested(linkinfo, collect, &info);
	if (!info.a[IFLA_INFO_KIND] || !info.a[IFLA_INFO_DATA] ||
	    mnl_attr_validate(info.a[IFLA_INFO_KIND], MNL_TYPE_NUL_STRING) < 0)
		return false;
	kind = kind_by_name(mnl_attr_get_str(info.a[IFLA_INFO_KIND]));
	if (!kind)
		return false;
	mnl_attr_parse_nested(info.a[IFLA_INFO_DATA], collect, &data);
	p->tunnel.type = kind->encap->type;
	if (kind->gre ? !get_gre(&data, kind, p, exact)
		      : !get_iptun(&data, kind, p, exact))
		return false;
	return !ipaddr_is_zero(&p->remote);
}
