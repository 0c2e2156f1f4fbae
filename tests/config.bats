#!/usr/bin/env bats
# Configuration files: where they are, whom they trust, what they choose.
# Those of tests/config say themselves what comes of them: "#$" are arguments,
# "#=" the lines of the plan, "#!" what is warned of.

load common

# rc LINE...: the user's file.
rc() {
	printf '%s\n' "$@" >"$T/.smtpsendrc"
	chmod 600 "$T/.smtpsendrc"
}

# plan ARGUMENT...: where the mail would go.
plan() {
	send --dry-run -f a@x.test "$@" bob@x.test <message
}

# config_error TEXT...: 78, one line, nothing on stdout.
config_error() {
	exits 78
	assert_equal "$output" ''
	says 'smtpsend: ' "$@"
}

@test "files of msmtp's users and of the common providers give their plan" {
	local file args warning
	export USER=alice
	for file in "$TESTS"/config/*.conf; do
		cp "$file" .
		file=${file##*/}
		read -ra args < <(sed -n 's/^#\$ *//p' "$file")
		send -C "$file" --dry-run "${args[@]}" \
			--resolve "$(resolve "$file")" bob@x.test <message
		[ "$status" -eq 0 ] || fail "$file: $stderr"
		diff <(sed -n 's/^#= //p' "$file") <(grep -v ^message <<<"$output") ||
			fail "$file"
		assert_equal "$(grep -c . <<<"$stderr")" \
			"$(grep -c '^#!' "$file" || true)"
		while read -r warning; do
			says "$file" "$warning"
		done < <(sed -n 's/^#! //p' "$file")
	done
}
# resolve FILE: the host of its plan leads to an address.
resolve() {
	sed -nE 's/^#=   host ([^ ]*) port ([0-9]*) .*: (.*)/\1:\2:\3/p' "$1"
}

@test "without a file, and with one that is empty, nothing changes" {
	plan --host 127.0.0.1
	exits 0
	assert_equal "$stderr" ''
	rc ''
	plan --host 127.0.0.1
	exits 0
	assert_line 'route 1 by smarthost'
	env -u HOME "$SMTPSEND" --dry-run -f a@x.test --host 127.0.0.1 \
		bob@x.test <message
}

@test "the user's file: XDG_CONFIG_HOME, ~/.config, ~/.smtpsendrc" {
	mkdir -p .config/smtpsend xdg/smtpsend
	rc 'account default' 'host 127.0.0.1' 'port 26'
	plan
	assert_line '  host 127.0.0.1 port 26 smtp'
	printf 'account default\nhost 127.0.0.2\n' >.config/smtpsend/config
	plan
	assert_line '  host 127.0.0.2 port 25 smtp'
	printf 'account default\nhost 127.0.0.3\n' >xdg/smtpsend/config
	XDG_CONFIG_HOME=$T/xdg plan
	assert_line '  host 127.0.0.3 port 25 smtp'
	XDG_CONFIG_HOME=xdg plan
	assert_line '  host 127.0.0.2 port 25 smtp'
	XDG_CONFIG_HOME=$T/none plan
	assert_line '  host 127.0.0.1 port 26 smtp'
}

@test "-C reads one file and insists on it" {
	rc 'account default' 'hsot 127.0.0.1'
	printf 'account default\nhost 127.0.0.9\n' >other
	plan -C other
	exits 0
	assert_line '  host 127.0.0.9 port 25 smtp'
	plan --config=gone
	config_error 'gone: No such file'
	plan -C "$T"
	config_error 'Is a directory'
	plan -C <(printf 'account default\nhost 127.0.0.8\n')
	exits 0
	assert_line '  host 127.0.0.8 port 25 smtp'
}

@test "-a, --host and --mx choose; two of them are too many" {
	rc 'defaults' 'port 26' 'tls may' 'user joe' 'auth on' \
		'account a' 'host 127.0.0.1' 'account b' 'host 127.0.0.2'
	plan -a b
	exits 0
	assert_line 'route 1 by smarthost, account b'
	assert_line '  auth on as joe, secret from netrc, the keyring or the terminal'
	plan --host 127.0.0.3
	exits 0
	assert_line 'route 1 by smarthost'
	assert_line '  host 127.0.0.3 port 26 smtp'
	refute_output --partial 'auth'
	plan -a a --host 127.0.0.3
	usage_error '--account and --host exclude'
	plan -a a --mx
	usage_error '--account and --mx exclude'
	plan -a c
	config_error 'no account "c"; there is a, b'
	plan
	config_error 'no account is chosen' 'there is a, b'
}

@test "the sender chooses the account, and the account the sender" {
	rc 'account default' 'host 127.0.0.1' 'from joe@x.test' \
		'account y' 'host 127.0.0.2' 'from *@y.test' \
		'account z : default' 'from eve@z.test' 'allow_from_override off'
	send --dry-run -f eve@y.test bob@x.test <message
	assert_line '  host 127.0.0.2 port 25 smtp'
	assert_line 'from <eve@y.test>'
	send --dry-run bob@x.test <message
	assert_line 'from <joe@x.test>'
	send --dry-run -a z -f mallory@x.test bob@x.test <message
	assert_line 'from <eve@z.test>'
	send --dry-run -f '' bob@x.test <message
	assert_line 'from <>'
	USER=alice HOSTNAME=h.test send -C <(printf \
		'account default\nhost 127.0.0.1\nfrom %%U@%%H\n') \
		--dry-run bob@x.test <message
	assert_line 'from <alice@h.test>'
}

@test "the command line goes before the account" {
	rc 'account default' 'host 127.0.0.1' 'port 26' 'tls none' 'auth plain' \
		'user joe' 'password geheim'
	plan --port 27 --tls verify --user eve --passwordcmd 'cat x'
	exits 0
	assert_line '  host 127.0.0.1 port 27 smtp'
	assert_line '    tls verify, by --tls'
	assert_line '  auth plain as eve, secret from --passwordcmd'
	plan --auth off
	refute_output --partial 'auth'
}

@test "TLS by the words of msmtp" {
	rc 'defaults' 'host 127.0.0.1' 'account on' 'tls' \
		'account first : on' 'tls_starttls off' \
		'account any : on' 'tls_certcheck off' \
		'account off' 'tls off' 'tls_starttls off' \
		'account pin' "tls_fingerprint $(printf '%064d' 0)"
	plan -a on
	assert_line "    tls verify, by tls in $T/.smtpsendrc:4"
	plan -a first
	assert_line '  host 127.0.0.1 port 465 smtps'
	plan -a any
	assert_line "    tls encrypt, by tls_certcheck in $T/.smtpsendrc:8"
	plan -a off
	assert_line '  host 127.0.0.1 port 25 smtp'
	assert_line "    tls none, by tls in $T/.smtpsendrc:10"
	plan -a pin
	assert_line "    tls verify, by tls_fingerprint in $T/.smtpsendrc:13"
}

@test "a route's domain in any script" {
	rc 'account default' 'host 127.0.0.1' 'route *.bücher.test other' \
		'account other' 'host 127.0.0.2'
	plan a@mail.BÜCHER.test
	assert_line 'route 2 by smarthost, account other'
	assert_line '  to a@mail.xn--bcher-kva.test'
}

@test "recipients of a domain by another account" {
	rc 'account default' 'host 127.0.0.1' 'route y.test other' \
		'route *.z.test other' 'account other' 'host 127.0.0.2'
	send --dry-run -f a@x.test bob@x.test eve@y.test dora@a.z.test <message
	exits 0
	assert_equal "$output" "from <a@x.test>
message 131 octets, 7-bit
route 1 by smarthost, account default
  host 127.0.0.1 port 25 smtp
    tls may, by default
  to bob@x.test
route 2 by smarthost, account other
  host 127.0.0.2 port 25 smtp
    tls may, by default
  to eve@y.test
  to dora@a.z.test"
	rc defaults 'host 127.0.0.1' 'ntlmdomain X' 'account other' \
		'account default' 'route y.test other'
	send --dry-run -f a@x.test bob@x.test eve@y.test <message
	assert_equal "$stderr" \
		"smtpsend: $T/.smtpsendrc:3: ntlmdomain is ignored: NTLM is not built in"
	rc 'account default' 'host 127.0.0.1' 'route y.test gone'
	plan
	config_error '.smtpsendrc:3: route: there is no account "gone"'
}

@test "errors: file, line, remedy, 78, and nothing is sent" {
	receiver box
	rc 'account default' "host 127.0.0.1:$PORT" 'pasword x'
	send -f a@x.test bob@x.test <message
	config_error "$T/.smtpsendrc:3: unknown keyword \"pasword\"; the nearest is password"
	rc 'account default' "host 127.0.0.1:$PORT" 'hold_for 1h'
	plan
	config_error '.smtpsendrc:3: hold_for is for one message: take it away, and call smtpsend --hold-for'
	rc 'account default' "host 127.0.0.1:$PORT" 'by_time 1h'
	plan
	config_error '.smtpsendrc:3: unknown keyword "by_time"; it is called deliver_by'
	rc 'account default' 'host 127.0.0.1' 'port x'
	plan
	config_error "$T/.smtpsendrc:3: port \"x\": give a number from 1 to 65535"
	rc 'account default' 'host 127.0.0.1' 'maildomain @x.test'
	plan
	config_error '.smtpsendrc:3: maildomain "@x.test": give what stands behind the @'
	rc 'account default'
	plan
	config_error 'account default has no host'
	rc 'account default' 'host a b'
	plan
	config_error "$T/.smtpsendrc:2: host: host \"a b\""
	rc 'account default' 'socket run/x'
	plan
	config_error "$T/.smtpsendrc:2: socket: "
	stored 0
}

@test "what is not built in yet is said, and the message goes" {
	receiver box
	rc 'account default' "host 127.0.0.1:$PORT" 'tls_min_dh_prime_bits 1024' \
		'ntlmdomain X' 'undisclosed_recipients off' 'port 1' 'port 2' \
		'account other : default' 'ntlmdomain Y'
	send -f a@x.test bob@x.test <message
	exits 0
	assert_equal "$stderr" "smtpsend: $T/.smtpsendrc:7: port stands already in $T/.smtpsendrc:6 with another value; this one counts
smtpsend: $T/.smtpsendrc:3: tls_min_dh_prime_bits is ignored: OpenSSL sets that limit; see tls_ciphers
smtpsend: $T/.smtpsendrc:4: ntlmdomain is ignored: NTLM is not built in"
	stored 1
}

@test "a file with a secret is closed to others" {
	rc 'account default' 'host 127.0.0.1' 'password geheim'
	chmod 640 .smtpsendrc
	plan
	config_error "$T/.smtpsendrc:3: " 'chmod 600'
	[[ $stderr != *geheim* ]]
	chmod 400 .smtpsendrc
	plan
	exits 0
}

@test "a file that runs commands is writable by nobody else" {
	local line
	for line in 'passwordeval echo x' 'passwordcmd echo x' 'eval echo' \
		'include more'; do
		rc 'account default' 'host 127.0.0.1' "$line"
		touch more
		chmod 644 .smtpsendrc
		plan
		exits 0
		chmod 662 .smtpsendrc
		plan
		config_error "$T/.smtpsendrc:3: " 'chmod go-w'
	done
	[ "$(id -u)" = 0 ] || skip 'only root can give files away'
	chmod 600 .smtpsendrc
	chown 12345 .smtpsendrc
	plan
	config_error "$T/.smtpsendrc:3: " 'belongs to user 12345'
}

@test "included files lie beside the file that names them" {
	mkdir sub
	rc 'account default' 'include sub/one'
	echo 'include two' >sub/one
	echo 'host 127.0.0.7' >sub/two
	plan
	exits 0
	assert_line '  host 127.0.0.7 port 25 smtp'
	echo 'hsot 127.0.0.7' >sub/two
	plan
	config_error "$T/sub/two:1: unknown keyword"
	echo 'include two' >sub/two
	plan
	config_error 'more than 8 deep'
	rm sub/two
	plan
	config_error "$T/sub/one:1: " 'No such file'
}

@test "eval is run when the file is read, passwordeval when it is needed" {
	rc 'account default' 'eval echo host 127.0.0.6' 'auth on' 'user joe' \
		"passwordeval touch $T/asked; echo x"
	plan
	exits 0
	assert_line '  host 127.0.0.6 port 25 smtp'
	[ ! -e asked ]
	rc 'account default' 'eval exit 3'
	plan
	config_error "$T/.smtpsendrc:2: eval"
}

@test "no secret is in the plan, in text or JSON" {
	rc 'account default' 'host 127.0.0.1' 'auth on' 'user joe' \
		'password geheim' 'proxy socks5://u:verborgen@127.0.0.1:1'
	plan
	exits 0
	[[ $output$stderr != *geheim* && $output$stderr != *verborgen* ]]
	plan --json
	exits 0
	[[ $output$stderr != *geheim* && $output$stderr != *verborgen* ]]
	assert_equal "$(json '.routes[0] | .account, .auth.user, .auth.secret_from')" \
		"default
joe
password in $T/.smtpsendrc:5"
}

@test "who read a configuration dumps no core" {
	receiver box -w greeting
	rc 'account default' "host 127.0.0.1:$PORT"
	begin bob@x.test
	event 'waiting greeting'
	grep -q '^Max core file size  *0  *0 ' "/proc/$PID/limits"
	release
	end
	exits 0
}

# Whoever may list processes sees arguments.
@test "the password of a proxy does not stay in the arguments" {
	receiver box -w greeting
	begin --proxy "http://joe:geheim@127.0.0.1:$PORT" \
		--proxy="http://joe:geheim@127.0.0.1:$PORT" --host mx.x.test \
		bob@x.test
	event 'waiting greeting'
	run -1 grep -c geheim "/proc/$PID/cmdline"
	grep -q mx.x.test "/proc/$PID/cmdline"
	release
	end
	exits 75
	[[ $output$stderr != *geheim* ]]
}
