import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const tar = `#!/bin/sh
cd "$(dirname "$0")/default" && tar -cf - .
`
const rc = `#!/bin/sh
hostname >/etc/issue
`
const bytes = 200_000

/**
 * Makes an overlay directory below `parent`: a file of 200 KB that differs for each `content`, and, with `script`, a
 * script for the start. Returns its path.
 */
export function overlayAt(
  parent: string,
  name: string,
  { content, script }: { readonly content: string; readonly script: boolean },
): string {
  const directory = join(parent, name)
  const scripts = join(directory, 'default/etc/init.d')
  mkdirSync(scripts, { recursive: true })
  writeFileSync(join(directory, 'tar'), tar, { mode: 0o755 })
  if (script) writeFileSync(join(scripts, `50${name}.rc`), rc, { mode: 0o755 })
  writeFileSync(join(directory, `default/${name}`), content.padEnd(bytes, content))
  return directory
}
