// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the filter gives to the kernel, and in which pieces: nothing that grows
 * with the number of AFBRs is done at once. The kernel is one of this test: it
 * keeps sets, refuses what nf_tables refuses, and counts.
 */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "jhash.h"
#include "memory.h"
#include "privs.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/filter/filter.h"
#include "swmeshd/filter/filter_change.h"
#include "swmeshd/filter/filter_elements.h"
#include "swmeshd/filter/filter_nft.h"
#include "swmeshd/filter/filter_read.h"
#include "swmeshd/filter/filter_text.h"
#include "swmeshd/kernel/kernel.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd filter test");
DEFINE_MTYPE_STATIC(SWMESHD, TEST_ELEMENT, "Element of the test's kernel");
struct debug swmesh_dbg_kernel = {0, "kernel"};
struct thread_master *master;
struct zebra_privs_t swmesh_privs;
struct mesh *swmesh;

#define AFBRS 2000
#define ELEMENTS_EACH 3 /* open or protected, softwires, own */
#define ELEMENTS (AFBRS * ELEMENTS_EACH)
#define IFINDEX 100
/* What the rules take at most, in nft's words. */
#define RULES_OCTETS 16384

static struct mesh mesh;
static struct afbr afbrs[AFBRS];
static struct softwire softwires[AFBRS];

/* ---- the rest of swmeshd ---- */

static unsigned int up, failed_times;

int afbr_cmp(const struct afbr *a, const struct afbr *b)
{
	return ipaddr_cmp(&a->addr, &b->addr);
}

uint32_t afbr_hash(const struct afbr *afbr)
{
	return jhash(&afbr->addr.ip, 16, 0);
}

uint8_t mesh_local_payload(const struct mesh *m, const struct sw_tunnel *t)
{
	return PAYLOAD_IPV4;
}

void softwire_event(struct softwire *sw, enum softwire_event event,
		    const char *reason)
{
	if (event == SOFTWIRE_EV_FILTER_FAILED) {
		failed_times++;
		return;
	}
	assert_int_equal(event, SOFTWIRE_EV_FILTER_READY);
	sw->state = SOFTWIRE_UP;
	up++;
}

/* ---- the kernel ---- */

PREDECL_HASH(texts);
struct text {
	struct texts_item item;
	char words[80]; /* "open6 2001:db8::1 . 47" */
};

static int text_cmp(const struct text *a, const struct text *b)
{
	return strcmp(a->words, b->words);
}

static uint32_t text_hash(const struct text *t)
{
	return jhash(t->words, strlen(t->words), 0);
}

DECLARE_HASH(texts, struct text, item, text_cmp, text_hash);

static struct texts_head kernel;
static bool there;
static unsigned int refuse;  /* so many changes of elements */
static unsigned int tables;  /* transactions with rules */
static unsigned int makings; /* ... of which the table was removed before */
static unsigned int changes; /* transactions with elements */
static unsigned int before_rules; /* elements, when the first came */
static unsigned int most;	  /* elements in one transaction */
static unsigned int most_up;	  /* softwires that came up by one */
static unsigned int read_fails;	  /* so many readings */
static unsigned int reads;

void (*filter_nft_touched)(const char *who);
void (*filter_read_done)(const char *err);

static void kernel_clear(void)
{
	struct text *t;

	while ((t = texts_pop(&kernel)))
		XFREE(MTYPE_TEST_ELEMENT, t);
}

static bool kernel_has(const char *words)
{
	struct text key;

	strlcpy(key.words, words, sizeof(key.words));
	return texts_find(&kernel, &key);
}

/* False: it is not there to be deleted. */
static bool kernel_change(const char *set, const char *element, bool del)
{
	struct text key, *t;

	snprintf(key.words, sizeof(key.words), "%s %s", set, element);
	t = texts_find(&kernel, &key);
	if (!del) {
		if (t)
			return true;
		t = XCALLOC(MTYPE_TEST_ELEMENT, sizeof(*t));
		*t = key;
		texts_add(&kernel, t);
		return true;
	}
	if (!t)
		return false;
	texts_del(&kernel, t);
	XFREE(MTYPE_TEST_ELEMENT, t);
	return true;
}

bool filter_nft_run(const char *commands, char *err, size_t len)
{
	char *copy = strdup(commands), *rest = copy, *line;
	bool rules = false;

	while ((line = strsep(&rest, "\n"))) {
		if (!strncmp(line, "delete table", 12)) {
			kernel_clear();
			there = false;
			makings++;
		} else if (!strncmp(line, "add set", 7)) {
			there = true;
		} else if (!strncmp(line, "add rule", 8)) {
			rules = true;
		}
		/* Its work grows with what is in the set. */
		assert_null(strstr(line, "flush set"));
		/* Nor are elements its business. */
		assert_null(strstr(line, " element "));
	}
	free(copy);
	assert_true(strlen(commands) < RULES_OCTETS);
	if (rules && !tables++)
		before_rules = texts_count(&kernel);
	return true;
}

/* What is to be changed in one transaction. */
static struct filter_element put[FILTER_CHANGE_MAX];
static bool put_to_add[FILTER_CHANGE_MAX];
static unsigned int n_put;

void filter_change_begin(void)
{
	n_put = 0;
}

void filter_change_put(bool add, const struct filter_element *e, int family)
{
	uint8_t key[FILTER_KEY_OCTETS];
	struct filter_element *copy = &put[n_put];

	assert_int_equal(family, AF_INET6);
	assert_true(n_put < FILTER_CHANGE_MAX);
	put_to_add[n_put++] = add;
	*copy = (struct filter_element){.set = e->set};
	assert_true(filter_key_read(copy, family, key,
				    filter_key_write(e, family, key)));
	assert_int_equal(filter_element_cmp(e, copy), 0);
}

static void element_words(const struct filter_element *e, char *words,
			  size_t len)
{
	switch (e->set) {
	case FILTER_SET_OPEN:
	case FILTER_SET_PROTECTED:
		snprintfrr(words, len, "%pIA . %u", &e->addr, e->protocol);
		break;
	case FILTER_SET_OWN:
		snprintfrr(words, len, "%d . %pIA", e->ifindex, &e->addr);
		break;
	default:
		snprintf(words, len, "%d", e->ifindex);
		break;
	}
}

bool filter_change_commit(char *err, size_t len)
{
	char name[FILTER_SET_NAME_LEN], words[64];
	bool ok = there && !refuse;

	assert_true(n_put > 0);
	for (unsigned int i = 0; i < n_put && ok; i++) {
		element_words(&put[i], words, sizeof(words));
		ok = kernel_change(filter_set_name(put[i].set, AF_INET6, name),
				   words, !put_to_add[i]);
	}
	changes++;
	most = MAX(most, n_put);
	if (refuse)
		refuse--;
	if (!ok)
		strlcpy(err, "the kernel refused the filter: so", len);
	return ok;
}

void filter_change_stop(void)
{
}

void filter_nft_init(void)
{
}

void filter_nft_stop(void)
{
}

void filter_read_stop(void)
{
}

bool filter_read_absent(void)
{
	return !there;
}

bool filter_read_counters(struct filter_count counts[FILTER_COUNTERS],
			  char *err, size_t len)
{
	return true;
}

static void tell_element(const char *words)
{
	struct filter_element e = {};
	char a[80], b[80];

	if (sscanf(words, "open6 %79s . %79s", a, b) == 2) {
		e.set = FILTER_SET_OPEN;
		assert_int_equal(str2ipaddr(a, &e.addr), 0);
		e.protocol = atoi(b);
	} else if (sscanf(words, "protected6 %79s . %79s", a, b) == 2) {
		e.set = FILTER_SET_PROTECTED;
		assert_int_equal(str2ipaddr(a, &e.addr), 0);
		e.protocol = atoi(b);
	} else if (sscanf(words, "own6 %79s . %79s", a, b) == 2) {
		e.set = FILTER_SET_OWN;
		e.ifindex = atoi(a);
		assert_int_equal(str2ipaddr(b, &e.addr), 0);
	} else {
		assert_int_equal(sscanf(words, "softwires %79s", a), 1);
		e.set = FILTER_SET_SOFTWIRES;
		e.ifindex = atoi(a);
	}
	filter_elements_found(&e);
}

static struct thread *t_tell;

void filter_read_cancel(void)
{
	THREAD_OFF(t_tell);
}

static void tell(struct thread *t)
{
	struct text *text;

	if (read_fails) {
		read_fails--;
		filter_read_done("no");
		return;
	}
	frr_each (texts, &kernel, text)
		tell_element(text->words);
	filter_read_done(NULL);
}

void filter_read_begin(int family)
{
	reads++;
	thread_add_event(master, tell, NULL, 0, &t_tell);
}

/* ---- scenery ---- */

static void count_from_here(void)
{
	tables = makings = changes = most = most_up = reads = up =
		failed_times = 0;
}

#define LIMIT_MS 20000
/* No pause of the filter is longer. */
#define PAUSE_LONGEST_MS 600

static bool is_time;

static void time_is_up(struct thread *t)
{
	is_time = true;
}

/* Until it is so; NULL: all that comes within a moment. */
static void run_until(bool (*so)(void))
{
	struct thread *t_limit = NULL, t;
	unsigned int before;

	is_time = false;
	thread_add_timer_msec(master, time_is_up, NULL,
			      so ? LIMIT_MS : PAUSE_LONGEST_MS, &t_limit);
	while (!is_time && !(so && so())) {
		assert_non_null(thread_fetch(master, &t));
		before = up;
		thread_call(&t);
		most_up = MAX(most_up, up - before);
	}
	THREAD_OFF(t_limit);
	assert_true(!so || so());
}

static void waiting(void)
{
	for (unsigned int i = 0; i < AFBRS; i++)
		softwires[i].state = SOFTWIRE_WAIT_FILTER;
	up = 0;
}

static int setup(void **state)
{
	texts_init(&kernel);
	there = false;
	refuse = read_fails = 0;
	memset(&mesh, 0, sizeof(mesh));
	memset(afbrs, 0, sizeof(afbrs));
	memset(softwires, 0, sizeof(softwires));
	swmesh = &mesh;
	afbr_table_init(&mesh.afbrs);
	assert_int_equal(str2ipaddr("2001:db8:c::1", &mesh.local_source), 0);
	for (unsigned int i = 0; i < AFBRS; i++) {
		struct afbr *afbr = &afbrs[i];

		assert_int_equal(str2ipaddr("2001:db8:a::", &afbr->addr), 0);
		afbr->addr.ipaddr_v6.s6_addr[14] = (i + 1) >> 8;
		afbr->addr.ipaddr_v6.s6_addr[15] = i + 1;
		afbr->mesh = &mesh;
		afbr_table_add(&mesh.afbrs, afbr);
		afbr_softwires_init(&afbr->softwires);
		softwires[i].afbr = afbr;
		softwires[i].dev.ifindex = IFINDEX + i;
		softwires[i].tunnel.type = TEA_TYPE_GRE;
		afbr_softwires_add_tail(&afbr->softwires, &softwires[i]);
	}
	waiting();
	count_from_here();
	swmesh_filter_init();
	return 0;
}

static int teardown(void **state)
{
	swmesh_filter_stop();
	for (unsigned int i = 0; i < AFBRS; i++)
		if (afbr_softwires_count(&afbrs[i].softwires))
			afbr_softwires_del(&afbrs[i].softwires, &softwires[i]);
	while (afbr_table_pop(&mesh.afbrs))
		;
	afbr_table_fini(&mesh.afbrs);
	kernel_clear();
	texts_fini(&kernel);
	return 0;
}

static bool all_up(void)
{
	return up == AFBRS;
}

static bool is_whole(void)
{
	return texts_count(&kernel) == ELEMENTS &&
	       kernel_has("open6 2001:db8:a::1 . 47") &&
	       kernel_has("softwires 100") &&
	       kernel_has("own6 100 . 2001:db8:a::1");
}

static void start(void)
{
	swmesh_filter_changed(&mesh);
	run_until(all_up);
}

static void whole(void)
{
	run_until(is_whole);
	assert_string_equal(swmesh_filter_error(), "");
}

/* In pieces, of which each lets some AFBRs' softwires come up. */
static void in_pieces(void)
{
	assert_true(changes > 1);
	assert_true(most <= FILTER_CHANGE_MAX);
	assert_int_equal(up, AFBRS);
	assert_true(most_up < AFBRS);
}

static bool is_reading(void)
{
	return reads == 1;
}

static bool is_made(void)
{
	return makings == 1;
}

/* ---- tests ---- */

static void test_start(void **state)
{
	start();
	whole();
	in_pieces();
	assert_int_equal(tables, 1);
	/* Nothing is to be done. */
	count_from_here();
	swmesh_filter_changed(&mesh);
	run_until(NULL);
	assert_int_equal(tables + changes, 0);
}

static void test_flushed(void **state)
{
	start();
	waiting();
	count_from_here();
	kernel_clear();
	there = false;
	filter_nft_touched("nft, process 123");
	whole();
	in_pieces();
	assert_int_equal(tables, 1);
	/* The rules drop nothing of the first AFBRs. */
	assert_true(before_rules > 0 && before_rules < ELEMENTS);
}

static bool stranger_is_out(void)
{
	return !kernel_has("open6 2001:db8:b::1 . 47") && is_whole();
}

static void test_touched(void **state)
{
	start();
	swmesh_filter_sweep();
	count_from_here();
	kernel_change("open6", "2001:db8:b::1 . 47", false);
	kernel_change("open6", "2001:db8:a::1 . 47", true);
	filter_nft_touched("nft, process 123");
	run_until(stranger_is_out);
	/* Who was let in all the while was not touched. */
	assert_int_equal(tables, 1);
	assert_int_equal(most, 2);
}

/* swmeshd starts, with a table of an earlier run, and this in its sets besides.
 */
static void start_again(unsigned int strangers)
{
	char words[80];

	swmesh_filter_stop();
	for (unsigned int i = 1; i <= strangers; i++) {
		snprintf(words, sizeof(words), "2001:db8:b::%x . 47", i);
		kernel_change("open6", words, false);
	}
	waiting();
	count_from_here();
	swmesh_filter_init();
	start();
}

static void test_restart(void **state)
{
	start();
	start_again(ELEMENTS);
	/* The elements are there already, those of an earlier run stay. */
	assert_int_equal(changes, 0);
	assert_int_equal(reads, 1);
	assert_int_equal(texts_count(&kernel), 2 * ELEMENTS);

	count_from_here();
	swmesh_filter_sweep();
	whole();
	assert_int_equal(tables, 0);
	assert_true(changes > 1);
	assert_true(most <= FILTER_CHANGE_MAX);
}

static bool is_protected(void)
{
	return kernel_has("protected6 2001:db8:a::1 . 47") &&
	       !kernel_has("open6 2001:db8:a::1 . 47");
}

static void test_superseded(void **state)
{
	start();
	/* It was open in the earlier run. */
	softwires[0].security = (void *)&softwires[0];
	start_again(0);
	run_until(is_protected);
	assert_int_equal(texts_count(&kernel), ELEMENTS);
}

static bool is_open(void)
{
	return kernel_has("open6 2001:db8:a::1 . 47") &&
	       !kernel_has("protected6 2001:db8:a::1 . 47");
}

/* What is not sent in clear any more (S6) is not taken in clear, and the other
 * way round: the AFBR changes from one set to the other. */
static void test_clear_refused(void **state)
{
	start();
	softwires[0].clear_refused = CLEAR_HISTORY;
	swmesh_filter_changed(&mesh);
	run_until(is_protected);
	assert_int_equal(texts_count(&kernel), ELEMENTS);
	softwires[0].clear_refused = CLEAR_OK;
	swmesh_filter_changed(&mesh);
	run_until(is_open);
	assert_int_equal(texts_count(&kernel), ELEMENTS);
}

static bool is_mended(void)
{
	return reads == 1 && is_whole();
}

static void test_refused_once(void **state)
{
	start();
	start_again(10);
	/* Somebody deletes what we are going to delete; we hear of it later. */
	kernel_change("open6", "2001:db8:b::1 . 47", true);
	count_from_here();
	swmesh_filter_sweep();
	run_until(is_mended);
	assert_int_equal(makings, 0);
	assert_string_equal(swmesh_filter_error(), "");
}

static bool has_failed(void)
{
	return failed_times == AFBRS;
}

static void test_refused(void **state)
{
	/* Made, read, made anew, then it waits, with a reason; what is made has
	 * at least the rules. */
	refuse = UINT_MAX;
	swmesh_filter_changed(&mesh);
	run_until(has_failed);
	assert_int_equal(reads, 1);
	assert_int_equal(makings, 4);
	assert_int_equal(tables, 3);
	assert_int_equal(changes, 5);
	assert_true(there);
	assert_int_equal(up, 0);
	assert_string_equal(swmesh_filter_error(),
			    "the kernel refused the filter: so");
}

static void test_not_readable(void **state)
{
	start();
	read_fails = 1;
	start_again(1);
	whole();
	in_pieces();
	assert_int_equal(reads, 1);
	assert_int_equal(makings, 1);
}

/* The table goes while its sets are read: what was read counts no more. */
static void test_flushed_while_read(void **state)
{
	start();
	count_from_here();
	filter_nft_touched("nft, process 123");
	run_until(is_reading);
	kernel_clear();
	there = false;
	filter_nft_touched("nft, process 124");
	run_until(is_made);
	whole();
}

int main(void)
{
#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_start),	 TEST(test_flushed),
		TEST(test_touched),	 TEST(test_restart),
		TEST(test_superseded),	 TEST(test_clear_refused),
		TEST(test_refused_once), TEST(test_refused),
		TEST(test_not_readable), TEST(test_flushed_while_read),
	};
	int failures;

	master = thread_master_create(NULL);
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	thread_master_free(master);
	return failures;
}
