# SPDX-License-Identifier: GPL-2.0-or-later
# Where a topology runs: directly in network namespaces when the running kernel has
# the tunnels, else in the virtual machine (tools/vm).

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

# run_where [VM OPTION...] -- [NAME=VALUE...] COMMAND...: there, as root, output streamed.
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
	else
		env "${settings[@]}" "$@"
	fi
}
