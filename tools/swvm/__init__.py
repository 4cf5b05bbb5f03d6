# SPDX-License-Identifier: GPL-2.0-or-later
"""The test virtual machine: Debian's stock kernel under QEMU.

image.py    kernel (uncompressed ELF) and the small initramfs
machine.py  one QEMU process: start, find, stop; choice of accelerator
wire.py     frames on a virtio-serial port, shared by client.py and guest.py
client.py   the host's end of one command: streams, terminal, exit status
guest.py    PID 1 of the guest: starts the commands, reaps every process
probe.py    does the running kernel have the tunnels that we need?
cli.py      the command line
"""


class VmError(Exception):
    """What is wrong and what to do about it, in one line."""
