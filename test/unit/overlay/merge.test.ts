import { describe, expect, test } from 'vitest'
import type { ArchiveEntry } from '../../../src/image/index.ts'
import { merge, type Source, sourceOf } from '../../../src/overlay/index.ts'

const file = (path: string, text: string): ArchiveEntry => ({
  path,
  kind: 'file',
  mode: 0o644,
  content: Buffer.from(text),
})
const source = (name: string, ...entries: ArchiveEntry[]): Source => sourceOf({ name, entries, remarks: [] })

describe('overlays together', () => {
  test('give the file of the last one that has it, and a remark when they differ', async () => {
    const { additions, remarks } = merge([
      source('one', file('etc/same', 's'), file('etc/who', '1')),
      source('two', file('etc/same', 's'), file('etc/who', '2')),
    ])
    expect(await additions.entries()).toMatchObject([file('etc/same', 's'), file('etc/who', '2')])
    expect(remarks).toEqual(['/etc/who of overlay two replaces that of one'])
  })

  test('have a key of their content alone', () => {
    const key = (...sources: Source[]) => merge(sources).additions.key
    const all = key(source('one', file('a', '1'), file('b', '2')))
    expect(key(source('other', file('b', '2')), source('name', file('a', '1')))).toBe(all)
    expect(key(source('one', file('a', '1'), file('b', '3')))).not.toBe(all)
    expect(key(source('one', { ...file('a', '1'), mode: 0o600 } as ArchiveEntry, file('b', '2')))).not.toBe(
      all,
    )
  })

  test('tell the guest when they have scripts for its start', async () => {
    const links = async (path: string) =>
      (await merge([source('one', file(path, ''))]).additions.entries()).map(entry => entry.path)
    expect(await links('etc/init.d/20x.rc')).toContain('run/rc')
    for (const path of ['etc/init.d/README', 'etc/init.d/sub/x.rc', 'opt/x.rc'])
      expect(await links(path)).not.toContain('run/rc')
  })

  test('count the memory of their files in whole pages', () => {
    expect(merge([source('one', file('a', 'x'.repeat(4097)))]).additions.bytes).toBe(2 * 4096 + 1024)
  })

  test('give each user of their programs an id of its own', () => {
    const users = (...accounts: string[]) => ({ ...source('programs'), accounts })
    expect(merge([users('bird', 'tcpdump'), users('bird')]).additions.accounts).toEqual([
      { name: 'bird', id: 900 },
      { name: 'tcpdump', id: 901 },
    ])
  })
})
