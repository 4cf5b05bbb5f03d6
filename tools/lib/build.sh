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

# stage TREE ROOT: `make install` into ROOT, made anew so that it holds nothing stale.
stage() {
	local new=$2.new
	rm -rf "$new"
	mkdir -p "$new"
	make -C "$1" install DESTDIR="$new"
	rm -rf "$2"
	mv "$new" "$2"
	touch "$2/.staged"
}

# setup_stage TREE ROOT: only when make had something to do since.
setup_stage() {
	local text=${2#"$top/"}
	if [ -f "$2/.staged" ] && [ -z "$(find "$1" -path "$1/tests" -prune -o \
		-newer "$2/.staged" -type f ! -name '*.log' -print -quit)" ]; then
		already "stage in $text" "up to date"
	else
		step "stage in $text" stage "$1" "$2"
	fi
}

setup_build() {
	setup_tree "$build/obj" "swmesh" --with-frr-source="$(frr_source_dir)" --enable-werror
	step "build swmesh" make_tree "$build/obj"
	setup_stage "$build/obj" "$root"
}

setup_sanitizer_build() {
	setup_tree "$build/san" "swmesh with sanitizers" \
		--with-frr-source="$(frr_source_dir)" --enable-werror --enable-sanitizers
	step "build swmesh with sanitizers" make_tree "$build/san"
	setup_stage "$build/san" "$san_root"
}
