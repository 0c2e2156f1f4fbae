#!/usr/bin/env bats
# --export and --read-envelope-from: what is written, for which server, and
# who is the sender.
# shellcheck disable=SC2016,SC2154 # for another shell; run sets $stderr

load common

setup() {
	common_setup
	printf '%s\n' 'From: a@x.test' 'Date: Tue, 1 Jul 2025 10:00:00 +0000' \
		'Message-ID: <1@x.test>' 'To: b@x.test' '' .dots ..more . last \
		>message
	printf '%s\r\n' 'From: a@x.test' \
		'Date: Tue, 1 Jul 2025 10:00:00 +0000' \
		'Message-ID: <1@x.test>' 'To: b@x.test' '' ..dots ...more .. \
		last >wire
	size=$(($(wc -c <wire) - 3)) # SIZE does not count the added dots
}

# export ARGUMENT...: the message by --export.
export_it() {
	send --export wire "$@" <message
}

@test "--export wire is what goes out, without the final dot" {
	"$SMTPSEND" --export wire <message >out 2>err
	assert_equal "$(cat err)" ''
	cmp wire out
}

@test "recipients, account and server do not matter to it" {
	printf 'account a\nhost smtp.x.test\nauth on\nuser u\naccount default : a\n' \
		>config
	chmod 600 config
	for args in 'c@y.test' '-t' '-t c@y.test' '--host no.such.test' \
		'-f e@x.test' '-C config' '--mx' '-v'; do
		# shellcheck disable=SC2086 # split on purpose
		"$SMTPSEND" --export wire $args <message >out 2>err
		assert_equal "$(cat err)" ''
		cmp wire out
	done
}

@test "a recipient that does not parse is told of, and the message is there" {
	"$SMTPSEND" --export wire b@x.test 'c@@y.test' <message >out 2>err &&
		status=0 || status=$?
	assert_equal "$status" 67
	grep -q '^smtpsend: c@@y.test: failed' err
	[ "$(wc -l <err)" = 1 ]
	cmp wire out
}

@test "Bcc goes, with --keep-bcc it stays" {
	{
		echo 'Bcc: secret@x.test'
		cat message
	} >in
	"$SMTPSEND" --export wire <in >out
	cmp wire out
	"$SMTPSEND" --export wire --keep-bcc <in >out
	{
		printf 'Bcc: secret@x.test\r\n'
		cat wire
	} | cmp - out
}

@test "it is written to a file, which is made or overwritten" {
	export_it
	send --export wire:out <message
	exits 0
	silent
	cmp wire out
	yes | head -c 5000 >out
	send --export=wire:out <message
	exits 0
	cmp wire out
	"$SMTPSEND" --export wire:- <message | cmp wire -
	send --export wire:/dev/null <message
	exits 0
	mkfifo fifo
	cat fifo >out &
	send --export wire:fifo <message
	exits 0
	wait $!
	cmp wire out
	(umask 022 && "$SMTPSEND" --export wire:new <message)
	assert_equal "$(stat -c %a new)" 600
}

@test "a message of 3 MiB from a pipe" {
	{
		cat message
		yes '.0123456789 0123456789' | head -n 131072
	} >in
	"$SMTPSEND" --export wire < <(cat in) >out
	{
		cat wire
		yes '..0123456789 0123456789' | head -n 131072 | sed 's/$/\r/'
	} | cmp - out
}

@test "output that cannot be written is 73" {
	send --export wire:/nowhere/out <message
	exits 73
	says 'cannot write to /nowhere/out: '
	send --export wire:. <message
	exits 73
	closed '<message >/dev/full' --export wire
	exits 73
	says 'cannot write to stdout: '
	closed '<message' --export wire:/dev/full
	exits 73
	closed '<message >&-' --export wire
	exits 73
	# Who reads it goes away before all is written.
	{
		cat message
		yes | head -c 1000000
	} >in
	{
		"$SMTPSEND" --export wire <in 2>err && : || echo $? >code
	} | head -c 1 >/dev/null
	assert_equal "$(cat code)" 73
	grep -q 'cannot write to stdout: ' err
}

@test "a file is not written over itself" {
	cp message in
	send --export wire:in <in
	exits 73
	says 'in is the file that the message is read from'
	cmp message in
	# shellcheck disable=SC2094 # it is seen, and nothing written
	send --export wire:in -f a@x.test --attach message --attach in <message
	exits 73
	says 'in is the file that is attached'
	cmp message in
	run --separate-stderr sh -c '"$1" --export wire <in >>in' - "$SMTPSEND"
	exits 73
	cmp message in
}

@test "a server that takes less than the message is 69" {
	export_it --caps "SIZE=$size"
	exits 0
	for list in "size=$((size - 1))" "all,SIZE=$((size - 1))" \
		"8bitmime SIZE=$((size - 1))"; do
		send --export wire:out --caps "$list" <message
		exits 69
		says "the message has $size octets, the server takes $((size - 1))"
		[ ! -e out ]
	done
	for list in SIZE SIZE=0 ' ,SIZE, ' none NONE all All \
		'PIPELINING, Size=100000,	dsn' 'AUTH=PLAIN,help,LIMITS'; do
		export_it --caps "$list"
		exits 0
	done
}

@test "-v tells what a server does not get as it was" {
	sed -i '/^$/,$d' message
	printf 'Subject: \303\274\n\n%s\n' \
		"$(yes | head -n 1000 | tr -d '\n')" >>message
	export_it -v --caps none
	exits 0
	assert_equal "$stderr" '-- 1 part encoded, 1 header mended for this server'
	sed -i 's/Subject.*/Subject: x/' message
	export_it -v
	assert_equal "$stderr" '-- 1 part encoded for this server'
	export_it
	assert_equal "$stderr" ''
}

@test "an address that is not ASCII has SMTPUTF8 used, if it is there" {
	printf 'From: a@x.test\nTo: b@x.test\nSubject: \303\274\n\ntext\n' \
		>message
	local args
	for args in $'\303\274@x.test' $'-f \303\274@x.test'; do
		# shellcheck disable=SC2086 # split on purpose
		export_it $args
		assert_line --partial $'Subject: \303\274'
		# shellcheck disable=SC2086 # split on purpose
		export_it --caps 8BITMIME $args
		assert_line --partial 'Subject: =?utf-8?B?w7w=?='
	done
	export_it b@x.test
	assert_line --partial 'Subject: =?utf-8?B?w7w=?='
}

@test "a message that cannot be sent is not written" {
	printf 'From: a@x.test\n\na\0b\n' >message
	send --export wire:out <message
	exits 65
	says 'message line 3 has a NUL octet'
	[ ! -e out ]
	send --export wire b@x.test <message
	exits 65
	assert_equal "$stderr" 'smtpsend: message line 3 has a NUL octet'
	send --export wire </
	exits 66
}

@test "--caps names the nearest keyword" {
	export_it --caps 8bitmme
	usage_error '--caps: unknown keyword 8bitmme; the nearest is 8BITMIME;'
	export_it --caps '8BITMIME smtputf-8=1'
	usage_error 'unknown keyword smtputf-8; the nearest is SMTPUTF8;'
	export_it --caps FROBNICATION
	usage_error 'unknown keyword FROBNICATION; give EHLO keywords, all, or none'
	send --export wire --caps 'SIZE 100' <message
	usage_error '--caps: 100 is no keyword; a value stands behind ='
	export_it --caps "$(yes | head -n 300 | tr -d '\n')"
	usage_error 'unknown keyword y'
	for list in SIZE=x SIZE=1k SIZE=-1 SIZE= SIZE=99999999999999999999; do
		export_it --caps "$list"
		usage_error '--caps: "SIZE' 'give a number of octets'
	done
	for list in '' ' ' ','; do
		export_it --caps "$list"
		usage_error 'the list is empty; give EHLO keywords, all, or none'
	done
}

@test "what --export does not have, or not with others" {
	local format
	for format in bsmtp mbox maildir headers mbox:box; do
		send --export $format <message
		usage_error "--export ${format%:*}: this format is not built in" \
			'give wire, or wire:PATH for a file'
	done
	for format in Wire '' wires :out /tmp/x; do
		send --export "$format" <message
		usage_error "--export ${format%:*}: there is no such format; give wire"
	done
	send --export wire: <message
	usage_error 'the path is empty; give wire:PATH'
	export_it --dry-run
	usage_error '--export and --dry-run exclude each other'
	export_it --json
	usage_error '--export and --json exclude each other'
	send --caps all b@x.test <message
	usage_error '--caps says for which server --export writes: give --export wire'
}

# sender HEADER...: the sender that a plan for it shows.
sender() {
	printf '%s\n' "$@" '' text >in
	send --dry-run --host 127.0.0.1 --read-envelope-from b@x.test <in
}

@test "--read-envelope-from: the sender is From's address" {
	sender 'from : Al "a, b" <al@x.test>'
	exits 0
	assert_line 'from <al@x.test>'
	sender 'From: a@x.test, c@x.test'
	assert_line 'from <a@x.test>'
	sender 'Sender: s@x.test' 'From: a@x.test, c@x.test'
	assert_line 'from <s@x.test>'
	sender 'Sender: s@x.test' 'From: a@x.test'
	assert_line 'from <a@x.test>'
	sender 'Resent-From: r@x.test' 'From: a@x.test'
	assert_line 'from <a@x.test>'
}

@test "--read-envelope-from: who has no From has no sender" {
	sender 'Subject: x'
	exits 64
	says 'the message has no From to take the sender of; give it by -f'
	sender 'From: nobody:;'
	exits 64
	sender 'From: a b@@x.test'
	exits 65
	says 'smtpsend: From: '
	sender 'From: a@x.test, c@x.test' 'Sender: s@@x.test'
	exits 65
	says 'smtpsend: Sender: '
	send --read-envelope-from -f a@x.test b@x.test <message
	usage_error '--from and --read-envelope-from exclude each other'
	printf 'From: a@x.test\n\na\0b\n' >in
	send --dry-run --host 127.0.0.1 --read-envelope-from b@x.test <in
	exits 65
	send --read-envelope-from b@x.test </
	exits 66
}

@test "--read-envelope-from chooses the account, and mail goes by it" {
	receiver box
	cat >config <<-CONF
		account other
		host no.such.test
		from o@x.test
		account box
		host 127.0.0.1
		port $PORT
		from a@x.test
		account default : other
	CONF
	send -C config --read-envelope-from -t <message
	exits 0
	silent
	grep -qx 'from a@x.test' box/1.env || cat box/1.env >&2
	arrived <(sed 's/^\.//' wire)
	sed 's/^From: a/From: nobody/' message >in
	send -C config --read-envelope-from --dry-run -t <in
	says no.such.test
}
