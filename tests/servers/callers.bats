#!/usr/bin/env bats
# Programs that send by /usr/sbin/sendmail, once with Postfix's there, once
# with ours: who got what is compared, octet by octet.

load common

# The differences that are kept, each with its reason; one that is none any
# more must go (see the last test).
KEPT=(
	'^name Message-Id\|Message-ID$'
	'RFC 5322 spells it so'
	'^order of what is added: '
	'it is added in the order of RFC 5322 3.6'
	'^envelope mail (<.*>) BODY=8BITMIME \| mail \1$'
	'text in 7 bits does not need it, whatever its header says'
	'^field \| To: undisclosed-recipients:;$'
	'a message that is to nobody looks like spam to some'
	'^field \| MIME-Version: 1\.0$'
	'Content-Type means nothing without it'
	'^blanks (To|Cc|From): '
	'a header is changed no more than it must be'
	'^field \| Content-Length: '
	'the same'
	'^value Cc: .* f@client\.test \(c\) \(c\) \| .* \(c\) f@client\.test \(c\)$'
	'the same'
	'^name Subject\|Subject $'
	'the same'
	'^field \| (Date|Message-ID): \*$'
	'also beside Resent- fields the message needs its own'
	'^field Resent-(Date|Message-Id): .* \|$'
	'who sends again says when'
	'^value From: MAILER-DAEMON \| root <root@client\.test>$'
	'the null sender is no author'
	'^envelope \| rcpt <TO@x\.test>$'
	'local parts have a case'
	'^envelope mail (<.*>) \| mail \1 BODY=8BITMIME$'
	'8 bits are announced (RFC 6152)'
	'^field \| Content-(Type: text/plain; charset=utf-8|Transfer-Encoding: 8bit)$'
	'and named (RFC 2045)'
	'^value Subject: gr\\xc3\\xbcn \| =\?utf-8\?B\?Z3LDvG4=\?=$'
	'and encoded in a header (RFC 2047)'
	'^field \| Content-Transfer-Encoding: quoted-printable$'
	'a line too long for SMTP is encoded'
	'^body 0{998}\\r\\n 0{202}\\r\\nb\\r\\n \| (0{72,75}=\\r\\n)*0*\\r\\nb\\r\\n$'
	'and not cut'
	'^body a\\r\\n\.\.b\\r\\n \| a\\r\\n\.b\\r\\n$'
	'without -i sendmail 8 takes one of two dots, and callers count on it'
)

setup_file() {
	prepare
	receivers
	postfix
	smtpsend
}

# Two receivers, so that nothing is mixed up.
receivers() {
	mkdir "$D/postfix.box" "$D/smtpsend.box"
	start_announced postfix.sink "$TOOLS/sink" -p 2525 "$D/postfix.box"
	start_announced smtpsend.sink "$TOOLS/sink" -p 2526 "$D/smtpsend.box"
}

postfix() {
	export POSTFIX_EXTRA='
relayhost = [127.0.0.1]:2525
myorigin = client.test
smtputf8_enable = no
'
	start postfix.sh "$D/postfix" "$D/ca"
	mkdir -p /etc/postfix
	ln -s "$D/postfix/etc/main.cf" /etc/postfix/main.cf
	mv /usr/sbin/sendmail /usr/sbin/sendmail.postfix
	chgrp postdrop /usr/sbin/postdrop
	chmod 2755 /usr/sbin/postdrop
}

smtpsend() {
	sed -i "s,^root:.*,root:x:0:0:root:$D/root:/bin/sh," /etc/passwd
	install -m 755 "$SMTPSEND" /usr/sbin/sendmail.smtpsend
	printf '%s\n' 'defaults' 'queue_runner off' 'account default' \
		'host 127.0.0.1' 'port 2526' 'maildomain client.test' \
		>/etc/smtpsend.conf
}

setup() {
	export HOME=$BATS_TEST_TMPDIR/home
	MASKS=()
	unset XDG_CONFIG_HOME XDG_STATE_HOME
}

has() {
	[ "$(find "$1" -name '*.msg' | wc -l)" = "$2" ]
}
export -f has

# by MTA N COMMAND...: what it sends by MTA, N messages; by each MTA in the
# same folder, which is empty.  A daemon that it leaves in $DAEMON is ended.
by() {
	local box=$D/$1.box before status=0
	before=$(find "$box" -name '*.msg' | wc -l)
	ln -sfn "sendmail.$1" /usr/sbin/sendmail
	mkdir "$HOME"
	cd "$HOME" || return
	DAEMON=
	"${@:3}" >"$HOME.$1" 2>&1 </dev/null || status=$?
	echo "status $status" >>"$HOME.$1"
	echo $((before + 1)) >"$HOME.$1.first"
	status=0
	"$SERVERS/waitfor" 30 has "$box" $((before + $2)) || status=$?
	[ -z "$DAEMON" ] || end_daemon
	[ $status = 0 ] || fail "by $1: not $2 messages. $(cat "$HOME.$1")"
	cd /
	rm -r "$HOME"
}

# end_daemon: with all that it has started, whose folder is $HOME.
end_daemon() {
	local program
	program=$(cat "/proc/$DAEMON/comm")
	kill "$DAEMON"
	wait "$DAEMON" || true
	"$SERVERS/waitfor" 30 none_of "$program"
}

none_of() {
	! pgrep -x "$1"
}
export -f none_of

# same N COMMAND...: it sends the same by both, but for the differences that
# are kept, and hears the same; what matches one of @MASKS may differ.
same() {
	local line
	by postfix "$@"
	by smtpsend "$@"
	diff "$HOME.postfix" "$HOME.smtpsend" |
		sed -n 's/^< \(.*\)/says \1 |/p; s/^> /says | /p' \
			>"$HOME.differences"
	"$SERVERS/compare.py" "$D/postfix.box" "$(cat "$HOME.postfix.first")" \
		"$D/smtpsend.box" "$(cat "$HOME.smtpsend.first")" "$1" \
		"${MASKS[@]}" >>"$HOME.differences"
	while IFS= read -r line; do
		kept "$line" || echo "$line"
	done <"$HOME.differences" >"$HOME.other"
	[ ! -s "$HOME.other" ] || fail "$(cat "$HOME.other")"
}

# kept DIFFERENCE: this one is on purpose; notes which it is.
kept() {
	local i
	for ((i = 0; i < ${#KEPT[@]}; i += 2)); do
		if grep -qE -- "${KEPT[i]}" <<<"$1"; then
			echo "${KEPT[i]}" >>"$D/kept"
			return
		fi
	done
	return 1
}

# --- daemons --------------------------------------------------------------

# Its minutes take two seconds; each job does its work once.
cron_runs() {
	printf '%s\n' "HOME=$HOME" 'MAILTO=to@x.test,root' \
		'* * * * * mkdir 1 2>/dev/null && printf "out\n.\n..dots\ngr\303\274n\n"' \
		'MAILFROM=env@x.test' 'CONTENT_TYPE=text/plain; charset=latin1' \
		'* * * * * mkdir 2 2>/dev/null && echo out' >/var/spool/cron/crontabs/root
	chmod 600 /var/spool/cron/crontabs/root
	rm -f /run/crond.pid
	# The linker loads that clock for cron, and not for what cron runs.
	env FAKETIME='@2026-01-01 00:00:30 x30' /lib*/ld-linux-*.so.? --preload \
		/usr/lib/*/faketime/libfaketime.so.1 /usr/sbin/cron -f 3>&- &
	DAEMON=$!
}

@test "cron" {
	same 2 cron_runs
}

at_runs() {
	install -d -o daemon -g daemon -m 1770 /var/spool/cron/atjobs \
		/var/spool/cron/atspool
	install -o daemon -g daemon -m 600 /dev/null /var/spool/cron/atjobs/.SEQ
	rm -f /run/atd.pid
	/usr/sbin/atd -f -b 0 3>&- &
	DAEMON=$!
	"$SERVERS/waitfor" 30 test -s /run/atd.pid
	echo 'echo out; echo .; echo ..dots' | at -m now 2>/dev/null
}

@test "at" {
	same 1 at_runs
}

anacron_runs() {
	mkdir spool
	printf '%s\n' 'SHELL=/bin/sh' 'MAILTO=root' '1 0 job echo out' >tab
	/usr/sbin/anacron -d -f -n -s -t "$PWD/tab" -S "$PWD/spool"
}

@test "anacron" {
	same 1 anacron_runs
}

sudo_denies() {
	echo 'Defaults:nobody !authenticate, mailto=root' >/etc/sudoers.d/test
	chmod 440 /etc/sudoers.d/test
	! setpriv --reuid=nobody --regid=nogroup --clear-groups sudo -n true
}

@test "sudo" {
	MASKS=('[A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8}')
	same 1 sudo_denies
}

mdadm_tests() {
	mknod md0 b 9 0
	mdadm --monitor --test --oneshot --mail=root@x.test "$PWD/md0"
}

@test "mdadm" {
	same 1 mdadm_tests
}

logwatch_reports() {
	mkdir -p /var/cache/logwatch /etc/logwatch/conf
	echo "$(date '+%b %e %T') client sshd[1]: Accepted password for alice" \
		'from 127.0.0.9 port 1 ssh2' >/var/log/auth.log
	logwatch --output mail --format text --range all --detail high \
		--mailto 'to@x.test root' --service sshd \
		--hostname client.test
}

@test "logwatch" {
	MASKS=('Initiated: .*')
	same 1 logwatch_reports
}

# --- people's mail programs -----------------------------------------------

mutt_sends() {
	printf 'attached\n' >file.txt
	echo body | mutt -n -F /dev/null \
		-e 'set from=a@x.test use_envelope_from=yes copy=no' \
		-e 'set sendmail="/usr/sbin/sendmail -oem -oi"' \
		-s 'a subject' -a file.txt -b bcc@x.test -- to@x.test
}

@test "mutt" {
	MASKS=('(?<=--)[\w+/]{16}' '(?<=boundary=")[\w+/]{16}')
	same 1 mutt_sends
}

snail_sends() {
	printf 'body\n.\n..dots\n' | s-nail -:/ -S sendwait \
		-S mta=/usr/sbin/sendmail -r a@x.test -s 'a subject' \
		-b bcc@x.test -c cc@x.test to@x.test
}

@test "s-nail" {
	same 1 snail_sends
}

mailx_sends() {
	printf 'body\n.\n..dots\n' | bsd-mailx -r a@x.test -s 'a subject' \
		-b bcc@x.test -c cc@x.test to@x.test
}

@test "bsd-mailx" {
	same 1 mailx_sends
}

mailx_plain() {
	echo body | bsd-mailx -s 'a subject' root
}

@test "bsd-mailx to a bare name" {
	same 1 mailx_plain
}

git_sends() {
	git init -q .
	git -c user.name='A U Thor' -c user.email=author@x.test commit -q \
		--allow-empty -m one
	git -c user.name='A U Thor' -c user.email=author@x.test commit -q \
		--allow-empty -m two
	git format-patch -q --always --root HEAD
	git -c sendemail.smtpserver=/usr/sbin/sendmail "$@" send-email --quiet \
		--confirm=never --suppress-cc=all --from='A <a@x.test>' \
		--to=to@x.test --bcc=bcc@x.test ./*.patch
}

@test "git send-email" {
	MASKS=('\d{14}\.\d+-\d-a@x\.test')
	same 2 git_sends
}

@test "git send-email with an envelope sender" {
	MASKS=('\d{14}\.\d+-\d-a@x\.test')
	same 2 git_sends -c sendemail.envelopesender=env@x.test
}

# --- languages ------------------------------------------------------------

php_mails() {
	php -r 'exit(mail("to@x.test, \"A B\" <c@x.test>", "a subject",
		"body\n.\n..dots\n", ["From" => "a@x.test", "Bcc" => "b@x.test"],
		"-fenv@x.test") ? 0 : 1);'
}

@test "PHP mail() with -f" {
	same 1 php_mails
}

php_bare() {
	setpriv --reuid=www-data --regid=www-data --clear-groups env -i \
		php -r 'exit(mail("to@x.test", "a subject", "body") ? 0 : 1);'
}

@test "PHP mail() of a web server" {
	same 1 php_bare
}

email_sender() {
	perl -e 'use Email::Simple; use Email::Sender::Simple "sendmail";
		use Email::Sender::Transport::Sendmail;
		sendmail(Email::Simple->create(
			header => [To => "to\@x.test", From => "a\@x.test"],
			body => "body\n.\n"),
			{ from => "env\@x.test", to => ["to\@x.test", "b\@x.test"],
			transport => Email::Sender::Transport::Sendmail->new })'
}

@test "Perl Email::Sender" {
	same 1 email_sender
}

mime_lite() {
	perl -e 'use MIME::Lite; MIME::Lite->new(From => "a\@x.test",
		To => "to\@x.test", Cc => "cc\@x.test", Bcc => "b\@x.test",
		Subject => "a subject", Data => "body\n.\n..dots\n")
		->send("sendmail", FromSender => "env\@x.test")'
}

@test "Perl MIME::Lite" {
	same 1 mime_lite
}

mail_mailer() {
	perl -e 'use Mail::Mailer; my $m = Mail::Mailer->new("sendmail");
		$m->open({ From => "a\@x.test", To => ["to\@x.test", "root"],
			Subject => "a subject" });
		print $m "body\n"; $m->close'
}

@test "Perl Mail::Mailer" {
	same 1 mail_mailer
}

python_faq() {
	/usr/bin/python3 -c 'if True:
		import os
		p = os.popen("/usr/sbin/sendmail -t -i", "w")
		p.write("To: to@x.test\n")
		p.write("Subject: test\n")
		p.write("\n")
		p.write("Some text\n.\nmore\n")
		assert p.close() is None'
}

@test "Python, as its FAQ says" {
	same 1 python_faq
}

python_subprocess() {
	/usr/bin/python3 -c 'if True:
		import subprocess
		from email.message import EmailMessage
		m = EmailMessage()
		m["From"] = "J\xf6rg <a@x.test>"
		m["To"] = "to@x.test"
		m["Subject"] = "Gr\xfc\xdfe"
		m.set_content("Gr\xfc\xdfe\n")
		subprocess.run(["/usr/sbin/sendmail", "-t", "-oi"],
			input=m.as_bytes(), check=True)'
}

@test "Python subprocess and EmailMessage" {
	same 1 python_subprocess
}

ruby_mail() {
	ruby -e 'require "mail"
		Mail.defaults { delivery_method :sendmail }
		Mail.deliver { from "a@x.test"; to "to@x.test"; cc "cc@x.test"
			bcc "b@x.test"; subject "a subject"; body "body\n.\n" }'
}

@test "Ruby mail" {
	same 1 ruby_mail
}

# --- those that are not installed here, by their exact lines --------------

# piped TEXT ARGUMENT...: printf TEXT into sendmail.
piped() {
	# shellcheck disable=SC2059 # the text is written for it
	printf "$1" | /usr/sbin/sendmail "${@:2}"
}

@test "a line of text and no header at all" {
	same 1 piped 'disk full\n' root
}

CRON='From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@client> x\n'
CRON+='X-Cron-Env: <SHELL=/bin/sh>\n\nout\n..dots\n.\nlast\n'

@test "cronie" {
	same 1 piped "$CRON" -FCronDaemon -i -odi -oem -oi -t -f root
}

@test "vixie-cron of the BSDs" {
	same 1 piped "$CRON" -FCronDaemon -odi -oem -oi -t
}

@test "bcron" {
	same 1 piped "$CRON" -FCronDaemon -i -odi -oem -t
}

@test "systemd-cron" {
	same 1 piped "$CRON" -i -B8BITMIME root
}

@test "fail2ban" {
	same 1 piped 'Subject: [Fail2Ban] sshd: banned 127.0.0.9 from client
Date: Thu, 01 Jan 2026 00:00:00 +0000
From: Fail2Ban <fail2ban>
To: root\n
Hi,\n
The IP 127.0.0.9 has just been banned.' -f fail2ban root
}

@test "unattended-upgrades" {
	same 1 piped 'To: root\nSubject: s\nAuto-Submitted: auto-generated\n
body\n' -oi -t
}

@test "reportbug" {
	same 1 piped 'From: A <a@x.test>\nTo: to@x.test\nSubject: s\n\nb\n' \
		-f a@x.test -oi -oem to@x.test
}

@test "debsecan, bts, warnquota" {
	same 1 piped 'From: root\nTo: to@x.test\nSubject: s\n\nbody\n' -t
}

@test "Sympa, with a null sender" {
	same 1 piped 'From: a@x.test\nTo: list@x.test\nSubject: s\n\nb\n' \
		-oi -odi -oem -f '' -- to@x.test b@x.test
}

@test "courier sqwebmail" {
	same 1 piped 'From: a@x.test\nTo: to@x.test\nSubject: s\n\nb\n' \
		-Nfailure -t -f a@x.test
}

@test "PHPMailer" {
	same 1 piped 'From: a@x.test\nTo: to@x.test\nBcc: b@x.test\n\nb\r\n.\r\n' \
		-oi -fenv@x.test -t
}

@test "Symfony, -t -i" {
	same 1 piped 'From: a@x.test\r\nTo: to@x.test\r\n\r\nb\r\n..x\r\n' \
		-t -i -f'env@x.test'
}

@test "emacs" {
	same 1 piped 'From: a@x.test\nTo: to@x.test\nFcc: x\n\nb\n' \
		-oi -f a@x.test -oem -odi -t
}

@test "mailutils" {
	same 1 piped 'To: to@x.test\nBcc: b@x.test\nSubject: s\n\nb\n' \
		-oi -f a@x.test -t
}

@test "neomutt with all of its options" {
	same 1 piped 'From: a@x.test\nTo: to@x.test\n\nb\n' -oem -oi \
		-B8BITMIME -f a@x.test -N failure -R hdrs -- to@x.test b@x.test
}

@test "s-nail with its options" {
	same 1 piped 'To: to@x.test\n\nb\n' -i -m -f a@x.test -F 'A. Name' \
		-- to@x.test
}

# --- how addresses are given ----------------------------------------------

@test "operands: names, lists, routes in brackets" {
	same 1 piped 'Subject: s\n\nb\n' -i -f a@x.test 'A B <to@x.test>' \
		'b@x.test, c@x.test' '<d@x.test>' root TO@x.test to@X.TEST
}

@test "operands beside -t" {
	same 1 piped 'To: to@x.test\nCc: c@x.test, to@x.test\n\nb\n' -t b@x.test
}

@test "-t: groups, comments, quotes, folding, empty fields" {
	same 1 piped 'From: a@x.test
To: Friends: to@x.test, "B, C" <b@x.test>;, (x) c@x.test (C)
Cc:
Bcc: d@x.test,
 "quo ted"@x.test
Apparently-To: nobody@x.test
Subject: s\n\nb\n' -t -i
}

@test "-t: the fields of who sends again" {
	same 1 piped 'Resent-From: b@x.test\nResent-To: c@x.test
Resent-Bcc: d@x.test\nFrom: a@x.test\nTo: to@x.test\nSubject: s\n\nb\n' -t -i
}

@test "-r, bare names, and who is called MAILER-DAEMON" {
	same 1 piped 'To: to@x.test\n\nb\n' -r bob -t
	same 1 piped 'To: to@x.test\n\nb\n' -f '<>' -t
	same 1 piped 'To: to@x.test\n\nb\n' -fMAILER-DAEMON -t
	same 1 piped 'To: to@x.test\n\nb\n' -f 'A B <env@x.test>' -t
}

@test "names for From" {
	same 1 piped 'To: to@x.test\n\nb\n' -F 'Full Name' -f a@x.test -t
	same 1 piped 'To: to@x.test\n\nb\n' -F 'J. "Q" Public' -f a@x.test -t
	export NAME='Named So'
	same 1 piped 'To: to@x.test\n\nb\n' -t
}

@test "addresses of the header that have no domain" {
	same 1 piped 'From: root, "A B" <c> (x)\nSender: root\nReply-To: bob
To: root, bob@x.test, "A B" <c>\nCc: G: d, e@x.test;, (c) f (c)
Subject: root, c\n\nb\n' -i to@x.test
}

# --- texts ----------------------------------------------------------------

@test "a lone dot ends the message, where -i is not given" {
	same 1 piped 'To: to@x.test\n\na\n.b\n.\nc\n' -t
	same 1 piped 'To: to@x.test\r\n\r\na\r\n.b\r\n.\r\nc\r\n' -t
	same 1 piped 'To: to@x.test\n\na\n..b\n.\nc\n' -t
}

@test "odd texts" {
	same 1 piped 'To: to@x.test\n\nno end' -i -t
	same 1 piped 'To: to@x.test\n' -i -t
	same 1 piped '' -i to@x.test
	same 1 piped '\nbody after an empty line\n' -i to@x.test
	same 1 piped 'no header: or\nis it?\n' -i to@x.test
	same 1 piped 'From root Thu Jan  1 00:00:00 1970\nTo: b@x.test\n\nb\n' \
		-i to@x.test
	same 1 piped 'To: to@x.test\nSubject: gr\303\274n\n\ngr\303\274n\n' -t
	same 1 piped 'To: to@x.test\r\nSubject: s\r\n\r\nb\r\nlf\nb\r\n' -t -i
	same 1 piped 'To: to@x.test\nSubject: s\nnot a field\n\nb\n' -t -i
	same 1 piped "To: to@x.test\n\n$(printf '%01200d' 0)\nb\n" -t -i
}

@test "fields that trace" {
	same 1 piped 'Return-Path: <old@x.test>\nReceived: from a by b; date
Delivered-To: b@x.test\nContent-Length: 5\nStatus: RO\nTo: to@x.test
Errors-To: e@x.test\nReturn-Receipt-To: a@x.test
Bcc: b@x.test\nFull-Name: F\n\nb\n' -i to@x.test
}

@test "its own Date, Message-ID and From stay, byte for byte" {
	same 1 piped 'date: thu, 1 jan 2026\nMESSAGE-ID: odd one\nfrom: <a@x.test>
To:to@x.test\nSubject :  s  \n\nb\n' -i -t
}

# refused COMMAND...: by both; ours says that it was called wrongly.
refused() {
	by postfix 0 "$@"
	by smtpsend 0 "$@"
	run ! grep -qx 'status 0' "$HOME.postfix"
	grep -qx 'status 64' "$HOME.smtpsend"
}

@test "what neither takes" {
	refused piped 'Subject: s\n\nb\n' -t
	refused piped 'To: to@x.test\n\nb\n'
	refused piped 'To: to@x.test\n\nb\n' -Z to@x.test
}

@test "nothing was sent twice or later" {
	has "$D/smtpsend.box" "$(find "$D/postfix.box" -name '*.msg' | wc -l)"
	mkdir -p "$D/root"
	run find "$D/root" "$D/postfix/q/deferred" -type f
	assert_output ''
}

@test "no difference is kept that is none" {
	local i
	for ((i = 0; i < ${#KEPT[@]}; i += 2)); do
		grep -qxF -- "${KEPT[i]}" "$D/kept" ||
			fail "nowhere: ${KEPT[i]}"
	done
}
