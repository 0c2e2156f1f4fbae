#!/usr/bin/env bats
# Mailboxes: a message is in it, whole, or all is as it was; whoever holds a
# lock is waited for; what is no mailbox of that user is let alone.
# once: it runs tests/tools alone.
# shellcheck disable=SC2030,SC2031,SC2034,SC2317 # strike.bash uses and calls them

load common
load strike

SMALL=/run/small # in our own world: see tests/servers/world

setup() {
	common_setup
	# In memory, where fsync(2) costs nothing: no power is lost here.
	T=$(mktemp -d /run/box.XXXXXX)
	cd "$T" || return
	BOX=$TOOLS/box
	printf 'Subject: old\n\nFrom Rome\nold' >old
	printf 'Subject: new\r\n\r\nFrom here\r\nnew' >new
	"$BOX" mbox model -c 600 -s old@x.test <old
	cp -p model box
}

# into ARGUMENT...: deliver ./new; $status and $stderr tell of it.
into() {
	run --separate-stderr "$BOX" "$@" <new
}

# refused WHY...: a delivery failed so.
refused() {
	[ "$status" -ne 0 ] || fail "it was delivered"
	says "$@"
}

# mails FILE|FOLDER...: what Python's mailbox module reads, a line each:
# subject, lines of the body.
mails() {
	python3 - "$@" <<-'END'
		import mailbox, os, sys
		for path in sys.argv[1:]:
		    kind = mailbox.Maildir if os.path.isdir(path) else mailbox.mbox
		    for m in kind(path, create=False):
		        print(m['subject'], m.get_payload().split('\n'))
	END
}

# nothing_left PATH...: these files are there and no other, no lock either.
nothing_left() {
	assert_equal "$(find . -maxdepth 1 -name '*box*' -o -maxdepth 1 -name \
		'.lk*' | sort | paste -sd ' ')" "$*"
}

@test "an mbox as readers want it" {
	into mbox box -d -s 'a b@x.test' -f 'Return-Path: <a@x.test>%'
	exits 0
	diff - box <<-'END'
		From old@x.test Thu Jan  1 00:00:00 2026
		Subject: old

		>From Rome
		old

		From a_b@x.test Thu Jan  1 00:00:00 2026
		Return-Path: <a@x.test>
		Subject: new

		>From here
		new

	END
	into mbox box -s ''
	assert_equal "$(mails box)" "old ['>From Rome', 'old', '']
new ['>From here', 'new', '']
new ['>From here', 'new', '']"
	grep -q '^From MAILER-DAEMON Thu' box
	nothing_left ./box
}

@test "a mailbox that is missing is made if that is wanted, else 4.2.0" {
	into mbox newbox
	refused 'temporary 4.2.0 there is no mailbox newbox'
	(umask 777 && "$BOX" mbox newbox -c 660 -d <new)
	assert_equal "$(stat -c %a newbox)" 660
	(umask 777 && "$BOX" mbox newbox -c 600 <new)
	assert_equal "$(stat -c %a newbox)" 660
	into mbox missing/box -c 600 -d
	refused 'temporary 4.2.0 cannot open missing/box: No such file'
	nothing_left ./box ./newbox
}

@test "whatever is at its end, the next one stands for itself" {
	local end
	for end in '' '\n' 'torn' 'torn\n' 'torn\n\n' '\n\n\n' \
		'From x Thu Jan  1 00:00:00 2026\nSubj' '\r\n'; do
		# shellcheck disable=SC2059 # these are formats
		{ cat model && printf "$end"; } >box
		into mbox box
		exits 0
		cat box >>boxes
	done
	assert_equal "$(mails boxes | grep -c "^new \['>From here', 'new', ''\]$")" 8
	for end in '' '\n' 'x'; do
		# shellcheck disable=SC2059
		printf "$end" >box
		into mbox box
		assert_equal "$(tail -n 6 box | head -n 1 | cut -c -5)" 'From '
	done
}

@test "a maildir as readers want it" {
	into maildir mdbox
	refused 'temporary 4.2.0 cannot open mdbox: No such file'
	(umask 277 && "$BOX" maildir mdbox -c 1 -f 'A: 1%' <new)
	assert_equal "$(cd mdbox && find . -type d -printf '%p %m\n' | sort)" \
		'. 700
./cur 700
./new 700
./tmp 700'
	into maildir mdbox
	rm -r mdbox/tmp
	into maildir mdbox
	refused 'temporary 4.2.0 cannot open mdbox/tmp: No such file'
	into maildir mdbox -c 1
	exits 0
	[ "$(find mdbox -type f -path '*/new/*.client.test' | wc -l)" = 3 ]
	assert_equal "$(mails mdbox)" "$(yes "new ['From here', 'new', '']" |
		head -n 3)"
	grep -q '^A: 1$' mdbox/new/*
	[ "$(stat -c %a mdbox/new/* | sort -u)" = 600 ]
}

# ---- what is no mailbox of his ----

@test "links, folders, FIFOs and files of others are let alone" {
	local before
	mkdir dbox && mkfifo fbox && ln -s model sbox && ln -s nowhere nbox
	ln model hbox
	before=$(find . -name '*box' -o -name model | sort |
		xargs stat -c '%n %i %s %Y')
	into mbox dbox -c 600
	refused 'permanent 5.2.0 dbox is a folder and no mailbox'
	exits 78
	into mbox fbox -c 600
	refused 'permanent 5.2.0 fbox is no regular file and no mailbox'
	into mbox /dev/null -c 600
	refused 'permanent 5.2.0 /dev/null is no regular file and no mailbox'
	into mbox sbox -c 600
	refused 'temporary 4.2.0 sbox is a symbolic link, which is not followed'
	exits 71
	into mbox nbox -c 600 -d
	refused 'temporary 4.2.0 nbox is a symbolic link'
	into mbox hbox -c 600
	refused 'temporary 4.2.0 hbox has 2 hard links'
	into mbox box -c 600 -o 12345
	refused 'temporary 4.2.0 box belongs to user 0: chown 12345 box'
	into maildir box -c 1
	refused 'permanent 5.2.0 box is no folder, so box no maildir'
	into maildir dbox -c 1 -o 12345
	refused 'temporary 4.2.0 the maildir dbox, or a folder in it, belongs to'
	assert_equal "$(find . -name '*box' -o -name model | sort |
		xargs stat -c '%n %i %s %Y')" "$before"
	mkdir dbox/cur dbox/new && ln -s / dbox/tmp
	into maildir dbox -c 1
	refused 'permanent 5.2.0 dbox/tmp is no folder'
}

@test "an mbox that its user may not write, or not lock, is 4.2.0" {
	chown 12345 box && chmod 755 . && chmod 400 box
	run --separate-stderr setpriv --reuid 12345 --clear-groups \
		--regid 12345 "$BOX" mbox box -d <new
	refused 'temporary 4.2.0 cannot open box: Permission denied'
	chmod 600 box
	run --separate-stderr setpriv --reuid 12345 --clear-groups \
		--regid 12345 "$BOX" mbox box -d <new
	refused 'temporary 4.2.0 cannot make the lock box.lock: Permission denied'
	cmp box model
}

# Debian's folder of mailboxes: users may not make files there, so that
# dotlockfile, which is set-gid mail, makes the lock.
@test "a user delivers into the folder of mailboxes" {
	local -a user=(setpriv --reuid 12345 --regid 12345 --clear-groups)
	[ -g /usr/bin/dotlockfile ]
	cp -p model /var/mail/testbox
	chown 12345:mail /var/mail/testbox
	run --separate-stderr "${user[@]}" "$BOX" mbox /var/mail/testbox -d <new
	refused 'cannot make the lock /var/mail/testbox.lock: dotlockfile failed'
	cmp /var/mail/testbox model
	chmod 755 .
	run --separate-stderr "${user[@]}" "$BOX" mbox /var/mail/testbox -d <new
	exits 0
	dotlockfile -l -r 0 /var/mail/testbox.lock
	run --separate-stderr "${user[@]}" "$BOX" mbox /var/mail/testbox -d \
		-w 0 <new
	refused 'temporary 4.2.0 /var/mail/testbox is locked' testbox.lock
	dotlockfile -u /var/mail/testbox.lock
	[ "$(mails /var/mail/testbox | wc -l)" = 2 ]
	run --separate-stderr "${user[@]}" "$BOX" mbox /var/mail/nobox -c 660 \
		-d <new
	refused 'temporary 4.2.0 cannot open /var/mail/nobox: Permission denied'
	assert_equal "$(cd /var/mail && ls -A)" testbox
}

# ---- locks ----

# holding HOW...: a program that has box locked, until one writes to it.
holding() {
	mkfifo held.in held.out
	python3 -c "$1" <held.in >held.out &
	STARTED+=("$!")
	exec {HELD_IN}>held.in {HELD_OUT}<held.out
	read -r -t 60 -u "$HELD_OUT"
}

# waits: the delivery in the background came to its third attempt.
waits() {
	grep -qm 3 "$1" <(tail -n +1 -f --pid="$DELIVERY" trace)
}

in_background() {
	: >trace
	strace -qqq -o trace "$BOX" mbox box -d <new &
	DELIVERY=$!
	STARTED+=("$DELIVERY")
}

@test "who has it locked by fcntl is waited for" {
	holding 'import fcntl, sys
f = open("box", "r+")
fcntl.lockf(f, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.readline()'
	into mbox box -d -w 30
	refused 'temporary 4.2.0 box is locked by another program'
	exits 71
	nothing_left ./box
	cmp box model
	in_background
	waits F_OFD_SETLK
	cmp box model
	echo >&"$HELD_IN"
	wait "$DELIVERY"
	[ "$(mails box | wc -l)" = 2 ]
	nothing_left ./box
}

@test "who has it locked by a file is waited for" {
	dotlockfile -l -r 0 box.lock
	into mbox box -d -w 30
	refused 'temporary 4.2.0 box is locked by another program: box.lock'
	nothing_left ./box ./box.lock
	cmp box model
	in_background
	waits '^link'
	# Nobody is kept from it by one who waits.
	python3 -c 'import fcntl, signal
signal.alarm(20)
fcntl.lockf(open("box", "r+"), fcntl.LOCK_EX)'
	dotlockfile -u box.lock
	wait "$DELIVERY"
	[ "$(mails box | wc -l)" = 2 ]
	nothing_left ./box
}

@test "a lock that is old is nobody's" {
	dotlockfile -l -r 0 box.lock
	touch -m -d '6 minutes ago' box.lock
	into mbox box -d -w 0
	exits 0
	nothing_left ./box
}

@test "one that is put in its place while we wait is the mailbox" {
	cp model newbox
	holding 'import fcntl, os, sys
f = open("box", "r+")
fcntl.lockf(f, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.readline()
os.link("box", "formerbox")
os.rename("newbox", "box")'
	in_background
	waits F_OFD_SETLK
	echo >&"$HELD_IN"
	wait "$DELIVERY"
	cmp formerbox model
	[ "$(mails box | wc -l)" = 2 ]
	nothing_left ./box ./formerbox
}

@test "twenty at once are twenty messages" {
	local i
	local -a pids=()
	rm box
	for i in {1..20}; do
		printf 'Subject: %d\n\n%s' "$i" "$(seq "$i" 100 30000)" |
			"$BOX" mbox box -c 600 -d &
		pids+=("$!")
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	assert_equal "$(mails box | sort -n)" "$(python3 -c '
for i in range(1, 21):
    print(i, [*map(str, range(i, 30001, 100)), ""])')"
	nothing_left ./box
}

# ---- how much there is ----

@test "64 MiB with little memory" {
	local n=$((1024 * 1024))
	{
		printf 'Subject: big\r\n\r\n'
		yes "$(printf 'From %057d\r' 7)" | head -n "$n"
	} >new
	into mbox box -d -m
	exits 0
	((output < 8192)) || fail "it took $output KiB"
	assert_equal "$(grep -c '^>From 0*7$' box)" "$n"
	assert_equal "$(stat -c %s box)" "$(($(stat -c %s model) + n * 64 + \
		$(printf 'From MAILER-DAEMON Thu Jan  1 00:00:00 2026\nSubject: big\n\n\n' |
			wc -c)))"
	into maildir mdbox -c 1 -m
	exits 0
	((output < 8192)) || fail "it took $output KiB"
	cmp <(tr -d '\r' <new) mdbox/new/*
}

# full PAGES: there is room for so many, and no more.
full() {
	rm -f $SMALL/ballast
	cat /dev/zero >$SMALL/ballast 2>/dev/null || true
	truncate -s -$(($1 * 4096)) $SMALL/ballast
}

small() {
	mkdir -p $SMALL
	mount -t tmpfs -o size=256k tmpfs $SMALL
	cd $SMALL || return
	{ cat "$T/new" && head -c "$1" /dev/zero | tr '\0' '\n'; } >"$T/large"
}

@test "a full disk leaves an mbox as it was" {
	local pages lock taken=0 refused=0
	small 13000
	for pages in 0 1 2 3 4 5; do
		for lock in '' -d; do
			rm -f box
			cp -p "$T/model" box
			touch -r "$T/model" box
			full $pages
			# shellcheck disable=SC2086 # one word or none
			run --separate-stderr "$BOX" mbox box $lock <"$T/large"
			if [ "$status" -eq 0 ]; then
				((taken += 1))
				[ "$(mails box | wc -l)" = 2 ]
			else
				((refused += 1))
				exits 71
				says 'temporary 4.3.1 ' 'No space left on device'
				cmp box "$T/model"
				assert_equal "$(stat -c %y box)" \
					"$(stat -c %y "$T/model")"
			fi
			nothing_left ./box
		done
	done
	((taken >= 2 && refused >= 6))
}

@test "a full disk leaves none that was not there" {
	small 13000
	full 2
	run --separate-stderr "$BOX" mbox box -c 600 -d <"$T/large"
	refused 'temporary 4.3.1 cannot write to box'
	nothing_left
	run --separate-stderr "$BOX" maildir mdbox -c 1 <"$T/large"
	refused 'temporary 4.3.1 cannot write to mdbox'
	assert_equal "$(find mdbox -type f)" ''
}

@test "a limit on file sizes is 4.2.2, and leaves the mbox as it was" {
	run --separate-stderr prlimit \
		--fsize=$(($(stat -c %s box) + 20)) "$BOX" mbox box <new
	refused 'temporary 4.2.2 cannot write to box: File too large'
	cmp box model
}

# ---- death and errors ----

mbox() {
	rm -f box* .lk*
	cp -p model box
}

maildir() {
	rm -rf mdbox
	mkdir -p mdbox/{tmp,new,cur}
}

# The old octets, and behind them a part of the message; the next one to come,
# once the lock is old, is whole, and begins behind a blank line.
old_or_torn() {
	cmp -n "$(stat -c %s model)" box model &&
		cmp -n "$(stat -c %s box)" box after || return
	[ "$status" -ne 0 ] || cmp box after || return
	[ ! -e box.lock ] || touch -m -d '6 minutes ago' box.lock
	"$BOX" mbox box -d -w 0 -s old@x.test <old &&
		cmp <(tail -c $(($(stat -c %s model) + 2)) box) \
			<(printf '\n\n' && cat model)
}

# As it was and told so, or delivered; a lock may have been lost.
as_it_was_or_done() {
	if [ "$status" -eq 0 ]; then
		cmp box after
	else
		[ -s err ] && cmp box model
	fi
}

whole_in_new() {
	set -- mdbox/new/*
	if [ -e "$1" ]; then
		[ $# = 1 ] && cmp "$1" <(tr -d '\r' <new && echo)
	else
		[ "$status" -ne 0 ]
	fi || return
	"$BOX" maildir mdbox <new
}

nothing_or_done() {
	set -- mdbox/new/*
	if [ "$status" -eq 0 ]; then
		[ $# = 1 ] && cmp "$1" <(tr -d '\r' <new && echo)
	else
		[ -s err ] && [ ! -e "$1" ]
	fi
}

strike_setup() {
	INFALLIBLE='^(lseek|exit_group|brk|munmap|geteuid|getpid|close|sendto)$'
	STRIKE=("$BOX") STRIKE_INPUT=new
	# So that it takes several writes.
	[ $# = 0 ] || yes 'a long line' | head -c 400000 >>new
	cp -p model box
	"$BOX" mbox box -d <new
	mv box after
}

@test "killed while it appends to an mbox" {
	strike_setup large
	STRIKE_FROM='"box"'
	prepare() { mbox; }
	each_call signal=KILL old_or_torn mbox box -d
	many 30 29
}

@test "an error while it appends to an mbox" {
	strike_setup large
	STRIKE_FROM='"box"'
	prepare() { mbox; }
	each_call error=ERROR as_it_was_or_done mbox box -d -w 100
	many 25 12
}

@test "killed or refused while it adds to a maildir" {
	strike_setup
	STRIKE_FROM='"mdbox"'
	prepare() { maildir; }
	each_call signal=KILL whole_in_new maildir mdbox
	many 15 14
	each_call error=ERROR nothing_or_done maildir mdbox
	many 12 10
}

# order ARGUMENT...: what is written, synced and told, one behind the other.
order() {
	strace -y -o trace -e trace=write,fsync,rename,renameat,unlink,ftruncate \
		"$BOX" "$@" <new
	sed -n 's/^\([a-z0-9]*\)([0-9]*<*\([^>,]*\).*/\1 \2/p' trace |
		sed "s|$(pwd -P)/||; s|/[0-9][^ ]*client.test|/NAME|"
}

@test "all is on the disk before the lock is given back" {
	run order mbox newbox -c 600
	assert_output - <<-END
		write newbox
		fsync newbox
		fsync $(pwd -P)
	END
	"$BOX" maildir mdbox -c 1 <new
	run order maildir mdbox
	assert_output - <<-END
		write mdbox/tmp/NAME
		fsync mdbox/tmp/NAME
		renameat mdbox/tmp
		fsync mdbox/new
	END
}
