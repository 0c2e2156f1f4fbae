#!/usr/bin/env bats
# Reports that cannot be delivered end with themselves: no report on a report,
# and nothing goes round in circles.

load common
load queue

setup() {
	queue_setup
	receiver box
	only_account default "$PORT"
}

# queued SENDER RECIPIENT...
queued() {
	message 1 | "$SMTPSEND" --queue=only -f "$1" "${@:2}"
}

# settles: whatever is tried from now on, nothing new comes of it; in the end
# there are so many entries, none of which is tried.
settles() {
	local _
	"$SMTPSEND" -q 2>/dev/null
	"$TOOLS/states" "$Q" >before
	for _ in 1 2 3; do
		run --separate-stderr "$SMTPSEND" -q --json
		exits 0
		assert_equal "$output" ''
		run --separate-stderr "$SMTPSEND" --queue-run=due --json
		assert_equal "$output" ''
	done
	"$TOOLS/states" "$Q" | diff before -
	assert_equal "$(grep -c '+held' before)" "$1"
	assert_equal "$(entries | wc -l)" "$1"
}

@test "the sender refuses the report: it is kept, and that is all" {
	queued permfail@y.test permfail@x.test good@x.test
	settles 1
	assert_equal "$(served box)" '<1@client.test> good@x.test'
	# What is kept is the report.
	grep -aq 'multipart/report' "$Q/$(entries)"
	grep -q ' permfail@y.test failed ' before
}

@test "sender and recipient are one, who refuses" {
	queued permfail@x.test permfail@x.test
	settles 1
	assert_equal "$(served box)" ''
}

@test "nobody sent it: it is kept, and nobody is told" {
	queued '<>' permfail@x.test good@x.test
	settles 1
	assert_equal "$(served box)" '<1@client.test> good@x.test'
}

@test "the sender wants no report: none is made" {
	message 1 | "$SMTPSEND" --queue=only -N never -f alice@client.test \
		permfail@x.test
	settles 0
	assert_equal "$(served box)" ''
}

@test "a report for which time is over" {
	local now old
	now=$(date +%s)000
	old=$((now - 6 * 24 * 3600 * 1000))
	printf '%s\n' "new $old" 'account default' 'tries 9' 'to tempfail@y.test' \
		'text Subject: report' put | "$TOOLS/entries" "$Q" >id
	settles 1
	assert_equal "$(served box)" ''
	assert_equal "$(entries)" "$(cat id)"
}
