// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operational data. The northbound asks leaf by leaf; which leaf is the last
 * step of the path, found in a table per list.
 */
#include <zebra.h>

#include "monotime.h"

#include "swmeshd/talk/bgp.h"
#include "swmeshd/kernel/kernel.h"
#include "swmeshd/swmesh_nb_leaf.h"
#include "swmeshd/swmesh_nb_state.h"
#include "swmeshd/talk/overlap.h"
#include "swmeshd/swmesh_show.h"
#include "swmeshd/swmeshd.h"

/* Counters are read from the kernel for all devices at once, at most this
 * often. */
#define STATS_AGE_S 1

/* ---- the mesh ---- */

struct yang_data *swmesh_nb_state_status(struct nb_cb_get_elem_args *args)
{
	return yang_data_new_string(args->xpath,
				    mesh_status_name(mesh_status(swmesh)));
}

struct yang_data *swmesh_nb_state_bgp(struct nb_cb_get_elem_args *args)
{
	const struct swmesh_msg *msg = swmesh_bgp_conversation();
	const char *text = "down";

	if (msg->peer_up)
		text = msg->state == SWMESH_MSG_SYNCED ? "synchronised"
						       : "synchronising";
	return yang_data_new_string(args->xpath, text);
}

struct yang_data *swmesh_nb_state_overlap(struct nb_cb_get_elem_args *args)
{
	char text[OVERLAP_TEXT_LEN];

	swmesh_overlap_now(text, sizeof(text));
	return text[0] ? yang_data_new_string(args->xpath, text) : NULL;
}

/* ---- supported-tunnel ---- */

const void *swmesh_nb_supported_next(struct nb_cb_get_next_args *args)
{
	const struct encap *const *encap = args->list_entry;

	encap = encap ? encap + 1 : encaps;
	return *encap ? encap : NULL;
}

static const char *supported_name(const void *entry)
{
	return tea_type_name((*(const struct encap *const *)entry)->type);
}

int swmesh_nb_supported_keys(struct nb_cb_get_keys_args *args)
{
	args->keys->num = 1;
	strlcpy(args->keys->key[0], supported_name(args->list_entry),
		sizeof(args->keys->key[0]));
	return NB_OK;
}

const void *swmesh_nb_supported_lookup(struct nb_cb_lookup_entry_args *args)
{
	for (const struct encap *const *encap = encaps; *encap; encap++)
		if (!strcmp(args->keys->key[0], supported_name(encap)))
			return encap;
	return NULL;
}

static struct yang_data *supported_type(const char *xpath, const void *entry)
{
	return yang_data_new_string(xpath, supported_name(entry));
}

static struct yang_data *supported_number(const char *xpath, const void *entry)
{
	return yang_data_new_uint16(
		xpath, (*(const struct encap *const *)entry)->type);
}

static const struct swmesh_nb_leaf supported_leaves[] = {
	{"type", supported_type},
	{"number", supported_number},
};

struct yang_data *swmesh_nb_supported_elem(struct nb_cb_get_elem_args *args)
{
	return swmesh_nb_get_leaf(supported_leaves,
				  array_size(supported_leaves), args);
}

/* ---- softwire ---- */

/* The AFBR table is in no order that a reader would care for; the list of a
 * table walk is, as long as nothing changes in between, which it does not. */
const void *swmesh_nb_softwire_next(struct nb_cb_get_next_args *args)
{
	const struct softwire *sw = args->list_entry;
	struct softwire *next = NULL;
	struct afbr *afbr;

	if (sw) {
		afbr = sw->afbr;
		next = afbr_softwires_next(&afbr->softwires,
					   (struct softwire *)sw);
		afbr = afbr_table_next(&swmesh->afbrs, afbr);
	} else
		afbr = afbr_table_first(&swmesh->afbrs);
	while (!next && afbr) {
		next = afbr_softwires_first(&afbr->softwires);
		afbr = afbr_table_next(&swmesh->afbrs, afbr);
	}
	return next;
}

int swmesh_nb_softwire_keys(struct nb_cb_get_keys_args *args)
{
	const struct softwire *sw = args->list_entry;

	args->keys->num = 2;
	snprintfrr(args->keys->key[0], sizeof(args->keys->key[0]), "%pIA",
		   &sw->afbr->addr);
	softwire_tunnel_text(sw, args->keys->key[1],
			     sizeof(args->keys->key[1]));
	return NB_OK;
}

const void *swmesh_nb_softwire_lookup(struct nb_cb_lookup_entry_args *args)
{
	struct sw_tunnel tunnel;
	struct ipaddr addr;
	struct afbr *afbr;

	if (str2ipaddr(args->keys->key[0], &addr) ||
	    !sw_tunnel_parse(args->keys->key[1], &tunnel))
		return NULL;
	afbr = afbr_find(swmesh, &addr);
	return afbr ? afbr_softwire(afbr, &tunnel) : NULL;
}

static const struct kdev_stats *fresh_stats(const struct softwire *sw)
{
	static time_t read_at;
	time_t now = monotime(NULL);

	if (!read_at || now - read_at >= STATS_AGE_S) {
		swmesh_kernel_read_stats();
		read_at = now;
	}
	return swmesh_kernel_stats(sw);
}

static struct yang_data *softwire_endpoint(const char *xpath, const void *entry)
{
	const struct softwire *sw = entry;

	return yang_data_new_ip(xpath, &sw->afbr->addr);
}

static struct yang_data *softwire_tunnel(const char *xpath, const void *entry)
{
	char text[SW_TUNNEL_TEXT_LEN];

	return yang_data_new_string(
		xpath, softwire_tunnel_text(entry, text, sizeof(text)));
}

static struct yang_data *softwire_device_name(const char *xpath,
					      const void *entry)
{
	const struct softwire *sw = entry;

	return sw->dev.name[0] ? yang_data_new_string(xpath, sw->dev.name)
			       : NULL;
}

static struct yang_data *softwire_status(const char *xpath, const void *entry)
{
	const struct softwire *sw = entry;

	return yang_data_new_string(xpath, softwire_state_name(sw->state));
}

static struct yang_data *softwire_why(const char *xpath, const void *entry)
{
	char text[MESH_REASON_LEN];

	softwire_reason(entry, text, sizeof(text));
	return text[0] ? yang_data_new_string(xpath, text) : NULL;
}

static struct yang_data *softwire_key(const char *xpath, const void *entry)
{
	const struct softwire *sw = entry;

	return sw->has_okey ? yang_data_new_uint32(xpath, sw->okey) : NULL;
}

static struct yang_data *softwire_device_mtu(const char *xpath,
					     const void *entry)
{
	const struct softwire *sw = entry;

	return sw->dev.mtu ? yang_data_new_uint32(xpath, sw->dev.mtu) : NULL;
}

static struct yang_data *softwire_mtu_of_routes(const char *xpath,
						const void *entry)
{
	uint32_t mtu = softwire_route_mtu(entry);

	return mtu ? yang_data_new_uint32(xpath, mtu) : NULL;
}

static struct yang_data *softwire_uptime(const char *xpath, const void *entry)
{
	const struct softwire *sw = entry;

	if (sw->state != SOFTWIRE_UP)
		return NULL;
	return yang_data_new_uint32(xpath, monotime(NULL) - sw->since);
}

static struct yang_data *softwire_nhops(const char *xpath, const void *entry)
{
	const struct softwire *sw = entry;

	return yang_data_new_uint32(xpath, softwire_users_count(&sw->users));
}

static struct yang_data *softwire_rx_packets(const char *xpath,
					     const void *entry)
{
	return yang_data_new_uint64(xpath, fresh_stats(entry)->rx_packets);
}

static struct yang_data *softwire_rx_bytes(const char *xpath, const void *entry)
{
	return yang_data_new_uint64(xpath, fresh_stats(entry)->rx_bytes);
}

static struct yang_data *softwire_tx_packets(const char *xpath,
					     const void *entry)
{
	return yang_data_new_uint64(xpath, fresh_stats(entry)->tx_packets);
}

static struct yang_data *softwire_tx_bytes(const char *xpath, const void *entry)
{
	return yang_data_new_uint64(xpath, fresh_stats(entry)->tx_bytes);
}

static const struct swmesh_nb_leaf softwire_leaves[] = {
	{"endpoint", softwire_endpoint},
	{"tunnel", softwire_tunnel},
	{"device", softwire_device_name},
	{"status", softwire_status},
	{"reason", softwire_why},
	{"transmit-key", softwire_key},
	{"mtu", softwire_device_mtu},
	{"route-mtu", softwire_mtu_of_routes},
	{"uptime", softwire_uptime},
	{"sw-nhops", softwire_nhops},
	{"in-packets", softwire_rx_packets},
	{"in-octets", softwire_rx_bytes},
	{"out-packets", softwire_tx_packets},
	{"out-octets", softwire_tx_bytes},
};

struct yang_data *swmesh_nb_softwire_elem(struct nb_cb_get_elem_args *args)
{
	return swmesh_nb_get_leaf(softwire_leaves, array_size(softwire_leaves),
				  args);
}

/* ---- afbr ---- */

const void *swmesh_nb_afbr_next(struct nb_cb_get_next_args *args)
{
	const struct afbr *afbr = args->list_entry;

	return afbr ? afbr_table_next(&swmesh->afbrs, (struct afbr *)afbr)
		    : afbr_table_first(&swmesh->afbrs);
}

int swmesh_nb_afbr_keys(struct nb_cb_get_keys_args *args)
{
	const struct afbr *afbr = args->list_entry;

	args->keys->num = 1;
	snprintfrr(args->keys->key[0], sizeof(args->keys->key[0]), "%pIA",
		   &afbr->addr);
	return NB_OK;
}

const void *swmesh_nb_afbr_lookup(struct nb_cb_lookup_entry_args *args)
{
	struct ipaddr addr;

	return str2ipaddr(args->keys->key[0], &addr) ? NULL
						     : afbr_find(swmesh, &addr);
}

static struct yang_data *afbr_endpoint(const char *xpath, const void *entry)
{
	const struct afbr *afbr = entry;

	return yang_data_new_ip(xpath, &afbr->addr);
}

static struct yang_data *afbr_reachable(const char *xpath, const void *entry)
{
	return yang_data_new_bool(xpath, afbr_usable(entry));
}

static struct yang_data *afbr_why(const char *xpath, const void *entry)
{
	char text[MESH_REASON_LEN];

	afbr_reason(entry, text, sizeof(text));
	return text[0] ? yang_data_new_string(xpath, text) : NULL;
}

static struct yang_data *afbr_path_mtu(const char *xpath, const void *entry)
{
	const struct afbr *afbr = entry;

	return afbr->path.mtu ? yang_data_new_uint32(xpath, afbr->path.mtu)
			      : NULL;
}

static const struct swmesh_nb_leaf afbr_leaves[] = {
	{"endpoint", afbr_endpoint},
	{"reachable", afbr_reachable},
	{"reason", afbr_why},
	{"path-mtu", afbr_path_mtu},
};

struct yang_data *swmesh_nb_afbr_elem(struct nb_cb_get_elem_args *args)
{
	return swmesh_nb_get_leaf(afbr_leaves, array_size(afbr_leaves), args);
}

/* ---- sw-nhop ---- */

const void *swmesh_nb_nhop_next(struct nb_cb_get_next_args *args)
{
	const struct demand *demand = args->list_entry;

	return demand ? demand_table_next(&swmesh->demands,
					  (struct demand *)demand)
		      : demand_table_first(&swmesh->demands);
}

int swmesh_nb_nhop_keys(struct nb_cb_get_keys_args *args)
{
	const struct demand *demand = args->list_entry;

	args->keys->num = 1;
	snprintfrr(args->keys->key[0], sizeof(args->keys->key[0]), "%pI6",
		   &demand->sw_nhop);
	return NB_OK;
}

const void *swmesh_nb_nhop_lookup(struct nb_cb_lookup_entry_args *args)
{
	struct in6_addr addr;

	return inet_pton(AF_INET6, args->keys->key[0], &addr) == 1
		       ? demand_find(swmesh, &addr)
		       : NULL;
}

static struct yang_data *nhop_address(const char *xpath, const void *entry)
{
	const struct demand *demand = entry;

	return yang_data_new_ipv6(xpath, &demand->sw_nhop);
}

static struct yang_data *nhop_next_hop(const char *xpath, const void *entry)
{
	const struct demand *demand = entry;

	return yang_data_new_ip(xpath, &demand->next_hop);
}

static struct yang_data *nhop_routes(const char *xpath, const void *entry)
{
	const struct demand *demand = entry;

	return yang_data_new_uint32(xpath,
				    demand->routes_ipv4 + demand->routes_ipv6);
}

static struct yang_data *nhop_device(const char *xpath, const void *entry)
{
	const struct demand *demand = entry;

	return demand->via ? softwire_device_name(xpath, demand->via) : NULL;
}

static struct yang_data *nhop_why(const char *xpath, const void *entry)
{
	const struct demand *demand = entry;

	return demand_up(demand) ? NULL
				 : yang_data_new_string(xpath, demand->reason);
}

static const struct swmesh_nb_leaf nhop_leaves[] = {
	{"address", nhop_address}, {"next-hop", nhop_next_hop},
	{"routes", nhop_routes},   {"device", nhop_device},
	{"reason", nhop_why},
};

struct yang_data *swmesh_nb_nhop_elem(struct nb_cb_get_elem_args *args)
{
	return swmesh_nb_get_leaf(nhop_leaves, array_size(nhop_leaves), args);
}
