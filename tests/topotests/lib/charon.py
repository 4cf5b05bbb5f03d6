# SPDX-License-Identifier: GPL-2.0-or-later
"""One real charon-systemd for each router, in its namespace, with a vici socket of its own.

As strongSwan's packages have it, but for the log, the waits, which are shorter, and
the limits on half-open connections, which would stall many AFBRs that start at once.
"""
from . import paths, vici, wait
from .process import Process

PROGRAM = "/usr/sbin/charon-systemd"

# Only plugins out of the packages that swmesh asks for. All that may be installed would
# work too, but some of them take seconds to load under emulation.
PLUGINS = ("random nonce x509 revocation constraints pubkey pkcs1 pkcs8 pem openssl aes sha1 "
           "sha2 gmp hmac kdf drbg gcm kernel-netlink socket-default vici")

CONFIG = """\
charon {
	load = %(plugins)s
	group = frr
	install_routes = no
	ikesa_table_size = 1024
	ikesa_table_segments = 16
	retransmit_timeout = %(retransmit)s
	retransmit_base = 1.4
	retransmit_tries = 6
	half_open_timeout = 60
	cookie_threshold = 1000
	cookie_threshold_ip = 1000
	block_threshold = 1000
	plugins {
		vici {
			socket = unix://%(socket)s
		}
	}
	filelog {
		charon {
			path = %(log)s
			default = 1
			time_format = %%Y-%%m-%%d %%H:%%M:%%S
			time_add_ms = yes
			flush_line = yes
		}
	}
%(more)s}
charon-systemd {
	journal {
		default = -1
	}
}
"""


class Charon(Process):
    """Like router.DaemonProcess, with a vici connection instead of a vty. On SIGTERM it tells
    its peers and removes its SAs; on SIGKILL they stay in the kernel.

    more: further lines of the section charon { } of strongswan.conf.
    """

    def __init__(self, router, more="", retransmit=2.0):
        self.more, self.retransmit = more, retransmit
        self.socket = router.run_dir + "/charon.vici"
        self.vici = vici.Vici(self.socket)
        super().__init__(router, "charon", self.vici)

    @property
    def log_file(self):
        return self.router.file("charon.log")

    # -- life --

    def write_config(self):
        with open(self.router.file("strongswan.conf"), "w") as file:
            file.write(CONFIG % {
                "plugins": PLUGINS, "retransmit": self.retransmit, "socket": self.socket,
                "log": self.log_file, "more": self.more})

    def argv(self):
        return [PROGRAM]

    def environment(self):
        return dict(paths.ENV, STRONGSWAN_CONF=self.router.file("strongswan.conf"))

    def answers(self):
        try:
            return self.vici.request("version")
        except OSError as err:
            assert self.alive(), "it ended"
            raise AssertionError(str(err)) from None

    def wait_ready(self):
        wait.until(self.answers, "%s/charon answers" % self.router.name)

    def output(self):
        """What it wrote to its standard output and error, and its log."""
        text = ""
        for path in (self.router.file("charon.out"), self.log_file):
            try:
                with open(path, errors="replace") as file:
                    text += file.read()
            except FileNotFoundError:
                pass
        return text

    def answers_at_all(self, seconds=10):
        """On a new connection; it does not when it hangs."""
        probe = vici.Vici(self.socket, seconds)
        try:
            return bool(probe.request("version"))
        except OSError:
            return False
        finally:
            probe.close()

    # -- asking --

    def conns(self):
        """name -> connection, as loaded."""
        return {name: body for part in self.vici.stream("list-conns", "list-conn")
                for name, body in part.items()}

    def sas(self, remote=None):
        """IKE_SAs, each a dict with "name" and "children": a list of dicts."""
        found = []
        for part in self.vici.stream("list-sas", "list-sa"):
            for name, body in part.items():
                body = dict(body, name=name,
                            children=list(body.get("child-sas", {}).values()))
                if remote in (None, body.get("remote-host")):
                    found.append(body)
        return found

    def established(self, remote=None):
        return [sa for sa in self.sas(remote) if sa["state"] == "ESTABLISHED"]

    def children(self, remote=None):
        """CHILD_SAs that carry traffic."""
        return [child for sa in self.sas(remote) for child in sa["children"]
                if child["state"] == "INSTALLED"]
