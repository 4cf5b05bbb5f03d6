# SPDX-License-Identifier: GPL-2.0-or-later
"""swmesh installed into a system: vtysh in place, Debian's service scripts, reload."""
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import time

import pytest

from lib import bgpspeaker, netns, paths, system, wait

pytestmark = pytest.mark.no_tunnels

FRRINIT = "/usr/lib/frr/frrinit.sh"
TOOLS = "/usr/lib/frr/swmesh/"
SWMESHD = "/usr/lib/frr/swmeshd"
CONF, DAEMONS = "/etc/frr/frr.conf", "/etc/frr/daemons"
LOOPBACK = "2001:db8:c::1"
CHARON, VICI = "/usr/sbin/charon-systemd", "/var/run/charon.vici"
CHARON_SETTINGS = "/etc/strongswan.d/swmesh.conf"
WATCHDOG = "swmesh-charon-watchdog"
# As a user: is charon there to be spoken with?
CONNECT = "import socket; socket.socket(socket.AF_UNIX).connect(%r)" % VICI
LIMIT = 180  # seconds; each look is a vtysh of its own

MESH = """\
softwire mesh
 transit ipv6 source 2001:db8:c::1
 encap-set A
  tunnel 10 gre key 100
  tunnel 20 ip-in-ip
  payload ipv4
 exit
 encap-set B
  tunnel 10 gre
  payload ipv6
 exit
exit
"""
CONFIG = """\
frr defaults traditional
hostname afbr1
!
ipv6 route 2001:db8:c::2/128 2001:db8:f::2
!
router bgp 65000
 bgp router-id 10.255.0.1
 no bgp default ipv4-unicast
 neighbor 2001:db8:c::2 remote-as 65000
 neighbor 2001:db8:c::2 capability extended-nexthop
 address-family ipv4 unicast
  network 10.1.0.0/24
  neighbor 2001:db8:c::2 activate
  neighbor 2001:db8:c::2 route-map SOFTWIRE-IN in
  neighbor 2001:db8:c::2 route-map SOFTWIRE-OUT out
 exit-address-family
exit
!
""" + MESH


@pytest.fixture(scope="module")
def machine():
    """A system with swmesh as `make install` leaves it, and addresses to use."""
    one = system.System("afbr1", [
        "link add core type veth peer name far", "link set core up", "link set far up",
        "address add 2001:db8:f::1/64 dev core nodad",
        "address add %s/128 dev lo nodad" % LOOPBACK])
    try:
        one.up()
        one.install(paths.ROOT)
        yield one
    finally:
        one.down()


@pytest.fixture(scope="module")
def service(machine):
    """The service set up as doc/install.md says, and started."""
    machine.run(TOOLS + "vtysh-divert", "install")
    # By default watchfrr kills what takes more than 20 s, which is short under emulation.
    machine.write(DAEMONS, machine.read(DAEMONS) + 'watchfrr_options="--restart-timeout 300"\n')
    machine.run(TOOLS + "enable-service", "install")
    machine.write(CONF, CONFIG)
    machine.run(FRRINIT, "start")
    return machine


def vtysh(machine, *lines):
    return machine.run("vtysh", *(word for line in lines for word in ("-c", line)))


def configure(machine, *lines):
    return vtysh(machine, "configure", *lines)


def running(machine):
    return vtysh(machine, "show running-config no-header")


def mesh_part(text):
    """The lines of softwire mesh of a configuration."""
    found = re.search(r"^softwire mesh\n(?: .*\n)*exit\n", text, re.M)
    return found.group(0) if found else ""


def wait_mesh(machine, expected):
    def so():
        now = mesh_part(running(machine))
        assert now == expected, now
        return True
    wait.until(so, "the running configuration has\n" + expected, LIMIT)


# -- vtysh's place --

def upgrade_vtysh(machine):
    """What dpkg does with the file when it brings another revision of frr."""
    machine.run("sh", "-c", "cp -p /usr/bin/vtysh.distrib /usr/bin/vtysh.dpkg-new"
                " && mv /usr/bin/vtysh.dpkg-new /usr/bin/vtysh.distrib")


@contextlib.contextmanager
def built_for(machine, version):
    """As if swmesh had been built for that version of frr."""
    right = machine.read(TOOLS + "built-for")
    machine.write(TOOLS + "built-for", version + "\n")
    try:
        yield
    finally:
        machine.write(TOOLS + "built-for", right)


def test_divert(machine):
    """Ours in the place of FRR's and back, each twice; dpkg finds its files unchanged."""
    divert = TOOLS + "vtysh-divert"
    for _ in range(2):
        machine.run(divert, "install")
    assert "softwire mesh" in machine.run("vtysh", "-nC", "-c", "configure", "-c", "list")
    assert machine.try_run([divert, "status"])[0] == 0
    for _ in range(2):
        machine.run(divert, "remove")
    assert "softwire" not in machine.run("vtysh", "-nC", "-c", "configure", "-c", "list")
    assert machine.try_run([divert, "status"])[0] == 1
    assert machine.run("dpkg-divert", "--list", "*vtysh*", "*frr*") == ""
    assert machine.run("dpkg", "-V", "frr", "frr-pythontools") == ""


def test_divert_refuses_another_version(machine):
    """Built for another frr: one line that says so, and nothing is changed."""
    right = machine.read(TOOLS + "built-for")
    with built_for(machine, "8.4.4-1.1~deb12u999"):
        status, said = machine.try_run([TOOLS + "vtysh-divert", "install"])
    assert status == 1 and len(said.splitlines()) == 1
    assert "8.4.4-1.1~deb12u999" in said and right.strip() in said and "tools/setup" in said
    assert machine.try_run([TOOLS + "vtysh-divert", "status"])[0] == 1


def test_upgrade_of_frr(machine):
    """dpkg brings a new vtysh. Of the same release: ours goes on answering, and says what to do.
    Of another: FRR's own answers until swmesh is installed again."""
    machine.run(TOOLS + "vtysh-divert", "install")
    upgrade_vtysh(machine)
    look = "vtysh", "-nC", "-c", "configure", "-c", "list"
    try:
        said = machine.run(*look)
        assert "frr was upgraded to" in said and "softwire mesh" in said
        with built_for(machine, "8.4.3-1"):
            said = machine.run(*look)
            assert "frr was upgraded" in said and "softwire" not in said.split("\n", 1)[1]
        assert machine.try_run([TOOLS + "vtysh-divert", "status"])[0] == 1
        machine.run(TOOLS + "vtysh-divert", "install")
        assert "frr was upgraded" not in machine.run(*look)
    finally:
        machine.run(TOOLS + "vtysh-divert", "remove")


def test_enable_service(machine):
    """Idempotent and reversible; asks for our vtysh first, which keeps frr.conf whole."""
    enable, file = TOOLS + "enable-service", DAEMONS
    before, mode = machine.read(file), os.stat(machine.path(file))
    status, said = machine.try_run([enable, "install"])
    assert status == 1 and "vtysh-divert install" in said and machine.read(file) == before
    machine.run(TOOLS + "vtysh-divert", "install")
    machine.run(enable, "install")
    once = machine.read(file)
    assert "swmeshd=yes" in once and "-M swmesh" in once and once.startswith(before)
    machine.run(enable, "install")
    assert machine.read(file) == once
    assert machine.try_run([enable, "status"])[0] == 0
    # Nor can FRR's vtysh come back before.
    status, said = machine.try_run([TOOLS + "vtysh-divert", "remove"])
    assert status == 1 and "enable-service remove" in said
    assert machine.try_run([TOOLS + "vtysh-divert", "status"])[0] == 0
    machine.run(enable, "remove")
    machine.run(enable, "remove")
    assert machine.read(file) == before
    after = os.stat(machine.path(file))
    assert (after.st_mode, after.st_uid, after.st_gid) == (mode.st_mode, mode.st_uid, mode.st_gid)
    assert machine.try_run([enable, "status"])[0] == 1


def test_enable_service_on_a_full_disk(machine):
    """No room for one more line: it fails, and the file is as it was."""
    text = ("#" * 63 + "\n") * 64  # just one page
    machine.run(TOOLS + "vtysh-divert", "install")
    machine.run("sh", "-ec", "mkdir -p /tmp/full; mount -t tmpfs -o size=4k full /tmp/full")
    try:
        machine.write("/tmp/full/daemons", text)
        status, said = machine.try_run(["env", "FRR_DAEMONS_FILE=/tmp/full/daemons",
                                        TOOLS + "enable-service", "install"])
        assert machine.read("/tmp/full/daemons") == text
        assert status == 1 and "daemons was not changed" in said, said
        assert os.listdir(machine.path("/tmp/full")) == ["daemons"]
    finally:
        machine.run("umount", "/tmp/full")
        machine.run(TOOLS + "vtysh-divert", "remove")


def test_charon_lets_swmeshd_in(machine):
    """enable-service's settings for strongSwan: charon, started as the package has it, opens
    its socket to user frr and nobody else. A file of somebody else's is left alone."""
    enable = TOOLS + "enable-service"
    machine.run(TOOLS + "vtysh-divert", "install")
    machine.write(CHARON_SETTINGS, "charon {\n}\n")
    status, said = machine.try_run([enable, "install"])
    assert status == 1 and CHARON_SETTINGS + " exists" in said, said
    machine.run("rm", CHARON_SETTINGS)
    machine.run(enable, "install")
    charon = machine.popen([CHARON], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for user, status in (("frr", 0), ("nobody", 1)):
            def reached():
                return machine.try_run(["setpriv", "--reuid", user, "--regid", user,
                                        "--clear-groups", "python3", "-c", CONNECT])[0] == status
            wait.until(lambda: machine.try_run(["test", "-S", VICI])[0] == 0, "charon's socket")
            wait.until(reached, "user %s %s charon" % (user, ("reaches", "is kept from")[status]))
    finally:
        machine.run("kill", *machine.run("pidof", CHARON).split())
        charon.wait(60)
    assert machine.run("systemctl", "is-enabled", WATCHDOG + ".timer").strip() == "enabled"
    machine.run(enable, "remove")
    assert machine.try_run(["test", "-e", CHARON_SETTINGS])[0] == 1
    assert machine.try_run(["systemctl", "is-enabled", WATCHDOG + ".timer"])[0] != 0


def stopped(machine, pids):
    states = machine.run("sh", "-c", "cat " + " ".join("/proc/%s/task/*/stat" % p for p in pids))
    return all(line.rsplit(") ", 1)[1][0] == "T" for line in states.splitlines())


def test_watchdog(machine):
    """A charon that hangs is told by new connections that it does not answer, what its threads
    do is kept, and it is restarted; one that answers, or is not there, is left alone."""
    ask = [TOOLS + "charon-watchdog", "--restart"]
    assert machine.try_run([*ask, "echo restarted"]) == (0, "")
    charon = machine.popen([CHARON], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait.until(lambda: machine.try_run(["test", "-S", VICI])[0] == 0, "charon's socket")
        assert machine.try_run([*ask, "echo restarted"]) == (0, "")
        pids = machine.run("pidof", CHARON).split()
        machine.run("kill", "-STOP", *pids)
        wait.until(lambda: stopped(machine, pids), "all threads of charon have stopped")
        status, said = machine.try_run([*ask, "kill -CONT %s && echo restarted" % " ".join(pids)])
        assert status == 0 and said.split()[-1] == "restarted", said
        assert "does not answer" in said and "Thread " in said, said
        assert machine.try_run([*ask, "echo restarted"]) == (0, "")
    finally:
        machine.run("kill", "-CONT", *machine.run("pidof", CHARON).split())
        charon.send_signal(signal.SIGCONT)  # nsenter has stopped with it
        machine.run("kill", *machine.run("pidof", CHARON).split())
        charon.wait(60)


# -- the service --

def test_start(service):
    """frrinit.sh start: watchfrr starts all daemons, vtysh -b brings frr.conf in."""
    service.wait_process(SWMESHD)
    wait_mesh(service, MESH)
    status, said = service.try_run([FRRINIT, "status"])
    assert status == 0 and "swmeshd" in said, said
    text = running(service)
    for line in ("neighbor 2001:db8:c::2 route-map SOFTWIRE-IN in", "hostname afbr1"):
        assert line in text
    assert "swmesh" in vtysh(service, "show modules")
    wait.until(lambda: re.search(r"swmeshd\s+Up", vtysh(service, "show watchfrr")),
               "watchfrr finds swmeshd up", LIMIT)


def test_running_config_reads_back(service):
    """What show running-config prints is valid, and makes the same configuration."""
    text = running(service)
    service.write("/tmp/again", text)
    service.run("vtysh", "-C", "-f", "/tmp/again")
    service.run("vtysh", "-f", "/tmp/again")
    assert running(service) == text


def test_dry_run_finds_errors(service):
    """vtysh -C names the line that is wrong."""
    service.write("/tmp/bad", MESH.replace("payload ipv4", "payload ipx"))
    status, said = service.try_run(["vtysh", "-C", "-f", "/tmp/bad"])
    assert status != 0 and "line 6" in said and "payload ipx" in said, said


def test_write(service):
    """write: watchfrr has vtysh write frr.conf, softwire mesh included."""
    configure(service, "softwire mesh", "peer policy required")
    assert "[OK]" in vtysh(service, "write memory")
    text = service.read(CONF)
    assert " peer policy required\n" in mesh_part(text)
    assert mesh_part(text) == mesh_part(running(service))
    assert service.run("stat", "-c", "%U %G %a", CONF).split() == ["frr", "frr", "640"]
    configure(service, "softwire mesh", "no peer policy")
    vtysh(service, "write")
    assert mesh_part(service.read(CONF)) == MESH


# How FRR's own vtysh comes to write frr.conf.
STOCK_WRITES = {
    "write memory": ("vtysh", "-c", "write memory"),
    "-w": ("vtysh", "-w"),
    "of a person": ("sh", "-c", "printf 'write\\nwrite\\n' | vtysh"),
    "not by our script": ("/usr/bin/vtysh.distrib", "-c", "write memory"),
}


@pytest.mark.parametrize("how", STOCK_WRITES)
def test_stock_vtysh_keeps_the_mesh(service, how):
    """After an upgrade of frr to another release FRR's own vtysh, which knows no softwire mesh,
    writes frr.conf: the rest is written, and the mesh is still in it."""
    upgrade_vtysh(service)
    try:
        with built_for(service, "8.4.3-1"):
            configure(service, "ip prefix-list NEW seq 5 permit 10.9.0.0/24")
            said = service.run(*STOCK_WRITES[how])

        def kept():
            text = service.read(CONF)
            assert mesh_part(text) == MESH, said + text
            assert "ip prefix-list NEW seq 5 permit 10.9.0.0/24\n" in text
            return True
        wait.until(kept, "frr.conf has all of it", LIMIT)
        assert service.run("stat", "-c", "%U %G %a", CONF).split() == ["frr", "frr", "640"]
    finally:
        service.run(TOOLS + "vtysh-divert", "install")
        configure(service, "no ip prefix-list NEW")
        vtysh(service, "write")
    assert mesh_part(service.read(CONF)) == MESH and "NEW" not in service.read(CONF)


def test_refusal_reaches_the_user(service):
    """A line that swmeshd refuses says why in vtysh, which stays where it is."""
    status, said = service.try_run([
        "vtysh", "-c", "configure", "-c", "softwire mesh", "-c", "encap-set A",
        "-c", "tunnel 10 ip-in-ip"])
    assert status != 0 and "preference 10 is taken by gre" in said, said
    assert mesh_part(running(service)) == MESH


def test_prompt_help_and_completion(service):
    """A person at a terminal: prompts, ? and Tab in our nodes, exit and end."""
    master, slave = os.openpty()
    # vtysh's terminal is ours; no pager, no bracketed paste
    shell = service.popen(["env", "VTYSH_PAGER=", "vtysh"], stdin=slave, stdout=slave,
                          stderr=slave)
    os.close(slave)

    def expect(pattern):
        data, deadline = "", time.monotonic() + LIMIT
        while not re.search(pattern, data):
            assert time.monotonic() < deadline, "no %r in %r" % (pattern, data)
            if select.select([master], [], [], 1)[0]:
                data += os.read(master, 65536).decode(errors="replace")
        return data

    def type_in(text, pattern):
        os.write(master, text.encode())
        return expect(pattern)

    try:
        expect(r"afbr1# $")
        type_in("configure\n", r"\(config\)# $")
        type_in("softw\t", r"softwire ")
        type_in("m\t\n", r"afbr1\(config-softwire-mesh\)# $")
        said = type_in("?", r"transit [\s\S]*# $")
        assert all(word in said for word in ("encap-set", "peer", "sw-nhop", "announce", "exit"))
        type_in("encap-set A\n", r"afbr1\(config-encap-set\)# $")
        said = type_in("tunnel 30 ?", r"ip-in-ip[\s\S]*tunnel 30 $")
        assert "gre" in said
        type_in("ip-\t", r"ip-in-ip $")
        os.write(master, b"\x15")  # forget the line
        type_in("exit\n", r"\(config-softwire-mesh\)# $")
        # a line of the top level leaves the node by itself
        type_in("interface lo\n", r"\(config-if\)# $")
        type_in("softwire mesh\n", r"\(config-softwire-mesh\)# $")
        type_in("end\n", r"afbr1# $")
        said = type_in("show softwire ?", r"json[\s\S]*show softwire $")
        assert "detail" in said
        type_in("\x15exit\n", r"")
        wait.until(lambda: shell.poll() is not None, "vtysh ends")
        assert shell.returncode == 0
    finally:
        shell.kill()
        shell.wait()
        os.close(master)
    assert mesh_part(running(service)) == MESH


def test_watchfrr_restarts_swmeshd(service):
    """swmeshd dies: watchfrr starts another one, which gets its configuration."""
    first = service.wait_process(SWMESHD)
    os.kill(first, signal.SIGKILL)
    service.wait_process(SWMESHD, other_than=first)
    wait_mesh(service, MESH)


def test_show(service):
    """The show commands and their JSON work through vtysh."""
    lines = ["show softwire", "show softwire detail", "show softwire afbr",
             "show softwire encap-set", "show bgp softwire"]
    said = vtysh(service, *lines)
    assert "Unknown command" not in said and "Encap-set A" in said
    said = vtysh(service, *(line + " json" for line in lines))
    decoder, found = json.JSONDecoder(), []
    while said.strip():
        value, end = decoder.raw_decode(said.strip())
        found.append(value)
        said = said.strip()[end:]
    assert len(found) == len(lines)
    assert [one["name"] for one in found[3]["encapSets"]] == ["A", "B"]


# -- reload --

def reload(machine, text):
    machine.write(CONF, text)
    machine.run(FRRINIT, "reload")
    wait_mesh(machine, mesh_part(text))


def test_reload_changes_lines(service):
    """A key changed, a tunnel and lines of the mesh added, an encap-set taken out. A prefix-list
    reaches swmeshd, too."""
    before = service.wait_process(SWMESHD)
    after = MESH.replace("gre key 100", "gre key 200").replace(
        "tunnel 20 ip-in-ip\n", "tunnel 20 ip-in-ip\n  tunnel 30 gre key 300\n").replace(
        " encap-set A", " transit interface core\n transit prefix-list AFBRS\n"
        " peer policy required\n encap-set A", 1).replace(
        " encap-set B\n  tunnel 10 gre\n  payload ipv6\n exit\n", "")
    assert "key 200" in after and "encap-set B" not in after
    permit = "ipv6 prefix-list AFBRS seq 5 permit 2001:db8:c::/64\n"
    reload(service, permit + CONFIG.replace(MESH, after))
    assert permit in vtysh(service, "show running-config swmeshd")
    assert running(service).count(permit) == 1
    reload(service, CONFIG.replace(MESH, after))
    assert "AFBRS seq" not in vtysh(service, "show running-config swmeshd")
    assert service.wait_process(SWMESHD) == before


def test_reload_removes_and_adds_the_mesh(service):
    """Without the context nothing of it is left; with it all is there."""
    reload(service, CONFIG.replace(MESH, ""))
    assert "softwire mesh" not in running(service)
    reload(service, CONFIG)


def test_reload_refuses_nonsense(service):
    """A file with a line that does not exist changes nothing and fails."""
    service.write(CONF, CONFIG.replace("tunnel 20 ip-in-ip", "tunnel 20 ip-in-ip fast"))
    status, said = service.try_run([FRRINIT, "reload"])
    assert status != 0, said
    assert mesh_part(running(service)) == MESH
    service.write(CONF, CONFIG)


# Lines that the reloads below add, change and take out: of bgpd, of swmeshd.
AFBR2, ASN = "2001:db8:f::2", 65000
STEPS = {
    "none": ((), ()),
    "added": (("bgp maximum-softwires 900", "neighbor {} maximum-softwires 40",
               "neighbor LEAF maximum-softwires 9 warning-only"),
              ("transit interface core", "transit prefix-list AFBRS")),
    "changed": (("bgp maximum-softwires 800", "neighbor {} maximum-softwires 30 warning-only",
                 "neighbor LEAF maximum-softwires 9"),
                ("transit interface core", "transit interface lo", "transit prefix-list MORE")),
    "fewer": (("neighbor LEAF maximum-softwires 10",), ("transit interface lo",)),
    "none again": ((), ()),
}
LIMITS = r"^ .*(?:maximum-softwires|transit interface|transit prefix-list).*$"


def with_lines(bgp, mesh):
    """frr.conf with these lines more, and a neighbor that is there."""
    always = (" neighbor {0} remote-as %d\n neighbor {0} passive\n"
              " neighbor LEAF peer-group\n neighbor LEAF remote-as internal\n" % ASN).format(AFBR2)
    bgp = "".join(" %s\n" % line.format(AFBR2) for line in bgp)
    mesh = "".join(" %s\n" % line for line in mesh)
    text = CONFIG.replace(" address-family", always + bgp + " address-family", 1).replace(
        "  network", "  neighbor %s activate\n  network" % AFBR2, 1)
    return text.replace(" encap-set A", mesh + " encap-set A", 1)


def neighbor(machine):
    """An iBGP speaker at the core's far end, outside of the machine."""
    netns.create(["afbr2"])
    netns.ip_batch(machine.name, ["link set far netns afbr2"])
    netns.ip_batch("afbr2", ["address add %s/64 dev far nodad" % AFBR2, "link set far up"])
    return bgpspeaker.Speaker("afbr2", AFBR2, "2001:db8:f::1", ASN, "10.255.0.2")


def test_reload_limits_and_transit(service):
    """maximum-softwires, of a neighbor, a group and all, transit interface and prefix-list:
    what is running afterwards is what the file has, a second reload has nothing to do, and the
    session goes on."""
    speaker = neighbor(service)
    try:
        for name, lines in STEPS.items():
            text = with_lines(*lines)
            reload(service, text)
            if name == "none":
                speaker.start()
            found, wanted = (sorted(re.findall(LIMITS, where, re.M))
                             for where in (running(service), text))
            assert found == wanted, name
            said = service.run("/usr/lib/frr/frr-reload.py", "--test", "--stdout", CONF)
            assert "softwires" not in said and "transit" not in said, said
            speaker.assert_up()
    finally:
        speaker.stop()
        reload(service, CONFIG)
        netns.delete(["afbr2"])


# -- the end --

def test_restart(service):
    """frrinit.sh restart: new processes, the same configuration."""
    before = service.wait_process(SWMESHD)
    service.run(FRRINIT, "restart")
    service.wait_process(SWMESHD, other_than=before)
    wait_mesh(service, MESH)


def test_stop_and_uninstall(service):
    """frrinit.sh stop ends all; taken out, the system's own FRR starts as before."""
    service.run(FRRINIT, "stop")
    assert service.processes(SWMESHD) == []
    service.run(TOOLS + "enable-service", "remove")
    service.run(TOOLS + "vtysh-divert", "remove")
    assert not service.processes("/usr/lib/frr/watchfrr")
    service.write(CONF, CONFIG.replace(MESH, ""))
    service.run("sed", "-i", "s/bgpd=no/bgpd=yes/", DAEMONS)
    service.run(FRRINIT, "start")
    wait.until(lambda: "router bgp 65000" in running(service), "bgpd has its configuration",
               LIMIT)
    assert service.processes(SWMESHD) == []
    service.run(FRRINIT, "stop")
