#!/usr/bin/env bats
# A run of the queue, ended or refused at each system call: afterwards the next
# one delivers what is left, nobody gets it twice whose outcome was known, and
# what lies in the folder meanwhile is in the table of queue/spool.h.
#
# EVERY_CALL=1 strikes at every call, not only at each that follows another one
# for the first time.

load common
load queue

# Two messages for one connection; then a report.
setup() {
	queue_setup
	receiver now
	now=$PORT
	receiver later -t
	later=$PORT
	only_account default "$now"
	put 1 good@x.test tempfail@x.test permfail@x.test
	put 2 good@x.test
	mv "$Q" model
	# shellcheck disable=SC2034 # judge uses them
	wanted='<1@client.test> good@x.test
<1@client.test> tempfail@x.test
<2@client.test> good@x.test'
	# shellcheck disable=SC2034
	refused='<1@client.test> permfail@x.test'
}

# Calls that are not worth a failure: what they do cannot fail, or is nothing
# that one waits for.
INFALLIBLE='^(write|lseek|exit_group|brk|munmap|geteuid|getpid|getrandom|close|ppoll|wait4|rt_sigprocmask|uname)$'
# A sanitizer ends with its first mmap that fails.
! grep -q __asan_init "$SMTPSEND" || INFALLIBLE+='|^mmap$'

# prepare: the model is the queue again, and nobody has anything.
prepare() {
	rm -rf "$Q" now/* later/*
	cp -a model "$Q"
	only_account default "$now"
}

# calls BEGIN HOW...: what a run calls from the line of the trace on that has
# BEGIN in it: its name and how often it was called until then, a line each of
# ./calls.
calls() {
	prepare
	strace -o trace "${@:2}" "$SMTPSEND" -q >/dev/null 2>&1 || true
	awk -F'(' -v at="$1" -v every="${EVERY_CALL:-0}" '
		/^[a-z]/ { count[$1]++ }
		!begun && /^execve/ { next }
		index($0, at) { begun = 1 }
		begun && /^[a-z]/ {
			place = before " " $1
			before = $1
			if (every || !seen[place]++)
				print $1, count[$1]
		}' trace >calls
}

# first COMMAND...: a run that is disturbed.  It is over when all of its
# processes are: they have the pipe.
first() {
	set +e
	"$@" 2>&1 | cat >out
	status=${PIPESTATUS[0]}
	set -e
	settled "$now"
}

# struck HOW...: run it so that strace strikes.
struck() {
	first strace -qqq -o /dev/null "$@" "$SMTPSEND" -q
}

# recovered: what the first run left is one of the states, and the next one
# makes the best of it.
recovered() {
	"$TOOLS/states" "$Q" >states || return
	only_account default "$later"
	"$SMTPSEND" -q >again 2>&1 || return
	"$TOOLS/states" "$Q" >end
	grep -vx -e 'mark stamp' -e empty end >&2 && return 1
	served now >first
	served later >second
	judge states first second >judged
	[ ! -s judged ]
}

# seen STATE...: files were in each of these states after some strike.
seen() {
	local state
	for state; do
		grep -q "^[^ ]*\\b$state\\b" all_states ||
			fail "never seen: $state, only
$(sed '/^rcpt/d; s/ .*//' all_states | sort | uniq -c)"
	done
}

# tell WHAT: all that is known of a failure.
tell() {
	fail "$1: status $status
$(head -n 50 out states again end judged)"
}

# each_call HOW [BEGIN OTHER...]: strike, recover and check; ERROR in HOW is one
# of two.  OTHER are more arguments of strace, which leave their calls to us
# alone.
each_call() {
	local call count errors=(EIO ENOSPC)
	cases=0 troubled=0
	calls "${2:-"\"$Q\""}" "${@:3}"
	: >all_states
	while read -r call count <&4; do
		[[ $1 == signal=* || ! $call =~ $INFALLIBLE ]] || continue
		[[ "${*:3}" != *"inject=$call:"* ]] || continue
		prepare
		struck "${@:3}" -e \
			"inject=$call:${1/ERROR/${errors[cases % 2]}}:when=$count"
		((cases += 1))
		[ "$status" -eq 0 ] || ((troubled += 1))
		recovered || tell "$1 at $call $count"
		cat states >>all_states
	done 4<calls
	echo "$cases calls, $troubled in trouble"
}

@test "a run that nothing disturbs" {
	prepare
	first "$SMTPSEND" -q
	assert_equal "$status" 0
	recovered || tell undisturbed
	assert_equal "$(wc -l <first) $(wc -l <second)" '3 1'
}

@test "killed at each system call" {
	each_call signal=KILL
	((cases >= 60 && troubled >= cases - 3))
	seen queued 'done' untold doubtful draft
}

@test "an error at each system call" {
	each_call error=ERROR
	((cases >= 40 && troubled >= 30))
	seen queued
}

@test "a worker killed at each of its system calls" {
	local n total step=4
	[ -z "${EVERY_CALL:-}" ] || step=1
	prepare
	total=$("$TOOLS/strike" 0 "$SMTPSEND" -q 3>&1 >/dev/null 2>&1)
	total=${total#struck }
	((total > 60))
	: >all_states
	for ((n = 1; n <= total; n += step)); do
		prepare
		first "$TOOLS/strike" "$n" "$SMTPSEND" -q 3>/dev/null
		recovered || tell "killed at call $n"
		cat states >>all_states
	done
	seen queued
}

# failing_note: the number of the write that is to note who got the first
# message: the one behind that of its last octets.
failing_note() {
	calls "\"$Q\""
	awk -F'(' '/^pwrite64/ { n++ } /^sendto/ { print n + 1; exit }' trace
}

@test "a note that failed: the entry is written anew, and nobody is in doubt" {
	local nth
	nth=$(failing_note)
	prepare
	struck -e "inject=pwrite64:error=ENOSPC:when=$nth"
	assert_equal "$status" 71
	recovered || tell "a note that failed"
	run grep -c doubt states
	assert_output 0
	assert_equal "$(grep -v '^<dsn' first | sort)" \
		'<1@client.test> good@x.test
<2@client.test> good@x.test'
}

@test "killed or refused after a note that failed" {
	local how nth
	nth=$(failing_note)
	for how in signal=KILL error=ERROR; do
		each_call "$how" INJECTED -e "inject=pwrite64:error=ENOSPC:when=$nth"
		((cases >= 20))
	done
}
