/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Northbound of frr-swmesh.yang. */
#ifndef SWMESH_NB_H
#define SWMESH_NB_H

#include "northbound.h"

#include "swmeshd/model/model.h"

#define SWMESH_XPATH "/frr-swmesh:swmesh"
#define SWMESH_MESH_XPATH SWMESH_XPATH "/mesh"
#define SWMESH_STATE_XPATH SWMESH_XPATH "/state"

extern const struct frr_yang_module_info frr_swmesh_info;

/* ---- swmesh_nb_config.c ---- */

int swmesh_nb_create(struct nb_cb_create_args *args);
int swmesh_nb_modify(struct nb_cb_modify_args *args);
int swmesh_nb_destroy(struct nb_cb_destroy_args *args);
int swmesh_nb_mesh_pre_validate(struct nb_cb_pre_validate_args *args);
void swmesh_nb_mesh_apply_finish(struct nb_cb_apply_finish_args *args);
int swmesh_nb_mesh_destroy(struct nb_cb_destroy_args *args);
int swmesh_nb_source_modify(struct nb_cb_modify_args *args);
int swmesh_nb_prefix_modify(struct nb_cb_modify_args *args);

/* swmesh_cli.c */
PRINTFRR(2, 3)
int swmesh_cli_refuse(struct vty *vty, const char *fmt, ...);
bool swmesh_cli_name_ok(const char *name);
void swmesh_cli_show_mesh(struct vty *vty, const struct lyd_node *dnode,
			  bool show_defaults);
void swmesh_cli_show_mesh_end(struct vty *vty, const struct lyd_node *dnode);
void swmesh_cli_show_source(struct vty *vty, const struct lyd_node *dnode,
			    bool show_defaults);
void swmesh_cli_show_transit_interface(struct vty *vty,
				       const struct lyd_node *dnode,
				       bool show_defaults);
void swmesh_cli_show_transit_list(struct vty *vty, const struct lyd_node *dnode,
				  bool show_defaults);
void swmesh_cli_show_prefix(struct vty *vty, const struct lyd_node *dnode,
			    bool show_defaults);
void swmesh_cli_show_policy(struct vty *vty, const struct lyd_node *dnode,
			    bool show_defaults);
void swmesh_cli_show_announce(struct vty *vty, const struct lyd_node *dnode,
			      bool show_defaults);
int swmesh_cli_cmp_encap_set(const struct lyd_node *a,
			     const struct lyd_node *b);
int swmesh_cli_cmp_tunnel(const struct lyd_node *a, const struct lyd_node *b);
void swmesh_cli_show_encap_set(struct vty *vty, const struct lyd_node *dnode,
			       bool show_defaults);
void swmesh_cli_show_encap_set_end(struct vty *vty,
				   const struct lyd_node *dnode);
void swmesh_cli_show_tunnel(struct vty *vty, const struct lyd_node *dnode,
			    bool show_defaults);
void swmesh_cli_show_payload(struct vty *vty, const struct lyd_node *dnode,
			     bool show_defaults);

/* swmesh_cli_security.c */
void swmesh_cli_show_set_security(struct vty *vty, const struct lyd_node *dnode,
				  bool show_defaults);
void swmesh_cli_show_rfc5566(struct vty *vty, const struct lyd_node *dnode,
			     bool show_defaults);
int swmesh_cli_cmp_security(const struct lyd_node *a, const struct lyd_node *b);
void swmesh_cli_show_security(struct vty *vty, const struct lyd_node *dnode,
			      bool show_defaults);
void swmesh_cli_show_security_end(struct vty *vty,
				  const struct lyd_node *dnode);
void swmesh_cli_show_handshakes(struct vty *vty, const struct lyd_node *dnode,
				bool show_defaults);
void swmesh_cli_show_filter(struct vty *vty, const struct lyd_node *dnode,
			    bool show_defaults);
void swmesh_cli_show_protect_bgp(struct vty *vty, const struct lyd_node *dnode,
				 bool show_defaults);

/* swmesh_nb_state.c */
struct yang_data *swmesh_nb_state_status(struct nb_cb_get_elem_args *args);
struct yang_data *swmesh_nb_state_bgp(struct nb_cb_get_elem_args *args);
struct yang_data *swmesh_nb_state_overlap(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_supported_next(struct nb_cb_get_next_args *args);
int swmesh_nb_supported_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_supported_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_supported_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_softwire_next(struct nb_cb_get_next_args *args);
int swmesh_nb_softwire_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_softwire_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_softwire_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_afbr_next(struct nb_cb_get_next_args *args);
int swmesh_nb_afbr_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_afbr_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_afbr_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_nhop_next(struct nb_cb_get_next_args *args);
int swmesh_nb_nhop_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_nhop_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_nhop_elem(struct nb_cb_get_elem_args *args);

/* A leaf of a list's entry, by its name; n of them are searched. */
struct swmesh_nb_leaf {
	const char *name;
	struct yang_data *(*get)(const char *xpath, const void *entry);
};
struct yang_data *swmesh_nb_get_leaf(const struct swmesh_nb_leaf *leaves,
				     size_t n,
				     struct nb_cb_get_elem_args *args);

/* swmesh_nb_state_security.c */
struct yang_data *swmesh_nb_security_charon(struct nb_cb_get_elem_args *args);
struct yang_data *
swmesh_nb_security_charon_hangs(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_peer_next(struct nb_cb_get_next_args *args);
int swmesh_nb_peer_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_peer_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_peer_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_announced_next(struct nb_cb_get_next_args *args);
const void *swmesh_nb_accepted_next(struct nb_cb_get_next_args *args);
struct yang_data *swmesh_nb_hash_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_child_next(struct nb_cb_get_next_args *args);
int swmesh_nb_child_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_child_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_child_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_filter_next(struct nb_cb_get_next_args *args);
int swmesh_nb_filter_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_filter_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_filter_elem(struct nb_cb_get_elem_args *args);

/* swmesh_nb_state_sas.c */
const void *swmesh_nb_ike_sa_next(struct nb_cb_get_next_args *args);
int swmesh_nb_ike_sa_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_ike_sa_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_ike_sa_elem(struct nb_cb_get_elem_args *args);
const void *swmesh_nb_child_sa_next(struct nb_cb_get_next_args *args);
int swmesh_nb_child_sa_keys(struct nb_cb_get_keys_args *args);
const void *swmesh_nb_child_sa_lookup(struct nb_cb_lookup_entry_args *args);
struct yang_data *swmesh_nb_child_sa_elem(struct nb_cb_get_elem_args *args);

#endif /* SWMESH_NB_H */
