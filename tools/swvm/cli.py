# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of tools/vm."""
import argparse
import os
import sys
import time

from . import VmError, probe
from .client import Command
from .machine import Machine, machines

DESCRIPTION = """\
Runs commands in a virtual machine: Debian's stock kernel under QEMU, with this
machine's own root file system (writes go to memory and vanish) and, read and
write, the project's folder. It has no network card.

For one command:
  tools/vm run [-t] CMD...       boot, run CMD, pass its exit status on, stop
  tools/vm shell                 a shell: in the running machine, else in one of its own

For a developer at work (boot once, try again and again):
  tools/vm start                 boot and leave running
  tools/vm exec [-t|-i] CMD...   run CMD in it; up to 8 commands at once
  tools/vm stop
  tools/vm list                  the machines that run
  tools/vm console               its kernel's messages

  tools/vm probe                 what the running kernel lacks; status 0: nothing,
                                 so that no virtual machine is needed
"""

EPILOG = """\
Each machine has a name; several people work side by side with one each:
  export SWMESH_VM=ann           or the option --name ann
  tools/vm start --share /tmp/ann
  tools/vm exec sh -c 'ip link add t0 type ip6gre remote fc00::1 && ip -d link show t0'
Paths are the same inside and outside. What is built in the project's folder, or in a
folder given with --share, is seen in the guest at once; other new files of the host
(a package installed since, say) may need tools/vm stop and start.
Programs that stay in the background (daemons) go on after exec has returned; the
command itself is killed when its client goes away.
"""

SHELL_PROMPT = r"PS1=\h:\w\$ "


def parser():
    top = argparse.ArgumentParser(
        prog="tools/vm", description=DESCRIPTION, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = top.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name, boots=False, runs=False):
        one = sub.add_parser(name)
        one.add_argument("--name", default=os.environ.get("SWMESH_VM"))
        if boots:
            one.add_argument("--memory", type=int, default=2048, metavar="MIB")
            one.add_argument("--cpus", type=int, default=min(2, os.cpu_count() or 1))
            one.add_argument("--share", action="append", default=[], metavar="DIR",
                             help="one more folder, read and write, at the same path")
            one.add_argument("--accel", choices=("auto", "tcg", "kvm"), default="auto")
        if runs:
            one.add_argument("-t", "--tty", action="store_true", help="give it a terminal")
            one.add_argument("-i", "--stdin", action="store_true", help="pass our input on")
            one.add_argument("-e", "--env", action="append", default=[],
                             metavar="NAME[=VALUE]")
            one.add_argument("command", nargs=argparse.REMAINDER, metavar="CMD...")
        return one

    action("run", boots=True, runs=True)
    action("shell", boots=True)
    action("start", boots=True)
    action("exec", runs=True)
    for name in ("stop", "list", "console", "probe"):
        action(name)
    return top


def boot(machine, args, foreground):
    began = time.monotonic()
    machine.start(args.memory, args.cpus, args.share, args.accel, foreground)
    info = machine.info()
    print("vm %s: Linux %s under %s, booted in %.1f s" % (
        machine.name, info["kernel"], info["accel"], time.monotonic() - began),
        file=sys.stderr)


def command_words(args):
    words = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not words:
        raise VmError("no command given: tools/vm %s CMD..." % args.action)
    return words


def own_machine():
    return Machine("run-%d" % os.getpid())


def do_run(args):
    words = command_words(args)
    machine = Machine(args.name) if args.name else own_machine()
    try:
        boot(machine, args, foreground=True)
        return Command(machine, words, args.tty, args.stdin, args.env).run()
    finally:
        if machine.process:
            machine.stop()


def do_shell(args):
    if not sys.stdin.isatty():
        raise VmError("tools/vm shell needs a terminal; for a script use tools/vm run or exec")
    shell = ["/bin/bash", "--norc"]
    machine = named(args)
    if machine.running():
        return Command(machine, shell, True, env=[SHELL_PROMPT]).run()
    args.name, args.command, args.tty = None, shell, True
    args.stdin, args.env = True, [SHELL_PROMPT]
    return do_run(args)


def named(args):
    return Machine(args.name or "default")


def running(args):
    machine = named(args)
    if not machine.running():
        raise VmError("no virtual machine %s runs: start it with tools/vm start --name %s" % (
            machine.name, machine.name))
    return machine


def do_start(args):
    boot(named(args), args, foreground=False)
    return 0


def do_exec(args):
    words = command_words(args)
    return Command(running(args), words, args.tty, args.stdin, args.env).run()


def do_stop(args):
    running(args).stop()
    return 0


def do_list(args):
    for machine in machines():
        info = machine.info()
        print("%-16s pid %-7d %s %s, up %.0f s, project %s" % (
            machine.name, info["pid"], info["kernel"], info["accel"],
            time.time() - info["started"], info["project"]))
    return 0


def do_console(args):
    sys.stdout.write(running(args).console_tail(10000))
    return 0


def do_probe(args):
    lacking = probe.missing()
    print("missing: " + ", ".join(lacking) if lacking else "nothing missing")
    return 1 if lacking else 0


ACTIONS = {"run": do_run, "shell": do_shell, "start": do_start, "exec": do_exec,
           "stop": do_stop, "list": do_list, "console": do_console, "probe": do_probe}


def main(argv):
    args = parser().parse_args(argv)
    try:
        return ACTIONS[args.action](args)
    except VmError as err:
        print("tools/vm: %s" % err, file=sys.stderr)
        return 125
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141
