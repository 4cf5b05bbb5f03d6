// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `security NAME`: the snapshots that the model and the IKE backend use, and
 * reading their files again. The files are read when a
 * security is configured or changed, and when asked for; never as a side effect
 * of another commit, which could catch a key and its certificate half replaced.
 */
#include <zebra.h>

#include "log.h"
#include "printfrr.h"
#include "thread.h"

#include "lib/log_limit.h"

#include "swmeshd/config/adopt.h"
#include "swmeshd/config/check.h"
#include "swmeshd/swmesh_debug.h"
#include "swmeshd/swmesh_errors.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/swmeshd.h"

/* Seconds after which files that could not be used are tried again. */
#define RETRY_INTERVAL 60

static struct thread *t_log, *t_retry;
static bool (*read_running)(struct draft *draft);

static void retry(struct thread *thread);

/* ---- with their files ---- */

/* The identity of a certificate is our endpoint's unless one is named. */
static void set_endpoint(struct draft *draft)
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
static void keep_or_load(struct draft *draft)
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

bool adopt_check_files(struct draft *draft, enum commit_kind kind, char *errmsg,
		       size_t len)
{
	const struct security *old;
	struct security *s;
	bool used;

	keep_or_load(draft);
	frr_each (securities, &draft->securities, s) {
		if (!s->error[0])
			continue;
		old = security_find(&swmesh->securities, s->name);
		used = config_security_used(&draft->config, &draft->sets,
					    s->name);
		/* What was accepted before, at boot, hinders no other line. */
		if (old && security_same_config(old, s) &&
		    (!used || config_security_used(&swmesh->config,
						   &swmesh->sets, s->name)))
			continue;
		if (kind == COMMIT_BLOCK && !check_security_works(s->name))
			continue;
		/* One that is not used yet may lack its other lines. */
		if (!used && !s->file_error)
			continue;
		strlcpy(errmsg, s->error, len);
		return false;
	}
	return true;
}

/* ---- adopting ---- */

/* A name that nothing goes by: shown, and nothing comes up with it. */
static bool add_missing(const char *name, const char *user, void *arg)
{
	struct draft *draft = arg;
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
static void spoil(struct draft *draft, const char *error)
{
	struct security *s;

	frr_each (securities, &draft->securities, s) {
		if (s->error[0] || !config_security_used(&draft->config,
							 &draft->sets, s->name))
			continue;
		strlcpy(s->error, error, sizeof(s->error));
		s->conflict = true;
	}
}

/* S10: section 3.5.2 of RFC 5619 wants no group keys where not all trust all.
 */
static void warn_group_key(struct draft *draft, char *said, size_t len)
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

void adopt_securities(struct draft *draft, char *said, size_t len)
{
	char error[SECURITY_ERROR_LEN];

	keep_or_load(draft);
	config_security_uses(&draft->config, &draft->sets, add_missing, draft);
	if (!check_security_uses(draft, error, sizeof(error)))
		spoil(draft, error);
	warn_group_key(draft, said, len);
	take_securities(&draft->securities);
}

/* ---- reading the files again ---- */

PRINTFRR(2, 3)
static void report(struct adopt_report to, const char *fmt, ...)
{
	char text[SECURITY_ERROR_LEN + 80];
	va_list ap;

	va_start(ap, fmt);
	vsnprintfrr(text, sizeof(text), fmt, ap);
	va_end(ap);
	zlog_notice("%s", text);
	if (to.line)
		to.line(to.arg, text);
}

/*
 * True if s, just read, is to take the place of old. to: to report to; quiet:
 * nothing is said of what is as bad as before.
 */
static bool better(struct adopt_report to, bool quiet,
		   const struct security *old, const struct security *s)
{
	if (s->error[0] && !(old && old->error[0])) {
		report(to, "%s; what was read before stays in use", s->error);
		return false;
	}
	if (s->error[0] && !quiet)
		report(to, "%s", s->error);
	if (security_same(old, s))
		return false;
	if (!s->error[0] &&
	    (!old || memcmp(old->digest, s->digest, sizeof(s->digest))))
		report(to, "security %s: its files have changed", s->name);
	return true;
}

static unsigned int read_again(struct adopt_report to, bool failed_only)
{
	struct draft draft;
	struct security *s, *old;
	unsigned int changed = 0;
	char error[SECURITY_ERROR_LEN];

	if (!read_running(&draft))
		return 0;
	set_endpoint(&draft);
	frr_each_safe (securities, &draft.securities, s) {
		old = security_find(&swmesh->securities, s->name);
		if (!failed_only || !old || (old->error[0] && !old->conflict)) {
			security_load(s);
			if (better(to, failed_only, old, s)) {
				changed++;
				continue;
			}
		}
		if (old)
			replace(&draft.securities, s, security_copy(old));
	}
	if (changed) {
		config_security_uses(&draft.config, &draft.sets, add_missing,
				     &draft);
		if (!check_security_uses(&draft, error, sizeof(error)))
			spoil(&draft, error);
		take_securities(&draft.securities);
		mesh_config_changed(swmesh);
	}
	draft_clear(&draft);
	return changed;
}

unsigned int adopt_reload(struct adopt_report to)
{
	return read_again(to, false);
}

/* A folder that is mounted late, a clock that is set late: at boot. */
static void retry(struct thread *thread)
{
	read_again((struct adopt_report){}, true);
	thread_add_event(master, log_errors, NULL, 0, &t_log);
}

void adopt_init(bool (*running)(struct draft *draft))
{
	read_running = running;
}
