#!/usr/bin/env bats
# Aliases: who gets the mail of names without a domain, by a configuration and
# by the usual file of a machine.
# shellcheck disable=SC2154,SC2034 # run sets $stderr; strike.bash uses STRIKE

load common

setup() {
	common_setup
	receiver box
}

# rc LINE...: a configuration whose one account is the receiver's.
rc() {
	printf '%s\n' 'defaults' 'set_from_header off' 'set_date_header off' \
		'set_msgid_header off' 'set_to_header off' 'queue_runner off' \
		'account default' "host 127.0.0.1:$PORT" "$@" >.smtpsendrc
}

# aliases LINE...: the file, and a configuration that names it.
aliases() {
	rc 'aliases ~/aliases'
	printf '%s\n' "$@" >aliases
}

# on_machine CMD...: CMD where /etc/aliases is ./aliases, as "$1" by its name.
on_machine() {
	mkdir -p etc
	cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache etc
	cp aliases etc 2>/dev/null || rm -f etc/aliases
	ln -sf "$SMTPSEND" "$1"
	run --separate-stderr unshare --mount sh -c \
		'mount --bind etc /etc && exec "./$@"' sh "$@" <message
}

# to RECIPIENT...: send the message to them.
to() {
	send -f alice@client.test "$@" <message
}

@test "without aliases a name is refused" {
	rc
	to root
	exits 67
	says "smtpsend: root: failed" "'@' and a domain are missing"
	stored 0
}

@test "a name becomes those of its entry, each once" {
	aliases 'root: alice@x.test, Ops' 'ops: "B. O."@x.test, alice@X.test' \
		'big.name: <big@x.test>'
	to root ROOT alice@x.test Big.Name
	exits 0
	silent
	assert_equal "$(recipients)" \
		'<alice@x.test> <"B. O."@x.test> <big@x.test>'
	arrived <(printf %s "$WIRE")
}

@test "more recipients than the queue has room for: refused, and none gets it" {
	local tail
	tail=$(printf '%60s.' '' '' '')
	seq -f "u%06.0f@${tail// /d}test" 1 80000 >list
	aliases "all: :include:$T/list"
	echo 'queue on' >>.smtpsendrc
	to all
	exits 64
	assert_equal "${#stderr_lines[@]}" 1
	says 'too many recipients: the queue has room for 32 MiB'
	stored 0
	# What is not queued has no such limit.
	send -f alice@client.test --export wire all <message
	exits 0
}

@test "msmtp makes the same of a file of aliases" {
	aliases 'root: joe_smith@x.test, jane_chang@x.test' '' \
		'# Send cron to Mark' 'cron: mark_jones@x.test # him' \
		'default: admin@x.test'
	printf '%s\n' 'account default' 'host 127.0.0.1' "port $PORT" \
		'aliases ~/aliases' 'from a@x.test' 'auth off' >.msmtprc
	chmod 600 .msmtprc
	local name
	for name in root cron nobody bob@y.test; do
		rm -f box/*
		msmtp "$name" <message
		recipients "$(basename box/*.env .env | sed 's|^|box/|')" |
			tr ' ' '\n' | sort >theirs
		rm -f box/*
		send -C .msmtprc "$name" <message
		exits 0
		recipients "$(basename box/*.env .env | sed 's|^|box/|')" |
			tr ' ' '\n' | sort >ours
		diff theirs ours || fail "$name"
	done
}

@test "a catch-all is for who has no entry, not for who is led to" {
	aliases 'root: bob' '*: all@x.test' 'carol: c@x.test'
	to nobody carol
	exits 0
	assert_equal "$(recipients)" '<all@x.test> <c@x.test>'
	to root
	exits 67
	says 'smtpsend: bob: failed' "\"bob\" is no whole address, and no alias in $T/aliases; \"root\" leads there"
}

@test "a name that is nobody: 67, and the others get it" {
	aliases 'root: alice@x.test'
	to nobody root bob@y.test
	exits 67
	says 'smtpsend: nobody: failed' "no alias in $T/aliases"
	assert_equal "$(recipients)" '<alice@x.test> <bob@y.test>'
}

@test "postmaster without an entry stays what a server knows" {
	aliases 'root: alice@x.test'
	to postmaster
	exits 0
	assert_equal "$(recipients)" '<postmaster>'
	aliases 'postmaster: root' 'root: alice@x.test'
	to PostMaster
	exits 0
	assert_equal "$(recipients box/2)" '<alice@x.test>'
}

@test "names of local_domains are aliases, or go to maildomain" {
	aliases 'root: bob@localhost' 'carol: c@x.test'
	printf '%s\n' 'maildomain corp.test' 'local_domains localhost, h.test' \
		>>.smtpsendrc
	to root carol@H.Test dora eve@sub.h.test
	exits 0
	assert_equal "$(recipients)" \
		'<bob@corp.test> <c@x.test> <dora@corp.test> <eve@sub.h.test>'
	rc 'maildomain corp.test'
	to dora
	exits 0
	assert_equal "$(recipients box/2)" '<dora@corp.test>'
}

@test "no such file is 78 for names, and nothing to others" {
	rc 'aliases ~/missing'
	to root bob@x.test
	exits 78
	says 'smtpsend: root: failed' "there is no file of aliases $T/missing"
	assert_equal "$(recipients)" '<bob@x.test>'
	to bob@x.test
	exits 0
}

@test "a mistake costs its entry: file and line, 78" {
	aliases '# first' 'root: alice@x.test,' '  "|/bin/cat"' \
		'file: /var/mail/x' 'ok: bob@x.test' 'odd: :fail:no' 'no colon'
	to root ok
	exits 78
	says "smtpsend: root: failed" "$T/aliases:3: \"|/bin/cat\": no program is run from here"
	assert_equal "$(recipients)" '<bob@x.test>'
	to file
	exits 78
	says "$T/aliases:4: \"/var/mail/x\": mail is not written to files"
	to odd
	exits 78
	says "$T/aliases:6: "
	stored 1
}

@test "a loop is 78 where nobody is left, and no harm where somebody is" {
	aliases 'a: b' 'b: c' 'c: a, a' 'd: a, dora@x.test'
	to a
	exits 78
	says "$T/aliases:1: \"a\" leads to nobody"
	to d
	exits 0
	assert_equal "$(recipients)" '<dora@x.test>'
}

@test "lists: :include: in lists, a list that is missing, one that others write" {
	mkdir lists
	printf '%s\n' 'carol@x.test' '# dora@x.test' "two, :include:$T/lists/two" \
		>lists/one
	printf '%s\r\n' 'eve@x.test, fay@x.test' "\"|sh\"" >lists/bad
	echo ":include:$T/lists/one gus@x.test" >lists/worse
	echo "eve@x.test, :include:$T/lists/one" >lists/two
	chmod -R go-w lists
	aliases "root: bob@x.test, :include:$T/lists/one" \
		"two: hal@x.test" "bad: :include:$T/lists/bad" "none: :include:$T/lists/none" \
		"rel: :include:lists/one" "ln: :include:$T/ln/one"
	to root
	exits 0
	assert_equal "$(recipients)" '<bob@x.test> <carol@x.test> <hal@x.test> <eve@x.test>'
	to bad
	exits 78
	says "$T/lists/bad:2: " 'no program is run'
	to none
	[ "$status" -ne 0 ]
	says "$T/aliases:4: " "$T/lists/none"
	to rel
	exits 78
	says "$T/aliases:5: " 'whole path'
	ln -s lists ln
	to ln
	exits 78
	says "$T/aliases:6: "
	chmod o+w lists/one
	to root
	exits 78
	says "$T/aliases:1: " "$T/lists/one"
	stored 1
}

@test "/dev/null is delivered to nobody" {
	aliases 'null: /dev/null' 'half: /dev/null, bob@x.test'
	to null
	exits 0
	silent
	stored 0
	to --json null half
	exits 0
	assert_equal "$(json '.recipients[] | .address + " " + .outcome')" \
		$'null delivered\nbob@x.test delivered'
	assert_equal "$(recipients)" '<bob@x.test>'
}

@test "programs and files are nobody from outside" {
	aliases '*: all@x.test'
	echo 'local_domains localhost' >>.smtpsendrc
	local rcpt
	for rcpt in '|/bin/touch pwned' '"|/bin/touch pwned"' /tmp/pwned \
		'":include:/etc/passwd"' '"|touch pwned"@localhost' \
		'"/tmp/pwned"@localhost' '/tmp/pwned@localhost'; do
		to "$rcpt"
		exits 67
	done
	to :include:/etc/passwd # an empty group
	[ "$status" -ne 0 ]
	stored 0
	assert [ ! -e pwned ]
	assert [ ! -e /tmp/pwned ]
}

@test "a file that others can write is not believed" {
	aliases 'root: alice@x.test'
	chmod 666 aliases
	to root
	exits 78
	says "$T/aliases" 'chmod go-w'
	stored 0
}

@test "ten thousand entries, and one that stands for two hundred addresses" {
	{
		seq -f 'u%.0f: v' 0 9999 | sed 's/^u\(.*\): v/&\1/'
		seq -f 'v%.0f: w@x.test' 0 9999
		printf 'all:'
		seq -f ' u%.0f@x.test,' 1 200
	} >aliases
	rc 'aliases ~/aliases'
	to u9999 u0
	exits 0
	assert_equal "$(recipients)" '<w@x.test>'
	to all
	exits 0
	assert_equal "$(grep -c '^rcpt' box/2.env)" 200
}

@test "as sendmail /etc/aliases and localhost hold without being said" {
	rc 'local off'
	printf '%s\n' 'root: alice@x.test' 'bad: |cat' >aliases
	on_machine sendmail -i -f a@x.test root bob@x.test root@localhost
	exits 0
	silent
	assert_equal "$(recipients)" '<alice@x.test> <bob@x.test>'
	printf '%s\n' 'To: Root' '' hello >message
	on_machine sendmail -t -i -f a@x.test
	exits 0
	assert_equal "$(recipients box/2)" '<alice@x.test>'
	on_machine sendmail -i -f a@x.test nosuch
	exits 67
	says 'nosuch: failed' '"nosuch" is no whole address, and no alias in /etc/aliases'
}

@test "as sendmail programs and files are nobody" {
	rc 'local off'
	echo '*: all@x.test' >aliases
	local rcpt
	for rcpt in '|/bin/touch pwned' /tmp/pwned ':include:/etc/passwd' \
		'"|touch pwned"@localhost' '/tmp/pwned@localhost'; do
		on_machine sendmail -i -f a@x.test -- "$rcpt"
		[ "$status" -ne 0 ]
		printf '%s\n' "To: $rcpt" '' hello >message
		on_machine sendmail -t -i -f a@x.test
		[ "$status" -ne 0 ]
	done
	stored 0
	assert [ ! -e pwned ]
	assert [ ! -e /tmp/pwned ]
}

@test "newaliases counts, or names each mistake" {
	rc
	aliases 'a: b' 'b: bob@x.test' '*: c@x.test'
	on_machine newaliases
	exits 0
	assert_equal "$output" "$T/aliases: 3 aliases"
	assert_equal "$stderr" ''
	aliases 'a: b' 'b: a' 'c: |cat' 'd: bob@x.test, /tmp/x, :include:/missing/list'
	local arg
	for arg in -bi -I; do
		on_machine sendmail $arg
		exits 78
		says "$T/aliases:1: \"a\" leads to nobody" \
			"$T/aliases:2: \"b\" leads to nobody" \
			"$T/aliases:3: \"|cat\": no program" \
			"$T/aliases:4: \"/tmp/x\": mail is not written" \
			"$T/aliases:4: cannot read /missing/list"
		assert_equal "$(wc -l <<<"$stderr")" 5
	done
	rc 'aliases ~/missing'
	on_machine newaliases
	exits 78
	rc 'aliases'
	on_machine newaliases
	exits 0
	assert_equal "$output" 'no file of aliases is configured'
	rc
	rm aliases
	on_machine newaliases
	exits 0
	assert_equal "$output" \
		'/etc/aliases: there is no such file, so nobody has an alias'
}

@test "-bv says who an address is, and where that goes" {
	aliases 'root: bob@x.test, daemon, nosuch' 'null: /dev/null' 'bad: |cat'
	on_machine sendmail -bv root null,carol@y.test
	exits 67
	assert_output - <<-X
		root -> bob@x.test, daemon
		route 1 by smarthost, account default
		  host 127.0.0.1 port $PORT smtp
		    tls may, by default
		  to bob@x.test
		route 2 by local
		  mailboxes mbox:/var/mail
		  to daemon
		null -> /dev/null
		carol@y.test
		route 1 by smarthost, account default
		  host 127.0.0.1 port $PORT smtp
		    tls may, by default
		  to carol@y.test
	X
	assert_equal "$stderr" "smtpsend: nosuch: failed at input: \"nosuch\" is no user of this machine, and no alias in $T/aliases; \"root\" leads there"
	on_machine sendmail -bv bad nosuch
	exits 78
	assert_equal "$output" ''
	says "$T/aliases:3: "
	on_machine sendmail -bv daemon@localhost
	exits 0
	[[ $output == 'daemon@localhost -> daemon'* ]]
	on_machine sendmail -bv
	exits 64
	stored 0
}

@test "a mistake is kept in the queue, and the file is asked again" {
	rc 'queue on' 'local off' 'aliases ~/aliases'
	printf '%s\n' 'root: alice@x.test, |cat' 'one: |cat' >aliases
	to root one bob@x.test
	exits 0
	assert_equal "$(recipients)" '<bob@x.test>'
	send -q
	exits 0
	stored 1
	printf '%s\n' 'root: alice@x.test, carol@x.test, dora@x.test' \
		'one: |cat' >aliases
	send --queue-run
	exits 0
	stored 2
	assert_equal "$(recipients box/2)" '<alice@x.test> <carol@x.test> <dora@x.test>'
	printf '%s\n' 'one: one@x.test' >aliases
	send -q
	exits 0
	stored 3
	assert_equal "$(recipients box/3)" '<one@x.test>'
	send -bp
	[[ $output == *'queue is empty'* ]]
}

@test "a report goes to whom the sender's name stands for" {
	rc 'queue on' 'local off' 'local_domains h.test' 'aliases ~/aliases'
	echo 'bob: bob2@x.test, bob3@x.test' >aliases
	send -f bob@h.test --queue=only permfail@x.test <message
	exits 0
	send -q
	stored 1
	assert_equal "$(recipients)" '<bob2@x.test> <bob3@x.test>'
	grep -q '^mail <>' box/1.env
	send -bp
	[[ $output == *'queue is empty'* ]]
}

# A queue with a name for two and one for three, whose server does not answer;
# then the first run of it is ended or refused at each of its calls.
prepare() {
	rm -rf "$XDG_STATE_HOME" box/*
	cp -a model "$XDG_STATE_HOME"
	PORT=1 rc 'queue on' 'local off' 'aliases ~/aliases'
}

# The next run has a server.
everybody_once() {
	rc 'queue on' 'local off' 'aliases ~/aliases'
	"$SMTPSEND" -q || return
	assert_equal "$(cat box/*.env | sed -n 's/^rcpt //p' | sort | paste -sd ' ')" \
		'<a@x.test> <b@x.test> <c@x.test> <d@x.test> <e@x.test> <x@y.test>'
	[[ $("$SMTPSEND" -bp) == *'queue is empty'* ]]
}

@test "names for several in the queue: ended or refused at any call, each gets it once" {
	load strike
	eval "$(declare -f calls | sed '1s/calls/all_calls/')"
	calls() {
		all_calls "$@"
		awk -v only="$STRIKE_ONLY" '$1 ~ only' calls >some
		mv some calls
	}
	XDG_STATE_HOME=$(mktemp -d /run/aliases.XXXXXX)
	export XDG_STATE_HOME
	STRIKE=("$SMTPSEND")
	STRIKE_INPUT=/dev/null
	STRIKE_FROM=/aliases
	STRIKE_ONLY=$CHANGES_DISK
	local error
	rc 'queue only' 'local off' 'aliases ~/aliases'
	echo 'one: |cat' >aliases
	cp aliases wrong
	echo 'two: |cat' >>aliases
	to one two x@y.test
	exits 0
	cp -a "$XDG_STATE_HOME" model
	printf '%s\n' 'one: a@x.test, b@x.test' \
		'two: c@x.test, d@x.test, e@x.test' >aliases
	prepare
	everybody_once
	for error in signal=KILL error=ERROR; do
		each_call "$error" everybody_once -q
		many 15 10
	done
	rm -rf "$XDG_STATE_HOME"
}
