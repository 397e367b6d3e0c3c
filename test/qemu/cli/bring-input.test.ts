import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

// What users bring and cannot be used: one sentence on stderr before anything starts, and nothing left behind.
const xc = new Xc()
const at = (name: string) => join(xc.root, name)
let census: Census

function overlay(name: string, tar?: string): void {
  mkdirSync(at(name))
  if (tar !== undefined) writeFileSync(at(`${name}/tar`), `#!/bin/sh\n${tar}\n`, { mode: 0o755 })
}

function root(name: string, shell: Uint8Array): void {
  mkdirSync(at(`${name}/bin`), { recursive: true })
  writeFileSync(at(`${name}/bin/busybox`), shell, { mode: 0o755 })
  symlinkSync('busybox', at(`${name}/bin/sh`))
}

/** The offset of the processor in an ELF header, and the number of arm64. */
const [machineAt, arm64] = [18, 183]

beforeAll(async () => {
  overlay('no-tar')
  overlay('nonsense', 'seq 1000')
  overlay('outside', 'cd "$(dirname "$0")" && mkdir -p a && cd a && tar -cP ../tar')
  overlay('large', 'cd "$(dirname "$0")" && truncate -s 80M zeros && tar -c zeros; rm zeros')
  copyFileSync('/bin/busybox', at('busybox'))
  const shell = readFileSync(at('busybox'))
  root('no-init', shell)
  const foreign = Buffer.from(shell)
  foreign.writeUInt16LE(arm64, machineAt)
  root('foreign', foreign)
  mkdirSync(at('modules/lib/modules/9.9.9-other'), { recursive: true })
  for (const list of ['modules.order', 'modules.builtin'])
    writeFileSync(at(`modules/lib/modules/9.9.9-other/${list}`), '')
  census = await takeCensus({ directories: [xc.runtime] })
})

afterAll(() => census.expectUnchanged())

test.each([
  { args: ['--ovl', at('no-tar')], status: 2, words: 'it has neither a program `tar`' },
  { args: ['--ovl', at('nonsense')], status: 2, words: 'no tar archive' },
  { args: ['--ovl', at('outside')], status: 2, words: 'leads out of' },
  {
    args: ['--ovl', at('large')],
    status: 2,
    words: /take 81 MiB, and a guest with 128 MiB has room for \d+/,
  },
  { args: ['--rootfs', at('no-init'), '--init', 'system'], status: 2, words: /init/ },
  { args: ['--rootfs', at('foreign')], status: 2, words: 'is for arm64, and guests are amd64' },
  { args: ['--modules', at('modules')], status: 2, words: /9\.9\.9-other.*\d+\.\d+|\d+\.\d+.*9\.9\.9-other/ },
])('xc start $args is refused with one sentence and status $status', async ({ args, status, words }) => {
  const result = await xc.run(['start', '--nvm', '1', '--nrouters', '0', ...args])
  const errors = result.stderr.split('\n').filter(line => line.startsWith('xc: '))
  expect(`${errors.join('\n')}\n`).toMatch(oneSentence)
  expect(errors.join('\n')).toMatch(words)
  expect(result).toMatchObject({ status, stdout: '' })
  expect(result.stderr).not.toMatch(/\n +at /)
  expect(readdirSync(xc.runtime)).toEqual([])
  await census.expectUnchanged()
})
