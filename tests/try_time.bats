#!/usr/bin/env bats
# How long the sendmail face tries before it queues: try_time, -odi, -odb and
# -odq.  No server here ever answers where it is told to wait, so that a test
# which ends shows that somebody gave up.
# shellcheck disable=SC2154 # run sets $stderr

load common
load queue

TRY=1 # seconds: enough to come to any step here, however busy the machine is

setup() {
	queue_setup
	ln -s "$SMTPSEND" sendmail
	cp message big
	yes 0123456789012345678901234567890123456789 | head -n 200000 >>big
}

teardown() {
	end_started
	rm -rf "$XDG_STATE_HOME"
}

# config LINE...: the account's.
config() {
	printf '%s\n' defaults 'queue_runner off' 'maildomain home.test' \
		'account default' "$@" >.smtpsendrc
	chmod 600 .smtpsendrc
}

# relay STAGE [LINE...]: a server that waits there for ever.
relay() {
	receiver "$1" -w "$1"
	config 'host 127.0.0.1' "port $PORT" "try_time $TRY" "${@:2}"
}

# mute WHAT...: somebody who never answers.
mute() {
	mkfifo mute.events
	exec {EVENTS}<>mute.events
	"$TESTS/mute.py" "$@" >mute.events &
	STARTED+=("$!")
	event listening
	# shellcheck disable=SC2153 # event sets it
	PORT=${EVENT#listening }
}

# mail ARGUMENT...: ./message goes through sendmail.
mail() {
	run --separate-stderr ./sendmail -f alice@client.test "$@" \
		<"${INPUT:-message}"
}

# given_up STAGE [TEXT]: it is queued without a word, since it was not over in
# time, and the queue knows at which step, and why.
given_up() {
	local id
	exits 0
	silent
	id=$(entries)
	run "$SMTPSEND" --json --queue-show "$id"
	assert_equal "$(json '.recipients[0] | "\(.stage) \(.in_doubt)"')" \
		"$1 false"
	[[ $(json '.recipients[0].text') == \
		*"${2:-}not within try_time, $TRY s" ]]
	run ./sendmail -bp
	assert_output --partial "not within try_time, $TRY s"
}

# untouched: the receiver, which waits at its greeting, has not seen anybody
# but us: its first client is the last.
untouched() {
	local fd _
	exec {fd}<>"/dev/tcp/127.0.0.1/$PORT"
	event 'waiting greeting'
	release
	read -r -t 60 -u "$fd" _
	! read -r -t 0 -u "$EVENTS"
}

# start_mail ARGUMENT...: begin's counterpart of this face.
start_mail() {
	env --default-signal=HUP,INT,TERM "MARK=$T" ./sendmail \
		-f alice@client.test "$@" <"${INPUT:-message}" >out 2>err 3>&- &
	PID=$!
	STARTED+=("$PID")
}

# time_passes: more than try_time, which is somebody else's as well: of a
# mail that was begun later and has been given up.
time_passes() {
	local home=$T/other state port=$PORT sink=$SINK events=$EVENTS
	mkdir "$home"
	state=$(mktemp -d "$XDG_STATE_HOME/other.XXXXXX")
	receiver later -w greeting
	printf '%s\n' defaults 'queue_runner off' 'account default' \
		'host 127.0.0.1' "port $PORT" "try_time $TRY" >"$home/.smtpsendrc"
	HOME=$home XDG_STATE_HOME=$state ./sendmail -f alice@client.test \
		-oi bob@x.test <message
	PORT=$port SINK=$sink EVENTS=$events
}

@test "a server that is silent at any step costs try_time" {
	local stage
	for stage in greeting EHLO MAIL RCPT DATA; do
		relay "$stage"
		mail bob@x.test
		given_up "${stage,,}"
		rm -rf "$Q"
	done
}

@test "so does one that stops reading a long message" {
	relay body
	INPUT=big mail bob@x.test
	given_up end
}

@test "the last octets end try_time" {
	relay end
	start_mail bob@x.test
	event 'waiting end'
	time_passes
	[ "$(left_behind)" != '' ]
	release
	end
	exits 0
	silent
	stored end 1
	assert_equal "$(entries)" ''
}

@test "a host that answers to no attempt to connect" {
	mute connect
	config 'host 127.0.0.1' "port $PORT" "try_time $TRY"
	mail bob@x.test
	given_up connect "connect to 127.0.0.1 port $PORT: "
}

@test "the next host is not begun when the first has had the time" {
	receiver first -w MAIL
	local first=$PORT
	receiver second -w greeting
	config "host 127.0.0.1:$first,127.0.0.1:$PORT" "try_time $TRY"
	mail bob@x.test
	given_up mail
	untouched
}

@test "a proxy that says nothing" {
	receiver proxy -w greeting
	config 'host 127.0.0.1' 'port 9' "proxy socks5://127.0.0.1:$PORT" \
		"try_time $TRY"
	mail bob@x.test
	given_up connect
}

@test "TLS that is never made" {
	relay greeting 'tls on' 'tls_starttls off'
	mail bob@x.test
	given_up starttls
}

@test "a password that nobody gives" {
	receiver box
	mkfifo password
	config 'host 127.0.0.1' "port $PORT" "try_time $TRY" 'user alice' \
		'auth on' 'passwordeval cat password'
	mail bob@x.test
	given_up auth
	stored 0
}

@test "a name server that is silent, for MX and for a smarthost" {
	mute udp 53
	config 'mx on' "try_time $TRY"
	mail bob@x.test
	given_up lookup 'look-up of x.test (MX): '
	rm -rf "$Q"
	config 'host mail.relay.test' "try_time $TRY"
	mail bob@x.test
	given_up lookup 'look-up of mail.relay.test: '
}

@test "of several domains none is asked for when the time is over" {
	mute udp 53
	config 'mx on' "try_time $TRY"
	mail bob@x.test eve@y.test dave@z.test
	exits 0
	run ./sendmail -bp
	for domain in x y z; do
		assert_output --partial "look-up of $domain.test (MX): not within"
	done
}

@test "-odi, try_time off and a queue that is off know no such bound" {
	local settings=("try_time $TRY" 'try_time off' 'queue off')
	local i letters=(-odi -oi -oi)
	for i in 0 1 2; do
		relay "greeting" "${settings[i]}"
		start_mail "${letters[i]}" bob@x.test
		event 'waiting greeting'
		time_passes
		[ "$(left_behind)" != '' ]
		release
		end
		exits 0
		stored greeting 1
		assert_equal "$(entries)" ''
		rm -rf "$T/greeting" "$T/greeting.events" "$T/other" \
			"$T/later" "$T/later.events"
	done
}

@test "the native face has no try_time" {
	relay greeting 'queue on'
	begin bob@x.test
	event 'waiting greeting'
	time_passes
	[ "$(left_behind)" != '' ]
	release
	end
	exits 0
	stored greeting 1
}

@test "a signal ends a try, and what is left is queued" {
	relay greeting 'try_time 1h'
	start_mail bob@x.test
	event 'waiting greeting'
	kill -TERM "$PID"
	end
	exits 0
	says 'interrupted'
	assert_equal "$(entries | wc -l)" 1
}

@test "-odq queues and leaves it there, -odb has it tried" {
	receiver box
	config 'host 127.0.0.1' "port $PORT" 'queue_runner on'
	mail -odq bob@x.test
	exits 0
	assert_equal "$(entries | wc -l)" 1
	stored 0
	[ ! -e "$Q/runner" ]
	rm -rf "$Q"
	receiver late -n 1
	config 'host 127.0.0.1' "port $PORT" 'queue_runner on'
	run --separate-stderr env "MARK=$T" ./sendmail -f alice@client.test \
		-odb bob@x.test <message
	exits 0
	event 'stored 1'
	stored late 1
	stored 0
	# It writes to the queue until its end.
	"$TESTS/servers/waitfor" 30 nobody_left
}

nobody_left() { [ -z "$(left_behind)" ]; }
export -f left_behind nobody_left # waitfor is a program of its own

@test "without a queue -odq and -odb send at once" {
	local letters
	receiver box
	config 'host 127.0.0.1' "port $PORT" 'queue off'
	for letters in -odq -odb; do
		mail "$letters" bob@x.test
		exits 0
	done
	stored 2
}

@test "try_time is a time, or off" {
	local value
	for value in 0 -1 soon 2d 0.0001; do
		config "try_time $value"
		mail bob@x.test
		exits 78
		says .smtpsendrc:5: "try_time \"$value\": give off, or a time"
	done
	receiver box
	for value in 0.5 30 2m 1d off; do
		config 'host 127.0.0.1' "port $PORT" "try_time $value"
		mail bob@x.test
		exits 0
	done
	stored 5
}
