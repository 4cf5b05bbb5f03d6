# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by tools/setup, tools/check and tools/demo: where things are, and how a
# step is shown. Sourced; the caller has set $top and `set -eu`.

# The system's own tools: a python3 from elsewhere on PATH breaks FRR's clippy.
PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

build=$top/build
logs=$build/logs
root=$build/root
san_root=$build/san-root

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

now() {
	local t=$EPOCHREALTIME
	echo $((${t%.*} * 1000 + 10#${t#*.} / 1000))
}

# Milliseconds as seconds with one decimal.
seconds() {
	printf '%d.%d' $(($1 / 1000)) $(($1 % 1000 / 100))
}

step_pid=

end_step() {
	[ -z "$step_pid" ] || kill -TERM -- "-$step_pid" 2>/dev/null || :
}

trap 'end_step; exit 130' INT
trap 'end_step; exit 143' TERM

# step TEXT COMMAND...: say what is done, run it with its output in a log, say how
# long it took. When it fails the end of the log is shown and we stop.
# The command runs in a subshell with errexit on.
# With --hint TEXT a failure has a known cause: that line stands for the log's end.
step() {
	local hint='' text log began rc=0
	if [ "$1" = --hint ]; then
		hint=$2
		shift 2
	fi
	text=$1
	shift
	mkdir -p "$logs"
	log=$logs/$(tr -cs 'a-z0-9\n' '-' <<<"${text,,}").log
	log=${log/-.log/.log}
	began=$(now)
	printf '%-58s ' "$text"
	# A process group of its own, so that all of it can be ended.
	set -m
	(set -e; "$@") >"$log" 2>&1 </dev/null &
	step_pid=$!
	set +m
	if [ -t 1 ]; then
		tick "$step_pid" "$began" "$text"
	fi
	wait "$step_pid" || rc=$?
	step_pid=
	if [ "$rc" -ne 0 ]; then
		printf 'FAILED after %s s\n' "$(seconds $(($(now) - began)))"
		[ -z "$hint" ] || die "$hint (all output is in $log)"
		tail -n 25 "$log" >&2
		die "\"$text\" failed; all of its output is in $log"
	fi
	printf '%6s s\n' "$(seconds $(($(now) - began)))"
}

# On a terminal: the seconds that a long step has taken so far.
tick() {
	while kill -0 "$1" 2>/dev/null; do
		printf '\r%-58s %6s s' "$3" "$(seconds $(($(now) - $2)))"
		read -r -t 0.2 <><(:) || :
	done
	printf '\r%-58s ' "$3"
}

# A step that has nothing to do.
already() {
	printf '%-58s      - (%s)\n' "$1" "$2"
}
