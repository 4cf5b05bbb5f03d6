#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# inside.sh SOURCE SUITE OUTPUT [MODULE]: one suite of FRR's topotests (SOURCE/SUITE) on the
# stock daemons, with MODULE loaded into every bgpd. run_suites.py starts it by tools/private,
# so mounts are our own. Leaves pytest's result in OUTPUT, and all logs if a test failed.
set -euo pipefail
source=$1 suite=$2 output=$3 module=${4-}
here=$(cd "$(dirname "$0")" && pwd)
stock=/usr/lib/frr/bgpd run=/run/frr-suites

mkdir -p "$run/logs" "$output"
# The harness has no way to add options for all bgpds, so a script lies over the program. A
# bgpd that cannot load what -M names does not start.
if [ -n "$module" ]; then
	touch "$run/bgpd"
	mount --bind "$stock" "$run/bgpd"
	# Where user frr can read it, wherever the project is.
	cp "$module" "$run/bgpd_swmesh.so"
	printf '#!/bin/sh\nexec %s -M %s "$@"\n' "$run/bgpd" "$run/bgpd_swmesh.so" >"$run/script"
	chmod 755 "$run/script"
	mount --bind "$run/script" "$stock"
fi

rc=0
cd "$source"
PYTHONPATH=$here timeout --kill-after=10 1200 /usr/bin/python3 -B -m pytest \
	-p frr_suites_plugin -p no:cacheprovider --rundir="$run/logs" "$suite" \
	</dev/null >"$output/pytest.log" 2>&1 || rc=$?
cp "$run/logs/topotests.xml" "$output/" 2>/dev/null || :
if [ "$rc" != 0 ]; then
	cp -r "$run/logs" "$output/"
fi
exit "$rc"
