#!/usr/bin/env bats
# --queue: what cannot be delivered now is kept, and nobody is told so before
# it would outlive the power.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034,SC2317 # run sets $stderr,
# tests set Q, strike.bash has what is used and called

load common
load strike
shopt -s extglob nullglob

setup() {
	common_setup
	Q=$HOME/.local/state/smtpsend
	IN='' # the machine's, once there is one
	account 1
}

# account PORT [LINE...]: the one account there is.
account() {
	printf '%s\n' defaults 'queue_runner off' 'account default' \
		'host 127.0.0.1' "port $1" "${@:2}" >"$HOME/.smtpsendrc"
	chmod 600 "$HOME/.smtpsendrc"
}

# queue ARGUMENT...: send the message in ./message, and keep what is left.
queue() {
	send --queue -f alice@client.test "$@" <message
}

# lose: the receiver dies.
lose() {
	kill -KILL "$SINK"
	wait "$SINK" 2>/dev/null || true
}

# entries: the ids of what is queued.
entries() {
	local name
	for name in "$Q"/!(broken|stamp|runner); do
		echo "${name##*/}"
	done
}

# kept N: so many entries, each whole and with the message in ./message.
kept() {
	local id ids
	mapfile -t ids < <(entries)
	assert_equal "${#ids[@]}" "$1"
	for id in "${ids[@]}"; do
		"$TOOLS/spool" show "$Q" "$id" >shown
		sed 1d shown | cmp - "${MESSAGE_FILE:-message}"
	done
}

@test "a server that is down: queued, and quietly" {
	queue bob@x.test
	exits 0
	silent
	kept 1
}

@test "what is delivered is not queued, and no folder is made" {
	receiver box
	account "$PORT"
	queue bob@x.test
	exits 0
	silent
	stored 1
	[ ! -e "$HOME/.local" ]
}

@test "-v and --json say as what it is queued, and why" {
	local id
	queue -v bob@x.test carol@x.test
	exits 0
	id=$(entries)
	says "-- queued as $id" \
		"smtpsend: bob@x.test: queued as $id at connect, 127.0.0.1:1: " \
		"smtpsend: carol@x.test: queued as $id at connect"
	queue --json bob@x.test
	exits 0
	assert_equal "$stderr" ''
	assert_equal "$(json '.recipients[0] | .outcome + " " + .stage +
		" " + .kind + " " + .text')" \
		'queued connect connect connect to 127.0.0.1 port 1: Connection refused'
	[ "$(json .queue_id)" = "$(entries | tail -n 1)" ]
	kept 2
}

@test "some delivered, some refused, some queued" {
	receiver box
	account "$PORT"
	queue --json bob@x.test tempfail@x.test permfail@x.test
	exits 67
	assert_equal "$(wc -l <<<"$stderr")" 1
	says 'smtpsend: permfail@x.test: failed at rcpt'
	assert_equal "$(json '[.recipients[].outcome] | join(" ")')" \
		'delivered queued failed'
	assert_equal "$(recipients)" '<bob@x.test>'
	queue bob@x.test tempfail@x.test
	exits 0
	silent
	kept 2
}

@test "a message that is refused for good is not queued" {
	receiver box -r mail='550 5.7.1 not you'
	account "$PORT"
	queue bob@x.test
	exits 77
	says 'bob@x.test: failed at mail'
	[ -z "$(entries)" ]
}

@test "a recipient that is none is told of, the others are queued" {
	queue --json bob@ carol@x.test
	exits 67
	assert_equal "$(json '[.recipients[].outcome] | join(" ")')" \
		'failed queued'
	kept 1
}

@test "--queue=only tries nothing" {
	receiver box
	account "$PORT"
	queue --queue=only bob@x.test
	exits 0
	silent
	stored 0
	kept 1
	# By MX, with name servers that nobody could ask.
	send --mx --queue=only --nameserver 203.0.113.1 -f alice@client.test \
		bob@x.test <message
	exits 0
	silent
	kept 2
	queue --queue=only --json permfail@x.test
	exits 0
	assert_equal "$(json '.recipients[0] | .outcome + .kind')" queuednone
}

@test "a network without any way out: queued at once" {
	local args
	for args in '' --mx '--mx -4' '--mx -6'; do
		account 25
		sed -i 's/127.0.0.1/relay.test/' .smtpsendrc
		rm -rf "$Q"
		# shellcheck disable=SC2086 # split on purpose
		run --separate-stderr unshare --net "$SMTPSEND" --queue $args \
			-f alice@client.test bob@x.test 'carol@[198.51.100.1]' \
			<message
		exits 0
		silent
		kept 1
	done
}

@test "what a person can mend is queued, and told" {
	local id
	account 1 'auth plain' 'user joe' 'passwordcmd false'
	queue bob@x.test
	exits 0
	id=$(entries)
	says "bob@x.test: queued as $id at auth: " passwordcmd 'mend this'
	send -f alice@client.test bob@x.test <message
	exits 78
	kept 1
}

@test "a login that is refused is queued, and told" {
	receiver box -r ehlo=$'250-mx.test\r\n250 AUTH PLAIN' \
		-r auth='535 5.7.8 who are you?'
	account "$PORT" 'auth plain' 'user joe' 'passwordcmd echo pencil'
	queue --json bob@x.test
	exits 0
	says 'bob@x.test: queued as ' ' at auth, 127.0.0.1' '535 5.7.8' mend
	assert_equal "$(json '.recipients[0] | .outcome + " " + .kind')" \
		'queued reply'
	kept 1
	run ! grep -r pencil "$Q"
}

@test "a connection that is lost after the last octets: queued, in doubt" {
	receiver box -w end
	account "$PORT"
	begin --queue --json bob@x.test
	event 'waiting end'
	lose
	end
	exits 0
	assert_equal "$(json '.recipients[0] | .outcome, .in_doubt' |
		paste -sd ' ')" 'queued true'
	kept 1
}

@test "the message is kept as it was completed and signed" {
	local id
	printf 'Subject: hi\n\n.hello\n' >message
	"$SMTPSEND" --dkim-keygen client.test --dkim-selector s \
		--dkim-algorithm ed25519 --dkim-key key.pem >/dev/null
	account 1 'dkim_domain client.test' 'dkim_selector s' \
		"dkim_key $T/key.pem" 'from_full_name Grüße'
	queue bob@x.test
	exits 0
	id=$(entries)
	"$TOOLS/spool" show "$Q" "$id" | sed 1d >shown
	grep -q '^DKIM-Signature: ' shown
	grep -q '^Message-ID: <[0-9a-f]*@client.test>' shown
	grep -q '^From: =?utf-8' shown
	tail -n 1 shown | grep -qx .hello
	# Bcc went before.
	printf 'To: bob@x.test\nBcc: eve@x.test\n\nhi\n' >message
	rm -r "$Q"
	queue -t
	exits 0
	"$TOOLS/spool" show "$Q" "$(entries)" >shown
	run ! grep -a eve@ shown
	grep -qa eve@x.test "$Q/$(entries)"
}

@test "what was asked for is kept with it" {
	queue -N failure,success -R hdrs -V 'job 17' --by-time 2h,NT \
		--hold-for 1h --priority 2 --submitter boss@x.test \
		--orcpt 'rfc822;u9@x.test' bob@x.test
	exits 0
	send --queue-list --json </dev/null
	exits 0
	assert_equal "$(json '[.envid, .return, .priority, .submitter, .account,
		.tries, (.deliver_by[:19] + "Z" | fromdate) - (.arrived | fromdate)
			>= 7190, (.hold_until | fromdate) - (.arrived | fromdate)]
		| @csv')" \
		'"job 17","hdrs",2,"boss@x.test","default",1,true,3600'
	assert_equal "$(json '.recipients[0] | [.orcpt, .notify[], .outcome] |
		join(" ")')" 'rfc822;u9@x.test success failure deferred'
	queue --queue=only --mx --hold-until 2099-01-01T00:00:00Z \
		-N never carol@x.test
	send --queue-list --json </dev/null
	output=$(tail -n 1 <<<"$output")
	assert_equal "$(json '[.hold_until, .account, .tries,
		.recipients[0].notify[0]] | @csv')" \
		'"2099-01-01T00:00:00Z","",0,"never"'
}

@test "the queue by the configuration" {
	account 1 'queue on'
	send -f alice@client.test bob@x.test <message
	exits 0
	silent
	kept 1
	send --no-queue -f alice@client.test bob@x.test <message
	exits 75
	says 'bob@x.test: deferred'
	account 1 'queue only'
	send -f alice@client.test bob@x.test <message
	exits 0
	kept 2
	# The command line goes before.
	send --queue=off -f alice@client.test bob@x.test <message
	exits 75
	account 1 'queue off'
	queue bob@x.test
	exits 0
	kept 3
	account 1 'queue yes'
	send -f alice@client.test bob@x.test <message
	exits 78
	says '.smtpsendrc:6: queue "yes": give on, off or only'
	account 1 'queue_delay_notice never'
	queue bob@x.test
	exits 78
	says '.smtpsendrc:6: queue_delay_notice "never": give off, or a time'
}

@test "an option for one try turns the configuration's queue off" {
	account 1 'queue on'
	send --host 127.0.0.1:1 -f alice@client.test bob@x.test <message
	exits 75
	says 'deferred at connect'
	send -v --helo x.test -f alice@client.test bob@x.test <message
	exits 75
	says 'the queue is off: --helo is for one try'
	send --dry-run -f alice@client.test bob@x.test <message
	exits 0
	send --export wire -f alice@client.test bob@x.test <message
	exits 0
	[ ! -e "$Q" ]
}

@test "--queue excludes what a later try would not know" {
	local option
	account 1 'auth plain' 'user joe'
	for option in '--host x' '--port 26' '--source-ip 127.0.0.1' \
		'--proxy socks5://x' '--helo x.test' '--tls verify' \
		'--tls-trust-file /x' '--tls-host x' '--tls-crl-file /x' \
		"--tls-fingerprint $(printf %064d 0)" '--tls-cert-file /x' \
		'--tls-key-file /x' '--tls-min 1.3' '--tls-ciphers x' \
		'--auth on' '--user joe' '--authzid x' '--password-fd 3' \
		'--passwordcmd x' '--passwordeval x' '--passwordfile /x' \
		'--xclient NAME=x' --insecure-auth; do
		# shellcheck disable=SC2086 # split on purpose
		queue $option bob@x.test
		usage_error "--queue and ${option%% *} exclude each other" \
			'write it there'
	done
	for option in --dry-run '--export wire' --server-info \
		'--configure a@x.test' '--dkim-keygen x.test'; do
		# shellcheck disable=SC2086 # split on purpose
		queue $option bob@x.test
		usage_error "--queue and ${option%% *} exclude each other"
	done
	account 1
	queue --timeout 5 --nameserver 127.0.0.1 -4 -j 2 \
		--resolve x.test:25:127.0.0.1 --tls-keylog keys bob@x.test
	exits 0
	queue --queue=yes bob@x.test
	usage_error '--queue "yes": give on, off or only'
	queue --help
	exits 0
}

@test "a host that is of no account" {
	printf '%s\n' defaults 'host 127.0.0.1' 'queue_runner off' \
		>"$HOME/.smtpsendrc"
	queue bob@x.test
	exits 78
	says 'host in ' '.smtpsendrc:2 is of no account' 'account default'
	send --queue --mx -f alice@client.test bob@x.test <message
	exits 0
	kept 1
}

@test "a queue that cannot take it: told, and nothing is claimed" {
	local how
	for how in '' =only; do
		mkdir -p "$Q"
		chmod 777 "$Q"
		queue --queue$how --json bob@x.test
		exits "$([ -n "$how" ] && echo 71 || echo 75)"
		says 'bob@x.test: deferred' "chmod 700"
		assert_equal "$(json .queue_id)" ''
		rmdir "$Q"
		: >"$Q"
		queue --queue$how bob@x.test
		exits "$([ -n "$how" ] && echo 71 || echo 75)"
		says "$Q: Not a directory"
		rm "$Q"
	done
	account 1 'auth plain' 'user joe' 'passwordcmd false'
	: >"$Q"
	queue bob@x.test
	exits 78
	says 'bob@x.test: failed at auth: ' 'not queued: '
}

@test "a disk that is full" {
	mkdir -p "$Q" && chmod 700 "$Q"
	mount -t tmpfs -o size=64k,mode=700 tmpfs "$Q"
	head -c 100000 /dev/zero | tr '\0' x | fold >>message
	queue bob@x.test
	umount "$Q"
	exits 75
	says 'bob@x.test: deferred at connect' \
		'not queued: cannot queue the message in ' 'No space left'
}

@test "nobody's home, and a state folder of one's own" {
	HOME=/nonexistent send --queue=only -f alice@client.test bob@x.test \
		<message
	exits 78
	says 'there is no folder /nonexistent' 'XDG_STATE_HOME'
	export XDG_STATE_HOME=$T/state
	Q=$XDG_STATE_HOME/smtpsend
	queue bob@x.test
	exits 0
	kept 1
	assert_equal "$(stat -c %a "$Q" "$Q/$(entries)" | paste -sd ' ')" \
		'700 600'
}

@test "a signal before the first try: the message is the caller's" {
	mkfifo in
	INPUT=in begin --queue bob@x.test
	exec {IN}>in
	# More than a pipe holds: it has begun to read.
	head -c 200000 /dev/zero | tr '\0' x >&"$IN"
	kill -TERM "$PID"
	exec {IN}>&-
	end
	exits 75
	says 'nothing was sent'
	[ ! -e "$Q" ]
}

@test "a signal in the first try: what is left is queued" {
	local sig
	for sig in TERM INT HUP; do
		rm -rf box box.events "$Q"
		receiver box -w rcpt
		account "$PORT"
		begin --queue bob@x.test carol@x.test
		event 'waiting rcpt'
		kill -$sig "$PID"
		end
		exits 0
		says "interrupted: what is left is queued as $(entries)"
		kept 1
		lose
	done
}

# ---- the machine's queue ----

# machine [LINE...]: the machine's queue, which is alive, and the one account
# there is, of the machine's file.
machine() {
	rm -rf "$HOME/.smtpsendrc" /var/spool/smtpsend
	IN=/var/spool/smtpsend/in
	install -d -m 755 -o opensmtpq /var/spool/smtpsend
	install -d -m 3733 -o opensmtpq -g opensmtpq "$IN"
	touch /var/spool/smtpsend/stamp
	printf '%s\n' 'account default' 'host 127.0.0.1' 'port 1' \
		'queue_runner off' "$@" >/etc/smtpsend.conf
}

# user ARGUMENT...: the same as send, by a user of no rights.
user() {
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"
	run --separate-stderr setpriv --reuid nobody --regid nogroup \
		--clear-groups env HOME=/nonexistent "$SMTPSEND" \
		-f alice@client.test "$@" <message
}

# added N: so many entries are in the machine's queue, and none in the user's.
added() {
	local -a files=("$IN"/*)
	assert_equal "${#files[@]}" "$1"
	[ -z "$(entries)" ]
}

@test "an account of the machine's: into its queue" {
	machine
	queue bob@x.test
	exits 0
	silent
	added 1
	user --queue bob@x.test
	exits 0
	silent
	added 2
	assert_equal "$(stat -c '%U %G %a' "$IN"/* | sort | paste -sd ' ')" \
		'nobody opensmtpq 640 root opensmtpq 640'
	send --mx --queue=only -f alice@client.test bob@x.test <message
	exits 0
	added 3
}

@test "an account of the user's, or of -C: into his" {
	machine
	account 1
	queue bob@x.test
	exits 0
	kept 1
	rm "$HOME/.smtpsendrc"
	queue -C /etc/smtpsend.conf bob@x.test
	exits 0
	kept 2
	# His defaults are nobody else's.
	printf '%s\n' defaults 'queue_runner off' >"$HOME/.smtpsendrc"
	send --mx --queue=only -f alice@client.test bob@x.test <message
	exits 0
	kept 3
	rm -r "$Q"
	added 0
}

@test "a machine's queue that nobody runs takes nothing" {
	machine
	touch -d '25 hours ago' /var/spool/smtpsend/stamp
	queue bob@x.test
	exits 0
	rm /var/spool/smtpsend/stamp
	queue bob@x.test
	exits 0
	kept 2
	touch /var/spool/smtpsend/stamp
	rmdir "$IN"
	queue bob@x.test
	exits 0
	kept 3
	user --queue bob@x.test
	exits 75
	says 'bob@x.test: deferred' \
		'not queued: no place for a queue: there is no folder /nonexistent'
}

@test "a secret that is closed to the caller: queued without a try" {
	receiver box
	machine 'auth plain' 'user joe' 'passwordfile /etc/smtpsend.secret'
	sed -i "s/^port .*/port $PORT/" /etc/smtpsend.conf
	install -m 600 /dev/null /etc/smtpsend.secret
	user bob@x.test
	exits 78
	says '/etc/smtpsend.conf:7: ' '/etc/smtpsend.secret: Permission denied'
	user --queue bob@x.test
	exits 0
	silent
	added 1
	# Nobody but the machine's runner could have it.
	rm /var/spool/smtpsend/stamp
	user --queue bob@x.test
	exits 78
	says 'Permission denied' 'not queued: '
	stored 0
}

@test "a secret that only the machine's runner has: nobody is asked" {
	machine 'auth plain' 'user joe'
	user --queue bob@x.test
	exits 0
	silent
	added 1
	user bob@x.test
	exits 77
}

# ---- what lasts ----

# All that is called from the reading of the message on. A close that fails
# and closes nothing is not of this world.
strike() {
	export ASAN_OPTIONS=detect_leaks=0 # not under strace
	STRIKE=("$SMTPSEND" -f alice@client.test bob@x.test)
	STRIKE_INPUT=message STRIKE_FROM='pread64(0'
	INFALLIBLE+='|^(close|getpid|rt_sig.*)$'
	# A sanitizer ends with its first mmap that fails.
	! grep -q __asan_init "$SMTPSEND" || INFALLIBLE+='|^mmap$'
	if [ -n "$IN" ]; then
		prepare() { rm -f "$IN"/*; }
		each_call "$1" honest_machine "${@:2}"
	else
		prepare() { rm -rf "$HOME/.local"; }
		each_call "$1" honest "${@:2}"
	fi
}

# The exit status is true: 0 says that it is queued; another one, of a run
# that was not killed, that it is not, and why.
honest() {
	local ids
	"$TOOLS/spool" recover "$Q" >list 2>/dev/null || [ ! -e "$Q" ] || return
	mapfile -t ids < <(entries)
	assert_equal "$(cat list)" "$(printf '%s\n' "${ids[@]}")"
	case $status in
	0) [ ${#ids[@]} -eq 1 ] ;;
	137) [ ${#ids[@]} -le 1 ] ;;
	*) [ -s err ] && [ ${#ids[@]} -eq 0 ] ;;
	esac && kept ${#ids[@]}
}

@test "killed while it tries and queues" {
	strike signal=KILL --queue
	many 60 60
}

@test "an error while it tries and queues" {
	strike error=ERROR --queue
	many 50 15
}

# The same of the machine's queue: nothing is noted yet, so the message ends
# the entry.
honest_machine() {
	local -a all=("$IN"/*) ids=("$IN"/!(*.tmp))
	case $status in
	0) [ ${#ids[@]} -eq 1 ] && [ ${#all[@]} -eq 1 ] ;;
	137) [ ${#ids[@]} -le 1 ] ;;
	*) [ -s err ] && [ ${#all[@]} -eq 0 ] ;;
	esac || return
	[ ${#ids[@]} -eq 0 ] ||
		tail -c "$(stat -c %s message)" "${ids[0]}" | cmp - message
}

@test "killed, or an error, while it adds to the machine's queue" {
	local how
	machine
	for how in signal=KILL error=ERROR; do
		strike $how --queue=only
		many 20 5
	done
}

# disk FOLDER: a disk there, whose power can fail.
disk() {
	truncate -s 8M image
	mkdir -p "$1"
	if ! mkfs.ext4 -q image || ! mount -o loop image "$1"; then
		skip 'no loop device can be mounted here'
	fi 2>/dev/null
}

# power_cut FOLDER: and what is on it then goes to ./after.
power_cut() {
	echo lost >"$1/control"
	# EXT4_IOC_SHUTDOWN, and the journal is not flushed.
	python3 -c '
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))
' "$1"
	umount "$1"
	mount -o loop image "$1"
	cp -a "$1" after
	umount "$1"
	# What nobody synced is lost, or the power never failed.
	[ ! -s after/control ]
}

@test "the power fails right after exit 0" {
	disk "$T/disk"
	export XDG_STATE_HOME=$T/disk/state
	Q=$XDG_STATE_HOME/smtpsend
	queue bob@x.test
	power_cut disk
	exits 0
	silent
	Q=$T/after/state/smtpsend
	kept 1
}

@test "the same with the machine's queue" {
	local id
	machine
	rm -r /var/spool/smtpsend
	disk /var/spool/smtpsend
	chown opensmtpq /var/spool/smtpsend
	install -d -m 3733 -o opensmtpq -g opensmtpq "$IN"
	touch /var/spool/smtpsend/stamp
	sync
	user --queue bob@x.test
	id=$(basename "$IN"/*)
	cp "$IN/$id" before
	power_cut /var/spool/smtpsend
	exits 0
	silent
	cmp before "after/in/$id"
}
