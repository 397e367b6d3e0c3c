#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

// Required and not imported, for the reason in owner.cjs.
const load = createRequire(import.meta.url)
const built = fileURLToPath(new URL('../dist/programs/xc.js', import.meta.url))
if (existsSync(built)) {
  // An owner needs longer than this process to load its code: it is started before anything else is loaded here.
  const [, , command, ...rest] = process.argv
  const ahead = /^starts?$/.test(command ?? '')
    ? load('../dist/programs/ahead.js').ownerAhead(rest, process.env)
    : undefined
  await load(built).main(ahead)
} else {
  console.error('xc: it has not been built yet. Run: npm run build')
  process.exitCode = 4
}
