# SPDX-License-Identifier: GPL-2.0-or-later
"""A raw BGP speaker: sends any bytes, keeps all that it is sent.

It understands as much of BGP as a test needs: OPEN with capabilities, KEEPALIVE,
NOTIFICATION, and the attributes of received UPDATEs as (flags, value).
"""
import dataclasses
import ipaddress
import select
import socket
import struct
import threading
import time
import typing

from . import netns, topology, vty, wait

MARKER = b"\xff" * 16
OPEN, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH = 1, 2, 3, 4, 5
HOLD_TIME = 90

OPTIONAL, TRANSITIVE, PARTIAL, EXTENDED = 0x80, 0x40, 0x20, 0x10
ORIGIN, AS_PATH, NEXT_HOP, MED, LOCAL_PREF, COMMUNITY = 1, 2, 3, 4, 5, 8
MP_REACH, MP_UNREACH, EXT_COMMUNITY, TUNNEL_ENCAP = 14, 15, 16, 23
AFI_IPV4, AFI_IPV6, AFI_L2VPN = 1, 2, 25
SAFI_UNICAST, SAFI_MULTICAST, SAFI_LABELED, SAFI_ENCAP, SAFI_EVPN, SAFI_VPN = 1, 2, 4, 7, 70, 128


def prefix_bytes(prefix):
    """NLRI of one prefix (RFC 4271 section 4.3)."""
    net = ipaddress.ip_network(prefix)
    return bytes([net.prefixlen]) + net.network_address.packed[: (net.prefixlen + 7) // 8]


def parse_mp_nlri(data, afi, safi, addpath=False):
    """Prefixes of unicast and multicast; of other SAFIs one route, as "1/128 HEX", without its
    label, which is another one in a withdrawal."""
    if safi in (SAFI_UNICAST, SAFI_MULTICAST):
        return parse_prefixes(data, afi, addpath)
    if safi in (SAFI_LABELED, SAFI_VPN):
        data = data[:1] + data[4:]
    return ["%d/%d %s" % (afi, safi, data.hex())] if data else []


def parse_prefixes(data, afi, addpath=False):
    """addpath: each has a path identifier in front (RFC 7911), which is left out."""
    size, found = (4 if afi == AFI_IPV4 else 16), []
    while data:
        data = data[4:] if addpath else data
        octets = (data[0] + 7) // 8
        packed = data[1 : 1 + octets].ljust(size, b"\0")
        found.append("%s/%d" % (ipaddress.ip_address(packed), data[0]))
        data = data[1 + octets :]
    return found


def message(kind, body=b""):
    """Its octets (RFC 4271 section 4.1)."""
    return MARKER + struct.pack("!HB", 19 + len(body), kind) + body


def attribute(kind, value, flags=None):
    """One path attribute; flags by the RFCs unless given."""
    if flags is None:
        flags = {MED: OPTIONAL, MP_REACH: OPTIONAL, MP_UNREACH: OPTIONAL,
                 COMMUNITY: OPTIONAL | TRANSITIVE, EXT_COMMUNITY: OPTIONAL | TRANSITIVE,
                 TUNNEL_ENCAP: OPTIONAL | TRANSITIVE}.get(kind, TRANSITIVE)
    if len(value) > 255:
        flags |= EXTENDED
    if flags & EXTENDED:
        return struct.pack("!BBH", flags, kind, len(value)) + value
    return struct.pack("!BBB", flags, kind, len(value)) + value


@dataclasses.dataclass
class Update:
    time: float
    withdrawn: typing.List[str]  # prefixes, MP_UNREACH included
    announced: typing.List[str]  # prefixes, MP_REACH included
    attributes: typing.Dict[int, tuple]  # type -> (flags, value)
    nexthop: typing.Optional[str]
    raw: bytes

    @property
    def tea(self):
        """The value of the Tunnel Encapsulation attribute, or None."""
        return self.attributes.get(TUNNEL_ENCAP, (0, None))[1]


def parse_attributes(data):
    found = {}
    while data:
        flags, kind = data[0], data[1]
        if flags & EXTENDED:
            length, at = struct.unpack_from("!H", data, 2)[0], 4
        else:
            length, at = data[2], 3
        found[kind] = (flags, data[at : at + length])
        data = data[at + length :]
    return found


def parse_update(body, now=0.0, addpath=False):
    count = struct.unpack_from("!H", body)[0]
    withdrawn = parse_prefixes(body[2 : 2 + count], AFI_IPV4, addpath)
    at = 2 + count
    count = struct.unpack_from("!H", body, at)[0]
    attributes = parse_attributes(body[at + 2 : at + 2 + count])
    announced = parse_prefixes(body[at + 2 + count :], AFI_IPV4, addpath)
    nexthop = None
    if NEXT_HOP in attributes:
        nexthop = str(ipaddress.ip_address(attributes[NEXT_HOP][1]))
    if MP_REACH in attributes:
        value = attributes[MP_REACH][1]
        afi, safi, size = struct.unpack_from("!HBB", value)
        if size in (4, 16, 32):
            nexthop = str(ipaddress.ip_address(value[4 : 4 + min(size, 16)]))
        announced += parse_mp_nlri(value[5 + size :], afi, safi, addpath)
    if MP_UNREACH in attributes:
        value = attributes[MP_UNREACH][1]
        withdrawn += parse_mp_nlri(value[3:], *struct.unpack_from("!HB", value), addpath)
    return Update(now, withdrawn, announced, attributes, nexthop, body)


class Speaker:
    """A session from a node's address to a router's bgpd.

    capabilities: more of them, octets; addpath: the router sends path identifiers (needs that
    capability); segment: the type of the AS_PATH's, 3 inside of a confederation.
    """

    def __init__(self, node, local, remote, asn, router_id, ibgp=True, ext_nexthop=True,
                 families=((AFI_IPV4, SAFI_UNICAST), (AFI_IPV6, SAFI_UNICAST)),
                 capabilities=b"", addpath=False, segment=2):
        self.node, self.local, self.remote = node, local, remote
        self.asn, self.router_id, self.ibgp = asn, router_id, ibgp
        self.families, self.ext_nexthop = families, ext_nexthop
        self.capabilities, self.addpath, self.segment = capabilities, addpath, segment
        self.sock = None
        self.thread = None
        self.lock = threading.Lock()
        self.established = False
        self.closed = None  # why the session ended
        self.hold_time = HOLD_TIME  # seconds, the smaller of both ends'
        self.updates = []
        self.notifications = []  # (code, subcode, data) received
        self.refreshes = 0

    # -- life --

    def start(self, limit=wait.LIMIT):
        """Connect (again and again: the router may not listen yet) and reach Established, at both
        ends."""
        deadline = time.monotonic() + limit
        while True:
            try:
                self.connect()
                self.await_router(deadline - time.monotonic())
                return self
            except (OSError, AssertionError) as err:
                self.stop()
                assert time.monotonic() < deadline, "no BGP session with %s: %s" % (
                    self.remote, err)
                time.sleep(0.2)

    def socket(self, port):
        """A new one of the node, bound to our address."""
        family = socket.AF_INET6 if ":" in self.remote else socket.AF_INET
        with netns.inside(self.node):
            sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.settimeout(10)
        sock.bind((self.local, port))
        return sock

    def connect(self):
        self.sock = self.socket(0)
        self.sock.connect((self.remote, 179))
        self.greet()

    def accept(self, between=None):
        """Let the router connect; between(): before our KEEPALIVE brings the session up."""
        with self.socket(179) as listening:
            listening.listen()
            self.sock = listening.accept()[0]
        self.sock.settimeout(10)
        self.greet(between)
        return self

    def greet(self, between=None):
        """OPEN and KEEPALIVE both ways."""
        self.established, self.closed = False, None
        self.send(OPEN, self.open_body())
        kind, body = self.read_message()
        assert kind == OPEN, "answered with message %d %s instead of OPEN" % (kind, body.hex())
        self.hold_time = min(HOLD_TIME, struct.unpack_from("!H", body, 3)[0] or HOLD_TIME)
        if between:
            between()
        self.send(KEEPALIVE)
        kind, body = self.read_message()
        assert kind == KEEPALIVE, "answered OPEN with message %d %s" % (kind, body.hex())
        self.established = True
        self.thread = threading.Thread(target=self.serve, args=(self.sock,), daemon=True)
        self.thread.start()

    def await_router(self, limit):
        """Until bgpd says so, too. A passive neighbor that is idle gets an event for the end of
        its start timer (bgp_start(), TCP_connection_open_failed). When our KEEPALIVE comes just
        before that, FRR 8.4.4 ends the session that has come up, without a NOTIFICATION."""
        router = topology.facing(self.node, self.remote)
        if not router or "bgpd" not in router.daemons:
            return
        terminal = vty.Vty(router["bgpd"].vty.path, router.name)

        def stands():
            if not self.established:
                raise ConnectionError("ended as it came up: %s %s" % (
                    self.closed, self.notifications))
            instances = terminal.json("show bgp vrf all neighbors %s" % self.local)
            return any(one.get(self.local, {}).get("bgpState") == "Established"
                       for one in instances.values())
        try:
            wait.until(stands, "bgpd has the session with %s" % self.local, limit, 0.02)
        finally:
            terminal.close()

    def stop(self):
        """Close the connection (no NOTIFICATION)."""
        sock, self.sock = self.sock, None
        if sock:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        if self.thread:
            self.thread.join()
            self.thread = None
        if sock:
            sock.close()
        self.established = False

    def open_body(self):
        capabilities = b"".join(
            struct.pack("!BBHBB", 1, 4, afi, 0, safi) for afi, safi in self.families)
        if self.ext_nexthop:  # RFC 8950: IPv4 unicast with an IPv6 next hop
            capabilities += struct.pack("!BBHHH", 5, 6, AFI_IPV4, SAFI_UNICAST, AFI_IPV6)
        capabilities += struct.pack("!BB", 2, 0)  # route refresh
        capabilities += struct.pack("!BBI", 65, 4, self.asn) + self.capabilities
        parameters = struct.pack("!BB", 2, len(capabilities)) + capabilities
        asn = self.asn if self.asn < 65536 else 23456
        return struct.pack("!BHH4sB", 4, asn, HOLD_TIME, socket.inet_aton(self.router_id),
                           len(parameters)) + parameters

    def serve(self, sock):
        """The receiving thread: record, and keep the session alive."""
        following = time.monotonic()
        sock.settimeout(wait.LIMIT)  # of a send, too, which has to wait when bgpd reads nothing
        try:
            while True:
                if time.monotonic() >= following:
                    self.send(KEEPALIVE)
                    following = time.monotonic() + self.hold_time / 3
                if select.select([sock], [], [], 1)[0]:
                    self.record(*self.read_message())
        except (OSError, AttributeError, struct.error) as err:
            self.closed = str(err)
            self.established = False

    def record(self, kind, body):
        if kind == UPDATE:
            self.updates.append(parse_update(body, time.monotonic(), self.addpath))
        elif kind == NOTIFICATION:
            self.notifications.append((body[0], body[1], body[2:]))
        elif kind == ROUTE_REFRESH:
            self.refreshes += 1

    def read_message(self):
        header = self.read_exactly(19)
        length, kind = struct.unpack_from("!HB", header, 16)
        return kind, self.read_exactly(length - 19, patient=True)

    def read_exactly(self, count, patient=False):
        data = b""
        while len(data) < count:
            try:
                part = self.sock.recv(count - len(data))
            except socket.timeout:
                if data or patient:
                    continue  # in the middle of a message
                raise
            if not part:
                raise ConnectionError("closed by the peer")
            data += part
        return data

    # -- sending --

    def send(self, kind, body=b""):
        self.send_raw(message(kind, body))

    def send_raw(self, data):
        with self.lock:
            self.sock.sendall(data)

    def send_update(self, attributes=b"", nlri=b"", withdrawn=b""):
        """An UPDATE of exactly these bytes."""
        self.send(UPDATE, struct.pack("!H", len(withdrawn)) + withdrawn
                  + struct.pack("!H", len(attributes)) + attributes + nlri)

    def base_attributes(self):
        """ORIGIN, AS_PATH and, on iBGP, LOCAL_PREF."""
        path = b"" if self.ibgp else struct.pack("!BBI", self.segment, 1, self.asn)
        data = attribute(ORIGIN, b"\0") + attribute(AS_PATH, path)
        if self.ibgp:
            data += attribute(LOCAL_PREF, struct.pack("!I", 100))
        return data

    def announce(self, prefix, nexthop, tea=None, extra=b""):
        """One prefix of either family; tea: value of attribute 23; extra: more attributes."""
        afi = AFI_IPV6 if ":" in prefix else AFI_IPV4
        hop = ipaddress.ip_address(nexthop).packed
        attributes = self.base_attributes()
        nlri = b""
        if afi == AFI_IPV4 and len(hop) == 4:
            attributes += attribute(NEXT_HOP, hop)
            nlri = prefix_bytes(prefix)
        else:
            attributes += attribute(MP_REACH, struct.pack(
                "!HBB", afi, SAFI_UNICAST, len(hop)) + hop + b"\0" + prefix_bytes(prefix))
        if tea is not None:
            attributes += attribute(TUNNEL_ENCAP, tea)
        self.send_update(attributes + extra, nlri)

    def withdraw(self, prefix):
        if ":" in prefix:
            value = struct.pack("!HB", AFI_IPV6, SAFI_UNICAST) + prefix_bytes(prefix)
            self.send_update(attribute(MP_UNREACH, value))
        else:
            self.send_update(withdrawn=prefix_bytes(prefix))

    # -- what came --

    def routes(self):
        """Prefix -> the Update that announced it last, without what was withdrawn since."""
        table = {}
        for update in list(self.updates):
            for prefix in update.withdrawn:
                table.pop(prefix, None)
            for prefix in update.announced:
                table[prefix] = update
        return table

    def wait_route(self, prefix, limit=wait.LIMIT):
        return wait.until(lambda: self.routes().get(prefix),
                          "%s was sent the route %s" % (self.local, prefix), limit)

    def assert_up(self):
        """The session stands and was never refused anything."""
        assert self.established and not self.notifications, \
            "session %s - %s: closed: %s, notifications: %r" % (
                self.local, self.remote, self.closed, self.notifications)
