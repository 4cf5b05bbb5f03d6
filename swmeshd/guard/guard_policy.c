// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Drop policies (S9): what is to be protected and is not covered by an SA's
 * policy meets one of these, on its way out and on its way in.
 *
 * One is ours if it has our priority, drops, and is for one address and one
 * protocol towards (or from) everybody. Those that somebody removes are put
 * back as soon as the kernel tells of it.
 */
#include <zebra.h>

#include "memory.h"
#include "monotime.h"
#include "thread.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_errors.h"
#include "swmeshd/guard/guard_policy.h"
#include "swmeshd/xfrm/xfrm_policy.h"
#include "swmeshd/xfrm/xfrm_view.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, XFRM_GUARD, "IPsec drop policy");

/* The higher the number, the later its turn: behind everything that IKE
 * daemons and people install. The last octets say "SW". */
#define GUARD_PRIORITY 0xffff5357u
#define GUARD_ERR_LEN 256
/* Restored at once; if somebody goes on removing them, this much in a row and
 * then once a second. */
#define RESTORE_BURST 16
#define RESTORE_BURST_S 10
#define RESTORE_RETRY_S 1

PREDECL_DLIST(guards);
struct guard {
	struct guards_item item;
	struct ipaddr source;
	uint8_t protocol;
};
DECLARE_DLIST(guards, struct guard, item);

static struct guards_head guards = INIT_DLIST(guards); /* asked for */
static struct thread *t_restore;
static unsigned int restored;
static time_t restored_since;

/* ---- what the kernel has ---- */

static void guard_selector(const struct ipaddr *source, uint8_t protocol,
			   uint8_t dir, struct xfrm_selector *sel)
{
	uint8_t len = IS_IPADDR_V4(source) ? 32 : 128;

	memset(sel, 0, sizeof(*sel));
	sel->proto = protocol;
	if (dir == XFRM_POLICY_OUT) {
		sel->family = view_put_address(source, &sel->saddr);
		sel->prefixlen_s = len;
	} else {
		sel->family = view_put_address(source, &sel->daddr);
		sel->prefixlen_d = len;
	}
}

/* Ours, of whatever run: then its source. */
static bool is_guard(const struct view_policy *p, struct ipaddr *source)
{
	const struct xfrm_selector *sel = &p->sel;
	bool out = p->dir == XFRM_POLICY_OUT;
	struct xfrm_selector made;

	if (p->priority != GUARD_PRIORITY || p->action != XFRM_POLICY_BLOCK)
		return false;
	view_get_address(sel->family, out ? &sel->saddr : &sel->daddr, source);
	guard_selector(source, sel->proto, p->dir, &made);
	return !memcmp(&made, sel, sizeof(made));
}

static bool in_kernel(const struct ipaddr *source, uint8_t protocol,
		      uint8_t dir)
{
	struct view_policy *p;
	struct ipaddr at;

	frr_each (view_policies, view_wide_policies(), p)
		if (p->dir == dir && p->sel.proto == protocol &&
		    is_guard(p, &at) && !ipaddr_cmp(&at, source))
			return true;
	return false;
}

/* ---- requests ---- */

static void uninstall(const struct view_policy *p)
{
	const struct xfrm_userpolicy_id id = {
		.sel = p->sel,
		.index = p->index, /* this one, not one with its selector */
		.dir = p->dir,
	};
	int err = xfrm_del_policy(&id);

	if (err && err != ENOENT)
		zlog_warn_limited(
			0, "kernel: IPsec drop policy cannot be removed: %s",
			strerror(err));
}

/* update: also over a policy with this selector that is not ours. */
static bool install_both(const struct ipaddr *source, uint8_t protocol,
			 bool update, char *text, size_t len)
{
	static const uint8_t dirs[] = {XFRM_POLICY_OUT, XFRM_POLICY_IN};
	struct xfrm_selector sel;
	int err;

	for (unsigned int i = 0; i < array_size(dirs); i++) {
		if (in_kernel(source, protocol, dirs[i]))
			continue;
		guard_selector(source, protocol, dirs[i], &sel);
		err = xfrm_put_drop(&sel, dirs[i], GUARD_PRIORITY, update);
		if (!err)
			continue;
		snprintfrr(
			text, len,
			err == EEXIST
				? "another IPsec policy is for protocol %u of %pIA already (%s); remove it with 'ip xfrm policy'"
				: "the kernel refused to drop protocol %u of %pIA in clear: %s",
			protocol, source, strerror(err));
		return false;
	}
	return true;
}

/* ---- what is asked for ---- */

static struct guard *guard_find(const struct ipaddr *source, uint8_t protocol)
{
	struct guard *g;

	frr_each (guards, &guards, g)
		if (g->protocol == protocol && !ipaddr_cmp(&g->source, source))
			return g;
	return NULL;
}

bool swmesh_xfrm_guarded(const struct ipaddr *source, uint8_t protocol)
{
	return in_kernel(source, protocol, XFRM_POLICY_OUT) &&
	       in_kernel(source, protocol, XFRM_POLICY_IN);
}

bool swmesh_xfrm_guard(const struct ipaddr *source, uint8_t protocol, char *err,
		       size_t len)
{
	struct guard *g;

	if (!xfrm_open(err, len))
		return false;
	g = guard_find(source, protocol);
	if (g && swmesh_xfrm_guarded(source, protocol))
		return true;
	if (!install_both(source, protocol, false, err, len))
		return false;
	if (!g) {
		g = XCALLOC(MTYPE_XFRM_GUARD, sizeof(*g));
		g->source = *source;
		g->protocol = protocol;
		guards_add_tail(&guards, g);
		zlog_info("protocol %u of %pIA is dropped unless protected",
			  protocol, source);
	}
	xfrm_drain(); /* the view has them now */
	return true;
}

static bool named(const struct xfrm_guard_id *keep, unsigned int n,
		  const struct ipaddr *source, uint8_t protocol)
{
	for (unsigned int i = 0; i < n; i++)
		if (keep[i].protocol == protocol &&
		    !ipaddr_cmp(&keep[i].source, source))
			return true;
	return false;
}

void swmesh_xfrm_guard_only(const struct xfrm_guard_id *keep, unsigned int n)
{
	struct view_policy *p;
	struct ipaddr source;
	struct guard *g;

	/* First, or their going would have them put back. */
	frr_each_safe (guards, &guards, g) {
		if (named(keep, n, &g->source, g->protocol))
			continue;
		guards_del(&guards, g);
		XFREE(MTYPE_XFRM_GUARD, g);
	}
	/* Nothing leaves the list before the notifications are read. */
	frr_each (view_policies, view_wide_policies(), p) {
		if (!is_guard(p, &source) ||
		    named(keep, n, &source, p->sel.proto))
			continue;
		if (p->dir == XFRM_POLICY_OUT)
			zlog_info("protocol %u of %pIA is no longer dropped",
				  p->sel.proto, &source);
		uninstall(p);
	}
	xfrm_drain();
}

unsigned int swmesh_xfrm_guards(struct xfrm_guard_id *ids, unsigned int cap)
{
	struct view_policy *p;
	struct ipaddr source;
	unsigned int n = 0;

	frr_each (view_policies, view_wide_policies(), p)
		if (n < cap && is_guard(p, &source) &&
		    !named(ids, n, &source, p->sel.proto)) {
			ids[n].source = source;
			ids[n++].protocol = p->sel.proto;
		}
	return n;
}

/* ---- somebody took them away ---- */

static void restore(struct thread *t)
{
	char err[GUARD_ERR_LEN];
	struct guard *g;
	bool failed = false;

	frr_each (guards, &guards, g) {
		if (swmesh_xfrm_guarded(&g->source, g->protocol))
			continue;
		if (install_both(&g->source, g->protocol, true, err,
				 sizeof(err))) {
			flog_warn_limited(
				EC_SWMESH_GUARD_GONE, g,
				"somebody removed the IPsec policy that drops protocol %u of %pIA in clear; it is back",
				g->protocol, &g->source);
			continue;
		}
		failed = true;
		flog_err_limited(EC_SWMESH_GUARD_GONE, g,
				 "somebody removed an IPsec policy of ours: %s",
				 err);
	}
	if (failed)
		thread_add_timer(master, restore, NULL, RESTORE_RETRY_S,
				 &t_restore);
}

void swmesh_xfrm_guard_look(void)
{
	time_t now = monotime(NULL);
	bool missing = false;
	struct guard *g;

	frr_each (guards, &guards, g)
		if (!swmesh_xfrm_guarded(&g->source, g->protocol))
			missing = true;
	if (!missing || t_restore)
		return;
	if (now - restored_since > RESTORE_BURST_S) {
		restored_since = now;
		restored = 0;
	}
	if (++restored > RESTORE_BURST)
		thread_add_timer(master, restore, NULL, RESTORE_RETRY_S,
				 &t_restore);
	else
		restore(NULL);
}

void swmesh_xfrm_guard_stop(void)
{
	struct guard *g;

	THREAD_OFF(t_restore);
	while ((g = guards_pop(&guards)))
		XFREE(MTYPE_XFRM_GUARD, g);
}
