# shellcheck shell=bash
# shellcheck disable=SC2034 # who loads it uses all
# strike.bash: a command ended or refused at each of its system calls.
#
# STRIKE is the command, STRIKE_INPUT what it reads, STRIKE_FROM the words with
# which the calls begin that matter; prepare is the test's own.  STRIKE_ONLY
# may say which calls a death comes at.

# Calls that are not worth a failure: what they do cannot fail, or is not the
# store's.
INFALLIBLE='^(write|lseek|exit_group|brk|munmap|geteuid|getegid|getrandom)$'

# Those that change what is on the disk: between them a death leaves the same.
CHANGES_DISK='^(openat|pwrite64|fsync|syncfs|rename.*|unlinkat|mkdirat|fchmod)$'

# calls ARGUMENT...: what it calls from STRIKE_FROM on, a line of ./calls
# each: its name, and how often it was called until then.
calls() {
	strace -o trace "${STRIKE[@]}" "$@" <"$STRIKE_INPUT" >/dev/null 2>&1 ||
		true
	awk -F'(' -v from="$STRIKE_FROM" '
		/^[a-z]/ { count[$1]++ }
		!begun && /^execve/ { next }
		index($0, from) { begun = 1 }
		begun && /^[a-z]/ { print $1, count[$1] }' trace >calls
}

# struck CALL COUNT HOW ARGUMENT...: run it with that call struck by HOW.
struck() {
	status=0
	strace -qqq -o /dev/null -e "trace=$1" -e "inject=$1:$3:when=$2" \
		"${STRIKE[@]}" "${@:4}" <"$STRIKE_INPUT" >out 2>err || status=$?
}

# each_call HOW CHECK ARGUMENT...: prepare, strike, recover and check, for each
# call; ERROR in HOW is one of two.  $cases counts them, $troubled those in
# which it failed.
each_call() {
	local how=$1 check=$2 call count errors=(EIO ENOSPC)
	# LeakSanitizer would trace us, too.
	local -x ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
	cases=0 troubled=0
	prepare
	calls "${@:3}"
	while read -r call count <&4; do
		case $how in
		signal=*) [[ $call =~ ${STRIKE_ONLY:-.} ]] || continue ;;
		*) [[ ! $call =~ $INFALLIBLE ]] || continue ;;
		esac
		prepare
		struck "$call" "$count" "${how/ERROR/${errors[cases % 2]}}" \
			"${@:3}"
		((cases += 1))
		[ "$status" -eq 0 ] || ((troubled += 1))
		$check || fail "$how at $call $count: status $status, $(cat out err)"
	done 4<calls
}

# many CALLS FAILED: so many at least, or the test was none.
many() {
	echo "$cases calls, $troubled failed"
	((cases >= $1 && troubled >= $2))
}
