#!/usr/bin/env bats
# sendmail -bs: what clients hear, and what is in the queue then.  tests/bs.py
# has the clients, and says what is wrong.

load common
load queue

SMALL=/run/small # in our own world: see tests/servers/world

setup_file() {
	mkdir -p $SMALL
	mount -t tmpfs -o size=256k tmpfs $SMALL
	ip address add 10.9.9.9/32 dev lo
}

setup() {
	queue_setup
	export Q
	ln -s "$SMTPSEND" sendmail
	export SENDMAIL=$T/sendmail
	printf '%s\n' defaults 'queue_runner off' 'set_from_header off' \
		'set_date_header off' 'set_msgid_header off' \
		'set_to_header off' >"$HOME/.smtpsendrc"
	if has_sanitizers; then
		export SLOW=1
	fi
}

# clients CASE...
clients() {
	run /usr/bin/python3 "$TESTS/bs.py" "$@"
	assert_output ''
	assert_success
}

@test "Python's smtplib sends, and what is queued is what it sent" {
	clients python
}

@test "Symfony and Swiftmailer, over two pipes, one connection for all" {
	clients symfony
}

@test "Alpine" {
	clients alpine
}

@test "swaks" {
	run --separate-stderr swaks --pipe "$SENDMAIL -bs" -f a@x.test \
		-t b@y.test,c@y.test --data @message
	exits 0
	assert_equal "$(grep -c '^<-  250 2.0.0 Queued as' <<<"$output")" 1
	assert_equal "$(entries | wc -l)" 1
	run "$SMTPSEND" --queue-list --json
	assert_equal "$(json '.sender, .recipients[].address' | paste -sd ' ')" \
		'a@x.test b@y.test c@y.test'
}

@test "msmtp" {
	clients msmtp
}

@test "BDAT" {
	clients chunks
}

@test "a dialogue in a file" {
	clients by_hand
}

@test "a client that leaves early has not sent anything" {
	clients cut_short
}

@test "a client that reads nothing and leaves" {
	clients gone gone_at_the_end quit_and_gone
}

@test "replies that nobody reads" {
	clients deaf
}

@test "a signal ends the dialogue with 421, and no message halfway" {
	clients signals signal_in_the_end
}

@test "a client that is silent for too long hears 421" {
	clients silence
}

@test "a client that dribbles hears 421, too" {
	clients dribbles
}

@test "a client that never pauses hears 421 as well" {
	clients never_pauses
}

@test "a person at a terminal types LF, and is understood" {
	clients terminal
}

@test "a full disk: 452, and the message stays the client's" {
	export XDG_STATE_HOME=$SMALL TMPDIR=$SMALL
	export Q=$SMALL/smtpsend BALLAST=$SMALL/ballast
	clients disk_is_full
}

@test "mistakes in the configuration are not the client's" {
	clients configuration
}

@test "names without a domain are those of this machine" {
	clients local_names
}

@test "messages that cannot be sent, and limits" {
	clients messages limits
}

@test "programs of this machine are served, other machines are not" {
	clients peers at_once
}

@test "no stdin, no stdout, a log on stdout, a stderr that is full" {
	clients streams
	clients errors_unread
}

@test "random octets" {
	clients random_octets
}

@test "what was taken is tried behind QUIT, but with -odq" {
	receiver box -n 1
	printf '%s\n' 'account default' 'host 127.0.0.1' "port $PORT" \
		>>"$HOME/.smtpsendrc"
	sed -i 's/queue_runner off/queue_runner on/' "$HOME/.smtpsendrc"
	talk() {
		printf '%s\r\n' 'EHLO me' 'MAIL FROM:<a@x.test>' \
			'RCPT TO:<b@y.test>' DATA "Subject: $1" '' hi . QUIT |
			env "MARK=$T" "$SENDMAIL" -bs "${@:2}" 2>&1
	}
	run talk first -odq
	assert_success
	assert_equal "$(left_behind)" ''
	assert_equal "$(entries | wc -l)" 1
	run talk second
	assert_success
	event 'stored 1'
	event 'stored 2'
	assert_equal "$(grep -h ^Subject: box/*.msg | tr -d '\r' | sort)" \
		$'Subject: first\nSubject: second'
}

@test "what was taken is tried while a client that stays pauses" {
	receiver box -n 1
	account default "$PORT"
	sed -i 's/queue_runner off/queue_runner on/' "$HOME/.smtpsendrc"
	coproc SERVER { MARK=$T exec "$SENDMAIL" -bs; }
	local pid=$SERVER_PID n
	for n in 1 2; do
		printf '%s\r\n' 'EHLO me' 'MAIL FROM:<a@x.test>' \
			'RCPT TO:<b@y.test>' DATA "Subject: $n" '' hi . \
			>&"${SERVER[1]}"
		event "stored $n"
	done
	printf 'QUIT\r\n' >&"${SERVER[1]}"
	wait "$pid"
}

@test "who of a list is nobody is reported to the sender" {
	receiver box -n 1
	account default "$PORT"
	echo 'mixed: b@y.test, nosuchuser' >/etc/aliases
	run "$SENDMAIL" -bs < <(printf '%s\r\n' 'EHLO me' \
		'MAIL FROM:<a@x.test>' 'RCPT TO:<mixed>' DATA '' hi . QUIT)
	assert_success
	"$SMTPSEND" -q
	event 'stored 1'
	event 'stored 2'
	assert_equal "$(sed -n 's/^rcpt //p' box/*.env | sort | paste -sd ' ')" \
		'<a@x.test> <b@y.test>'
	grep -q '^Final-Recipient: rfc822; *nosuchuser' box/*.msg
	grep -q '^Status: 5.1.1' box/*.msg
	assert_equal "$(entries)" ''
}

@test "a message's names are asked of one reading of the aliases" {
	local line
	printf '%s\n' 'one: b@y.test' 'two: c@y.test' >/etc/aliases
	coproc SERVER { exec "$SENDMAIL" -odq -bs; }
	say() {
		printf '%s\r\n' "$@" >&"${SERVER[1]}"
		IFS= read -r -t 60 line <&"${SERVER[0]}"
	}
	IFS= read -r -t 60 line <&"${SERVER[0]}"
	say 'HELO me'
	say 'MAIL FROM:<a@x.test>'
	say 'RCPT TO:<one>'
	assert_regex "$line" ^250
	echo 'one: nosuchuser' >/etc/aliases
	say 'RCPT TO:<two>'
	assert_regex "$line" ^250
	say RSET
	# The next one sees what is there now.
	say 'MAIL FROM:<a@x.test>'
	say 'RCPT TO:<two>'
	assert_regex "$line" '^550 5.1.1'
	local pid=$SERVER_PID
	printf 'QUIT\r\n' >&"${SERVER[1]}"
	wait "$pid"
}
