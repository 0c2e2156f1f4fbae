#!/bin/bash
# exim.sh DIR CADIR [IP]: Exim on port 25, and 465 for TLS, in a world.
#
# Takes mail for example.test, secure.test and plain.test and puts it, each
# message a file, into DIR/mail/new.  Local parts with a meaning:
#   tempfail  451 4.7.1 to RCPT      permfail  550 5.1.1 to RCPT
#   drop      550 5.7.1 and the end  slow      an answer after 2 seconds
#   policy    550 5.7.1 to RCPT      content   550 5.7.1 after the data
# Behind TLS it offers AUTH: PLAIN, LOGIN and CRAM-MD5 for "alice" with the
# password "pencil", and EXTERNAL for a certificate of the CA.  A login is in
# DIR/log/mainlog with the message (A=NAME:USER), a refusal too.
# CADIR/mx1.ocsp, if it is there, is stapled.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$1 ca=$2 ip=${3:-127.0.0.1}

mkdir -p "$dir"/{spool,mail,log}
cat >"$dir/exim.conf" <<CONF
spool_directory = $dir/spool
log_file_path = $dir/log/%slog
pid_file_path = $dir/exim.pid
primary_hostname = mx1.example.test
local_interfaces = $ip
daemon_smtp_ports = 25 : 465
tls_on_connect_ports = 465
tls_advertise_hosts = *
tls_certificate = $ca/mx1.pem
tls_privatekey = $ca/mx1.key
tls_try_verify_hosts = *
tls_verify_certificates = $ca/ca.pem
$([ ! -e "$ca/mx1.ocsp" ] || echo "tls_ocsp_file = $ca/mx1.ocsp")
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
never_users =
deliver_drop_privilege = true
message_size_limit = 1M
prdr_enable = true
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
acl_smtp_rcpt = rcpt
acl_smtp_data = data
domainlist local = example.test : secure.test : plain.test
begin acl
rcpt:
  defer  local_parts = tempfail
         message = 451 4.7.1 greylisted
  deny   local_parts = permfail
         message = 550 5.1.1 no such user
  deny   local_parts = policy
         message = 550 5.7.1 we do not like you
  drop   local_parts = drop
         message = 550 5.7.1 go away
  warn   local_parts = slow
         delay = 2s
  accept domains = +local
  deny   message = 550 5.7.1 relaying denied
data:
  deny   condition = \${if match{\$recipients}{^content@}}
         message = 550 5.7.1 content refused
  accept
begin routers
one:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  directory = $dir/mail
  maildir_format
  return_path_add
  envelope_to_add
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{alice}}{eq{\$auth3}{pencil}}}}
  server_set_id = \$auth2
  server_advertise_condition = \${if def:tls_in_cipher}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${if and{{eq{\$auth1}{alice}}{eq{\$auth2}{pencil}}}}
  server_set_id = \$auth1
  server_advertise_condition = \${if def:tls_in_cipher}
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = \${if eq{\$auth1}{alice}{pencil}fail}
  server_set_id = \$auth1
  server_advertise_condition = \${if def:tls_in_cipher}
external:
  driver = external
  public_name = EXTERNAL
  server_param2 = \${certextract{subj_altname,dns}{\$tls_in_peercert}}
  server_condition = \${if eq{\$auth1}{\$auth2}}
  server_set_id = \$auth1
  server_advertise_condition = \${if eq{\$tls_in_certificate_verified}{1}}
CONF
chown -R Debian-exim:Debian-exim "$dir/mail" "$dir/spool" "$dir/log"
chmod 755 "$dir"
exim4 -C "$dir/exim.conf" -bd -q1m
"$here/waitport" "$ip" 25
