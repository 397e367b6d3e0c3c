import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect } from 'vitest'
import { writeErofs } from '../../../src/image/index.ts'
import { type Cluster, type ProgressEvent, startCluster } from '../../../src/index.ts'
import { readFolder } from '../../../src/overlay/root-folder.ts'
import { sha256Of, writeExt4, writePartitioned, writeQcow2 } from '../../support/disk-images.ts'
import { test } from '../../support/leaks.ts'

const run = async (cluster: Cluster, id: number, script: string) => {
  const { stdout } = await cluster.exec(id, ['/bin/sh'], { input: script })
  return Buffer.from(stdout).toString().trim()
}
const small = { nvm: 2, nrouters: 0, smp: 1 }
const mebibytes = 16

const dir = mkdtempSync(join(tmpdir(), 'disks-'))
chmodSync(dir, 0o700) // the users of QEMU cannot look into it
const at = (name: string) => join(dir, name)

beforeAll(async () => {
  const root = at('root')
  mkdirSync(join(root, 'bin'), { recursive: true })
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
  symlinkSync('busybox', join(root, 'bin/sh'))
  writeFileSync(join(root, 'who'), 'disk\n')
  writeExt4(at('ext4.raw'), { from: root, mebibytes })
  chmodSync(at('ext4.raw'), 0o400)
  await writeQcow2(at('ext4.qcow2'), { raw: at('ext4.raw'), size: mebibytes << 20 })
  await writeQcow2(at('behind.qcow2'), {
    size: mebibytes << 20,
    create: { 'backing-file': 'ext4.raw', 'backing-fmt': 'raw' },
  })
  writeFileSync(at('root.erofs'), writeErofs(readFolder(root)))
  writePartitioned(at('parts.raw'), [new Uint8Array(1 << 20), readFileSync(at('ext4.raw'))])
}, 60_000)

describe('a disk image', () => {
  test.for([
    ['ext4.raw', 'always'],
    ['ext4.qcow2', 'always'],
    ['ext4.qcow2', 'off'],
  ] as const)(
    'is the root of every guest, which writes to a layer of its own (%s, clone: %s)',
    async ([image, clone], { census }) => {
      const before = sha256Of(at(image))
      const notices: string[] = []
      const onEvent = (event: ProgressEvent) => void (event.type === 'notice' && notices.push(event.text))
      await using cluster = await startCluster({ ...small, clone, image: at(image) }, { onEvent })
      for (const id of [1, 2]) {
        expect(await run(cluster, id, 'cat /who; hostname; grep -c " / ext4 rw" /proc/mounts')).toBe(
          `disk\nvm-00${id}\n1`,
        )
        expect(await run(cluster, id, 'ip -4 -o addr show dev eth1')).toContain(`192.168.1.${id}/24`)
      }
      await run(cluster, 1, 'echo mine >/mine; rm /who; sync')
      expect(await run(cluster, 2, 'ls /mine 2>&1; cat /who')).toMatch(/No such file.*\ndisk$/)
      expect(await run(cluster, 1, 'cat /mine; ls /who 2>&1')).toMatch(/^mine\n.*No such file/)
      await cluster.reset([1])
      expect(await run(cluster, 1, 'ls /mine 2>&1; cat /who; hostname')).toMatch(
        /No such file.*\ndisk\nvm-001$/,
      )
      await cluster.scaleOut([3])
      expect(await run(cluster, 3, 'ping -q -c 1 -W 5 vm-001 >/dev/null && cat /who')).toBe('disk')
      await cluster.stop()
      expect(sha256Of(at(image))).toBe(before)
      expect(notices.filter(text => /resume|booted/.test(text))).toEqual([]) // no clone had to boot
      await census.expectUnchanged()
    },
  )

  test('gets overlays on top, and programs of this machine', async ({ census }) => {
    const ovl = mkdtempSync(join(tmpdir(), 'ovl-'))
    mkdirSync(join(ovl, 'root/etc/init.d'), { recursive: true })
    writeFileSync(join(ovl, 'tar'), '#!/bin/sh\ncd "$(dirname "$0")/root" && tar c .\n', { mode: 0o755 })
    writeFileSync(join(ovl, 'root/etc/init.d/10me.rc'), '#!/bin/sh\nhostname >>/me\n', { mode: 0o755 })
    await using cluster = await startCluster({ ...small, image: at('ext4.qcow2'), ovl: [ovl] })
    expect(await run(cluster, 1, 'cat /me /who')).toBe('vm-001\ndisk')
    expect(await run(cluster, 2, 'cat /me /who')).toBe('vm-002\ndisk')
    await cluster.stop()
    await census.expectUnchanged()
  })

  test('may have its root in a partition, or no way to write to it: then a layer in memory is on top', async ({
    census,
  }) => {
    await using cluster = await startCluster({
      ...{ nvm: 2, nrouters: 1, smp: 1 },
      ...{ image1: at('parts.raw'), image2: at('root.erofs') },
    })
    expect(await run(cluster, 1, 'cat /who; grep -o "^/dev/[^ ]* / ext4" /proc/mounts')).toBe(
      'disk\n/dev/vda2 / ext4',
    )
    expect(await run(cluster, 2, 'cat /who; touch /mine && grep -c "^root / overlay" /proc/mounts')).toBe(
      'disk\n1',
    )
    expect(await run(cluster, 201, 'hostname; ls /who 2>/dev/null')).toBe('vm-201')
    await cluster.stop()
    await census.expectUnchanged()
  })

  test('is that of the routers when it is given for their role, and a node may have another', async ({
    census,
  }) => {
    await using cluster = await startCluster({
      ...{ nvm: 1, nrouters: 2, smp: 1 },
      ...{ imageRouter: at('ext4.qcow2'), image202: at('parts.raw') },
    })
    const look = 'cat /who 2>/dev/null; hostname; grep -o "^/dev/vda[0-9]* / ext4" /proc/mounts'
    expect(await run(cluster, 201, look)).toBe('disk\nvm-201\n/dev/vda / ext4')
    expect(await run(cluster, 202, look)).toBe('disk\nvm-202\n/dev/vda2 / ext4')
    expect(await run(cluster, 1, look)).toBe('vm-001')
    expect(await run(cluster, 1, 'ping -q -c 1 -W 5 192.168.1.202 >/dev/null && echo there')).toBe('there')
    await cluster.stop()
    await census.expectUnchanged()
  })

  test('with a backing file is refused unless that is trusted', async ({ census }) => {
    const image = at('behind.qcow2')
    await expect(startCluster({ ...small, image })).rejects.toMatchObject({
      code: 'DISK_UNUSABLE',
      message: expect.stringContaining(`use disk image ${image}: it has a backing file, ext4.raw`),
    })
    await using cluster = await startCluster({ ...small, image, trustBacking: 'yes' })
    expect(await run(cluster, 2, 'cat /who; touch /mine && ls /mine')).toBe('disk\n/mine')
    await cluster.stop()
    await census.expectUnchanged()
  })

  test("without a root says so, with the guest's words", async ({ census }) => {
    const image = at('empty.raw')
    const empty = mkdtempSync(join(tmpdir(), 'empty-'))
    writeExt4(image, { from: empty, mebibytes: 4 })
    await expect(startCluster({ ...small, nvm: 1, image })).rejects.toThrow('the disk image has no root')
    await census.expectUnchanged()
  })

  test('without an init of its own says so when it is to begin with that', async ({ census }) => {
    const image = at('no-init.raw')
    const root = mkdtempSync(join(tmpdir(), 'no-init-'))
    mkdirSync(join(root, 'bin'))
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
    symlinkSync('busybox', join(root, 'bin/sh'))
    writeExt4(image, { from: root, mebibytes: 8 })
    await expect(startCluster({ ...small, nvm: 1, image, init: 'system' })).rejects.toMatchObject({
      message: expect.stringMatching(
        /the root has neither \/sbin\/init nor \/init, which was to be the first/,
      ),
    })
    await census.expectUnchanged()
  })
})
