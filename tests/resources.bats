#!/usr/bin/env bats
# What a run takes of the machine.
# shellcheck disable=SC2154 # run sets $stderr

load common

LINE='.a line of 64 octets, sixteen million of which fill a whole GiB'

setup() {
	# The sanitizers have memory and libraries of their own.
	[[ $SMTPSEND != */asan/* ]] || skip 'of the release build only'
	common_setup
}

# peaks: the most memory that smtpsend and its worker have ever had, KiB.
peaks() {
	local pid
	for pid in "$PID" "$(children "$PID" | cut -d ' ' -f 1)"; do
		sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status"
	done
}

# frugal: neither has taken more than 12 MiB, now that all is sent.
frugal() {
	local -a peak
	event 'waiting end'
	mapfile -t peak < <(peaks)
	release
	end
	exits 0
	echo "KiB: ${peak[*]}"
	assert_equal ${#peak[@]} 2
	((peak[0] > 0 && peak[0] <= 12288))
	((peak[1] > 0 && peak[1] <= 12288))
}

@test "1 GiB from a pipe takes at most 12 MiB of memory" {
	mkdir tmp
	mkfifo in
	receiver none -w end
	TMPDIR=$T/tmp INPUT=in begin --host "127.0.0.1:$PORT" bob@x.test
	{
		cat message
		yes "$LINE" | head -c 1G
	} >in
	frugal
}

@test "64 MiB in place take as little" {
	{ cat message; yes "$LINE" | head -c 64M; } >large
	receiver none -w end
	INPUT=large begin --host "127.0.0.1:$PORT" bob@x.test
	frugal
}

@test "only libc and libresolv are linked" {
	# Since glibc 2.34 libresolv may have nothing that is missing in libc.
	[[ $(ldd "$SMTPSEND" | sed -nE 's/^\s*(\S*\/)?(lib[a-z]+)\.so.*/\2/p' |
		sort | paste -sd ' ') =~ ^libc(\ libresolv)?$ ]]
}

@test "no library is loaded that a run does not use" {
	receiver box
	LD_DEBUG=files LD_DEBUG_OUTPUT=$T/debug deliver bob@x.test
	exits 0
	[[ $(sed -nE 's/.*calling init: .*\/(lib[a-z_0-9]+)\.so.*/\1/p' debug.* |
		sort -u | paste -sd ' ') =~ ^libc(\ libresolv)?$ ]]
}

@test "a worker has its own two sockets, and no other's" {
	local pid sinks heard
	receiver other -a 127.0.0.2 -w rcpt
	sinks=$SINK heard=$EVENTS
	receiver box -p "$PORT" -w rcpt
	begin --mx --port "$PORT" 'bob@[127.0.0.2]' 'eve@[127.0.0.1]'
	event 'waiting rcpt'
	EVENTS=$heard event 'waiting rcpt'
	while read -r pid _; do
		assert_equal "$(find "/proc/$pid/fd" -lname 'socket:*' | wc -l)" 2
	done < <(children "$PID")
	assert_equal "$(children "$PID" | wc -l)" 2
	kill -USR1 "$sinks" "$SINK"
	end
	exits 0
}

@test "more jobs than open files: the rest waits for its turn" {
	local -a to
	mapfile -t to < <(printf 'bob@[127.0.0.%d]\n' {1..40})
	run --separate-stderr timeout -s KILL 60 sh -c \
		'ulimit -n 20 && exec "$@" <message' sh \
		"$SMTPSEND" -f a@x.test -j 100 --port 1 "${to[@]}"
	exits 75
	assert_equal "$(grep -c 'Connection refused' <<<"$stderr")" 40
}
