import { homedir } from 'node:os'
import { join, posix, resolve } from 'node:path'
import { quote } from 'shlex'
import { nodeName, printable } from '../../base/index.ts'

/** What a node of containerlab is given beside its links. */
export interface GivenNode {
  /** Its name there, and its number here. */
  readonly name: string
  readonly id: number
  /** `SOURCE:PATH` or `SOURCE:PATH:OPTIONS`. */
  readonly binds: readonly string[]
  readonly env: ReadonlyMap<string, string>
  /** Other than those of forwarding. */
  readonly sysctls: ReadonlyMap<string, string>
  /** Words of each command, run in this order once the node has its interfaces. */
  readonly commands: readonly (readonly string[])[]
}

/** What an overlay is to have, in the form of `makeOverlay`. */
export interface GuestFiles {
  readonly files: { readonly path: string; readonly text: string; readonly mode: number }[]
  readonly copies: { readonly from: string; readonly path: string; readonly name: string }[]
  /** What cannot be had, in words. */
  readonly remarks: string[]
}

/** The parts of nodes that an overlay brings to them, as words of the file: `exec`, `binds`. */
export function partsOf({ binds, env, sysctls, commands }: GivenNode): string[] {
  const counts = { binds: binds.length, env: env.size, sysctls: sysctls.size, exec: commands.length }
  return Object.entries(counts).flatMap(([part, count]) => (count > 0 ? [part] : []))
}

/** Where an overlay has what only this node gets. */
const ownFolder = (id: number): string => join('containerlab', nodeName(id))
const environmentFile = 'etc/profile.d/containerlab.sh'
const scriptFile = 'etc/init.d/80containerlab.rc'

/** The overlay of these nodes: copies of what they bind, variables, and a script. Relative paths are below `folder`. */
export function guestFiles(nodes: readonly GivenNode[], folder: string): GuestFiles {
  const all: GuestFiles = { files: [], copies: [], remarks: [] }
  all.files.push({ path: scriptFile, text: scriptText(nodes), mode: 0o755 })
  for (const node of nodes) {
    const own = ownFolder(node.id)
    if (node.env.size > 0)
      all.files.push({ path: join(own, environmentFile), text: environmentText(node), mode: 0o644 })
    for (const text of node.binds) {
      const [source = '', path] = text.replaceAll('__clabNodeName__', node.name).split(':')
      const name = `${node.name}: without ${text}`
      const from = resolve(folder, source.replace(/^~(?=\/|$)/, homedir()))
      if (path?.startsWith('/') && posix.normalize(path) !== '/')
        all.copies.push({ from, path: join(own, posix.normalize(path)), name })
      else all.remarks.push(`${name}: it is not a path of this machine and one of the node`)
    }
  }
  return all
}

/** The variables of a node, for its commands and for login shells. */
function environmentText({ env }: GivenNode): string {
  return [...env].map(([name, value]) => `export ${name}=${quote(value)}\n`).join('')
}

/** The script of an overlay: a guest takes what is its own, and runs its commands. One that fails does not end it. */
function scriptText(nodes: readonly GivenNode[]): string {
  const parts = nodes.filter(({ sysctls, commands }) => sysctls.size + commands.length > 0).map(commandsText)
  return `#!/bin/sh
[ "$1" = start ] || exit 0
node=$(hostname)
status=0
export PATH=/usr/local/sbin:/usr/local/bin:$PATH HOME=/root
run() {
	"$@" </dev/null && return
	status=1
	echo "containerlab: failed on $node: $*" >&2
}
# A directory that is there stays as it is.
place() {
	for file in "$1"/* "$1"/.[!.]*; do
		to=/\${file#/containerlab/*/}
		if [ -d "$file" ] && [ ! -L "$file" ] && [ -d "$to" ]; then place "$file"
		elif [ -e "$file" ] || [ -L "$file" ]; then run cp -a "$file" "$to"; fi
	done
}
place "/containerlab/$node"
rm -rf /containerlab
if [ -e /${environmentFile} ]; then . /${environmentFile}; fi
case $node in
${parts.join('')}esac
exit $status
`
}

function commandsText({ name, id, sysctls, commands }: GivenNode): string {
  const settings = Array.from(sysctls, ([key, value]) => ['sysctl', '-w', `${key}=${value}`])
  const lines = [...settings, ...commands].map(words => `\trun ${words.map(quote).join(' ')}\n`)
  return `${nodeName(id)}) # ${printable(name)}\n${lines.join('')}\t;;\n`
}
