// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * swmeshd's model against backends that only write down what is asked of them:
 * which devices come to be, with which keys, which tunnel is chosen for
 * sending, what happens when things fail, and what is left when all is gone.
 */
#include "tests/unit/model_scenery.h"

#include "monotime.h"

#include "swmeshd/model/select.h"

#define PEER "2001:db8:c::2"
static const struct tlv gre_ipip[] = {
	{TEA_TYPE_GRE, 200, PEER, 0},
	{TEA_TYPE_IPIP, 0, PEER, 0},
	{0},
};

/* ---- the state machine ---- */

/* The table as the design has it, written down a second time: every state,
 * every event. What is not here stays where it is. */
static void test_table(void **state)
{
	static const struct {
		enum softwire_state from;
		enum softwire_event event;
		enum softwire_state to;
	} moves[] = {
		{SOFTWIRE_DOWN, SOFTWIRE_EV_START, SOFTWIRE_WAIT_ENDPOINT},
		{SOFTWIRE_WAIT_ENDPOINT, SOFTWIRE_EV_ENDPOINT_UP,
		 SOFTWIRE_WAIT_DEVICE},
		{SOFTWIRE_WAIT_ENDPOINT, SOFTWIRE_EV_STOP, SOFTWIRE_DOWN},
		{SOFTWIRE_UP, SOFTWIRE_EV_ROUTE_IN, SOFTWIRE_UP},
		{SOFTWIRE_UP, SOFTWIRE_EV_ROUTE_REFUSED, SOFTWIRE_FAILING},
		{SOFTWIRE_WAIT_DEVICE, SOFTWIRE_EV_ENDPOINT_DOWN,
		 SOFTWIRE_WAIT_ENDPOINT},
		{SOFTWIRE_WAIT_DEVICE, SOFTWIRE_EV_DEVICE_READY,
		 SOFTWIRE_WAIT_SA},
		{SOFTWIRE_WAIT_DEVICE, SOFTWIRE_EV_DEVICE_FAILED,
		 SOFTWIRE_FAILING},
		{SOFTWIRE_WAIT_DEVICE, SOFTWIRE_EV_STOP, SOFTWIRE_DOWN},
		{SOFTWIRE_WAIT_SA, SOFTWIRE_EV_ENDPOINT_DOWN,
		 SOFTWIRE_WAIT_ENDPOINT},
		{SOFTWIRE_WAIT_SA, SOFTWIRE_EV_CHANGED, SOFTWIRE_WAIT_DEVICE},
		{SOFTWIRE_WAIT_SA, SOFTWIRE_EV_DEVICE_FAILED, SOFTWIRE_FAILING},
		{SOFTWIRE_WAIT_SA, SOFTWIRE_EV_DEVICE_LOST,
		 SOFTWIRE_WAIT_DEVICE},
		{SOFTWIRE_WAIT_SA, SOFTWIRE_EV_SA_READY, SOFTWIRE_WAIT_FILTER},
		{SOFTWIRE_WAIT_SA, SOFTWIRE_EV_STOP, SOFTWIRE_DOWN},
		{SOFTWIRE_WAIT_FILTER, SOFTWIRE_EV_ENDPOINT_DOWN,
		 SOFTWIRE_WAIT_ENDPOINT},
		{SOFTWIRE_WAIT_FILTER, SOFTWIRE_EV_CHANGED,
		 SOFTWIRE_WAIT_DEVICE},
		{SOFTWIRE_WAIT_FILTER, SOFTWIRE_EV_DEVICE_FAILED,
		 SOFTWIRE_FAILING},
		{SOFTWIRE_WAIT_FILTER, SOFTWIRE_EV_DEVICE_LOST,
		 SOFTWIRE_WAIT_DEVICE},
		{SOFTWIRE_WAIT_FILTER, SOFTWIRE_EV_SA_LOST, SOFTWIRE_WAIT_SA},
		{SOFTWIRE_WAIT_FILTER, SOFTWIRE_EV_FILTER_READY, SOFTWIRE_UP},
		{SOFTWIRE_WAIT_FILTER, SOFTWIRE_EV_STOP, SOFTWIRE_DOWN},
		{SOFTWIRE_UP, SOFTWIRE_EV_SA_LOST, SOFTWIRE_WAIT_SA},
		{SOFTWIRE_UP, SOFTWIRE_EV_ENDPOINT_DOWN,
		 SOFTWIRE_WAIT_ENDPOINT},
		{SOFTWIRE_UP, SOFTWIRE_EV_DEVICE_FAILED, SOFTWIRE_FAILING},
		{SOFTWIRE_UP, SOFTWIRE_EV_DEVICE_LOST, SOFTWIRE_WAIT_DEVICE},
		{SOFTWIRE_UP, SOFTWIRE_EV_STOP, SOFTWIRE_DOWN},
		{SOFTWIRE_FAILING, SOFTWIRE_EV_ENDPOINT_DOWN,
		 SOFTWIRE_WAIT_ENDPOINT},
		{SOFTWIRE_FAILING, SOFTWIRE_EV_CHANGED, SOFTWIRE_WAIT_DEVICE},
		{SOFTWIRE_FAILING, SOFTWIRE_EV_DEVICE_READY, SOFTWIRE_WAIT_SA},
		{SOFTWIRE_FAILING, SOFTWIRE_EV_DEVICE_LOST,
		 SOFTWIRE_WAIT_DEVICE},
		{SOFTWIRE_FAILING, SOFTWIRE_EV_RETRY, SOFTWIRE_WAIT_DEVICE},
		{SOFTWIRE_FAILING, SOFTWIRE_EV_STOP, SOFTWIRE_DOWN},
	};

	for (int s = 0; s < SOFTWIRE_STATES; s++) {
		for (int e = 0; e < SOFTWIRE_EVENTS; e++) {
			enum softwire_state want = s;

			for (size_t i = 0; i < array_size(moves); i++)
				if ((int)moves[i].from == s &&
				    (int)moves[i].event == e)
					want = moves[i].to;
			assert_string_equal(
				softwire_state_name(want),
				softwire_state_name(softwire_next_state(s, e)));
		}
	}
}

/* ---- devices and keys ---- */

/* A device for each tunnel that we announce, though one is enough to send. */
static void test_receives_by_every_tunnel(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);

	assert_int_equal(tracked, 1);
	assert_int_equal(devices, 0); /* the way is not known yet */
	assert_true(demand->pending);
	path(PEER, true, false, 1500);
	assert_int_equal(devices, 2);
	assert_ptr_equal(demand->via, softwire(PEER, TEA_TYPE_GRE, 100));
	assert_ptr_equal(last_route, demand->via);
	assert_true(demand->via->has_okey);
	assert_int_equal(demand->via->okey, 200); /* we send with theirs */
	assert_int_equal(demand->via->tunnel.key,
			 100); /* and receive with ours */
	assert_int_equal(softwire_mtu(demand->via), 1500 - 40 - 8);
	assert_int_equal(softwire_mtu(softwire(PEER, TEA_TYPE_IPIP, 0)),
			 1500 - 40);
}

/* A path that carries less than an IPv6 device must: the routes say it. */
static void test_narrow_path(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);
	char note[MESH_REASON_LEN];

	path(PEER, true, false, 1328);
	assert_int_equal(softwire_mtu(demand->via), 1280);
	assert_int_equal(softwire_route_mtu(demand->via), 0);
	assert_string_equal(softwire_mtu_note(demand->via, note, sizeof(note)),
			    "");
	path(PEER, true, false, 1280);
	assert_int_equal(softwire_mtu(demand->via), 1280);
	assert_int_equal(softwire_route_mtu(demand->via), 1280 - 48);
	assert_false(softwire_fragments(demand->via));
	softwire_mtu_note(demand->via, note, sizeof(note));
	assert_non_null(strstr(note, "an MTU of 1328 or more"));
}

/* It is not up, and nothing is sent by it, before its AFBR is let in (S8). */
static void test_waits_for_the_filter(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);
	char reason[MESH_REASON_LEN];
	struct softwire *sw;
	unsigned int before;

	filter_ready = false;
	path(PEER, true, false, 1500);
	sw = softwire(PEER, TEA_TYPE_GRE, 100);
	assert_int_equal(sw->state, SOFTWIRE_WAIT_FILTER);
	/* The best one will be there in a moment: no other one meanwhile. */
	softwire_event(softwire(PEER, TEA_TYPE_IPIP, 0),
		       SOFTWIRE_EV_FILTER_READY, NULL);
	mesh_run(&mesh);
	assert_true(demand->pending);
	assert_null(demand->via);

	softwire_event(sw, SOFTWIRE_EV_FILTER_FAILED, "no memory");
	mesh_run(&mesh);
	assert_ptr_equal(demand->via, softwire(PEER, TEA_TYPE_IPIP, 0));
	softwire_reason(sw, reason, sizeof(reason));
	assert_string_equal(
		reason, "the filter does not let its AFBR in yet: no memory");

	/* While the best one is on its way again, the other one's device is
	 * made anew: its route goes by the new device. */
	softwire_event(sw, SOFTWIRE_EV_DEVICE_LOST, NULL);
	sw = softwire(PEER, TEA_TYPE_IPIP, 0);
	softwire_event(sw, SOFTWIRE_EV_DEVICE_LOST, NULL);
	softwire_event(sw, SOFTWIRE_EV_FILTER_READY, NULL);
	before = route_sets;
	mesh_run(&mesh);
	assert_ptr_equal(demand->via, sw);
	assert_true(route_sets > before);
	assert_ptr_equal(last_route, sw);

	softwire_event(sw, SOFTWIRE_EV_FILTER_READY, NULL);
	mesh_run(&mesh);
	assert_int_equal(sw->state, SOFTWIRE_UP);
	assert_ptr_equal(demand->via, sw);
}

/* They announce GRE without a key, we with one: the directions differ. */
static void test_key_in_one_direction(void **state)
{
	static const struct tlv gre[] = {{TEA_TYPE_GRE, 0, PEER, 0}, {0}};
	struct demand *demand = ask(1, PEER, gre);

	path(PEER, true, false, 1500);
	assert_non_null(demand->via);
	assert_false(demand->via->has_okey);
	assert_true(demand->via->tunnel.has_key);
	assert_int_equal(softwire_mtu(demand->via), 1500 - 40 - 4);
}

/* A device sends with one key: a second key of the AFBR takes our second GRE
 * tunnel, or is refused with the reason. */
static void test_two_keys(void **state)
{
	static const struct tlv first[] = {{TEA_TYPE_GRE, 200, PEER, 0}, {0}};
	static const struct tlv second[] = {{TEA_TYPE_GRE, 300, PEER, 0}, {0}};
	struct demand *a = ask(1, PEER, first), *b;

	path(PEER, true, false, 1500);
	b = ask(2, PEER, second);
	assert_ptr_equal(a->via, softwire(PEER, TEA_TYPE_GRE, 100));
	assert_null(b->via);
	assert_non_null(strstr(b->reason, "already sends with gre/200"));

	tunnel("EDGE", 30, TEA_TYPE_GRE, 101);
	mesh_run(&mesh);
	assert_ptr_equal(a->via, softwire(PEER, TEA_TYPE_GRE, 100));
	assert_ptr_equal(b->via, softwire(PEER, TEA_TYPE_GRE, 101));
	assert_int_equal(b->via->okey, 300);
}

/* The AFBR changes its key: the device is told, not made anew. */
static void test_key_changes(void **state)
{
	static const struct tlv other[] = {{TEA_TYPE_GRE, 201, PEER, 0}, {0}};
	struct demand *demand = ask(1, PEER, gre_ipip);
	struct softwire *sw;

	path(PEER, true, false, 1500);
	sw = demand->via;
	ask(1, PEER, other);
	assert_ptr_equal(demand->via, sw);
	assert_int_equal(sw->okey, 201);
	assert_int_equal(releases, 0);
	assert_int_equal(sw->changes, 1); /* never went down */
}

/* ---- the choice (B3) ---- */

/* The order is ours, whatever theirs. */
static void test_our_order(void **state)
{
	static const struct tlv ipip_gre[] = {
		{TEA_TYPE_IPIP, 0, PEER, 0}, {TEA_TYPE_GRE, 200, PEER, 0}, {0}};
	struct demand *demand = ask(1, PEER, ipip_gre);

	path(PEER, true, false, 1500);
	assert_int_equal(demand->via->tunnel.type, TEA_TYPE_GRE);
	encap_tunnel_del(encap_set_find(&mesh.sets, "EDGE"), 10);
	tunnel("EDGE", 30, TEA_TYPE_GRE, 100);
	mesh_run(&mesh);
	assert_int_equal(demand->via->tunnel.type, TEA_TYPE_IPIP);
}

static void test_falls_back(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);
	struct softwire *gre;

	path(PEER, true, false, 1500);
	gre = demand->via;
	softwire_event(gre, SOFTWIRE_EV_DEVICE_FAILED, "no such module");
	mesh_run(&mesh);
	assert_int_equal(demand->via->tunnel.type, TEA_TYPE_IPIP);
	assert_int_equal(retries, 1);
	softwire_event(gre, SOFTWIRE_EV_RETRY, NULL);
	mesh_run(&mesh);
	assert_ptr_equal(demand->via, gre);
}

/* While the better device is being made, what works goes on. */
static void test_no_flapping(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);
	struct softwire *gre;

	path(PEER, true, false, 1500);
	gre = demand->via;
	softwire_event(gre, SOFTWIRE_EV_DEVICE_FAILED, "x");
	mesh_run(&mesh);
	device_ready = false;
	route_sets = 0;
	softwire_event(gre, SOFTWIRE_EV_RETRY, NULL);
	mesh_run(&mesh);
	assert_int_equal(gre->state, SOFTWIRE_WAIT_DEVICE);
	assert_int_equal(demand->via->tunnel.type, TEA_TYPE_IPIP);
	assert_int_equal(route_sets, 0);
}

/* ... but not by another pair's AFBR: what goes to the second one would come to
 * the first one meanwhile. */
static void test_other_pair(void **state)
{
	static const struct tlv other[] = {
		{TEA_TYPE_GRE, 200, "2001:db8:c::3", 0}, {0}};
	struct demand *demand = ask(1, PEER, gre_ipip);
	struct softwire *first;

	ask(2, PEER, gre_ipip);
	path(PEER, true, false, 1500);
	first = demand->via;
	assert_non_null(first);
	ask(1, "2001:db8:c::3", other);
	assert_int_equal(first->state, SOFTWIRE_UP);
	assert_null(demand->via);
	assert_null(last_route);
	path("2001:db8:c::3", true, false, 1500);
	assert_ptr_equal(demand->via,
			 softwire("2001:db8:c::3", TEA_TYPE_GRE, 100));
}

/* It is up when its route is in, and the module hears so once. */
static void test_up_with_route(void **state)
{
	struct demand *demand;

	route_ready = false;
	demand = ask(1, PEER, gre_ipip);
	path(PEER, true, false, 1500);
	assert_non_null(demand->via);
	assert_false(demand_up(demand));
	assert_string_equal(demand->reason,
			    "its route is not in the kernel yet");
	changes = 0;
	demand_route_in(demand);
	demand_route_in(demand);
	assert_true(demand_up(demand));
	assert_string_equal(demand->reason, "");
	assert_int_equal(changes, 1);
}

/* A route that the kernel refuses takes its softwire down; the next one is
 * tried, and the first one again, later each time. */
static void test_route_refused(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);
	struct softwire *gre;

	path(PEER, true, false, 1500);
	gre = demand->via;
	assert_true(demand_up(demand));
	route_ready = false;
	for (unsigned int i = 1; i <= 3; i++) {
		demand_route_refused(demand, "permission denied");
		assert_false(demand_up(demand));
		assert_int_equal(gre->state, SOFTWIRE_FAILING);
		assert_string_equal(gre->error, "permission denied");
		assert_int_equal(gre->failures, i);
		mesh_run(&mesh);
		assert_int_equal(demand->via->tunnel.type, TEA_TYPE_IPIP);
		demand_route_in(demand);
		assert_true(demand_up(demand));
		softwire_event(gre, SOFTWIRE_EV_RETRY, NULL);
		mesh_run(&mesh);
		assert_ptr_equal(demand->via, gre);
	}
	demand_route_in(demand);
	assert_true(demand_up(demand));
	assert_int_equal(gre->failures, 0);
}

struct refusal {
	struct tlv tlvs[3];
	const char *why;
};

/* Never without the reason. */
static void test_not_feasible(void **state)
{
	static const struct refusal refusals[] = {
		{{{TEA_TYPE_VXLAN, 0, PEER, 0}}, "vxlan(8)"},
		{{{TEA_TYPE_GRE, 0, PEER, TEA_ETHERTYPE_IPV6}},
		 "does not carry ipv4"},
		{{{TEA_TYPE_GRE, 0, "192.0.2.2", 0}},
		 "not in our transit core"},
		{{{TEA_TYPE_GRE, 0, "2001:db8:c::1", 0}}, "our own address"},
	};

	for (size_t i = 0; i < array_size(refusals); i++) {
		struct demand *demand = ask(i + 1, PEER, refusals[i].tlvs);

		if (demand->n_refs)
			path(PEER, true, false, 1500);
		assert_null(demand->via);
		assert_false(demand->pending);
		if (!strstr(demand->reason, refusals[i].why))
			fail_msg("\"%s\" does not say \"%s\"", demand->reason,
				 refusals[i].why);
		demand_del(demand);
		mesh_run(&mesh);
	}
}

static void test_module_refuses(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);
	struct ipaddr nh = addr(PEER);

	path(PEER, true, false, 1500);
	assert_non_null(demand->via);
	demand_update(demand, &nh, NULL, 0, 1, 0, "attribute over 8192 octets");
	mesh_run(&mesh);
	assert_null(demand->via);
	assert_null(last_route);
	assert_string_equal(demand->reason, "attribute over 8192 octets");
	assert_int_equal(devices, 0);
}

/* Endpoint of address family 0: the next hop (RFC 9012 section 3.1), and an
 * IPv4-mapped one is IPv4 (B13). */
static void test_endpoint_is_next_hop(void **state)
{
	char note[MESH_REASON_LEN];
	static const struct tlv bare[] = {{TEA_TYPE_IPIP, 0, NULL, 0}, {0}};
	struct demand *demand = ask(1, PEER, bare);

	path(PEER, true, false, 1500);
	assert_ptr_equal(demand->via, softwire(PEER, TEA_TYPE_IPIP, 0));

	mesh.config.source = addr("192.0.2.1");
	mesh_config_changed(&mesh);
	mesh_run(&mesh);
	assert_null(demand->via);
	demand = ask(2, "::ffff:192.0.2.2", bare);
	path("192.0.2.2", true, false, 1400);
	assert_ptr_equal(demand->via, softwire("192.0.2.2", TEA_TYPE_IPIP, 0));
	assert_int_equal(softwire_mtu(demand->via), 1400 - 20);
	/* RFC 4213 section 3.2.2: what an IPv6 link carries crosses, in
	 * fragments; the routes keep the device's MTU. */
	assert_false(softwire_fragments(demand->via));
	path("192.0.2.2", true, false, 1299);
	assert_true(softwire_fragments(demand->via));
	assert_int_equal(softwire_mtu(demand->via), 1280);
	assert_int_equal(softwire_route_mtu(demand->via), 0);
	softwire_mtu_note(demand->via, note, sizeof(note));
	assert_non_null(strstr(note, "in fragments"));
	path("192.0.2.2", true, false, 1300);
	assert_false(softwire_fragments(demand->via));
}

/* ---- the way to the endpoint ---- */

static void test_endpoint_goes_and_returns(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);

	path(PEER, true, false, 1500);
	path(PEER, false, false, 0);
	assert_null(demand->via);
	assert_null(last_route);
	assert_non_null(strstr(demand->reason, "no route to endpoint"));
	assert_int_equal(devices, 2); /* it may still reach us */
	path(PEER, true, false, 1500);
	assert_non_null(demand->via);
}

/* B5: through a softwire of ours it does not count, and not at once again when
 * taking the softwire away has mended it, or the two chase each other. */
static void test_recursion(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);
	struct afbr *afbr = path(PEER, true, false, 1500);

	path(PEER, true, true, 1400);
	assert_null(demand->via);
	assert_non_null(strstr(demand->reason, "mutual recursion"));
	assert_int_equal(holds, 1);
	path(PEER, true, false, 1500);
	assert_null(demand->via);
	afbr->held_until = monotime(NULL); /* the hold is over */
	afbr_mark_dirty(afbr);
	mesh_run(&mesh);
	assert_non_null(demand->via);
}

/* What is reached through an island is no AFBR: no device for it, so that the
 * filter does not know it, and no route; by itself again when the way is. */
static void test_endpoint_in_island(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);
	struct softwire *gre;
	char reason[MESH_REASON_LEN];

	way(PEER, TRANSIT_ISLAND);
	assert_int_equal(devices, 0);
	assert_null(demand->via);
	assert_false(demand->pending);
	assert_non_null(strstr(demand->reason, "leaves by eth1"));

	way(PEER, TRANSIT_CORE);
	gre = softwire(PEER, TEA_TYPE_GRE, 100);
	assert_ptr_equal(demand->via, gre);
	assert_int_equal(devices, 2);

	way(PEER, TRANSIT_NOT_NAMED);
	assert_int_equal(gre->state, SOFTWIRE_DOWN);
	softwire_reason(gre, reason, sizeof(reason));
	assert_non_null(strstr(reason, "leaves by eth1"));
	assert_null(demand->via);
	assert_null(last_route);
	assert_int_equal(devices, 0);

	way(PEER, TRANSIT_CORE);
	assert_ptr_equal(demand->via, gre);
	assert_int_equal(gre->changes, 2);
}

/* An interface that zebra has not told of, or that has just gone, is like a
 * route that has: not used, and nothing is taken down for it. */
static void test_interface_not_known(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);

	way(PEER, TRANSIT_CORE);
	way(PEER, TRANSIT_NO_INTERFACE);
	assert_null(demand->via);
	assert_null(last_route);
	assert_int_equal(devices, 2);
	assert_int_equal(releases, 0);
	way(PEER, TRANSIT_CORE);
	assert_non_null(demand->via);
}

static void test_mtu_follows(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);

	path(PEER, true, false, 1500);
	path(PEER, true, false, 9000);
	assert_int_equal(softwire_mtu(demand->via), 9000 - 48);
	assert_int_equal(demand->via->changes, 1);
	path(PEER, true, false, 1300); /* IPv6 stays possible on the device */
	assert_int_equal(softwire_mtu(demand->via), 1280);
}

static void test_waits_for_address(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);

	path(PEER, true, false, 1500);
	mesh_source(&mesh, false);
	mesh_run(&mesh);
	assert_int_equal(mesh_status(&mesh), MESH_WAIT_ADDRESS);
	assert_null(demand->via);
	assert_non_null(strstr(demand->reason, "waiting for our address"));
	configs = 0;
	mesh_source(&mesh, true);
	mesh_run(&mesh);
	assert_non_null(demand->via);
	/* What is announced is compiled anew. */
	assert_int_equal(configs, 1);
}

/* ---- coming and going ---- */

/* During a resync nothing is judged by half of the demands. */
static void test_waits_for_sync(void **state)
{
	mesh.syncing = true;
	struct demand *demand = ask(1, PEER, gre_ipip);

	path(PEER, true, false, 1500);
	assert_int_equal(devices, 0);
	assert_null(demand->via);
	mesh.syncing = false;
	mesh_run(&mesh);
	assert_int_equal(devices, 2);
	assert_non_null(demand->via);
}

/* Until something is known, what is in the kernel is not touched: it may be an
 * earlier run's, and carry packets. */
static void test_unknown_touches_nothing(void **state)
{
	ask(1, PEER, gre_ipip);
	assert_int_equal(route_sets, 0);
	device_ready = false;
	path(PEER, true, false, 1500);
	assert_int_equal(route_sets, 0);
	softwire_event(softwire(PEER, TEA_TYPE_GRE, 100),
		       SOFTWIRE_EV_DEVICE_READY, NULL);
	mesh_run(&mesh);
	assert_int_equal(route_sets, 1);
	assert_non_null(last_route);
}

static void test_mesh_disabled(void **state)
{
	struct demand *demand = ask(1, PEER, gre_ipip);

	path(PEER, true, false, 1500);
	mesh.config.enabled = false;
	mesh_config_changed(&mesh);
	mesh_run(&mesh);
	assert_int_equal(devices, 0);
	assert_int_equal(tracked, 0);
	assert_null(demand->via);
	assert_null(last_route);
}

/* Two demands, one AFBR: it goes with the second. */
static void test_afbr_goes_last(void **state)
{
	static const struct tlv gre[] = {{TEA_TYPE_GRE, 200, PEER, 0}, {0}};
	struct demand *a = ask(1, PEER, gre_ipip), *b = ask(2, PEER, gre);

	path(PEER, true, false, 1500);
	assert_ptr_equal(a->via, b->via);
	demand_del(a);
	mesh_run(&mesh);
	assert_int_equal(devices, 2);
	assert_int_equal(releases, 0);
	demand_del(b);
	mesh_run(&mesh);
	assert_int_equal(devices, 0);
	assert_int_equal(route_releases, 2);
}

/* A hostile attribute names many endpoints: a bounded number is looked at. */
static void test_endpoints_bounded(void **state)
{
	struct tlv tlvs[DEMAND_AFBRS_MAX + 5] = {};
	char text[DEMAND_AFBRS_MAX + 4][64];
	struct demand *demand;

	for (unsigned int i = 0; i < DEMAND_AFBRS_MAX + 4; i++) {
		snprintf(text[i], sizeof(text[i]), "2001:db8:c::%x", 0x100 + i);
		tlvs[i].type = TEA_TYPE_GRE;
		tlvs[i].endpoint = text[i];
	}
	demand = ask(1, PEER, tlvs);
	assert_int_equal(tracked, DEMAND_AFBRS_MAX);
	assert_true(demand->refs_cut);
}

/* ---- more than there is room for ---- */

static struct demand *ask_one_of_many(uint32_t number)
{
	struct in6_addr sw_nhop = {.s6_addr = {0xfd}};
	struct ipaddr next_hop = addr("2001:db8:d::");
	struct tea_builder b;
	struct demand *demand;
	uint8_t tea[64];

	tea_build_start(&b, tea, sizeof(tea));
	tea_build_bare(&b, TEA_TYPE_GRE);
	number = htonl(number);
	memcpy(&sw_nhop.s6_addr[8], &number, sizeof(number));
	memcpy(&next_hop.ipaddr_v6.s6_addr[12], &number, sizeof(number));
	demand = demand_get(&mesh, &sw_nhop);
	if (demand)
		demand_update(demand, &next_hop, tea, tea_build_finish(&b), 1,
			      0, "");
	return demand;
}

/* AFBRs that there is no room for come when others have gone; demands are
 * bounded, too. */
static void test_too_many(void **state)
{
	static const struct tlv two[] = {
		{TEA_TYPE_GRE, 0, "2001:db8:e::1", 0},
		{TEA_TYPE_GRE, 0, "2001:db8:e::2", 0},
		{0},
	};
	struct demand *first, *late;

	first = ask_one_of_many(0);
	for (uint32_t i = 1; i < MESH_AFBRS_MAX - 1; i++)
		ask_one_of_many(i);
	late = ask(1, PEER, two);
	assert_int_equal(tracked, MESH_AFBRS_MAX);
	assert_int_equal(late->n_refs, 1);
	assert_true(late->cut);
	assert_null(ask_one_of_many(MESH_AFBRS_MAX));

	demand_del(first);
	mesh_run(&mesh);
	assert_int_equal(late->n_refs, 2);
	assert_false(late->cut);
	assert_int_equal(afbr_table_count(&mesh.afbrs), MESH_AFBRS_MAX);
	assert_non_null(ask_one_of_many(MESH_AFBRS_MAX));
	/* One that waits may go. */
	demand_del(ask_one_of_many(MESH_AFBRS_MAX));
	mesh_run(&mesh);
	assert_int_equal(demand_cut_count(&mesh.cut_demands), 0);
}

/* ---- encap-sets ---- */

static void test_compile(void **state)
{
	/* RFC 9012 section 2: TLVs of type and length, sub-TLVs 6 (3.1), 1
	 * (3.2.3) and 2 (3.4.1), by hand. */
	static const uint8_t want[] = {
		0,   2,	   0, 34,  6, 22,  0, 0, 0,    0, 0,   2,    0x20, 1,
		0xd, 0xb8, 0, 0xc, 0, 0,   0, 0, 0,    0, 0,   0,    0,	   1,
		1,   4,	   0, 0,   0, 100, 2, 2, 8,    0, 0,   7,    0,	   28,
		6,   22,   0, 0,   0, 0,   0, 2, 0x20, 1, 0xd, 0xb8, 0,	   0xc,
		0,   0,	   0, 0,   0, 0,   0, 0, 0,    1, 2,   2,    8,	   0,
	};
	const struct encap_set *set = encap_set_find(&mesh.sets, "EDGE");
	struct ipaddr none = {};
	uint8_t buf[ENCAP_TEA_MAX];

	assert_int_equal(encap_set_compile(set, &mesh.securities,
					   &mesh.config.source, buf,
					   sizeof(buf)),
			 sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
	assert_int_equal(encap_set_compile(set, &mesh.securities, &none, buf,
					   sizeof(buf)),
			 0);
	assert_int_equal(encap_set_compile(set, &mesh.securities,
					   &mesh.config.source, buf, 40),
			 -1);
}

static void test_announced(void **state)
{
	tunnel("ALPHA", 10, TEA_TYPE_GRE, 7);
	encap_set_find(&mesh.sets, "ALPHA")->payload = PAYLOAD_IPV6;
	assert_string_equal(
		encap_set_announced(&mesh.sets, "", PAYLOAD_IPV4)->name,
		"EDGE");
	assert_string_equal(
		encap_set_announced(&mesh.sets, "", PAYLOAD_IPV6)->name,
		"ALPHA");
	assert_null(encap_set_announced(&mesh.sets, "EDGE", PAYLOAD_IPV6));
	encap_set_find(&mesh.sets, "ALPHA")->payload = 0;
	assert_null(encap_set_announced(&mesh.sets, "", PAYLOAD_IPV6));
}

static void test_tunnel_text(void **state)
{
	char text[SW_TUNNEL_TEXT_LEN];
	struct sw_tunnel t;

	assert_true(sw_tunnel_parse("gre/4294967295", &t));
	assert_string_equal(
		sw_tunnel_text(t.type, t.has_key, t.key, text, sizeof(text)),
		"gre/4294967295");
	assert_true(sw_tunnel_parse("ip-in-ip", &t));
	assert_int_equal(t.type, TEA_TYPE_IPIP);
	assert_false(t.has_key);
	assert_false(sw_tunnel_parse("gre/4294967296", &t));
	assert_false(sw_tunnel_parse("gre/-1", &t));
	assert_false(sw_tunnel_parse("gre/", &t));
	assert_false(sw_tunnel_parse("", &t));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_table),
		TEST(test_receives_by_every_tunnel),
		TEST(test_narrow_path),
		TEST(test_waits_for_the_filter),
		TEST(test_key_in_one_direction),
		TEST(test_two_keys),
		TEST(test_key_changes),
		TEST(test_our_order),
		TEST(test_falls_back),
		TEST(test_up_with_route),
		TEST(test_route_refused),
		TEST(test_no_flapping),
		TEST(test_other_pair),
		TEST(test_not_feasible),
		TEST(test_module_refuses),
		TEST(test_endpoint_is_next_hop),
		TEST(test_endpoint_goes_and_returns),
		TEST(test_recursion),
		TEST(test_endpoint_in_island),
		TEST(test_interface_not_known),
		TEST(test_mtu_follows),
		TEST(test_waits_for_address),
		TEST(test_waits_for_sync),
		TEST(test_unknown_touches_nothing),
		TEST(test_mesh_disabled),
		TEST(test_afbr_goes_last),
		TEST(test_endpoints_bounded),
		TEST(test_too_many),
		TEST(test_compile),
		TEST(test_announced),
		TEST(test_tunnel_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
