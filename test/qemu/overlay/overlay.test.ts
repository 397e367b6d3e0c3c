import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { test } from '../../support/leaks.ts'

type Files = Readonly<Record<string, string>>

/** An overlay directory. Its `tar` gives these files, the scripts executable. */
function overlay(files: Files): string {
  const directory = mkdtempSync(join(tmpdir(), 'ovl-'))
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text, { mode: text.startsWith('#!') ? 0o755 : 0o640 })
  }
  for (const [path, text] of Object.entries(files)) put(`default/${path}`, text)
  put('tar', '#!/bin/sh\ncd "$(dirname "$0")/default" && tar c --owner=3 --group=4 .\n')
  return directory
}

const run = async (cluster: Cluster, id: number, script: string) => {
  const { stdout } = await cluster.exec(id, ['/bin/sh'], { input: script })
  return Buffer.from(stdout).toString()
}

/** Tells who runs it, and what that node has then. */
const rc = `#!/bin/sh
echo "$1 $(hostname) $(ip -4 -o addr show dev eth1 | wc -l) $(ip route | grep -c default)" >>/var/log/rc
`
const small = { nvm: 1, nrouters: 1, smp: 1 }

describe('the overlays of a cluster', () => {
  test.for(['always', 'off'] as const)(
    'are in every guest, and their scripts run once, as the node that has its addresses (clone: %s)',
    async (clone, { census }) => {
      const ovl = overlay({
        'etc/init.d/20who.rc': rc,
        'etc/deep/er/file': 'text\n',
        'bin/ls': '#!/bin/sh\necho mine\n',
      })
      await using cluster = await startCluster({ ...small, clone, ovl: [ovl] })
      expect(await run(cluster, 1, 'cat /var/log/rc')).toBe('start vm-001 1 1\n')
      expect(await run(cluster, 201, 'cat /var/log/rc')).toBe('start vm-201 1 1\n')
      expect(await run(cluster, 1, 'stat -c "%a %u:%g" /etc/deep/er/file; cat /etc/deep/er/file')).toBe(
        '640 3:4\ntext\n',
      )
      // A file replaces a link, and not the program that the link points to.
      expect(await run(cluster, 1, '/bin/ls; /bin/busybox echo whole')).toBe('mine\nwhole\n')
      await cluster.reset([1])
      expect(await run(cluster, 1, 'cat /var/log/rc')).toBe('start vm-001 1 1\n')
      await cluster.scaleOut([2])
      expect(await run(cluster, 2, 'cat /var/log/rc')).toBe('start vm-002 1 1\n')
      await cluster.stop()
      await census.expectUnchanged()
    },
  )

  test('are known by their content: a file that changes under the same name changes the guests', async ({
    census,
  }) => {
    const ovl = overlay({ 'etc/who': 'one' })
    for (const text of ['one', 'two']) {
      writeFileSync(join(ovl, 'default/etc/who'), text)
      await using cluster = await startCluster({ nvm: 1, nrouters: 0, smp: 1, ovl: [ovl] })
      expect(await run(cluster, 1, 'cat /etc/who')).toBe(text)
      await cluster.stop()
    }
    await census.expectUnchanged()
  })

  test('have a file where the guest has a directory: the start fails with the path, and nothing stays', async ({
    census,
  }) => {
    const ovl = overlay({ 'var/log': 'a file' })
    await expect(startCluster({ nvm: 1, nrouters: 0, smp: 1, clone: 'off', ovl: [ovl] })).rejects.toThrow(
      'unpack /var/log: Is a directory (EISDIR)',
    )
    await census.expectUnchanged()
  })

  test('may take more than the half of the memory that the root usually may', async ({ census }) => {
    const ovl = overlay({ big: 'x'.repeat(44 << 20) })
    await using cluster = await startCluster({ nvm: 1, nrouters: 0, smp: 1, ovl: [ovl] })
    expect(await run(cluster, 1, 'stat -c %s /big; tail -c 3 /big')).toBe(`${44 << 20}\nxxx`)
    await cluster.stop()
    await census.expectUnchanged()
  })

  test('that do not fit into a guest are refused before anything starts, with what it takes', async ({
    census,
  }) => {
    const ovl = overlay({ big: 'x'.repeat(80 << 20) })
    await expect(startCluster({ nvm: 1, nrouters: 0, ovl: [ovl] })).rejects.toMatchObject({
      code: 'GUEST_TOO_SMALL',
      kind: 'usage',
      reason: 'its overlays and programs take 81 MiB, and a guest with 128 MiB has room for 51',
      remedy: "Give it more: `mem: '160'`",
    })
    await census.expectUnchanged()
  })
})
