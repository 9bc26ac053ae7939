#!/bin/sh
# Makes tls-pairs.json: a certificate and its private key of each kind that kubectl accepts. Needs openssl and jq.
# The keys protect nothing.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
pair() { # name, then how openssl makes the key
    name=$1
    shift
    openssl genpkey "$@" -out "$folder/key" 2>/dev/null
    openssl req -x509 -new -key "$folder/key" -subj "/CN=$name.example.test" -days 36500 -out "$folder/crt" 2>/dev/null
    entry "$name" "$folder/key"
}
entry() { # name, file of the key
    jq -n --arg name "$1" --rawfile crt "$folder/crt" --rawfile key "$2" '{name: $name, certificate: $crt, key: $key}'
}
{
    pair rsa-1024 -algorithm RSA -pkeyopt rsa_keygen_bits:1024
    pair rsa-2048 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
    pair p224 -algorithm EC -pkeyopt ec_paramgen_curve:P-224
    pair p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
    pair p521 -algorithm EC -pkeyopt ec_paramgen_curve:P-521
    pair ed25519 -algorithm ED25519
    pair p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
    openssl ec -in "$folder/key" -no_public -out "$folder/bare" 2>/dev/null
    entry p256-without-its-public-half "$folder/bare"
} | jq -s . > "$(dirname "$0")/tls-pairs.json"
