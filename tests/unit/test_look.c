/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A walk over the paths of a next hop in parts: how many at a time, which, and
 * what becomes of it when a neighbor changes the list meanwhile. */
#include <zebra.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bgpd/bgpd.h"
#include "bgpd/bgp_nexthop.h"
#include "bgpd/bgp_route.h"
#include "bgpd/bgp_table.h"

#include "bgpd/swmesh_bgp_look.h"

#define PATHS 120000
#define STEPS 50000

static struct bgp_nexthop_cache next_hop;
static struct bgp_path_info path[PATHS], late[PATHS];
static struct bgp_table table;
static struct route_table routes = {.info = &table};
static struct bgp_dest dest = {.table = &routes};
static struct swmesh_place place;
static unsigned int visits, dest_locks;
static unsigned int enough; /* visits after which it has enough; 0: never */

/* ---- bgpd's ---- */

struct bgp_path_info *bgp_path_info_lock(struct bgp_path_info *pi)
{
	pi->lock++;
	return pi;
}

struct bgp_path_info *bgp_path_info_unlock(struct bgp_path_info *pi)
{
	assert_true(pi->lock > 0);
	pi->lock--;
	return pi;
}

struct bgp_dest *bgp_dest_lock_node(struct bgp_dest *d)
{
	dest_locks++;
	return d;
}

void bgp_dest_unlock_node(struct bgp_dest *d)
{
	dest_locks--;
}

void bgp_table_lock(struct bgp_table *t)
{
	t->lock++;
}

void bgp_table_unlock(struct bgp_table *t)
{
	assert_int_equal(dest_locks, t->lock - 1);
	t->lock--;
}

/* As path_nh_map() does. */
static void put(struct bgp_path_info *pi)
{
	LIST_INSERT_HEAD(&next_hop.paths, pi, nh_thread);
	pi->net = &dest;
	pi->nexthop = &next_hop;
	next_hop.path_count++;
}

static void take(struct bgp_path_info *pi)
{
	LIST_REMOVE(pi, nh_thread);
	pi->nexthop = NULL;
	next_hop.path_count--;
}

/* ---- scenery ---- */

static int setup(void **state)
{
	memset(&next_hop, 0, sizeof(next_hop));
	memset(path, 0, sizeof(path));
	memset(late, 0, sizeof(late));
	memset(&place, 0, sizeof(place));
	LIST_INIT(&next_hop.paths);
	for (unsigned int i = PATHS; i-- > 0;)
		put(&path[i]);
	visits = dest_locks = enough = 0;
	table.lock = 0;
	swmesh_look_begin(&place, &next_hop);
	return 0;
}

/* ->flags counts. */
static bool visit(struct bgp_path_info *pi)
{
	visits++;
	pi->flags++;
	return visits != enough;
}

/* One part, of no more visits than steps. */
static enum swmesh_look part(void)
{
	unsigned int before = visits, steps = STEPS;
	enum swmesh_look result = swmesh_look(&place, &next_hop, &steps, visit);

	assert_int_equal(visits - before, STEPS - steps);
	if (result == SWMESH_LOOK_MORE)
		assert_int_equal(steps, 0);
	else
		assert_null(place.path);
	return result;
}

static void assert_no_locks(void)
{
	for (unsigned int i = 0; i < PATHS; i++)
		assert_int_equal(path[i].lock, 0);
	assert_int_equal(dest_locks, 0);
	assert_int_equal(table.lock, 0);
}

/* ---- tests ---- */

static void test_all_in_parts(void **state)
{
	assert_int_equal(part(), SWMESH_LOOK_MORE);
	assert_ptr_equal(place.path, &path[STEPS]);
	assert_int_equal(path[STEPS].lock, 1);
	assert_int_equal(part(), SWMESH_LOOK_MORE);
	assert_int_equal(part(), SWMESH_LOOK_DONE);
	for (unsigned int i = 0; i < PATHS; i++)
		assert_int_equal(path[i].flags, 1);
	assert_no_locks();
}

static void test_enough(void **state)
{
	enough = STEPS + 7;
	assert_int_equal(part(), SWMESH_LOOK_MORE);
	assert_int_equal(part(), SWMESH_LOOK_DONE);
	assert_int_equal(visits, enough);
	assert_no_locks();
}

/* Paths that come are not visited, those that go neither; all others are. */
static void test_list_changes(void **state)
{
	assert_int_equal(part(), SWMESH_LOOK_MORE);
	for (unsigned int i = 0; i < PATHS; i++)
		put(&late[i]);
	for (unsigned int i = 0; i < 1000; i++) {
		take(&path[STEPS - 1 - i]);
		take(&path[STEPS + 1 + i]);
	}
	assert_int_equal(part(), SWMESH_LOOK_MORE);
	assert_int_equal(part(), SWMESH_LOOK_DONE);
	assert_int_equal(visits, PATHS - 1000);
	for (unsigned int i = 0; i < PATHS; i++) {
		assert_int_equal(late[i].flags, 0);
		assert_int_equal(path[i].flags, i <= STEPS || i > STEPS + 1000);
	}
	assert_no_locks();
}

/* The path where it stopped has another next hop now. */
static void test_place_is_gone(void **state)
{
	assert_int_equal(part(), SWMESH_LOOK_MORE);
	take(place.path);
	assert_int_equal(part(), SWMESH_LOOK_LOST);
	assert_int_equal(visits, STEPS);
	assert_no_locks();
}

/* So has the whole next hop. */
static void test_next_hop_is_gone(void **state)
{
	unsigned int steps = STEPS;

	assert_int_equal(part(), SWMESH_LOOK_MORE);
	for (unsigned int i = 0; i < PATHS; i++)
		take(&path[i]);
	assert_int_equal(swmesh_look(&place, NULL, &steps, visit),
			 SWMESH_LOOK_LOST);
	assert_no_locks();
	swmesh_look_begin(&place, NULL);
	assert_int_equal(swmesh_look(&place, NULL, &steps, visit),
			 SWMESH_LOOK_DONE);
	assert_int_equal(visits, STEPS);
}

/* Whoever puts that path at the head again and again does not make it walk for
 * ever. */
static void test_place_is_moved(void **state)
{
	enum swmesh_look result;
	struct bgp_path_info *pi;

	while ((result = part()) == SWMESH_LOOK_MORE) {
		pi = place.path;
		take(pi);
		put(pi);
	}
	assert_int_equal(result, SWMESH_LOOK_LOST);
	assert_int_equal(visits, PATHS);
	assert_no_locks();
}

static void test_given_up(void **state)
{
	assert_int_equal(part(), SWMESH_LOOK_MORE);
	swmesh_look_end(&place);
	assert_no_locks();
	swmesh_look_begin(&place, &next_hop);
	assert_int_equal(part(), SWMESH_LOOK_MORE);
	assert_int_equal(path[0].flags, 2);
	swmesh_look_end(&place);
	swmesh_look_end(&place);
	assert_no_locks();
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_in_parts),     TEST(test_enough),
		TEST(test_list_changes),     TEST(test_place_is_gone),
		TEST(test_next_hop_is_gone), TEST(test_place_is_moved),
		TEST(test_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
