#!/usr/bin/env bats
# The machine's queue from end to end: any user queues, its runner, who alone
# can read the secret, logs in to aiosmtpd and delivers.
# shellcheck disable=SC2154 # run sets $stderr

load common

SYSTEM=/var/spool/smtpsend
RUNNER=1500 ALICE=2000

setup_file() {
	prepare
	mkdir "$D/aio"
	start_announced aio "$SERVERS/aio.py" "$D/aio" 127.0.0.1 25
	# Other users can run it there.
	install -m 755 "$SMTPSEND" /usr/local/bin/smtpsend
}

setup() {
	cd /tmp || return
	rm -rf "$SYSTEM" "$D"/aio/* /etc/smtpsend.conf
	system $RUNNER
	printf '%s\n' 'account default' 'host 127.0.0.1' 'port 25' \
		'auth plain' 'user alice' 'passwordfile /etc/smtpsend.secret' \
		'queue_runner off' >/etc/smtpsend.conf
	chmod 644 /etc/smtpsend.conf
	secret $RUNNER
	WITHIN=() HAS=() # of `as`: before its command, in its environment
}

# system UID: that user's queue, which somebody ran just now.
system() {
	install -d -m 755 -o "$1" -g "$1" $SYSTEM
	install -d -m 3733 -o "$1" -g "$1" $SYSTEM/in
	install -d -m 700 -o "$1" -g "$1" $SYSTEM/queue
	install -m 644 -o "$1" -g "$1" /dev/null $SYSTEM/stamp
}

# secret UID: who can read it.
secret() {
	install -m 600 -o "$1" /dev/null /etc/smtpsend.secret
	echo pencil >/etc/smtpsend.secret
}

# as UID ARGUMENT...: smtpsend run by that user, who has no home.
as() {
	run --separate-stderr "${WITHIN[@]}" setpriv --reuid="$1" --regid="$1" \
		--clear-groups env -i PATH="$PATH" "${HAS[@]}" \
		/usr/local/bin/smtpsend \
		"${@:2}" < <(message plain "$BATS_TEST_NUMBER@client.test")
}

# queued UID [N]: a message of that user's, the Nth there, or the only one.
queued() {
	as "$1" --queue -f alice@client.test bob@example.test
	assert_success
	assert_equal "$output$stderr" ''
	assert_equal "$(find $SYSTEM/in -type f | wc -l)" "${2:-1}"
}

# arrived N: so many came, each with a login, and nothing is left.
arrived() {
	assert_equal "$(cat "$D"/aio/*.json | jq -r .auth | sort | uniq -c |
		xargs)" "$1 PLAIN"
	assert_equal "$(find $SYSTEM/in $SYSTEM/queue -type f)" ''
}

@test "users queue what their account's secret is closed to, the runner sends" {
	queued $ALICE
	as $RUNNER -q
	assert_success
	arrived 1
	queued 0
	as $RUNNER --queue-run=due
	assert_success
	arrived 2
}

@test "a user who runs the queue does not touch the machine's" {
	queued $ALICE
	as $ALICE -q
	assert_equal "$(find $SYSTEM/in -type f | wc -l)" 1
	[ ! -e "$D/aio/1.msg" ]
}

# Root becomes the owner: what only he can read is read, what only root can
# is not.
@test "root runs it as its owner" {
	queued $ALICE
	export HOME=/root XDG_STATE_HOME=/root/state
	# Leaks cannot be looked for under strace.
	export ASAN_OPTIONS=detect_leaks=0
	run --separate-stderr strace -f -qqq -o "$D/trace" \
		-e trace=setresuid,setgroups,setresgid \
		/usr/local/bin/smtpsend -q
	assert_success
	arrived 1
	run sed -n 's/^[0-9]* *\(set.*\)) *= /\1 /p' "$D/trace"
	assert_output "setgroups(1, [$RUNNER] 0
setresgid($RUNNER, $RUNNER, $RUNNER 0
setresuid($RUNNER, $RUNNER, $RUNNER 0"
	secret 0
	queued $ALICE
	run --separate-stderr /usr/local/bin/smtpsend -q
	assert_equal "$(find $SYSTEM/queue -maxdepth 1 -type f | wc -l)" 1
	[[ $stderr == *'/etc/smtpsend.secret: Permission denied'* ]]
	# By its id it is found there, and sent once that is mended.
	secret $RUNNER
	run --separate-stderr /usr/local/bin/smtpsend --queue-run \
		"$(basename "$(find $SYSTEM/queue -maxdepth 1 -type f)")"
	assert_equal "$stderr" ''
	assert_success
	arrived 2
}

@test "a queue of root's own" {
	rm -rf $SYSTEM
	system 0
	secret 0
	queued $ALICE
	# Root's own account of that name is not for the mail of others.
	printf '%s\n' 'account default' 'host 127.0.0.1' 'port 1' \
		>"$D/.smtpsendrc"
	chmod 600 "$D/.smtpsendrc"
	run --separate-stderr env -i HOME="$D" /usr/local/bin/smtpsend -q
	assert_equal "$stderr" ''
	assert_success
	arrived 1
}

# Who queues it is no reason to wait.
@test "a secret from the credentials of the runner's service" {
	sed -i /passwordfile/d /etc/smtpsend.conf
	install -d -m 500 -o $RUNNER "$D/credentials"
	echo pencil >"$D/credentials/smtpsend.default"
	queued $ALICE
	run --separate-stderr setpriv --reuid=$RUNNER --regid=$RUNNER \
		--clear-groups env -i CREDENTIALS_DIRECTORY="$D/credentials" \
		/usr/local/bin/smtpsend --queue-run=due
	assert_success
	arrived 1
}

# Who waits for the folder of what was added to be empty would start the run
# again and again.
@test "what was added is taken in though the configuration is broken" {
	queued $ALICE
	queued $ALICE 2
	echo bogus >>/etc/smtpsend.conf
	as $RUNNER --queue-run=due
	assert_failure 78
	assert_equal "$stderr" \
		'smtpsend: /etc/smtpsend.conf:8: unknown keyword "bogus"'
	assert_equal "$(find $SYSTEM/in -type f)" ''
	assert_equal "$(find $SYSTEM/queue -type f | wc -l)" 2
	sed -i '$d' /etc/smtpsend.conf
	as $RUNNER --queue-run=due
	assert_success
	arrived 2
}

# A service of systemd's may see /var as read-only, and has no home.
@test "who is kept from the queue by his service is told what lets him" {
	local -a keep_out=(unshare --mount sh -c 'mount --bind "$1" "$1" &&
		mount -o remount,bind,ro "$1" && shift && exec "$@"' sh "$SYSTEM")
	local closed
	closed="not queued: no place for a queue: $SYSTEM/in is read-only to"
	closed+=" this service; give its unit ReadWritePaths=$SYSTEM/in"
	WITHIN=("${keep_out[@]}")
	as $ALICE --queue -f alice@client.test bob@example.test
	assert_failure 78
	[[ $stderr == *"$closed" ]]
	# Users of systemd's own making live in /.
	HAS=(HOME=/)
	as $ALICE --queue -f alice@client.test bob@example.test
	assert_failure 78
	[[ $stderr == *"$closed" ]]
}

@test "each run says that somebody runs it, and all can see that" {
	touch -d '2 days ago' $SYSTEM/stamp
	as $RUNNER -q
	assert_success
	assert_equal "$(stat -c '%u %a' $SYSTEM/stamp)" "$RUNNER 644"
	queued $ALICE
	rm $SYSTEM/stamp
	as $RUNNER --queue-run=due
	assert_equal "$(stat -c '%u %a' $SYSTEM/stamp)" "$RUNNER 644"
	arrived 1
}

# What failed before the runner had it comes with it (sendmail -oee).
@test "who failed already is reported by the runner" {
	ln -sf smtpsend /usr/local/bin/sendmail
	message plain 1@client.test >"$D/mail"
	run --separate-stderr setpriv --reuid=$ALICE --regid=$ALICE \
		--clear-groups env -i PATH="$PATH" /usr/local/bin/sendmail \
		-i -oee -f alice@client.test nobody-there <"$D/mail"
	assert_equal "$output$stderr" ''
	assert_success
	assert_equal "$(find $SYSTEM/in -type f | wc -l)" 1
	as $RUNNER -q
	assert_success
	arrived 1
	assert_equal "$(jq -c '[.mail, .rcpts]' "$D"/aio/*.json)" \
		'["<>",["alice@client.test"]]'
	grep -q '^Final-Recipient: .*nobody-there' "$D"/aio/*.msg
}

@test "what is hostile is told, and stops no mail" {
	queued $ALICE
	setpriv --reuid=$ALICE --regid=$ALICE --clear-groups \
		ln -s /etc/passwd $SYSTEM/in/1kdvdna00000000
	as $RUNNER -q
	[[ $stderr == *'is a symbolic link; it is of user 2000'* ]]
	assert_equal "$(jq -r .auth "$D"/aio/*.json)" PLAIN
	rm -r $SYSTEM/in
	as $RUNNER -q
	assert_equal "$status" 71
	[[ $stderr == *"there is no folder $SYSTEM/in"* ]]
}
