#!/usr/bin/env bats
# Called as sendmail: every letter, bundled and apart, by whomever, from
# wherever; and what people pass to programs that pass it on to sendmail.
# shellcheck disable=SC2016 # dollars that no shell is to see

load common

SYSTEM=/var/spool/smtpsend
IN=$SYSTEM/in

setup() {
	common_setup
	shopt -s nullglob
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"
	# Nobody's real home; and a place where all users can run it.
	sed -i "s,^root:.*,root:x:0:0:root:$T:/bin/sh," /etc/passwd
	rm -f /usr/sbin/sendmail
	install -m 755 "$SMTPSEND" /usr/sbin/sendmail
	receiver box
	printf '%s\n' 'account default' 'host 127.0.0.1' "port $PORT" \
		'queue_runner off' 'maildomain client.test' >/etc/smtpsend.conf
	machine_queue
	COUNT=0
	printf 'From: a@x.test\nTo: to@x.test\n\nbody\n' >letter
}

# The machine's queue, whose runner is alive.
machine_queue() {
	rm -rf $SYSTEM
	install -d -m 755 $SYSTEM
	install -d -m 3733 $IN
	install -d -m 700 $SYSTEM/queue
	install -m 644 /dev/null $SYSTEM/stamp
}

# What a letter takes: a value glued or apart, a glued one or none, or none.
# Behind it the values to try.
LETTERS='
i flag
t flag
f word a@x.test <> root MAILER-DAEMON
r word a@x.test
F word Name
b word m a C d D t h H e S q
A word c m
B word 8BITMIME 7BIT BINARYMIME
C word /etc/passwd /nowhere
c flag
D word /nowhere
d glued 0.1 99 X
E glued x
e word m p q w e z
G flag
J glued x
h word 3 0
L word tag
M word rSMTP
m flag
N word never success,delay,failure
n flag
O word DeliveryMode=b ErrorMode=p QueueDirectory=/nowhere Unknown=1 bare
o word db di dq dd dx ee em ep eq ew ex i m s T1h Q/nowhere 7 8bitmime v Z
p word UUCP smtp:host
Q word reason
R word hdrs full
S flag
s flag
T flag
U flag
V word envid
v flag
X word /nowhere
x flag
'

# forms LETTER KIND VALUE...: the ways to write it, a line each, where | ends
# an argument; of further values each in one way.
forms() {
	local letter=$1 kind=$2 value i=0
	case $kind in
	flag) printf '%s\n' "-i$letter" "-$letter|-i" "-$letter""m" ;;
	glued) printf '%s\n' "-i$letter" "-$letter" ;;
	word) printf '%s\n' "-i$letter$3" "-$letter|$3" "-$letter$3" ;;
	esac
	for value in "${@:3}"; do
		case $kind$((i++ % 2)) in
		word0) echo "-im$letter|$value" ;;
		*) echo "-$letter$value" ;;
		esac
	done
}

# all_forms: of all letters; the first two of each for all surroundings, which
# a * before them says.
all_forms() {
	local letter kind values
	while read -r letter kind values; do
		[ -n "$letter" ] || continue
		read -ra values <<<"$values"
		forms "$letter" "$kind" "${values[@]}" | sed '1,2s/^/*/'
	done <<<"$LETTERS"
}

# --- surroundings ---------------------------------------------------------

# in_NAME ARGUMENT...: sendmail there.
in_unknown_user() {
	setpriv --reuid=4242 --regid=4242 --clear-groups \
		/usr/sbin/sendmail "$@"
}
in_empty_environment() {
	env -i /usr/sbin/sendmail "$@"
}
in_no_home() {
	env -u HOME /usr/sbin/sendmail "$@"
}
in_the_root() (
	cd /
	exec /usr/sbin/sendmail "$@"
)
in_the_dark() {
	/usr/sbin/sendmail "$@" >&- 2>&-
}

SURROUNDINGS=(unknown_user empty_environment no_home the_root the_dark)

# --- what became of it ----------------------------------------------------

# taken: how many messages came since the last time; their number is $COUNT.
taken() {
	TAKEN=0
	while [ -e "$T/box/$((COUNT + 1)).msg" ]; do
		((TAKEN += 1, COUNT += 1))
	done
}

# queued: how many messages are in a queue, the machine's or the user's; they
# are taken out, the last one to ./last.
queued() {
	local file
	QUEUED=0
	for file in "$IN"/* "$SYSTEM"/queue/* "$T"/.local/state/smtpsend/*; do
		[ ! -f "$file" ] || mv "$file" last
		[ -e "$file" ] || ((QUEUED += 1))
	done
}

# accounted WHERE WHAT: one message is delivered, or one is queued, or the
# exit code, of those that sysexits.h has, says that neither is so.
accounted() {
	local where=$1
	taken
	queued
	case $status in
	0) [ $((TAKEN + QUEUED)) != 1 ] || return 0 ;;
	6[4-9] | 7[0-8])
		[[ $((TAKEN + QUEUED)) != 0 ||
			($where != the_dark && ! -s err) ]] || return 0
		;;
	esac
	fail "$where, $2: status $status, $TAKEN sent, $QUEUED queued
$(cat out err)"
}

# try WHERE ARGUMENT...: a message there.
try() {
	status=0
	"in_$1" "${@:2}" <letter >out 2>err || status=$?
	accounted "$1" "${*:2}"
}

# sent WHERE ARGUMENT...: it is, and nothing is said.
sent() {
	try "$@"
	[ "$status" = 0 ] || fail "$*: status $status, $(cat err)"
	[[ " ${*:2}" = *\ -*v* || ! -s err ]] || fail "$*: $(cat err)"
}

# Under sanitizers, which make it four times as slow, each form has one.
where_for() {
	case $1:$SMTPSEND in
	\**/asan/* | [!*]*) WHERE=("${SURROUNDINGS[TURN++ % 5]}") ;;
	*) WHERE=("${SURROUNDINGS[@]}") ;;
	esac
}

@test "every letter, bundled and apart, in all surroundings" {
	local line form where TURN=0
	all_forms >forms
	while read -r line <&4; do
		IFS='|' read -ra form <<<"${line#\*}"
		where_for "$line"
		for where in "${WHERE[@]}"; do
			sent "$where" -f a@x.test "${form[@]}" to@x.test
		done
	done 4<forms
	# All that there are, but for modes.
	assert_equal "$(sed -n 's/^\([[:alpha:]]\) .*/\1/p' <<<"$LETTERS" | sort)" \
		"$(/usr/sbin/sendmail --help |
			sed -n 's/^ *-\([[:alpha:]]\).*/\1/p' | sort -u | grep -v '[Iq]')"
	assert_equal "$(sed -n '/^rcpt/p' box/*.env | sort -u)" \
		'rcpt <to@x.test>'
}

# What sends no message, and the exit codes that it may have.
MODES='
-bp|0 73
-bP|0 73
-bi|0 73
-I|0 73
-bv to@x.test|0 73
-bs|0 73
-q|0
-qf|0
-qIx|0
-qRx|0
-qSx|0
-qGx|0
-q!Rx|0
-bd|64
-bD|64
-bt|64
-bh|64
-bH|64
--help|0 73
--version|0 73
--verbose|64
-fa@x.test --host=127.0.0.1 to@x.test|64
-Z to@x.test|64
'

@test "modes that send nothing, in all surroundings" {
	local args codes where TURN=0
	while IFS='|' read -r args codes <&4; do
		where_for "*$args"
		for where in "${WHERE[@]}"; do
			status=0
			# shellcheck disable=SC2086 # they are many
			"in_$where" $args <letter >out 2>err || status=$?
			[[ " ${codes:=0} " = *" $status "* ]] ||
				echo "$where, $args: $status, $(cat err)" >>bad
			taken
			queued
			assert_equal "$TAKEN $QUEUED" '0 0'
		done
	done 4< <(sed '/^$/d' <<<"$MODES")
	[ ! -e bad ] || fail "$(cat bad)"
}

@test "whoever has no name needs a sender" {
	try unknown_user to@x.test
	try unknown_user -t
	try unknown_user -f '' -t
	try unknown_user -f bob -t
}

@test "what waits is queued, or the exit code says that it is not" {
	local where how
	printf 'From: a@x.test\n\nbody\n' >letter
	for how in -odb -odi -odq -odx -oee -oem; do
		for where in "${SURROUNDINGS[@]}"; do
			sent "$where" "$how" -f a@x.test tempfail@x.test
		done
	done
	rm -rf $SYSTEM
	for where in "${SURROUNDINGS[@]}"; do
		try "$where" "$how" -f a@x.test tempfail@x.test
	done
}

@test "a limit on the size of files is no crash" {
	local how
	for how in -odq -odi -odb; do
		status=0
		prlimit --fsize=0 /usr/sbin/sendmail $how -f a@x.test \
			tempfail@x.test <letter 2>&1 | cat >err
		status=${PIPESTATUS[0]}
		accounted "no room" $how
		[[ $status = 7[15] ]] || fail "$how: status $status"
		grep -q 'File too large' err
	done
}

# --- what others pass on --------------------------------------------------

# pwned: the name of all that must not be made, read or run.  A configuration
# and a queue are there, to tempt.
tempt() {
	P=$T/pwned FORBIDDEN=evil
	mkdir "$P"
	printf '%s\n' 'account default' 'host 127.0.0.1' "port $PORT" \
		'from evil@x.test' "passwordeval touch $P/run" \
		'logfile pwned.log' >"$P/conf"
	chmod 600 "$P/conf"
	find "$P" -printf '%p %s %T@\n' | sort >before
	export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
}

# attack ARGUMENT...: sendmail with what an attacker had passed to it: opens,
# makes and runs nothing of it; one message at most goes, to whom it should,
# and 0 says that it does.
attack() {
	status=0
	timeout 60 strace -f -qq -s 512 -e trace=%file,%process -o trace \
		/usr/sbin/sendmail "$@" <letter >out 2>err || status=$?
	taken
	queued
	case $status in
	0) [ $((TAKEN + QUEUED)) = 1 ] ;;
	6[4-9] | 7[0-8]) [ $((TAKEN + QUEUED)) -le 1 ] && [ -s err ] ;;
	*) false ;;
	esac || fail "$*: status $status, $TAKEN sent, $QUEUED queued
$(cat out err)"
	# The first line is our own argv.
	sed 1d trace | grep -vE '^[0-9]+ (exit|\+\+\+)' >calls
	! grep -F pwned calls || fail "$*: touched it"
	! grep execve calls || fail "$*: ran something"
	find "$P" -printf '%p %s %T@\n' | sort | cmp - before ||
		fail "$*: changed it"
	[ "$TAKEN" = 0 ] || ! recipients "box/$COUNT" | grep -E "$FORBIDDEN" ||
		fail "$*: sent to them"
}

@test "PHPMailer's CVE-2016-10033 and its like" {
	tempt
	attack -t -i '-fattacker\' -oQ/tmp/ "-X$P/x.php" 'some"@x.test'
	attack -t -i '-fa@x.test' "-X$P/x.php"
	attack -t -i '-fa@x.test' -X "$P/x.php"
	attack -t -i '-fa@x.test' "-OQueueDirectory=$P" "-X$P/x.php"
	attack -t -i -O "QueueDirectory=$P" -O "LogLevel=9" -oQ"$P"
	attack -t -i '-fa@x.test' "-C$P/conf" "-X$P/x.php"
	attack -t -i "-C$P/conf" -oP"$P/pid" -D "$P/debug" -d99."$P/d"
	attack -t -i -C "$P/conf" -p "$P/x" -M "rpwned" -L "$P/log"
	attack -be '${run{/bin/touch '"$P"'/run}}' to@x.test
	attack -t -be '${run{/bin/touch${substr{10}{1}{$tod_log}}'"$P"'/run}}'
	attack -t -i -fa@x.test -be "-X$P/x.php" -bd -oX"$P" -oMa127.0.0.1
}

@test "long options and dashes are no way in" {
	tempt
	attack -t "--config=$P/conf"
	attack -t "--logfile=$P/log" to@x.test
	attack -t "--passwordeval=touch $P/run"
	attack -t --host=pwned.test
	attack -t "--trace=$P/trace" --dry-run
	attack -t -- "-X$P/x"
	attack -t -- "-C$P/conf" "--config=$P/conf" "--"
	attack -t -f "-X$P/x" --
	attack -t -f--config="$P/conf"
	attack -t -F "-X$P/x" -V "-X$P/x"
	attack -t -- -X"$P"@x.test:25
}

@test "programs, files and lists are no recipients (CVE-2014-7844)" {
	local to
	tempt
	FORBIDDEN='evil|pwned'
	set -- "|touch $P/run" "\"|touch $P/run\"" "|/bin/touch $P/run" \
		"$P/file" "\"$P/file\"" ":include:$P/conf" "\":include:$P/conf\"" \
		"../../$P/file" '`touch pwned`' '$(touch pwned)' \
		'to@x.test;touch pwned'
	attack -i -fa@x.test to@x.test "$@"
	attack -i -fa@x.test to@x.test -- "$@"
	for to; do
		printf 'From: a@x.test\nTo: to@x.test, %s\n\nbody\n' "$to" >letter
		attack -i -t
	done
	# In SMTP; what is taken is queued.
	{
		printf '%s\r\n' 'EHLO x' 'MAIL FROM:<a@x.test>' \
			'RCPT TO:<to@x.test>'
		printf 'RCPT TO:<%s>\r\n' "$@"
		printf 'RCPT TO:%s\r\n' "$@"
		printf '%s\r\n' DATA 'From: a@x.test' '' body . QUIT
	} >letter
	attack -bs
	assert_equal "$QUEUED" 1
	grep -aq to@x.test last
	run ! grep -aq pwned last
}

@test "a sender of any shape" {
	local from
	tempt
	for from in 'a b@x.test' '"a b"@x.test' "a'b@x.test" 'a"b@x.test' \
		'a@x.test -Xpwned' $'a@x.test\nRCPT TO:<evil@x.test>' \
		$'a@x.test\r\nRCPT TO:<evil@x.test>\r\nDATA' \
		'a@x.test> SIZE=1 <evil@x.test' '<a@x.test><evil@x.test>' \
		$'a\n@x.test' '`touch pwned`@x.test' 'a@x.test\' '|pwned' \
		"$(printf '%01000d' 0)@x.test" $'\303\274@x.test' ' ' '@' '<' \
		'@evil.test:a@x.test' 'a@[127.0.0.1]' 'a@x.test, b@x.test'; do
		attack -i -f "$from" to@x.test
		attack -ti "-f$from"
	done
}

@test "a value with a line end adds no field and no command" {
	local line=$'x\nBcc: evil@x.test\nX-Evil: yes'
	tempt
	printf 'To: to@x.test\n\nbody\n' >letter
	attack -ti -fa@x.test -F "$line"
	attack -ti -fa@x.test -V "$line"
	attack -ti -fa@x.test -L "$line"
	attack -ti -fa@x.test -p "$line" -M "$line" -B "$line" -O "$line"
	attack -ti -fa@x.test -N "$line"
	attack -ti -fa@x.test -R "$line"
	attack -ti -fa@x.test -h "$line"
	NAME=$line attack -ti
	run ! grep -rqi '^\(x-evil\|bcc\|rcpt <evil\)' box
}
