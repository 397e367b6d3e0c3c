// Saves the same template again and again, until it is killed: `node save-forever.ts DIRECTORY`.
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { saveTemplate } from '../../../src/vm/snapshot/store.ts'
import { sample } from './sample.ts'

const { key, ...frozen } = sample(1)
for (;;) {
  await saveTemplate(join(process.argv[2]!, key), frozen)
  writeSync(1, '.')
}
