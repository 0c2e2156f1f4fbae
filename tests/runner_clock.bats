#!/usr/bin/env bats
# A clock that jumps between the tries of a queued message: nobody is given up
# for it, and nothing waits for a moment that does not come.

load common
load queue

setup() {
	! has_sanitizers ||
		skip 'libfaketime and the sanitizers both want to be loaded first'
	queue_setup
	receiver box
	# A notice of delay says the truth in any case, and is not in question.
	only_account default "$PORT" 'queue_delay_notice off'
}

# at OFFSET COMMAND...: with a clock that is so far off; what counts from the
# machine's start goes on as ever.
at() {
	faketime --exclude-monotonic -f "$1" "${@:2}"
}

# due OFFSET: who is tried by then if only what is due is, in order.
due() {
	at "$1" "$SMTPSEND" --queue-run=due --json 2>/dev/null |
		jq -r .recipient.address | sort | paste -sd ' '
}

# A message put while the clock was off by $1.
put_at() {
	message 1 | at "$1" "$SMTPSEND" --queue=only -f m1@client.test \
		good@x.test tempfail@x.test
}

# reports: how many the sender has got.
reports() {
	served box | grep -c ' m1@client.test$' || true
}

@test "queued while the clock was off" {
	local offset
	for offset in -365d +3650d; do
		rm -rf "$Q" box/*
		put_at "$offset"
		assert_equal "$offset $(due +0)" "$offset good@x.test tempfail@x.test"
		# From then on by the clock of that try.
		assert_equal "$offset $(due +0)" "$offset "
		assert_equal "$offset $(due +10m)" "$offset "
		assert_equal "$offset $(due +19m)" "$offset tempfail@x.test"
		assert_equal "$(served box)" '<1@client.test> good@x.test'
	done
}

@test "tried while the clock is off" {
	local offset
	for offset in -365d +3650d; do
		rm -rf "$Q" box/*
		put_at +0
		assert_equal "$offset $(due $offset)" \
			"$offset good@x.test tempfail@x.test"
		assert_equal "$offset $(due $offset)" "$offset "
		# It is right again: the next try is not ten years away, and
		# five days are over for nobody.
		assert_equal "$offset $(due +0)" "$offset tempfail@x.test"
		assert_equal "$offset $(due +0)" "$offset "
		[ "$(entries | wc -l)" -eq 1 ]
		"$TOOLS/states" "$Q" | grep -q ' tempfail@x.test deferred '
	done
}

@test "five days and five tries end it, wherever the clock stood meanwhile" {
	local offset tries
	for offset in -365d +0 +3650d; do
		rm -rf "$Q" box/*
		put_at "$offset"
		for ((tries = 1; tries <= 4; tries++)); do
			assert_equal "$(reports)" 0
			"$SMTPSEND" -q 2>/dev/null
		done
		at +3660d "$SMTPSEND" -q 2>/dev/null
		assert_equal "$offset $(reports)" "$offset 1"
		assert_equal "$(entries)" ''
	done
}
