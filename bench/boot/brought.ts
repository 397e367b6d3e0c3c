import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const tar = `#!/bin/sh
cd "$(dirname "$0")/default" && tar -cf - .
`
const rc = `#!/bin/sh
hostname >/etc/issue
`
const bytes = 200_000

/**
 * Makes an overlay directory below `parent`: a script for the start, and a file of 200 KB that differs for each `content`.
 * Returns its path.
 */
export function overlayAt(parent: string, name: string, content: string): string {
  const directory = join(parent, name)
  const scripts = join(directory, 'default/etc/init.d')
  mkdirSync(scripts, { recursive: true })
  writeFileSync(join(directory, 'tar'), tar)
  writeFileSync(join(scripts, `50${name}.rc`), rc)
  for (const file of [join(directory, 'tar'), join(scripts, `50${name}.rc`)]) chmodSync(file, 0o755)
  writeFileSync(join(directory, `default/${name}`), content.padEnd(bytes, content))
  return directory
}
