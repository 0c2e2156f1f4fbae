#!/usr/bin/env bats
# A machine that systemd has booted, put to use by the commands of README.md,
# section "The sendmail of a machine", and what its programs and users do then.
# once: it runs the release build, installed.

load common

Q=/var/spool/smtpsend

setup_file() {
	rm -f /usr/sbin/sendmail /usr/bin/mailq /usr/bin/newaliases
	make -s -C "$TESTS/.." install BUILD=release SENDMAIL_DIR=/usr/sbin >&2
	# No unit but those that packages enable in /usr.
	rm -rf /etc/systemd/system/* /var/mail/* /etc/aliases /etc/cron.d/*
	[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid \
		>/etc/machine-id
	useradd --no-create-home bob
	# Nothing of ours is put to use yet: if it does not come up it is no
	# machine for these tests.
	boot || switch_off
	if gone; then
		rm -f /run/boot/pid
		return
	fi
	while read -r line; do
		inside bash -c "$line" 3>&-
	done < <(steps) >&2
}

setup() {
	common_setup
	[ -e /run/boot/pid ] || skip 'no systemd can be had here'
}

teardown_file() {
	off
}

# The machine's own commands, but for make: a line each.
steps() {
	sed -n '/^## The sendmail of a machine/,/^## Exit/{
		/\\$/{N;s/\\\n *//}
		s/^    \(\(systemd\|systemctl\|install\).*\)/\1/p
	}' "$TESTS/../README.md"
}

# boot: until all that starts with the machine is there.
boot() {
	"$TESTS/servers/boot" </dev/null >"$BATS_FILE_TMPDIR/console" 2>&1 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/boot"
	"$TESTS/servers/waitfor" 60 started
}

started() {
	local state
	if gone; then return; fi
	state=$(inside systemctl is-system-running) || true
	case $state in
	running | degraded) ;;
	*) return 1 ;;
	esac
}
export -f started

# inside COMMAND...: in the machine, as root.
inside() {
	nsenter -t "$(</run/boot/pid)" -p -m -u -i -C env -i HOME=/root LC_ALL=C \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin "$@"
}
export -f inside

off() {
	if gone; then return; fi
	inside systemctl poweroff
	"$TESTS/servers/waitfor" 60 gone
}

# For one that does not do as it is told.
switch_off() {
	kill -KILL "$(</run/boot/pid)"
	"$TESTS/servers/waitfor" 10 gone
}

gone() {
	! kill -0 "$(<"$BATS_FILE_TMPDIR/boot")" 2>/dev/null
}
export -f gone

# as USER ARGUMENT...: sendmail, by that user of the machine.
as() {
	inside runuser -u "$1" -- sendmail "${@:2}" <"$T/message"
}

# service PROPERTIES ARGUMENT...: sendmail, by a service with these.
service() {
	local -a properties
	read -ra properties <<<"$1"
	inside systemd-run --quiet --wait --pipe "${properties[@]/#/-p}" \
		sendmail "${@:2}" <"$T/message"
}

# has USER N: so many messages are in his mailbox, once they are.
has() {
	"$TESTS/servers/waitfor" 60 holds "$@"
}

holds() {
	[ "$(grep -c '^From ' "/var/mail/$1")" = "$2" ]
}
export -f holds

is() {
	[ "$(inside systemctl show -P ActiveState "$1")" = "$2" ]
}
export -f is

# met N: so many clients of port 25 were served or sent away, or all that are.
met() {
	is smtpsend-submission.socket active || return 0
	local counts
	mapfile -t counts < <(inside systemctl show -P NAccepted -P NRefused \
		smtpsend-submission.socket)
	[ $((counts[0] + counts[1])) -ge "$1" ]
}
export -f met

# runs: how often the queue was run in this life of the machine.
runs() {
	inside journalctl --quiet -b -u smtpsend.service -o cat |
		grep -c '^Starting'
}

@test "what README.md says puts it to use" {
	assert_equal "$(steps | wc -l)" 5
	run inside systemctl is-active smtpsend.timer smtpsend.path \
		smtpsend-submission.socket
	assert_output $'active\nactive\nactive'
	run inside systemctl --failed --no-legend
	assert_output ''
	# Also ahead of the first run.
	[ -e $Q/stamp ]
}

@test "users, and services that are shut in, send to mailboxes" {
	as www-data bob
	has bob 1
	service "DynamicUser=yes ProtectSystem=strict ReadWritePaths=$Q/in" bob
	has bob 2
	run service 'DynamicUser=yes ProtectSystem=strict' bob
	assert_failure 78
	assert_line --partial "give its unit ReadWritePaths=$Q/in"
	run inside journalctl --quiet -t smtpsend -o cat
	assert_line --regexp 'to=<bob>, .* status=sent '
}

@test "port 25 serves fifty at once, and survives hundreds" {
	rm -f /var/mail/bob
	python3 - <<-'PY'
		import smtplib, socket, threading
		def one(i):
		    with smtplib.SMTP('127.0.0.1', timeout=60) as s:
		        s.sendmail('a@client.test', ['bob'], 'Subject: %d\n\n' % i)
		all = [threading.Thread(target=one, args=(i,)) for i in range(50)]
		for t in all: t.start()
		for t in all: t.join()
	PY
	has bob 50
	# As many as there can be, and then many that are sent away at once.
	python3 - <<-'PY'
		import socket
		held = [socket.create_connection(('127.0.0.1', 25)) for i in range(64)]
		for s in held: s.recv(3)
		for i in range(400):
		    socket.create_connection(('127.0.0.1', 25)).close()
	PY
	"$TESTS/servers/waitfor" 60 met 514
	is smtpsend-submission.socket active
}

@test "a configuration that is broken is red, and no endless loop" {
	local before
	rm -f /var/mail/bob
	inside systemctl stop smtpsend.path
	as www-data -odq bob
	echo bogus >/etc/smtpsend.conf
	before=$(runs)
	inside systemctl start smtpsend.path
	"$TESTS/servers/waitfor" 60 is smtpsend.service failed
	assert_equal "$(find $Q/in -type f)" ''
	assert_equal $(($(runs) - before)) 1
	: >/etc/smtpsend.conf
	inside systemctl start smtpsend.service
	has bob 1
}

# What is left of a machine that was off for days.
@test "after a boot what waits is tried, and services can mail at once" {
	rm -f /var/mail/bob
	printf '%s\n' 'account default' 'host 127.0.0.1' 'port 1' \
		>/etc/smtpsend.conf
	as www-data -odq x@example.test
	printf '%s\n' '[Service]' Type=oneshot User=daemon \
		'ExecStart=sh -c "echo up | sendmail bob"' \
		>/etc/systemd/system/early.service
	mkdir -p /etc/systemd/system/basic.target.wants
	ln -s ../early.service /etc/systemd/system/basic.target.wants/
	off
	touch -d '2 days ago' $Q/stamp
	boot
	has bob 1
	is early.service inactive
	run inside mailq
	assert_line --partial 'x@example.test'
}

@test "no unit has more than it needs" {
	run inside systemd-analyze security --no-pager --threshold=30 \
		smtpsend.service
	assert_success
	run inside systemd-analyze security --no-pager --threshold=20 \
		smtpsend-submission@.service
	assert_success
}
