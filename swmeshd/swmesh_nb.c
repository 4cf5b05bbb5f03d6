// SPDX-License-Identifier: GPL-2.0-or-later
/* Northbound of frr-swmesh.yang: which node is served by what. */
#include <zebra.h>

#include "swmeshd/swmesh_nb.h"
#include "swmeshd/swmesh_nb_state.h"

/* A state leaf of the list entry. */
#define LEAF(list, leaf)                                                       \
	{                                                                      \
		.xpath = SWMESH_STATE_XPATH "/" leaf,                          \
		.cbs = {                                                       \
			.get_elem = swmesh_nb_##list##_elem,                   \
		},                                                             \
	}

/* A leaf of the configuration: with a default, and without. */
#define CONFIG(leaf)                                                           \
	{                                                                      \
		.xpath = SWMESH_MESH_XPATH "/" leaf,                           \
		.cbs = {                                                       \
			.modify = swmesh_nb_modify,                            \
		},                                                             \
	}
#define CONFIG_OPT(leaf)                                                       \
	{                                                                      \
		.xpath = SWMESH_MESH_XPATH "/" leaf,                           \
		.cbs = {                                                       \
			.modify = swmesh_nb_modify,                            \
			.destroy = swmesh_nb_destroy,                          \
		},                                                             \
	}
#define CONFIG_LIST(leaf)                                                      \
	{                                                                      \
		.xpath = SWMESH_MESH_XPATH "/" leaf,                           \
		.cbs = {                                                       \
			.create = swmesh_nb_create,                            \
			.destroy = swmesh_nb_destroy,                          \
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
			.xpath = SWMESH_MESH_XPATH "/transit/interface",
			.cbs = {
				.create = swmesh_nb_create,
				.destroy = swmesh_nb_destroy,
				.cli_show = swmesh_cli_show_transit_interface,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/transit/prefix-list",
			.cbs = {
				.modify = swmesh_nb_modify,
				.destroy = swmesh_nb_destroy,
				.cli_show = swmesh_cli_show_transit_list,
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
			.xpath = SWMESH_MESH_XPATH "/ike/handshakes",
			.cbs = {
				.modify = swmesh_nb_modify,
				.cli_show = swmesh_cli_show_handshakes,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/filter",
			.cbs = {
				.cli_show = swmesh_cli_show_filter,
			},
		},
		CONFIG("filter/enabled"),
		CONFIG("filter/anti-spoof"),
		CONFIG("filter/log"),
		CONFIG("filter/log-rate"),
		{
			.xpath = SWMESH_MESH_XPATH "/security",
			.cbs = {
				.create = swmesh_nb_create,
				.destroy = swmesh_nb_destroy,
				.cli_cmp = swmesh_cli_cmp_security,
				.cli_show = swmesh_cli_show_security,
				.cli_show_end = swmesh_cli_show_security_end,
			},
		},
		CONFIG_OPT("security/ike/group-psk/file"),
		CONFIG_OPT("security/ike/group-psk/sealed"),
		CONFIG_LIST("security/ike/pki/ca"),
		CONFIG_LIST("security/ike/pki/crl"),
		CONFIG_OPT("security/ike/pki/identity"),
		CONFIG_OPT("security/ike/pki/peer-identity"),
		CONFIG_OPT("security/ike/pki/certificate"),
		CONFIG_OPT("security/ike/pki/key"),
		CONFIG_LIST("security/ike/raw-key/announce-key"),
		CONFIG_OPT("security/ike/raw-key/peer-keys"),
		CONFIG_OPT("security/ike/raw-key/key"),
		CONFIG_OPT("security/ike/raw-key/certificate"),
		CONFIG_OPT("security/ike/proposals"),
		CONFIG("security/ike/rekey"),
		CONFIG("security/ike/dpd"),
		CONFIG_OPT("security/ike/ppk/id"),
		CONFIG_OPT("security/ike/ppk/file"),
		CONFIG("security/ike/ppk/required"),
		CONFIG("security/ipsec/protocol"),
		CONFIG_OPT("security/ipsec/proposals"),
		CONFIG("security/ipsec/rekey"),
		CONFIG("security/ipsec/replay-window"),
		{
			.xpath = SWMESH_MESH_XPATH "/protect-bgp",
			.cbs = {
				.cli_show = swmesh_cli_show_protect_bgp,
			},
		},
		CONFIG_OPT("protect-bgp/security"),
		CONFIG_LIST("protect-bgp/neighbor"),
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
			.xpath = SWMESH_MESH_XPATH "/encap-set/security",
			.cbs = {
				.modify = swmesh_nb_modify,
				.destroy = swmesh_nb_destroy,
				.cli_show = swmesh_cli_show_set_security,
			},
		},
		{
			.xpath = SWMESH_MESH_XPATH "/encap-set/announce-rfc5566",
			.cbs = {
				.modify = swmesh_nb_modify,
				.cli_show = swmesh_cli_show_rfc5566,
			},
		},
		CONFIG_OPT("encap-set/tunnel/security"),
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
			.xpath = SWMESH_STATE_XPATH "/sw-nhop-overlap",
			.cbs = {
				.get_elem = swmesh_nb_state_overlap,
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
		LEAF(softwire, "softwire/route-mtu"),
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
			.xpath = SWMESH_STATE_XPATH "/security/charon",
			.cbs = {
				.get_elem = swmesh_nb_security_charon,
			},
		},
		{
			.xpath = SWMESH_STATE_XPATH "/security/charon-hangs",
			.cbs = {
				.get_elem = swmesh_nb_security_charon_hangs,
			},
		},
		{
			.xpath = SWMESH_STATE_XPATH "/security/peer",
			.cbs = {
				.get_next = swmesh_nb_peer_next,
				.get_keys = swmesh_nb_peer_keys,
				.lookup_entry = swmesh_nb_peer_lookup,
			},
		},
		LEAF(peer, "security/peer/endpoint"),
		LEAF(peer, "security/peer/local-endpoint"),
		LEAF(peer, "security/peer/security"),
		LEAF(peer, "security/peer/method"),
		LEAF(peer, "security/peer/role"),
		LEAF(peer, "security/peer/status"),
		LEAF(peer, "security/peer/protected"),
		LEAF(peer, "security/peer/reason"),
		LEAF(peer, "security/peer/failures"),
		LEAF(peer, "security/peer/local-identity"),
		LEAF(peer, "security/peer/remote-identity"),
		LEAF(peer, "security/peer/established"),
		LEAF(peer, "security/peer/ike-rekeys"),
		LEAF(peer, "security/peer/in-packets"),
		LEAF(peer, "security/peer/out-packets"),
		LEAF(peer, "security/peer/refused-packets"),
		{
			.xpath = SWMESH_STATE_XPATH "/security/peer/announced-key",
			.cbs = {
				.get_next = swmesh_nb_announced_next,
				.get_elem = swmesh_nb_hash_elem,
			},
		},
		{
			.xpath = SWMESH_STATE_XPATH "/security/peer/accepted-key",
			.cbs = {
				.get_next = swmesh_nb_accepted_next,
				.get_elem = swmesh_nb_hash_elem,
			},
		},
		{
			.xpath = SWMESH_STATE_XPATH "/security/peer/child",
			.cbs = {
				.get_next = swmesh_nb_child_next,
				.get_keys = swmesh_nb_child_keys,
				.lookup_entry = swmesh_nb_child_lookup,
			},
		},
		LEAF(child, "security/peer/child/name"),
		LEAF(child, "security/peer/child/protocol"),
		LEAF(child, "security/peer/child/protection"),
		LEAF(child, "security/peer/child/up"),
		LEAF(child, "security/peer/child/age"),
		LEAF(child, "security/peer/child/rekeys"),
		LEAF(child, "security/peer/child/spi-in"),
		LEAF(child, "security/peer/child/spi-out"),
		{
			.xpath = SWMESH_STATE_XPATH "/security/peer/ike-sa",
			.cbs = {
				.get_next = swmesh_nb_ike_sa_next,
				.get_keys = swmesh_nb_ike_sa_keys,
				.lookup_entry = swmesh_nb_ike_sa_lookup,
			},
		},
		LEAF(ike_sa, "security/peer/ike-sa/id"),
		LEAF(ike_sa, "security/peer/ike-sa/status"),
		LEAF(ike_sa, "security/peer/ike-sa/initiator"),
		LEAF(ike_sa, "security/peer/ike-sa/spi-initiator"),
		LEAF(ike_sa, "security/peer/ike-sa/spi-responder"),
		LEAF(ike_sa, "security/peer/ike-sa/algorithms"),
		LEAF(ike_sa, "security/peer/ike-sa/ppk"),
		LEAF(ike_sa, "security/peer/ike-sa/age"),
		LEAF(ike_sa, "security/peer/ike-sa/rekeys"),
		{
			.xpath = SWMESH_STATE_XPATH "/security/peer/ike-sa/child-sa",
			.cbs = {
				.get_next = swmesh_nb_child_sa_next,
				.get_keys = swmesh_nb_child_sa_keys,
				.lookup_entry = swmesh_nb_child_sa_lookup,
			},
		},
		LEAF(child_sa, "security/peer/ike-sa/child-sa/id"),
		LEAF(child_sa, "security/peer/ike-sa/child-sa/name"),
		LEAF(child_sa, "security/peer/ike-sa/child-sa/status"),
		LEAF(child_sa, "security/peer/ike-sa/child-sa/protocol"),
		LEAF(child_sa, "security/peer/ike-sa/child-sa/algorithms"),
		LEAF(child_sa, "security/peer/ike-sa/child-sa/age"),
		LEAF(child_sa, "security/peer/ike-sa/child-sa/spi-in"),
		LEAF(child_sa, "security/peer/ike-sa/child-sa/spi-out"),
		{
			.xpath = SWMESH_STATE_XPATH "/security/filter",
			.cbs = {
				.get_next = swmesh_nb_filter_next,
				.get_keys = swmesh_nb_filter_keys,
				.lookup_entry = swmesh_nb_filter_lookup,
			},
		},
		LEAF(filter, "security/filter/name"),
		LEAF(filter, "security/filter/packets"),
		LEAF(filter, "security/filter/octets"),
		{
			.xpath = NULL,
		},
	}
};
/* clang-format on */
