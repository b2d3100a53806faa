#!/bin/sh -eu
# Makes test-key.pem and test-certificate.pem, renewed-… for the same names, and client-… signed by client-authority.pem, here: for tests alone, never for a server that anyone uses. Needs openssl.
# A certificate of a century, from long ago, so that no test depends on the date (only `openssl ca` sets both ends).
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cat > "$work/ca.cnf" <<END
[ca]
default_ca = self
[self]
database = $work/index
new_certs_dir = $work
serial = $work/serial
default_md = sha256
policy = any
unique_subject = no
x509_extensions = names
[any]
commonName = supplied
[names]
basicConstraints = critical, CA:TRUE
subjectAltName = DNS:localhost, IP:127.0.0.1
[authority]
basicConstraints = critical, CA:TRUE
[client]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = clientAuth
subjectAltName = DNS:agent.example, URI:spiffe://example/agent, IP:127.0.0.1
END
touch "$work/index"
openssl rand -hex 16 > "$work/serial"
for name in test renewed; do
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=Profusion test key, no secret" \
    -keyout "$name-key.pem" -out "$work/request.pem"
  openssl ca -config "$work/ca.cnf" -selfsign -batch -notext -startdate 20000101000000Z -enddate 21000101000000Z \
    -keyfile "$name-key.pem" -in "$work/request.pem" -out "$name-certificate.pem"
done
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=Profusion test authority" \
  -keyout "$work/authority.pem" -out "$work/request.pem"
openssl ca -config "$work/ca.cnf" -selfsign -extensions authority -batch -notext -startdate 20000101000000Z -enddate 21000101000000Z \
  -keyfile "$work/authority.pem" -in "$work/request.pem" -out client-authority.pem
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=test agent" -keyout client-key.pem -out "$work/request.pem"
openssl ca -config "$work/ca.cnf" -cert client-authority.pem -keyfile "$work/authority.pem" -extensions client -batch -notext \
  -startdate 20000101000000Z -enddate 21000101000000Z -in "$work/request.pem" -out client-certificate.pem
