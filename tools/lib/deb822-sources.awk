# SPDX-License-Identifier: GPL-2.0-or-later
# From deb822 stanzas (sources.list(5)) the source stanzas of one release: the same
# fields, but Types, and only the suites of that release.
function flush_stanza(    n, i, suites, kept) {
	n = split(stanza["suites"], suites, /[ \t\n]+/)
	for (i = 1; i <= n; i++)
		if (suites[i] ~ "^(" codename "|stable)([-/]|$)")
			kept = kept " " suites[i]
	if (kept != "" && (" " stanza["types"] " ") ~ /[ \t\n]deb[ \t\n]/ &&
	    tolower(stanza["enabled"]) !~ /^[ \t]*(no|false|off|0)/) {
		print "Types: deb-src"
		print "Suites:" kept
		for (name in stanza)
			if (name !~ /^(types|suites|architectures|enabled)$/)
				print name ":" stanza[name]
		print ""
	}
	delete stanza
	field = ""
}
FNR == 1 { flush_stanza() }
/^[ \t]*$/ { flush_stanza(); next }
/^#/ { next }
/^[ \t]/ { stanza[field] = stanza[field] "\n" $0; next }
{
	colon = index($0, ":")
	field = tolower(substr($0, 1, colon - 1))
	stanza[field] = substr($0, colon + 1)
}
END { flush_stanza() }
