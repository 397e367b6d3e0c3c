#!/usr/bin/env node
const { existsSync } = require('node:fs')
const { join } = require('node:path')

// A CommonJS file: 5 ms less than one that is an ES module.
const programs = join(__dirname, '../dist/programs')
if (existsSync(programs)) {
  const { load } = require('./load.js')
  // An owner takes longer than this process to load its code, so it starts before anything else is loaded here.
  const [, , command, ...rest] = process.argv
  const ahead = /^starts?$/.test(command ?? '')
    ? load(join(programs, 'ahead.js')).ownerAhead(rest, process.env)
    : undefined
  void load(join(programs, 'xc.js')).main(ahead)
} else {
  console.error('xc: it has not been built. Run: npm run build')
  process.exitCode = 4
}
