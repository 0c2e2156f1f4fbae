#!/bin/bash
# dovecot.sh DIR CADIR [IP]: Dovecot's LMTP on DIR/lmtp.sock and on port 24,
# in a world.  Takes mail for everybody and puts it, each message a file,
# into DIR/mail/ADDRESS/new.
set -euo pipefail
dir=$1 ca=$2 ip=${3:-127.0.0.1}

mkdir -p "$dir"/{run,state,mail}
cat >"$dir/dovecot.conf" <<CONF
base_dir = $dir/run
state_dir = $dir/state
log_path = $dir/dovecot.log
protocols = lmtp
listen = $ip
hostname = mx1.example.test
ssl = yes
ssl_cert = <$ca/mx1.pem
ssl_key = <$ca/mx1.key
mail_location = maildir:$dir/mail/%u
auth_username_format =
first_valid_uid = 1
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=$dir/mail/%u allow_all_users=yes
}
service anvil {
  chroot =
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
chown -R 65534:65534 "$dir/mail"
chmod 755 "$dir"
exec dovecot -c "$dir/dovecot.conf" # is in the background when ready
