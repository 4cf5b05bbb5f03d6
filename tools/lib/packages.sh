# SPDX-License-Identifier: GPL-2.0-or-later
# What has to be true of the system, and the packages that are needed.

# FRR releases that the source supports, by Debian release.
supported_debian=12
supported_frr=8.4.4

packages_build=(
	autoconf automake bison flex gcc libc6-dev libtool make patch perl pkg-config
	dpkg-dev python3 python3-dev texinfo xz-utils
	libc-ares-dev libcap-dev libelf-dev libjson-c-dev libmnl-dev libnftables-dev
	libpam0g-dev libpcre2-dev libprotobuf-c-dev libreadline-dev libssl-dev libyang2-dev
	protobuf-c-compiler
)
# The standard plugins are only recommended by strongSwan's packages, but without them
# charon has neither AES-GCM for IKE nor ECDSA.
packages_run=(
	charon-systemd frr frr-pythontools iproute2 iputils-ping kmod
	libstrongswan-standard-plugins procps strongswan-swanctl tcpdump util-linux
)
packages_test=(
	bird2 clang clang-format gdb gobgpd libclang-rt-14-dev libcmocka-dev nftables openssl
	python3-pytest
)
packages_vm=(busybox-static linux-image-amd64 qemu-system-x86)

need_root_kib=$((3 * 1024 * 1024))
need_build_kib=$((1 * 1024 * 1024))

check_rights() {
	[ "$(id -u)" = 0 ] ||
		die "needs the rights of root: run it with sudo"
}

check_system() {
	local ID='' VERSION_ID='' PRETTY_NAME='an unknown system' arch
	# shellcheck disable=SC1091
	[ ! -r /etc/os-release ] || . /etc/os-release
	arch=$(dpkg --print-architecture 2>/dev/null || uname -m)
	if [ "$ID" != debian ] || [ "$VERSION_ID" != "$supported_debian" ]; then
		die "this is $PRETTY_NAME; use Debian $supported_debian, the one release supported so far"
	fi
	[ "$arch" = amd64 ] ||
		die "this machine's architecture is $arch; use an amd64 (x86-64) machine"
}

# check_space FOLDER KIB WHAT
check_space() {
	local free
	free=$(df -Pk "$1" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$2" ] ||
		die "$(df -Pk "$1" | awk 'NR == 2 { print $6 }') has $((free / 1024)) MiB free, $3 $(($2 / 1024)) MiB; make room and run it again"
}

installed_version() {
	dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null |
		awk '$1 == "installed" { print $2 }'
}

missing_packages() {
	local all=("${packages_build[@]}" "${packages_run[@]}" "${packages_test[@]}" "${packages_vm[@]}")
	# One query for all: a second set-up should take no time.
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${all[@]}" 2>/dev/null |
		awk '$1 == "installed" { print $2 }' | sort -u |
		comm -13 - <(printf '%s\n' "${all[@]}" | sort -u)
}

apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

# Some other source of the system may be out of reach: what counts is that ours are offered.
update_lists() {
	apt update || echo "apt-get update reported errors"
}

check_offered() {
	local absent=() name
	for name in "$@"; do
		[ -n "$(apt-cache madison "$name" 2>/dev/null)" ] || absent+=("$name")
	done
	[ ${#absent[@]} = 0 ] ||
		die "no package source offers ${absent[*]}; check the network and /etc/apt (what apt-get update said is in $logs)"
}

# Services of new packages (FRR's, charon) must not start on this host: policy-rc.d says no
# while we install. Whatever was there before comes back, also after an interruption.
policy=/usr/sbin/policy-rc.d
policy_kept=$policy.kept-by-swmesh
policy_mark='# swmesh set-up: no service starts while packages are installed'

deny_services() {
	allow_services
	if [ -e "$policy" ] || [ -L "$policy" ]; then
		mv "$policy" "$policy_kept"
	fi
	printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" >"$policy"
	chmod 755 "$policy"
}

allow_services() {
	if grep -qsF "$policy_mark" "$policy"; then
		rm -f "$policy"
	fi
	if [ -e "$policy_kept" ] || [ -L "$policy_kept" ]; then
		mv "$policy_kept" "$policy"
	fi
}

install_packages() {
	trap allow_services EXIT
	trap 'exit 143' TERM
	deny_services
	apt install --no-install-recommends "$@"
	# Nor with the next boot; who wants charon's enables it (doc/install.md).
	if [[ " $* " == *" charon-systemd "* ]]; then
		disable_service strongswan.service
	fi
	if [[ " $* " == *" bird2 "* ]]; then
		disable_service bird.service
	fi
}

disable_service() {
	systemctl disable "$1" || echo "$1 stays enabled"
}

setup_packages() {
	local missing
	allow_services # an interrupted run may have left its own
	mapfile -t missing < <(missing_packages)
	if [ ${#missing[@]} = 0 ]; then
		already "packages" "all installed"
	else
		check_space /usr "$need_root_kib" "the packages need"
		step "package lists" update_lists
		check_offered "${missing[@]}"
		step --hint "packages could not be installed; check the network, and that apt-get install works" \
			"install packages (${#missing[@]})" install_packages "${missing[@]}"
	fi
	check_frr
}

check_frr() {
	local version
	version=$(installed_version frr)
	case $version in
	"$supported_frr"-*) ;;
	*) die "the package frr is at version ${version:-(none)}; swmesh works with $supported_frr, Debian $supported_debian's own: apt-get install frr=$supported_frr-..." ;;
	esac
}
