# SPDX-License-Identifier: GPL-2.0-or-later
# The parts of tools/check. Each prints what it finds and leaves "PASSED FAILED" in
# $results/PART.count; a part that could not run at all has failed.

results=$build/results

count() { # count PART PASSED FAILED
	echo "$2 $3" >"$results/$1.count"
}

# passed_failed FOLDER: of automake's test logs there. A program that prints cmocka's
# summary counts test by test, any other as one.
passed_failed() {
	find "$1/tests" -name '*.trs' | while read -r trs; do
		log=${trs%.trs}.log
		awk -v log_file="$log" '
			/^:global-test-result:/ { result = $2 }
			END {
				while ((getline line < log_file) > 0)
					if (match(line, /^\[==========\].* [0-9]+ test\(s\) run/)) {
						split(line, words, /[^0-9]+/)
						ran += words[2]
					} else if (match(line, /^\[  FAILED  \].* [0-9]+ test\(s\)/)) {
						split(line, words, /[^0-9]+/)
						failed += words[2]
					}
				if (result == "PASS")
					print (ran ? ran : 1), 0
				else
					print (failed ? ran - failed : 0), (failed ? failed : 1)
			}' "$trs"
	done | awk '{ passed += $1; failed += $2 } END { print passed + 0, failed + 0 }'
}

# unit_tests PART FOLDER: make check.
unit_tests() {
	local part=$1 dir=$2 rc=0 passed failed
	find "$dir/tests" -name '*.trs' -delete 2>/dev/null || :
	make -C "$dir" -k check -j"$jobs" >"$logs/$part.log" 2>&1 || rc=$?
	read -r passed failed < <(passed_failed "$dir")
	if [ "$rc" -ne 0 ] && [ "$failed" = 0 ]; then
		failed=1
	fi
	if [ "$rc" -ne 0 ]; then
		grep -E '^(FAIL|ERROR)|error:|\[  FAILED  \]' "$logs/$part.log" | head -n 40 || :
		find "$dir/tests" -name '*.trs' -exec grep -l 'test-result: FAIL' {} + 2>/dev/null |
			while read -r trs; do
				tail -n 30 "${trs%.trs}.log"
			done
		echo "$part: failed; all of its output is in $logs/$part.log"
	fi
	count "$part" "$passed" "$failed"
}

part_unit() {
	unit_tests unit "$build/obj"
}

# Compiled with -O1 by clang or gcc as configure found it; a report of a sanitizer ends a test.
part_sanitizer() {
	if ! (setup_sanitizer_build); then
		count sanitizer 0 1
		return
	fi
	export ASAN_OPTIONS=abort_on_error=0:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
	unit_tests sanitizer "$build/san"
}

part_format() {
	if "$top/tools/check-format"; then
		count format 1 0
	else
		count format 0 1
	fi
}

# Who includes whom (tools/layers).
part_layers() {
	if "$top/tools/check-layers"; then
		count layers 1 0
	else
		count layers 0 1
	fi
}

# A smoke test: 60 s in all, from the seeds in the repository.
part_fuzz() {
	local rc=0 log=$logs/fuzz.log passed failed
	"$top/tests/fuzz/run-fuzz" 60 2>&1 | tee "$log" || rc=$?
	passed=$(grep -c '^PASS:' "$log" || :)
	failed=$(grep -c '^FAIL:' "$log" || :)
	if [ "$rc" -ne 0 ] && [ "$failed" = 0 ]; then
		failed=1
	fi
	count fuzz "$passed" "$failed"
}

pytest=(/usr/bin/python3 -B -m pytest "$top/tests/topotests")

# The two kinds of topotests: $1 is "bgp" for those that need no tunnels (most are of bgpd
# with the module), else the others.
marker_of() {
	case $1 in
	bgp*) echo "no_tunnels" ;;
	*) echo "not no_tunnels" ;;
	esac
}

# topotest_matches PART: has the part a test that matches $expression?
topotest_matches() {
	"${pytest[@]}" --collect-only -q -m "$(marker_of "$1")" -k "$expression" \
		>"$logs/matches-$1.log" 2>&1
}

# run_topotests PART EXPRESSION [NAME=VALUE...]: the topotests of that kind that match (all
# of them when the expression is empty), in one machine.
run_topotests() {
	local part=$1 expression=$2 rc=0 xml=$results/$1.xml where=${where-}
	local arguments=(-v --color=no --durations=15 --durations-min=5 -m "$(marker_of "$1")"
		-o console_output_style=count --junitxml="$xml")
	shift 2
	[ -z "$expression" ] || arguments+=(-k "$expression")
	if [[ $part == bgp* ]] && [ -n "$private" ]; then
		where=private
	fi
	run_where --memory 3072 -- SWMESH_RESULTS="$results/${part%-[12]}" SWMESH_KEEP="$keep" "$@" \
		"${pytest[@]}" "${arguments[@]}" || rc=$?
	if [ ! -s "$xml" ]; then
		echo "$part: pytest left no result (status $rc)"
		count "$part" 0 1
		return
	fi
	/usr/bin/python3 - "$xml" "$results/$part.durations" >"$results/$part.count" <<'EOP'
import collections
import sys
import xml.etree.ElementTree
suite = xml.etree.ElementTree.parse(sys.argv[1]).getroot().find("testsuite")
total, failures, errors, skipped = (
    int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped"))
# A test that is skipped has not shown what it should.
failed = failures + errors + skipped
print(max(total - failed, 0), failed)
# Seconds of each file: what tests/topotests/durations.txt is made of.
seconds = collections.Counter()
for case in suite.iter("testcase"):
    seconds[case.get("classname").split(".")[-1]] += float(case.get("time"))
with open(sys.argv[2], "w") as file:
    for name, took in sorted(seconds.items()):
        file.write("%s %d\n" % (name, took))
EOP
}

# run_selected PART [SETTING...]: all of its topotests, or those that match where expressions select.
run_selected() {
	local chosen=
	[[ " ${only_matching[*]} " != *" ${1%-[12]} "* ]] || chosen=$expression
	run_topotests "$1" "$chosen" "${@:2}"
}

# Ten minutes of trouble at random (test_random.py), the same each time: tools/check is to tell
# of what was changed. Other seeds by hand, see doc/testing.md.
random=(SWMESH_RANDOM_ROUNDS=4 SWMESH_RANDOM_SEED=1)

part_topotest() {
	run_selected topotest "${random[@]}"
}

# Is it worth while to spread the topotests? Each share boots a virtual machine of its own;
# without one, two shares would meet in the same namespaces.
is_shared() {
	[ "$where" = vm ] && ! [[ " ${only_matching[*]} " == *" topotest "* ]]
}

# Two machines share out its files to themselves (tests/topotests/lib/share.py).
part_topotest-1() {
	run_selected topotest-1 "${random[@]}" SWMESH_SHARE="$results/taken"
}

part_topotest-2() {
	run_selected topotest-2 "${random[@]}" SWMESH_SHARE="$results/taken"
}

# The two shares count as one part.
count_shares() {
	local p1 f1 p2 f2
	read -r p1 f1 <"$results/topotest-1.count" || p1=0 f1=1
	read -r p2 f2 <"$results/topotest-2.count" || p2=0 f2=1
	count topotest $((p1 + p2)) $((f1 + f2))
}

part_bgp() {
	run_selected bgp
}

# with_sanitizers PART EXPRESSION: our programs under address and undefined-behaviour sanitizers.
with_sanitizers() {
	if [ ! -f "$san_root/.staged" ]; then
		echo "$1: there is no build with sanitizers"
		count "$1" 0 1
		return
	fi
	run_topotests "$1" "$2" SWMESH_SANITIZERS=1 SWMESH_ROOT="$san_root"
}

# Where most of the code is used: the main job, ...
part_topotest-sanitizer() {
	with_sanitizers topotest-sanitizer mesh_basic
}

# ... and what hostile peers send.
part_bgp-sanitizer() {
	with_sanitizers bgp-sanitizer "test_bgp_ and not test_other_version_refused"
}

# FRR's own suites; a suite that fails without the module as well counts as neither.
part_frr() {
	local log=$logs/frr.log rc=0
	"$top/tests/frr/run_suites.py" --source "$(frr_source_dir)/tests/topotests" \
		--module "$(find "$root" -name bgpd_swmesh.so)" --results "$results/frr" \
		2>&1 | tee "$log" || rc=$?
	count frr "$(grep -c '^PASS' "$log" || :)" "$(grep -c '^FAIL' "$log" || :)"
	if [ "$rc" != 0 ] && ! grep -q '^FAIL' "$log"; then
		count frr 0 1
	fi
	echo "frr: $(grep -c '^SAME' "$log" || :) suites fail without the module as well," \
		"$(grep -c '^NONE' "$log" || :) were skipped by themselves"
}
