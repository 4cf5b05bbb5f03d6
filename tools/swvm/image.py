# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU boots: the kernel as an uncompressed ELF, and a small initramfs.

QEMU enters the ELF by its PVH note, so that no decompression is emulated. The
initramfs holds a static busybox and only the modules that mount the root.
"""
import glob
import gzip
import lzma
import os
import re
import stat
import struct
import subprocess

from . import VmError

MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay")
BUSYBOX = "/bin/busybox"
P9_OPTIONS = "trans=virtio,version=9p2000.L,msize=512000"

INIT = """#!/bin/busybox sh
bb=/bin/busybox
die() { $bb echo "swvm: $*"; $bb poweroff -f; }
$bb mount -t proc proc /proc
$bb mount -t sysfs sysfs /sys
$bb mount -t devtmpfs dev /dev
for module in $($bb cat /modules/order); do
	$bb insmod /modules/$module || die "cannot load $module"
done
$bb mount -t 9p -o {p9},ro,cache=loose root /lower || die "cannot mount the root"
$bb mount -t tmpfs -o size=75% tmpfs /upper || die "cannot mount a tmpfs"
$bb mkdir /upper/files /upper/work
$bb mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work \\
	overlay /new || die "cannot mount the overlay"
for dir in proc sys dev; do
	$bb mkdir -p /new/$dir
	$bb mount --move /$dir /new/$dir
done
$bb mkdir -p /new/dev/pts /new/dev/shm /new/run /new/tmp
$bb mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /new/dev/pts
$bb mount -t tmpfs -o mode=1777 tmpfs /new/dev/shm
$bb mount -t tmpfs -o mode=755 tmpfs /new/run
$bb mount -t tmpfs -o mode=1777 tmpfs /new/tmp
$bb mount -t cgroup2 cgroup2 /new/sys/fs/cgroup
$bb mkdir -p /new/run/lock /new/run/netns
$bb ln -s /proc/self/fd /new/dev/fd
$bb ln -s /proc/self/fd/0 /new/dev/stdin
$bb ln -s /proc/self/fd/1 /new/dev/stdout
$bb ln -s /proc/self/fd/2 /new/dev/stderr
$bb ip link set lo up
while read -r tag mode path; do
	$bb mkdir -p "/new$path"
	$bb mount -t 9p -o {p9},$mode,cache=none,access=any $tag "/new$path" ||
		die "cannot mount $path"
done </shares
exec $bb switch_root /new /usr/bin/python3 -B -I {agent}
die "no python3 in the root file system"
"""


def kernels():
    """(release, path) of every installed kernel with modules, newest last."""

    def key(release):
        return [int(n) for n in re.findall(r"\d+", release)]

    found = []
    for path in glob.glob("/boot/vmlinuz-*"):
        release = path.split("vmlinuz-", 1)[1]
        if os.path.isdir("/lib/modules/" + release):
            found.append(release)
    return [(r, "/boot/vmlinuz-" + r) for r in sorted(found, key=key)]


def newest_kernel():
    found = kernels()
    if not found:
        raise VmError("no kernel in /boot: install linux-image-amd64 (tools/setup does)")
    return found[-1]


def decompress(payload):
    if payload.startswith(b"\x7fELF"):
        return payload
    if payload.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(payload)
    if payload.startswith(b"\x1f\x8b"):
        # Four octets of size follow the stream, which gzip.decompress refuses.
        return gzip.GzipFile(fileobj=_Prefix(payload)).read()
    if payload.startswith(b"\x28\xb5\x2f\xfd"):
        run = subprocess.run(["zstd", "-dc"], input=payload, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
        return run.stdout
    raise VmError("kernel compressed in a way that tools/vm does not know")


class _Prefix:
    def __init__(self, data):
        self.data, self.at = data[:-4], 0

    def read(self, count=-1):
        end = len(self.data) if count < 0 else self.at + count
        part = self.data[self.at : end]
        self.at += len(part)
        return part


def extract_elf(path):
    """The ELF inside a bzImage (Documentation/x86/boot.rst: payload_offset, payload_length)."""
    with open(path, "rb") as file:
        image = file.read()
    if image[0x202:0x206] != b"HdrS":
        raise VmError("%s is not a Linux bzImage" % path)
    setup_size = (image[0x1F1] + 1) * 512
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = setup_size + offset
    elf = decompress(image[start : start + length])
    if not elf.startswith(b"\x7fELF"):
        raise VmError("%s: no ELF kernel inside" % path)
    return elf


def vmlinux(cache_dir):
    """Path of the uncompressed newest kernel, and its release."""
    release, source = newest_kernel()
    target = os.path.join(cache_dir, "vmlinux-" + release)
    if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(source):
        os.makedirs(cache_dir, exist_ok=True)
        part = "%s.%d" % (target, os.getpid())
        with open(part, "wb") as file:
            file.write(extract_elf(source))
        os.replace(part, target)
    return target, release


def module_files(release):
    """The modules that mount the root, dependencies first."""
    ordered = []
    for name in MODULES:
        run = subprocess.run(["/sbin/modprobe", "-S", release, "--show-depends", name],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if run.returncode:
            raise VmError("kernel %s has no module %s: %s" % (release, name, run.stderr.strip()))
        for line in run.stdout.splitlines():
            kind, _, path = line.partition(" ")
            if kind == "insmod" and path.split()[0] not in ordered:
                ordered.append(path.split()[0])
    return ordered


class Cpio:
    """A "newc" archive (Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self):
        self.data = bytearray()
        self.inode = 0

    def add(self, name, mode, content=b""):
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        self.data += b"070701" + b"".join(b"%08X" % field for field in fields)
        self._padded(encoded)
        self._padded(content)

    def _padded(self, content):
        self.data += content
        self.data += b"\0" * (-len(self.data) % 4)

    def directory(self, name):
        self.add(name, stat.S_IFDIR | 0o755)

    def file(self, name, content, mode=0o644):
        self.add(name, stat.S_IFREG | mode, content)

    def finish(self):
        self.add("TRAILER!!!", 0)
        return bytes(self.data)


def initramfs(release, shares, agent):
    """shares: (tag, "rw" or "ro", path) of each 9p share to mount besides the root."""
    if not os.path.exists(BUSYBOX):
        raise VmError("no %s: install busybox-static (tools/setup does)" % BUSYBOX)
    cpio = Cpio()
    for name in ("bin", "modules", "proc", "sys", "dev", "lower", "upper", "new"):
        cpio.directory(name)
    with open(BUSYBOX, "rb") as file:
        cpio.file("bin/busybox", file.read(), 0o755)
    order = []
    for path in module_files(release):
        with open(path, "rb") as file:
            content = file.read()
        name = os.path.basename(path)
        if name.endswith(".xz"):
            content, name = lzma.decompress(content), name[:-3]
        order.append(name)
        cpio.file("modules/" + name, content)
    cpio.file("modules/order", "\n".join(order).encode())
    lines = ["%s %s %s\n" % share for share in shares]
    cpio.file("shares", "".join(lines).encode())
    script = INIT.replace("{p9}", P9_OPTIONS).replace("{agent}", agent)
    cpio.file("init", script.encode(), 0o755)
    return cpio.finish()
