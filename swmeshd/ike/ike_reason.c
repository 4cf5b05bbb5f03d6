// SPDX-License-Identifier: GPL-2.0-or-later
/* charon's reasons in our words; see ike/ike_reason.h. */
#include <zebra.h>

#include "swmeshd/ike/ike_reason.h"

/* clang-format off */
const struct ike_reason ike_reasons[] = {
	/* ---- the other end could not prove who it is ---- */
	{
		.phrase = "but MAC mismatched",
		.ppk = true,
		.text = "authentication failed: the AFBR has another group key; give both the same one",
	},
	{
		.phrase = "no shared key found for",
		.text = "authentication failed: charon has no group key for this identity; see 'identity' and 'ike group-psk'",
	},
	{
		.phrase = "certificate was revoked",
		.text = "authentication failed: the AFBR's certificate is revoked; give it a new one",
	},
	{
		.phrase = "certificate invalid (valid from",
		.text = "authentication failed: the AFBR's certificate, or its CA's, has expired or is not valid yet; renew it, or set the clocks right",
	},
	{
		.phrase = "no issuer certificate found for",
		.text = "authentication failed: the AFBR's certificate is not from one of our CAs; add its CA with 'ike pki ... ca', or give it a certificate of ours",
		.raw = "hash mismatch: the AFBR's key is none of those it announces in BGP (RFC 5566)",
	},
	{
		.phrase = "constraint check failed: peer not authenticated by CA",
		.text = "authentication failed: the AFBR's certificate is not from one of our CAs; add its CA with 'ike pki ... ca', or give it a certificate of ours",
		.raw = "hash mismatch: the AFBR's key is none of those it announces in BGP (RFC 5566)",
	},
	{
		.phrase = "constraint check failed: identity",
		.text = "authentication failed: the AFBR calls itself by another identity; see 'identity' there and 'peer-identity' here",
	},
	{
		.phrase = "does not match to",
		.text = "authentication failed: the AFBR calls itself by another identity; see 'identity' there and 'peer-identity' here",
	},
	{
		.phrase = "signature validation failed",
		.vague = true, .ppk = true,
		.text = "authentication failed: the AFBR's signature is not by the key of its certificate",
		.raw = "hash mismatch: the AFBR's key is none of those it announces in BGP (RFC 5566)",
	},
	{
		.phrase = "public key found for",
		.vague = true, .ppk = true,
		.text = "authentication failed: the AFBR's certificate is not trusted: missing, not from one of our CAs, or for another identity",
		.raw = "hash mismatch: the AFBR's key is none of those it announces in BGP (RFC 5566)",
	},
	{
		.phrase = "constraint checking failed",
		.vague = true,
		.text = "authentication failed: the AFBR's proof is not what its connection asks for",
		.raw = "hash mismatch: the AFBR's key is none of those it announces in BGP (RFC 5566)",
	},
	{
		.phrase = "no matching peer config found",
		.vague = true,
		.text = "no connection with those identities; see 'identity' there and 'peer-identity' here",
	},

	/* ---- we could not ---- */
	{
		.phrase = "no private key found for",
		.text = "charon has no private key for our identity; see the key file",
	},
	{
		.phrase = "received AUTHENTICATION_FAILED notify",
		.vague = true, .final = true,
		.text = "the AFBR refused our authentication: another group key or PPK, a certificate it does not trust, or other identities; it shows why",
		.raw = "authentication failed: the AFBR refused our key; it is not the one that we announce to it in BGP (RFC 5566); it shows why",
	},

	/* ---- proposals ---- */
	{
		.phrase = "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built",
		.final = true,
		.text = "proposal mismatch: the AFBR took none of our ESP or AH proposals; give both ends a common one",
	},
	{
		.phrase = "received NO_PROPOSAL_CHOSEN notify",
		.retry = IKE_RETRY_SOON, .final = true,
		.text = "proposal mismatch, or the AFBR is not ready for us yet: it took none of our IKE proposals; give both ends a common one",
	},
	{
		.phrase = "no acceptable proposal found",
		.text = "proposal mismatch: none of the AFBR's proposals is one of ours; give both ends a common one",
	},
	{
		.phrase = "received proposals unacceptable",
		.text = "proposal mismatch: none of the AFBR's IKE proposals is one of ours; give both ends a common one",
	},
	{
		.phrase = "received proposals inacceptable",
		.text = "proposal mismatch: none of the AFBR's IKE proposals is one of ours; give both ends a common one",
	},
	{
		.phrase = "no IKE config found for",
		.retry = IKE_RETRY_SOON,
		.text = "charon had no connection for the AFBR; it is loaded again",
	},
	{
		.phrase = "configured DH group",
		.vague = true,
		.text = "charon lacks the key exchange of our IKE proposals; load its plugin (openssl, curve25519), or change the proposals",
	},

	/* ---- selectors ---- */
	{
		.phrase = "received TS_UNACCEPTABLE notify",
		.retry = IKE_RETRY_SOON, .final = true,
		.text = "the AFBR does not protect this protocol with us (yet); see that both announce the tunnel type as protected",
	},
	{
		.phrase = "traffic selectors",
		.retry = IKE_RETRY_SOON, .vague = true,
		.text = "the AFBR asks for traffic that we do not protect with it; see that both announce the tunnel type as protected",
	},

	/* ---- post-quantum preshared keys (RFC 8784) ---- */
	{
		.phrase = "PPK required but",
		.text = "a PPK is required, and one of the ends has none, or another one; see 'ppk' at both ends",
	},
	{
		.phrase = "no PPK for",
		.vague = true,
		.text = "one of the ends has no PPK, or of another name; see 'ppk' at both ends",
	},

	/* ---- nobody answers ---- */
	{
		.phrase = "peer not responding",
		.vague = true, .final = true,
		.text = "no answer from the AFBR; see that charon runs there and UDP 500 and 4500 are open",
	},
	{
		.phrase = "retransmit ",
		.vague = true,
		.text = "no answer from the AFBR; see that charon runs there and UDP 500 and 4500 are open",
	},
	{
		.phrase = "half-open",
		.retry = IKE_RETRY_SOON,
		.text = "charon's limit of half-open IKE_SAs is reached; raise block_threshold and init_limit_half_open in strongswan.conf",
	},
	{
		.phrase = "error writing to socket",
		.retry = IKE_RETRY_SOON, .vague = true,
		.text = "charon cannot send to the AFBR; see the routes towards it",
	},

	/* ---- the kernel ---- */
	{
		.phrase = "unable to install inbound and outbound IPsec SA",
		.final = true,
		.text = "the kernel refused the SAs; see that it has the algorithms (modules esp6, esp4, ah6, ah4)",
	},
	{
		.phrase = "unable to install IPsec policies",
		.final = true,
		.text = "the kernel refused the policies of the SAs; see charon's log",
	},
	{ .phrase = NULL },
};
/* clang-format on */

const struct ike_reason *ike_reason_find(const char *line)
{
	for (const struct ike_reason *r = ike_reasons; r->phrase; r++)
		if (strstr(line, r->phrase))
			return r;
	return NULL;
}

const char *ike_reason_text(const struct ike_reason *reason,
			    enum ike_method method)
{
	if (method == IKE_METHOD_RAW && reason->raw)
		return reason->raw;
	return reason->text;
}
