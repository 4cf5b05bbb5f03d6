# SPDX-License-Identifier: GPL-2.0-or-later
"""Does the running kernel have what a softwire mesh needs?

Each thing is tried for real in a network namespace that is thrown away at once.
"""
import os
import shutil
import subprocess

SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
MODULES = ("ip6_gre", "ip_gre", "ip6_tunnel", "ipip", "sit", "l2tp_eth", "l2tp_ip", "l2tp_ip6",
           "esp4", "esp6", "ah4", "ah6", "xfrm_user", "nf_tables", "veth", "bridge")

# name, commands: of ip(8) unless they begin with another's name
TRIALS = (
    ("network namespaces and veth", ["link add v0 type veth peer name v1"]),
    ("bridge", ["link add b0 type bridge"]),
    ("GRE over IPv6", ["link add t1 type ip6gre local fc00::1 remote fc00::2"]),
    ("GRE over IPv4", ["link add t2 type gre local 192.0.2.1 remote 192.0.2.2"]),
    ("IP-in-IP over IPv6", ["link add t3 type ip6tnl mode any local fc00::1 remote fc00::2"]),
    ("IP-in-IP over IPv4", ["link add t4 type ipip local 192.0.2.1 remote 192.0.2.2"]),
    ("IPv6 over IPv4", ["link add t5 type sit local 192.0.2.1 remote 192.0.2.2"]),
    ("L2TPv3", ["link set lo up",
                "l2tp add tunnel tunnel_id 1 peer_tunnel_id 1 encap ip local 127.0.0.1 "
                "remote 127.0.0.1",
                "l2tp add session name l0 tunnel_id 1 session_id 1 peer_session_id 1"]),
    ("ESP", ["xfrm state add src fc00::1 dst fc00::2 proto esp spi 0x1000 mode transport "
             "aead rfc4106(gcm(aes)) 0x0102030405060708090a0b0c0d0e0f1011121314 128"]),
    ("ESP without encryption", [
        "xfrm state add src fc00::1 dst fc00::2 proto esp spi 0x1001 mode transport "
        "enc ecb(cipher_null) '' auth-trunc hmac(sha256) 0x01020304 128"]),
    ("AH", ["xfrm state add src fc00::1 dst fc00::2 proto ah spi 0x1002 mode transport "
            "auth-trunc hmac(sha256) 0x01020304 128"]),
    ("nftables", [
        "nft add table inet t", "nft add chain inet t c",
        "nft add rule inet t c meta secpath missing fib saddr oif 1 limit rate 1/second log "
        "counter drop"]),
)


def load_modules():
    """Best effort: a kernel may have them built in, or load them by itself."""
    if os.path.isdir("/lib/modules/" + os.uname().release):
        subprocess.run(["modprobe", "-qa", *MODULES], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env={"PATH": SYSTEM_PATH})


def missing():
    """Names of what does not work here; empty when a topology can run directly."""
    env = {"PATH": SYSTEM_PATH}
    if os.geteuid() != 0:
        return ["the rights of root"]
    if not shutil.which("ip", path=SYSTEM_PATH):
        return ["the ip command"]
    load_modules()
    lacking = []
    for name, commands in TRIALS:
        script = "set -e\n" + "\n".join(
            quote(c if c.startswith("nft ") else "ip " + c) for c in commands)
        run = subprocess.run(["unshare", "--net", "sh", "-c", script], env=env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if run.returncode:
            lacking.append(name)
    return lacking


def quote(command):
    return " ".join(word if word == "''" else "'%s'" % word for word in command.split())
