#!/usr/bin/env bats
# The command line: every option in every spelling, and every wrong one.
# shellcheck disable=SC2016,SC2154 # awk's $; run sets $stderr

load common

# rows FILTER: option rows as "letter name argument", "-" for none, from the
# tables themselves; FILTER is awk's.
rows() {
	{
		sed -n '/^static const struct row rows/,/^};/p' \
			"$TESTS/../cli/options.c" |
			sed -nE "s/^\t\{ ('(.)'|0), (\"([^\"]*)\"|NULL), (\"([^\"]*)\"|NULL).*/\2 \4 \6/; T; s/^ /- /; s/^(.)  /\1 - /; s/ $/ -/; p"
		"$TOOLS/settings" | awk '$2 != "-" { print $4, $2, $3 }'
	} |
		awk "$1"
}

# plan ARGUMENT...: what would be done, without doing it.
plan() {
	send --dry-run --host 127.0.0.1 "$@" <message
}

@test "the rows can be read from the table" {
	[ "$(rows 1 | wc -l)" -gt 20 ]
	assert_equal "$(rows '$2 == "from"')" 'f from ADDRESS'
	assert_equal "$(rows '$2 == "mx"')" '- mx -'
	assert_equal "$(rows '$1 == "N"')" 'N dsn-notify LIST'
	assert_equal "$(rows '$1 == "4"')" '4 - -'
	assert_equal "$(rows '$2 == "helo"')" '- helo NAME'
}

@test "--help goes to stdout and names every option and exit code" {
	local letter name argument code
	send --help </dev/null
	exits 0
	assert_equal "$stderr" ''
	while read -r letter name argument; do
		[ "$letter" = - ] || assert_line --regexp "^  -$letter\\b"
		[ "$name" = - ] || assert_line --regexp "^  .*--$name\\b"
		[ "$argument" = - ] || assert_output --partial "$argument "
	done < <(rows 1)
	for code in 0 64 65 66 67 68 69 70 71 73 75 77 78; do
		assert_line --regexp "^ +$code +[a-z]"
	done
}

@test "--help and --version win over missing recipients and send nothing" {
	receiver box
	deliver --help
	exits 0
	deliver --version
	exits 0
	assert_line --index 0 --regexp '^smtpsend [0-9]+\.[0-9]+'
	assert_equal "$stderr" ''
	stored 0
}

@test "the sender in every spelling" {
	local args
	for args in '-f bob@x.test' -fbob@x.test '--from bob@x.test' \
		--from=bob@x.test '-vf bob@x.test' -ivfbob@x.test; do
		# shellcheck disable=SC2086 # split on purpose
		plan $args carol@y.test
		exits 0
		assert_line 'from <bob@x.test>'
	done
}

@test "the last of two values counts" {
	plan -f bob@x.test --from eve@x.test carol@y.test
	assert_line 'from <eve@x.test>'
}

@test "a value may begin with a dash and may be empty" {
	plan --from=-bob@x.test carol@y.test
	assert_line 'from <-bob@x.test>'
	plan -f -bob@x.test carol@y.test
	assert_line 'from <-bob@x.test>'
	plan --from= carol@y.test
	assert_line 'from <>'
}

@test "every option with a value is refused without one" {
	local letter name
	while read -r letter name _; do
		if [ "$name" != - ]; then
			send "--$name" <message
			usage_error "--$name needs "
		fi
		if [ "$letter" != - ]; then
			send "-$letter" <message
			usage_error ' needs '
		fi
	done < <(rows '$3 !~ /^[-[]/')
}

@test "every option without a value is refused with one" {
	local name
	while read -r _ name _; do
		send "--$name=yes" bob@x.test <message
		usage_error "--$name takes no value"
		send "--$name=" bob@x.test <message
		usage_error "--$name takes no value"
	done < <(rows '$2 != "-" && $3 == "-"')
}

@test "an unknown option names the nearest one" {
	local pair
	for pair in form:from hsot:host prot:port timeuot:timeout jsn:json \
		dryrun:dry-run verbos:verbose hello:helo help-me:help \
		subj:subject undisclosed:undisclosed-recipients \
		read-env:read-envelope-from; do
		send "--${pair%:*}" x bob@x.test <message
		usage_error "--${pair%:*};" "nearest is --${pair#*:};"
	done
	send --From=x <message
	usage_error 'unknown option --From;' '--from'
	send --=x <message
	usage_error 'unknown option'
}

@test "an option that is like none has no nearest one" {
	send --frobnicate x bob@x.test <message
	usage_error 'unknown option --frobnicate; see --help'
}

@test "what callers of sendmail, msmtp and swaks are used to has a hint" {
	local pair
	for pair in '-bs:there is -bp' \
		'-r:by -f' \
		'--remove-bcc-headers:--keep-bcc' '--serverinfo:--server-info' \
		'--server:--host' '--password=x:--passwordcmd' \
		'--tls-certcheck=off:--tls encrypt' \
		'-s:--subject' '--add-header=x:--header NAME:VALUE' \
		'--attach-type=x:--attach FILE:TYPE' \
		'--h-Subject=x:--header Subject=VALUE' \
		'--h-From=x:--header NAME=VALUE' \
		'--header-X-A=x:--header NAME=VALUE' \
		'--html:Content-Type=text/html' '--notify=x:--dsn-notify' \
		'--maildomain=x:--from' '-X:-v and keep stderr' \
		'--logfile=x:write logfile FILE into the configuration' '--dump-mail:--export wire' \
		'--quit-after=x:--server-info' '--recipient=x:--to' \
		'--body=x:from standard input'; do
		send "${pair%%:*}" bob@x.test <message
		usage_error 'no option -' "${pair#*:}"
	done
	send --dry-run -oem -oi -f a@x.test --port 2525 -- 'bob@[127.0.0.1]' \
		<message
	exits 0
}

@test "an unknown letter is refused, also behind known ones" {
	send -Z bob@x.test <message
	usage_error 'unknown option -Z'
	send -ivZ bob@x.test <message
	usage_error 'unknown option -Z in "-ivZ"'
}

@test "an unknown option's octets are made harmless" {
	send $'--\e]0;x\a' <message
	usage_error 'unknown option'
	[[ $stderr != *$'\e'* ]]
	send $'-\e' <message
	usage_error 'unknown option'
	[[ $stderr != *$'\e'* ]]
}

@test "an address that begins with a dash is safe behind -- only" {
	send --dry-run -f a@x.test --host 127.0.0.1 -dash@x.test <message
	usage_error 'unknown option -d' 'behind --'
	plan -f a@x.test -- -dash@x.test --help
	exits 67
	assert_line '  to -dash@x.test'
	says 'smtpsend: --help: failed'
}

@test "a second -- is a recipient, and a bad one" {
	plan -f a@x.test -- b@x.test --
	exits 67
	says 'smtpsend: --: failed'
}

@test "a lone dash is standard input" {
	receiver box
	deliver - bob@x.test
	exits 0
	assert_equal "$(recipients)" '<bob@x.test>'
	printf %s "$WIRE" >expected
	arrived expected
}

@test "options and recipients in any order" {
	plan bob@x.test -f a@x.test carol@x.test -i dora@x.test
	exits 0
	assert_line '  to bob@x.test'
	assert_line '  to carol@x.test'
	assert_line '  to dora@x.test'
}

@test "--mx and --host exclude each other" {
	plan --mx -f a@x.test bob@x.test
	usage_error '--mx' '--host'
}

@test "--port in both forms, and not out of range" {
	local value
	plan --port 2525 -f a@x.test bob@x.test
	assert_line '  host 127.0.0.1 port 2525 smtp'
	plan --port=65535 -f a@x.test bob@x.test
	assert_line '  host 127.0.0.1 port 65535 smtp'
	for value in 0 65536 -1 +25 ' 25' 25x 0x19 x '' 4294967321 \
		99999999999999999999; do
		plan --port "$value" -f a@x.test bob@x.test
		usage_error '--port' 'from 1 to 65535'
	done
}

@test "the port of a host goes before --port" {
	plan --port 2525 --host h.test:26,127.0.0.2 \
		--resolve h.test:26:127.0.0.3 -f a@x.test bob@x.test
	assert_line '  host h.test port 26 smtp: 127.0.0.3'
	assert_line '  host 127.0.0.2 port 2525 smtp'
}

@test "--jobs takes 1 to 1000" {
	local value
	for value in 1 8 1000; do
		plan -j "$value" -f a@x.test bob@x.test
		exits 0
		plan "-j$value" -f a@x.test bob@x.test
		exits 0
		plan "--jobs=$value" -f a@x.test bob@x.test
		exits 0
	done
	for value in 0 1001 -1 x '' 1x; do
		plan --jobs "$value" -f a@x.test bob@x.test
		usage_error '--jobs' 'from 1 to 1000'
	done
}

@test "--timeout takes seconds and parts of them" {
	local value
	for value in 0.001 1 2.5 86400; do
		plan --timeout "$value" -f a@x.test bob@x.test
		exits 0
	done
	for value in 0 0.0001 -1 86401 1e99 nan inf x '' 5x 1,5; do
		plan --timeout "$value" -f a@x.test bob@x.test
		usage_error '--timeout' '0.001 to 86400'
	done
}

@test "--timeout ends the wait for a silent server" {
	receiver box -w greeting
	deliver --timeout 0.1 bob@x.test
	exits 75
	says 'deferred at greeting'
	event 'waiting greeting'
	event gone
}

# RFC 5321 4.5.3.2: greeting, EHLO, MAIL, RCPT, DATA and the end of data.
@test "without --timeout each reply has the time that the RFC gives it" {
	export ASAN_OPTIONS=detect_leaks=0 # not under strace
	receiver box
	# The worker's waits, to the next ten seconds: what is left of them when
	# the system is asked depends on the machine.
	strace -f -qqq -o trace -e trace=ppoll "$SMTPSEND" \
		-f alice@client.test --host "127.0.0.1:$PORT" bob@x.test <message
	run awk -F 'tv_sec=' '/ppoll\(\[\{fd=[0-9]+, events=POLLIN\}\], 1,/ &&
		NF > 1 { printf "%d ", int(($2 + 9) / 10) * 10 }' trace
	assert_output '300 300 300 300 120 600 '
}

@test "--source-ip is where the connection comes from" {
	receiver box -w greeting
	begin --host "127.0.0.1:$PORT" --source-ip 127.0.0.9 bob@x.test
	event 'waiting greeting'
	grep -q "$(printf ' 0900007F:.... 0100007F:%04X 01 ' "$PORT")" \
		/proc/net/tcp
	release
	end
	exits 0
}

@test "--source-ip: an address that is not ours, or of the other family" {
	receiver box
	deliver --source-ip 203.0.113.1 bob@x.test
	exits 75
	says 'deferred at connect'
	deliver --source-ip ::1 bob@x.test
	exits 75
	says 'other family'
	stored 0
}

@test "--source-ip takes addresses only" {
	local value
	for value in localhost 127.0.0 '' 127.0.0.1:25 '[::1]' 256.0.0.1; do
		plan --source-ip "$value" -f a@x.test bob@x.test
		usage_error '--source-ip'
	done
}

@test "--helo is what the server is told" {
	local value
	receiver box
	deliver --helo mail.client.test bob@x.test
	deliver '--helo=[192.0.2.1]' bob@x.test
	deliver --helo '[IPv6:2001:db8::1]' bob@x.test
	assert_equal "$(head -qn 1 box/?.env | paste -sd ' ')" \
		'helo mail.client.test helo [192.0.2.1] helo [IPv6:2001:db8::1]'
}

@test "names of servers in any script are asked for as A-labels" {
	receiver box
	send --dry-run --host 'Mail.Bücher.test:26,lmtp://x.test' --tls verify \
		--resolve 'mail.BÜCHER.test:26:127.0.0.3' \
		--resolve x.test:24:127.0.0.4 --tls-host 例え.test \
		-f a@x.test bob@x.test <message
	exits 0
	assert_line '  host mail.xn--bcher-kva.test port 26 smtp: 127.0.0.3'
	assert_line '    tls verify as xn--r8jz45g.test, by --tls'
	deliver --helo bücher.test bob@x.test
	assert_equal "$(head -n 1 box/1.env)" 'helo xn--bcher-kva.test'
	deliver --host mün_chen.test bob@x.test
	usage_error 'host "mün_chen.test": an underscore'
	deliver --helo mün_chen.test bob@x.test
	usage_error --helo
	deliver --tls-host ☃ bob@x.test
	usage_error --tls-host
}

@test "--helo: nothing that is no name reaches a server" {
	local value
	receiver box
	for value in '' 'a b' $'a\r\nQUIT' $'a\nb' $'[1\r\n]' '<a>' -a a..b \
		'[]' "$(printf '%0300d' 0)" $'h\366st'; do
		deliver --helo "$value" bob@x.test
		usage_error --helo
	done
	stored 0
}

@test "--resolve replaces the look-up of a host" {
	receiver box
	send -f a@x.test --host mail.nowhere.test --port "$PORT" \
		--resolve "mail.nowhere.test:$PORT:127.0.0.1" bob@x.test <message
	exits 0
	stored 1
	send --dry-run -f a@x.test --host MAIL.nowhere.test --port 26 \
		--resolve 'mail.nowhere.test:26:[::1]' \
		--resolve=other.test:26:127.0.0.1 bob@x.test <message
	assert_line --partial 'port 26 smtp: ::1'
}

@test "--resolve takes HOST:PORT:ADDR only" {
	local value
	for value in '' a a:25 a:25: :25:127.0.0.1 a:x:127.0.0.1 a:0:127.0.0.1 \
		a:65536:127.0.0.1 a:25:b 'a b:25:127.0.0.1'; do
		plan --resolve "$value" -f a@x.test bob@x.test
		usage_error
	done
}

@test "--nameserver takes an address, with a port or without" {
	local value
	for value in 127.0.0.1 127.0.0.1:5353 ::1 '[::1]:53'; do
		plan --nameserver "$value" -f a@x.test bob@x.test
		exits 0
	done
	for value in '' localhost 127.0.0.1:0 127.0.0.1:x 127.0.0.1: \
		127.0.0.1:65536 127.0.0; do
		plan --nameserver "$value" -f a@x.test bob@x.test
		usage_error
	done
}

@test "-4 and -6 choose the family" {
	send --dry-run -4 --host localhost --resolve localhost:25:127.0.0.1 \
		--resolve localhost:25:::1 -f a@x.test bob@x.test <message
	exits 0
	assert_line '  host localhost port 25 smtp: 127.0.0.1'
	send --dry-run -6 --host localhost --resolve localhost:25:127.0.0.1 \
		--resolve localhost:25:::1 -f a@x.test bob@x.test <message
	exits 0
	assert_line '  host localhost port 25 smtp: ::1'
}

@test "-6 with a host that has no such address is temporary" {
	receiver box
	deliver -6 bob@x.test
	exits 75
	says 'bob@x.test: deferred'
	stored 0
}

@test "--host: hosts in order, each with its scheme" {
	plan --host 'smtp://127.0.0.1:26, lmtp://127.0.0.2,[::1]:27,unix:/run/x' \
		-f a@x.test bob@x.test
	exits 0
	assert_equal "$(grep '^  host' <<<"$output")" \
		"  host 127.0.0.1 port 26 smtp
  host 127.0.0.2 port 24 lmtp
  host ::1 port 27 smtp
  host /run/x lmtp"
}

@test "--host: what cannot be a host is refused" {
	local value
	for value in '' ',' 'a,,b' 'a b' ftp://a smtp:// a:0 a:x a: \
		a:65536 unix:x unix: '[a]' 127.0.0 127.0.0.256 $'a\r\nb' \
		"unix:/$(printf '%0200d' 0)"; do
		plan --host "$value" -f a@x.test bob@x.test
		usage_error
	done
}

@test "--host: a dead host is passed by" {
	receiver dead
	kill "$SINK"
	wait "$SINK" || true
	local dead=$PORT
	receiver box
	send -v -f a@x.test --host "127.0.0.1:$dead,127.0.0.1:$PORT" \
		bob@x.test <message
	exits 0
	says 'next host:'
	stored 1
}

@test "a unix socket speaks LMTP" {
	mkdir lmtp
	"$TESTS/servers/detach" events "$TOOLS/sink" -L -u "$T/s" lmtp &
	STARTED+=($!)
	timeout 10 "$TESTS/servers/waitfor" 10 test -S "$T/s"
	send -v -f a@x.test --host "unix:$T/s" bob@x.test permfail@x.test \
		<message
	exits 67
	says 'C: LHLO ' 'smtpsend: permfail@x.test: failed at rcpt'
	stored lmtp 1
}

@test "letters that callers of sendmail pass do nothing" {
	receiver box
	deliver -i -m -B8BITMIME -B 7BIT -oi -oem -odb -o i -im bob@x.test
	exits 0
	silent
	stored 1
}

@test "-v and --verbose show the dialogue on stderr" {
	local option
	receiver box
	for option in -v --verbose; do
		deliver $option bob@x.test
		exits 0
		assert_equal "$output" ''
		says 'S: 220 sink.test' 'C: MAIL FROM:<alice@client.test>' 'C: .'
	done
}

@test "--dry-run sends nothing" {
	receiver box
	deliver --dry-run bob@x.test
	exits 0
	assert_line '  to bob@x.test'
	stored 0
}

@test "quiet on success" {
	receiver box
	deliver bob@x.test
	exits 0
	silent
}

@test "--proxy takes socks5 and http, and shows no password" {
	local value
	for value in socks5://127.0.0.1 http://proxy.test:3128 \
		'socks5://joe:geheim@[::1]:1080'; do
		plan --proxy "$value" -f a@x.test --resolve proxy.test:3128:127.0.0.1 \
			bob@x.test
		exits 0
		[[ $output$stderr != *geheim* ]]
	done
	for value in '' 127.0.0.1 ftp://joe:geheim@a socks5:// http://a:0; do
		plan --proxy "$value" -f a@x.test bob@x.test
		usage_error '--proxy: give socks5://'
		[[ $stderr != *geheim* ]]
	done
}

@test "--auth takes on, off and the mechanisms that are known" {
	local value
	for value in on off plain LOGIN scram-sha-256-plus gssapi; do
		plan --auth "$value" --user joe -f a@x.test bob@x.test
		exits 0
	done
	for value in '' yes rot13; do
		plan --auth "$value" -f a@x.test bob@x.test
		usage_error '--auth' 'a mechanism like'
	done
}

@test "--user means --auth on, and the plan says where the password is" {
	plan --user joe -f a@x.test bob@x.test
	assert_line '  auth on as joe, secret from netrc, the keyring or the terminal'
	plan --user joe --passwordfile x --auth login -f a@x.test bob@x.test
	assert_line '  auth login as joe, secret from --passwordfile'
	plan --user joe --auth off -f a@x.test bob@x.test
	refute_output --partial auth
}

@test "--password-fd takes the number of a descriptor" {
	local value
	plan --password-fd 9 --user joe -f a@x.test bob@x.test
	assert_line '  auth on as joe, secret from --password-fd'
	for value in '' 0 2 -1 x 99999999999; do
		plan --password-fd "$value" -f a@x.test bob@x.test
		usage_error '--password-fd' 'over 2'
	done
}

@test "--tls-*: values that cannot be" {
	plan --tls-min 1.1 --tls-fingerprint "$(printf '%064d' 0)" \
		-f a@x.test bob@x.test
	exits 0
	assert_line '    tls verify, by --tls-fingerprint'
	plan --tls-min 4 -f a@x.test bob@x.test
	usage_error '--tls-min "4": give 1.0, 1.1, 1.2 or 1.3'
	plan --tls-fingerprint "$(printf '%040d' 0)" -f a@x.test bob@x.test
	usage_error '--tls-fingerprint' 'SHA-256'
	plan --tls-cert-file pkcs11:x -f a@x.test bob@x.test
	usage_error '--tls-cert-file' 'PEM'
	plan --tls maybe -f a@x.test bob@x.test
	usage_error '--tls "maybe": give on, off, none'
}

@test "what cannot be asked of a server is refused, with what could be" {
	local long
	long=$(printf '%0101d' 0)
	# shellcheck disable=SC2086 # split on purpose
	while IFS='|' read -r option value remedy; do
		send -f a@x.test "$option" "$value" bob@x.test <message
		usage_error "$option \"${value:0:200}\": give $remedy"
	done <<-END
		--dsn-notify|sometimes|never, or some of failure,delay,success
		--dsn-notify|never,success|never, or some of failure,delay,success
		--dsn-notify|success,|never, or some of failure,delay,success
		--dsn-notify||never, or some of failure,delay,success
		--dsn-notify|off,delay|never, or some of failure,delay,success
		--dsn-return|half|full or hdrs
		--dsn-return||full or hdrs
		--envid||at most 100 printable ASCII characters
		--envid|${long}|at most 100 printable ASCII characters
		--envid|café|at most 100 printable ASCII characters
		--by-time||a time like 90, 15m, 2h or 1d, and perhaps ,N
		--by-time|soon|a time like 90, 15m, 2h or 1d, and perhaps ,N
		--by-time|90,|a time like 90, 15m, 2h or 1d, and perhaps ,N
		--by-time|90,Q|a time like 90, 15m, 2h or 1d, and perhaps ,N
		--by-time|90,T|a time like 90, 15m, 2h or 1d, and perhaps ,N
		--by-time|90,RX|a time like 90, 15m, 2h or 1d, and perhaps ,N
		--by-time|0,R|a time like 90, 15m, 2h or 1d, and perhaps ,N
		--by-time|-5,R|a time like 90, 15m, 2h or 1d, and perhaps ,N
		--by-time|1000000000|a time like 90, 15m, 2h or 1d, and perhaps ,N
		--hold-for|0|a time like 90, 15m, 2h or 1d
		--hold-for|-5|a time like 90, 15m, 2h or 1d
		--hold-for|1y|a time like 90, 15m, 2h or 1d
		--hold-until|tomorrow|a date with its zone, like 2026-12-24T
		--hold-until|2026-12-24T18:00:00|a date with its zone, like 2026
		--hold-until|1969-12-24T18:00:00Z|a date with its zone, like 2026
		--xclient||attributes like "NAME=mx.example.net
		--xclient|NAME|attributes like "NAME=mx.example.net
		--xclient|NAME=a b|attributes like "NAME=mx.example.net
		--priority|10|a number from -9 to 9
		--priority|-10|a number from -9 to 9
		--priority|1.5|a number from -9 to 9
		--priority||a number from -9 to 9
		--orcpt||TYPE;ADDRESS like rfc822;bob@example.net
		--orcpt|rfc822;|TYPE;ADDRESS like rfc822;bob@example.net
		--orcpt|rfc822;café|TYPE;ADDRESS like rfc822;bob@example.net
		--orcpt|x400;${long}${long}${long}${long}${long}|TYPE;ADDRESS
	END
	for value in $'a\nb' $'a\rb' $'a\tb' $'a\x7fb' $'a\xffb'; do
		send -f a@x.test --envid "$value" bob@x.test <message
		usage_error '--envid ' 'give at most 100 printable'
		send -f a@x.test --orcpt "rfc822;$value" bob@x.test <message
		usage_error '--orcpt ' 'give TYPE;ADDRESS'
		send -f a@x.test --orcpt "utf-8;$value" bob@x.test <message
		usage_error '--orcpt ' 'give TYPE;ADDRESS'
	done
}

@test "--orcpt is for one recipient" {
	for more in carol@x.test -t; do
		send -f a@x.test --orcpt 'rfc822;b@x.test' bob@x.test "$more" \
			<message
		usage_error '--orcpt "rfc822;b@x.test": it is for one recipient;'
	done
}

@test "mail is held for a time or until a date, and its submitter is one" {
	send -f a@x.test --hold-for 1h --hold-until 2026-12-24T18:00:00Z \
		bob@x.test <message
	usage_error '--hold-for and --hold-until: give one of them'
	send -f a@x.test --submitter 'a b' bob@x.test <message
	usage_error '--submitter: '
	send -f a@x.test --submitter $'a@x.test\nRSET' bob@x.test <message
	usage_error '--submitter: '
}
