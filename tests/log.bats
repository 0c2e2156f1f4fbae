#!/usr/bin/env bats
# The log: a line for each recipient, in a file or by syslog, whole and
# printable whatever a server says, and nothing that stops a delivery.
# shellcheck disable=SC2154 # run sets $stderr

load common

# rc LINE...: the account's lines, behind its host.
rc() {
	printf '%s\n' 'account default' "host 127.0.0.1:$PORT" "$@" \
		>"$T/.smtpsendrc"
}

# sent RECIPIENT...: the message to them, by that account.
sent() {
	send -f alice@client.test "$@" <message
}

# logged N REGEX: line N of ./log.
logged() {
	sed -n "$1p" log | grep -qE -- "$2" || fail "$1: $2 is not in
$(cat log)"
}

# under KIND RECIPIENT...: the same where /dev/log is such; ./heard has what
# it got.
under() {
	run --separate-stderr unshare --mount "$TESTS/syslog.py" "$1" heard \
		"$SMTPSEND" -f alice@client.test "${@:2}" <message
}

HEAD='^[A-Z][a-z]{2} [0-9]{2} [0-9:]{8} smtpsend\[[0-9]+\]: NOQUEUE: '
IDS='message-id=<1@client.test>, from=<alice@client.test>, '
DELAY='delay=[0-9]+\.[0-9]{2}, '

@test "a line for each recipient" {
	receiver box
	rc 'logfile ~/log'
	sent bob@x.test permfail@x.test tempfail@x.test
	local relay="relay=127\\.0\\.0\\.1\\[127\\.0\\.0\\.1\\]:$PORT, $DELAY"
	exits 67
	assert_equal "$(wc -l <log)" 3
	logged 1 "$HEAD${IDS}to=<bob@x.test>, ${relay}dsn=2\.0\.0, status=sent \(250 .*\)$"
	logged 2 "$HEAD${IDS}to=<permfail@x.test>, ${relay}dsn=5\.1\.1, status=bounced \(host 127.* said: 550 5\.1\.1 .* \(in reply to rcpt\)\)$"
	logged 3 "$HEAD${IDS}to=<tempfail@x.test>, ${relay}dsn=4\.7\.1, status=deferred \(host 127.* said: 451 .*\)$"
	assert_equal "$(stat -c %a log)" 600
	sent bob@x.test
	assert_equal "$(wc -l <log)" 4
}

@test "what never came to a server, and a message without a name" {
	receiver box
	rc 'logfile log' 'set_msgid_header off'
	printf 'Subject: x\n\nhi\n' >message
	sent bob@x.test 'no address'
	exits 67
	logged 1 "${HEAD}from=<alice@client.test>, to=<bob@x.test>, relay=127"
	logged 2 "to=<no address>, relay=none, ${DELAY}dsn=5\.1\.3, status=bounced \("
	rc 'logfile log' 'port 1'
	sed -i "s/^host .*/host 127.0.0.1/" .smtpsendrc
	sent bob@x.test
	exits 75
	logged 3 'relay=127.*, dsn=4\.4\.1, status=deferred \('
}

@test "the time is as the file wants it" {
	receiver box
	rc 'logfile log' 'logfile_time_format "%Y %%n%n|"'
	sent bob@x.test
	exits 0
	logged 1 '^[0-9]{4} %n.x0A\| smtpsend\['
	rc 'logfile log' 'logfile_time_format X' 'logfile_time_format'
	sent bob@x.test
	logged 2 "$HEAD"
	rc "logfile_time_format $(printf '%%c%.0s' {1..90})"
	sent bob@x.test
	exits 78
	says 'logfile_time_format' 'give a format of strftime(3)'
}

@test "standard output is a log as well" {
	receiver box
	rc 'logfile -'
	sent bob@x.test
	exits 0
	[[ $output =~ $HEAD ]]
	assert_equal "$(wc -l <<<"$output")" 1
	[ ! -e ./- ]
	closed '>/dev/full' -f alice@client.test bob@x.test <message
	exits 0
	says 'cannot write to the log -: No space'
}

@test "what is not sent is not logged" {
	receiver box
	rc 'logfile log'
	sent --dry-run bob@x.test
	exits 0
	sent --export wire bob@x.test
	exits 0
	[ ! -e log ]
	rc 'logfile' 'syslog off'
	sed -i '1i defaults\nlogfile log\nsyslog on' .smtpsendrc
	sent bob@x.test
	exits 0
	silent
	[ ! -e log ]
}

@test "syslog gets mail.info, or another facility" {
	receiver box
	rc 'syslog'
	under heard bob@x.test eve@x.test
	exits 0
	silent
	assert_equal "$(wc -l <heard)" 2
	grep -qE "^<22>[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} smtpsend\[[0-9]+\]: NOQUEUE: ${IDS}to=<bob@x.test>, .* status=sent \(250 .*\)$" heard
	rc 'syslog LOG_LOCAL3' 'logfile log'
	under heard bob@x.test
	grep -q '^<158>' heard
	logged 1 "$HEAD"
	rc 'logfile log'
	under heard bob@x.test
	[ ! -s heard ]
	rc 'syslog LOG_KERN'
	sent bob@x.test
	exits 78
	says 'syslog "LOG_KERN": give on, off, LOG_MAIL'
}

@test "a syslogd that is not there, or hangs, changes nothing" {
	local kind
	receiver box
	rc 'syslog on'
	for kind in absent deaf; do
		under "$kind" bob@x.test eve@x.test
		exits 0
		assert_equal "$output" ''
		assert_equal "$(wc -l <<<"$stderr")" 1
		says 'smtpsend: cannot write to the log /dev/log: '
	done
	stored 2
}

@test "a file that cannot be written is told once and changes nothing" {
	local file
	receiver box
	mkfifo fifo
	mkdir folder
	for file in fifo folder /dev/full no/log; do
		rc "logfile $file"
		sent bob@x.test eve@x.test
		exits 0
		assert_equal "$output" ''
		assert_equal "$(wc -l <<<"$stderr")" 1
		says "smtpsend: cannot write to the log $file: "
	done
	stored 4
}

@test "what a server or a sender says does not make a line" {
	receiver box -r $'rcpt=550 5.7.1 no\e[2J \302\205\377\tx (status=sent'
	rc 'logfile log'
	printf 'Message-ID: <a, to=<c@x.test>, status=sent (x)>\n\nhi\n' >message
	send -f '"a>, to=<b"@x.test' '"x>, relay=none, status=sent (ok)"@x.test' \
		<message
	exits 77
	assert_equal "$(wc -l <log)" 1
	logged 1 'message-id=<a\\x2C\\x20to='
	logged 1 'from=<"a\\x3E, to=\\x3Cb"@x.test>, to=<"x\\x3E, relay=none'
	logged 1 'said: 550 5\.7\.1 no.x1B\[2J '
	run env LC_ALL=C grep -nP '[\x00-\x09\x0b-\x1f\x7f]|\xff|\xc2\x85' log
	assert_equal "$status" 1
}

@test "a run of the queue tells syslog without being asked" {
	local id
	receiver box
	rc 'queue_runner off'
	send --queue=only --json -f alice@client.test bob@x.test <message
	id=$(jq -r .queue_id <<<"$output")
	run --separate-stderr unshare --mount "$TESTS/syslog.py" heard heard \
		"$SMTPSEND" -q
	exits 0
	silent
	grep -qE "^<22>.* smtpsend\[[0-9]+\]: $id: from=<alice@client.test>, to=<bob@x.test>, relay=127.*, delay=[0-9.]+, dsn=2\.0\.0, status=sent \(250 " heard
	rc 'queue_runner off' 'syslog off'
	send --queue=only -f alice@client.test bob@x.test <message
	run --separate-stderr unshare --mount "$TESTS/syslog.py" heard heard \
		"$SMTPSEND" -q
	exits 0
	stored 2
	[ ! -s heard ]
}

@test "a run that cannot begin tells syslog why" {
	receiver box
	rc 'queue_runner off'
	send --queue=only -f alice@client.test bob@x.test <message
	rc 'queue_runner off' 'nonsense'
	run --separate-stderr unshare --mount "$TESTS/syslog.py" heard heard \
		"$SMTPSEND" --queue-run=due
	exits 78
	grep -q '^<22>.* smtpsend\[[0-9]*\]: .*/\.smtpsendrc:[0-9]*: unknown keyword "nonsense"' heard
	stored 0
}
