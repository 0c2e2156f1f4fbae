#!/bin/bash
# dovecot.sh DIR CADIR [IP [RELAY]]: Dovecot, in a world.
#
# LMTP on DIR/lmtp.sock and on port 24: takes mail for everybody and puts it,
# each message a file, into DIR/mail/ADDRESS/new.
#
# DIR/run/smtp-auth decides for another server who may send.  With RELAY it is
# a submission server too, on port 587 and, with TLS from the first octet, on
# 465, which hands all mail on to port 25 there.
#
# Mechanisms: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256, with
# the names and passwords of DIR/users (lines NAME:{PLAIN}PASSWORD::::::, read
# anew when it changes; "master" may act for others); XOAUTH2 and OAUTHBEARER
# with tokens of ./token; EXTERNAL, for the commonName of a certificate of the
# CA (in submission only).  Whoever is called broken... finds that what knows
# the passwords is out of order.  DIR/dovecot.log tells of each attempt.
# Version 2.3 has no -PLUS: see cyrus.py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$1 ca=$2 ip=${3:-127.0.0.1} relay=${4:-}

mechanisms="plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256"
mkdir -p "$dir"/{run,state,mail,keys/default/HS256}
"$here/token" key >"$dir/keys/default/HS256/test"
cat >"$dir/users" <<'USERS'
alice:{PLAIN}pencil::::::
USERS
echo 'master:{PLAIN}pencil::::::' >"$dir/masters"
cat >"$dir/oauth2.conf" <<CONF
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$dir/keys/
username_attribute = sub
issuers = https://idp.test
CONF
echo 'uri = proxy:/nonexistent:none' >"$dir/broken.conf"
cat >"$dir/dovecot.conf" <<CONF
base_dir = $dir/run
state_dir = $dir/state
log_path = $dir/dovecot.log
auth_verbose = yes
protocols = lmtp ${relay:+submission}
listen = $ip
hostname = mx1.example.test
ssl = yes
ssl_cert = <$ca/mx1.pem
ssl_key = <$ca/mx1.key
ssl_ca = <$ca/ca.pem
ssl_verify_client_cert = yes
ssl_require_crl = no
auth_ssl_username_from_cert = yes
disable_plaintext_auth = yes
mail_location = maildir:$dir/mail/%u
auth_mechanisms = $mechanisms xoauth2 oauthbearer ${relay:+external}
auth_failure_delay = 0
auth_username_format =
auth_username_chars =
auth_master_user_separator = *
first_valid_uid = 1
# nodelay: a refusal is told at once, not with all others each half second.
passdb {
  default_fields = nodelay=y
  driver = static
  mechanisms = external
  args = nopassword=y
}
passdb {
  default_fields = nodelay=y
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $dir/oauth2.conf
}
passdb {
  default_fields = nodelay=y
  driver = dict
  username_filter = broken*
  mechanisms = plain login
  args = $dir/broken.conf
}
passdb {
  default_fields = nodelay=y
  driver = passwd-file
  mechanisms = plain login
  master = yes
  args = username_format=%u $dir/masters
}
passdb {
  default_fields = nodelay=y
  driver = passwd-file
  mechanisms = $mechanisms
  args = username_format=%u $dir/users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=$dir/mail/%u allow_all_users=yes
}
service anvil {
  chroot =
  # Without it each refusal is five seconds slower than the one before.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener smtp-auth {
    mode = 0666
  }
}
service lmtp {
  unix_listener $dir/lmtp.sock {
    mode = 0666
  }
  inet_listener lmtp {
    port = 24
  }
}
protocol lmtp {
  postmaster_address = postmaster@example.test
}
CONF
[ -z "$relay" ] || cat >>"$dir/dovecot.conf" <<CONF
submission_relay_host = $relay
submission_max_mail_size = 2M
service submission-login {
  chroot =
  inet_listener submission {
    port = 587
  }
  inet_listener submissions {
    port = 465
    ssl = yes
  }
}
CONF
chown -R 65534:65534 "$dir/mail"
chmod 755 "$dir"
exec dovecot -c "$dir/dovecot.conf" # is in the background when ready
