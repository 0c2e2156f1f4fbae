#!/usr/bin/env bats
# What is told of a queue, and what is changed in it, to the octet: lists,
# one message in full, counts, hold, release, remove.

load common

setup() {
	common_setup
	export XDG_STATE_HOME=$T/state TZ=UTC0
	mkdir state
	printf '%s\n' defaults 'queue_runner off' >"$HOME/.smtpsendrc"
	chmod 600 "$HOME/.smtpsendrc"
	MEMORY=$(mktemp -du /dev/shm/smtpsend.XXXXXX)
	Q=state/smtpsend
}

# entries < COMMANDS: put them into the user's queue, as tests/tools/entries
# says; their ids are in IDS.
entries() {
	mapfile -t IDS < <("$TOOLS/entries" "$Q")
}

# locked < COMMANDS: the same, and the last one is being tried from here on.
locked() {
	mkfifo commands
	"$TOOLS/entries" "$Q" <commands >ids 3>&- &
	STARTED+=("$!")
	exec {COMMANDS}>commands
	cat >&"$COMMANDS"
	until grep -qs '^locked' ids; do
		kill -0 "${STARTED[-1]}" || fail 'it was not locked'
		read -r -t 0.01 <><(:) || true
	done
	mapfile -t IDS < <(grep -v '^locked' ids)
}

# Four messages: one that was tried, with a recipient in doubt and one who has
# it; one held; one whose try ended without a word; a double bounce.
known() {
	entries <<-'EOT'
		new 1767225600000
		account work
		from alice@x.test
		to bob@y.test 6 rfc822;old@y.test
		to eve@y.test
		to ann@z.test
		to dan@z.test
		envid E-1
		return 2
		text Subject: hi
		text
		text hello
		put
		outcome 0 temp rcpt 450 4.2.1 mx.y.test 198.51.100.1 25 0 1767225601000 450 4.2.1 busy
		outcome 1 temp rcpt 450 4.2.1 mx.y.test 198.51.100.1 25 0 1767225601000 450 4.2.1 busy
		outcome 2 temp end 0 - mx.z.test 198.51.100.2 25 1 1767225602000 connection lost
		outcome 3 ok end 250 2.0.0 mx.z.test 198.51.100.2 25 0 1767225602000 250 2.0.0 taken
		try 1767229200000 1
		new 1767312000000
		signed
		from <>
		to postmaster@w.test
		text From: x@x.test
		put
		hold
		new 1767398400000
		from m@x.test
		to a@v.test
		text
		put
		final 0
		new 1767484800000
		from <>
		to gone@u.test
		text a: b
		put
		outcome 0 perm rcpt 550 5.1.1 mx.u.test 198.51.100.3 25 0 1767484801000 550 5.1.1 no such user
		hold
	EOT
}

# A message each of so many bytes: plain N COPIES.
plain() {
	entries <<-EOT
		new 1767225600000
		from alice@x.test
		to bob@y.test
		text Subject: hi
		put ${1:-1}
	EOT
}

# told < TEXT: $output is that, with ~ for each tab.
told() {
	diff - <(tr '\t' '~' <<<"$output")
}

# parsed EXPRESSION: what Python makes of the JSON lines in $output, which are
# in `all`.
parsed() {
	python3 -c 'import json, sys
all = [json.loads(line) for line in sys.stdin]
print('"$1"')' <<<"$output"
}

HEAD='-----Q-ID------ --Size-- -----Q-Time----- ------------Sender/Recipient----------'

@test "nothing is queued" {
	local option
	for option in -bp --queue-list; do
		send "$option"
		exits 0
		assert_equal "$output$stderr" 'Mail queue is empty'
		send "$option" --json
		exits 0
		silent
	done
	send --queue-stats
	exits 0
	assert_equal "$(head -2 <<<"$output")" $'messages: 0\nrecipients: 0'
	send --queue-stats --json
	exits 0
	assert_equal "$(parsed 'all[0]["messages"], all[0]["oldest"], all[0]["destinations"]')" \
		'0 None []'
	# To look does not make it.
	[ ! -e "$Q" ]
}

@test "the list has the columns of sendmail" {
	known
	send -bp
	exits 0
	assert_equal "$stderr" ''
	told <<-EOT
		$HEAD
		1kdvdna00000000       19 Thu Jan  1 00:00 <alice@x.test>
		                 (Deferred: 450 4.2.1 busy, at mx.y.test.)
		~~~~~  <bob@y.test>
		~~~~~  <eve@y.test>
		                 (Deferred: connection lost, may have been delivered, at mx.z.test.)
		~~~~~  <ann@z.test>
		1kdy02100000001!      15 Fri Jan  2 00:00 <>
		~~~~~  <postmaster@w.test>
		1ke0jer00000002        1 Sat Jan  3 00:00 <m@x.test>
		                 (A try ended without an outcome, may have been delivered)
		~~~~~  <a@v.test>
		1ke34vf00000003!       5 Sun Jan  4 00:00 <>
		                 (Failed: 550 5.1.1 no such user, at mx.u.test.)
		~~~~~  <gone@u.test>
		~~Total requests: 4
		-- 1 Kbytes in 4 Requests.
	EOT
	local list=$output
	send --queue-list
	assert_equal "$output" "$list"
	# The moment is local time.
	TZ=EST5 send -bp
	assert_equal "$(grep -c 'Wed Dec 31 19:00' <<<"$output")" 1
}

@test "programs that read mailq read this" {
	known
	send -bp
	assert_equal "$(grep -c '^[A-F0-9]' <<<"$output")" 4
	assert_equal "$(tail -n 1 <<<"$output" | awk '{ print $5 }')" 4
	assert_equal "$(awk '/^[[:space:]]+Total requests: / { print $3 }' \
		<<<"$output")" 4
	# Where to, as a monitor finds it.
	assert_equal "$(sed -n 's/.*(Deferred: .* .*\.\([a-z]*\.[a-z]*\)\.)$/\1/p' \
		<<<"$output" | paste -sd ' ')" 'y.test z.test'
	send --queue-remove "${IDS[@]:1}"
	send -bp
	assert_equal "$(tail -n 1 <<<"$output")" '-- 1 Kbytes in 1 Request.'
}

@test "one message in full" {
	known
	send --queue-show "${IDS[0]}"
	exits 0
	assert_equal "$stderr" ''
	told <<-EOT
		id: 1kdvdna00000000
		queue: $T/$Q
		state: waiting
		sender: <alice@x.test>
		size: 19 octets
		account: work
		arrived: 2026-01-01T00:00:00Z
		tries: 1
		next try: 2026-01-01T01:00:00Z
		envid: E-1
		return: hdrs
		to: <bob@y.test>
		  2026-01-01T00:00:01Z deferred at rcpt, mx.y.test [198.51.100.1]:25 said: 450 4.2.1 busy
		  notify: success,failure
		  orcpt: rfc822;old@y.test
		to: <eve@y.test>
		  2026-01-01T00:00:01Z deferred at rcpt, mx.y.test [198.51.100.1]:25 said: 450 4.2.1 busy
		to: <ann@z.test>
		  2026-01-01T00:00:02Z deferred at end of data, mx.z.test [198.51.100.2]:25: connection lost (may have been delivered)
		to: <dan@z.test>
		  2026-01-01T00:00:02Z delivered at end of data, mx.z.test [198.51.100.2]:25 said: 250 2.0.0 taken
	EOT
}

@test "several in full are kept apart, marks of the list may stay" {
	known
	send --queue-show "${IDS[1]}!" "${IDS[2]}"
	exits 0
	told <<-EOT
		id: 1kdy02100000001
		queue: $T/$Q
		state: held: not tried until it is released
		sender: <>
		size: 15 octets, signed
		account: none: by MX
		arrived: 2026-01-02T00:00:00Z
		tries: 0
		to: <postmaster@w.test>
		  not decided yet

		id: 1ke0jer00000002
		queue: $T/$Q
		state: waiting
		sender: <m@x.test>
		size: 1 octets
		account: none: by MX
		arrived: 2026-01-03T00:00:00Z
		tries: 0
		next try: 2026-01-03T00:00:00Z
		to: <a@v.test>
		  not decided yet (may have been delivered)
	EOT
}

@test "counts by destination and reason" {
	known
	send --queue-stats
	exits 0
	assert_equal "$stderr" ''
	told <<-'EOT'
		messages: 4
		recipients: 5
		held: 1
		kept: 1
		being tried: 0
		in doubt: 2
		incoming: 0
		broken: 0
		octets: 40
		oldest: 2026-01-01T00:00:00Z
		destinations:
		       2 y.test: rcpt 450
		       1 v.test: not tried yet
		       1 w.test: not tried yet
		       1 z.test: end connect
	EOT
	send --queue-stats --json
	exits 0
	assert_equal "$(parsed 'all')" "[{'messages': 4, 'recipients': 5, 'held': 1, 'kept': 1, 'trying': 0, 'in_doubt': 2, 'incoming': 0, 'broken': 0, 'octets': 40, 'oldest': '2026-01-01T00:00:00Z', 'destinations': [{'domain': 'y.test', 'tried': True, 'stage': 'rcpt', 'code': 450, 'kind': 'reply', 'recipients': 2}, {'domain': 'v.test', 'tried': False, 'stage': 'none', 'code': 0, 'kind': 'none', 'recipients': 1}, {'domain': 'w.test', 'tried': False, 'stage': 'none', 'code': 0, 'kind': 'none', 'recipients': 1}, {'domain': 'z.test', 'tried': True, 'stage': 'end', 'code': 0, 'kind': 'connect', 'recipients': 1}]}]"
}

@test "JSON has a line for each message, and all that is known of it" {
	known
	send --queue-list --json
	exits 0
	assert_equal "$stderr" ''
	assert_equal "$(wc -l <<<"$output")" 4
	assert_equal "$(parsed '[m["id"] for m in all]')" \
		"['1kdvdna00000000', '1kdy02100000001', '1ke0jer00000002', '1ke34vf00000003']"
	assert_equal "$(parsed '[m["state"] for m in all]')" \
		"['waiting', 'held', 'waiting', 'kept']"
	assert_equal "$(parsed '{k: v for k, v in all[0].items() if k != "recipients"}')" \
		"{'id': '1kdvdna00000000', 'queue': '$T/$Q', 'state': 'waiting', 'why': None, 'size': 19, 'arrived': '2026-01-01T00:00:00Z', 'next_try': '2026-01-01T01:00:00Z', 'tries': 1, 'held': False, 'signed': False, 'account': 'work', 'sender': 'alice@x.test', 'envid': 'E-1', 'return': 'hdrs', 'deliver_by': None, 'hold_until': None, 'priority': None, 'submitter': None}"
	assert_equal "$(parsed 'all[0]["recipients"][0]')" \
		"{'address': 'bob@y.test', 'outcome': 'deferred', 'in_doubt': False, 'stage': 'rcpt', 'code': 450, 'enhanced': '4.2.1', 'kind': 'reply', 'text': '450 4.2.1 busy', 'host': 'mx.y.test', 'ip': '198.51.100.1', 'port': 25, 'left_out': [], 'when': '2026-01-01T00:00:01Z', 'notify': ['success', 'failure'], 'orcpt': 'rfc822;old@y.test', 'reported': None}"
	assert_equal "$(parsed '[(r["outcome"], r["in_doubt"]) for m in all for r in m["recipients"]][2:]')" \
		"[('deferred', True), ('delivered', False), ('pending', False), ('pending', True), ('failed', False)]"
	local first
	first=$(head -1 <<<"$output")
	send --queue-show "${IDS[0]}" --json
	exits 0
	assert_equal "$output" "$first"
}

@test "what strangers wrote cannot steer a terminal" {
	local ESC=$'\e' RLO=$'\xe2\x80\xae' TAB=$'\t' FF=$'\xff'
	entries <<-EOT
		new 1767225600000
		envid a${ESC}[2J${TAB}b"c
		from "a+b"@x.test
		to "é$RLO<x>"@y.test 0 rfc822;${ESC}]0;x
		text x
		put
		outcome 0 temp rcpt 450 - mx${ESC}c.test 198.51.100.1 25 0 1767225601000 450 a${ESC}[31m "x" ${RLO}é \\ $FF
	EOT
	local option
	for option in -bp --queue-stats "--queue-show ${IDS[0]}" \
		"--json --queue-list" "--json --queue-show ${IDS[0]}" \
		"--json --queue-stats"; do
		# shellcheck disable=SC2086 # two words
		send $option
		exits 0
		! grep -P '[\x00-\x08\x0b-\x1f\x7f]' <<<"$output" || fail "$option"
		! grep -F "$RLO" <<<"$output" || fail "$option"
		iconv -f UTF-8 -t UTF-8 <<<"$output" >/dev/null || fail "$option"
	done
	send --json --queue-list
	assert_equal "$(parsed '(all[0]["sender"], all[0]["recipients"][0]["text"])')" \
		"('\"a+b\"@x.test', '450 a\\\\x1B[31m \"x\" \\\\xE2\\\\x80\\\\xAEé \\\\ \\\\xFF')"
	send -bp
	assert_equal "$(grep -c '^ *(Deferred: 450 a\\x1B\[31m "x" ' <<<"$output")" 1
}

@test "one that is being tried is marked, and not changed" {
	locked <<-'EOT'
		new 1767225600000
		from a@x.test
		to b@y.test
		text hi
		put
		final 0
		lock
	EOT
	send -bp
	exits 0
	told <<-EOT
		$HEAD
		1kdvdna00000000*       4 Thu Jan  1 00:00 <a@x.test>
		~~~~~  <b@y.test>
		~~Total requests: 1
		-- 1 Kbytes in 1 Request.
	EOT
	send --queue-list --json
	assert_equal "$(parsed 'all[0]["state"]')" trying
	send --queue-show "${IDS[0]}"
	assert_equal "$(grep ^state <<<"$output")" 'state: being tried right now'
	send --queue-stats
	assert_equal "$(grep tried: <<<"$output")" 'being tried: 1'
	local option
	for option in --queue-hold --queue-release --queue-remove; do
		send "$option" "${IDS[0]}"
		exits 75
		says "message ${IDS[0]} is being tried right now"
	done
	# The lock is as it was.
	"$TOOLS/spool" show "$Q" "${IDS[0]}" && status=$? || status=$?
	assert_equal "$status" 10
	exec {COMMANDS}>&-
	wait "${STARTED[-1]}"
	send --queue-hold "${IDS[0]}"
	exits 0
}

@test "held, released and removed" {
	plain 2
	send --queue-hold "${IDS[0]}"
	exits 0
	silent
	send --queue-hold "${IDS[0]}" # is it already
	exits 0
	silent
	send --json --queue-list
	assert_equal "$(parsed '[m["held"] for m in all]')" '[True, False]'
	local before
	before=$(date +%s)
	send --queue-release "${IDS[@]}"
	exits 0
	silent
	send --json --queue-list
	assert_equal "$(parsed '[m["held"] for m in all]')" '[False, False]'
	# From now on.
	[ "$(date -d "$(parsed 'all[0]["next_try"]')" +%s)" -ge "$before" ]
	send --queue-remove "${IDS[@]}"
	exits 0
	silent
	send -bp
	assert_equal "$output" 'Mail queue is empty'
	# shellcheck disable=SC2012 # names are ids
	assert_equal "$(ls "$Q")" broken
}

@test "what is released is tried, unless queue_runner is off" {
	receiver box
	printf '%s\n' 'account work' 'host 127.0.0.1' "port $PORT" \
		'from a@x.test' 'queue_runner off' >"$HOME/.smtpsendrc"
	chmod 600 "$HOME/.smtpsendrc"
	entries <<-'EOT'
		new 1767225600000
		account work
		from alice@x.test
		to bob@y.test
		text Subject: hi
		put
		hold
	EOT
	env "MARK=$T" "$SMTPSEND" --queue-release "${IDS[0]}" 3>&-
	assert_equal "$(left_behind)" ''
	assert_equal "$(find box -type f)" ''
	send --queue-hold "${IDS[0]}"
	exits 0
	sed -i '/queue_runner/d' "$HOME/.smtpsendrc"
	env "MARK=$T" "$SMTPSEND" --queue-release "${IDS[0]}" 3>&-
	export -f left_behind
	"$TESTS/servers/waitfor" 20 bash -c '[ -z "$(left_behind)" ]'
	grep -q bob@y.test box/1.env
	send -bp
	assert_equal "$output" 'Mail queue is empty'
	# A configuration that cannot be read is told of.
	plain
	echo bogus >>"$HOME/.smtpsendrc"
	send --queue-release "${IDS[0]}"
	exits 78
	says bogus
}

@test "a double bounce is kept until it is removed" {
	known
	send --queue-release "${IDS[3]}"
	exits 64
	says "message ${IDS[3]} has nobody left to try"
	send --queue-hold "${IDS[3]}"
	exits 0
	send --queue-remove "${IDS[3]}!"
	exits 0
	silent
	send --queue-stats
	assert_equal "$(grep kept <<<"$output")" 'kept: 0'
}

@test "who has all is ended by the next run" {
	entries <<-'EOT'
		new 1767225600000
		from a@x.test
		to b@y.test
		text hi
		put
		outcome 0 ok end 250 2.0.0 mx.y.test 198.51.100.2 25 0 1767225602000 250 2.0.0 taken
	EOT
	send -bp
	told <<-EOT
		$HEAD
		1kdvdna00000000        4 Thu Jan  1 00:00 <a@x.test>
		                 (nobody is left to try: the next run ends it)
		~~Total requests: 1
		-- 1 Kbytes in 1 Request.
	EOT
}

@test "broken entries are seen, and can be removed" {
	plain 3
	local size
	size=$(stat -c %s "$Q/${IDS[2]}")
	# Set aside: by whoever takes it next; not yet; long ago, no reason.
	printf x | dd of="$Q/${IDS[0]}" seek=30 bs=1 conv=notrunc status=none
	send --queue-hold "${IDS[0]}"
	exits 65
	says "message ${IDS[0]} is broken and was set aside"
	[ -e "$Q/broken/${IDS[0]}" ]
	: >"$Q/${IDS[1]}"
	mv "$Q/${IDS[2]}" "$Q/broken"
	send -bp
	exits 0
	output=${output/ at octet 23: no head of that length/: HEAD}
	told <<-EOT
		$HEAD
		${IDS[1]}?       0 Thu Jan  1 00:00
		                 (queue entry ${IDS[1]} is malformed at octet 0: it begins otherwise)
		${IDS[0]}?     $size Thu Jan  1 00:00
		                 (Set aside: queue entry ${IDS[0]} is malformed: HEAD)
		${IDS[2]}?     $size Thu Jan  1 00:00
		                 (Set aside: the reason is lost)
		~~Total requests: 3
		-- 1 Kbytes in 3 Requests.
	EOT
	send --queue-list --json
	assert_equal "$(parsed '[m["state"] for m in all]')" \
		"['broken', 'broken', 'broken']"
	send --queue-stats
	assert_equal "$(grep -E '^(messages|broken)' <<<"$output")" \
		$'messages: 0\nbroken: 3'
	send --queue-show "${IDS[0]}" "${IDS[1]}"
	exits 0
	assert_equal "$(grep -E '^(state|file)' <<<"$output")" "state: broken
file: $T/$Q/broken/${IDS[0]}, $size octets
state: broken"
	send --queue-show "${IDS[2]}" --json
	exits 0
	assert_equal "$(parsed '(all[0]["why"], all[0]["size"])')" "('', $size)"
	send --queue-release "${IDS[2]}"
	exits 65
	send --queue-remove "${IDS[@]}"
	exits 0
	silent
	assert_equal "$(find "$Q" -type f)" ''
	send -bp
	assert_equal "$output" 'Mail queue is empty'
}

@test "an entry that cannot be read now is told of" {
	[ "$EUID" -ne 0 ] || skip 'root reads all'
	plain
	chmod 0 "$Q/${IDS[0]}"
	send -bp
	exits 0
	assert_equal "$(grep -c '^1kdvdna00000000?.*' <<<"$output")" 1
	send --queue-list --json
	assert_equal "$(parsed 'all[0]["state"]')" unreadable
}

@test "ids that are none" {
	plain
	local option id
	for option in --queue-show --queue-hold --queue-release --queue-remove; do
		send "$option"
		usage_error "${option} needs ID"
		for id in x "${IDS[0]%?}" "${IDS[0]%?}z" '' ../queue broken \
			"${IDS[0]}??" $'\e[1m'; do
			send "$option" "$id"
			usage_error "no message \"${id//$'\e'/\\x1B}\" in the queue"
		done
	done
	# Others are done all the same; the first trouble is told.
	send --queue-remove nothing "${IDS[0]}" none
	exits 64
	assert_equal "$(wc -l <<<"$stderr")" 2
	send -bp
	assert_equal "$output" 'Mail queue is empty'
}

@test "options that do not go together" {
	local option
	for option in -bp --queue-list --queue-stats; do
		send "$option" 1kdvdna00000000
		usage_error 'take "1kdvdna00000000" away' '--queue-show ID'
	done
	send --queue-list=x
	usage_error '--queue-list takes no value'
	send --queue-hold a --queue-remove b
	usage_error '--queue-remove: another option says what to do already'
	send -bp --queue-stats
	usage_error '--queue-stats: another option'
	send -bs
	usage_error 'no option -bs'
	send -b
	usage_error '-b needs p'
	send --queue --queue-list
	usage_error '--queue and --queue-list exclude each other'
	send --queue-remove a --help
	exits 0
}

@test "a value and operands are the same" {
	plain 3
	send --queue-remove="${IDS[0]}" --queue-remove "${IDS[1]}" "${IDS[2]}"
	exits 0
	send -bp
	assert_equal "$output" 'Mail queue is empty'
}

@test "a list that nobody takes is 73" {
	plain
	local option
	for option in -bp --queue-stats "--queue-show ${IDS[0]}" \
		'--json -bp'; do
		# shellcheck disable=SC2086 # two words
		run --separate-stderr sh -c 'exec "$@" >/dev/full' sh \
			"$SMTPSEND" $option
		exits 73
		says 'cannot write to stdout'
	done
	mkdir empty
	XDG_STATE_HOME=$T/empty closed '>&-' -bp
	exits 73
}

# left ARGUMENT...: smtpsend writes into a pipe that nobody reads any more.
left() {
	run --separate-stderr python3 -c 'import os, subprocess, sys
r, w = os.pipe()
os.close(r)
sys.exit(subprocess.call(sys.argv[1:], stdout=w))' "$SMTPSEND" "$@"
}

@test "who has read enough of a list is told nothing: 73" {
	local option
	plain 2000
	for option in -bp --queue-stats "--queue-show ${IDS[0]}" \
		'--json -bp' --help; do
		# shellcheck disable=SC2086 # two words
		left $option
		exits 73
		silent
	done
	run --separate-stderr sh -c '"$1" -bp | head -n 1' sh "$SMTPSEND"
	exits 0
	assert_equal "$stderr" ''
}

@test "no home, and a folder that is not ours to read" {
	run --separate-stderr env -u XDG_STATE_HOME HOME="$T/none" "$SMTPSEND" -bp
	exits 78
	says 'no place for a queue'
	assert_equal "$output" ''
	mkdir -p "$Q"
	chmod 777 "$Q"
	send -bp
	exits 71
	says 'others may write into'
	assert_equal "$output" ''
	send --queue-remove 1kdvdna00000000
	exits 71
}

# machine: the machine's queue, of user 801, with two messages, and one that a
# user added, which claims to be somebody's; their ids are in IDS.
machine() {
	local spool=/var/spool/smtpsend
	mkdir -p "$spool"
	Q=$spool/queue plain 2
	Q=made entries <<-'EOT'
		new 1767225600001
		from eve@x.test
		to bob@y.test
		text
		put
	EOT
	install -d -m 3733 "$spool/in"
	cp "made/${IDS[0]}" "$spool/in/"
	rm -r made
	chmod 640 "$spool/in/${IDS[0]}"
	mkdir "$spool/in/broken"
	: >"$spool/in/broken/1kdvdna0000000z"
	chown -R 801:801 "$spool"
	chown 802 "$spool/in/${IDS[0]}"
	IDS=(1kdvdna00000000 1kdvdna00000001 "${IDS[0]}")
}

@test "root sees the machine's queue, and changes it as its owner" {
	[ "$EUID" -eq 0 ] || skip 'for root'
	[ "$(df --output=fstype /var | tail -1)" = overlay ] || skip 'no world'
	plain
	machine
	send -bp
	exits 0
	assert_equal "$stderr" ''
	told <<-EOT
		~~/var/spool/smtpsend/queue
		$HEAD
		1kdvdna00000000       12 Thu Jan  1 00:00 <alice@x.test>
		~~~~~  <bob@y.test>
		1kdvdna00000001       12 Thu Jan  1 00:00 <alice@x.test>
		~~~~~  <bob@y.test>
		~~/var/spool/smtpsend/in
		$HEAD
		${IDS[2]}+       1 Thu Jan  1 00:00 <eve@x.test>
		~~~~~  <bob@y.test>
		~~$T/$Q
		$HEAD
		1kdvdna00000000       12 Thu Jan  1 00:00 <alice@x.test>
		~~~~~  <bob@y.test>
		~~Total requests: 4
		-- 1 Kbytes in 4 Requests.
	EOT
	send --queue-stats
	assert_equal "$(grep -E '^(messages|incoming|broken)' <<<"$output")" \
		$'messages: 3\nincoming: 1\nbroken: 0'
	: >"/var/spool/smtpsend/queue/${IDS[1]}"
	chown 801:801 "/var/spool/smtpsend/queue/${IDS[1]}"
	rmdir /var/spool/smtpsend/queue/broken
	send --queue-hold "${IDS[@]:0:2}" "${IDS[2]}+"
	exits 65
	says "${IDS[1]} is broken and was set aside" \
		"${IDS[2]} was not taken in yet"
	# Nothing there is root's, and nothing of ours was touched.
	assert_equal "$(find /var/spool/smtpsend/queue ! -uid 801)" ''
	[ -e "/var/spool/smtpsend/queue/broken/${IDS[1]}" ]
	XDG_STATE_HOME=$T/none send --queue-list --json
	assert_equal "$(parsed '[(m["id"], m["state"]) for m in all]')" \
		"[('1kdvdna00000000', 'held'), ('1kdvdna00000001', 'broken'), ('${IDS[2]}', 'incoming')]"
	# Who is nobody there hears where his mail may be.
	touch /var/spool/smtpsend/stamp
	run --separate-stderr setpriv --reuid 803 --regid 803 --clear-groups \
		env XDG_STATE_HOME=/var/none "$SMTPSEND" -bp
	exits 0
	assert_equal "$output" 'Mail queue is empty'
	says 'only your own queue is looked at'
	rm -rf /var/spool/smtpsend
}

@test "it neither asks for a message nor reads one" {
	plain
	mkfifo never
	exec {never}<>never
	run --separate-stderr timeout 20 "$SMTPSEND" -bp <&"$never"
	exits 0
	closed '<&-' --queue-stats
	exits 0
}

@test "ten thousand messages, in memory that does not grow" {
	[[ $SMTPSEND != */asan/* ]] || skip 'the sanitizers need much memory'
	local few many option
	plain 10
	few=$(peak -bp)
	# Where it costs nothing to sync them.
	mkdir "$MEMORY"
	XDG_STATE_HOME=$MEMORY Q=$MEMORY/smtpsend
	plain 10000
	assert_equal "${#IDS[@]}" 10000
	send -bp
	exits 0
	assert_equal "$(grep '^1' <<<"$output" | cut -d ' ' -f 1)" \
		"$(printf '%s\n' "${IDS[@]}")"
	assert_equal "$(tail -1 <<<"$output")" '-- 118 Kbytes in 10000 Requests.'
	for option in '-bp' '--json -bp' '--queue-stats'; do
		# shellcheck disable=SC2086 # two words
		many=$(peak $option)
		((many < few + 2048)) ||
			fail "$option: $few KiB for 10, $many KiB for 10,000"
	done
}

teardown() {
	rm -rf "$MEMORY"
	end_started
}

# peak ARGUMENT...: the most memory that it has, KiB.
peak() {
	python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$SMTPSEND" "$@"
}
