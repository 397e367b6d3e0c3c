import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { InstalledPackages, readPrograms } from '../../../src/overlay/index.ts'

type Files = Readonly<Record<string, string>>

/** A root directory with these files; scripts are executable. */
function rootWith(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'root-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 })
  }
  return root
}

const info = 'var/lib/dpkg/info'
/** A package as dpkg records it on a machine whose /bin is a link to /usr/bin. */
const routed: Files = {
  'usr/sbin/routed': '#!/bin/sh\n',
  'etc/routed/routed.conf': 'router id 1\n',
  'usr/share/routed/data': 'd',
  'usr/share/doc/routed/README': 'no guest reads it',
  [`${info}/routed2:amd64.list`]: [
    '/.',
    '/sbin/routed',
    '/etc/routed/routed.conf',
    '/usr/share/routed/data',
    '/usr/share/doc/routed/README',
    '/lib',
    '',
  ].join('\n'),
  [`${info}/routed2:amd64.postinst`]:
    '#!/bin/sh\nadduser --system --group \\\n  --home /run/routed _routed || true\n',
  [`${info}/other.list`]: '/.\n/usr/bin/other\n',
}

describe('a program for guests', () => {
  test('comes with its package: configuration and data, without documentation, and with its users', async () => {
    const root = rootWith(routed)
    const { entries, accounts } = await readPrograms(['routed'], { roots: [root] })
    const files = entries.map(({ path }) => path).filter(path => path !== 'sbin/routed')
    expect(files).toEqual(['usr/sbin/routed', 'etc/routed/routed.conf', 'usr/share/routed/data'])
    expect(accounts).toEqual(['_routed'])
  })

  test('may be named by its package', async () => {
    const { entries } = await readPrograms(['routed2'], { roots: [rootWith(routed)] })
    expect(entries.map(({ path }) => path)).toContain('etc/routed/routed.conf')
  })

  test('comes with the libraries that it needs, and none twice', async () => {
    const { entries } = await readPrograms(['/bin/dash', 'dash'])
    const names = entries.map(({ path }) => path.slice(path.lastIndexOf('/') + 1))
    expect(names).toEqual(expect.arrayContaining(['dash', 'libc.so.6', 'ld-linux-x86-64.so.2']))
    expect(names.filter(name => name === 'libc.so.6')).toHaveLength(1)
  })

  test('that is a link comes with the target of the link', async () => {
    const root = rootWith({ 'usr/bin/real': '#!/bin/sh\n' })
    symlinkSync('real', join(root, 'usr/bin/name'))
    const { entries } = await readPrograms(['name'], { roots: [root] })
    expect(entries).toMatchObject([
      { path: 'usr/bin/name', kind: 'link', target: 'real' },
      { path: 'usr/bin/real', kind: 'file', mode: 0o755 },
    ])
  })

  test('that is a script comes with its interpreter, or with a remark', async () => {
    const root = rootWith({ 'usr/bin/a': '#!/usr/bin/perl -w\n', 'usr/bin/b': '#!/usr/bin/lua\n' })
    cpSync('/bin/busybox', join(root, 'usr/bin/perl'))
    const { entries, remarks } = await readPrograms(['a', 'b'], { roots: [root] })
    expect(entries.map(({ path }) => path)).toEqual(['usr/bin/a', 'usr/bin/perl', 'usr/bin/b'])
    expect(remarks).toEqual(['/usr/bin/b needs /usr/bin/lua, which this machine does not have'])
  })

  test('that was fetched comes with the packages that were fetched for it', async () => {
    const root = rootWith({
      'usr/bin/x': '#!/bin/sh\n',
      'usr/share/xdata/d': 'd',
      [`${info}/x.list`]: '/.\n/usr/bin/x\n',
      [`${info}/xdata.list`]: '/.\n/usr/share/xdata/d\n',
      [`${info}/x.depends`]: 'xdata\nx\n',
    })
    const { entries } = await readPrograms(['x'], { roots: ['/nowhere', root] })
    expect(entries.map(({ path }) => path).sort()).toEqual(['usr/bin/x', 'usr/share/xdata/d'])
    expect(new InstalledPackages('/nowhere').has('x')).toBe(false)
  })

  test('that this machine lacks is an error that names the package', async () => {
    await expect(readPrograms(['frrx'], { roots: [rootWith({})] })).rejects.toMatchObject({
      code: 'NO_SUCH_PROGRAM',
      kind: 'prerequisite',
      remedy: "Install the package that has it, or fetch it for guests alone: `packages: 'frrx'`",
    })
  })
})
