# SPDX-License-Identifier: GPL-2.0-or-later
# What a --help says, of hwrngctl (CLI11), hwrngd and rngtest (argp), a line each, fields parted by tabs:
# "command", "option" or "positional"; its name; the type of its value, empty where an option has
# none; a description. It becomes part of each of the scripts beside it: no single quotes here.
function finish(  i) {
	for (i = 1; i <= count; i++) print kind "\t" names[i] "\t" type "\t" text
	count = 0
}

/^[A-Z][a-z]+:$/ { section = $1 }
/^Examples:/ { exit }

# The rest of a description, or all of it where the words before it are long.
count && /^         / {
	sub(/^ +/, "")
	text = text (text == "" ? "" : " ") $0
	next
}
{ finish() }
END { finish() }

/^ +-/ || (section != "" && section != "Options:" && /^  [^ ]/) {
	line = $0
	sub(/^ +/, "", line)
	text = match(line, /  +/) ? substr(line, RSTART + RLENGTH) : ""
	if (text != "") line = substr(line, 1, RSTART - 1)
	kind = line ~ /^-/ ? "option" : section == "Subcommands:" ? "command" : "positional"
	gsub(/, -/, ",-", line)
	words = split(line, word, " ")
	type = words > 1 ? word[2] : ""
	if (match(word[1], /=/)) {
		type = substr(word[1], RSTART + 1)
		word[1] = substr(word[1], 1, RSTART - 1)
	}
	if (match(type, /{.*}/)) type = substr(type, RSTART, RLENGTH) # one of these
	else sub(/[:=].*/, "", type)
	if (kind == "positional" && type == "") type = word[1]
	count = split(word[1], names, ",")
}
