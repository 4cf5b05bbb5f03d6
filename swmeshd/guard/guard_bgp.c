// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * S11: TCP 179 with the neighbors of `protect bgp` is dropped unless an SA
 * covers it. Not with other AFBRs: BGP has to tell of those first.
 *
 * The policies are ours by their priority. Each change of the configuration
 * reads what there is, of whatever run, and puts it right.
 *
 * The kernel has one policy for a selector, whatever its priority, so ours must
 * not have those of charon's `bgp-in` and `bgp-out`, which would replace them:
 * the port that is not 179 is split into an upper and a lower half.
 */
#include <zebra.h>

#include <linux/xfrm.h>

#include "memory.h"
#include "thread.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_errors.h"
#include "swmeshd/guard/guard_bgp.h"
#include "swmeshd/xfrm/xfrm_policy.h"
#include "swmeshd/xfrm/xfrm_view.h"
#include "swmeshd/swmeshd.h"

/* Behind those of charon; the last octets say "SB". */
#define BGP_GUARD_PRIORITY 0xffff5342u
/* The highest bit of the other port. */
#define PORT_HALF 0x8000
/* Eight a neighbor: out and in, port 179 here and there, two halves. */
#define POLICIES_MAX (8 * PROTECT_BGP_NEIGHBORS_MAX)

/* Seconds after which what the kernel refused is tried again. */
#define RETRY_S 1

static struct thread *t_put;

struct guard_policy {
	struct xfrm_selector sel;
	uint8_t dir;
	bool there;
};

struct guard_set {
	unsigned int n;
	struct guard_policy p[POLICIES_MAX];
	/* Of an earlier configuration. */
	unsigned int n_old;
	struct xfrm_userpolicy_id old[POLICIES_MAX];
};

static void want(struct guard_set *set, const struct ipaddr *src,
		 const struct ipaddr *dst, uint8_t dir, bool source_port,
		 uint16_t half)
{
	struct guard_policy *p = &set->p[set->n++];
	uint8_t bits = IS_IPADDR_V4(src) ? 32 : 128;

	memset(p, 0, sizeof(*p));
	p->dir = dir;
	p->sel.family = view_put_address(src, &p->sel.saddr);
	view_put_address(dst, &p->sel.daddr);
	p->sel.prefixlen_s = p->sel.prefixlen_d = bits;
	p->sel.proto = IPPROTO_TCP;
	if (source_port) {
		p->sel.sport = htons(BGP_PORT);
		p->sel.sport_mask = UINT16_MAX;
		p->sel.dport = htons(half);
		p->sel.dport_mask = htons(PORT_HALF);
	} else {
		p->sel.dport = htons(BGP_PORT);
		p->sel.dport_mask = UINT16_MAX;
		p->sel.sport = htons(half);
		p->sel.sport_mask = htons(PORT_HALF);
	}
}

static int see(const struct nlmsghdr *nlh, void *arg)
{
	const struct xfrm_userpolicy_info *info = mnl_nlmsg_get_payload(nlh);
	struct guard_set *set = arg;

	if (nlh->nlmsg_type != XFRM_MSG_NEWPOLICY ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*info) ||
	    info->priority != BGP_GUARD_PRIORITY ||
	    info->action != XFRM_POLICY_BLOCK)
		return MNL_CB_OK;
	for (unsigned int i = 0; i < set->n; i++) {
		struct guard_policy *p = &set->p[i];

		if (p->dir == info->dir &&
		    !memcmp(&p->sel, &info->sel, sizeof(p->sel))) {
			p->there = true;
			return MNL_CB_OK;
		}
	}
	if (set->n_old < POLICIES_MAX) {
		struct xfrm_userpolicy_id *id = &set->old[set->n_old++];

		memset(id, 0, sizeof(*id));
		id->sel = info->sel;
		id->index = info->index;
		id->dir = info->dir;
	}
	return MNL_CB_OK;
}

/* From now on BGP with these, and no others, is dropped in clear. False: the
 * kernel did not take it all. */
static bool put_policies(const struct ipaddr *local,
			 const struct ipaddr *neighbors, unsigned int n)
{
	uint8_t buf[XFRM_MESSAGE_MAX] XFRM_ALIGNED;
	struct guard_set *set;
	char text[128];
	int err;

	if (!xfrm_open(text, sizeof(text)))
		return n == 0; /* then nothing was put there either */
	set = XCALLOC(MTYPE_TMP, sizeof(*set));
	for (unsigned int i = 0; i < MIN(n, PROTECT_BGP_NEIGHBORS_MAX); i++) {
		if (neighbors[i].ipa_type != local->ipa_type)
			continue;
		for (int way = 0; way < 4; way++) {
			uint16_t half = way & 2 ? PORT_HALF : 0;

			want(set, local, &neighbors[i], XFRM_POLICY_OUT,
			     way & 1, half);
			want(set, &neighbors[i], local, XFRM_POLICY_IN, way & 1,
			     half);
		}
	}
	err = xfrm_list(xfrm_request(buf, XFRM_MSG_GETPOLICY, NLM_F_DUMP), see,
			set);
	for (unsigned int i = 0; !err && i < set->n; i++)
		if (!set->p[i].there)
			err = xfrm_put_drop(&set->p[i].sel, set->p[i].dir,
					    BGP_GUARD_PRIORITY, true);
	for (unsigned int i = 0; !err && i < set->n_old; i++)
		xfrm_del_policy(&set->old[i]); /* or it is gone */
	if (err)
		flog_err_limited(
			EC_SWMESH_NETLINK_DUMP, 0,
			"kernel: BGP in clear with the neighbors of 'protect bgp' cannot be dropped: %s; tried again",
			strerror(err));
	XFREE(MTYPE_TMP, set);
	return err == 0;
}

/* As configured, once there is an address to do so from. */
static void put(struct thread *t)
{
	const struct protect_bgp_config *config = &swmesh->config.protect_bgp;
	bool wanted =
		config->security[0] && !IS_IPADDR_NONE(&swmesh->local_source);

	if (!put_policies(&swmesh->local_source, config->neighbor,
			  wanted ? config->n : 0))
		thread_add_timer(master, put, NULL, RETRY_S, &t_put);
}

void guard_bgp_config_changed(void)
{
	THREAD_OFF(t_put);
	put(NULL);
}

/* Perhaps all policies were flushed. */
void guard_bgp_kernel_changed(const struct ipaddr *remote)
{
	const struct protect_bgp_config *config = &swmesh->config.protect_bgp;

	for (unsigned int i = 0; i < config->n; i++)
		if (!ipaddr_cmp(&config->neighbor[i], remote))
			thread_add_event(master, put, NULL, 0, &t_put);
}

void guard_bgp_stop(void)
{
	THREAD_OFF(t_put);
}
