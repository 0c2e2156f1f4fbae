#!/usr/bin/env bats
# Names without a domain: mailboxes of this machine, by what `local` says.
# shellcheck disable=SC2154,SC2030,SC2031 # run sets $stderr

load common

# config LINE...: the defaults.
config() {
	printf '%s\n' defaults "$@" >"$HOME/.smtpsendrc"
	chmod 600 "$HOME/.smtpsendrc"
}

@test "a name without a domain is nobody, unless there are mailboxes" {
	send -f alice@client.test --dry-run bob <message
	exits 67
	config 'local mbox'
	send -f alice@client.test --dry-run daemon Postmaster <message
	exits 0
	assert_output - <<-'X'
		from <alice@client.test>
		message 131 octets, 7-bit
		route 1 by local
		  mailboxes mbox:/var/mail
		  to daemon
		  to root
	X
	send -f alice@client.test --dry-run nosuch <message
	exits 67
	says 'smtpsend: nosuch: failed' 'is no user of this machine'
	config 'local off'
	send -f alice@client.test --dry-run daemon <message
	exits 67
}

@test "mailboxes and servers in one plan" {
	config 'local maildir Mail/in' 'host 127.0.0.1'
	send -f alice@client.test --dry-run --json daemon bob@x.test <message
	exits 0
	assert_equal "$(jq -c '.routes[]|[.by,.targets[].host,
		.targets[].transport,.to]' <<<"$output")" \
'["smarthost","127.0.0.1","smtp",["bob@x.test"]]
["local","maildir:Mail/in","maildir",["daemon"]]'
}

@test "lmtp: a server that has the mailboxes gets the names as they are" {
	receiver box -L -u "$T/lmtp"
	config "local lmtp $T/lmtp"
	send -f alice@client.test bob Eve.O-Neill <message
	exits 0
	silent
	assert_equal "$(recipients)" '<bob> <Eve.O-Neill>'
	cmp "$T/box/1.msg" <(printf %s "$WIRE")
}

@test "lmtp: a host and port, beside the relay of the rest" {
	receiver box -L
	config "local lmtp 127.0.0.1:$PORT"
	receiver out
	printf '%s\n' 'host 127.0.0.1' "port $PORT" >>"$HOME/.smtpsendrc"
	send -f alice@client.test bob bob@x.test <message
	exits 0
	silent
	grep -qx 'rcpt <bob>' box/1.env
	grep -qx 'rcpt <bob@x.test>' out/1.env
}
