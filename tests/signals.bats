#!/usr/bin/env bats
# Signals and killed processes: what is said is what became of the message.
# shellcheck disable=SC2154 # run sets $stderr

load common

STAGES='greeting ehlo mail rcpt data'

# at STAGE ARGUMENT...: a delivery that has come there and waits.
at() {
	receiver box -w "$1"
	begin --json --host "127.0.0.1:$PORT" "${@:2}" bob@x.test
	event "waiting $1"
}

# worker: the pid of the only child.
worker() {
	local -a found
	mapfile -t found < <(children "$PID")
	assert_equal ${#found[@]} 1
	echo "${found[0]% *}"
}

# only_one: one child is left, and it is no zombie.
only_one() { [[ $(children "$PID") =~ ^[0-9]+\ S$ ]]; }
export -f children only_one # waitfor is a program of its own, and calls it

# one: what is told of the only recipient.
one() {
	json '.recipients[0] | "\(.outcome) \(.in_doubt) \(.stage)"'
}

# not_sent: the connection ended, and the receiver has nothing.
not_sent() {
	release
	event gone
	stored 0
	assert_equal "$(find "$T/box" -type f)" ''
}

@test "a signal while the message is read: 75, nothing was sent" {
	local signal
	receiver box
	mkfifo in
	for signal in TERM INT HUP; do
		INPUT=in begin --host "127.0.0.1:$PORT" bob@x.test
		exec {IN}>in
		# More than a pipe holds: it is being read.
		head -c 200000 message /dev/zero >&"$IN"
		kill -$signal "$PID"
		end
		exec {IN}>&-
		exits 75
		says 'interrupted, nothing was sent'
	done
	stored 0
}

@test "a signal at any stage before the dot: 75, nothing is stored" {
	local stage
	for stage in $STAGES; do
		at "$stage"
		kill -TERM "$PID"
		end
		exits 75
		assert_equal "$(one)" "deferred false $stage"
		says interrupted
		not_sent
		rm -r box box.events
	done
}

@test "a signal between connections is heard: SIGINT and SIGHUP too" {
	local signal
	for signal in INT HUP; do
		at rcpt
		kill -$signal "$PID"
		end
		exits 75
		not_sent
		rm -r box box.events
	done
}

@test "a signal in the midst of the data: no dot, 75" {
	{ cat message; yes | head -c 32M; } >large
	INPUT=large at body
	kill -TERM "$PID"
	end
	exits 75
	assert_equal "$(one)" 'deferred false end'
	not_sent
}

@test "a signal behind the dot waits for the server's answer" {
	at end
	kill -TERM "$PID"
	kill -TERM "$(worker)"
	kill -INT "$PID"
	release
	end
	exits 0
	assert_equal "$(one)" 'delivered false end'
	stored 1
}

@test "a signal behind the dot, and no answer: in doubt, 75" {
	at end --timeout 2
	kill -TERM "$PID"
	end
	exits 75
	assert_equal "$(one)" 'deferred true end'
	says 'may have been delivered'
	stored 1 # indeed
}

@test "no answer to the dot: in doubt, 75" {
	at end --timeout 2
	end
	exits 75
	assert_equal "$(one)" 'deferred true end'
	says 'may have been delivered'
}

@test "SIGHUP that the caller ignores stays ignored" {
	ENV=(--ignore-signal=HUP)
	at rcpt
	kill -HUP "$PID"
	kill -HUP "$(worker)"
	release
	end
	exits 0
	stored 1
}

@test "SIGINT that the caller ignores stays ignored while reading" {
	receiver box
	mkfifo in
	ENV=(--ignore-signal=INT)
	INPUT=in begin --host "127.0.0.1:$PORT" bob@x.test
	exec {IN}>in
	{ cat message; yes | head -c 200000; } >&"$IN"
	kill -INT "$PID"
	exec {IN}>&-
	end
	exits 0
	stored 1
}

@test "a signal that the caller blocks, and that came before, is kept" {
	ENV=(--block-signal=TERM)
	at rcpt
	kill -TERM "$PID"
	release
	end
	exits 0
	stored 1
}

@test "a worker killed before the dot: temporary, not in doubt" {
	local stage
	for stage in $STAGES; do
		at "$stage"
		kill -KILL "$(worker)"
		end
		exits 71
		assert_equal "$(one)" 'deferred false none'
		says 'killed by signal 9'
		not_sent
		rm -r box box.events
	done
}

@test "a worker killed in the midst of the data: not in doubt" {
	{ cat message; yes | head -c 32M; } >large
	INPUT=large at body
	kill -KILL "$(worker)"
	end
	exits 71
	assert_equal "$(one)" 'deferred false none'
	not_sent
}

@test "a worker killed behind the dot: in doubt, 75" {
	at end
	kill -KILL "$(worker)"
	end
	exits 75
	assert_equal "$(one)" 'deferred true end'
	says 'killed by signal 9 after the end of data' 'may have been delivered'
	stored 1
}

@test "a worker killed costs its own route only" {
	receiver other -a 127.0.0.2
	receiver box -w rcpt -p "$PORT"
	begin --json --mx --port "$PORT" 'bob@[127.0.0.1]' 'eve@[127.0.0.2]'
	event 'waiting rcpt'
	# The other one has done its work, and is gone.
	PID=$PID "$TESTS/servers/waitfor" 20 only_one
	kill -KILL "$(worker)"
	end
	exits 69
	assert_equal "$(json '[.recipients[].outcome] | join(" ")')" \
		'deferred delivered'
	says 'other recipients have the message'
	not_sent
	stored other 1
}

@test "the parent killed: its worker delivers no more" {
	local stage
	for stage in $STAGES; do
		at "$stage"
		kill -KILL "$PID"
		event gone
		"$TESTS/servers/waitfor" 10 nobody_left
		release
		stored 0
		rm -r box box.events
	done
}

@test "the parent killed in the midst of the data: no dot" {
	{ cat message; yes | head -c 32M; } >large
	INPUT=large at body
	kill -KILL "$PID"
	event gone
	stored 0
	"$TESTS/servers/waitfor" 10 nobody_left
}

# waitfor is a program of its own, and calls it.
nobody_left() { [ -z "$(left_behind)" ]; }
export -f left_behind nobody_left

@test "a worker that is done leaves no zombie" {
	receiver other -a 127.0.0.2
	receiver box -w rcpt -p "$PORT"
	begin --json --mx --port "$PORT" 'bob@[127.0.0.1]' 'eve@[127.0.0.2]'
	event 'waiting rcpt'
	PID=$PID "$TESTS/servers/waitfor" 10 only_one
	release
	end
	exits 0
	stored 1
	stored other 1
}

@test "after a signal no route is begun" {
	receiver other -a 127.0.0.2
	receiver box -w rcpt -p "$PORT"
	begin --json --mx -j1 --port "$PORT" 'bob@[127.0.0.1]' 'eve@[127.0.0.2]'
	event 'waiting rcpt'
	kill -TERM "$PID"
	end
	exits 75
	assert_equal "$(json '[.recipients[].outcome] | join(" ")')" \
		'deferred deferred'
	not_sent
	stored other 0
}

@test "a signal is heard while nobody reads the dialogue" {
	local -a many
	mapfile -t many < <(seq -f 'u%.0f@x.test' 3000)
	receiver box
	mkfifo err
	exec {ERR}<>err
	begin -v --host "127.0.0.1:$PORT" "${many[@]}"
	# It stands in write(2) to descriptor 2, and will until there is room.
	"$TESTS/servers/waitfor" 60 grep -qE '^[0-9]+ 0x2 ' "/proc/$PID/syscall"
	# The first one ends the delivery, the next ones what is left to say.
	"$TESTS/servers/waitfor" 30 sh -c "! kill -TERM $PID"
	status=0
	wait "$PID" || status=$?
	exec {ERR}>&-
	[ "$status" -eq 75 ] || [ "$status" -eq 69 ]
	assert_equal "$(left_behind)" ''
}
