#!/usr/bin/env bats
# A disk that is full under the queue: what is told is true, nobody is lost,
# nobody gets it twice whose outcome was known, and all goes on once there is
# room.

load common
load queue

SMALL=/run/small # in our own world: see tests/servers/world

setup_file() {
	mkdir -p $SMALL
	mount -t tmpfs -o size=256k tmpfs $SMALL
}

setup() {
	queue_setup
	export XDG_STATE_HOME=$SMALL
	Q=$SMALL/smtpsend
	rm -rf "${SMALL:?}"/*
	receiver now
	now=$PORT
	receiver later -t
	later=$PORT
	only_account default "$now"
}

# full PAGES: there is room for so many, and no more.
full() {
	rm -f $SMALL/ballast
	cat /dev/zero >$SMALL/ballast 2>/dev/null || true
	truncate -s -$(($1 * 4096)) $SMALL/ballast
}

room() {
	rm -f $SMALL/ballast
}

# body OCTETS: message 1 with a body so long.
body() {
	message 1
	head -c "$1" /dev/zero | tr '\0' '\n'
}

@test "queueing on a full disk: 71, and nothing is left" {
	local pages taken=0 refused=0
	put 2 good@x.test
	for pages in 0 1 2 3 4 5 6; do
		full "$pages"
		rm -rf before && cp -a "$Q" before
		body 10000 >large
		run --separate-stderr "$SMTPSEND" --queue=only -f m1@client.test \
			good@x.test <large
		if [ "$status" -eq 0 ]; then
			((taken += 1))
			silent
			[ "$(entries | wc -l)" -eq 2 ]
			rm "$Q/$(entries | tail -n 1)"
		else
			((refused += 1))
			exits 71
			says 'No space left on device' "$Q"
			diff -r before "$Q"
		fi
	done
	((taken > 0 && refused > 2))
}

@test "keeping what is deferred on a full disk: the caller keeps it" {
	put 2 good@x.test
	full 0
	rm -rf before && cp -a "$Q" before
	run --separate-stderr "$SMTPSEND" --queue -f m1@client.test \
		tempfail@x.test < <(message 1)
	exits 75
	says 'No space left on device' tempfail@x.test
	diff -r before "$Q"
}

# What is noted needs a page more at this note or that one, since the message
# is of this length or that one.
@test "a run on a full disk" {
	local size troubled=0
	# shellcheck disable=SC2034 # judge uses them
	wanted='<1@client.test> good@x.test
<1@client.test> tempfail@x.test
<2@client.test> good@x.test'
	# shellcheck disable=SC2034
	refused='<1@client.test> permfail@x.test'
	put 1 good@x.test
	size=$(stat -c %s "$Q"/1*)
	for ((octets = 4096 - size - 1000; octets < 4096 - size; octets += 90)); do
		rm -rf "$Q" now/* later/*
		only_account default "$now"
		body "$octets" | "$SMTPSEND" --queue=only -f m1@client.test \
			good@x.test tempfail@x.test permfail@x.test
		put 2 good@x.test
		full 0
		run "$SMTPSEND" -q
		[ "$status" -eq 0 ] || ((troubled += 1))
		"$TOOLS/states" "$Q" >states
		room
		only_account default "$later"
		"$SMTPSEND" -q
		served now >first
		served later >second
		judge states first second >judged
		[ ! -s judged ] || fail "$octets: $output
$(cat states judged)"
		# Not even in doubt: there was room for what came of it, or
		# nobody was served.
		assert_equal "$octets: $(sort first second | uniq -d)" \
			"$octets: "
		assert_equal "$octets: $(entries)" "$octets: "
	done
	((troubled > 3))
}
