#!/bin/sh
# Makes the test certificates anew, all of them: the authority's key is not kept.
set -eu
work=$(mktemp -d)
key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
openssl req -x509 $key -days 36500 -subj '/CN=Limen TEST authority, trust nothing' -keyout "$work/ca.key" -out authority.pem \
  -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign'
make() { # name, common name, days, extension lines
  openssl req $key -subj "/CN=$2" -keyout "$1.key.pem" -out "$work/$1.csr"
  printf "extendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n$4" > "$work/$1.ext"
  openssl x509 -req -in "$work/$1.csr" -CA authority.pem -CAkey "$work/ca.key" -CAcreateserial -CAserial "$work/serial" \
    -days "$3" -extfile "$work/$1.ext" -out "$1.pem"
}
make names names.test 36500 'subjectAltName=DNS:good.test,DNS:*.wild.test,DNS:localhost\n'
make address address.test 36500 'subjectAltName=IP:127.0.0.1,IP:::1\n'
make other other.test 36500 'subjectAltName=DNS:other.test\n'
make common_name good.test 36500 ''
make expired good.test -1 'subjectAltName=DNS:good.test\n'
openssl req -x509 $key -days 36500 -subj '/CN=good.test' -keyout self_signed.key.pem -out self_signed.pem \
  -addext 'subjectAltName=DNS:good.test'
rm -r "$work"
