// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration commands of `security NAME` and of what uses it. They only
 * translate to the northbound, which decides (config/check.c).
 */
#include <zebra.h>

#include "command.h"
#include "memory.h"
#include "northbound_cli.h"

#include "swmeshd/swmesh_nb_commit.h"
#include "swmeshd/swmesh_cli.h"
#include "swmeshd/swmesh_cli_util.h"
#include "swmeshd/security/key_files.h"
#include "swmeshd/swmesh_nb.h"
#include "swmeshd/security/seal.h"
#include "swmeshd/swmeshd.h"
#ifndef VTYSH_EXTRACT_PL
#include "swmeshd/swmesh_cli_security_clippy.c"
#endif

#define SECURITY_STR "How softwires are protected (RFC 5619)\n"
#define NAME_STR "Name of the security\n"
#define IKE_STR "IKEv2 (RFC 7296)\n"
#define PSK_STR "One secret in all routers of the mesh\n"
#define PKI_STR "Certificates under an authority\n"
#define RAW_STR "Public keys, bound to AFBRs by BGP (RFC 5566)\n"
#define FILE_STR "Absolute path\n"
#define WORDS_STR "Algorithms joined by '-', the preferred ones first\n"

#define DESTROY(xpath) nb_cli_enqueue_change(vty, xpath, NB_OP_DESTROY, NULL)
#define MODIFY(xpath, value)                                                   \
	nb_cli_enqueue_change(vty, xpath, NB_OP_MODIFY, value)

/* ---- security NAME ---- */

DEFPY_YANG_NOSH(security, security_cmd, "security WORD$name",
		SECURITY_STR NAME_STR)
{
	char xpath[XPATH_MAXLEN];
	int ret;

	if (!swmesh_cli_name_ok(name) || !strcmp(name, SECURITY_NONE))
		return swmesh_cli_refuse(
			vty,
			"security %.80s: not a name; use 1 to %u letters, digits and '_', '.', ':', '-', and not '%s'",
			name, SECURITY_NAME_LEN, SECURITY_NONE);
	snprintf(xpath, sizeof(xpath), SWMESH_MESH_XPATH "/security[name='%s']",
		 name);
	nb_cli_enqueue_change(vty, xpath, NB_OP_CREATE, NULL);
	ret = swmesh_nb_apply(vty);
	if (ret == CMD_SUCCESS)
		VTY_PUSH_XPATH(SWMESH_SECURITY_NODE, xpath);
	return ret;
}

DEFPY_YANG(no_security, no_security_cmd, "no security WORD$name",
	   NO_STR SECURITY_STR NAME_STR)
{
	char xpath[XPATH_MAXLEN];

	if (!swmesh_cli_name_ok(name))
		return swmesh_cli_refuse(
			vty, "security %.80s: there is none of this name",
			name);
	snprintf(xpath, sizeof(xpath), SWMESH_MESH_XPATH "/security[name='%s']",
		 name);
	nb_cli_enqueue_change(vty, xpath, NB_OP_DESTROY, NULL);
	return swmesh_nb_apply(vty);
}

/* The security that the session is in. */
static const char *current(struct vty *vty)
{
	const struct lyd_node *dnode;

	dnode = yang_dnode_get(vty->candidate_config->dnode, VTY_CURR_XPATH);
	return dnode ? yang_dnode_get_string(dnode, "./name") : "?";
}

/* It reads back as one word, and fits what holds it. */
static bool word_ok(const char *word)
{
	size_t len = strlen(word);

	for (const char *c = word; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '\'' || *c == '"')
			return false;
	return len && len <= 255;
}

static bool path_ok(const char *path)
{
	return path[0] == '/' && path[1] && word_ok(path);
}

static int refuse_path(struct vty *vty, const char *path)
{
	return swmesh_cli_refuse(
		vty,
		"security %s: file %.80s: not an absolute path; begin with '/', without blanks and quotes",
		current(vty), path);
}

static int refuse_identity(struct vty *vty, const char *id)
{
	return swmesh_cli_refuse(
		vty,
		"security %s: identity %.80s: use 1 to 255 letters, without blanks and quotes",
		current(vty), id);
}

/* One more, or with `no` one less. */
static int change_files(struct vty *vty, const char *no, const char *xpath,
			const char *path)
{
	if (!path_ok(path))
		return refuse_path(vty, path);
	nb_cli_enqueue_change(vty, xpath, no ? NB_OP_DESTROY : NB_OP_CREATE,
			      path);
	return swmesh_nb_apply(vty);
}

/* One method at a time: what makes it is taken from the others. */
static void no_group_psk(struct vty *vty)
{
	DESTROY("./ike/group-psk/file");
	DESTROY("./ike/group-psk/sealed");
}

static void no_pki_certificate(struct vty *vty)
{
	DESTROY("./ike/pki/certificate");
	DESTROY("./ike/pki/key");
}

static void no_raw_key(struct vty *vty)
{
	DESTROY("./ike/raw-key/key");
	DESTROY("./ike/raw-key/certificate");
}

/* ---- ike group-psk ---- */

DEFPY_YANG(ike_psk_file, ike_psk_file_cmd, "ike group-psk file WORD$path",
	   IKE_STR PSK_STR "File that holds it\n" FILE_STR)
{
	if (!path_ok(path))
		return refuse_path(vty, path);
	no_pki_certificate(vty);
	no_raw_key(vty);
	DESTROY("./ike/group-psk/sealed");
	MODIFY("./ike/group-psk/file", path);
	return swmesh_nb_apply(vty);
}

static void set_sealed(struct vty *vty, const char *text)
{
	no_pki_certificate(vty);
	no_raw_key(vty);
	DESTROY("./ike/group-psk/file");
	MODIFY("./ike/group-psk/sealed", text);
}

/*
 * What is kept is the sealed text. Note that what is typed passes through
 * vtysh's history and, with `log commands`, FRR's log before it comes here.
 */
DEFPY_YANG(ike_psk_secret, ike_psk_secret_cmd,
	   "ike group-psk secret WORD$secret",
	   IKE_STR PSK_STR
	   "The secret itself; a file is better, this line may be logged\n"
	   "Letters without blanks\n")
{
	char text[SEAL_TEXT_MAX], err[256];

	if (!swmesh_seal(secret, text, err, sizeof(err)))
		return swmesh_cli_refuse(vty, "security %s: group-psk: %s",
					 current(vty), err);
	set_sealed(vty, text);
	/* What is printed when a transaction is refused, and the history. */
	explicit_bzero(vty->buf, vty->max);
	strlcpy(vty->buf, "ike group-psk secret <hidden>", vty->max);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(ike_psk_sealed, ike_psk_sealed_cmd, "ike group-psk sealed WORD$text",
	   IKE_STR PSK_STR
	   "A secret that this router has encrypted\n"
	   "As 'show running-config' prints it\n")
{
	if (!text[0] || strlen(text) >= SEAL_TEXT_MAX ||
	    strspn(text,
		   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		   "0123456789+/=:") != strlen(text))
		return swmesh_cli_refuse(
			vty,
			"security %s: group-psk sealed: not what 'show running-config' prints; enter 'ike group-psk secret' instead",
			current(vty));
	set_sealed(vty, text);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_ike_psk, no_ike_psk_cmd,
	   "no ike group-psk [<file|secret|sealed> WORD]",
	   NO_STR IKE_STR PSK_STR
	   "File that holds it\n"
	   "The secret itself\n"
	   "A secret that this router has encrypted\n"
	   "Path, or text\n")
{
	no_group_psk(vty);
	return swmesh_nb_apply(vty);
}

/* ---- ike pki ---- */

DEFPY_YANG(ike_pki_certificate, ike_pki_certificate_cmd,
	   "ike pki certificate WORD$cert key WORD$path",
	   IKE_STR PKI_STR "Our certificate\n" FILE_STR
			   "Its private key\n" FILE_STR)
{
	if (!path_ok(cert))
		return refuse_path(vty, cert);
	if (!path_ok(path))
		return refuse_path(vty, path);
	no_group_psk(vty);
	no_raw_key(vty);
	MODIFY("./ike/pki/certificate", cert);
	MODIFY("./ike/pki/key", path);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_ike_pki_certificate, no_ike_pki_certificate_cmd,
	   "no ike pki certificate [WORD key WORD]",
	   NO_STR IKE_STR PKI_STR "Our certificate\n" FILE_STR
				  "Its private key\n" FILE_STR)
{
	no_pki_certificate(vty);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(ike_pki_file, ike_pki_file_cmd,
	   "[no] ike pki <ca|crl>$what WORD$path",
	   NO_STR IKE_STR PKI_STR
	   "Authority that is trusted\n"
	   "List of revoked certificates\n" FILE_STR)
{
	return change_files(
		vty, no, strcmp(what, "ca") ? "./ike/pki/crl" : "./ike/pki/ca",
		path);
}

DEFPY_YANG(ike_pki_identity, ike_pki_identity_cmd,
	   "ike pki <identity|peer-identity>$what WORD$id",
	   IKE_STR PKI_STR
	   "Ours, which our certificate has\n"
	   "That of all peers; '*' for any part\n"
	   "Address, domain name, e-mail address or distinguished name\n")
{
	if (!word_ok(id))
		return refuse_identity(vty, id);
	MODIFY(strcmp(what, "identity") ? "./ike/pki/peer-identity"
					: "./ike/pki/identity",
	       id);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_ike_pki_identity, no_ike_pki_identity_cmd,
	   "no ike pki <identity|peer-identity>$what [WORD]",
	   NO_STR IKE_STR PKI_STR
	   "Ours: that of the tunnel endpoint\n"
	   "That of all peers: of their tunnel endpoints\n"
	   "Address, domain name, e-mail address or distinguished name\n")
{
	DESTROY(strcmp(what, "identity") ? "./ike/pki/peer-identity"
					 : "./ike/pki/identity");
	return swmesh_nb_apply(vty);
}

/* ---- ike raw-key ---- */

DEFPY_YANG(ike_raw_key, ike_raw_key_cmd,
	   "ike raw-key key WORD$path [certificate WORD$cert]",
	   IKE_STR RAW_STR "Our private key\n" FILE_STR
			   "Self-signed certificate of this key\n" FILE_STR)
{
	if (!path_ok(path))
		return refuse_path(vty, path);
	if (cert && !path_ok(cert))
		return refuse_path(vty, cert);
	no_group_psk(vty);
	no_pki_certificate(vty);
	MODIFY("./ike/raw-key/key", path);
	if (cert)
		MODIFY("./ike/raw-key/certificate", cert);
	else
		DESTROY("./ike/raw-key/certificate");
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_ike_raw_key, no_ike_raw_key_cmd,
	   "no ike raw-key key [WORD [certificate WORD]]",
	   NO_STR IKE_STR RAW_STR
	   "Our private key\n" FILE_STR
	   "Self-signed certificate of this key\n" FILE_STR)
{
	no_raw_key(vty);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(ike_raw_announce, ike_raw_announce_cmd,
	   "[no] ike raw-key announce-key WORD$path",
	   NO_STR IKE_STR RAW_STR
	   "Further public key of ours that BGP announces\n" FILE_STR)
{
	return change_files(vty, no, "./ike/raw-key/announce-key", path);
}

DEFPY_YANG(
	ike_raw_peer_keys, ike_raw_peer_keys_cmd,
	"ike raw-key peer-keys WORD$path",
	IKE_STR RAW_STR
	"Folder with public keys of peers that announce the hash alone\n" FILE_STR)
{
	if (!path_ok(path))
		return refuse_path(vty, path);
	MODIFY("./ike/raw-key/peer-keys", path);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(
	no_ike_raw_peer_keys, no_ike_raw_peer_keys_cmd,
	"no ike raw-key peer-keys [WORD]",
	NO_STR IKE_STR RAW_STR
	"Folder with public keys of peers that announce the hash alone\n" FILE_STR)
{
	DESTROY("./ike/raw-key/peer-keys");
	return swmesh_nb_apply(vty);
}

/* ---- algorithms ---- */

/* For IKE, ESP or AH: what is wrong with one of the words. */
static bool words_ok(const char *what, int argc, struct cmd_token **argv,
		     int from, char *err, size_t len)
{
	const char *word;
	char why[768];
	bool ok;

	if (argc - from > SECURITY_PROPOSALS_MAX) {
		snprintf(err, len, "%s: at most %u proposals", what,
			 SECURITY_PROPOSALS_MAX);
		return false;
	}
	for (int i = from; i < argc; i++) {
		word = argv[i]->arg;
		ok = strcmp(what, "ike proposal")
			     ? security_ipsec_word_ok(strcmp(what, "ah")
							      ? IPSEC_ESP
							      : IPSEC_AH,
						      word, why, sizeof(why))
			     : security_ike_word_ok(word, why, sizeof(why));
		if (ok)
			continue;
		snprintf(err, len, "%s %.80s: %s", what, word, why);
		return false;
	}
	return true;
}

static int set_words(struct vty *vty, const char *what, const char *xpath,
		     int argc, struct cmd_token **argv, int from)
{
	char err[1024], *words;
	int ret;

	if (!words_ok(what, argc, argv, from, err, sizeof(err)))
		return swmesh_cli_refuse(vty, "security %s: %s", current(vty),
					 err);
	words = argv_concat(argv, argc, from);
	if (words)
		MODIFY(xpath, words);
	else
		DESTROY(xpath);
	ret = swmesh_nb_apply(vty);
	XFREE(MTYPE_TMP, words);
	return ret;
}

DEFPY_YANG(ike_proposal, ike_proposal_cmd, "ike proposal WORD...",
	   IKE_STR "Its algorithms\n" WORDS_STR)
{
	return set_words(vty, "ike proposal", "./ike/proposals", argc, argv, 2);
}

DEFPY_YANG(no_ike_proposal, no_ike_proposal_cmd, "no ike proposal",
	   NO_STR IKE_STR "Its algorithms\n")
{
	DESTROY("./ike/proposals");
	return swmesh_nb_apply(vty);
}
ALIAS_YANG(no_ike_proposal, no_ike_proposal_words_cmd,
	   "no ike proposal WORD...",
	   NO_STR IKE_STR "Its algorithms\n" WORDS_STR)

DEFPY_YANG(ipsec_words, ipsec_words_cmd, "<esp|ah>$protocol WORD...",
	   "Encapsulating Security Payload (RFC 4303)\n"
	   "Authentication Header (RFC 4302): no encryption\n" WORDS_STR)
{
	MODIFY("./ipsec/protocol", protocol);
	return set_words(vty, protocol, "./ipsec/proposals", argc, argv, 1);
}

DEFPY_YANG(no_ipsec, no_ipsec_cmd, "no <esp|ah>",
	   NO_STR
	   "Encapsulating Security Payload (RFC 4303)\n"
	   "Authentication Header (RFC 4302): no encryption\n")
{
	MODIFY("./ipsec/protocol", NULL);
	DESTROY("./ipsec/proposals");
	return swmesh_nb_apply(vty);
}
ALIAS_YANG(no_ipsec, no_ipsec_words_cmd, "no <esp|ah> WORD...",
	   NO_STR
	   "Encapsulating Security Payload (RFC 4303)\n"
	   "Authentication Header (RFC 4302): no encryption\n" WORDS_STR)

/* ---- times and the rest ---- */

DEFPY_YANG(rekey, rekey_cmd, "rekey <ike|sa>$what (5-604800)$seconds",
	   "Change keys after a time\n"
	   "Those of IKE\n"
	   "Those of ESP or AH\n"
	   "Seconds\n")
{
	MODIFY(strcmp(what, "ike") ? "./ipsec/rekey" : "./ike/rekey",
	       seconds_str);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_rekey, no_rekey_cmd, "no rekey <ike|sa>$what [(5-604800)]",
	   NO_STR
	   "Change keys after a time\n"
	   "Those of IKE\n"
	   "Those of ESP or AH\n"
	   "Seconds\n")
{
	MODIFY(strcmp(what, "ike") ? "./ipsec/rekey" : "./ike/rekey", NULL);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(replay_window, replay_window_cmd, "replay-window (0-4096)$packets",
	   "Packets that may come late; repeated ones are dropped\n"
	   "0: off\n")
{
	MODIFY("./ipsec/replay-window", packets_str);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_replay_window, no_replay_window_cmd,
	   "no replay-window [(0-4096)]",
	   NO_STR
	   "Packets that may come late; repeated ones are dropped\n"
	   "0: off\n")
{
	MODIFY("./ipsec/replay-window", NULL);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(dpd, dpd_cmd, "dpd <(1-3600)$seconds|off$off>",
	   "Ask a silent peer whether it is alive\n"
	   "After so many seconds\n"
	   "Never\n")
{
	MODIFY("./ike/dpd", off ? "0" : seconds_str);
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_dpd, no_dpd_cmd, "no dpd [<(1-3600)|off>]",
	   NO_STR
	   "Ask a silent peer whether it is alive\n"
	   "After so many seconds\n"
	   "Never\n")
{
	MODIFY("./ike/dpd", NULL);
	return swmesh_nb_apply(vty);
}

#define PPK_STR "Postquantum preshared key (RFC 8784)\n"

DEFPY_YANG(ppk, ppk_cmd, "ppk id WORD$id file WORD$path [required$required]",
	   PPK_STR
	   "Its name, the same in all routers\n"
	   "Name\n"
	   "File that holds it\n" FILE_STR "Refuse peers without it\n")
{
	if (!word_ok(id))
		return refuse_identity(vty, id);
	if (!path_ok(path))
		return refuse_path(vty, path);
	MODIFY("./ike/ppk/id", id);
	MODIFY("./ike/ppk/file", path);
	MODIFY("./ike/ppk/required", required ? "true" : "false");
	return swmesh_nb_apply(vty);
}

DEFPY_YANG(no_ppk, no_ppk_cmd, "no ppk [id WORD file WORD [required]]",
	   NO_STR PPK_STR
	   "Its name, the same in all routers\n"
	   "Name\n"
	   "File that holds it\n" FILE_STR "Refuse peers without it\n")
{
	DESTROY("./ike/ppk/id");
	DESTROY("./ike/ppk/file");
	MODIFY("./ike/ppk/required", NULL);
	return swmesh_nb_apply(vty);
}

static struct cmd_node security_node = {
	.name = "softwire mesh security",
	.node = SWMESH_SECURITY_NODE,
	.parent_node = SWMESH_NODE,
	.prompt = "%s(config-security)# ",
};

void swmesh_cli_security_init(void)
{
	install_node(&security_node);
	install_default(SWMESH_SECURITY_NODE);
	install_element(SWMESH_NODE, &security_cmd);
	install_element(SWMESH_NODE, &no_security_cmd);

	install_element(SWMESH_SECURITY_NODE, &ike_psk_file_cmd);
	install_element(SWMESH_SECURITY_NODE, &ike_psk_secret_cmd);
	install_element(SWMESH_SECURITY_NODE, &ike_psk_sealed_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_ike_psk_cmd);
	install_element(SWMESH_SECURITY_NODE, &ike_pki_certificate_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_ike_pki_certificate_cmd);
	install_element(SWMESH_SECURITY_NODE, &ike_pki_file_cmd);
	install_element(SWMESH_SECURITY_NODE, &ike_pki_identity_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_ike_pki_identity_cmd);
	install_element(SWMESH_SECURITY_NODE, &ike_raw_key_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_ike_raw_key_cmd);
	install_element(SWMESH_SECURITY_NODE, &ike_raw_announce_cmd);
	install_element(SWMESH_SECURITY_NODE, &ike_raw_peer_keys_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_ike_raw_peer_keys_cmd);
	install_element(SWMESH_SECURITY_NODE, &ike_proposal_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_ike_proposal_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_ike_proposal_words_cmd);
	install_element(SWMESH_SECURITY_NODE, &ipsec_words_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_ipsec_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_ipsec_words_cmd);
	install_element(SWMESH_SECURITY_NODE, &rekey_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_rekey_cmd);
	install_element(SWMESH_SECURITY_NODE, &replay_window_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_replay_window_cmd);
	install_element(SWMESH_SECURITY_NODE, &dpd_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_dpd_cmd);
	install_element(SWMESH_SECURITY_NODE, &ppk_cmd);
	install_element(SWMESH_SECURITY_NODE, &no_ppk_cmd);
}
