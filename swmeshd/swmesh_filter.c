// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The filter backend; see swmesh_filter.h.
 *
 * What the table is to hold follows from the mesh: it is found anew after a
 * change, compared with what it holds, and the difference goes to the kernel in
 * one transaction, twenty of them a second at most. After a start, and when
 * somebody else has touched the table, it is replaced in one transaction that
 * leaves the counters as they are; after a start without emptying the sets, as
 * traffic of softwires that bgpd has not yet asked for goes on.
 */
#include <zebra.h>

#include <json-c/json.h>

#include "memory.h"
#include "monotime.h"
#include "thread.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/swmesh_filter_priv.h"
#include "swmeshd/swmesh_kernel.h"
#include "swmeshd/swmeshd.h"

DEFINE_MTYPE_STATIC(SWMESHD, FILTER_ELEMENT, "Filter element");

/* Between two transactions at least, and so many times what one took. */
#define INTERVAL_MS 50
#define INTERVAL_SHARE 9
/* Devices outlive their softwires by a little less, to receive what the AFBR
 * has sent on the way. */
#define LINGER_S 4
#define RETRY_S 10
/* Put back at once, this often in a row; then once a second. */
#define RESTORE_BURST 16
#define RESTORE_BURST_S 10
#define RESTORE_SLOW_MS 1000

static struct filter_elements_head elements;
static struct filter_shape shape; /* of the table, with `installed` */
static bool installed;
static bool foreign;  /* somebody else has touched it */
static bool synced;   /* leftovers of an earlier run have had their time */
static bool adopting; /* sets may have elements of an earlier run */
static struct thread *t_update, *t_grace, *t_linger;
static struct timeval last_end;
static int64_t last_us;
static time_t disabled_since;
static unsigned int restored;
static time_t restored_since;
static char error[MESH_REASON_LEN];

static void update(struct thread *t);

/* ---- counters ---- */

static const char *const counter_names[FILTER_COUNTERS] = {
	[FILTER_UNKNOWN_SOURCE] = "unknown-source",
	[FILTER_CLEAR] = "clear",
	[FILTER_CLEAR_SENT] = "clear-sent",
	[FILTER_SPOOFED] = "spoofed",
};

const char *filter_counter_name(enum filter_counter counter)
{
	return counter_names[counter];
}

static void read_counter(struct json_object *counter,
			 struct filter_count counts[FILTER_COUNTERS])
{
	struct json_object *name, *packets, *bytes;

	if (!json_object_object_get_ex(counter, "name", &name) ||
	    !json_object_object_get_ex(counter, "packets", &packets) ||
	    !json_object_object_get_ex(counter, "bytes", &bytes))
		return;
	for (unsigned int i = 0; i < FILTER_COUNTERS; i++) {
		if (strcmp(json_object_get_string(name), counter_names[i]))
			continue;
		counts[i].packets = json_object_get_int64(packets);
		counts[i].bytes = json_object_get_int64(bytes);
	}
}

bool swmesh_filter_read(struct filter_count counts[FILTER_COUNTERS], char *err,
			size_t len)
{
	struct json_object *root, *list, *item, *counter;
	char *text;

	memset(counts, 0, FILTER_COUNTERS * sizeof(counts[0]));
	if (!installed) {
		strlcpy(err, error[0] ? error : "no filter is in place", len);
		return false;
	}
	text = filter_nft_list("list counters table inet " FILTER_TABLE, err,
			       len);
	if (!text)
		return false;
	root = json_tokener_parse(text);
	free(text);
	if (!root || !json_object_object_get_ex(root, "nftables", &list)) {
		json_object_put(root);
		strlcpy(err, "libnftables gives no counters", len);
		return false;
	}
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		item = json_object_array_get_idx(list, i);
		if (json_object_object_get_ex(item, "counter", &counter))
			read_counter(counter, counts);
	}
	json_object_put(root);
	return true;
}

const char *swmesh_filter_error(void)
{
	return error;
}

/* ---- what the table is to hold ---- */

static void want(const struct filter_element *key)
{
	struct filter_element *e = filter_elements_find(&elements, key);

	if (!e) {
		e = XCALLOC(MTYPE_FILTER_ELEMENT, sizeof(*e));
		*e = *key;
		filter_elements_add(&elements, e);
	}
	e->wanted = true;
	e->unwanted_since = 0;
}

static void want_protocol(const struct softwire *sw, uint8_t protocol)
{
	struct filter_element e = {
		.set = sw->security ? FILTER_SET_PROTECTED : FILTER_SET_OPEN,
		.addr = sw->afbr->addr,
		.protocol = protocol,
	};

	want(&e);
}

/* What we announced for it, the AFBR may send. */
static void want_softwire(const struct mesh *mesh, const struct softwire *sw,
			  int ifindex)
{
	struct filter_element e = {.ifindex = ifindex};
	uint8_t payload;

	if (sw->tunnel.type == TEA_TYPE_GRE) {
		want_protocol(sw, IPPROTO_GRE);
	} else {
		payload = mesh_local_payload(mesh, &sw->tunnel);
		if (payload & PAYLOAD_IPV4)
			want_protocol(sw, IPPROTO_IPIP);
		if (payload & PAYLOAD_IPV6)
			want_protocol(sw, IPPROTO_IPV6);
	}
	e.set = FILTER_SET_SOFTWIRES;
	want(&e);
	e.set = FILTER_SET_OWN;
	e.addr = sw->afbr->addr;
	want(&e);
}

/* A softwire without a device takes nothing: its packets find the AFBR unknown
 * until the device is there and its inner sources are checked. */
static void want_afbr(const struct mesh *mesh, struct afbr *afbr)
{
	int ifindexes[LOCAL_TUNNELS_MAX], ifindex;
	struct filter_element e = {.set = FILTER_SET_PAIRS};
	struct softwire *sw;
	unsigned int n = 0;

	frr_each (afbr_softwires, &afbr->softwires, sw) {
		ifindex = swmesh_kernel_device_ifindex(sw);
		if (!ifindex)
			continue;
		want_softwire(mesh, sw, ifindex);
		if (n < array_size(ifindexes))
			ifindexes[n++] = ifindex;
	}
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = 0; j < n; j++) {
			if (i == j)
				continue;
			e.ifindex = ifindexes[i];
			e.ifindex2 = ifindexes[j];
			want(&e);
		}
}

/* The AFBR and protocol are in the other one of the two sets now. */
static bool superseded(const struct filter_element *e)
{
	struct filter_element key = *e;
	const struct filter_element *other;

	if (e->set != FILTER_SET_OPEN && e->set != FILTER_SET_PROTECTED)
		return false;
	key.set = e->set == FILTER_SET_OPEN ? FILTER_SET_PROTECTED
					    : FILTER_SET_OPEN;
	other = filter_elements_find(&elements, &key);
	return other && other->wanted;
}

static void linger_over(struct thread *t)
{
	update(NULL);
}

/* Marks what is wanted; what is not any more keeps `wanted` for LINGER_S. */
static void find_elements(struct mesh *mesh)
{
	time_t now = monotime(NULL);
	struct filter_element *e;
	struct afbr *afbr;
	bool lingering = false;

	frr_each (filter_elements, &elements, e)
		e->wanted = false;
	frr_each (afbr_table, &mesh->afbrs, afbr)
		want_afbr(mesh, afbr);
	frr_each (filter_elements, &elements, e) {
		if (e->wanted)
			continue;
		if (!e->unwanted_since)
			e->unwanted_since = now;
		if (now - e->unwanted_since < LINGER_S && !superseded(e))
			lingering = true;
		else
			e->unwanted_since = 1; /* long over */
	}
	frr_each (filter_elements, &elements, e)
		if (e->unwanted_since > 1)
			e->wanted = true;
	if (lingering)
		thread_add_timer(master, linger_over, NULL, 1, &t_linger);
}

static void find_shape(const struct mesh *mesh, struct filter_shape *out)
{
	memset(out, 0, sizeof(*out));
	out->source = mesh->local_source;
	out->anti_spoof = mesh->config.filter.anti_spoof;
	out->log = mesh->config.filter.log;
	out->log_rate = MAX(1u, mesh->config.filter.log_rate);
	for (unsigned int i = 0; i < mesh->local.n; i++) {
		const struct local_tunnel *t = &mesh->local.t[i];

		if (!t->security[0])
			continue;
		out->protected |=
			t->tunnel.type == TEA_TYPE_GRE
				? FILTER_PROTO_GRE
				: FILTER_PROTO_IPIP | FILTER_PROTO_IPV6;
	}
}

/* ---- bringing it there ---- */

/* Elements to add (or delete) as commands, set by set. False: there is none. */
static bool put_elements(struct filter_text *text, bool all, bool del)
{
	int family = ipaddr_family(&shape.source);
	struct filter_element *e;
	bool any = false;

	for (unsigned int set = 0; set < FILTER_SETS; set++) {
		bool first = true;

		frr_each (filter_elements, &elements, e) {
			if (e->set != set || e->wanted == del)
				continue;
			if (!all && e->installed != del)
				continue;
			if (first)
				filter_text_elements(text,
						     del ? "delete" : "add",
						     set, family);
			filter_text_element(text, e, first);
			first = false;
		}
		if (!first)
			filter_text_end(text);
		any |= !first;
	}
	return any;
}

static void elements_done(void)
{
	struct filter_element *e;

	frr_each_safe (filter_elements, &elements, e) {
		e->installed = e->wanted;
		if (e->wanted)
			continue;
		filter_elements_del(&elements, e);
		XFREE(MTYPE_FILTER_ELEMENT, e);
	}
}

static void failed(const char *text)
{
	installed = false;
	if (strcmp(error, text))
		flog_err(EC_SWMESH_FILTER, "filter: %s", text);
	strlcpy(error, text, sizeof(error));
	thread_add_timer(master, update, NULL, RETRY_S, &t_update);
}

static bool run(struct filter_text *text, char *err, size_t len)
{
	bool ok = !text->full && filter_nft_run(text->data, err, len);

	if (text->full)
		snprintf(err, len, "too many AFBRs for the filter");
	filter_text_free(text);
	return ok;
}

static bool replace(bool anew, char *err, size_t len)
{
	struct filter_text text = {};

	if (anew)
		filter_text_remove(&text);
	filter_text_table(&text, &shape, !adopting);
	put_elements(&text, true, false);
	return run(&text, err, len);
}

static void remove_table(void)
{
	struct filter_text text = {};
	struct filter_element *e;
	char err[MESH_REASON_LEN];

	/* Without one there is nothing to complain of. */
	filter_text_remove(&text);
	if (!run(&text, err, sizeof(err)))
		DEBUGD(&swmesh_dbg_kernel, "filter: %s", err);
	else if (installed)
		zlog_info("filter: table inet " FILTER_TABLE " removed");
	installed = false;
	adopting = false;
	error[0] = '\0';
	while ((e = filter_elements_pop(&elements)))
		XFREE(MTYPE_FILTER_ELEMENT, e);
}

static bool change(char *err, size_t len)
{
	struct filter_text text = {};
	bool any;

	any = put_elements(&text, false, true);
	any |= put_elements(&text, false, false);
	return !any || run(&text, err, len);
}

static void bring(struct mesh *mesh)
{
	struct filter_shape now;
	char err[MESH_REASON_LEN];
	bool ok;

	find_shape(mesh, &now);
	find_elements(mesh);
	ok = installed && !foreign && !memcmp(&now, &shape, sizeof(now));
	shape = now;
	foreign = false; /* it may be told again, while this goes on */
	if (ok)
		ok = change(err, sizeof(err));
	/* Else, or if it is not what we believe: the whole; and if one of an
	 * other shape is in the way, that one goes. */
	if (!ok)
		ok = replace(false, err, sizeof(err)) ||
		     replace(true, err, sizeof(err));
	if (!ok) {
		failed(err);
		return;
	}
	if (!installed)
		zlog_info("filter: table inet " FILTER_TABLE " is in place");
	installed = true;
	error[0] = '\0';
	elements_done();
}

/* ---- when ---- */

/* The devices of a mesh that is no more go first. */
static bool disabled_long_enough(void)
{
	time_t now = monotime(NULL);

	if (!disabled_since)
		disabled_since = now;
	if (now - disabled_since >= LINGER_S)
		return true;
	thread_add_timer(master, linger_over, NULL, 1, &t_linger);
	return false;
}

static void update(struct thread *t)
{
	struct mesh *mesh = swmesh;
	struct timeval begin;

	THREAD_OFF(t_update);
	monotime(&begin);
	if (mesh->config.filter.off)
		remove_table();
	else if (!IS_IPADDR_NONE(&mesh->local_source))
		bring(mesh);
	else if (disabled_long_enough())
		remove_table();
	if (!IS_IPADDR_NONE(&mesh->local_source))
		disabled_since = 0;
	monotime(&last_end);
	last_us = monotime_since(&begin, NULL);
}

static void update_after(int64_t ms)
{
	if (!t_update)
		thread_add_timer_msec(master, update, NULL, MAX(0, ms),
				      &t_update);
}

void swmesh_filter_changed(struct mesh *mesh)
{
	int64_t pause = MAX(INTERVAL_MS, INTERVAL_SHARE * last_us / 1000);

	update_after(pause - monotime_since(&last_end, NULL) / 1000);
}

static void touched(const char *who)
{
	time_t now = monotime(NULL);

	if (!installed || foreign)
		return;
	flog_warn(EC_SWMESH_FILTER_GONE,
		  "filter: %s changed table inet " FILTER_TABLE
		  ", which is ours; it is put back",
		  who);
	foreign = true;
	if (now - restored_since > RESTORE_BURST_S) {
		restored_since = now;
		restored = 0;
	}
	THREAD_OFF(t_update);
	update_after(++restored > RESTORE_BURST ? RESTORE_SLOW_MS : 0);
}

/* Leftovers go: elements of an earlier run, or its table. */
static void grace_over(struct thread *t)
{
	if (!IS_IPADDR_NONE(&swmesh->local_source) && !synced)
		return; /* bgpd has not said what it needs */
	adopting = false;
	foreign = true;
	disabled_since = 1;
	update(NULL);
}

void swmesh_filter_synced(void)
{
	if (synced)
		return;
	synced = true;
	THREAD_OFF(t_grace);
	thread_add_timer(master, grace_over, NULL, swmesh_grace, &t_grace);
}

void swmesh_filter_init(void)
{
	filter_elements_init(&elements);
	filter_nft_touched = touched;
	adopting = true;
	thread_add_timer(master, grace_over, NULL, swmesh_grace, &t_grace);
}

void swmesh_filter_stop(void)
{
	struct filter_element *e;

	THREAD_OFF(t_update);
	THREAD_OFF(t_grace);
	THREAD_OFF(t_linger);
	filter_nft_stop();
	while ((e = filter_elements_pop(&elements)))
		XFREE(MTYPE_FILTER_ELEMENT, e);
}
