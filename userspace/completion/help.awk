# SPDX-License-Identifier: GPL-2.0-or-later
# What a --help says, of hwrngctl (CLI11), hwrngd and rngtest (argp), a line each, fields parted by tabs:
# "command", "option" or "positional"; its name; the type of its value, empty where an option has
# none; a description. It becomes part of each of the scripts beside it: no single quotes here.
function put(kind, name, type, text) { print kind "\t" name "\t" type "\t" text }

/^[A-Z][a-z]+:$/ { section = $1 }
/^Examples:/ { exit }

# A description too far to the right has a line of its own.
waiting && /^         / {
	sub(/^ +/, "")
	for (i = 1; i <= count; i++) put(kind, names[i], type, $0)
}
{ waiting = 0 }

/^ +-/ || (section != "" && section != "Options:" && /^  [^ ]/) {
	line = $0
	sub(/^ +/, "", line)
	text = match(line, /  +/) ? substr(line, RSTART + RLENGTH) : ""
	if (text != "") line = substr(line, 1, RSTART - 1)
	kind = line ~ /^-/ ? "option" : section == "Subcommands:" ? "command" : "positional"
	gsub(/, -/, ",-", line)
	words = split(line, word, " ")
	type = word[2] ~ /^[A-Z][A-Z]/ && word[2] != "REQUIRED" ? word[2] : ""
	if (match(word[1], /=/)) {
		type = substr(word[1], RSTART + 1)
		word[1] = substr(word[1], 1, RSTART - 1)
	}
	if (match(type, /{.*}/)) type = substr(type, RSTART, RLENGTH) # one of these
	else sub(/[:=].*/, "", type)
	if (kind == "positional" && type == "TEXT") type = word[1]
	count = split(word[1], names, ",")
	if (text == "") waiting = 1
	else for (i = 1; i <= count; i++) put(kind, names[i], type, text)
}
