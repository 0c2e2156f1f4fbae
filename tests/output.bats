#!/usr/bin/env bats
# What is shown: the dialogue, the result as JSON, the plan.
# shellcheck disable=SC2154 # run sets $stderr

load common

# Octets that must not come out as they went in: escape, bell, C1, DEL,
# broken UTF-8, and the mark that turns text around.
HOSTILE=$'"\\\e]52;c;x\a\e[31m\b\t\177\302\233 \377\303 \342\200\256<&>\303\274'

# harmless TEXT: no control character, no direction mark, valid UTF-8.
harmless() {
	iconv -f UTF-8 -t UTF-8 <<<"$1" >/dev/null
	! LC_ALL=C grep -qP '[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' \
		<<<"$1"
}

# valid: stdout is one JSON value in one line.
valid() {
	assert_equal "$(wc -l <<<"$output")" 1
	/usr/bin/python3 -m json.tool <<<"$output" >/dev/null
	harmless "$output"
}

# two_routes ARGUMENT...: to two receivers at two addresses, one port.
two_routes() {
	receiver other -a 127.0.0.2
	receiver box -p "$PORT"
	send -f a@x.test --mx --port "$PORT" "$@" 'bob@[127.0.0.1]' \
		'eve@[127.0.0.2]' <message
}

@test "-v shows the dialogue as it is, line by line" {
	receiver box
	deliver -v bob@x.test
	exits 0
	assert_equal "$output" ''
	assert_equal "$(sed 's/ SIZE=.*//; /^--/d; s/EHLO .*/EHLO/' <<<"$stderr")" \
		'S: 220 sink.test ESMTP ready
C: EHLO
S: 250-sink.test
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SIZE 4294967296
S: 250 ENHANCEDSTATUSCODES
C: MAIL FROM:<alice@client.test>
S: 250 2.1.0 sender ok
C: RCPT TO:<bob@x.test>
S: 250 2.1.5 recipient ok
C: DATA
S: 354 end with CRLF.CRLF
C: .
S: 250 2.0.0 stored as 1
C: QUIT'
	grep -q -- '^-- 131 octets of message' <<<"$stderr"
}

@test "-v appears while it happens" {
	receiver box -w rcpt
	begin -v --host "127.0.0.1:$PORT" bob@x.test
	event 'waiting rcpt'
	timeout 10 "$TESTS/servers/waitfor" 10 grep -q '^C: RCPT' err
	release
	end
	exits 0
}

@test "-v tells the routes apart when several run" {
	two_routes -v
	exits 0
	says '127.0.0.1#1 C: RCPT TO:<bob@[127.0.0.1]>' \
		'127.0.0.2#2 C: RCPT TO:<eve@[127.0.0.2]>' \
		'127.0.0.1#1 S: 250 2.0.0 stored' '127.0.0.2#2 S: 250 2.0.0 stored'
	assert_equal "$(grep -cvE '^127\.0\.0\.([12])#\1 (C:|S:|--) ' \
		<<<"$stderr" || true)" 0
	stored 1
	stored other 1
}

@test "-j 1 takes one route after the other" {
	two_routes -v -j 1
	exits 0
	assert_equal "$(sed -nE 's/^127\.0\.0\.([12]).*/\1/p' <<<"$stderr" |
		uniq | paste -sd ' ')" '1 2'
	stored 1
	stored other 1
}

@test "-j 8 takes them side by side" {
	receiver other -a 127.0.0.2 -w greeting
	local first=$SINK heard=$EVENTS
	receiver box -p "$PORT" -w greeting
	begin -j 8 --mx --port "$PORT" 'bob@[127.0.0.1]' 'eve@[127.0.0.2]'
	event 'waiting greeting'
	EVENTS=$heard event 'waiting greeting'
	release
	kill -USR1 "$first"
	end
	exits 0
}

@test "-j bounds how many run at once" {
	local i sinks=() events=()
	receiver box -w greeting
	sinks+=("$SINK")
	for i in 2 3; do
		receiver "box$i" -a "127.0.0.$i" -p "$PORT" -w greeting
		sinks+=("$SINK")
		events+=("$EVENTS")
	done
	begin --mx -j 2 --port "$PORT" 'bob@[127.0.0.3]' 'eve@[127.0.0.2]' \
		'fay@[127.0.0.1]'
	for EVENTS in "${events[@]}"; do # of the first two routes
		event 'waiting greeting'
	done
	assert_equal "$(children "$PID" | wc -l)" 2
	kill -USR1 "${sinks[@]}"
	end
	exits 0
	stored 1
	stored box2 1
	stored box3 1
}

@test "literals of both families are routes of their own" {
	receiver six -a ::1
	receiver box -p "$PORT"
	send -f a@x.test --mx --port "$PORT" 'bob@[127.0.0.1]' \
		'eve@[IPv6:::1]' 'fay@[IPv6:0:0:0:0:0:0:0:1]' <message
	exits 0
	assert_equal "$(recipients)" '<bob@[127.0.0.1]>'
	assert_equal "$(recipients six/1)" \
		'<eve@[IPv6:::1]> <fay@[IPv6:0:0:0:0:0:0:0:1]>'
}

@test "a server's octets are made harmless, in text and in JSON" {
	local stage
	for stage in greeting mail rcpt data end; do
		receiver "$stage" -r "$stage=550 5.7.1 $HOSTILE"
		deliver -v --json bob@x.test
		exits 77
		valid
		harmless "$(tr -d '\n' <<<"$stderr")"
		says 'S: 550 5.7.1 ' '\x1B]52'
		assert_equal "$(json '.recipients[0].code')" 550
		assert_equal "$(json '.recipients[0].text' | grep -c 52)" 1
	done
}

@test "what a server says of itself is made harmless" {
	receiver box -r "ehlo=250-$HOSTILE"$'\r\n'"250 SIZE $HOSTILE"
	deliver -v --json bob@x.test
	exits 69 # the receiver did not hear the EHLO
	valid
	harmless "$(tr -d '\n' <<<"$stderr")"
	says 'S: 250-"' 'S: 250 SIZE "'
}

@test "a line end inside a reply forges no line" {
	receiver box -r $'rcpt=550-5.1.1 one\nsmtpsend: all is well\r\n550 5.1.1 \rtwo'
	deliver --json bob@x.test
	valid
	assert_equal "$(wc -l <<<"$stderr")" 1
	[[ $stderr == 'smtpsend: bob@x.test: '* ]]
}

@test "a garbled reply is shown harmless too" {
	receiver box -r "mail=$HOSTILE"
	deliver -v --json bob@x.test
	exits 75
	valid
	harmless "$(tr -d '\n' <<<"$stderr")"
	assert_equal "$(json '.recipients[0].kind')" protocol
}

@test "hostile recipients are made harmless" {
	deliver_nowhere() {
		send --json -f a@x.test --host 127.0.0.1 "$1" <message
	}
	deliver_nowhere "$HOSTILE@x.test"
	exits 67
	valid
	harmless "$(tr -d '\n' <<<"$stderr")"
	deliver_nowhere $'bob\e[31m\n@x.test'
	valid
	assert_equal "$(wc -l <<<"$stderr")" 1
}

@test "hostile options and hosts are made harmless" {
	local option
	for option in --host --port --helo --timeout --jobs --source-ip \
		--resolve --nameserver; do
		send "$option" "$HOSTILE"$'\n' -f a@x.test bob@x.test <message
		usage_error
		harmless "$(tr -d '\n' <<<"$stderr")"
	done
	send -f "$HOSTILE" --host h bob@x.test <message
	usage_error
	harmless "$(tr -d '\n' <<<"$stderr")"
}

@test "--json says all of every recipient" {
	receiver box
	deliver --json bob@x.test permfail@x.test tempfail@x.test b@
	exits 67
	valid
	assert_equal "$(json .exit)" 67
	assert_equal "$(json .sender)" alice@client.test
	assert_equal "$(json .size)" 131
	assert_equal "$(json '.recipients | length')" 4
	assert_equal "$(json '.recipients[0:3][] | [.address, .outcome,
		.in_doubt, .stage, .code, .enhanced, .kind, .text, .host, .ip]
		| map(tostring) | join("|")')" \
		'bob@x.test|delivered|false|end|250|2.0.0|reply|250 2.0.0 stored as 1|127.0.0.1|127.0.0.1
permfail@x.test|failed|false|rcpt|550|5.1.1|reply|550 5.1.1 no such user|127.0.0.1|127.0.0.1
tempfail@x.test|deferred|false|rcpt|451|4.7.1|reply|451 4.7.1 try again later|127.0.0.1|127.0.0.1'
	assert_equal "$(json '.recipients[0].port')" "$PORT"
	assert_equal "$(json '.recipients[3] | [.address, .outcome, .stage,
		.code, .enhanced, .host] | map(tostring) | join("|")')" \
		'b@|failed|input|0|5.1.3|'
}

@test "--json also tells of what never left" {
	send --json -f a@x.test --host 127.0.0.1 bob@x.test <.
	exits 66
	valid
	assert_equal "$(json '.exit, .size, .recipients[0].outcome')" \
		$'66\n0\nfailed'
	printf 'a\0b' >nul
	send --json -f a@x.test --host 127.0.0.1 bob@x.test <nul
	exits 65
	valid
	assert_equal "$(json .exit)" 65
}

@test "a usage error leaves stdout empty, with --json too" {
	send --json --bogus <message
	usage_error
	send --json -f a@x.test --host 127.0.0.1 <message
	usage_error
}

@test "the plan in text: sender, size, routes, hosts, recipients" {
	send --dry-run -f a@x.test --host \
		"mail.x.test,[::1]:26,lmtp://127.0.0.2,unix:/run/l" \
		--resolve mail.x.test:25:127.0.0.1 \
		--resolve mail.x.test:25:::1 bob@x.test eve@y.test <message
	exits 0
	assert_equal "$stderr" ''
	assert_output 'from <a@x.test>
message 131 octets, 7-bit
route 1 by smarthost
  host mail.x.test port 25 smtp: 127.0.0.1, ::1
    tls may, by default
  host ::1 port 26 smtp
    tls may, by default
  host 127.0.0.2 port 24 lmtp
    tls may, by default
  host /run/l lmtp
    tls none, by default
  to bob@x.test
  to eve@y.test'
}

@test "the plan of literals: a route each" {
	send --dry-run -f '' --mx 'bob@[203.0.113.1]' 'eve@[IPv6:2001:db8::1]' \
		'fay@[203.0.113.1]' < <(printf 'Subject: \303\274\n%s' "$MESSAGE")
	exits 0
	assert_output 'from <>
message 144 octets, 8-bit
route 1 by address literal
  host 203.0.113.1 port 25 smtp
    tls may, by default
  to bob@[203.0.113.1]
  to fay@[203.0.113.1]
route 2 by address literal
  host 2001:db8::1 port 25 smtp
    tls may, by default
  to eve@[IPv6:2001:db8::1]'
}

@test "the plan as JSON" {
	send --dry-run --json -f a@x.test \
		--host 'mail.x.test:26,unix:/run/l' \
		--resolve mail.x.test:26:192.0.2.1 bob@x.test <message
	exits 0
	valid
	assert_equal "$(json '.exit, .sender, .size')" $'0\na@x.test\n131'
	assert_equal "$(jq -c '.routes' <<<"$output")" \
		'[{"by":"smarthost","account":"","auth":null,"targets":[{"host":"mail.x.test","port":26,"preference":0,"transport":"smtp","addresses":["192.0.2.1"],"tls":{"level":"may","implicit":false,"source":"default"}},{"host":"/run/l","port":0,"preference":0,"transport":"lmtp","addresses":["/run/l"],"tls":{"level":"none","implicit":false,"source":"default"}}],"to":["bob@x.test"]}]'
	assert_equal "$(json '.recipients[0].outcome')" pending
}

@test "who cannot be routed makes the plan's exit code" {
	send --dry-run --json -f a@x.test --mx 'bob@[203.0.113.1]' \
		postmaster 'eve@[203.0.113.2]' <message
	exits 67
	valid
	assert_equal "$(json '.exit')" 67
	assert_equal "$(json '[.recipients[].outcome] | join(" ")')" \
		'pending failed pending'
	assert_equal "$(json '[.routes[].to[]] | join(" ")')" \
		'bob@[203.0.113.1] eve@[203.0.113.2]'
	says 'smtpsend: postmaster: failed at lookup'
}

@test "a plan for nobody still stands" {
	send --dry-run -f a@x.test --host 127.0.0.1 b@ <message
	exits 67
	assert_line 'from <a@x.test>'
	refute_line --partial '  to '
}

@test "--json is whole for as many recipients as arguments hold" {
	local i
	receiver none -r "mail=554 $(printf '"%.0s' {1..480})"
	for ((i = 0; i < 65000; i += 5000)); do
		set -- "$@" "$(seq -s , -f 'u%.0f@x.test' "$i" "$((i + 4999))")"
	done
	"$SMTPSEND" -f a@x.test --json --host "127.0.0.1:$PORT" "$@" <message \
		>out 2>err || status=$?
	assert_equal "$status" 69
	[ "$(wc -c <out)" -gt $((64 * 1024 * 1024)) ]
	assert_equal "$(jq -c '[.exit, (.recipients | length)]' out)" '[69,65000]'
	assert_equal "$(wc -l <err)" 65000
}

@test "the path of a socket is shown whole" {
	local path
	path=/tmp/$(printf 'p%.0s' {1..100})
	send -f a@x.test --json --host "unix:$path" bob@x.test <message
	exits 75
	assert_equal "$(json '.recipients[0].ip')" "$path"
	says "deferred at connect, $path: connect to"
	send -f a@x.test --dry-run --host "unix:$path" bob@x.test <message
	exits 0
	assert_equal "$(grep "^  host" <<<"$output")" "  host $path lmtp"
}
