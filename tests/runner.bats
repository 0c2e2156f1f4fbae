#!/usr/bin/env bats
# Runs of the queue: what is tried and when, what is noted of it, and that
# nobody gets a message twice.
# shellcheck disable=SC2154,SC2030,SC2031 # run sets $stderr; tests set LINES

load common
shopt -s extglob nullglob

setup() {
	common_setup
	Q=$HOME/.local/state/smtpsend
	LINES=('queue_runner off')
	account 1
}

# account PORT [LINE...]: the one account there is.
account() {
	printf '%s\n' 'account default' 'host 127.0.0.1' "port $1" \
		'from alice@client.test' "${LINES[@]}" "${@:2}" \
		>"$HOME/.smtpsendrc"
	chmod 600 "$HOME/.smtpsendrc"
}

# keep ADDRESS...: queue ./message without a try; $ID is its id.
keep() {
	send --queue=only --json "$@" <message
	exits 0
	ID=$(json .queue_id)
}

# json FILTER: of what the last command printed.
json() {
	jq -r "$1" <<<"$output"
}

# entries: the ids of what is queued.
entries() {
	local name
	for name in "$Q"/!(broken|stamp|runner); do
		echo "${name##*/}"
	done
}

# empty: nothing is queued, nothing was set aside.
empty() {
	assert_equal "$(entries; ls "$Q/broken")" ''
}

# attempts: address and outcome of each, in the order of addresses.
attempts() {
	json '.recipient.address + " " + .recipient.outcome' | sort
}

# recipients: who was named to the receiver, in all envelopes of $T/box.
recipients() {
	cat "$T"/box/*.env | sed -n 's/^rcpt //p' | sort
}

@test "what was queued is delivered, and the queue is empty" {
	receiver box
	keep bob@x.test carol@y.test
	account "$PORT"
	send -q --json
	exits 0
	assert_equal "$stderr" ''
	assert_equal "$(attempts)" \
		$'bob@x.test delivered\ncarol@y.test delivered'
	assert_equal "$(json .id | sort -u)" "$ID"
	stored 1
	cmp <(printf %s "$WIRE") box/1.msg
	empty
	[ "$(stat -c %a "$Q/stamp")" = 644 ]
	send -q
	exits 0
	silent
	stored 1
}

@test "no queue, and an empty one" {
	send -q
	exits 0
	silent
	mkdir -p "$Q"
	send --queue-run
	exits 0
	silent
}

@test "what fails for now stays, with its next try" {
	receiver box
	keep tempfail@x.test
	account "$PORT"
	send -q --json
	exits 0
	says "smtpsend: $ID: tempfail@x.test: deferred at rcpt, 127.0.0.1:"
	assert_equal "$(attempts)" 'tempfail@x.test deferred'
	assert_equal "$(json .tries)" 1
	# It is not due for a quarter of an hour; a person need not wait.
	send --queue-run=due --json
	exits 0
	silent
	send -q --json
	exits 0
	assert_equal "$(json .tries)" 2
	assert_equal "$(entries)" "$ID"
	stored 0
}

@test "what is due is tried, and quietly" {
	receiver box
	account 1
	keep bob@x.test
	send --queue-run=due
	exits 0
	silent
	assert_equal "$(entries)" "$ID"
	account "$PORT"
	keep carol@x.test
	send --queue-run=due --json
	exits 0
	assert_equal "$stderr" ''
	assert_equal "$(attempts)" 'carol@x.test delivered'
}

@test "what fails for good is reported, and the report delivered" {
	receiver box
	keep permfail@x.test bob@x.test
	account "$PORT"
	send -q --json
	exits 0
	assert_equal "$(attempts)" "$(sort <<'END'
alice@client.test delivered
bob@x.test delivered
permfail@x.test failed
END
	)"
	says "smtpsend: $ID: permfail@x.test: failed at rcpt" \
		"$ID: its sender is told of the failure, by "
	stored 2
	grep -q '^mail <>' box/2.env
	assert_equal "$(recipients)" $'<alice@client.test>\n<bob@x.test>'
	grep -q '^Content-Type: multipart/report' box/2.msg
	grep -q '^Final-Recipient: rfc822; permfail@x.test' box/2.msg
	empty
}

@test "a report that fails is kept on hold: no report on a report" {
	receiver box
	sed -i 's/alice@client.test/permfail@client.test/' "$HOME/.smtpsendrc"
	keep permfail@x.test
	account "$PORT"
	send -q
	exits 0
	stored 0
	[ "$(entries | wc -l)" = 1 ]
	[ "$(entries)" != "$ID" ]
	says 'kept on hold'
	send -q
	exits 0
	silent
	send -q "$(entries)"
	exits 0
	says 'is on hold: release it first'
}

@test "some have it, some fail, some wait: nobody gets it twice" {
	receiver box
	keep bob@x.test tempfail@x.test permfail@x.test carol@x.test
	account "$PORT"
	send -q
	exits 0
	send -q --json
	exits 0
	assert_equal "$(attempts)" 'tempfail@x.test deferred'
	assert_equal "$(recipients)" \
		$'<alice@client.test>\n<bob@x.test>\n<carol@x.test>'
	assert_equal "$(entries)" "$ID"
}

@test "one connection for all that goes to one server" {
	receiver box
	local i
	for i in 1 2 3 4 5; do
		keep "bob$i@x.test"
	done
	account "$PORT"
	send -q -v -j 1
	exits 0
	stored 5
	assert_equal "$(grep -c 'C: EHLO' <<<"$stderr")" 1
	assert_equal "$(grep -c 'C: MAIL' <<<"$stderr")" 5
	empty
}

@test "more messages at once than files by default" {
	receiver box
	for i in {1..110}; do
		"$SMTPSEND" --queue=only "u$i@x.test" <message
	done
	account "$PORT"
	run --separate-stderr bash -c 'ulimit -Sn 64; exec "$SMTPSEND" -q -j 2'
	exits 0
	silent
	stored 110
	empty
}

@test "those of an id, of a recipient, of a sender" {
	receiver box
	keep bob@x.test
	local first=$ID
	keep carol@y.test
	keep -f dave@client.test eve@x.test
	account "$PORT"
	send -qR@Y. --json
	exits 0
	assert_equal "$(attempts)" 'carol@y.test delivered'
	send -qSalice -qRnobody --json
	exits 0
	silent
	send -qSDAVE --json
	assert_equal "$(attempts)" 'eve@x.test delivered'
	send "-qI${first:9}" --json
	assert_equal "$(json .id)" "$first"
	empty
}

@test "those that are named; one that is not there is 64" {
	receiver box
	keep bob@x.test
	local first=$ID
	keep carol@x.test
	local second=$ID
	keep eve@x.test
	account "$PORT"
	send --queue-run="$first" --json
	exits 0
	assert_equal "$(attempts)" 'bob@x.test delivered'
	send -q "$second" "$first" --json
	exits 64
	says "smtpsend: no message \"$first\" in the queue"
	assert_equal "$(attempts)" 'carol@x.test delivered'
	assert_equal "$(entries)" "$ID"
}

@test "what has no say in a run is refused" {
	local args
	for args in '-f bob@x.test' '--host 127.0.0.1' '-a default' '-t' \
		'--subject hi' '--to bob@x.test' --dry-run --mx -NSUCCESS \
		'-F Alice' --keep-bcc --queue --no-queue; do
		# shellcheck disable=SC2086 # split on purpose
		send -q $args
		usage_error ' says nothing of mail that is queued'
	done
	send -q bob@x.test
	usage_error '--queue-run: "bob@x.test" is no queue id'
	send -qX
	usage_error '--queue-run "X": give due, a queue id'
	send -q0
	usage_error '--queue-run "0": give due'
	send --queue-run= </dev/null
	usage_error '--queue-run "": give due'
	send -q15m 1j8ksvq00000000
	usage_error 'exclude each other'
	send -q --nameserver x
	usage_error 'name server'
}

@test "time that is over fails those who are left" {
	LINES+=('queue_lifetime 0')
	receiver box
	keep tempfail@x.test bob@x.test
	account "$PORT"
	send -q --json
	exits 0
	assert_equal "$(json 'select(.recipient.outcome == "failed") |
		.recipient.enhanced + " " + .recipient.text')" \
		'5.4.7 451 4.7.1 try again later'
	stored 2
	grep -q '^Status: 5.4.7' box/2.msg
	empty
}

@test "time is over for a server that is down" {
	LINES+=('queue_lifetime 0')
	account 1
	keep bob@x.test
	send -q --json
	exits 0
	says "$ID: its sender is told of the failure"
	assert_equal "$(json 'select(.recipient.outcome == "failed") |
		select(.id == "'"$ID"'") | .recipient.enhanced')" 5.4.7
	[ ! -e "$Q/$ID" ]
}

@test "a delay is told once" {
	LINES+=('queue_delay_notice 0')
	receiver box
	keep tempfail@x.test
	account "$PORT"
	send -q
	exits 0
	says "$ID: its sender is told of the delay, by "
	stored 1
	grep -q '^Action: delayed' box/1.msg
	send -q
	exits 0
	stored 1
	assert_equal "$(entries)" "$ID"
	LINES+=('queue_delay_notice off')
	account "$PORT"
	keep tempfail@x.test
	send -q
	stored 1
}

@test "an account that is gone: its mail waits" {
	receiver box
	keep bob@x.test
	printf '%s\n' 'account other' 'host 127.0.0.1' "port $PORT" \
		>"$HOME/.smtpsendrc"
	send -q --json
	exits 0
	assert_equal "$(attempts)" 'bob@x.test deferred'
	says 'there is no account "default"; there is other'
	account "$PORT"
	send -q --json
	assert_equal "$(attempts)" 'bob@x.test delivered'
	empty
}

@test "a configuration that is wrong: nothing is tried" {
	keep bob@x.test
	echo nonsense >>"$HOME/.smtpsendrc"
	send -q --json
	exits 78
	assert_equal "$output" ''
	assert_equal "$(entries)" "$ID"
}

@test "the log has a line for each recipient of each try" {
	LINES+=("logfile $T/log")
	receiver box
	keep bob@x.test tempfail@x.test permfail@x.test
	account "$PORT"
	send --queue-run=due
	exits 0
	silent
	sed -i 's/^.* smtpsend\[[0-9]*\]: //' log
	grep -q "^$ID: from=<alice@client.test>, to=<bob@x.test>, \
relay=127.0.0.1.127.0.0.1.:$PORT, delay=.*, dsn=2.0.0, status=sent (250 " log
	grep -q "^$ID: .*, to=<tempfail@x.test>, .* status=deferred (host " log
	grep -q "^$ID: .*, to=<permfail@x.test>, .* status=bounced (host " log
	grep -q "^$ID: its sender is told of the failure, by " log
	grep -q "from=<>, to=<alice@client.test>, .* status=sent" log
	assert_equal "$(wc -l <log)" 5
}

@test "accounts side by side, each by its own server" {
	receiver box
	printf '%s\n' 'account other : default' "port $PORT" \
		>>"$HOME/.smtpsendrc"
	keep bob@x.test
	local first=$ID
	keep -a other carol@x.test
	send -q --json
	exits 0
	assert_equal "$(attempts)" \
		$'bob@x.test deferred\ncarol@x.test delivered'
	assert_equal "$(entries)" "$first"
}

@test "accounts of the same name: each message by its own file" {
	receiver box
	local own=$PORT
	receiver other
	account "$own"
	cp "$HOME/.smtpsendrc" other.conf
	sed -i "s/^port .*/port $PORT/" other.conf
	send --queue=only --json -C other.conf bob@x.test <message
	exits 0
	keep carol@x.test
	cd /
	send -q --json
	cd "$T"
	exits 0
	assert_equal "$stderr" ''
	assert_equal "$(json .account | sort)" \
		"$(printf '%s\n' default "default:$T/other.conf")"
	assert_equal "$(recipients)" "<carol@x.test>"
	assert_equal "$(cat other/*.env | sed -n "s/^rcpt //p")" "<bob@x.test>"
	# A file that is gone defers its own mail.
	send --queue=only -C other.conf bob@x.test <message
	exits 0
	mv other.conf gone.conf
	keep dave@x.test
	send -q
	exits 0
	says "bob@x.test: deferred: configuration file $T/other.conf: "
	assert_equal "$(entries | wc -l)" 1
	stored 2
	# What can be read only once is no configuration for later.
	send --queue=only -C <(cat gone.conf) bob@x.test <message
	exits 78
	says 'give a regular file'
}

@test "a damaged entry is set aside, the others go" {
	receiver box
	keep bob@x.test
	local first=$ID
	keep carol@x.test
	account "$PORT"
	printf x | dd of="$Q/$first" bs=1 seek=30 conv=notrunc status=none
	send -q --json
	exits 0
	says "smtpsend: $first: queue entry $first"
	assert_equal "$(attempts)" 'carol@x.test delivered'
	assert_equal "$(entries)" ''
	[ -e "$Q/broken/$first" ] && [ -s "$Q/broken/$first.why" ]
}

@test "an entry whose message is none any more is set aside" {
	receiver box
	# A header without an end, which is over the limit: the head is whole.
	yes 'a: b' | head -c 17000000 >>message
	sed -i '/^hello$/d' message
	keep bob@x.test
	local at
	at=$(grep -abo -m 1 'Subject: hi' "$Q/$ID" | cut -d: -f1)
	printf x | dd of="$Q/$ID" bs=1 seek=$((at + 11)) conv=notrunc status=none
	account "$PORT"
	send -q
	exits 0
	says "smtpsend: $ID: the message header is larger than 16 MiB"
	assert_equal "$(entries)" ''
	[ -e "$Q/broken/$ID" ]
	cmp <(echo 'the message header is larger than 16 MiB') \
		"$Q/broken/$ID.why"
	stored 0
}

@test "what a dead writer left is swept away" {
	keep bob@x.test
	touch "$Q/1j8ksvq00000000.tmp"
	send --queue-run=due
	exits 0
	[ ! -e "$Q/1j8ksvq00000000.tmp" ]
}

@test "two runs at once: each message once" {
	receiver box -w body
	local i
	for i in 1 2 3; do
		keep "bob$i@x.test"
	done
	account "$PORT"
	runs -q -j 1
	event 'waiting body'
	# All are the first one's, as one wave.
	send -q --json
	exits 0
	silent
	release
	end
	exits 0
	stored 3
	empty
}

# runs ARGUMENT...: a run in the background; end waits for it.
runs() {
	env --default-signal=HUP,INT,TERM "MARK=$T" "$SMTPSEND" "$@" \
		</dev/null >out 2>err 3>&- &
	PID=$!
	STARTED+=("$PID")
}

@test "a signal ends a run in order: nothing is lost, nor sent twice" {
	receiver box -w rcpt
	keep bob@x.test
	account "$PORT"
	runs -q
	event 'waiting rcpt'
	kill -TERM "$PID"
	end
	exits 75
	assert_equal "$(entries)" "$ID"
	"$TOOLS/spool" show "$Q" "$ID" >/dev/null
	# It counts for no try, and is due as before.
	receiver box2
	account "$PORT"
	send --queue-run=due --json
	exits 0
	assert_equal "$(attempts)" 'bob@x.test delivered'
	assert_equal "$(json .tries)" 1
	empty
}

@test "a runner that is killed: its messages are free, and in doubt at worst" {
	receiver box -w rcpt
	keep bob@x.test
	account "$PORT"
	runs -q
	event 'waiting rcpt'
	kill -KILL "$PID"
	status=0
	wait "$PID" || status=$?
	event gone
	gone # its worker had the locks, too
	receiver box2
	account "$PORT"
	send -q --json
	exits 0
	assert_equal "$(attempts)" 'bob@x.test delivered'
	stored box2 1
	empty
}

@test "-q with a time stays, and runs what is due" {
	receiver box
	keep bob@x.test
	account "$PORT"
	mkfifo out
	exec {OUT}<>out
	runs -q1w --json
	read -r -t 60 -u "$OUT" output
	assert_equal "$(attempts)" 'bob@x.test delivered'
	kill -TERM "$PID"
	rm out
	touch out
	end
	exits 0
	assert_equal "$stderr" ''
	empty
}

# stays ARGUMENT...: queue a message, and let the process that is left behind
# run; it is known by its $MARK.
stays() {
	LINES=()
	account "$PORT"
	env "MARK=$T" "$SMTPSEND" --queue "$@" <message
}

# left PROCESS: it alone has been left behind; none, if that is empty.
left() {
	[ "$(left_behind)" = "$1" ]
}

# one_left: there is one, and no worker of it or of who left it.
one_left() {
	[ "$(left_behind | wc -l)" = 1 ]
}

# waitfor is a program of its own, and calls them.
export -f left_behind left one_left

# gone: it has ended.
gone() {
	"$TESTS/servers/waitfor" 30 left ''
}

@test "a message that is queued leaves a runner, until the queue is empty" {
	receiver box -w body
	stays --queue=only bob@x.test 3>&-
	event 'waiting body'
	[ "$(left_behind | wc -l)" -ge 2 ] # it and its worker
	local pid
	for pid in $(left_behind | tr -dc '0-9\n'); do
		assert_equal "$(readlink "/proc/$pid/cwd")" /
		[ "$(readlink "/proc/$pid/fd/0")" = /dev/null ]
		[ "$(readlink "/proc/$pid/fd/1")" = /dev/null ]
		[ "$(cut -d' ' -f7 "/proc/$pid/stat")" = 0 ] # no terminal
	done
	release
	gone
	stored 1
	empty
	[ -e "$Q/stamp" ]
}

@test "one runner only, which sees what is queued while it waits" {
	receiver box
	stays --queue tempfail@x.test
	"$TESTS/servers/waitfor" 20 test -e "$Q/stamp"
	local first kept id
	kept=$(entries)
	"$TESTS/servers/waitfor" 20 one_left
	first=$(left_behind)
	stays --queue=only bob@x.test
	"$TESTS/servers/waitfor" 20 test -e box/1.msg
	for id in $(entries); do
		[ "$id" = "$kept" ] ||
			"$TESTS/servers/waitfor" 20 test ! -e "$Q/$id"
	done
	# Its worker, and a second one that found it there, have to end.
	"$TESTS/servers/waitfor" 20 left "$first"
	# What is left is taken away: then it has nothing to wait for.
	"$TOOLS/spool" remove "$Q" "$kept"
	stays --queue=only carol@x.test
	gone
	stored 2
	empty
}

@test "a signal ends the runner; the queue stays" {
	receiver box
	stays --queue tempfail@x.test
	"$TESTS/servers/waitfor" 20 test -e "$Q/stamp"
	"$TESTS/servers/waitfor" 20 one_left
	left_behind | tr -dc '0-9\n' | xargs kill
	gone
	[ "$(entries | wc -l)" = 1 ]
}

@test "queue_runner off leaves nobody behind" {
	receiver box
	account "$PORT"
	env "MARK=$T" "$SMTPSEND" --queue=only bob@x.test <message
	assert_equal "$(left_behind)" ''
	stored 0
}

# struck CALL COUNT ERROR ARGUMENT...: a run in which that call fails.
struck() {
	export ASAN_OPTIONS=detect_leaks=0 # not under strace
	run --separate-stderr strace -qqq -o /dev/null -e "trace=$1" \
		-e "inject=$1:error=$3:when=$2" "$SMTPSEND" "${@:4}"
}

@test "what cannot be noted: who has it is not asked again" {
	receiver box
	keep bob@x.test tempfail@x.test permfail@x.test
	account "$PORT"
	# The refusals, that the last octets go out, and what came of them.
	struck fdatasync 4 EIO -q --json
	exits 71
	says "$ID: cannot note what became of a message in" \
		"smtpsend: $ID: was written anew"
	assert_equal "$(entries)" "$ID"
	assert_equal "$(recipients)" $'<alice@client.test>\n<bob@x.test>'
	send -q --json
	exits 0
	assert_equal "$(attempts)" 'tempfail@x.test deferred'
	stored 2
}

@test "that cannot be noted before the last octets: they do not go out" {
	receiver box
	keep bob@x.test
	account "$PORT"
	struck fdatasync 1 ENOSPC -q --json
	exits 71
	stored 0
	assert_equal "$(attempts)" 'bob@x.test deferred'
	send -q --json
	assert_equal "$(attempts)" 'bob@x.test delivered'
	stored 1
	empty
}
