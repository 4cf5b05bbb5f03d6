// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `security NAME`: from YANG to the snapshots that the model and the IKE
 * backend use, and reading their files again. The files are read when a
 * security is configured or changed, and when asked for; never as a side effect
 * of another commit, which could catch a key and its certificate half replaced.
 */
#include <zebra.h>

#include "vty.h"

#include "lib/log_limit.h"

#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/swmesh_nb.h"
#include "swmeshd/swmeshd.h"

/* Seconds after which files that could not be used are tried again. */
#define RETRY_INTERVAL 60

static struct thread *t_log, *t_retry;

static void retry(struct thread *thread);

/* ---- from YANG ---- */

static void read_text(const struct lyd_node *dnode, const char *xpath,
		      char **field)
{
	if (yang_dnode_exists(dnode, xpath))
		security_set_text(field, yang_dnode_get_string(dnode, xpath));
}

struct file_list {
	struct security_file *files;
	unsigned int *n, max;
};

static int read_file_cb(const struct lyd_node *dnode, void *arg)
{
	struct file_list *list = arg;

	if (*list->n < list->max)
		security_set_text(&list->files[(*list->n)++].path,
				  yang_dnode_get_string(dnode, NULL));
	return YANG_ITER_CONTINUE;
}

static void read_files(const struct lyd_node *dnode, const char *xpath,
		       struct security_file *files, unsigned int *n,
		       unsigned int max)
{
	struct file_list list = {.files = files, .n = n, .max = max};

	yang_dnode_iterate(read_file_cb, &list, dnode, xpath);
}

static void read_proposals(const struct lyd_node *dnode, const char *xpath,
			   struct security_proposals *proposals)
{
	if (yang_dnode_exists(dnode, xpath))
		security_set_proposals(proposals,
				       yang_dnode_get_string(dnode, xpath));
}

static void read_method(const struct lyd_node *dnode, struct security *s)
{
	if (yang_dnode_exists(dnode, "./ike/group-psk/file") ||
	    yang_dnode_exists(dnode, "./ike/group-psk/sealed")) {
		s->method = IKE_METHOD_PSK;
		read_text(dnode, "./ike/group-psk/file", &s->psk.path);
		read_text(dnode, "./ike/group-psk/sealed", &s->sealed);
	} else if (yang_dnode_exists(dnode, "./ike/pki/certificate")) {
		s->method = IKE_METHOD_PKI;
		read_text(dnode, "./ike/pki/certificate", &s->cert.path);
		read_text(dnode, "./ike/pki/key", &s->key.path);
		read_files(dnode, "./ike/pki/ca", s->ca, &s->n_ca,
			   SECURITY_FILES_MAX);
		read_files(dnode, "./ike/pki/crl", s->crl, &s->n_crl,
			   SECURITY_FILES_MAX);
		read_text(dnode, "./ike/pki/identity", &s->identity);
		read_text(dnode, "./ike/pki/peer-identity", &s->peer_identity);
	} else if (yang_dnode_exists(dnode, "./ike/raw-key/key")) {
		s->method = IKE_METHOD_RAW;
		read_text(dnode, "./ike/raw-key/key", &s->key.path);
		read_text(dnode, "./ike/raw-key/certificate", &s->cert.path);
		read_text(dnode, "./ike/raw-key/peer-keys", &s->peer_keys);
		/* One place is the key's own. */
		read_files(dnode, "./ike/raw-key/announce-key", s->announce,
			   &s->n_announce, KEYS_ANNOUNCED_MAX - 1);
	}
}

static int read_security_cb(const struct lyd_node *dnode, void *arg)
{
	struct securities_head *securities = arg;
	struct security *s;

	s = security_new(yang_dnode_get_string(dnode, "./name"));
	read_method(dnode, s);
	read_proposals(dnode, "./ike/proposals", &s->ike);
	s->rekey_ike = yang_dnode_get_uint32(dnode, "./ike/rekey");
	s->dpd = yang_dnode_get_uint16(dnode, "./ike/dpd");
	read_text(dnode, "./ike/ppk/id", &s->ppk_id);
	read_text(dnode, "./ike/ppk/file", &s->ppk.path);
	s->ppk_required = yang_dnode_get_bool(dnode, "./ike/ppk/required");
	s->protocol =
		strcmp(yang_dnode_get_string(dnode, "./ipsec/protocol"), "ah")
			? IPSEC_ESP
			: IPSEC_AH;
	read_proposals(dnode, "./ipsec/proposals", &s->ipsec);
	s->rekey_sa = yang_dnode_get_uint32(dnode, "./ipsec/rekey");
	s->replay_window =
		yang_dnode_get_uint16(dnode, "./ipsec/replay-window");
	securities_add(securities, s);
	return YANG_ITER_CONTINUE;
}

void nb_read_securities(const struct lyd_node *mesh,
			struct securities_head *securities)
{
	yang_dnode_iterate(read_security_cb, securities, mesh, "./security");
}

/* ---- with their files ---- */

/* The identity of a certificate is our endpoint's unless one is named. */
static void set_endpoint(struct nb_draft *draft)
{
	char text[INET6_ADDRSTRLEN];
	struct security *s;

	frr_each (securities, &draft->securities, s) {
		if (s->method == IKE_METHOD_PKI && !s->identity &&
		    !IS_IPADDR_NONE(&draft->config.source)) {
			ipaddr2str(&draft->config.source, text, sizeof(text));
			security_set_text(&s->endpoint, text);
		}
		security_digest(s);
	}
}

static void replace(struct securities_head *securities, struct security *s,
		    struct security *by)
{
	securities_del(securities, s);
	security_unref(&s);
	securities_add(securities, by);
}

/* What is configured as before is as it was when its files were read. */
static void keep_or_load(struct nb_draft *draft)
{
	struct security *s, *old;

	set_endpoint(draft);
	frr_each_safe (securities, &draft->securities, s) {
		old = security_find(&swmesh->securities, s->name);
		if (old && security_same_config(old, s) && !old->error[0])
			replace(&draft->securities, s, security_copy(old));
		else
			security_load(s);
	}
}

int nb_check_security_files(struct nb_draft *draft, enum nb_commit kind,
			    char *errmsg, size_t len)
{
	const struct security *old;
	struct security *s;
	bool used;

	keep_or_load(draft);
	frr_each (securities, &draft->securities, s) {
		if (!s->error[0])
			continue;
		old = security_find(&swmesh->securities, s->name);
		used = nb_security_used(&draft->config, &draft->sets, s->name);
		/* What was accepted before, at boot, hinders no other line. */
		if (old && security_same_config(old, s) &&
		    (!used ||
		     nb_security_used(&swmesh->config, &swmesh->sets, s->name)))
			continue;
		if (kind == NB_COMMIT_BLOCK && !nb_security_works(s->name))
			continue;
		/* One that is not used yet may lack its other lines. */
		if (!used && !s->file_error)
			continue;
		strlcpy(errmsg, s->error, len);
		return NB_ERR_VALIDATION;
	}
	return NB_OK;
}

/* ---- adopting ---- */

/* A name that nothing goes by: shown, and nothing comes up with it. */
static bool add_missing(const char *name, const char *user, void *arg)
{
	struct nb_draft *draft = arg;
	struct security *s;

	if (security_find(&draft->securities, name))
		return true;
	s = security_new(name);
	snprintf(
		s->error, sizeof(s->error),
		"%s: there is no security %s; configure it with 'security %s' under 'softwire mesh'",
		user, name, name);
	security_digest(s);
	securities_add(&draft->securities, s);
	return true;
}

/* What is in use does not go together: none of it comes up. */
static void spoil(struct nb_draft *draft, const char *error)
{
	struct security *s;

	frr_each (securities, &draft->securities, s) {
		if (s->error[0] ||
		    !nb_security_used(&draft->config, &draft->sets, s->name))
			continue;
		strlcpy(s->error, error, sizeof(s->error));
		s->conflict = true;
	}
}

/* S10: section 3.5.2 of RFC 5619 wants no group keys where not all trust all.
 */
static void warn_group_key(struct nb_draft *draft, char *said, size_t len)
{
	const struct security *old;
	struct security *s;
	size_t at;

	frr_each (securities, &draft->securities, s) {
		old = security_find(&swmesh->securities, s->name);
		if (s->method != IKE_METHOD_PSK ||
		    (old && old->method == IKE_METHOD_PSK))
			continue;
		zlog_warn(
			"security %s: with group-psk any member of the mesh can impersonate any other; use raw-key or pki where they do not all trust each other",
			s->name);
		at = strlen(said);
		snprintf(
			said + at, len - at,
			"%sWarning: security %s: with group-psk any member of the mesh can impersonate any other; use 'ike raw-key' or 'ike pki' where they do not all trust each other",
			at ? "\n" : "", s->name);
	}
}

/* Once the lines of a file have all been read: a name may come before what it
 * names. */
static void log_errors(struct thread *thread)
{
	struct security *s;

	frr_each (securities, &swmesh->securities, s) {
		if (!s->error[0])
			continue;
		thread_add_timer(master, retry, NULL, RETRY_INTERVAL, &t_retry);
		if (s->error_told)
			continue;
		s->error_told = true;
		flog_warn_limited(EC_SWMESH_SECURITY, log_limit_key(s->error),
				  "%s", s->error);
	}
}

/* One that is the same stays the same object: others hold it. */
static void take_securities(struct securities_head *securities)
{
	struct security *s, *old;

	frr_each_safe (securities, securities, s) {
		old = security_find(&swmesh->securities, s->name);
		s->error_told =
			old && old->error_told && !strcmp(old->error, s->error);
		if (!old || !security_same(old, s))
			continue;
		securities_del(&swmesh->securities, old);
		replace(securities, s, old);
	}
	securities_clear(&swmesh->securities);
	while ((s = securities_pop(securities)))
		securities_add(&swmesh->securities, s);
	thread_add_event(master, log_errors, NULL, 0, &t_log);
}

void nb_adopt_securities(struct nb_draft *draft, char *said, size_t len)
{
	char error[SECURITY_ERROR_LEN];

	keep_or_load(draft);
	nb_security_uses(&draft->config, &draft->sets, add_missing, draft);
	if (nb_check_security_uses(draft, error, sizeof(error)) != NB_OK)
		spoil(draft, error);
	warn_group_key(draft, said, len);
	take_securities(&draft->securities);
}

/* ---- reading the files again ---- */

PRINTFRR(2, 3)
static void report(struct vty *vty, const char *fmt, ...)
{
	char text[SECURITY_ERROR_LEN + 80];
	va_list ap;

	va_start(ap, fmt);
	vsnprintfrr(text, sizeof(text), fmt, ap);
	va_end(ap);
	zlog_notice("%s", text);
	if (vty)
		vty_out(vty, "%s\n", text);
}

/*
 * True if s, just read, is to take the place of old. vty: to report to; quiet:
 * nothing is said of what is as bad as before.
 */
static bool better(struct vty *vty, bool quiet, const struct security *old,
		   const struct security *s)
{
	if (s->error[0] && !(old && old->error[0])) {
		report(vty, "%s; what was read before stays in use", s->error);
		return false;
	}
	if (s->error[0] && !quiet)
		report(vty, "%s", s->error);
	if (security_same(old, s))
		return false;
	if (!s->error[0] &&
	    (!old || memcmp(old->digest, s->digest, sizeof(s->digest))))
		report(vty, "security %s: its files have changed", s->name);
	return true;
}

static unsigned int read_again(struct vty *vty, bool failed_only)
{
	const struct lyd_node *mesh;
	struct nb_draft draft;
	struct security *s, *old;
	unsigned int changed = 0;
	char error[SECURITY_ERROR_LEN];

	mesh = yang_dnode_get(running_config->dnode, SWMESH_MESH_XPATH);
	if (!mesh)
		return 0;
	nb_draft_read(&draft, mesh);
	set_endpoint(&draft);
	frr_each_safe (securities, &draft.securities, s) {
		old = security_find(&swmesh->securities, s->name);
		if (!failed_only || !old || (old->error[0] && !old->conflict)) {
			security_load(s);
			if (better(vty, failed_only, old, s)) {
				changed++;
				continue;
			}
		}
		if (old)
			replace(&draft.securities, s, security_copy(old));
	}
	if (changed) {
		nb_security_uses(&draft.config, &draft.sets, add_missing,
				 &draft);
		if (nb_check_security_uses(&draft, error, sizeof(error)) !=
		    NB_OK)
			spoil(&draft, error);
		take_securities(&draft.securities);
		mesh_config_changed(swmesh);
	}
	nb_draft_clear(&draft);
	return changed;
}

unsigned int swmesh_nb_reload_keys(struct vty *vty)
{
	return read_again(vty, false);
}

/* A folder that is mounted late, a clock that is set late: at boot. */
static void retry(struct thread *thread)
{
	read_again(NULL, true);
	thread_add_event(master, log_errors, NULL, 0, &t_log);
}
