#!/usr/bin/env bats
# The examples of README.md, as they are pasted: each prints what stands there.
# shellcheck disable=SC2154 # run sets $stderr

load common

setup() {
	common_setup
	receiver lmtp -L -u "$T/box.lmtp"
	receiver box
}

# A line of README.md as a regular expression: what differs from day to day,
# and from one machine to another, is any.
patterns() {
	sed -E 's/[][().*+?{}|^$\\]/\\&/g
		s/(Date: ).*/\1.*/; s/<[0-9a-f]{32}@/<[0-9a-f]{32}@/
		s/(p=).*(=" )/\1[A-Za-z0-9+\/]*\2/
		s/^[0-9a-z]{15} +[0-9]+ .{16} /[0-9a-z]{15} +[0-9]+ .{16} /
		s|(dkim_key ).*|\1/.*/dkim.pem|
		s/^\\\.\\\.\\\.$/.../'
}

# What was printed (file $1) is what stands in README.md (file $2); a line
# "..." stands for any lines.
same() {
	local line any='' at=0 lines
	mapfile -t lines <"$1"
	while IFS= read -r line; do
		if [ "$line" = ... ]; then
			any=yes
			continue
		fi
		while [ -n "$any" ] && [ $at -lt ${#lines[@]} ] &&
			! [[ ${lines[at]} =~ ^$line$ ]]; do
			at=$((at + 1))
		done
		[[ $at -lt ${#lines[@]} && ${lines[at]} =~ ^$line$ ]] ||
			fail "line $((at + 1)) is not $line: $(cat "$1")"
		at=$((at + 1))
		any=''
	done < <(patterns <"$2")
	[ $at = ${#lines[@]} ] || fail "more than in README.md: $(cat "$1")"
}

# The examples as a shell script in the folder $1: "$ " begins a command, which
# goes on behind a \ or a | at its end; below it stands what it prints. Of
# command N that is N.shown, and the script writes N.printed.
script() {
	awk -v dir="$1" '
	function show(line) { printf "%s\n", line >> (dir "/" n ".shown") }
	/^## / { on = /examples$/ }
	!on { next }
	/^$/ { held++; next }
	!/^    / { n += shown; shown = 0; next }
	{ sub(/^    /, "") }
	/^\$ / && !begun {
		n += shown
		sub(/^\$ /, "")
		print "{ (exit $code)"
		begun = 1
		shown = 0
	}
	begun {
		print
		if (/[\\|]$/)
			next
		printf "} >%s/%d.printed 2>&1; code=$?\n", dir, n
		printf "" > (dir "/" n ".shown")
		begun = held = 0
		shown = 1
		next
	}
	shown {
		for (; held > 0; held--)
			show("")
		show($0)
	}' "$BATS_TEST_DIRNAME/../README.md" | sed "s/:2525/:$PORT/g
		s/--port 2525/--port $PORT/; s|^build/release/tools/sink.*|:|; s|\$mail/lmtp|$T/box.lmtp|"
}

@test "the examples print what README.md says" {
	local shown n
	mkdir run
	ln -s "$SMTPSEND" smtpsend
	cp "$BATS_TEST_DIRNAME/../README.md" .
	script run >examples
	[ "$(grep -c ' >run/' examples)" -ge 15 ]
	NAME=You mail=$T/box bash examples
	for shown in run/*.shown; do
		n=${shown%.shown}
		sed -i "s/\r$//; s/:$PORT/:2525/g; s/port $PORT/port 2525/" \
			"$n.printed"
		same "$n.printed" "$shown"
	done
}
