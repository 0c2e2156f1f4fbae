#!/bin/bash
# dns.sh DIR [IP [PORT]]: a name server for the zones in zones/, in a world.
#
# One unbound that holds the zone files and validates them like answers from
# elsewhere: a real AD bit, and a real SERVFAIL where a signature is wrong.
# Beside zones/NAME.zone may lie
#   NAME.sign   sign it; the word "expired" in it: with dates of 2020
#   NAME.after  a sed script for the signed zone, to spoil single records
# $DNS_MORE are more lines for client.test.
# Names below drop.test are never answered, those below refuse.test REFUSED.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$1 ip=${2:-127.0.0.1} port=${3:-53}
mkdir -p "$dir/keys"
cp "$here"/zones/* "$dir"
cd "$dir"
[ -z "${DNS_MORE:-}" ] || echo "$DNS_MORE" >>client.test.zone

# The many exchanges of big.plain.test.
for i in {20..150}; do
	echo "big MX $i an-exchange-with-a-rather-long-name-$i.elsewhere"
done >big.include

# Sign NAME.zone; print the file of its public key.
sign() {
	local key dates=()
	key=keys/$(cd keys && ldns-keygen -r /dev/urandom -k \
		-a ECDSAP256SHA256 "$1")
	if grep -q expired "$1.sign"; then
		dates=(-i 20200101000000 -e 20200201000000)
	fi
	ldns-signzone "${dates[@]}" -f "$1.signed" "$1.zone" "$key"
	mv "$1.signed" "$1.zone"
	[ ! -e "$1.after" ] || sed -E -i -f "$1.after" "$1.zone"
	echo "$PWD/$key.key"
}

auth_zone() {
	cat <<-CONF
		auth-zone:
		  name: "$1"
		  zonefile: "$PWD/$2"
		  for-upstream: yes
		  for-downstream: no
		  fallback-enabled: no
	CONF
}

cat >unbound.conf <<CONF
server:
  directory: "$PWD"
  chroot: ""
  username: ""
  pidfile: "$PWD/unbound.pid"
  logfile: "$PWD/unbound.log"
  use-syslog: no
  log-queries: yes
  val-log-level: 2
  interface: $ip
  port: $port
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  do-ip6: no
  num-threads: 1
  module-config: "validator iterator"
  qname-minimisation: no
  trust-anchor-signaling: no
  root-key-sentinel: no
  local-zone: "test." nodefault
  local-zone: "drop.test." deny
  local-zone: "refuse.test." refuse
  cache-max-ttl: 0
  cache-max-negative-ttl: 0
  infra-host-ttl: 0
CONF
cat >root <<ZONE
. 60 IN SOA a.root. h.root. 1 3600 900 604800 60
. 60 IN NS a.root.
a.root. 60 IN A 127.0.0.250
ZONE
for zone in *.zone; do
	name=${zone%.zone}
	printf '%s. 60 IN NS ns.%s.\nns.%s. 60 IN A 127.0.0.250\n' \
		"$name" "$name" "$name" >>root
	if [ -e "$name.sign" ]; then
		printf 'server:\n  trust-anchor-file: "%s"\n' "$(sign "$name")"
	fi
	auth_zone "$name" "$zone"
done >>unbound.conf
auth_zone . root >>unbound.conf
exec unbound -c "$PWD/unbound.conf"
