#!/usr/bin/env bats
# What is installed beside the program: units, the user and folders of the
# machine's queue, a cron line. It all goes into this world alone.
# once: it runs the release build, installed.

load common

LIB=/usr/local/lib

setup_file() {
	make -s -C "$TESTS/.." install BUILD=release PREFIX=/usr/local >&2
}

# users: the queue's user, by systemd or as its line says.
users() {
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers $LIB/sysusers.d/smtpsend.conf
	else
		grep -q '^u smtpsend - ' $LIB/sysusers.d/smtpsend.conf
		useradd --system --user-group smtpsend
	fi
}

# folders: those of the queue, by systemd or as the lines say.
folders() {
	local type path mode user group
	if command -v systemd-tmpfiles >/dev/null; then
		systemd-tmpfiles --create $LIB/tmpfiles.d/smtpsend.conf
		return
	fi
	while read -r type path mode user group _; do
		[ "$type" = d ] || continue
		install -d -m "$mode" -o "$user" -g "$group" "$path"
	done < <(grep -v '^#' $LIB/tmpfiles.d/smtpsend.conf)
}

# run_service: its program, as its user, with the home that he has.
run_service() {
	env -i HOME=/var/spool/smtpsend setpriv --reuid=smtpsend \
		--regid=smtpsend --init-groups \
		/usr/local/bin/smtpsend --queue-run=due
}

@test "the units are well-formed, and nothing in them was left open" {
	run grep -rl '@[A-Z]*@' $LIB/systemd $LIB/sysusers.d $LIB/tmpfiles.d \
		/usr/local/share/doc/smtpsend
	assert_output ''
	run grep -rh '^ExecStart=' $LIB/systemd
	assert_equal "$(sort -u <<<"$output")" \
		'ExecStart=/bin/touch /var/spool/smtpsend/stamp
ExecStart=/usr/local/bin/smtpsend --queue-run=due
ExecStart=@/usr/local/bin/smtpsend sendmail -bs'
	command -v systemd-analyze >/dev/null ||
		skip 'systemd-analyze is not installed'
	users
	# A unit of the system's own may be missing where nothing is booted.
	run systemd-analyze verify $LIB/systemd/system/smtpsend.* \
		$LIB/systemd/system/smtpsend-stamp.service \
		$LIB/systemd/system/smtpsend-submission.socket \
		$LIB/systemd/system/smtpsend-submission@1.service
	refute_output --partial smtpsend
	run systemd-analyze verify --user $LIB/systemd/user/smtpsend.*
	refute_output --partial smtpsend
}

@test "uninstall takes what install has put, and nothing of others" {
	local -a to=(-s -C "$TESTS/.." BUILD=release "DESTDIR=$T/root")
	make "${to[@]}" install SENDMAIL_DIR=/usr/sbin
	[ -L root/usr/bin/mailq ]
	echo mine >root/usr/local/lib/tmpfiles.d/mine.conf
	ln -sf exim4 root/usr/bin/mailq
	make "${to[@]}" uninstall
	run find root -not -type d
	assert_equal "$(sort <<<"$output")" \
		'root/usr/bin/mailq
root/usr/local/lib/tmpfiles.d/mine.conf'
	[ ! -e root/usr/local/share/doc/smtpsend ]
	make "${to[@]}" uninstall
}

@test "the name that the path unit waits for is that of a whole message" {
	local glob
	glob=$(sed -n 's/^PathExistsGlob=.*in\///p' \
		$LIB/systemd/system/smtpsend.path)
	# shellcheck disable=SC2053 # it is a glob
	[[ 1kdvdna00000000 == $glob ]]
	# shellcheck disable=SC2053
	[[ 1kdvdna00000000.tmp != $glob ]]
}

@test "the user and the folders are as the program wants them" {
	local Q=/var/spool/smtpsend
	users
	folders
	assert_equal "$(stat -c '%n %U %G %a' $Q $Q/in $Q/queue)" \
		"$Q smtpsend smtpsend 755
$Q/in smtpsend smtpsend 3733
$Q/queue smtpsend smtpsend 700"
	receiver box
	printf '%s\n' 'account default' 'host 127.0.0.1' "port $PORT" \
		>/etc/smtpsend.conf
	# The service, once, and a user after that.
	run_service
	setpriv --reuid=12345 --regid=12345 --clear-groups env -i \
		/usr/local/bin/smtpsend --queue=only -f a@client.test \
		b@client.test < <(cat message)
	assert_equal "$(find $Q/in -type f | wc -l)" 1
	run_service
	[ -e box/1.msg ]
	assert_equal "$(find $Q/in $Q/queue -type f)" ''
}

@test "the socket is for this machine, and what comes by it is queued" {
	local Q=/var/spool/smtpsend unit address fd
	local -a words
	unit=$LIB/systemd/system/smtpsend-submission
	address=$(sed -n 's/^ListenStream=//p' $unit.socket)
	assert_equal "$address" 127.0.0.1:25
	command -v systemd-socket-activate >/dev/null ||
		skip 'systemd-socket-activate is not installed'
	users
	folders
	run_service
	read -ra words < <(sed -n 's/^ExecStart=@//p' $unit@.service)
	mkfifo ready
	# As the unit has it, and as a user that has nothing.
	systemd-socket-activate --accept --inetd --listen="$address" \
		setpriv --reuid=12345 --regid=12345 --clear-groups \
		bash -c 'exec -a "$1" "$0" "${@:2}"' \
		"${words[@]}" 2>ready 3>&- &
	STARTED+=($!)
	exec {fd}<ready
	read -r -t 20 -u "$fd"
	run swaks --server 127.0.0.1 -f a@client.test -t b@client.test \
		--data @message
	assert_success
	assert_line --partial '250 2.0.0 Queued as'
	assert_equal "$(find $Q/in -type f | wc -l)" 1
	grep -q '^Received: from .* (\[127.0.0.1\])$' $Q/in/*
	rm $Q/in/*
}

@test "the cron line runs the queue as its user" {
	run grep -v '^#' /usr/local/share/doc/smtpsend/cron.d/smtpsend
	assert_output \
		'*/5 * * * * smtpsend /usr/local/bin/smtpsend --queue-run=due'
}
