// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an operator has said about a neighbor or a peer group, by its name:
 * whether attribute 23 may pass (_filter), how many softwires it may have
 * (_limit).
 */

#include <zebra.h>

#include "lib/hook.h"
#include "lib/libfrr.h"

#include "bgpd/bgpd.h"

#include "bgpd/swmesh_bgp.h"

DEFINE_MTYPE_STATIC(SWMESH, SWMESH_POLICY, "Neighbor policy");

static int policy_cmp(const struct swmesh_policy *a,
		      const struct swmesh_policy *b)
{
	int ret = strcmp(a->neighbor, b->neighbor);

	return ret ? ret : strcmp(a->instance, b->instance);
}

DECLARE_RBTREE_UNIQ(swmesh_policies, struct swmesh_policy, item, policy_cmp);
static struct swmesh_policies_head policies = INIT_RBTREE_UNIQ(policies);

struct swmesh_policy *swmesh_policy_find(const struct bgp *bgp,
					 const char *neighbor)
{
	struct swmesh_policy ref = {
		.instance = bgp->name_pretty,
		.neighbor = (char *)neighbor,
	};

	return swmesh_policies_find(&policies, &ref);
}

struct swmesh_policy *swmesh_policy_get(const struct bgp *bgp,
					const char *neighbor)
{
	struct swmesh_policy *p = swmesh_policy_find(bgp, neighbor);

	if (p)
		return p;
	p = XCALLOC(MTYPE_SWMESH_POLICY, sizeof(*p));
	p->instance = XSTRDUP(MTYPE_SWMESH_POLICY, bgp->name_pretty);
	p->neighbor = XSTRDUP(MTYPE_SWMESH_POLICY, neighbor);
	swmesh_policies_add(&policies, p);
	return p;
}

bool swmesh_policies_exist(void)
{
	return swmesh_policies_count(&policies) != 0;
}

void swmesh_policy_walk(const struct bgp *bgp,
			void (*func)(const struct swmesh_policy *p, void *arg),
			void *arg)
{
	struct swmesh_policy *p;

	frr_each (swmesh_policies, &policies, p)
		if (!strcmp(p->instance, bgp->name_pretty))
			func(p, arg);
}

static void policy_free(struct swmesh_policy *p)
{
	swmesh_policies_del(&policies, p);
	XFREE(MTYPE_SWMESH_POLICY, p->instance);
	XFREE(MTYPE_SWMESH_POLICY, p->neighbor);
	XFREE(MTYPE_SWMESH_POLICY, p);
}

/* ---- neighbors that go ---- */

bool swmesh_neighbor_exists(struct bgp *bgp, const char *neighbor)
{
	union sockunion su;

	if (str2sockunion(neighbor, &su) == 0)
		return peer_lookup(bgp, &su) != NULL;
	return peer_lookup_by_conf_if(bgp, neighbor) ||
	       peer_group_lookup(bgp, neighbor);
}

static void forget_gone(struct bgp *bgp)
{
	struct swmesh_policy *p;

	frr_each_safe (swmesh_policies, &policies, p)
		if (!strcmp(p->instance, bgp->name_pretty) &&
		    !swmesh_neighbor_exists(bgp, p->neighbor))
			policy_free(p);
}

static bool is_no(const char *command)
{
	while (isspace((unsigned char)*command))
		command++;
	return !strncmp(command, "no", 2);
}

void swmesh_policy_forget(const char *command)
{
	struct listnode *node;
	struct bgp *bgp;

	/* Others remove no neighbor, and there are thousands in a file. */
	if (!swmesh_policies_exist() || !is_no(command))
		return;
	for (ALL_LIST_ELEMENTS_RO(bm->bgp, node, bgp))
		forget_gone(bgp);
}

static int instance_deleted(struct bgp *bgp)
{
	struct swmesh_policy *p;

	frr_each_safe (swmesh_policies, &policies, p)
		if (!strcmp(p->instance, bgp->name_pretty))
			policy_free(p);
	return 0;
}

/* Update groups outlive the module's other parts, and ask for rules. */
static int last_fini(void)
{
	struct swmesh_policy *p;

	frr_each_safe (swmesh_policies, &policies, p)
		policy_free(p);
	return 0;
}

void swmesh_policy_init(void)
{
	hook_register(frr_fini, last_fini);
	hook_register(bgp_inst_delete, instance_deleted);
}
