#!/usr/bin/env bats
# Every mechanism, at servers that others wrote; and what comes of a refusal.
#
# Postfix (127.0.0.1) asks Dovecot; Dovecot is a submission server itself
# (127.0.0.2), which hands on to Postfix; Exim (127.0.0.3) has another TLS
# library; Cyrus SASL binds to the channel of TLS 1.3 (127.0.0.4) and 1.2
# (127.0.0.5); aiosmtpd (127.0.0.6) has a mechanism out of order.

load common

POSTFIX=127.0.0.1
DOVECOT=127.0.0.2
EXIM=127.0.0.3

ODD_PASSWORDS=('päßwörd ключ' ' two  spaces ' 'quo"te' "apo'strophe"
	'back\slash' 'a=b,c=' '%s$HOME`id`' "$(printf '%0200d' 7)")
ODD_NAMES=(björn 'a=b,c' o+hara@example.test 'two words')

# Who they are at Dovecot, which looks at the file once a second at most.
users() {
	local n
	for n in "${!ODD_PASSWORDS[@]}"; do
		printf '%s:{PLAIN}%s::::::\n' "odd$n" "${ODD_PASSWORDS[n]}"
	done
	printf '%s:{PLAIN}pencil::::::\n' "${ODD_NAMES[@]}"
}

setup_file() {
	prepare
	local ips=127.0.0
	"$SERVERS/mkca" "$D/ca" "mx1=IP:$ips.1,IP:$ips.2,IP:$ips.3,IP:$ips.4,\
IP:$ips.5" alice=DNS:alice
	export CA=$D/ca/ca.pem
	start dovecot.sh "$D/dovecot" "$D/ca" 127.0.0.2 127.0.0.1
	users >>"$D/dovecot/users"
	start postfix.sh "$D/postfix" "$D/ca" 127.0.0.1 \
		"$D/dovecot/run/smtp-auth"
	start exim.sh "$D/exim" "$D/ca" 127.0.0.3
	start_announced cyrus13 "$SERVERS/cyrus.py" "$D/cyrus13" "$D/ca" \
		127.0.0.4 1.3
	start_announced cyrus12 "$SERVERS/cyrus.py" "$D/cyrus12" "$D/ca" \
		127.0.0.5 1.2
	mkdir "$D/aio"
	start_announced aio "$SERVERS/aio.py" "$D/aio" 127.0.0.6 25
	chmod 600 "$D/ca/alice.key"
	echo '127.0.0.2 relay.in.hosts.test' >>/etc/hosts
}

setup() {
	local log
	# None of the test before ends in the log of this one.
	"$SERVERS/waitfor" 30 sessions_over "$D/postfix/mail.log"
	for log in postfix/mail.log dovecot/dovecot.log exim/log/mainlog \
		cyrus12/log cyrus13/log; do
		: >"$D/$log"
	done
	USER_NAME=alice
	PASSWORD=pencil
	TLS=(--tls verify --tls-trust-file "$CA")
}

# submit ARGUMENT...: send a message, and see the dialogue.
submit() {
	run --separate-stderr "$SMTPSEND" -v -f alice@client.test "$@" \
		bob@example.test < <(message plain "$BATS_TEST_NUMBER@client.test")
}

# login MECH HOST [ARGUMENT...]: as $USER_NAME with $PASSWORD.
login() {
	submit "${TLS[@]}" --auth "$1" --user "$USER_NAME" --password-fd 5 \
		--host "$2" "${@:3}" 5<<<"$PASSWORD"
	secret_unseen
}

# token_login MECH HOST COMMAND: with what COMMAND prints.
token_login() {
	submit "${TLS[@]}" --auth "$1" --user alice --host "$2" \
		--passwordeval "$3"
	secret_unseen
}

# Nothing that was shown has the password in it.
secret_unseen() {
	local seen
	for seen in "$PASSWORD" "$(printf %s "$PASSWORD" | base64 -w0)" \
		"$(printf '\0%s\0%s' "$USER_NAME" "$PASSWORD" | base64 -w0)"; do
		[[ $output$stderr != *"$seen"* ]] || fail "the password: $stderr"
	done
}

# exits CODE
exits() {
	[ "$status" -eq "$1" ] || fail "exit code $status, not $1
$stderr"
}

# says TEXT...: each stands in stderr.
says() {
	local text
	for text; do
		[[ $stderr == *"$text"* ]] || fail "no \"$text\" in: $stderr"
	done
}

# logged FILE TEXT: a server's log has it, or will have it.
logged() {
	"$SERVERS/waitfor" 30 grep -qF -- "$2" "$D/$1" || fail "$(cat "$D/$1")"
}

# at_postfix, at_dovecot, at_exim MECH: that is how somebody logged in.
at_postfix() {
	logged postfix/mail.log "sasl_method=$1, sasl_username=$USER_NAME"
}

at_dovecot() {
	logged dovecot/dovecot.log "Login: user=<$USER_NAME>, method=$1,"
}

at_exim() {
	logged exim/log/mainlog "A=$1:alice"
}

# attempts N/M: of Postfix's one session: how many AUTHs were good, of how
# many; "none".
attempts() {
	logged postfix/mail.log 'disconnect from'
	run grep -o 'disconnect from .*' "$D/postfix/mail.log"
	assert_equal ${#lines[@]} 1
	if [ "$1" = none ]; then
		refute_output --partial ' auth='
	else
		assert_output --regexp " auth=$1( |\$)"
	fi
}

@test "Postfix: every mechanism" {
	for mech in PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256; do
		login "$mech" $POSTFIX
		exits 0
		says "C: AUTH $mech"
		at_postfix "$mech"
	done
	for mech in XOAUTH2 OAUTHBEARER; do
		PASSWORD=$("$SERVERS/token" alice)
		login "$mech" $POSTFIX
		exits 0
		at_postfix "$mech"
	done
}

@test "Dovecot: every mechanism, by STARTTLS" {
	for mech in PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256; do
		login "$mech" $DOVECOT:587
		exits 0
		at_dovecot "$mech"
	done
	for mech in XOAUTH2 OAUTHBEARER; do
		PASSWORD=$("$SERVERS/token" alice)
		login "$mech" $DOVECOT:587
		exits 0
		at_dovecot "$mech"
	done
}

@test "Dovecot: every mechanism, in TLS from the first octet" {
	for mech in PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256; do
		login "$mech" smtps://$DOVECOT
		exits 0
		at_dovecot "$mech"
	done
	for mech in XOAUTH2 OAUTHBEARER; do
		PASSWORD=$("$SERVERS/token" alice)
		login "$mech" smtps://$DOVECOT
		exits 0
		at_dovecot "$mech"
	done
}

@test "Exim: every mechanism" {
	for host in $EXIM smtps://$EXIM; do
		for mech in PLAIN LOGIN CRAM-MD5; do
			login "$mech" "$host"
			exits 0
			name=${mech%-MD5}
			at_exim "${name,,}"
			: >"$D/exim/log/mainlog"
		done
	done
}

@test "Cyrus: bound to the channel of TLS 1.3" {
	for mech in SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS; do
		login "$mech" smtps://127.0.0.4
		exits 0
		logged cyrus13/log "$mech tls-exporter p=tls-exporter ok"
	done
}

@test "Cyrus: bound to the channel of TLS 1.2" {
	for mech in SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS; do
		login "$mech" smtps://127.0.0.5
		exits 0
		logged cyrus12/log "$mech tls-unique p=tls-unique ok"
	done
}

@test "what is offered with a channel is taken with it" {
	login on smtps://127.0.0.4
	exits 0
	logged cyrus13/log 'SCRAM-SHA-256-PLUS tls-exporter p=tls-exporter ok'
}

@test "less than that only when it is named" {
	login SCRAM-SHA-256 smtps://127.0.0.4
	exits 0
	logged cyrus13/log 'SCRAM-SHA-256 tls-exporter n ok'
}

@test "a wrong password, bound to the channel" {
	PASSWORD=wrong
	login on smtps://127.0.0.4
	exits 77
	assert_equal "$(cat "$D/cyrus13/log")" \
		'SCRAM-SHA-256-PLUS tls-exporter p=tls-exporter refused'
}

@test "a certificate instead of a password" {
	local key=(--tls-cert-file "$D/ca/alice.crt"
		--tls-key-file "$D/ca/alice.key")
	submit "${TLS[@]}" --host $DOVECOT:587 --auth external "${key[@]}"
	exits 0
	at_dovecot EXTERNAL
	submit "${TLS[@]}" --host $EXIM --auth external --user alice "${key[@]}"
	exits 0
	at_exim external
	submit "${TLS[@]}" --host $EXIM --auth external --user bob "${key[@]}"
	exits 77
}

@test "the strongest is taken, whatever the order" {
	login on $POSTFIX
	exits 0
	at_postfix SCRAM-SHA-256
	login on $DOVECOT:587
	exits 0
	at_dovecot SCRAM-SHA-256
	login on $EXIM
	exits 0
	at_exim cram
}

@test "--user alone is reason enough" {
	submit "${TLS[@]}" --user alice --password-fd 5 --host $POSTFIX \
		5<<<pencil
	exits 0
	at_postfix SCRAM-SHA-256
}

@test "--auth off says nothing of who we are" {
	login off $POSTFIX
	exits 0
	attempts none
}

@test "the password is not in the dialogue" {
	login PLAIN $POSTFIX
	exits 0
	says 'C: AUTH PLAIN <hidden>'
	login LOGIN $POSTFIX
	exits 0
	says $'C: AUTH LOGIN\n' 'C: <hidden>'
}

@test "a wrong password is 77, and not tried twice" {
	PASSWORD=wrong
	login on $POSTFIX
	exits 77
	says 'smtpsend: bob@example.test: failed at auth' '535 5.7.8'
	attempts 0/1
}

@test "a wrong password by each mechanism" {
	PASSWORD=wrong
	for mech in PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1; do
		login "$mech" $DOVECOT:587
		exits 77
		logged dovecot/dovecot.log \
			'(auth failed, 1 attempts in'
		: >"$D/dovecot/dovecot.log"
	done
}

@test "an unknown user is 77" {
	USER_NAME=nobody
	login on $POSTFIX
	exits 77
	attempts 0/1
	login PLAIN $EXIM
	exits 77
}

@test "a mechanism refused for its own sake: the next one" {
	login on 127.0.0.6 --tls none
	exits 0
	says 'C: AUTH CRAM-MD5' 'S: 504 5.5.4' 'C: AUTH PLAIN <hidden>'
	run jq -r .auth "$D/aio/1.json"
	assert_output PLAIN
}

@test "a mechanism refused for its own sake, and named" {
	login CRAM-MD5 127.0.0.6 --tls none
	exits 69
	says '504 5.5.4 this mechanism is out of order'
	run grep -c 'C: AUTH' <<<"$stderr"
	assert_output 1
}

@test "a mechanism that the server does not offer" {
	login SCRAM-SHA-256 $EXIM
	[ "$status" -ne 0 ]
	says SCRAM-SHA-256 'PLAIN LOGIN CRAM-MD5'
	run grep -c 'C: AUTH' <<<"$stderr"
	assert_output 0
}

@test "no AUTH offered" {
	start_announced sink "$TOOLS/sink" -a 127.0.0.7 -p 25
	login on 127.0.0.7 --tls none
	exits 75
	says AUTH
}

@test "what knows the passwords is out of order: 75" {
	USER_NAME=broken
	login PLAIN $DOVECOT:587
	exits 75
	says 454 'deferred at auth'
}

@test "one acts for another" {
	USER_NAME=master
	login PLAIN $DOVECOT:587 --authzid alice
	exits 0
	logged dovecot/dovecot.log 'Login: user=<alice>, method=PLAIN'
	USER_NAME=alice
	login PLAIN $DOVECOT:587 --authzid bob
	exits 77
}

@test "passwords of every kind" {
	local mech n
	for n in "${!ODD_PASSWORDS[@]}"; do
		USER_NAME=odd$n
		PASSWORD=${ODD_PASSWORDS[n]}
		for mech in PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256; do
			login "$mech" $DOVECOT:587
			exits 0
			at_dovecot "$mech"
		done
	done
}

@test "names of every kind" {
	local mech
	for USER_NAME in "${ODD_NAMES[@]}"; do
		for mech in PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256; do
			login "$mech" $POSTFIX
			exits 0
			at_postfix "$mech"
		done
	done
}

expired_twice() {
	[ "$(grep -c 'Token has expired' "$D/dovecot/dovecot.log")" = 2 ]
}
export -f expired_twice

@test "a token that has expired, in the server's words, asked for twice" {
	declare -A words=([XOAUTH2]='status 401' [OAUTHBEARER]=invalid_token)
	for mech in XOAUTH2 OAUTHBEARER; do
		: >"$BATS_TEST_TMPDIR/count"
		token_login $mech $DOVECOT:587 \
			"echo >>$BATS_TEST_TMPDIR/count; $SERVERS/token alice -60"
		exits 77
		says 'failed at auth' "${words[$mech]}"
		assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/count")" 2
		"$SERVERS/waitfor" 30 expired_twice
		: >"$D/dovecot/dovecot.log"
	done
}

@test "a token that was renewed meanwhile" {
	token_login XOAUTH2 $DOVECOT:587 "cd $BATS_TEST_TMPDIR; \
		if [ -e old ]; then $SERVERS/token alice; \
		else touch old; $SERVERS/token alice -60; fi"
	exits 0
	at_dovecot XOAUTH2
}

@test "a token that was forged" {
	token_login OAUTHBEARER $POSTFIX \
		"$SERVERS/token alice 600 some-other-key"
	exits 77
}

@test "a token that can be had only once" {
	PASSWORD=$("$SERVERS/token" alice -60)
	login XOAUTH2 $POSTFIX
	exits 77
	attempts 0/1
}

@test "a token that a command line has no room for" {
	PASSWORD=$(PADDING=$(printf '%0600d' 0) "$SERVERS/token" alice)
	for mech in XOAUTH2 OAUTHBEARER; do
		login $mech $POSTFIX
		exits 0
		says "C: AUTH $mech"$'\n'
		at_postfix $mech
	done
}

@test "no secret for who may be anybody" {
	TLS=(--tls encrypt)
	for mech in on PLAIN SCRAM-SHA-256; do
		login $mech relay.in.hosts.test:587
		[[ $status = 77 || $status = 75 ]] || exits 77
		says insecure_auth 'not verified'
		[[ $stderr != *'C: AUTH'* ]]
	done
	run grep -c user= "$D/dovecot/dovecot.log"
	refute_line --regexp 'method='
}

@test "a secret for who may be anybody, if the user says so" {
	TLS=(--tls encrypt)
	login PLAIN relay.in.hosts.test:587 --insecure-auth
	exits 0
	at_dovecot PLAIN
}

# Dovecot takes who comes from its own address for safe, and offers AUTH.
@test "no secret in clear, but to this machine" {
	TLS=(--tls none --source-ip 127.0.0.2)
	login PLAIN relay.in.hosts.test:587
	[[ $status = 77 || $status = 75 ]] || exits 77
	says insecure_auth 'not encrypted'
	login PLAIN 127.0.0.2:587
	exits 0
	login PLAIN localhost:587 --resolve localhost:587:127.0.0.2
	exits 0
	login PLAIN relay.in.hosts.test:587 --insecure-auth
	exits 0
}

@test "to a host with a secret, TLS is verified unless said otherwise" {
	TLS=()
	login PLAIN relay.in.hosts.test:25 --resolve \
		relay.in.hosts.test:25:127.0.0.1
	exits 75
	says 'starttls'
	attempts none
}

@test "mechanisms that are not built in are named" {
	for mech in GSSAPI NTLM; do
		login $mech $POSTFIX
		[ "$status" -ne 0 ]
		says $mech 'not built in'
	done
	login NONSENSE $POSTFIX
	[ "$status" -ne 0 ]
	says NONSENSE
}
