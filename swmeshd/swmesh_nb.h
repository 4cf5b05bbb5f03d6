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

#endif /* SWMESH_NB_H */
