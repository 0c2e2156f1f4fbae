#!/usr/bin/env bats
# Reports on queued mail, from the queue to where they arrive: what they say,
# who gets one, and that none is ever the cause of another.
# shellcheck disable=SC2154 # run sets $stderr

load common
shopt -s extglob nullglob

setup() {
	common_setup
	Q=$HOME/.local/state/smtpsend
	receiver box
	printf '%s\n' 'account default' 'host 127.0.0.1' "port $PORT" \
		'queue_runner off' >"$HOME/.smtpsendrc"
}

# keep SENDER ARGUMENT...: queue ./message without a try; $ID is its id.
keep() {
	send --queue=only --json -f "$@" <message
	exits 0
	ID=$(json .queue_id)
}

# try: run the queue.
try() {
	send -q
	exits 0
}

# entries: the ids of what is queued.
entries() {
	set -- "$Q"/!(broken|stamp|runner)
	echo "${@##*/}"
}

# arrived_report N SENDER: message N is a report to him; ./fields has what it
# says.
arrived_report() {
	tr -d '\r' <"box/$1.msg" |
		python3 "$TESTS/dsn.py" --report "$2" client.test >fields
	grep -q '^mail <>' "box/$1.env"
	assert_equal "$(recipients "box/$1")" "<$2>"
}

@test "who could not be reached is in the report, and what the server said" {
	keep alice@client.test -V order7 permfail@x.test bob@x.test
	try
	assert_equal "$(entries)" ''
	stored 2
	assert_equal "$(recipients box/1)" '<bob@x.test>'
	arrived_report 2 alice@client.test
	sed -i '/-Date: /d' fields
	diff - fields <<-END
		Original-Envelope-Id: order7
		Reporting-MTA: dns; client.test

		Final-Recipient: rfc822; permfail@x.test
		Action: failed
		Status: 5.1.1
		Remote-MTA: dns; [127.0.0.1]
		$(grep '^Diagnostic-Code: smtp; 550 5.1.1 ' fields)

		text/rfc822-headers
	END
	# It says which mail it is about, and has its header.
	grep -q $'^In-Reply-To: <1@client.test>\r$' box/2.msg
	grep -q $'^Subject: hi\r$' box/2.msg
	run ! grep -q $'^hello\r$' box/2.msg
}

@test "the whole message comes back, if that was asked for" {
	keep alice@client.test -R full permfail@x.test
	try
	arrived_report 1 alice@client.test
	assert_equal "$(tail -n 1 fields)" message/rfc822
	grep -q $'^hello\r$' box/1.msg
}

@test "NOTIFY says whether there is a report" {
	local notify
	for notify in never delay success; do
		keep alice@client.test -N "$notify" permfail@x.test
		try
		assert_equal "$(entries)" ''
	done
	stored 0
	keep alice@client.test -N failure permfail@x.test
	try
	stored 1
	arrived_report 1 alice@client.test
}

@test "a server without DSN took it: the sender is told, if he wants to be" {
	keep alice@client.test -N success bob@x.test
	try
	stored 2
	arrived_report 2 alice@client.test
	grep -qx 'Action: relayed' fields
	grep -q '^Status: 2\.' fields
	assert_equal "$(entries)" ''
}

@test "no report on a report, however often it is tried" {
	local i report
	keep permfail@client.test permfail@x.test
	try
	stored 0
	report=$(entries)
	[[ -n $report && $report != "$ID" && $report != *' '* ]]
	cp "$Q/$report" kept
	for i in -q --queue-run=due -qRpermfail; do
		send "$i"
		exits 0
		assert_equal "$(entries)" "$report"
		cmp kept "$Q/$report"
	done
	send "--queue-run=$report"
	assert_equal "$(entries)" "$report"
	# Nobody is left to try, so a person cannot start it again either.
	send --queue-release "$report"
	exits 64
	try
	assert_equal "$(entries)" "$report"
	send -bp
	exits 0
	[[ $output == *"$report"*'550 5.1.1'* ]]
	stored 0
	send --queue-remove "$report"
	exits 0
	assert_equal "$(entries)" ''
}

@test "mail from nobody that nobody takes is kept as well" {
	keep '' permfail@x.test bob@x.test
	try
	stored 1
	assert_equal "$(entries)" "$ID"
	try
	stored 1
	assert_equal "$(entries)" "$ID"
}
