# SPDX-License-Identifier: GPL-2.0-or-later
# FRR's headers, config.h and clippy: from Debian's source package of exactly the
# version that is installed, fetched by the package manager's own source command.

frr_base=$build/frr
apt_private=$build/apt

frr_source_version() {
	dpkg-query -W -f '${source:Version}' frr
}

# The upstream part of the version names the folder that dpkg-source makes.
frr_source_dir() {
	local version
	version=$(frr_source_version)
	version=${version#*:}
	echo "$frr_base/frr-${version%-*}"
}

# Source entries made from the binary ones of the system, for the suites of this
# Debian release only: other repositories need not have sources, and are not asked.
derive_sources() {
	local codename
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	mkdir -p "$apt_private/parts" "$apt_private/lists/partial"
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
		awk -v codename="$codename" -f "$top/tools/lib/one-line-sources.awk" \
			>"$apt_private/parts/source.list" || :
	awk -v codename="$codename" -f "$top/tools/lib/deb822-sources.awk" \
		/dev/null $(find /etc/apt/sources.list.d -name '*.sources' 2>/dev/null) \
		>"$apt_private/parts/source.sources"
	[ -s "$apt_private/parts/source.list" ] || [ -s "$apt_private/parts/source.sources" ] ||
		die "no package source for $codename in /etc/apt/sources.list or /etc/apt/sources.list.d; add Debian's own"
}

apt_source() {
	apt -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt_private/parts" \
		-o Dir::State::lists="$apt_private/lists" -o APT::Sandbox::User=root \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@"
}

fetch_frr_source() {
	local version dir
	version=$(frr_source_version)
	dir=$(frr_source_dir)
	rm -rf "$dir"
	mkdir -p "$frr_base"
	apt_source update
	cd "$frr_base"
	apt_source source "frr=$version"
	test -f "$dir/lib/libfrr.h"
}

# The arguments Debian's frr was configured with, one quoted word each, without
# what changes no header and needs more packages: documentation, SNMP, RPKI.
frr_configure_args() {
	/usr/lib/frr/zebra --version | sed '1,/^configured with:/d' | sed -E \
		"s/'--enable-(doc|doc-html|snmp|rpki)'//g"
	echo "--disable-doc --disable-dependency-tracking"
}

configure_frr() {
	local args
	cd "$(frr_source_dir)"
	# Where the archive comes without a configure script, or Debian's patches changed its input.
	if [ ! -x configure ]; then
		autoreconf -i
	fi
	args=$(frr_configure_args)
	eval "./configure ${args//$'\n'/ }"
}

make_clippy() {
	make -C "$(frr_source_dir)" lib/clippy lib/route_types.h
}

# The folder belongs to it: FRR's makefiles name it, so a checkout that was moved starts anew.
frr_key() {
	frr_source_version
	printf '\n%s\n' "$(frr_source_dir)"
	frr_configure_args
}

setup_frr_source() {
	local dir stamp key
	dir=$(frr_source_dir)
	stamp=$dir.stamp
	key=$(frr_key)
	if [ -x "$dir/lib/clippy" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then
		already "FRR $(frr_source_version) headers" "there"
		return
	fi
	check_space "$top" "$need_build_kib" "the build needs"
	rm -f "$stamp"
	derive_sources
	step --hint "no package source gives the source of frr $(frr_source_version); check the network, and that /etc/apt names Debian's own archive" \
		"fetch source of frr $(frr_source_version)" fetch_frr_source
	step "configure FRR" configure_frr
	step "FRR's clippy and route types" make_clippy
	printf '%s\n' "$key" >"$stamp"
}
