// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The filter backend; see filter/filter.h.
 *
 * What the table is to hold follows from the mesh: it is found anew after a
 * change, compared with what it holds, and the difference goes to the kernel in
 * small transactions, one each time the event loop comes by.
 *
 * After a start, and when somebody else has touched the table, first the rules
 * are put in place, in one transaction that leaves counters and sets as they
 * are: traffic of softwires that bgpd has not yet asked for goes on. Then the
 * sets are read, and corrected like after any change. A table that was not
 * there is made with the first elements; the AFBRs of the others are let in as
 * theirs follow.
 *
 * A softwire comes up when the table lets its AFBR in, or when there is none.
 */
#include <zebra.h>

#include "memory.h"
#include "monotime.h"
#include "thread.h"

#include "lib/log_limit.h"

#include "swmeshd/encap/protocol.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/filter/filter.h"
#include "swmeshd/filter/filter_change.h"
#include "swmeshd/filter/filter_elements.h"
#include "swmeshd/filter/filter_nft.h"
#include "swmeshd/filter/filter_read.h"
#include "swmeshd/filter/filter_text.h"
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

static enum {
	TABLE_NONE,    /* not as it should be, or none */
	TABLE_READING, /* has our rules; what is in its sets is being read */
	TABLE_KNOWN,   /* ... is known */
} table;
static struct filter_shape shape; /* of the table, if there is one */
static bool absent;   /* it could not be made, and the kernel has none */
static bool doubted;  /* somebody else has touched it, or a change failed */
static bool useless;  /* what is there is in the way: remove it first */
static bool adopting; /* what is found in the sets is of an earlier run */
static bool dirty;    /* what the mesh asks for is to be found anew */
/* Changes that the kernel refused, until all is as it should be. */
static unsigned int failures;
#define FAILURES_MAX 3
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
#define CHANGE_MAX FILTER_CHANGE_MAX
#define CHANGE_START 128u
static unsigned int change_max;

static void update(struct thread *t);

/* ---- counters ---- */

bool swmesh_filter_read(struct filter_count counts[FILTER_COUNTERS], char *err,
			size_t len)
{
	memset(counts, 0, FILTER_COUNTERS * sizeof(counts[0]));
	if (table != TABLE_NONE)
		return filter_read_counters(counts, err, len);
	strlcpy(err, error[0] ? error : "no filter is in place", len);
	return false;
}

const char *swmesh_filter_error(void)
{
	return error;
}

/* ---- what the table is to be ---- */

/* Of struct filter_shape: all that the encapsulation's devices carry. */
static uint32_t protocol_bits(const struct encap *encap)
{
	uint8_t protocols[ENCAP_PROTOCOLS_MAX];
	unsigned int n = encap->protocols(PAYLOAD_ALL, protocols);
	uint32_t bits = 0;

	while (n--)
		for (unsigned int i = 0; i < ENCAP_PROTOCOLS; i++)
			if (encap_protocols[i].number == protocols[n])
				bits |= 1u << i;
	return bits;
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
		out->protected |= protocol_bits(encap_find(t->tunnel.type));
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
	table = TABLE_NONE;
	absent = filter_read_absent();
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
		snprintf(err, len, "the filter's rules take too much room");
	filter_text_free(text);
	return ok;
}

static void linger_over(struct thread *t)
{
	dirty = true;
	update(NULL);
}

static void find_elements(struct mesh *mesh)
{
	dirty = false;
	if (filter_elements_want(mesh, adopting))
		thread_add_timer(master, linger_over, NULL, 1, &t_linger);
}

/* What is in the sets is known still if only the rules have changed. */
static bool sets_known(const struct filter_shape *now)
{
	return table == TABLE_KNOWN && !doubted &&
	       ipaddr_family(&now->source) == ipaddr_family(&shape.source);
}

/* The rules, in the place of those that are there. */
static bool put_rules(char *err, size_t len)
{
	struct filter_text text = {};

	filter_text_table(&text, &shape);
	return run(&text, err, len);
}

/* Some of what is to be changed; *n: how much that was. */
static bool change_some(unsigned int max, unsigned int *n, char *err,
			size_t len)
{
	*n = filter_elements_put(ipaddr_family(&shape.source), max);
	return !*n || filter_change_commit(err, len);
}

static bool empty_table(char *err, size_t len)
{
	struct filter_text text = {};

	filter_text_remove(&text);
	filter_text_sets(&text, ipaddr_family(&shape.source));
	return run(&text, err, len);
}

/* The whole anew. Its first elements come before the rules: in a small mesh
 * these then drop nothing that is in order. */
static bool make_table(struct mesh *mesh, unsigned int max, char *err,
		       size_t len)
{
	unsigned int n;

	filter_read_cancel();
	filter_elements_unknown();
	find_elements(mesh);
	if (!empty_table(err, len) || !change_some(max, &n, err, len))
		return false;
	filter_elements_done();
	return put_rules(err, len);
}

/* The table and its rules, whatever is there. */
static bool put_table(struct mesh *mesh, const struct filter_shape *now,
		      char *err, size_t len)
{
	bool known = sets_known(now), anew = useless;

	shape = *now;
	doubted = useless = false; /* it may be told again meanwhile */
	/* One of another shape may be in the way. */
	if (anew || filter_read_absent() || !put_rules(err, len)) {
		known = true;
		if (!make_table(mesh, CHANGE_START, err, len) &&
		    !make_table(mesh, 0, err, len))
			return false;
	} else if (!known) {
		filter_elements_unknown();
		filter_read_begin(ipaddr_family(&shape.source));
	}
	if (table == TABLE_NONE)
		zlog_info_limited(0, "filter: table inet " FILTER_TABLE
				     " is in place");
	table = known ? TABLE_KNOWN : TABLE_READING;
	absent = false;
	return true;
}

static void read_done(const char *err)
{
	if (table != TABLE_READING)
		return;
	if (err) {
		DEBUGD(&swmesh_dbg_kernel, "filter: %s; it is made anew", err);
		doubted = useless = true;
	} else {
		table = TABLE_KNOWN;
		dirty = true;
	}
	thread_add_event(master, update, NULL, 0, &t_update);
}

static void remove_table(void)
{
	struct filter_text text = {};
	char err[MESH_REASON_LEN];

	/* Without one there is nothing to complain of. */
	filter_text_remove(&text);
	if (!run(&text, err, sizeof(err)))
		DEBUGD(&swmesh_dbg_kernel, "filter: %s", err);
	else if (table != TABLE_NONE)
		zlog_info_limited(0, "filter: table inet " FILTER_TABLE
				     " removed");
	table = TABLE_NONE;
	adopting = false;
	error[0] = '\0';
	filter_elements_clear();
	tell_softwires(NULL);
}

/* Some of what is to be changed; so many that it takes CHANGE_US. */
static bool change(char *err, size_t len)
{
	int64_t began = cpu_us(), took;
	unsigned int n;

	if (!change_some(change_max, &n, err, len))
		return false;
	took = cpu_us() - began;
	if (took > CHANGE_US)
		change_max = MAX(change_max / 2, CHANGE_MIN);
	else if (took < CHANGE_US / 2 && n == change_max)
		change_max = MIN(2 * change_max, CHANGE_MAX);
	return true;
}

/* It is not what we believe: read it, then make it anew, then wait. */
static void change_failed(const char *err)
{
	if (++failures >= FAILURES_MAX) {
		failures = FAILURES_MAX;
		failed(err);
		return;
	}
	DEBUGD(&swmesh_dbg_kernel, "filter: %s", err);
	doubted = true;
	useless = failures > 1;
	thread_add_event(master, update, NULL, 0, &t_update);
}

static void bring(struct mesh *mesh)
{
	struct filter_shape now;
	char err[MESH_REASON_LEN];

	find_shape(mesh, &now);
	if (table == TABLE_NONE || doubted ||
	    memcmp(&now, &shape, sizeof(now))) {
		if (!put_table(mesh, &now, err, sizeof(err))) {
			failed(err);
			return;
		}
		/* The event loop has its turn before the elements. */
		thread_add_event(master, update, NULL, 0, &t_update);
		return;
	}
	if (table == TABLE_READING)
		return;
	if (dirty)
		find_elements(mesh);
	if (!change(err, sizeof(err))) {
		change_failed(err);
		return;
	}
	if (filter_elements_done())
		failures = 0;
	else
		thread_add_event(master, update, NULL, 0, &t_update);
	if (!failures)
		error[0] = '\0';
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

	dirty = true;
	pause = MIN(MAX(pause, PAUSE_MIN_MS), PAUSE_MAX_MS);
	update_after(pause - monotime_since(&last_end, NULL) / 1000);
}

static void touched(const char *who)
{
	time_t now = monotime(NULL);

	if (table == TABLE_NONE || doubted)
		return;
	flog_warn_limited(EC_SWMESH_FILTER_GONE, log_limit_key(who),
			  "filter: %s changed table inet " FILTER_TABLE
			  ", which is ours; it is put back",
			  who);
	doubted = true;
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
	dirty = true;
	disabled_since = 1;
	update(NULL);
}

void swmesh_filter_init(void)
{
	filter_nft_init();
	filter_nft_touched = touched;
	filter_read_done = read_done;
	table = TABLE_NONE;
	absent = doubted = useless = false;
	failures = 0;
	change_max = CHANGE_START;
	disabled_since = 0;
	error[0] = '\0';
	adopting = dirty = true;
}

void swmesh_filter_stop(void)
{
	THREAD_OFF(t_update);
	THREAD_OFF(t_linger);
	filter_nft_stop();
	filter_read_stop();
	filter_change_stop();
	filter_elements_clear();
}
