# SPDX-License-Identifier: GPL-2.0-or-later
"""A mesh whose softwires are protected: one charon for each AFBR.

    SecureMesh(security=["ike group-psk file {dir}/mesh.psk", "esp aes256gcm16"],
               tunnels=["tunnel 10 gre"])

{dir} is the router's folder, where its files are.
"""
from . import charon as charons
from . import packet
from .mesh import Mesh, island, loopback, module_options, softwire_config
from .router import Router

GROUP_KEY = b"jx2Zq8nL5vT1wR9cB4mK7sH0"
PSK = ("ike group-psk file {dir}/mesh.psk",)


def each(value, n):
    """An option's value for AFBR n: options are for all, or a dict by number."""
    return value[n] if isinstance(value, dict) else value


class SecureMesh(Mesh):
    """security: lines of `security CORE`; tunnels: lines of `encap-set EDGE`;
    files: name -> content; charon: options of charon.Charon. Each for all AFBRs, or a dict
    by number. none: numbers of AFBRs without any security.
    """

    def __init__(self, name="secure", security=PSK, tunnels=("tunnel 10 gre",), files=None,
                 charon=None, none=(), **options):
        self.security, self.tunnels, self.charon_options = security, tunnels, charon or {}
        self.files = {"mesh.psk": GROUP_KEY} if files is None else files
        self.none = none
        super().__init__(name, **options)

    def afbr(self, n):
        plain = super().afbr(n)
        router = Router(plain.name, plain.configs, {"bgpd": module_options()},
                        charon=each(self.charon_options, n), files=each(self.files, n))
        body = [*each(self.tunnels, n)] + ["payload ipv%d" % f for f in self.families]
        if n in self.none:
            securities = {}
        else:
            body.append("security CORE")
            securities = {"CORE": [line.format(dir=router.dir)
                                   for line in each(self.security, n)]}
        router.configs["swmeshd"] = softwire_config(
            n, {"EDGE": body}, self.softwire.get(n, ""), securities)
        return router

    # -- what crosses the core --

    def endpoints(self):
        return {loopback(n) for n in self.numbers}

    def assert_protected(self, since=None):
        """No packet of a softwire, and none of an island's, in clear; returns all packets."""
        seen = self.capture.packets(since)
        self._none("in clear", packet.unprotected(seen))
        islands = [island(n, family) for n in self.numbers for family in self.families]
        self._none("in clear", packet.in_clear(seen, *islands))
        return seen

    def assert_only_ipsec(self, since=None):
        """Nothing but ESP, AH and IKE between the AFBRs; returns all packets."""
        seen = self.assert_protected(since)
        self._none("not IPsec", packet.not_ipsec(seen, self.endpoints()))
        return seen

    @staticmethod
    def _none(what, found):
        assert not found, "%d packets %s in the core, the first ones:\n%s" % (
            len(found), what, "\n".join(map(str, found[:10])))


def wait_established(mesh, n, m, limit=60.0):
    """Until AFBR n has an IKE_SA with m; returns it."""
    return charons.wait.until(
        lambda: mesh["a%d" % n].charon.established(loopback(m)),
        "a%d has an IKE_SA with a%d" % (n, m), limit)[0]
