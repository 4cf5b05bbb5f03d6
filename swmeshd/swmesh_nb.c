// SPDX-License-Identifier: GPL-2.0-or-later
/* Northbound of frr-swmesh.yang: which node is served by what. */
#include <zebra.h>

#include "swmeshd/swmesh_nb.h"

/* A state leaf of the list entry. */
#define LEAF(list, leaf)                                                       \
	{                                                                      \
		.xpath = SWMESH_STATE_XPATH "/" leaf,                          \
		.cbs = {                                                       \
			.get_elem = swmesh_nb_##list##_elem,                   \
		},                                                             \
	}

/* clang-format off */
const struct frr_yang_module_info frr_swmesh_info = {
	.name = "frr-swmesh",
	.nodes = {
		{
			.xpath = SWMESH_MESH_XPATH,
			.cbs = {
				.create = swmesh_nb_create,
				.destroy = swmesh_nb_mesh_destroy,
				.pre_validate = swmesh_nb_mesh_pre_validate,
				.apply_finish = swmesh_nb_mesh_apply_finish,
				.cli_show = swmesh_cli_show_mesh,
				.cli_show_end = swmesh_cli_show_mesh_end,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/transit/address-family",
			.cbs = {
				.modify = swmesh_nb_modify,
				.destroy = swmesh_nb_destroy,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/transit/source",
			.cbs = {
				.modify = swmesh_nb_source_modify,
				.destroy = swmesh_nb_destroy,
				.cli_show = swmesh_cli_show_source,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/sw-nhop/prefix",
			.cbs = {
				.modify = swmesh_nb_prefix_modify,
				.cli_show = swmesh_cli_show_prefix,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/peer/policy",
			.cbs = {
				.modify = swmesh_nb_modify,
				.cli_show = swmesh_cli_show_policy,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/encap-set",
			.cbs = {
				.create = swmesh_nb_create,
				.destroy = swmesh_nb_destroy,
				.cli_cmp = swmesh_cli_cmp_encap_set,
				.cli_show = swmesh_cli_show_encap_set,
				.cli_show_end = swmesh_cli_show_encap_set_end,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/encap-set/tunnel",
			.cbs = {
				.create = swmesh_nb_create,
				.destroy = swmesh_nb_destroy,
				.cli_cmp = swmesh_cli_cmp_tunnel,
				.cli_show = swmesh_cli_show_tunnel,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/encap-set/tunnel/type",
			.cbs = {
				.modify = swmesh_nb_modify,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/encap-set/tunnel/key",
			.cbs = {
				.modify = swmesh_nb_modify,
				.destroy = swmesh_nb_destroy,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/encap-set/payload",
			.cbs = {
				.create = swmesh_nb_create,
				.destroy = swmesh_nb_destroy,
				.cli_show = swmesh_cli_show_payload,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/announce/encap-set",
			.cbs = {
				.modify = swmesh_nb_modify,
				.destroy = swmesh_nb_destroy,
				.cli_show = swmesh_cli_show_announce,
			},
		},
		{
			.xpath = SWMESH_STATE_XPATH "/status",
			.cbs = {
				.get_elem = swmesh_nb_state_status,
			},
		},
		{
			.xpath = SWMESH_STATE_XPATH "/bgp-conversation",
			.cbs = {
				.get_elem = swmesh_nb_state_bgp,
			},
		},
		{
			.xpath = SWMESH_STATE_XPATH "/supported-tunnel",
			.cbs = {
				.get_next = swmesh_nb_supported_next,
				.get_keys = swmesh_nb_supported_keys,
				.lookup_entry = swmesh_nb_supported_lookup,
			},
		},
		LEAF(supported, "supported-tunnel/type"),
		LEAF(supported, "supported-tunnel/number"),
		{
			.xpath = SWMESH_STATE_XPATH "/softwire",
			.cbs = {
				.get_next = swmesh_nb_softwire_next,
				.get_keys = swmesh_nb_softwire_keys,
				.lookup_entry = swmesh_nb_softwire_lookup,
			},
		},
		LEAF(softwire, "softwire/endpoint"),
		LEAF(softwire, "softwire/tunnel"),
		LEAF(softwire, "softwire/device"),
		LEAF(softwire, "softwire/status"),
		LEAF(softwire, "softwire/reason"),
		LEAF(softwire, "softwire/transmit-key"),
		LEAF(softwire, "softwire/mtu"),
		LEAF(softwire, "softwire/uptime"),
		LEAF(softwire, "softwire/sw-nhops"),
		LEAF(softwire, "softwire/in-packets"),
		LEAF(softwire, "softwire/in-octets"),
		LEAF(softwire, "softwire/out-packets"),
		LEAF(softwire, "softwire/out-octets"),
		{
			.xpath = SWMESH_STATE_XPATH "/afbr",
			.cbs = {
				.get_next = swmesh_nb_afbr_next,
				.get_keys = swmesh_nb_afbr_keys,
				.lookup_entry = swmesh_nb_afbr_lookup,
			},
		},
		LEAF(afbr, "afbr/endpoint"),
		LEAF(afbr, "afbr/reachable"),
		LEAF(afbr, "afbr/reason"),
		LEAF(afbr, "afbr/path-mtu"),
		{
			.xpath = SWMESH_STATE_XPATH "/sw-nhop",
			.cbs = {
				.get_next = swmesh_nb_nhop_next,
				.get_keys = swmesh_nb_nhop_keys,
				.lookup_entry = swmesh_nb_nhop_lookup,
			},
		},
		LEAF(nhop, "sw-nhop/address"),
		LEAF(nhop, "sw-nhop/next-hop"),
		LEAF(nhop, "sw-nhop/routes"),
		LEAF(nhop, "sw-nhop/device"),
		LEAF(nhop, "sw-nhop/reason"),
		{
			.xpath = NULL,
		},
	}
};
/* clang-format on */
