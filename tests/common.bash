# shellcheck shell=bash
# common.bash: what the .bats files of this folder share.  Every test has a
# folder of its own, $T, in which it runs, and its own receivers.

bats_require_minimum_version 1.5.0
source "${BASH_SOURCE[0]%/*}/assert.bash"

# No process is started here, unless it must be: this is read for each test.
TESTS=${BASH_SOURCE[0]%/*}
[[ ${SMTPSEND:-} == /* ]] ||
	SMTPSEND=$(realpath "${SMTPSEND:-$TESTS/../smtpsend}")
[[ ${TOOLS:-} == /* ]] ||
	TOOLS=$(realpath "${TOOLS:-$TESTS/../build/release/tools}")
export TESTS SMTPSEND TOOLS
export LC_ALL=C

# A message that lacks nothing, so that nothing is added to it.
MESSAGE=$'From: alice@client.test\nTo: bob@x.test
Date: Fri, 21 Nov 1997 09:55:06 -0600\nMessage-ID: <1@client.test>
Subject: hi\n\nhello\n'
WIRE=${MESSAGE//$'\n'/$'\r\n'}
export MESSAGE WIRE

common_setup() {
	export T=$BATS_TEST_TMPDIR
	cd "$T" || return
	export HOME=$T # nobody's configuration but the test's
	unset XDG_CONFIG_HOME XDG_STATE_HOME CREDENTIALS_DIRECTORY
	STARTED=()
	ENV=() # more arguments of env(1) for begin
	printf %s "$MESSAGE" >message
}

setup() {
	common_setup
}

# end_started: end what the test has started, by its process ids.
end_started() {
	local pid
	for pid in "${STARTED[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

teardown() {
	end_started
}

# receiver NAME SINK-OPTION...: start tests/tools/sink; it stores in $T/NAME,
# or throws away if the name is "none".  Sets PORT, SINK (its pid) and EVENTS (a descriptor with what it says).
# shellcheck disable=SC2034 # the tests use them
receiver() {
	local -a dir=()
	[ "$1" = none ] || { dir=("$T/$1") && mkdir "$T/$1"; }
	mkfifo "$T/$1.events"
	exec {EVENTS}<>"$T/$1.events"
	"$TESTS/servers/detach" "$T/$1.events" "$TOOLS/sink" "${@:2}" "${dir[@]}" &
	SINK=$!
	STARTED+=("$SINK")
	event listening
	PORT=${EVENT#listening }
}

# as_it_is: from here on no field is added.
as_it_is() {
	printf '%s\n' defaults 'set_from_header off' 'set_date_header off' \
		'set_msgid_header off' 'set_to_header off' >"$HOME/.smtpsendrc"
}

# event TEXT: the next line that the receiver says begins with TEXT.
event() {
	read -r -t 60 -u "$EVENTS" EVENT || fail "the receiver never said $1"
	[[ $EVENT == "$1"* ]] || fail "the receiver said $EVENT, not $1"
}

# release: a receiver that was told to wait goes on.
release() {
	kill -USR1 "$SINK"
}

# send ARGUMENT...: run smtpsend; $status, $output and $stderr tell of it.
send() {
	run --separate-stderr "$SMTPSEND" "$@"
}

# deliver ARGUMENT...: send the message in ./message to the receiver.
deliver() {
	send -f alice@client.test --host "127.0.0.1:$PORT" "$@" <message
}

# closed REDIRECTIONS ARGUMENT...: send with streams closed, like '<&- >&-'.
closed() {
	run --separate-stderr sh -c "exec \"\$@\" $1" sh "$SMTPSEND" "${@:2}"
}

# begin ARGUMENT...: smtpsend in the background, stderr in ./err, stdout in
# ./out, its pid in $PID; stdin is $INPUT, else ./message.  The shell lets
# what is in the background ignore SIGINT: here it does not.
begin() {
	env --default-signal=HUP,INT,TERM "${ENV[@]}" "MARK=$T" "$SMTPSEND" \
		-f alice@client.test "$@" <"${INPUT:-message}" \
		>out 2>err 3>&- &
	PID=$!
	STARTED+=("$PID")
}

# end: wait for what began; as after send.
end() {
	status=0
	wait "$PID" || status=$?
	output=$(cat out)
	stderr=$(cat err)
	assert_equal "$(left_behind)" ''
}

# left_behind: processes of begin that still run.
left_behind() {
	grep -lsz "^MARK=$T\$" /proc/[0-9]*/environ || true
}

# exits CODE
exits() {
	[ "$status" -eq "$1" ] || fail "exit code $status, not $1
stdout: $output
stderr: $stderr"
}

# says TEXT...: each stands in one line of stderr.
says() {
	local text
	for text; do
		grep -qF -- "$text" <<<"$stderr" || fail "no \"$text\" in stderr:
$stderr"
	done
}

# silent: nothing on stdout and stderr.
silent() {
	assert_equal "$output$stderr" ''
}

# usage_error TEXT...: 64, and one line on stderr that says so.
usage_error() {
	exits 64
	assert_equal "$output" ''
	[ "$(wc -l <<<"$stderr")" = 1 ] || fail "more than a line: $stderr"
	says 'smtpsend: ' "$@"
}

# stored [NAME] N: the receiver has so many messages.
stored() {
	local name=box
	[ $# -eq 1 ] || { name=$1 && shift; }
	assert_equal "$(find "$T/$name" -name '*.msg' | wc -l)" "$1"
}

# recipients [NAME/N]: who got message N, in order, on one line.
recipients() {
	sed -n 's/^rcpt //p' "$T/${1:-box/1}.env" | paste -sd ' '
}

# arrived OCTETS-FILE: message 1 has just these octets.
arrived() {
	cmp "$1" "$T/box/1.msg"
}

# json FILTER: from $output, by jq.
json() {
	jq -r "$1" <<<"$output"
}

# children PID: the processes whose parent it is, with their state.
children() {
	local stat pid rest state parent
	for stat in /proc/[0-9]*/stat; do
		read -r pid rest 2>/dev/null <"$stat" || continue
		rest=${rest##*) }
		read -r state parent _ <<<"$rest"
		[ "$parent" != "$1" ] || echo "$pid $state"
	done
}
