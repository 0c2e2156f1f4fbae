#!/usr/bin/env bats
# Memory that is refused, at one call of the program after the other: it is a
# temporary trouble whatever it hits, nobody is called unknown for it, and who
# is told that the message is kept has it kept.
#
# STARVE_STEP=1 refuses at every call, not at a part of them.
#
# once: the sanitizers have a malloc() of their own.
# shellcheck disable=SC2034 # judge uses them

load common
load queue

setup() {
	queue_setup
	ln -s "$SMTPSEND" sendmail
	receiver now
	now=$PORT
	receiver later -t
	later=$PORT
	only_account default "$now" 'aliases ~/aliases' 'syslog off'
	printf 'all: :include:%s/list\none: two\ntwo: two@x.test\n' "$T" >aliases
	printf 'good@x.test\nbest@x.test\n' >list
	message 1 | sed 's/^To: .*/To: all, one, tempfail@x.test/' >in
	wanted='<1@client.test> good@x.test
<1@client.test> best@x.test
<1@client.test> two@x.test
<1@client.test> tempfail@x.test'
	refused=
}

teardown() {
	end_started
	rm -rf "$XDG_STATE_HOME"
}

# starved N ARGUMENT...: run it without the memory of its Nth call.
starved() {
	printf '\0\0\0\0' >count
	status=0
	env LD_PRELOAD="$TOOLS/starve.so" STARVE_AT="$1" STARVE_COUNT=count \
		"${@:2}" <in >out 2>err || status=$?
	settled "$now"
}

# true_status: what it says is so.
true_status() {
	case $status in
	0)
		"$TOOLS/states" "$Q" >states || return
		served now >first
		only_account default "$later" 'aliases ~/aliases'
		"$SMTPSEND" -q >again 2>&1 || return
		served later >second
		judge states first second >judged
		[ ! -s judged ] && [ -z "$(entries)" ]
		;;
	# Nobody has it: it may be sent to all again.
	71 | 75) [ -s err ] && [ -z "$(served now)$(entries)" ] ;;
	# Some have it, and it is said who has not.
	69) grep -q 'deferred' err ;;
	*) false ;;
	esac
}

@test "sendmail with aliases: nobody is lost or unknown for want of memory" {
	local n total step=${STARVE_STEP:-7}
	starved 0 ./sendmail -oi -t -f m1@client.test
	assert_equal "$status" 0
	total=$(od -An -t u4 count)
	((total > 50))
	for ((n = 1; n <= total; n += step)); do
		rm -rf "$Q" now/* later/*
		only_account default "$now" 'aliases ~/aliases' 'syslog off'
		starved "$n" ./sendmail -oi -t -f m1@client.test
		true_status || fail "call $n of $total: status $status
$(head -n 50 out err states first second judged again)"
	done
}

@test "a run of the queue: nobody is lost or unknown for want of memory" {
	local n total step=${STARVE_STEP:-7}
	./sendmail -oi -t -odq -f m1@client.test <in
	mv "$Q" model
	cp -a model "$Q"
	starved 0 "$SMTPSEND" -q
	total=$(od -An -t u4 count)
	((total > 50))
	for ((n = 1; n <= total; n += step)); do
		rm -rf "$Q" now/* later/*
		cp -a model "$Q"
		only_account default "$now" 'aliases ~/aliases' 'syslog off'
		starved "$n" "$SMTPSEND" -q
		[[ $status =~ ^(0|71|75)$ ]] && status=0 && true_status ||
			fail "call $n of $total: status $status
$(head -n 50 out err states first second judged again)"
	done
}

# A message that must be encoded and signed goes so, or stays.
@test "signed: nothing is refused, and nothing unsigned, for want of memory" {
	local n total step=${STARVE_STEP:-2}
	"$SMTPSEND" --dkim-keygen client.test --dkim-selector s >/dev/null
	only_account default "$now" 'dkim_domain client.test' \
		'dkim_selector s' "dkim_key $(echo "$PWD"/*.pem)"
	printf '%s\n' 'From: "A, B" <alice@client.test>' 'To: good@x.test' \
		'Message-ID: <1@client.test>' 'MIME-Version: 1.0' \
		'Content-Type: multipart/mixed; boundary=b' '' --b \
		'Content-Type: text/plain; charset=utf-8' '' 'gr\303\274n' --b \
		'Content-Type: text/plain' '' hello --b-- >in
	sed -i 's/gr.*n$/gr\xc3\xbcn/' in
	starved 0 "$SMTPSEND" -f m1@client.test good@x.test
	assert_equal "$status" 0
	total=$(od -An -t u4 count)
	((total > 100))
	for ((n = 1; n <= total; n += step)); do
		rm -f now/*
		starved "$n" "$SMTPSEND" -f m1@client.test good@x.test
		case $status:$(served now) in
		0:?*) grep -q ^DKIM-Sig now/*.msg ;;
		71: | 75:) [ -s err ] ;;
		75:?*) grep -q 'may have been delivered' err ;;
		*) false ;;
		esac || fail "call $n of $total: status $status, $(cat err)"
	done
}
