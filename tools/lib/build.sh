# SPDX-License-Identifier: GPL-2.0-or-later
# Our own programs: configured in build/obj (plain) or build/san (sanitizers), and
# the plain ones staged under build/root as `make install` lays them out.

jobs=$(nproc)

run_autoreconf() {
	cd "$top"
	autoreconf -fi
}

# configure_tree FOLDER ARGUMENT...
configure_tree() {
	local dir=$1
	shift
	mkdir -p "$dir"
	cd "$dir"
	rm -f Makefile
	"$top/configure" "$@"
}

# setup_tree FOLDER TEXT ARGUMENT...: configure it if it is new or its arguments changed.
# make notices by itself when configure.ac or a Makefile.am changed.
setup_tree() {
	local dir=$1 text=$2 key
	shift 2
	key="$* $(cat "$(frr_source_dir).stamp")"
	if [ ! -x "$top/configure" ]; then
		step "autoreconf" run_autoreconf
	fi
	if [ ! -f "$dir/Makefile" ] || [ "$(cat "$dir/.configured" 2>/dev/null)" != "$key" ]; then
		rm -f "$dir/.configured"
		step "configure $text" configure_tree "$dir" "$@"
		printf '%s\n' "$key" >"$dir/.configured"
	fi
}

make_tree() {
	make -C "$1" -j"$jobs"
}

# Staged anew only when make had something to do: DESTDIR holds nothing stale.
stage() {
	rm -rf "$root.new"
	mkdir -p "$root.new"
	make -C "$build/obj" install DESTDIR="$root.new"
	rm -rf "$root"
	mv "$root.new" "$root"
	touch "$root/.staged"
}

staged_is_new() {
	[ -f "$root/.staged" ] && [ -z "$(find "$build/obj" "$top/tools/subdir.am" \
		-newer "$root/.staged" -type f ! -name '*.log' -print -quit)" ]
}

setup_build() {
	setup_tree "$build/obj" "swmesh" --with-frr-source="$(frr_source_dir)" --enable-werror
	step "build swmesh" make_tree "$build/obj"
	if staged_is_new; then
		already "stage in build/root" "up to date"
	else
		step "stage in build/root" stage
	fi
}

setup_sanitizer_build() {
	setup_tree "$build/san" "swmesh with sanitizers" \
		--with-frr-source="$(frr_source_dir)" --enable-werror --enable-sanitizers
	step "build swmesh with sanitizers" make_tree "$build/san"
}
