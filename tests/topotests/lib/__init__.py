# SPDX-License-Identifier: GPL-2.0-or-later
"""What the topotests are made of; doc/testing.md is the guide.

paths       where the programs under test and the results are
netns       network namespaces: make, enter, remove; ip -batch
topology    nodes and links as data -> namespaces, veth pairs, addresses
router      the daemons of one node
process     one program of a router: start, stop, kill; its output
charon      one charon for a router: its connections and SAs
client      a connection to a daemon's Unix socket
vici        a client for charon's socket
vty         a daemon's vty socket: show (text, JSON), configure
config      swmeshd's configuration: refused lines, transactions, what is printed
kernel      links, tunnels and routes as the kernel has them
rtnetlink   changes of routes, as the kernel tells of them
routewatch  routes that vanish, for however short a time
nft         nftables as the kernel has it: swmeshd's table, its counters
xfrm        SAs, policies and drop counters as the kernel has them
pki         a CA, certificates, revocation lists, raw keys
packet      decodes Ethernet, IPv4/IPv6, GRE, IP-in-IP, ESP, L2TPv3
capture     one process that records what crosses links, with kernel timestamps
traffic     ping; flows of numbered packets that tell exactly which were lost
wait        poll until a condition holds
bgpspeaker  a raw BGP speaker that sends any bytes and keeps all it is sent
otherbgp    GoBGP and BIRD as neighbors
bgpdut      one bgpd with the module and raw speakers around it; makes attributes 23
fuzzupdate  UPDATEs of a hostile peer, each a function of a seed and a number
fuzzpeers   the routers and sessions for these, with the module and without
tea         the Tunnel Encapsulation attribute, made and read for the speaker
probe       single packets of any size and marking; ICMP "too big" answers
inject      forged and replayed packets; who hears them
system      a whole system of its own: what is installed into /, service scripts
mesh        the standard mesh: three AFBRs around an IPv6-only core
securemesh  the same with a charon for each AFBR, its softwires protected
trouble     random trouble for a protected mesh: steps as a table, and mending it all
softwires   what tests of softwires ask and do: devices, SW-NHOPs, encap-sets, a speaker
collect     what is kept of a test that failed
"""
