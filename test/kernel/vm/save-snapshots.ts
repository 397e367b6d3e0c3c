// Saves snapshots, each under the next name, until it is killed: `node save-snapshots.ts DIRECTORY`.
import { writeSync } from 'node:fs'
import { removeSnapshot } from '../../../src/vm/snapshots/list.ts'
import { saveSample } from './snapshot-sample.ts'

for (let number = 0; ; number++) {
  await saveSample(process.argv[2]!, `number-${number % 2}`)
  writeSync(1, '.')
  await removeSnapshot(process.argv[2]!, `number-${(number + 1) % 2}`).catch(() => {})
}
