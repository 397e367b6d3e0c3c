// Loads a template and holds it until it is killed: `node hold-template.ts DIRECTORY KEY`.
import { writeSync } from 'node:fs'
import { systemClock } from '../../../src/base/index.ts'
import { loadHeld } from '../../../src/vm/snapshot/held.ts'

const [, , directory, key] = process.argv
await loadHeld(directory!, key!, systemClock)
writeSync(1, 'held\n')
setInterval(() => {}, 1000)
