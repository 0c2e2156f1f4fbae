#!/usr/bin/env bats
# A machine whose sendmail it is: its links, no configuration, mailboxes,
# aliases, and the queue that all users share.
# shellcheck disable=SC2154 # run sets $stderr

load common
load queue

HOMES=/var/homes
SYSTEM=/var/spool/smtpsend

setup_file() {
	local name
	install -m 755 "$SMTPSEND" /usr/bin/smtpsend
	for name in sbin/sendmail bin/mailq bin/newaliases; do
		rm -f "/usr/$name"
		ln -s /usr/bin/smtpsend "/usr/$name"
	done
	sed -i '/:\/var\/homes\//d; /^smtpsend:/d' /etc/passwd
	printf '%s\n' "bob:x:2001:2001:Bob:$HOMES/bob:/bin/sh" \
		"eve:x:2002:2002::$HOMES/eve:/bin/sh" \
		"smtpsend:x:2009:2009::/nonexistent:/bin/false" >>/etc/passwd
	printf '%s\n' bob:x:2001: eve:x:2002: smtpsend:x:2009: >>/etc/group
}

setup() {
	common_setup
	rm -rf $HOMES /var/mail/* /etc/smtpsend.conf /etc/aliases $SYSTEM
	install -d -m 2775 -g mail /var/mail
	mkdir -m 755 $HOMES
	install -d -m 700 -o 2001 -g 2001 $HOMES/bob
	install -d -m 700 -o 2002 -g 2002 $HOMES/eve
}

# shared_queue: somebody runs it, though not now.
shared_queue() {
	install -d -o smtpsend -g smtpsend -m 755 $SYSTEM
	install -d -o smtpsend -g smtpsend -m 3733 $SYSTEM/in
	smtpsend -q
}

# as USER COMMAND...: run by that user, with an empty environment, from /.
as() {
	cd /
	run --separate-stderr setpriv --reuid="$1" --regid="$1" \
		--init-groups env -i "${@:2}"
	cd "$T" || return
}

# quiet: it went well, and nobody heard of it.
quiet() {
	exits 0
	silent
}

# has USER TEXT...: his mailbox has messages with these lines, one each.
has() {
	local text
	for text in "${@:2}"; do
		grep -qxF -- "$text" "/var/mail/$1" ||
			fail "no $text in $1: $(cat "/var/mail/$1")"
	done
	assert_equal "$(grep -c '^From ' "/var/mail/$1")" $(($# - 1))
}

# listed N: what mailq said has so many messages.
listed() {
	exits 0
	assert_equal "$(grep -c '^[0-9a-z]\{15\}' <<<"$output")" "$1"
}

# make_install: into ./root, of the program as it is.
make_install() {
	run --separate-stderr make -s -o all -C "$TESTS/.." install \
		DESTDIR="$T/root" SENDMAIL_DIR=/usr/sbin
}

@test "make install SENDMAIL_DIR= makes the links, and takes nobody's place" {
	make_install
	exits 0
	local name
	for name in sbin/sendmail bin/mailq bin/newaliases; do
		assert_equal "$(readlink "root/usr/$name")" \
			/usr/local/bin/smtpsend
	done
	make_install
	exits 0
	rm root/usr/sbin/sendmail
	echo other >root/usr/sbin/sendmail
	make_install
	[ "$status" -ne 0 ]
	assert_equal "$(cat root/usr/sbin/sendmail)" other
}

@test "root writes to users, by argument, by -t and by -bs" {
	printf 'Subject: one\n\nhi\n.\nno more\n' >one
	run --separate-stderr /usr/sbin/sendmail bob <one
	quiet
	printf 'To: bob, eve\nSubject: two\n\n..dot\n' >two
	run --separate-stderr /usr/sbin/sendmail -t <two
	quiet
	has bob 'Subject: one' 'Subject: two'
	has eve 'Subject: two'
	grep -qx '\.dot' /var/mail/eve
	grep -qx 'To: bob@client.test, eve@client.test' /var/mail/eve
	! grep -q 'no more' /var/mail/bob || fail 'beyond the dot'
	printf '%s\r\n' 'EHLO x' 'MAIL FROM:<root>' 'RCPT TO:<eve>' DATA \
		'Subject: three' '' hi . QUIT >dialogue
	printf '%s\n' defaults 'queue_runner off' >/etc/smtpsend.conf
	run --separate-stderr /usr/sbin/sendmail -bs <dialogue
	exits 0
	grep -q '^250 2\.0\.0 Queued as' <<<"$output"
	run --separate-stderr runq_by_link
	quiet
	has eve 'Subject: two' 'Subject: three'
}

# What make install does not make.
runq_by_link() {
	ln -sf /usr/bin/smtpsend runq
	./runq
}

@test "aliases: newaliases, -bv, and mail that goes by them" {
	run --separate-stderr /usr/bin/newaliases
	exits 0
	assert_equal "$output" '/etc/aliases: there is no such file, so nobody has an alias'
	printf 'team: bob, eve\n' >/etc/aliases
	run --separate-stderr /usr/sbin/sendmail -bi
	exits 0
	assert_equal "$output$stderr" '/etc/aliases: 1 alias'
	printf 'root: team\nPostmaster: root\n' >>/etc/aliases
	run --separate-stderr /usr/bin/newaliases
	assert_equal "$output$stderr" '/etc/aliases: 3 aliases'
	run --separate-stderr /usr/sbin/sendmail -bv postmaster
	exits 0
	assert_equal "$(head -n 1 <<<"$output")" 'postmaster -> bob, eve'
	run --separate-stderr /usr/sbin/sendmail -i root <message
	quiet
	has bob 'Subject: hi'
	has eve 'Subject: hi'
	run --separate-stderr /usr/sbin/sendmail -i -n root <message
	quiet
	has root 'Subject: hi'
	run --separate-stderr /usr/sbin/sendmail -bv a@x.test
	exits 75
	assert_equal "$output" a@x.test
	printf 'x: |/bin/true\n' >>/etc/aliases
	run --separate-stderr /usr/bin/newaliases
	exits 78
	says '/etc/aliases:4'
}

@test "who failed is reported to a user's mailbox, or left in dead.letter" {
	printf '%s\n' defaults 'queue_runner off' >/etc/smtpsend.conf
	run --separate-stderr /usr/sbin/sendmail -i -oee -f bob who eve <message
	quiet
	run --separate-stderr /usr/sbin/sendmail -i -oem -f bob who <message
	exits 67
	says 'who: failed'
	run --separate-stderr /usr/sbin/sendmail -qf
	quiet
	has eve 'Subject: hi'
	has bob 'Return-Path: <>' 'Delivered-To: bob@client.test'
	grep -q '^Final-Recipient: .*who' /var/mail/bob
	run --separate-stderr /usr/bin/mailq
	assert_equal "$output" 'Mail queue is empty'
	run --separate-stderr /usr/sbin/sendmail -i -oee -f '' who <message
	exits 67
	grep -qx 'Subject: hi' dead.letter
}

@test "nobody of that name: 67, and the others have it" {
	run --separate-stderr /usr/sbin/sendmail -i bob who eve@localhost <message
	exits 67
	assert_equal "$(wc -l <<<"$stderr")" 1
	says 'who: failed'
	has bob 'Subject: hi'
	has eve 'Subject: hi'
	run --separate-stderr /usr/sbin/sendmail -i '"|x"@localhost' '/etc/x' <message
	exits 67
}

@test "users write by the queue that all share, also without home or name" {
	shared_queue
	as www-data /usr/sbin/sendmail -i root eve <message
	quiet
	as bob /usr/sbin/sendmail -i bob <message
	quiet
	run --separate-stderr setpriv --reuid=12345 --clear-groups env -i \
		/usr/sbin/sendmail -i root <message
	quiet
	run --separate-stderr /usr/bin/mailq
	exits 0
	assert_equal "$(grep -c '^[0-9a-z]\{15\}' <<<"$output")" 3
	run --separate-stderr /usr/sbin/sendmail -q
	quiet
	run --separate-stderr /usr/bin/mailq
	assert_equal "$output" 'Mail queue is empty'
	has root 'Return-Path: <www-data@client.test>' \
		'Return-Path: <postmaster@client.test>'
	has bob 'Return-Path: <bob@client.test>'
	has eve 'Return-Path: <www-data@client.test>'
}

@test "mailq and runq of who has no home: the machine's queue is root's" {
	local -a words
	shared_queue
	as www-data /usr/sbin/sendmail -i root <message
	quiet
	for words in /usr/bin/mailq '/usr/sbin/sendmail -bP' \
		'/usr/sbin/sendmail -q'; do
		# shellcheck disable=SC2086,SC2128 # they are several
		as www-data $words
		exits 77
		assert_equal "$output" ''
		assert_equal "${#stderr_lines[@]}" 1
		says 'the queue of the machine, in /var/spool/smtpsend, is for root'
	done
	# Who may see it needs no home for that.
	as smtpsend /usr/bin/mailq
	listed 1
	as root HOME=/nonexistent /usr/bin/mailq
	assert_equal "$stderr" ''
	listed 1
	# Nobody runs it: no mail of his goes there.
	rm $SYSTEM/stamp
	as www-data /usr/bin/mailq
	exits 78
	says 'no place for a queue: there is no folder /var/www' \
		'see smtpsend(1)'
}

@test "root sees his queue and the machine's, and a user's as that user" {
	printf '%s\n' defaults 'queue_runner off' >/etc/smtpsend.conf
	as bob HOME=$HOMES/bob /usr/sbin/sendmail -i -odq eve <message
	quiet
	shared_queue
	as eve HOME=$HOMES/eve /usr/sbin/sendmail -i -odq bob <message
	quiet
	run --separate-stderr /usr/bin/mailq
	listed 1
	grep -q 'eve@client.test' <<<"$output"
	run --separate-stderr /usr/sbin/sendmail -q
	quiet
	has bob 'Return-Path: <eve@client.test>'
	[ ! -e /var/mail/eve ]
	grep -q ^bob: /etc/shadow || echo 'bob:*:19000::::::' >>/etc/shadow
	run --separate-stderr su - bob -c mailq
	listed 1
	says 'only your own queue is looked at'
}

@test "a home that is closed to its user is trouble, and none that stays" {
	chown root $HOMES/bob
	chmod 700 $HOMES
	as bob HOME=$HOMES/bob /usr/bin/mailq
	exits 71
	says "$HOMES/bob/.local/state/smtpsend: Permission denied"
	as bob HOME=$HOMES/bob /usr/sbin/sendmail -i bob@x.test <message
	exits 75
	says 'not queued' "$HOMES/bob/.local/state/smtpsend: Permission denied"
	shared_queue
	as bob HOME=$HOMES/bob /usr/sbin/sendmail -i -odq bob@x.test <message
	quiet
	run --separate-stderr /usr/bin/mailq
	listed 1
}

@test "a caller that ignores SIGCHLD hears how the run of the queue ended" {
	shared_queue
	run env --ignore-signal=CHLD /usr/sbin/sendmail -q
	quiet
}

@test "a user who stops the process that delivers to him blocks nobody" {
	! has_sanitizers ||
		skip 'libfaketime and the sanitizers both want to be loaded first'
	install -m 755 /dev/stdin /usr/local/bin/stops <<-'X'
		#!/bin/sh
		cat >/dev/null
		[ "$USER" = eve ] || kill -STOP "$PPID"
	X
	printf '%s\n' defaults 'local mda /usr/local/bin/stops' \
		>/etc/smtpsend.conf
	shared_queue
	as bob /usr/sbin/sendmail -odq bob eve <message
	quiet
	# Minutes pass until it is given up.
	run --separate-stderr faketime -f '+0 x200' /usr/sbin/sendmail -qf
	exits 0
	"$TESTS/servers/waitfor" 20 bash -c '! pgrep -u bob'
	# The entry is nobody's now, and bob alone is still open.
	run --separate-stderr /usr/bin/mailq
	assert_output --partial 'bob took too long'
	refute_output --regexp '^[0-9a-z]{15}\*'
	refute_output --partial eve
}

@test "who failed is reported by the queue that all share" {
	shared_queue
	as bob /usr/sbin/sendmail -i -oem who eve <message
	exits 67
	says 'who: failed'
	as www-data /usr/sbin/sendmail -i -oee -f bob who <message
	quiet
	run --separate-stderr /usr/sbin/sendmail -q
	quiet
	run --separate-stderr /usr/bin/mailq
	assert_equal "$output" 'Mail queue is empty'
	has eve 'Return-Path: <bob@client.test>'
	assert_equal "$(grep -c '^Final-Recipient: .*who' /var/mail/bob)" 2
}

@test "without it, what only root can write fails where there is no home" {
	as www-data /usr/sbin/sendmail -i root <message
	exits 78
	says 'only root can write the mailbox of root' 'no place for a queue'
	[ ! -e /var/mail/root ]
}

@test "where nothing can be queued it is tried at once, whatever -od says" {
	install -m 660 -o www-data -g mail /dev/null /var/mail/www-data
	for mode in b q d i; do
		as www-data /usr/sbin/sendmail -i "-od$mode" www-data <message
		quiet
	done
	assert_equal "$(grep -c '^From ' /var/mail/www-data)" 4
}

@test "a configuration of the machine that is closed to who sends: 78" {
	printf '%s\n' 'account default' 'host 127.0.0.1:1' >/etc/smtpsend.conf
	chmod 600 /etc/smtpsend.conf
	as bob /usr/sbin/sendmail -i bob@x.test <message
	exits 78
	says '/etc/smtpsend.conf is closed to this user: chmod 644'
	as bob /usr/bin/mailq
	exits 0
	run --separate-stderr setpriv --reuid=bob --regid=bob --init-groups \
		env -i HOME=$HOMES/bob /usr/sbin/sendmail -i eve <message
	exits 78
}

@test "what is queued waits while the configuration is closed, and says so" {
	shared_queue
	printf '%s\n' defaults 'local maildir in' 'account default' \
		'host 127.0.0.1:1' >/etc/smtpsend.conf
	as bob /usr/sbin/sendmail -i -odq bob@x.test <message
	as www-data /usr/sbin/sendmail -i eve <message
	quiet
	chmod 600 /etc/smtpsend.conf
	run --separate-stderr /usr/sbin/sendmail -q
	quiet
	run --separate-stderr /usr/bin/mailq
	listed 2
	assert_equal "$(grep -c 'Deferred: /etc/smtpsend.conf is closed to this user: chmod 644' <<<"$output")" 2
	# Not where it would go without that file.
	[ ! -e /var/mail/eve ]
}

@test "a home that cannot be written: why its queue cannot be made" {
	mount -t tmpfs -o ro,mode=755 tmpfs $HOMES/bob
	as bob HOME=$HOMES/bob /usr/sbin/sendmail -i bob@x.test <message
	umount $HOMES/bob
	exits 75
	says "not queued: cannot make the queue's folder $HOMES/bob/.local/state/smtpsend: Read-only file system"
}

@test "a user whose mailbox is there has his mail at once" {
	install -m 660 -o bob -g mail /dev/null /var/mail/bob
	as bob /usr/sbin/sendmail -FCronDaemon -i -B8BITMIME -oem bob <message
	quiet
	has bob 'Subject: hi'
}

@test "a queue's folder of another owner: whose it is, and the remedy" {
	local own=$HOMES/bob/.local/state/smtpsend letter
	install -d -o bob $HOMES/bob/.local $HOMES/bob/.local/state
	install -d -m 700 $own
	for letter in bp bP q; do
		as bob HOME=$HOMES/bob /usr/sbin/sendmail -$letter
		exits 71
		assert_equal "${#stderr_lines[@]}" 1
		says "the queue's folder $own belongs to user 0: chown -R 2001 $own"
	done
	as bob HOME=$HOMES/bob /usr/sbin/sendmail -i bob@x.test <message
	exits 75
	says 'not queued: ' "chown -R 2001 $own"
	shared_queue
	chown bob $SYSTEM/in
	as eve HOME=$HOMES/eve /usr/sbin/sendmail -i -odq bob <message
	exits 71
	says "$SYSTEM/in belongs to user 2001: chown 2009 $SYSTEM/in"
	run --separate-stderr /usr/bin/mailq
	exits 71
	says "$SYSTEM/in belongs to user 2001: chown 2009 $SYSTEM/in"
}

@test "aliases that are closed: to whom, and the remedy" {
	echo 'eve: bob' >/etc/aliases
	chmod 600 /etc/aliases
	as bob HOME=$HOMES/bob /usr/bin/newaliases
	exits 78
	assert_equal "$stderr" 'smtpsend: /etc/aliases is closed to this user: chmod a+r /etc/aliases, and a+x to the folders above'
}

@test "what should be left to the machine's queue, and was not" {
	shared_queue
	chmod 3777 $SYSTEM/in
	as www-data /usr/sbin/sendmail -i eve <message
	exits 75
	says 'left to the machine' 'not queued: ' 'do chmod 3733 to it'
	run ! grep -q 'queue has it' <<<"$stderr"
}

# to_eve: bob's mail to eve waits in his own queue, which cannot deliver it.
BOBS=$HOMES/bob/.local/state/smtpsend
to_eve() {
	printf '%s\n' defaults 'queue_runner off' >/etc/smtpsend.conf
	as bob HOME=$HOMES/bob /usr/sbin/sendmail -i eve "$@" <message
	exits 0
	says 'eve: queued as' 'only root can write the mailbox of eve'
}

# bobs_run [COMMAND...]: his run of the queue.
bobs_run() {
	as bob HOME=$HOMES/bob ASAN_OPTIONS=detect_leaks=0 "$@" \
		/usr/sbin/sendmail -q
}

# ids FOLDER: of the entries in it.
ids() {
	find "$1" -maxdepth 1 -name '???????????????' -printf '%f\n'
}

@test "mail to another's mailbox moves on when the machine gets a queue" {
	to_eve bob@x.test
	bobs_run
	quiet
	shared_queue
	bobs_run
	quiet
	# Who was not for the machine's queue stays.
	as bob HOME=$HOMES/bob /usr/bin/mailq
	listed 1
	grep -q '<bob@x.test>' <<<"$output"
	run ! grep -q '<eve>' <<<"$output"
	bobs_run
	quiet
	run --separate-stderr /usr/bin/mailq
	listed 1
	grep -q '<eve>' <<<"$output"
	run --separate-stderr /usr/sbin/sendmail -q
	quiet
	has eve 'Return-Path: <bob@client.test>'
	grep -qx 'Subject: hi' /var/mail/eve
	run --separate-stderr /usr/bin/mailq
	assert_equal "$output" 'Mail queue is empty'
	assert_equal "$(ids $BOBS | wc -l)" 1
}

@test "it stays where it is, and is told, while the machine's takes none" {
	to_eve
	shared_queue
	chmod 3777 $SYSTEM/in
	bobs_run
	exits 71
	assert_equal "$(ids $BOBS | wc -l)" 1
	chmod 3733 $SYSTEM/in
	bobs_run
	quiet
	assert_equal "$(ids $BOBS)" ''
	assert_equal "$(ids $SYSTEM/in | wc -l)" 1
}

# struck HOW: bob's run from the same state on, which strace strikes so, and
# one that nothing disturbs: how many entries the machine's queue got then is
# in ./cases.signal, or .error.
struck() {
	local how
	rm -rf $BOBS $SYSTEM/in/*
	cp -a model $BOBS
	bobs_run strace -qqq -o /dev/null -e "inject=$1"
	bobs_run
	quiet || return
	[ -z "$(ids $BOBS)" ] || fail "$1: left in bob's queue"
	how=${1#*:}
	ids $SYSTEM/in | wc -l >>"cases.${how%%=*}"
}

@test "a run that dies or fails at any call loses no mail that moves on" {
	local call count how
	to_eve
	cp -a $BOBS model
	shared_queue
	install -d -m 777 -o bob $HOMES/trace
	bobs_run strace -o $HOMES/trace/calls
	quiet
	awk -F'(' '/^[a-z]/ { count[$1]++ }
		index($0, "/.local/state/smtpsend") { begun = 1 }
		begun && /^(openat|pwrite|fsync|fdatasync|syncfs|rename|unlink|fallocate|fchmod)/ {
			print $1, count[$1]
		}' $HOMES/trace/calls >calls
	for how in signal=KILL error=ENOSPC; do
		while read -r call count; do
			struck "$call:$how:when=$count"
		done <calls
	done
	grep -q 'syncfs' calls
	# Who died between the two queues left it in both.
	assert_equal "$(sort -u cases.signal | paste -sd ' ')" '1 2'
	assert_equal "$(sed -n '/2/,$p' cases.signal | uniq | paste -sd ' ')" \
		'2 1'
	assert_equal "$(sort -u cases.error)" 1
}
