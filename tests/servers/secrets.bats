#!/usr/bin/env bats
# Where a password can be seen: nowhere.
#
# It is given in each way there is and used by each mechanism, and then
# looked for in all that was printed, in the arguments and environments of
# all that was run, in files, and in the memory of the running processes.

load common

setup_file() {
	prepare
	"$SERVERS/mkca" "$D/ca" 'mx1=IP:127.0.0.1,IP:127.0.0.2'
	export CA=$D/ca/ca.pem
	start dovecot.sh "$D/dovecot" "$D/ca" 127.0.0.2 127.0.0.1
	start postfix.sh "$D/postfix" "$D/ca" 127.0.0.1 \
		"$D/dovecot/run/smtp-auth"
	# This one never answers MAIL.
	POSTFIX_EXTRA='smtpd_delay_reject = no
smtpd_sender_restrictions = sleep 600' \
		start postfix.sh "$D/silent" "$D/ca" 127.0.0.3 \
		"$D/dovecot/run/smtp-auth"
	# Nothing that runs here may have it in its environment.
	install -d -m 711 "$D/kept"
	openssl rand -hex 12 >"$D/kept/secret"
	printf 'alice:{PLAIN}%s::::::\n' "$(cat "$D/kept/secret")" \
		>"$D/dovecot/users"
	"$SERVERS/token" alice >"$D/kept/token"
	keep
}

# keep: the password, in each place where a user may keep it.
keep() {
	cd "$D/kept" || return
	mkdir credentials home
	chmod 600 secret token
	cp secret credentials/smtpsend
	printf 'machine 127.0.0.1 login alice password %s\n' \
		"$(cat secret)" >home/.netrc
	{
		echo 'account relay'
		echo 'host 127.0.0.1'
		echo 'auth on'
		echo 'user alice'
		echo "password $(cat secret)"
		echo "tls_trust_file $CA"
		echo 'tls on'
	} >config
	chmod 600 credentials/smtpsend home/.netrc config
}

setup() {
	export TMPDIR=$BATS_TEST_TMPDIR/tmp HOME=$BATS_TEST_TMPDIR/home
	mkdir "$TMPDIR" "$HOME" "$BATS_TEST_TMPDIR/seen"
	cd "$BATS_TEST_TMPDIR/seen" || return
	printf 'defaults\nlogfile ~/log\n' >"$HOME/.smtpsendrc"
	GIVEN=(--password-fd 5)
	TO=(--tls verify --tls-trust-file "$CA" --host 127.0.0.1 --user alice)
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # not while traced
	export ASAN_OPTIONS
	touch "$BATS_TEST_TMPDIR/begun"
}

teardown() {
	[ -z "${PARENT:-}" ] || end
}

# end: $PARENT ends, and with it its worker.
end() {
	kill -KILL "$PARENT" 2>/dev/null || true
	wait "$PARENT" 2>/dev/null || true
}

# watched [ARGUMENT...]: send, and note all that can be seen of it.
watched() {
	status=0
	strace -f -v -s 65536 -e trace=execve -o execve "$SMTPSEND" -v --json \
		-f alice@client.test "$@" bob@example.test >out 2>err \
		5<"$D/kept/secret" 6<"$D/kept/token" \
		< <(message plain "$BATS_TEST_NUMBER@client.test") || status=$?
}

# unseen [SECRETFILE]: no trace of it, in what was noted and on the disk, but
# where other tests work meanwhile.
unseen() {
	local -a files
	mapfile -d '' files < <(find /tmp /var/tmp -type f \
		-newer "$BATS_TEST_TMPDIR/begun" -size -64M \
		-not -path "${BATS_RUN_TMPDIR%/*}/bats-run-*/*" -print0 \
		2>/dev/null)
	files+=("$TMPDIR" "$HOME" "$PWD")
	run "$SERVERS/leaks" "${1:-$D/kept/secret}" "${files[@]}"
	# Where it is kept it may be.
	output=$(sed "\\,^$D/kept/,d" <<<"$output")
	assert_success
	assert_output ''
}

# works ARGUMENT...: the message goes, and nothing is seen.
works() {
	watched "$@"
	[ "$status" -eq 0 ] || fail "$* exits $status: $(cat err)"
	unseen
}

@test "the search finds what there is to find" {
	local secret
	secret=$(cat "$D/kept/secret")
	printf '\0alice\0%s' "$secret" | base64 -w0 >plain
	printf 'user=alice\1auth=Bearer %s\1\1' "$secret" | base64 -w0 >bearer
	printf %s "$secret" | od -An -v -tx1 | tr -d ' \n' >hex
	run strace -f -v -s 65536 -e trace=execve -o execve \
		env "A=$secret" true
	run "$SERVERS/leaks" "$D/kept/secret" "$PWD"
	for file in plain bearer hex execve; do
		assert_line --partial "$PWD/$file: as "
	done
	A=$secret sleep 60 3>&- &
	PARENT=$!
	"$SERVERS/waitfor" 30 grep -qx sleep "/proc/$PARENT/comm"
	run "$SERVERS/leaks" "$D/kept/secret" "$PARENT"
	assert_output --partial "$PARENT [stack]: as it is"
}

@test "by a descriptor" {
	works "${TO[@]}" --auth on --password-fd 5
	grep -q 'status=sent' "$HOME/log"
}

@test "by a command for the shell" {
	works "${TO[@]}" --auth on --passwordeval "cat $D/kept/secret"
}

@test "by a command without a shell" {
	works "${TO[@]}" --auth on --passwordcmd "cat $D/kept/secret"
}

@test "by a file" {
	works "${TO[@]}" --auth on --passwordfile "$D/kept/secret"
}

@test "by netrc" {
	HOME=$D/kept/home works "${TO[@]}" --auth on
}

@test "by a folder of credentials" {
	CREDENTIALS_DIRECTORY=$D/kept/credentials works "${TO[@]}" --auth on
}

@test "by the configuration" {
	works -C "$D/kept/config" -a relay
}

@test "by each mechanism, accepted and refused" {
	local mech
	for mech in PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256
	do
		works "${TO[@]}" --auth $mech --password-fd 5
		watched "${TO[@]}" --auth $mech --user nobody --password-fd 5
		assert_equal "$status" 77
		unseen
	done
}

@test "a token, accepted and refused" {
	local mech
	for mech in XOAUTH2 OAUTHBEARER; do
		watched "${TO[@]}" --auth $mech --password-fd 6
		assert_equal "$status" 0
		unseen "$D/kept/token"
		watched "${TO[@]}" --auth $mech --user bob --password-fd 6
		assert_equal "$status" 77
		unseen "$D/kept/token"
	done
}

@test "where it is not sent, and where nobody takes it" {
	watched "${TO[@]}" --tls encrypt --resolve far.test:25:127.0.0.1 \
		--host far.test --auth PLAIN --password-fd 5
	[ "$status" -ne 0 ]
	unseen
	watched "${TO[@]}" --host 127.0.0.9 --auth PLAIN --password-fd 5
	assert_equal "$status" 75
	unseen
	watched "${TO[@]}" --auth PLAIN --password-fd 5 --dry-run
	unseen
}

# hang MECH CMD...: CMD runs smtpsend, which logs in and then waits for the
# reply to MAIL: $PARENT and the $WORKER of it.
hang() {
	local stat pid rest parent
	WORKER=
	rm -f err # which may have the last one's dialogue
	"${@:2}" "$SMTPSEND" -v -f alice@client.test --tls encrypt --insecure-auth \
		--host 127.0.0.3 --auth "$1" --user alice "${GIVEN[@]}" \
		bob@example.test >out 2>err 3>&- 5<"$D/kept/secret" <<<x &
	PARENT=$!
	"$SERVERS/waitfor" 30 grep -q 'C: MAIL' err || fail "$(cat err)"
	for stat in /proc/[0-9]*/stat; do
		read -r pid rest 2>/dev/null <"$stat" || continue
		read -r _ parent _ <<<"${rest##*) }"
		[ "$parent" != $PARENT ] || WORKER=$pid
	done
}

# The worker may have to log in at the next host, so one copy is left.
@test "in memory, once it is used, only where it may be used again" {
	local mech
	for mech in PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256; do
		one_copy "$mech" --password-fd 5
	done
	one_copy PLAIN --passwordfile "$D/kept/secret"
	one_copy PLAIN --passwordeval "cat $D/kept/secret"
}

# one_copy MECH ARGUMENT...: the password is given so, and the worker has it.
one_copy() {
	GIVEN=("${@:2}")
	hang "$1" env
	run "$SERVERS/leaks" "$D/kept/secret" "$PARENT" "$WORKER"
	end
	assert_success
	assert_output --regexp "^$WORKER [^ ]*: as it is, 1 times\$"
}

@test "the memory is nobody's business" {
	chmod 777 .
	chmod 644 "$D/kept/secret"
	hang PLAIN setpriv --reuid=nobody --regid=nogroup --clear-groups
	chmod 600 "$D/kept/secret"
	for pid in "$PARENT" "$WORKER"; do
		run setpriv --reuid=nobody --regid=nogroup --clear-groups \
			"$SERVERS/leaks" "$CA" "$pid"
		assert_failure
		assert_output --partial 'Permission denied'
	done
}

@test "no core is dumped" {
	ulimit -c unlimited
	sh -c 'kill -TRAP $$' 3>&- || true
	[ "$(compgen -G 'core*')" ] || skip 'here nobody dumps one into a file'
	rm core*
	hang PLAIN env
	kill -TRAP "$WORKER" "$PARENT"
	wait "$PARENT" || true
	assert_equal "$(compgen -G 'core*')" ''
}
