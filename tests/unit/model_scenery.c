// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenery of the model's unit tests; see model_scenery.h. */
#include "tests/unit/model_scenery.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/swmeshd.h"

DEFINE_MGROUP(SWMESHD, "swmeshd model test");
struct debug swmesh_dbg_events = {0, "events"};

struct mesh mesh;
unsigned int devices, releases, tracked, retries, holds, changes, configs,
	guards, sas, sa_releases, route_sets, route_releases, softwire_changes;
struct softwire *last_route;
bool device_ready, guard_ok, sa_ready, filter_ready, route_ready;
const char *sa_error;

static void op_schedule(struct mesh *m)
{
}

static void op_retry(struct softwire *sw, unsigned int ms)
{
	retries++;
}

static void op_softwire(struct softwire *sw)
{
}

static void op_softwire_changed(struct softwire *sw)
{
	softwire_changes++;
}

static void op_hold(struct afbr *afbr, unsigned int ms)
{
	holds++;
}

static void op_afbr(struct afbr *afbr)
{
}

static void op_demand(struct demand *demand)
{
}

static void op_track(struct afbr *afbr)
{
	tracked++;
}

static void op_untrack(struct afbr *afbr)
{
	tracked--;
}

static bool op_device_set(struct softwire *sw)
{
	if (!sw->device) {
		sw->device = sw;
		devices++;
	}
	return device_ready;
}

static void op_device_release(struct softwire *sw)
{
	if (sw->device)
		devices--;
	sw->device = NULL;
	releases++;
}

static bool op_route_set(struct demand *demand, struct softwire *sw)
{
	last_route = sw;
	route_sets++;
	return sw && route_ready;
}

static void op_route_release(struct demand *demand)
{
	route_releases++;
}

static bool op_guard_set(struct softwire *sw, char *err, size_t len)
{
	guards++;
	if (!guard_ok)
		strlcpy(err, "no guard", len);
	return guard_ok;
}

static bool op_sa_set(struct softwire *sw, char *err, size_t len)
{
	sas++;
	if (!sw->security || sa_ready)
		return true;
	if (sa_error)
		strlcpy(err, sa_error, len);
	return false;
}

static void op_sa_release(struct softwire *sw)
{
	sa_releases++;
}

static bool op_filter_set(struct softwire *sw)
{
	return filter_ready;
}

static void op_demand_changed(struct demand *demand)
{
	changes++;
}

static void op_config_changed(struct mesh *m)
{
	configs++;
}

static const struct mesh_ops ops = {
	.schedule = op_schedule,
	.retry = op_retry,
	.retry_cancel = op_softwire,
	.hold = op_hold,
	.hold_cancel = op_afbr,
	.stale_cancel = op_demand,
	.track = op_track,
	.untrack = op_untrack,
	.device_set = op_device_set,
	.device_release = op_device_release,
	.route_set = op_route_set,
	.route_release = op_route_release,
	.guard_set = op_guard_set,
	.sa_set = op_sa_set,
	.sa_release = op_sa_release,
	.filter_set = op_filter_set,
	.softwire_changed = op_softwire_changed,
	.demand_changed = op_demand_changed,
	.config_changed = op_config_changed,
};

/* ---- scenery ---- */

struct ipaddr addr(const char *text)
{
	struct ipaddr a;

	assert_int_equal(str2ipaddr(text, &a), 0);
	return a;
}

void tunnel(const char *set, uint16_t preference, uint16_t type, uint32_t key)
{
	struct encap_tunnel *et =
		encap_tunnel_get(encap_set_get(&mesh.sets, set), preference);

	et->tunnel.type = type;
	et->tunnel.has_key = key != 0;
	et->tunnel.key = key;
	encap_set_get(&mesh.sets, set)->payload |= PAYLOAD_IPV4;
	mesh_config_changed(&mesh);
}

int setup(void **state)
{
	devices = releases = tracked = retries = holds = changes = configs = 0;
	route_sets = route_releases = softwire_changes = 0;
	last_route = NULL;
	device_ready = true;
	guard_ok = true;
	sa_ready = false;
	sa_error = NULL;
	filter_ready = true;
	route_ready = true;
	guards = sas = sa_releases = 0;
	mesh_init(&mesh, &ops);
	mesh.config.enabled = true;
	mesh.config.source = addr("2001:db8:c::1");
	mesh_source(&mesh, true);
	tunnel("EDGE", 10, TEA_TYPE_GRE, 100);
	tunnel("EDGE", 20, TEA_TYPE_IPIP, 0);
	mesh_run(&mesh);
	return 0;
}

int teardown(void **state)
{
	mesh_fini(&mesh);
	/* Whatever a test did, nothing is left behind. */
	assert_int_equal(devices, 0);
	assert_int_equal(tracked, 0);
	return 0;
}

static void build_auth(struct tea_builder *b, const struct tlv *tlv)
{
	const uint8_t *key = (const uint8_t *)tlv->auth;
	uint8_t hash[KEY_HASH_LEN];

	key_hash(key, strlen(tlv->auth), hash);
	tea_build_authenticator(b, TEA_AUTH_SHA1, hash, sizeof(hash));
	if (tlv->auth_key)
		tea_build_public_key(b, key, strlen(tlv->auth));
}

struct demand *ask(uint8_t id, const char *next_hop, const struct tlv *tlvs)
{
	struct in6_addr sw_nhop = {.s6_addr = {0xfd, [15] = id}};
	struct ipaddr nh = addr(next_hop), ep;
	struct demand *demand;
	struct tea_builder b;
	uint8_t buf[1024];
	ssize_t len;

	tea_build_start(&b, buf, sizeof(buf));
	for (; tlvs->type; tlvs++) {
		tea_build_tunnel(&b, tlvs->type);
		if (!tlvs->endpoint) {
			tea_build_endpoint_none(&b);
		} else {
			ep = addr(tlvs->endpoint);
			if (IS_IPADDR_V4(&ep))
				tea_build_endpoint_ipv4(&b, &ep.ipaddr_v4);
			else
				tea_build_endpoint_ipv6(&b, &ep.ipaddr_v6);
		}
		if (tlvs->key)
			tea_build_gre_key(&b, tlvs->key);
		if (tlvs->protocol)
			tea_build_protocol(&b, tlvs->protocol);
		if (tlvs->auth)
			build_auth(&b, tlvs);
		if (tlvs->protected)
			tea_build_protected(&b);
	}
	len = tea_build_finish(&b);
	assert_true(len > 0);
	demand = demand_get(&mesh, &sw_nhop);
	demand_update(demand, &nh, buf, len, 3, 0, "");
	mesh_run(&mesh);
	return demand;
}

static struct afbr *tell_path(const char *endpoint,
			      const struct endpoint_path *p)
{
	struct ipaddr a = addr(endpoint);
	struct afbr *afbr = afbr_find(&mesh, &a);

	assert_non_null(afbr);
	afbr_path(afbr, p);
	mesh_run(&mesh);
	return afbr;
}

struct afbr *path(const char *endpoint, bool reachable, bool recursive,
		  uint32_t mtu)
{
	struct endpoint_path p;

	memset(&p, 0, sizeof(p));
	p.known = true;
	p.reachable = reachable;
	p.recursive = recursive;
	p.mtu = mtu;
	return tell_path(endpoint, &p);
}

struct afbr *way(const char *endpoint, enum transit_verdict verdict)
{
	struct endpoint_path p;

	memset(&p, 0, sizeof(p));
	p.known = true;
	p.reachable = true;
	p.mtu = 1500;
	p.fault.verdict = verdict;
	if (verdict != TRANSIT_CORE)
		strlcpy(p.fault.ifname, "eth1", sizeof(p.fault.ifname));
	return tell_path(endpoint, &p);
}

struct softwire *softwire(const char *endpoint, uint16_t type, uint32_t key)
{
	struct sw_tunnel t = {.type = type, .has_key = key != 0, .key = key};
	struct ipaddr a = addr(endpoint);
	struct afbr *afbr = afbr_find(&mesh, &a);

	return afbr ? afbr_softwire(afbr, &t) : NULL;
}
