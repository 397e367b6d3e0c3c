import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const output = new URL('../../../dist/cli/output.js', import.meta.url).href
const xc = fileURLToPath(new URL('../../../bin/xc.js', import.meta.url))

/** A program that writes and ends as commands of `xc` do. */
const writing = (code: string) =>
  `import { print, tell, watchOutput, exitFlushed } from '${output}'; watchOutput(); ${code}`
const args = (code: string) => ['--input-type=module', '-e', writing(code)]

describe('a command that writes more than a pipe holds', () => {
  test('ends when a slow reader has read all of its output', async () => {
    const code = "print('x'.repeat(1e6)); tell('written'); await exitFlushed(7)"
    const child = spawn(process.execPath, args(code), { stdio: ['ignore', 'pipe', 'pipe'] })
    await once(child.stderr, 'data') // it has written to stdout, which has not been read
    expect(child.exitCode).toBeNull()
    const [bytes] = await Promise.all([buffer(child.stdout), once(child, 'exit')])
    expect(bytes.length).toBe(1e6)
    expect(child.exitCode).toBe(7)
  })

  test('loses nothing of its standard error', () => {
    const code = "tell('x'.repeat(1e6)); await exitFlushed(0)"
    expect(spawnSync(process.execPath, args(code)).stderr.length).toBe(1e6 + 1)
  })
})

describe('output that cannot be written', () => {
  test('causes one sentence and exit status 1 on a full disk, in every command', () => {
    const full = openSync('/dev/full', 'w')
    for (const words of [['--help'], ['--version'], ['env'], ['start', '--dry-run']]) {
      const { status, stderr } = spawnSync(process.execPath, [xc, ...words], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      })
      expect(stderr).toMatch(/^xc: write standard output: No space left on device\. [^\n]+\.\n$/)
      expect(status).toBe(1)
    }
  })

  test('causes only exit status 1 when standard error is full too', () => {
    const full = openSync('/dev/full', 'w')
    const { status } = spawnSync(process.execPath, [xc, 'env'], { stdio: ['ignore', full, full] })
    expect(status).toBe(1)
  })

  test('causes no error when the reader has closed the pipe', async () => {
    const code = "for (let i = 0; i < 100; i++) print('x'.repeat(1e5)); await exitFlushed(0)"
    const child = spawn(process.execPath, args(code), { stdio: ['ignore', 'pipe', 'pipe'] })
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const [words] = await Promise.all([buffer(child.stderr), once(child, 'exit')])
    expect(words.toString()).toBe('')
    expect(child.exitCode).toBe(0)
  })
})
