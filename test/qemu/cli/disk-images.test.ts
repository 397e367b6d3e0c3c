import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeExt4, writeQcow2 } from '../../support/disk-images.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

// Disk images that are refused: one sentence on stderr, the right exit status, and nothing left behind.
const xc = new Xc()
const folder = mkdtempSync(join(tmpdir(), 'input-'))
const at = (name: string) => join(folder, name)
let census: Census

beforeAll(async () => {
  mkdirSync(at('root'))
  mkdirSync(at('none'))
  writeExt4(at('ext4.raw'), { from: at('root'), mebibytes: 4 })
  await writeQcow2(at('behind.qcow2'), {
    size: 4 << 20,
    create: { 'backing-file': '/etc/hostname', 'backing-fmt': 'raw' },
  })
  writeFileSync(at('empty'), '')
  writeFileSync(at('text'), 'not an image\n')
  writeFileSync(at('key'), '-----BEGIN OPENSSH PRIVATE KEY-----\n')
  census = await takeCensus({ directories: [xc.runtime] })
})

afterAll(() => census.expectUnchanged())

test.each([
  { args: ['--image', '/nowhere/disk'], words: '/nowhere/disk: No such file or directory' },
  { args: ['--image', at('root')], words: 'it is a directory. A directory is a root: --rootfs' },
  { args: ['--image', at('empty')], words: 'it is empty' },
  { args: ['--image201', at('text')], words: 'it has neither a file system nor a boot sector' },
  { args: ['--image', at('behind.qcow2')], words: 'it has a backing file, /etc/hostname' },
  { args: ['--image', at('ext4.raw'), '--bootable'], words: 'it has no boot sector' },
  { args: ['--bootable'], words: 'only a disk image has a boot loader of its own' },
  { args: ['--image', at('ext4.raw'), '--ssh-key', at('key')], words: 'it is a private key' },
  { args: ['--image', at('ext4.raw'), '--cidata', at('none')], words: 'it has no files' },
  { args: ['--image', at('ext4.raw'), '--trust-backing', 'perhaps'], words: 'one of no, yes' },
])('xc start $args is refused with one sentence and status 2', async ({ args, words }) => {
  const result = await xc.run(['start', '--nvm', '1', '--nrouters', '1', ...args])
  const errors = result.stderr.split('\n').filter(line => line.startsWith('xc: '))
  expect(errors.join('\n')).toContain(words)
  expect(`${errors.join('\n')}\n`).toMatch(oneSentence)
  expect(result).toMatchObject({ status: 2, stdout: '' })
  expect(readdirSync(xc.runtime)).toEqual([])
  await census.expectUnchanged()
})
