#!/usr/bin/env bats
# Whoever calls, and from wherever: nothing breaks, nobody is killed.
# shellcheck disable=SC2016,SC2154 # for another shell; run sets $stderr

load common

# to_box ARGUMENT...: the arguments of a plain delivery.
to_box() {
	"$@" -f a@x.test --host "127.0.0.1:$PORT" bob@x.test <message
}

@test "an empty environment" {
	receiver box
	run --separate-stderr to_box env -i "$SMTPSEND"
	exits 0
	silent
	stored 1
}

@test "no HOME, or one that is not there" {
	receiver box
	run --separate-stderr to_box env -u HOME "$SMTPSEND"
	exits 0
	run --separate-stderr to_box env HOME=/nowhere "$SMTPSEND"
	exits 0
	silent
	stored 2
}

@test "a TMPDIR that is not there matters to large messages only" {
	receiver box
	run --separate-stderr to_box env TMPDIR=/nowhere "$SMTPSEND"
	exits 0
	stored 1
}

@test "from / and from a folder that is gone" {
	receiver box
	exec 4<message
	cd /
	run --separate-stderr "$SMTPSEND" -f a@x.test \
		--host "127.0.0.1:$PORT" bob@x.test <&4
	exits 0
	mkdir "$T/gone"
	cd "$T/gone"
	rmdir "$T/gone"
	run --separate-stderr "$SMTPSEND" -f a@x.test \
		--host "127.0.0.1:$PORT" bob@x.test <"$T/message"
	exits 0
	silent
	stored 2
}

@test "stdout and stderr closed" {
	receiver box
	closed '<message >&-' -v --json -f a@x.test --host "127.0.0.1:$PORT" \
		bob@x.test
	exits 0
	closed '<message 2>&-' -v --json -f a@x.test --host "127.0.0.1:$PORT" \
		bob@x.test
	exits 0
	assert_equal "$(json .exit)" 0
	closed '<message >&- 2>&-' -v --json -f a@x.test \
		--host "127.0.0.1:$PORT" bob@x.test
	exits 0
	silent
	stored 3
}

@test "closed streams never become the connection" {
	receiver box
	closed '<&- >&- 2>&-' -v --json -f a@x.test --host "127.0.0.1:$PORT" \
		bob@x.test
	exits 66
	stored 0
	closed '<message >&- 2>&-' -v --json -f a@x.test \
		--host "127.0.0.1:$PORT" bob@x.test permfail@x.test
	exits 67
	printf %s "$WIRE" >expected
	arrived expected
}

# What is read is in a file, which would be the first to get their numbers.
@test "closed streams never become what is kept of a message" {
	local streams
	receiver box
	{ cat message; yes 'a line of text' | head -n 100000; } >large
	sed 's/$/\r/' large >expected
	for streams in '2>&-' '>&-' '>&- 2>&-'; do
		rm -f box/*
		run bash -c "cat large | \"\$@\" $streams" sh "$SMTPSEND" -v \
			--json -f a@x.test --host "127.0.0.1:$PORT" bob@x.test
		assert_equal "$status" 0
		cmp expected box/*.msg
	done
}

@test "a long plan that cannot be written: 73" {
	local -a to
	mapfile -t to < <(seq -f 'u%.0f@x.test' 5000)
	closed '<message >/dev/full' --dry-run -f a@x.test \
		--host 127.0.0.1 "${to[@]}"
	exits 73
	says 'cannot write the plan: No space left on device'
	closed '<message >/dev/full' --dry-run --json -f a@x.test \
		--host 127.0.0.1 "${to[@]}"
	exits 73
}

@test "a full stdout: a plan is lost (73), a delivery is not" {
	receiver box
	closed '<message >/dev/full' --dry-run -f a@x.test \
		--host "127.0.0.1:$PORT" bob@x.test
	exits 73
	says 'cannot write the plan'
	closed '<message >/dev/full' --json -f a@x.test \
		--host "127.0.0.1:$PORT" bob@x.test
	exits 0
	stored 1
	closed '<message >/dev/full' --json -f a@x.test \
		--host "127.0.0.1:$PORT" tempfail@x.test
	exits 75
}

@test "a plan to a closed stdout is lost: 73" {
	closed '<message >&-' --dry-run -f a@x.test --host 127.0.0.1 bob@x.test
	exits 73
	says 'cannot write the plan'
	closed '<message >&-' --dry-run --json -f a@x.test --host 127.0.0.1 \
		bob@x.test
	exits 73
}

@test "a full stderr changes nothing" {
	receiver box
	closed '<message 2>/dev/full' -v -f a@x.test --host "127.0.0.1:$PORT" \
		bob@x.test permfail@x.test
	exits 67
	stored 1
}

@test "readers of stdout and stderr that are gone change nothing" {
	receiver box
	mkfifo pipe
	exec {R}<>pipe
	exec 8>pipe
	exec {R}<&-
	closed '<message >&8 2>&8' -v --json -f a@x.test \
		--host "127.0.0.1:$PORT" bob@x.test
	exits 0
	stored 1
}

# big_writer ARGUMENT...: a writer of 10 MB; its status and ours on stdout.
big_writer() {
	yes 'X: a line of a message' | head -c 10M |
		"$SMTPSEND" "$@" 2>err
	echo "${PIPESTATUS[*]:1}"
}

@test "a caller that writes a message is not killed by SIGPIPE" {
	local status
	receiver box
	assert_equal "$(big_writer --bogus)" '0 64'
	assert_equal "$(big_writer -f a@x.test --host 127.0.0.1)" '0 64'
	assert_equal "$(big_writer -f 'a b' bob@x.test)" '0 64'
	assert_equal "$(big_writer -f a@x.test --mx --host h bob@x.test)" '0 64'
	assert_equal "$(big_writer -f a@x.test --host 127.0.0.1 bob)" '0 67'
	assert_equal "$(big_writer -f a@x.test --dry-run --host 127.0.0.1 b@x.test | tail -n 1)" '0 0'
}

@test "a caller is not killed when the disk is full, or the line has a NUL" {
	mkdir tmp
	assert_equal "$(TMPDIR=$T/none big_writer -f a@x.test --host 127.0.0.1 bob@x.test)" '0 71'
	assert_equal "$({ printf '\n\0\n'; yes | head -c 10M; } |
		"$SMTPSEND" -f a@x.test --host 127.0.0.1 bob@x.test 2>err
		echo "${PIPESTATUS[*]}")" '0 65'
}

@test "a user without a name: -f is needed, and is enough" {
	receiver box
	cp "$SMTPSEND" smtpsend
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T" smtpsend
	run --separate-stderr to_box setpriv --reuid=12345 --clear-groups \
		./smtpsend
	exits 0
	stored 1
	run --separate-stderr setpriv --reuid=12345 --clear-groups ./smtpsend \
		--host "127.0.0.1:$PORT" bob@x.test <message
	usage_error 'this user has no name' 'give -f'
}

@test "called as rmail: refused, not lost" {
	ln -s "$SMTPSEND" rmail
	run --separate-stderr ./rmail -t <message
	usage_error 'called as rmail,' 'call smtpsend'
	run --separate-stderr ./rmail --help <message
	exits 64
}

@test "the folder that a face is called from is not shown" {
	mkdir $'a\e[31m'
	ln -s "$SMTPSEND" $'a\e[31m/rmail'
	run --separate-stderr $'a\e[31m/rmail' <message
	usage_error 'called as rmail,'
}

@test "sendmail's caller is not killed by SIGPIPE" {
	ln -s "$SMTPSEND" sendmail
	assert_equal "$(yes | head -c 10M | ./sendmail --foo 2>err
		echo "${PIPESTATUS[*]:1}")" '0 64'
}

@test "by a path with spaces, by another name, by no name" {
	receiver box
	mkdir 'a folder'
	ln -s "$SMTPSEND" 'a folder/an smtp send'
	run --separate-stderr to_box './a folder/an smtp send'
	exits 0
	run --separate-stderr to_box bash -c 'exec -a "" "$0" "$@"' "$SMTPSEND"
	exits 0
	run --separate-stderr to_box bash -c 'exec -a /x/ "$0" "$@"' "$SMTPSEND"
	exits 0
	silent
	stored 3
}

@test "descriptors that the caller left open do no harm" {
	receiver box
	run --separate-stderr to_box bash -c \
		'for n in {10..200}; do eval "exec $n</dev/null"; done
		exec "$0" "$@"' "$SMTPSEND"
	exits 0
	stored 1
}

@test "few descriptors are enough" {
	receiver box
	run --separate-stderr to_box bash -c 'ulimit -n 8; exec "$0" "$@"' \
		"$SMTPSEND"
	exits 0
	stored 1
}

# no_leak_check: the sanitizer's own, which needs a process more.
no_leak_check() {
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0
}

@test "no process more is allowed: 71" {
	no_leak_check
	receiver box
	cp "$SMTPSEND" smtpsend
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T" smtpsend
	run --separate-stderr to_box setpriv --reuid=12346 --clear-groups \
		bash -c 'ulimit -u 1; exec "$0" "$@"' ./smtpsend
	exits 71
	says 'bob@x.test: deferred' 'could not be started'
	stored 0
}

@test "a set-gid program refuses to run" {
	[[ $SMTPSEND != */asan/* ]] || skip 'the sanitizer refuses too'
	cp "$SMTPSEND" smtpsend
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"
	chgrp 12345 smtpsend
	chmod 2755 smtpsend
	run --separate-stderr setpriv --reuid=12347 --clear-groups ./smtpsend \
		--version
	exits 78
	says 'must not be set-uid or set-gid'
}

@test "the terminal is told that a message is awaited" {
	receiver box
	run script -qec "stty -echo; printf '' | true; '$SMTPSEND' -f a@x.test --host 127.0.0.1:$PORT bob@x.test" \
		/dev/null < <(printf 'Subject: typed\n\nhello\n\4')
	assert_success
	assert_output --partial 'Ctrl-D ends it'
	stored 1
}
