import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Inputs } from '../../../src/image/index.ts'
import { merge, recallPrograms } from '../../../src/overlay/index.ts'

const info = 'var/lib/dpkg/info'
let [root, cacheDir] = ['', '']
const write = (path: string, text: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text, { mode: 0o755 })
}
const recall = (...names: string[]) => recallPrograms(names, { roots: [join(root, 'first'), root], cacheDir })

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'root-'))
  cacheDir = join(root, 'cache')
  write('usr/bin/one', '#!/bin/sh\n')
  write('usr/share/one/data', 'data')
  write(`${info}/one.list`, '/.\n/usr/bin/one\n/usr/share/one/data\n')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

describe('programs that a start before had', () => {
  test('are known without reading a file, and are read when a guest gets them', async () => {
    const first = await recall('one')
    const reads = vi.spyOn(Inputs.prototype, 'read')
    const second = await recall('one')
    expect(merge([second]).additions).toMatchObject({
      key: merge([first]).additions.key,
      bytes: 2 * (4096 + 1024),
    })
    expect(reads).not.toHaveBeenCalled()
    expect(await second.entries()).toEqual(await first.entries())
    expect(reads).toHaveBeenCalled()
    reads.mockRestore()
  })

  test.each([
    ['a file of theirs changes', () => write('usr/share/one/data', 'changed')],
    ['a file of theirs goes', () => rmSync(join(root, 'usr/share/one/data'))],
    ['one of the same name is put before it', () => write('first/usr/bin/one', '#!/bin/sh\n# another\n')],
    [
      'their package has one file more',
      () => {
        write('usr/share/one/more', 'm')
        rmSync(join(root, info, 'one.list'))
        write(`${info}/one.list`, '/.\n/usr/bin/one\n/usr/share/one/data\n/usr/share/one/more\n')
      },
    ],
    [
      'another package has what was a file of none',
      () => {
        write('usr/share/two/data', 'd')
        write(`${info}/two.list`, '/.\n/usr/bin/alone\n/usr/share/two/data\n')
      },
    ],
  ])('are read again when %s', async (_, change) => {
    write('usr/bin/alone', '#!/bin/sh\n')
    const before = merge([await recall('one', 'alone')]).additions.key
    change()
    const after = merge([await recall('one', 'alone')]).additions
    expect(after.key).not.toBe(before)
    expect(merge([await recall('one', 'alone')]).additions.key).toBe(after.key)
  })

  test('that change between both are an error: a template would have another content than its name tells', async () => {
    await recall('one')
    const recalled = await recall('one')
    write('usr/share/one/data', 'changed')
    await expect(recalled.entries()).rejects.toMatchObject({ code: 'PROGRAMS_CHANGED' })
  })

  test('need no cache that can be written', async () => {
    writeFileSync(cacheDir, 'no directory')
    expect((await recall('one')).digests).toHaveLength(2)
    expect(readdirSync(root)).toContain('cache')
  })
})
