# SPDX-License-Identifier: GPL-2.0-or-later
# Where a topology runs: directly in network namespaces when the running kernel has
# the tunnels, else in the virtual machine (tools/vm). One that needs no tunnels runs
# directly on almost any kernel, in namespaces of its own (tools/private).

# choose_where auto|vm|host: sets $where and says why.
choose_where() {
	local lacking
	where=$1
	if [ "$where" = auto ]; then
		if lacking=$("$top/tools/vm" probe); then
			where=host
			echo "The running kernel has all that is needed: no virtual machine."
		else
			where=vm
			echo "The running kernel lacks ${lacking#missing: }: using a virtual machine."
		fi
	fi
}

# can_private: does the running kernel have what tools/private and its tests need?
can_private() {
	"$top/tools/private" sh -ec '
		ip netns add probe
		ip link add v0 type veth peer name v1 netns probe
		nft add table inet probe' >"$logs/private.log" 2>&1
}

# run_where [VM OPTION...] -- [NAME=VALUE...] COMMAND...: at $where, as root, output streamed.
run_where() {
	local options=() settings=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	while [[ $1 == [A-Z]*=* ]]; do
		settings+=("$1")
		shift
	done
	if [ "$where" = vm ]; then
		"$top/tools/vm" run "${options[@]}" "${settings[@]/#/-e}" -- "$@"
	elif [ "$where" = private ]; then
		env "${settings[@]}" "$top/tools/private" "$@"
	else
		env "${settings[@]}" "$@"
	fi
}
