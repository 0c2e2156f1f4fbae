#!/usr/bin/env bats
# Names without a domain: mailboxes of this machine, by what `local` says.
# shellcheck disable=SC2154,SC2030,SC2031 # run sets $stderr

load common

HOMES=/var/homes

setup_file() {
	# Other users can run it there.
	install -m 755 "$SMTPSEND" /usr/local/bin/smtpsend
	sed -i '/:\/var\/homes\//d' /etc/passwd
	printf '%s\n' "bob:x:2001:2001::$HOMES/bob:/bin/sh" \
		"eve:x:2002:2002::$HOMES/eve:/bin/sh" >>/etc/passwd
	printf '%s\n' bob:x:2001: eve:x:2002: friends:x:2003:bob >>/etc/group
}

setup() {
	common_setup
	rm -rf $HOMES /var/mail/* /etc/smtpsend.conf
	install -d -m 2775 -g mail /var/mail
	mkdir -m 755 $HOMES
	install -d -m 700 -o 2001 -g 2001 $HOMES/bob
	install -d -m 700 -o 2002 -g 2002 $HOMES/eve
	SMTPSEND=/usr/local/bin/smtpsend
}

# as USER ARGUMENT...: smtpsend run by that user, by the machine's
# configuration.
as() {
	run --separate-stderr setpriv --reuid="$1" --regid="$1" \
		--init-groups env -i PATH="$PATH" HOME="$HOMES/$1" \
		/usr/local/bin/smtpsend -f alice@client.test "${@:2}" <message
}

# machine LINE...: its configuration.
machine() {
	printf '%s\n' "$@" >/etc/smtpsend.conf
}

# mda LINE...: a program that gets mail, its folder $T/mda open to all.
mda() {
	install -d -m 777 /var/homes/mda
	printf '%s\n' '#!/bin/sh' "$@" >/var/homes/mda/run
	chmod 755 /var/homes/mda/run
}

# got NAME SENDER: the message as that mailbox has it, but for a From_ line.
got() {
	printf 'Return-Path: <%s>\nDelivered-To: %s@client.test\n' "$2" "$1"
	cat message
}

# config LINE...: the defaults.
config() {
	printf '%s\n' defaults "$@" >"$HOME/.smtpsendrc"
	chmod 600 "$HOME/.smtpsendrc"
}

@test "a name without a domain is nobody, unless there are mailboxes" {
	send -f alice@client.test --dry-run bob <message
	exits 67
	config 'local mbox'
	send -f alice@client.test --dry-run daemon Postmaster <message
	exits 0
	assert_output - <<-'X'
		from <alice@client.test>
		message 131 octets, 7-bit
		route 1 by local
		  mailboxes mbox:/var/mail
		  to daemon
		  to root
	X
	send -f alice@client.test --dry-run nosuch <message
	exits 67
	says 'smtpsend: nosuch: failed' 'is no user of this machine'
	config 'local off'
	send -f alice@client.test --dry-run daemon <message
	exits 67
}

@test "mailboxes and servers in one plan" {
	config 'local maildir Mail/in' 'host 127.0.0.1'
	send -f alice@client.test --dry-run --json daemon bob@x.test <message
	exits 0
	assert_equal "$(jq -c '.routes[]|[.by,.targets[].host,
		.targets[].transport,.to]' <<<"$output")" \
'["smarthost","127.0.0.1","smtp",["bob@x.test"]]
["local","maildir:Mail/in","maildir",["daemon"]]'
}

@test "lmtp: a server that has the mailboxes gets the names as they are" {
	receiver box -L -u "$T/lmtp"
	config "local lmtp $T/lmtp"
	send -f alice@client.test bob Eve.O-Neill <message
	exits 0
	silent
	assert_equal "$(recipients)" '<bob> <Eve.O-Neill>'
	cmp "$T/box/1.msg" <(printf %s "$WIRE")
}

@test "lmtp: a host and port, beside the relay of the rest" {
	receiver box -L
	config "local lmtp 127.0.0.1:$PORT"
	receiver out
	printf '%s\n' 'host 127.0.0.1' "port $PORT" >>"$HOME/.smtpsendrc"
	send -f alice@client.test bob bob@x.test <message
	exits 0
	silent
	grep -qx 'rcpt <bob>' box/1.env
	grep -qx 'rcpt <bob@x.test>' out/1.env
}

@test "mbox: one that a user makes himself is closed to his own group" {
	machine defaults 'local mbox'
	chmod g-s,a+rwxt /var/mail
	chgrp root /var/mail
	as bob bob
	exits 0
	assert_equal "$(stat -c '%U %G %a' /var/mail/bob)" 'bob bob 600'
	rm /var/mail/bob
	# As root it is his, and the folder's group may.
	send -f alice@client.test bob <message
	exits 0
	assert_equal "$(stat -c '%U %G %a' /var/mail/bob)" 'bob root 660'
}

@test "mbox: as root, for each what is his" {
	config 'local mbox'
	send -f alice@client.test bob root <message
	exits 0
	silent
	assert_equal "$(stat -c '%U %G %a' /var/mail/bob /var/mail/root)" \
		$'bob mail 660\nroot mail 660'
	assert_regex "$(head -n 1 /var/mail/bob)" \
'^From alice@client\.test [A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}$'
	cmp <(sed 1d /var/mail/bob) <(got bob alice@client.test && echo)
	cmp <(sed 1d /var/mail/root) <(got root alice@client.test && echo)
	assert_equal "$(ls -A /var/mail)" $'bob\nroot'
}

@test "mbox: a second message stands behind the first, or nothing without a lock" {
	install -d -m 1777 $HOMES/boxes
	config "local mbox $HOMES/boxes"
	send -f alice@client.test bob <message
	exits 0
	send -f '' bob <message
	exits 0
	assert_equal "$(grep -c '^From ' $HOMES/boxes/bob)" 2
	grep -q '^From MAILER-DAEMON ' $HOMES/boxes/bob
	grep -qx 'Return-Path: <>' $HOMES/boxes/bob
	# Where nobody can make a lock nothing is written.
	chmod 755 $HOMES/boxes
	send -f alice@client.test bob <message
	exits 71
	says 'bob: deferred, mbox:/var/homes/boxes: '
	assert_equal "$(grep -c '^From ' $HOMES/boxes/bob)" 2
}

@test "mbox: a user's own, and nobody else's" {
	machine defaults 'local mbox'
	install -m 660 -o bob -g mail /dev/null /var/mail/bob
	as bob bob
	exits 0
	silent
	cmp <(sed 1d /var/mail/bob) <(got bob alice@client.test && echo)
	as bob bob eve root
	exits 78
	says 'eve: failed, mbox:/var/mail: only root can write the mailbox of eve' \
		'root: failed, mbox:/var/mail: only root can write'
	assert_equal "$(grep -c '^From ' /var/mail/bob)" 2
	[ ! -e /var/mail/eve ] && [ ! -e /var/mail/root ]
}

@test "who may not write a mailbox keeps the mail" {
	machine defaults 'local mbox' 'queue on' 'queue_runner off'
	as eve bob
	exits 0
	says 'bob: queued as ' 'only root can write the mailbox of bob' \
		'see LOCAL DELIVERY'
	assert_equal "$(find $HOMES/eve/.local/state/smtpsend -type f \
		-name '???????????????' | wc -l)" 1
}

@test "who may not write a mailbox leaves it to the machine's queue" {
	machine defaults 'local mbox' 'queue on'
	install -d -m 755 /var/spool/smtpsend
	install -d -m 3733 /var/spool/smtpsend/in
	install -d -m 700 /var/spool/smtpsend/queue
	install -m 644 /dev/null /var/spool/smtpsend/stamp
	as eve eve bob
	exits 0
	silent
	assert_equal "$(find /var/spool/smtpsend/in -type f | wc -l)" 1
	rm -r /var/spool/smtpsend
}

# system: the machine's queue, which user 1500 runs, and did just now.
system() {
	local dir=/var/spool/smtpsend
	rm -rf $dir
	grep -q '^runner:' /etc/passwd || {
		echo runner:x:1500:1500::$dir:/bin/sh >>/etc/passwd
		echo runner:x:1500: >>/etc/group
	}
	install -d -m 755 -o 1500 -g 1500 $dir
	install -d -m 3733 -o 1500 -g 1500 $dir/in
	install -d -m 700 -o 1500 -g 1500 $dir/queue
	install -m 644 -o 1500 -g 1500 /dev/null $dir/stamp
}

# waiting: the messages in the machine's queue.
waiting() {
	find /var/spool/smtpsend/{in,queue} -name '???????????????' |
		wc -l
}

@test "a mailbox of one's own that root must make is the machine's" {
	system
	machine defaults 'local mbox' 'queue on'
	as bob bob
	exits 0
	assert_equal "$(waiting)" 1
	send --queue-run=due
	exits 0
	assert_equal "$(stat -c %U /var/mail/bob)" bob
	# Once it is there it is written at once.
	as bob bob
	exits 0
	assert_equal "$(waiting)" 0
	assert_equal "$(grep -c '^From ' /var/mail/bob)" 2
	# With an account of one's own, too.
	rm /var/mail/bob
	printf '%s\n' 'account default' 'host 127.0.0.1' 'port 1' 'queue on' \
		'queue_runner off' 'local mbox' >$HOMES/bob/.smtpsendrc
	chown bob $HOMES/bob/.smtpsendrc
	chmod 600 $HOMES/bob/.smtpsendrc
	as bob bob
	exits 0
	assert_equal "$(waiting)" 1
	rm -r /var/spool/smtpsend
}

@test "root runs the machine's queue: mailboxes are written as their users" {
	system
	machine defaults 'local mbox' 'queue on'
	as eve bob eve root
	exits 0
	silent
	assert_equal "$(waiting)" 1
	send --queue-run=due
	exits 0
	silent
	assert_equal "$(waiting)" 0
	assert_equal "$(stat -c '%U %G %a' /var/mail/{bob,eve,root} | uniq)" \
		$'bob mail 660\neve mail 660\nroot mail 660'
	cmp <(sed 1d /var/mail/bob) <(got bob alice@client.test && echo)
	cmp <(sed 1d /var/mail/root) <(got root alice@client.test && echo)
}

@test "root needs no more rights than the drop-in for systemd leaves it" {
	local rights
	system
	machine defaults 'local mbox' 'queue on'
	as eve bob root
	rights=$(sed -n 's/^CapabilityBoundingSet=//p' \
		"$TESTS/../contrib/local/smtpsend.service.conf")
	rights=${rights,,}
	rights=-all,+${rights// /,+}
	run --separate-stderr setpriv --no-new-privs \
		--bounding-set="${rights//cap_/}" "$SMTPSEND" --queue-run=due
	exits 0
	silent
	assert_equal "$(waiting)" 0
	assert_equal "$(stat -c '%U %G %a' /var/mail/{bob,root})" \
		$'bob mail 660\nroot mail 660'
}

@test "with accounts of one's own, mailboxes go to the machine's queue" {
	local own=$HOMES/eve/.local/state/smtpsend way
	system
	machine defaults 'local mbox'
	printf '%s\n' defaults 'queue on' 'queue_runner off' 'local mbox' \
		'account default' 'host 127.0.0.1' 'port 1' >$HOMES/eve/.smtpsendrc
	chown eve $HOMES/eve/.smtpsendrc
	for way in --queue --queue=only; do
		as eve $way bob bob@x.test
		exits 0
		silent
		assert_equal "$(waiting)" 1
		assert_equal "$(cd $own && echo ???????????????)" \
			"$(cd /var/spool/smtpsend/in && echo ???????????????)"
		run --separate-stderr setpriv --reuid=eve --regid=eve --init-groups env \
			HOME=$HOMES/eve "$SMTPSEND" --queue-list --json
		assert_equal "$(json '.recipients[].address')" bob@x.test
		rm -r "$own"
		send --queue-run=due
		assert_equal "$(waiting)" 0
	done
	assert_equal "$(grep -c '^From ' /var/mail/bob)" 2
	# Nobody else but for mailboxes of others.
	as eve --queue=only bob
	assert_equal "$(waiting)" 1
	[ ! -e "$own" ] || run ! grep -r . "$own"
	install -m 660 -o eve -g mail /dev/null /var/mail/eve
	as eve --queue=only eve bob@x.test
	assert_equal "$(waiting)" 1
}

@test "root or a runner killed at any time loses no mail and tears no mailbox" {
	local who victim holder
	system
	machine defaults 'local mbox' 'queue on'
	for who in main runner worker writer; do
		rm -f /var/mail/bob
		install -m 660 -o bob -g mail /dev/null /var/mail/bob
		as eve bob
		assert_equal "$(waiting)" 1
		# Its lock is ours until they are dead.
		coproc { python3 -c 'import fcntl
f = open("/var/mail/bob", "r+"); fcntl.lockf(f, fcntl.LOCK_EX)
print(flush=True); input()'; }
		holder=$COPROC_PID # the shell forgets it at its end
		STARTED+=("$holder")
		read -r _ <&"${COPROC[0]}"
		env "MARK=$T" "$SMTPSEND" --queue-run=due 3>&- 2>err &
		PID=$!
		STARTED+=("$PID")
		# It is a process of bob's that cannot be looked into, so that
		# the worker, the youngest of the runner's, has asked by then.
		until victim=$(pgrep -u bob smtpsend); do :; done
		case $who in
		main) victim=$PID ;;
		runner) victim=$(pgrep -o -u runner smtpsend) ;;
		worker) victim=$(pgrep -n -u runner smtpsend) ;;
		esac
		kill -KILL "$victim"
		[ $who = main ] || wait "$PID" || true
		echo >&"${COPROC[1]}"
		wait "$holder"
		while pgrep smtpsend >/dev/null; do :; done
		send --queue-run
		assert_equal "$(waiting)" 0
		assert_equal "$(grep -c '^From ' /var/mail/bob)" \
			"$(grep -c '^Message-ID: ' /var/mail/bob)"
		assert_equal "$(grep -c hello /var/mail/bob)" \
			"$(grep -c '^Message-ID: ' /var/mail/bob)"
		grep -q hello /var/mail/bob
	done
}

@test "the runner alone says who can write mailboxes" {
	system
	machine defaults 'local mbox' 'queue on'
	as eve bob
	run --separate-stderr setpriv --reuid=1500 --regid=1500 --clear-groups \
		env -i PATH="$PATH" "$SMTPSEND" --queue-run
	exits 0
	says 'bob: deferred, mbox:/var/mail: only root can write the mailbox of bob: have root run the machine'
	assert_equal "$(waiting)" 1
	[ ! -e /var/mail/bob ]
}

@test "a name of no user fails with 5.1.1, and the others get it" {
	config 'local mbox'
	send -f alice@client.test nosuch '"../etc/x"' bob <message
	exits 67
	says 'nosuch: failed' '"../etc/x": failed'
	assert_equal "$(ls -A /var/mail)" bob
	send --json -f alice@client.test nosuch <message
	assert_equal "$(json '.recipients[0].enhanced')" 5.1.1
}

@test "a user data base that cannot be opened makes nobody unknown" {
	local services
	config 'local mbox'
	export ASAN_OPTIONS=detect_leaks=0 # not under strace
	# The second service knows nobody, and can be asked.
	for services in files 'files systemd'; do
		sed -i "s/^passwd:.*/passwd: $services/" /etc/nsswitch.conf
		for error in ENFILE EIO; do
			run --separate-stderr strace -qqq -o /dev/null \
				-P /etc/passwd -e "inject=openat:error=$error" \
				"$SMTPSEND" -f alice@client.test bob <message
			exits 71
			says 'bob: deferred: cannot find out if there is a user bob'
		done
	done
	send -f alice@client.test bob <message
	exits 0
}

@test "a message that was in this mailbox before fails with 5.4.6" {
	config 'local mbox'
	sed '1i Delivered-To: bob@elsewhere.test' message >first
	send -f alice@client.test bob <first
	exits 0
	sed -n '2,/^$/p' /var/mail/bob >again
	send --json -f alice@client.test BOB eve <again
	assert_equal "$(json '[.recipients[]|.outcome,.enhanced]|join(" ")')" \
		'failed 5.4.6 delivered '
	exits 69
	says 'mail loops: it was delivered to bob@client.test before'
	assert_equal "$(grep -c '^From ' /var/mail/bob)" 1
}

@test "maildir: made where it is missing" {
	config 'local maildir'
	send -f alice@client.test bob eve <message
	exits 0
	silent
	assert_equal "$(stat -c '%U %G %a' $HOMES/bob/Maildir/new/*)" \
		'bob bob 600'
	cmp $HOMES/bob/Maildir/new/* <(got bob alice@client.test)
	cmp $HOMES/eve/Maildir/new/* <(got eve alice@client.test)
	assert_equal "$(stat -c '%U %a' $HOMES/bob/Maildir)" 'bob 700'
	ln -s $HOMES/eve/Maildir $HOMES/bob/link
	config 'local maildir link'
	send -f alice@client.test bob <message
	exits 71
	assert_equal "$(find $HOMES/eve/Maildir/new -type f | wc -l)" 1
}

@test "a home is his to change: nothing of others is written" {
	config 'local mbox'
	install -m 600 /dev/null $HOMES/secret
	install -m 666 /dev/null $HOMES/open
	local what
	for what in "ln -s $HOMES/secret" "ln -s $HOMES/open" "ln $HOMES/secret" \
		"ln $HOMES/open" mkfifo mkdir 'install -m 666 /dev/null'; do
		$what /var/mail/bob
		send -f alice@client.test bob eve <message
		[ "$status" = 71 ] || [ "$status" = 69 ] || [ "$status" = 78 ] ||
			fail "$what: $status $stderr"
		says 'bob: '
		[ ! -s $HOMES/secret ] && [ ! -s $HOMES/open ]
		rm -r /var/mail/bob
	done
	assert_equal "$(grep -c '^From ' /var/mail/eve)" 7
}

@test "a full disk: nothing is lost of what was there, and it waits" {
	config 'local mbox' 'queue on' 'queue_runner off'
	mount -t tmpfs -o size=64k,mode=2775,gid=mail tmpfs /var/mail
	send -f alice@client.test bob <message
	exits 0
	cp /var/mail/bob before
	{ cat message && head -c 100000 /dev/zero | tr '\0' x | fold; } >big
	send --json -f alice@client.test bob eve <big
	exits 0
	assert_equal "$(json '[.recipients[]|.outcome,.enhanced]|join(" ")')" \
		'queued 4.3.1 queued 4.3.1'
	cmp before /var/mail/bob
	assert_equal "$(ls -A /var/mail)" bob
	umount /var/mail
}

@test "a lock that somebody holds is waited for, and a signal ends that" {
	config 'local mbox'
	install -m 660 -o bob -g mail /dev/null /var/mail/bob
	exec 9<>/var/mail/bob
	python3 -c 'import fcntl; fcntl.lockf(9, fcntl.LOCK_EX)
print("locked", flush=True); input()' <>"$(mkfifo hold && echo hold)" >locked &
	STARTED+=($!)
	until [ -s locked ]; do :; done
	begin --json bob
	until grep -q . "/proc/$PID/task/$PID/children"; do :; done
	kill -TERM "$PID"
	end
	exits 75
	assert_equal "$(json '.recipients[0]|.outcome,.in_doubt' | paste -sd ' ')" \
		'deferred false'
	[ ! -s /var/mail/bob ]
}

@test "mda: as the user, with nothing of ours" {
	mda 'for i; do echo "<$i>"; done >out' 'cat >>out' 'id >id' 'env >env' \
		'pwd >pwd; umask >>pwd' 'ls -l /proc/self/fd >fd'
	config "local mda /var/homes/mda/run -u %u '%h of %%u' -f %s %s %x%"
	exec 8</etc/shadow
	send -f alice@client.test bob <message
	exec 8<&-
	exits 0
	silent
	cmp $HOMES/bob/out <(printf '<%s>\n' -u bob '/var/homes/bob of %u' -f \
		alice@client.test alice@client.test %x%
		got bob alice@client.test)
	assert_equal "$(cat $HOMES/bob/id)" \
'uid=2001(bob) gid=2001(bob) groups=2001(bob),2003(friends)'
	assert_equal "$(cat $HOMES/bob/pwd)" $'/var/homes/bob\n0077'
	assert_equal "$(grep -v '^PWD=' $HOMES/bob/env | sort)" "$(sort <<-X
		HOME=/var/homes/bob
		USER=bob
		LOGNAME=bob
		SHELL=/bin/sh
		PATH=/usr/local/bin:/usr/bin:/bin
		SENDER=alice@client.test
		RECIPIENT=bob
	X
	)"
	run ! grep -q -e shadow -e socket: $HOMES/bob/fd
}

@test "mda: a sender is no option, no shell, and the null one has a name" {
	mda 'printf "<%s>\n" "$@" >out'
	config 'local mda /var/homes/mda/run %s'
	send -f -o/etc/x@client.test bob <message
	exits 0
	assert_equal "$(cat $HOMES/bob/out)" '<<-o/etc/x@client.test>>'
	send -f '"$(touch x);`touch y`|z"@client.test' bob <message
	exits 0
	assert_equal "$(cat $HOMES/bob/out)" '<"$(touch x);`touch y`|z"@client.test>'
	assert_equal "$(ls $HOMES/bob)" out
	send -f '' bob <message
	assert_equal "$(cat $HOMES/bob/out)" '<MAILER-DAEMON>'
}

@test "mda: more arguments than a program can have are 78, and no retry" {
	config "local mda /bin/true $(head -c 70000 /dev/zero | tr '\0' x)"
	send -f alice@client.test bob <message
	exits 78
	says 'arguments are longer than 65536 octets'
}

@test "mda: its exit status decides, as sysexits has it" {
	local row
	config 'local mda /var/homes/mda/run'
	for row in '67 5.1.1 67 failed' '75 4.3.0 75 deferred' '1 5.3.0 69 failed'; do
		read -r code enhanced exit outcome <<<"$row"
		mda 'echo no such box' "exit $code"
		send --json -f alice@client.test bob <message
		assert_equal "$(json '.recipients[0]|.outcome,.enhanced' |
			paste -sd ' ') $status" "$outcome $enhanced $exit"
		says 'no such box'
	done
	mda exit
	send -f alice@client.test bob <message
	exits 0
	# No program is run as root.
	send -f alice@client.test root <message
	exits 78
	says 'no program gets mail as root'
}

@test "a process that ends without its result leaves the message in doubt" {
	# The user's own program may do that: the process is his.
	# shellcheck disable=SC2016 # the program's
	mda 'kill -KILL $PPID'
	config 'local mda /var/homes/mda/run'
	send --json -f alice@client.test bob <message
	exits 75
	assert_equal "$(json '.recipients[0]|.outcome,.in_doubt' | paste -sd ' ')" \
		'deferred true'
	says 'ended early (may have been delivered)'
}
