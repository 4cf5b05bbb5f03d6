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
 *
 * A softwire comes up when the table lets its AFBR in, or when there is none.
 */
#include <zebra.h>

#include <json-c/json.h>

#include "memory.h"
#include "monotime.h"
#include "thread.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/swmesh_filter_priv.h"
#include "swmeshd/swmesh_kernel.h"
#include "swmeshd/swmeshd.h"

/* Between two transactions at least; and so many times what one took of the
 * processor, up to a bound, since softwires wait for it to come up. */
#define PAUSE_MIN_MS 50
#define PAUSE_MAX_MS 500
#define PAUSE_SHARE 9
#define RETRY_S 10
/* Put back at once, this often in a row; then once a second. */
#define RESTORE_BURST 16
#define RESTORE_BURST_S 10
#define RESTORE_SLOW_MS 1000

static struct filter_shape shape; /* of the table, with `installed` */
static bool installed;
static bool absent;   /* it could not be made, and the kernel has none */
static bool foreign;  /* somebody else has touched it */
static bool adopting; /* sets may have elements of an earlier run */
static struct thread *t_update, *t_linger;
static struct timeval last_end;
static int64_t last_cpu_us;
static time_t disabled_since;
static unsigned int restored;
static time_t restored_since;
static char error[MESH_REASON_LEN];

/* Elements that are changed in one go, as many as take CHANGE_US of the
 * processor: meanwhile swmeshd hears nobody. */
#define CHANGE_US 10000
#define CHANGE_MIN 16u
#define CHANGE_MAX 4096u
static unsigned int change_max = 128;

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

/* ---- what the table is to be ---- */

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

/* ---- the softwires that wait for it ---- */

bool swmesh_filter_set(struct softwire *sw)
{
	return swmesh->config.filter.off || absent || filter_elements_in(sw);
}

/* failure: why they have to wait longer; NULL: some may come up. */
static void tell_softwires(const char *failure)
{
	struct softwire *sw;
	struct afbr *afbr;

	frr_each (afbr_table, &swmesh->afbrs, afbr) {
		frr_each (afbr_softwires, &afbr->softwires, sw) {
			if (sw->state != SOFTWIRE_WAIT_FILTER)
				continue;
			if (swmesh_filter_set(sw))
				softwire_event(sw, SOFTWIRE_EV_FILTER_READY,
					       NULL);
			else if (failure)
				softwire_event(sw, SOFTWIRE_EV_FILTER_FAILED,
					       failure);
		}
	}
}

/* ---- bringing it there ---- */

static int64_t cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void failed(const char *text)
{
	installed = false;
	absent = filter_nft_absent();
	if (strcmp(error, text))
		flog_err_limited(EC_SWMESH_FILTER, log_limit_key(text),
				 "filter: %s", text);
	strlcpy(error, text, sizeof(error));
	tell_softwires(text);
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
	filter_elements_put_all(&text, ipaddr_family(&shape.source));
	return run(&text, err, len);
}

static void remove_table(void)
{
	struct filter_text text = {};
	char err[MESH_REASON_LEN];

	/* Without one there is nothing to complain of. */
	filter_text_remove(&text);
	if (!run(&text, err, sizeof(err)))
		DEBUGD(&swmesh_dbg_kernel, "filter: %s", err);
	else if (installed)
		zlog_info_limited(0, "filter: table inet " FILTER_TABLE
				     " removed");
	installed = false;
	adopting = false;
	error[0] = '\0';
	filter_elements_clear();
	tell_softwires(NULL);
}

static bool change(char *err, size_t len)
{
	struct filter_text text = {};
	int64_t began = cpu_us(), took;

	if (!filter_elements_put_changes(&text, ipaddr_family(&shape.source),
					 change_max))
		return true;
	if (!run(&text, err, len))
		return false;
	took = cpu_us() - began;
	if (took > CHANGE_US)
		change_max = MAX(change_max / 2, CHANGE_MIN);
	else if (took < CHANGE_US / 2)
		change_max = MIN(2 * change_max, CHANGE_MAX);
	return true;
}

static void linger_over(struct thread *t)
{
	update(NULL);
}

static void bring(struct mesh *mesh)
{
	struct filter_shape now;
	char err[MESH_REASON_LEN];
	bool ok;

	find_shape(mesh, &now);
	if (filter_elements_want(mesh))
		thread_add_timer(master, linger_over, NULL, 1, &t_linger);
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
		zlog_info_limited(0, "filter: table inet " FILTER_TABLE
				     " is in place");
	installed = true;
	absent = false;
	error[0] = '\0';
	if (!filter_elements_done())
		thread_add_event(master, update, NULL, 0, &t_update);
	tell_softwires(NULL);
}

/* ---- when ---- */

/* The devices of a mesh that is no more go first. */
static bool disabled_long_enough(void)
{
	time_t now = monotime(NULL);

	if (!disabled_since)
		disabled_since = now;
	if (now - disabled_since >= FILTER_LINGER_S)
		return true;
	thread_add_timer(master, linger_over, NULL, 1, &t_linger);
	return false;
}

static void update(struct thread *t)
{
	struct mesh *mesh = swmesh;
	int64_t begin = cpu_us();

	THREAD_OFF(t_update);
	if (mesh->config.filter.off)
		remove_table();
	else if (!IS_IPADDR_NONE(&mesh->local_source))
		bring(mesh);
	else if (disabled_long_enough())
		remove_table();
	if (!IS_IPADDR_NONE(&mesh->local_source))
		disabled_since = 0;
	monotime(&last_end);
	last_cpu_us = cpu_us() - begin;
}

static void update_after(int64_t ms)
{
	if (!t_update)
		thread_add_timer_msec(master, update, NULL, MAX(0, ms),
				      &t_update);
}

void swmesh_filter_changed(struct mesh *mesh)
{
	int64_t pause = PAUSE_SHARE * last_cpu_us / 1000;

	pause = MIN(MAX(pause, PAUSE_MIN_MS), PAUSE_MAX_MS);
	update_after(pause - monotime_since(&last_end, NULL) / 1000);
}

static void touched(const char *who)
{
	time_t now = monotime(NULL);

	if (!installed || foreign)
		return;
	flog_warn_limited(EC_SWMESH_FILTER_GONE, log_limit_key(who),
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
void swmesh_filter_sweep(void)
{
	adopting = false;
	foreign = true;
	disabled_since = 1;
	update(NULL);
}

void swmesh_filter_init(void)
{
	filter_nft_init();
	filter_nft_touched = touched;
	adopting = true;
}

void swmesh_filter_stop(void)
{
	THREAD_OFF(t_update);
	THREAD_OFF(t_linger);
	filter_nft_stop();
	filter_elements_clear();
}
