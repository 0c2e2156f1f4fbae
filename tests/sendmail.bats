#!/usr/bin/env bats
# The sendmail face: its letters as callers write them, and what they lead to.
# shellcheck disable=SC2154 # run sets $stderr

load common

# The relay of the configuration is the receiver; nothing is added to what has
# all fields, and nobody runs a queue behind our back.
setup() {
	common_setup
	receiver box
	for NAME in sendmail send-mail mailq newaliases runq rmail; do
		ln -s "$SMTPSEND" "$NAME"
	done
	config "host 127.0.0.1" "port $PORT"
}

# config LINE...: the account's, and more for the defaults from $DEFAULTS.
config() {
	printf '%s\n' defaults 'queue_runner off' 'maildomain home.test' \
		'local off' "${DEFAULTS[@]}" 'account default' "$@" >.smtpsendrc
}

# mail ARGUMENT...: ./message goes through sendmail.
mail() {
	run --separate-stderr ./sendmail "$@" <message
}

# quiet: it went well, and nobody heard of it.
quiet() {
	exits 0
	silent
}

# sender [NAME/N]: of message N.
sender() {
	sed -n 's/^mail <\([^>]*\)>.*/\1/p' "$T/${1:-box/1}.env"
}

# got [NAME/N]: its recipients.
got() {
	recipients "${1:-box/1}" | tr -d '<>'
}

# sent_by ARGUMENT...: the sender and recipients of a mail with these, as
# "SENDER: RECIPIENT..."; it is the only one in ./box then.
sent_by() {
	local last
	rm -f box/*
	mail "$@"
	quiet || return
	last=$(echo box/*.env)
	last=${last%.env}
	echo "$(sender "$last"): $(got "$last")"
}

# queued [TEXT]: how many messages the queue has, with TEXT in the list.
queued() {
	./mailq | grep -c "^[0-9a-z]\{15\}"
}

@test "a message to a recipient goes out as it is, in silence" {
	mail -i -f a@x.test bob@x.test
	quiet
	printf %s "$WIRE" >expected
	arrived expected
	assert_equal "$(sender): $(got)" 'a@x.test: bob@x.test'
}

@test "letters bundled and apart, values glued and apart" {
	assert_equal "$(sent_by -i -f a@x.test bob@x.test)" 'a@x.test: bob@x.test'
	assert_equal "$(sent_by -ifa@x.test bob@x.test)" 'a@x.test: bob@x.test'
	assert_equal "$(sent_by -oi -fa@x.test bob@x.test)" 'a@x.test: bob@x.test'
	assert_equal "$(sent_by -o i -itfa@x.test)" 'a@x.test: bob@x.test'
	assert_equal "$(sent_by -ti -f a@x.test)" 'a@x.test: bob@x.test'
	assert_equal "$(sent_by -oi -t -r a@x.test)" 'a@x.test: bob@x.test'
	mail -vmGUrA@x.test bob@x.test
	exits 0
	says 'MAIL FROM:<A@x.test>'
	assert_equal "$(sent_by -oem -oi -f a@x.test -- bob@x.test)" \
		'a@x.test: bob@x.test'
	assert_equal "$(sent_by bob@x.test -f a@x.test -i c@x.test)" \
		'a@x.test: bob@x.test c@x.test'
	assert_equal "$(sent_by -i -f b@x.test -f a@x.test bob@x.test)" \
		'a@x.test: bob@x.test'
}

@test "addresses that begin with a hyphen stand behind --" {
	assert_equal "$(sent_by -i -f a@x.test -- -dash@x.test)" \
		'a@x.test: -dash@x.test'
	assert_equal "$(sent_by -i -f -dash@x.test bob@x.test)" \
		'-dash@x.test: bob@x.test'
	assert_equal "$(sent_by -if-dash@x.test bob@x.test)" \
		'-dash@x.test: bob@x.test'
	assert_equal "$(sent_by -i -fa@x.test bob@x.test -- -- -f --help@x.test)" \
		'a@x.test: bob@x.test --@home.test -f@home.test --help@x.test'
}

@test "values that can be left out do not eat the next word" {
	local letter
	for letter in d E J; do
		assert_equal "$(sent_by -i "-$letter" bob@x.test -fa@x.test)" \
			'a@x.test: bob@x.test'
	done
	assert_equal "$(sent_by -d0.1 -EC -JJ -fa@x.test bob@x.test)" \
		'a@x.test: bob@x.test'
	for letter in C Q; do
		assert_equal "$(sent_by "-$letter" -fa@x.test bob@x.test)" \
			'a@x.test: bob@x.test'
		assert_equal "$(sent_by "-$letter" eaten -fa@x.test bob@x.test)" \
			'a@x.test: bob@x.test'
	done
	mail -q bob@x.test
	quiet
	mail -qf bob@x.test
	quiet
	stored 1
}

# Letters whose value is a word, whatever it is, and those without one.
@test "letters that do nothing take what sendmail's take" {
	local letter
	for letter in A B D M O X o p e h L; do
		assert_equal "$(sent_by -fa@x.test "-$letter" 7 bob@x.test)" \
			'a@x.test: bob@x.test'
		assert_equal "$(sent_by -fa@x.test "-${letter}7" bob@x.test)" \
			'a@x.test: bob@x.test'
	done
	for letter in D X O M; do
		assert_equal "$(sent_by -fa@x.test "-$letter" -t bob@x.test)" \
			'a@x.test: bob@x.test'
	done
	for letter in c m n s S T U x G i; do
		assert_equal "$(sent_by "-$letter" -fa@x.test bob@x.test)" \
			'a@x.test: bob@x.test'
	done
	assert_equal "$(sent_by -cmnsSTUxGifa@x.test bob@x.test)" \
		'a@x.test: bob@x.test'
}

@test "unknown values of -o, -O, -d, -e and -b never fail" {
	local word
	for word in -oZ -o8 -o7 -oA/x -oQ/x -odf -odz -oez -oe -os -oT1h \
		-OQueueDirectory=/x -OTimeout=1 -O= -OFoo -d99.9 -dx -ez -em \
		-ep -eq -ew -bz -be -ba -bd -bD -bt -bh -bH -bC -bF -bm; do
		assert_equal "$(sent_by -fa@x.test "$word" bob@x.test)" \
			'a@x.test: bob@x.test'
	done
}

@test "senders: null, bare, by another letter, without one" {
	assert_equal "$(sent_by -f '' bob@x.test)" ': bob@x.test'
	assert_equal "$(sent_by -f '<>' bob@x.test)" ': bob@x.test'
	assert_equal "$(sent_by '-f<>' bob@x.test)" ': bob@x.test'
	assert_equal "$(sent_by -fMAILER-DAEMON bob@x.test)" ': bob@x.test'
	assert_equal "$(sent_by -f www-data bob@x.test)" \
		'www-data@home.test: bob@x.test'
	assert_equal "$(sent_by -r www-data bob@x.test)" \
		'www-data@home.test: bob@x.test'
	assert_equal "$(sent_by -f 'The Web <www@x.test>' bob@x.test)" \
		'www@x.test: bob@x.test'
	assert_equal "$(sent_by bob@x.test)" "$(id -un)@home.test: bob@x.test"
	printf 'defaults\nqueue off\naccount default\nhost 127.0.0.1\nport %s\n' \
		"$PORT" >.smtpsendrc
	mail -f www-data bob@x.test
	quiet
	grep -qr '^mail <www-data@.*>' box
}

@test "a user without a name writes as postmaster" {
	cp "$SMTPSEND" sendmail.copy
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T" sendmail.copy
	mkdir etc
	ln -sf "$T/sendmail.copy" etc/sendmail
	chmod 644 .smtpsendrc
	run --separate-stderr setpriv --reuid=12345 --clear-groups \
		etc/sendmail -i bob@x.test <message
	quiet
	assert_equal "$(sender)" postmaster@home.test
	# What has no sender still has who wrote it.
	printf 'Subject: hi\n\nhello\n' >bare
	run --separate-stderr setpriv --reuid=12345 --clear-groups \
		etc/sendmail -i -f '' bob@x.test <bare
	quiet
	assert_equal "$(sender box/2)" ''
	grep -q $'^From: postmaster@home.test\r$' box/2.msg
}

@test "-F names who writes, if From is missing" {
	printf 'To: bob@x.test\n\nhello\n' |
		./sendmail -FCronDaemon -i -odi -oem -oi -t -f cron@x.test
	grep -q $'^From: CronDaemon <cron@x.test>\r$' box/1.msg
	printf '\nhello\n' | ./sendmail -i '-FAnacron (x)' bob@x.test
	grep -q '^From: "Anacron (x)" <.*@home.test>' box/2.msg
	printf 'no header at all\n' | ./sendmail -i bob@x.test
	grep -q '^no header at all' box/3.msg
}

@test "-N, -R and -V ask for reports; a wrong value is an error" {
	mail -N success,delay -R hdrs -V id7 -f a@x.test bob@x.test
	quiet
	mail -Nnever -Rfull -f a@x.test bob@x.test
	exits 0
	mail -N maybe bob@x.test
	usage_error '-N "maybe": give never'
	mail -Rwhole bob@x.test
	usage_error '-R "whole"'
	mail -V $'a\nb' bob@x.test
	usage_error '-V '
	mail -h many bob@x.test
	usage_error '-h "many": give a number'
}

@test "what is none of sendmail's letters: 64, and all of the input is read" {
	mail --host 127.0.0.1 bob@x.test
	usage_error 'no option --host' 'called as sendmail'
	mail --foo=bar bob@x.test
	usage_error 'no option --foo=bar'
	mail -z bob@x.test
	usage_error 'unknown option -z'
	mail -iz bob@x.test
	usage_error 'unknown option -z in "-iz"'
	mail bob@x.test -f
	usage_error '-f needs ADDRESS'
	mail -i
	usage_error 'no recipient; give one as an argument, or -t'
	mail -bd
	usage_error '-bd does nothing here'
	for word in --foo -z -bd -i -N; do
		assert_equal "$(yes | head -c 3M | ./sendmail $word 2>err
			echo "${PIPESTATUS[*]:1}")" '0 64'
	done
}

@test "--help has every letter, --version says who it is" {
	run --separate-stderr ./sendmail --help
	exits 0
	local letter
	for letter in A B bs bp bv bi C c D d E e F f G h I i J L M m N n O odb \
		odi odq oee oem oi p Q q qf qI qR qS R r S s T t U V v X x; do
		grep -q -- "^  -$letter\>" <<<"$output" ||
			grep -q -- "^  -${letter}[[A-Z ]" <<<"$output" ||
			fail "no -$letter in: $output"
	done
	run --separate-stderr ./mailq --version
	exits 0
	[[ $output == 'smtpsend '* ]]
}

@test "send-mail is sendmail, whatever folder and whatever program links to it" {
	run --separate-stderr ./send-mail -i -f a@x.test bob@x.test <message
	quiet
	mkdir 'a folder'
	ln -s "$SMTPSEND" 'a folder/sendmail'
	run --separate-stderr './a folder/sendmail' -i bob@x.test <message
	quiet
	run --separate-stderr bash -c 'exec -a -sendmail "$0" --version' \
		"$SMTPSEND"
	exits 0
	stored 2
}

@test "what fails for now is queued, and is 0; mailq lists it, runq tries it" {
	mail -i -f a@x.test tempfail@x.test bob@x.test
	quiet
	assert_equal "$(got)" 'bob@x.test'
	assert_equal "$(queued)" 1
	run --separate-stderr ./mailq
	quiet_but_list=$output
	exits 0
	assert_equal "$stderr" ''
	grep -q 'tempfail@x.test' <<<"$quiet_but_list"
	run --separate-stderr ./sendmail -bp
	assert_equal "$output" "$quiet_but_list"
	run --separate-stderr ./runq
	quiet
	assert_equal "$(queued)" 1
}

# tried ARGUMENT...: who is in the try that runq with these makes.
tried() {
	run --separate-stderr ./runq -v "$@"
	exits 0 || return
	grep -o 'RCPT TO:<[^>]*>' <<<"$stderr" | cut -d'<' -f2 | tr -d '>' |
		sort | paste -sd ' '
}

@test "-qI, -qR and -qS try what fits, -q! what does not" {
	mail -i -f one@x.test tempfail@a.test
	mail -i -f two@x.test tempfail@b.test
	quiet
	assert_equal "$(queued)" 2
	local id
	id=$(./mailq | sed -n 's/^\([0-9a-z]\{15\}\).*one@x.*/\1/p')
	local both='tempfail@a.test tempfail@b.test'
	assert_equal "$(tried)" "$both"
	assert_equal "$(tried -qGany)" "$both"
	assert_equal "$(tried -qRA.TEST)" tempfail@a.test
	assert_equal "$(tried '-q!Ra.test')" tempfail@b.test
	assert_equal "$(tried -qStwo)" tempfail@b.test
	assert_equal "$(tried '-q!Stwo@x')" tempfail@a.test
	assert_equal "$(tried "-qI$id")" tempfail@a.test
	assert_equal "$(tried "-q!I$id")" tempfail@b.test
	assert_equal "$(tried -qRa.test -qStwo)" ''
	assert_equal "$(tried -qRtest '-q!Sone')" tempfail@b.test
	assert_equal "$(tried -q0)" "$both"
	run --separate-stderr ./sendmail '-q!x'
	usage_error '-q "!x": behind ! stands I, R or S'
	run --separate-stderr ./sendmail -qsoon
	usage_error '-q "soon": give a time like 15m'
}

@test "mailq lists what -qI, -qR and -qS say, and tries nothing" {
	mail -i -f one@x.test tempfail@a.test
	mail -i -f two@x.test tempfail@b.test
	local words
	for words in '-qRa.test' '-q!Rb.test' '-qSone' '-qRtest -q!Stwo'; do
		# shellcheck disable=SC2086 # they are several
		run --separate-stderr ./mailq -v $words
		exits 0
		grep -q 'one@x.test' <<<"$output"
		run ! grep 'two@x.test\|RCPT' <<<"$output$stderr"
	done
	run --separate-stderr ./sendmail -qSone -bp
	run ! grep 'two@x.test' <<<"$output"
}

# one_left: there is one, and no worker of it.
one_left() {
	[ "$(left_behind | wc -l)" = 1 ]
}
export -f left_behind one_left # waitfor is a program of its own

@test "-q with a time stays in the background, or with f in the foreground" {
	mail -i tempfail@x.test
	quiet
	run --separate-stderr env "MARK=$T" ./sendmail -bd -q15m
	quiet
	local pid
	"$TESTS/servers/waitfor" 20 one_left
	pid=$(left_behind | cut -d/ -f3)
	STARTED+=("$pid")
	kill -TERM "$pid"
	timeout 60 tail --pid="$pid" -f /dev/null
	env "MARK=$T" ./sendmail -qf15m 2>err 3>&- &
	STARTED+=("$!")
	kill -TERM $!
	wait $! || true
	assert_equal "$(left_behind)" ''
}

# no_option: what stderr says can be done by who called sendmail.
no_option() {
	run ! grep -E -e '(^|[^d]) --[a-z]|-a NAME' <<<"$stderr"
}

@test "a remedy is a setting, or an option that there is" {
	# No name that means loopback: the password would go in clear.
	config 'host client.test' 'tls none' 'user joe' 'auth PLAIN'
	run --separate-stderr ./sendmail -bv bob@x.test
	exits 0
	assert_line \
		'    no login: the connection is not verified; set tls verify, or insecure_auth on'
	sed -i 's/^account default/account other/' .smtpsendrc
	mail -i bob@x.test
	exits 78
	says "write \"account default : NAME\" into $T/.smtpsendrc; there is other"
	no_option
	printf 'account default\nhost 127.0.0.1\nenvid x\n' >.smtpsendrc
	mail -i bob@x.test
	exits 78
	says '.smtpsendrc:3: envid is for one message: take it away, and call smtpsend'
}

@test "what somebody must see to is queued, and told in one line" {
	config 'host 127.0.0.1' "port $PORT" 'auth on' 'user u' \
		'passwordeval false'
	mail -i -f a@x.test bob@x.test
	exits 0
	says 'bob@x.test: queued as' 'mend this'
	assert_equal "${#stderr_lines[@]}" 1
	assert_equal "$(queued)" 1
	./mailq | grep -q 'password'
}

@test "an empty queue has the words that programs look for" {
	run --separate-stderr ./mailq
	exits 0
	assert_equal "$output$stderr" 'Mail queue is empty'
	run --separate-stderr ./mailq -v -Ac
	exits 0
	assert_equal "$output" 'Mail queue is empty'
	run --separate-stderr ./sendmail -bP
	exits 0
	run --separate-stderr sh -c './mailq >&-'
	exits 73
}

@test "queue off is obeyed: 75" {
	DEFAULTS=('queue off')
	config 'host 127.0.0.1' "port $PORT"
	mail -i tempfail@x.test
	exits 75
	assert_equal "$(queued)" 0
}

@test "a host of no account sends, and says why nothing is queued" {
	local how
	printf 'defaults\nhost 127.0.0.1\nport %s\n' "$PORT" >.smtpsendrc
	mail -i bob@x.test
	quiet
	assert_equal "$(got)" bob@x.test
	for how in -odi -odq -odb -oi; do
		mail $how tempfail@x.test
		exits 75
		says 'not queued: host in ' '.smtpsendrc:2 is of no account' \
			'account default'
	done
	assert_equal "$(queued)" 0
}

@test "what fails for good says so, by code and line; others get it" {
	mail -i -f a@x.test permfail@x.test bob@x.test
	exits 67
	assert_equal "$(wc -l <<<"$stderr")" 1
	says 'smtpsend: permfail@x.test: failed'
	assert_equal "$(got)" bob@x.test
	mail -i 'a b@x.test'
	exits 67
	printf 'x\n\0\n' >nul
	run --separate-stderr ./sendmail -i bob@x.test <nul
	exits 65
}

# Programs, files and lists are named by aliases only.
@test "|program, /file and :include: are refused from wherever they come" {
	local word
	touch victim
	for word in "|touch $T/done" "\"|touch $T/done\"" "$T/victim" \
		":include:$T/victim"; do
		mail -i -- "$word"
		[ "$status" -eq 67 ] || fail "$word: $status $stderr"
		printf 'To: %s\nSubject: x\n\nx\n' "$word" >other
		run --separate-stderr ./sendmail -t -i <other
		[ "$status" -ne 0 ] || fail "To: $word: $stderr"
	done
	[ ! -e "$T/done" ]
	[ ! -s victim ]
	stored 0
}

# All of them are passed on by programs that trust their users.
@test "-C, -X, -O, -D and -be with paths read and make no file" {
	local -a words=(-C"$T/evil.conf" -X"$T/shell.php" -OQueueDirectory="$T/q"
		-oQ"$T/q" -D"$T/debug" -O LogFile="$T/log" -oA"$T/aliases" -be -bd
		-bD -d0-99.9 -p"evil:$T/p" -L"$T/tag")
	printf 'this is no configuration\n' >evil.conf
	touch before after
	find . -type f | grep -v '^./separate' | sort >before
	assert_equal "$(sent_by "${words[@]}" -fa@x.test bob@x.test)" \
		'a@x.test: bob@x.test'
	find . -type f | grep -v -e '^./separate' -e '^./box' | sort >after
	diff before after
	ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=file -o calls ./sendmail "${words[@]}" \
		-fa@x.test bob@x.test <message
	assert_equal "$(grep -E 'evil|shell.php|/debug"|/(q|log|aliases|p|tag)"' \
		calls | grep -v execve)" ''
}

# CVE-2016-10033 and its like: what a web form's sender becomes in argv.
@test "words of others in the sender do nothing but fail" {
	local word
	while read -r word; do
		eval "set -- $word"
		run --separate-stderr ./sendmail -t -i "$@" <message
		[ ! -e "$T/x.php" ] && [ ! -e "$T/x" ] || fail "made by $word"
	done <<EOF
'-f"attacker\\" -oQ/tmp/ -X$T/x.php  some"@email.test'
'-fa@x.test' '-OQueueDirectory=$T' '-X$T/x.php'
'-fa@x.test' '-be' '\${run{/usr/bin/touch $T/x}}'
'-fa@x.test' -C$T/message -X $T/x.php
'-f"a\$(touch $T/x)"@x.test'
'-fa@x.test -X$T/x.php'
EOF
	stored 5
}

@test "HOME unset, an empty environment, cwd /, streams closed" {
	mkdir -p xdg/smtpsend
	cp .smtpsendrc xdg/smtpsend/config
	local -a env=("XDG_CONFIG_HOME=$T/xdg" "XDG_STATE_HOME=$T/state")
	cd /
	run --separate-stderr env -i "${env[@]}" "$T/sendmail" -i bob@x.test \
		<"$T/message"
	quiet
	run --separate-stderr env -u HOME "${env[@]}" "$T/sendmail" -i \
		tempfail@x.test <"$T/message"
	quiet
	cd "$T"
	run --separate-stderr sh -c './sendmail -i bob@x.test <message >&- 2>&-'
	quiet
	run --separate-stderr sh -c './sendmail -i permfail@x.test <message >&- 2>&-'
	exits 67
	run --separate-stderr sh -c './sendmail -i bob@x.test <&-'
	exits 66
	stored 2
}

# heard ARGUMENT...: what syslog gets of a message through sendmail.
heard() {
	run --separate-stderr unshare --mount "$TESTS/syslog.py" heard heard \
		./sendmail "$@" <message
	quiet
}

@test "it is logged by syslog without being asked, under the name of -L" {
	heard -i -f a@x.test bob@x.test
	grep -qE ' smtpsend\[[0-9]+\]: NOQUEUE: .*to=<bob@x.test>.*status=sent' \
		heard
	heard -i -f a@x.test -Lcron bob@x.test
	grep -qE ' cron\[[0-9]+\]: NOQUEUE: .*status=sent' heard
	heard -i -L $'a b]:\e[31m' bob@x.test
	grep -qF ' a\x20b\x5D\x3A\x1B\x5B31m[' heard
	DEFAULTS=('syslog off')
	config 'host 127.0.0.1' "port $PORT"
	heard -i bob@x.test
	[ ! -s heard ]
}
