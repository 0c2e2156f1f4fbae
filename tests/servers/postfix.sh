#!/bin/bash
# postfix.sh DIR CADIR [IP [SASL]]: Postfix on port 25, and 465 for TLS, in a
# world.
#
# Takes mail for example.test, secure.test and plain.test and puts it, each
# message a file, into DIR/mail/all/new.  With SASL, the socket of dovecot.sh
# that decides, it offers AUTH behind TLS.  $POSTFIX_EXTRA are more lines of
# main.cf, $POSTFIX_MASTER of master.cf.  DIR/mail.log has each session.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$1 ca=$2 ip=${3:-127.0.0.1} sasl=${4:-}

queues=(active bounce corrupt defer deferred flush hold incoming private
	saved trace)
mkdir -p "$dir"/{etc,data,mail} "$dir"/q/{pid,maildrop,public}
cat >"$dir/etc/main.cf" <<CONF
compatibility_level = 3.6
queue_directory = $dir/q
data_directory = $dir/data
maillog_file = $dir/mail.log
maillog_file_prefixes = /
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = mx1.example.test
mydestination =
mynetworks =
smtpd_relay_restrictions = reject_unauth_destination
virtual_mailbox_domains = example.test, secure.test, plain.test
virtual_mailbox_base = $dir/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_transport = virtual
smtpd_tls_security_level = may
smtpd_tls_cert_file = $ca/mx1.pem
smtpd_tls_key_file = $ca/mx1.key
smtpd_tls_CAfile = $ca/ca.pem
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
message_size_limit = 1048576
alias_maps =
alias_database =
local_recipient_maps =
local_header_rewrite_clients =
CONF
[ -z "$sasl" ] || cat >>"$dir/etc/main.cf" <<CONF
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = $sasl
smtpd_tls_auth_only = yes
CONF
echo "${POSTFIX_EXTRA:-}" >>"$dir/etc/main.cf"
cat >"$dir/etc/master.cf" <<CONF
$ip:25 inet n - n - - smtpd
$ip:465 inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
CONF
echo "${POSTFIX_MASTER:-}" >>"$dir/etc/master.cf"
for queue in "${queues[@]}"; do
	install -d -o postfix -m 700 "$dir/q/$queue"
done
chown postfix "$dir/data"
chown postfix:postdrop "$dir/q/maildrop" "$dir/q/public"
chmod 730 "$dir/q/maildrop"
chmod 710 "$dir/q/public"
chown 65534:65534 "$dir/mail"
chmod 755 "$dir"
# It waits for a file that is younger than two seconds to become older.
touch -d '1 min ago' "$dir"/etc/*.cf
/usr/lib/postfix/sbin/master -c "$dir/etc" &
"$here/waitport" "$ip" 25
