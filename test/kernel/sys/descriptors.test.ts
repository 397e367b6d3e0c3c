import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { Worker } from 'node:worker_threads'
import { expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { openFds } from '../../support/processes.ts'

const worker = new URL('./descriptors.worker.ts', import.meta.url)
const sys = new URL('../../../src/sys/index.ts', import.meta.url).href

/** Runs a worker until it has opened everything, and to its end. Returns what it printed. */
async function run(closes: boolean): Promise<string> {
  const workerData = { sys, closes }
  const begun = new Worker(worker, { execArgv: ['--import', 'jiti/register'], stderr: true, workerData })
  const printed = text(begun.stderr)
  const ended = once(begun, 'exit')
  expect(await once(begun, 'message')).toEqual(['open'])
  if (!closes) await begun.terminate()
  await ended
  return printed
}

test.each([
  ['terminated', false],
  ['ended after closing everything', true],
] as const)(
  'worker threads that are %s leave no file descriptor, and Node warns of none',
  async (_, closes) => {
    await run(closes) // what Node opens once
    const before = openFds()
    const printed = await Promise.all(Array.from({ length: 8 }, () => run(closes)))
    expect(printed.filter(said => said !== '')).toEqual([])
    const left = [...openFds()].filter(([fd]) => !before.has(fd))
    expect(left.filter(([, target]) => !target.startsWith('anon_inode') && target !== '')).toEqual([])
  },
)
