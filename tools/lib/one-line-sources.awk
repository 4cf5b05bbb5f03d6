# SPDX-License-Identifier: GPL-2.0-or-later
# From "deb [options] URI SUITE COMPONENT..." lines the deb-src lines of one release.
$1 == "deb" {
	at = 2
	if ($2 ~ /^\[/)
		while (at <= NF && $at !~ /\]$/)
			at++
	if ($2 ~ /^\[/)
		at++
	suite = $(at + 1)
	if (suite ~ "^(" codename "|stable)([-/]|$)") {
		sub(/^[ \t]*deb/, "deb-src")
		print
	}
}
