#!/bin/bash
# opensmtpd.sh DIR CADIR [IP]: OpenSMTPD on port 25, in a world.
#
# A server with few extensions: no PIPELINING, and 500 for who pipelines all
# the same.  Takes mail for example.test, secure.test and plain.test and puts
# it, each message a file, into DIR/mail/new.  With OS_TLS=1 it offers
# STARTTLS and then fails the handshake (Debian 12 links it with a TLS library
# that it was not written for).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$1 ca=$2 ip=${3:-127.0.0.1}

mkdir -p "$dir/mail" /var/lib/opensmtpd/empty /var/spool/smtpd
chmod 711 /var/spool/smtpd
chmod 755 "$dir"
chown nobody:nogroup "$dir/mail"
install -m 600 "$ca/mx1.key" "$dir/mx1.key"
cat >"$dir/smtpd.conf" <<CONF
pki mx1 cert "$ca/mx1.pem"
pki mx1 key "$dir/mx1.key"
table users { "@" = nobody }
smtp max-message-size "1M"
listen on $ip port 25 ${OS_TLS:+tls pki mx1} hostname mx1.example.test
listen on socket
action box maildir "$dir/mail" virtual <users>
match from any for domain { "example.test", "secure.test", "plain.test" } action box
CONF
smtpd -d -f "$dir/smtpd.conf" &
echo $! >"$dir/pid"
"$here/waitport" "$ip" 25
