import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { TestVm } from '../../../src/testing/index.ts'
import { debianRoot } from '../../support/debian-root.ts'
import { test } from '../../support/leaks.ts'

const run = async (cluster: Cluster, id: number, script: string) => {
  const { stdout } = await cluster.exec(id, ['/bin/sh'], { input: script })
  return Buffer.from(stdout).toString().trim()
}
const small = { nvm: 1, nrouters: 1, smp: 1 }

let debian: string
beforeAll(async () => {
  debian = await debianRoot()
}, 300_000)

/** A root with a static shell and nothing else: no init, no libraries, no directories. */
function tinyRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'tiny-'))
  mkdirSync(join(root, 'bin'))
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'))
  symlinkSync('busybox', join(root, 'bin/sh'))
  writeFileSync(join(root, 'who'), 'tiny\n')
  return root
}

describe('a root of your own', () => {
  test.for(['always', 'off'] as const)(
    'is the root of every guest, which is the node of its plan as with the default image (clone: %s)',
    async (clone, { census }) => {
      await using cluster = await startCluster({ ...small, clone, rootfs: debian })
      for (const [id, name] of [
        [1, 'vm-001'],
        [201, 'vm-201'],
      ] as const) {
        expect(await run(cluster, id, '. /etc/os-release; echo $ID; hostname')).toBe(`debian\n${name}`)
        // Programs that the root lacks come from the image, with its libraries.
        expect(await run(cluster, id, 'command -v ip; ip -4 -o addr show dev eth1')).toContain(
          `/.xcluster/tools/ip\n3: eth1    inet 192.168.1.${id}/24`,
        )
      }
      expect(await run(cluster, 1, 'ping -q -c 1 -W 5 vm-201 >/dev/null && echo there')).toBe('there')
      expect(await run(cluster, 201, 'nft list table inet xcluster')).toContain(
        'ip saddr 192.168.1.0/24 masquerade',
      )
      expect(await run(cluster, 1, 'modprobe sctp && grep -c ^sctp /proc/modules')).toBe('1')
      expect(
        await run(cluster, 1, 'cat /proc/1/comm; stat -f -c %T /; touch /usr/bin/mine && ls /usr/bin/mine'),
      ).toBe('init\noverlayfs\n/usr/bin/mine')
      await cluster.reset([1])
      expect(await run(cluster, 1, 'ls /usr/bin/mine 2>&1 || hostname')).toContain('vm-001')
      await cluster.scaleOut([2])
      expect(await run(cluster, 2, 'hostname; wc -l </etc/machine-id')).toBe('vm-002\n1')
      await cluster.stop()
      await census.expectUnchanged()
    },
  )

  test('begins with its own init, systemd, when asked for: clones resume after its start', async ({
    census,
  }) => {
    await using cluster = await startCluster(
      { nvm: 2, nrouters: 0, smp: 1, mem: 192, rootfs: debian, init: 'system' },
      { timeoutMs: 240_000 },
    )
    for (const id of [1, 2]) {
      expect(await run(cluster, id, 'cat /proc/1/comm; hostname')).toBe(`systemd\nvm-00${id}`)
      expect(await run(cluster, id, 'systemctl is-system-running')).toMatch(/^(running|degraded)$/)
      expect(await run(cluster, id, 'ip -4 -o addr show dev eth1')).toContain(`192.168.1.${id}/24`)
    }
    const vm = new TestVm(cluster, 1)
    await vm.waitFor({ unit: 'systemd-journald.service' })
    await expect(vm.waitFor({ unit: 'none.service' }, { timeoutMs: 500 })).rejects.toMatchObject({
      message: expect.stringMatching(
        /^wait for unit none\.service on vm-001: .*last seen: status \d, 'inactive'/,
      ),
    })
    await cluster.stop()
    await census.expectUnchanged()
  })

  test('needs neither an init nor libraries, and nodes may have different ones', async ({ census }) => {
    const root = tinyRoot()
    await using cluster = await startCluster({ ...small, rootfs201: root })
    expect(
      await run(cluster, 201, 'cat /who; hostname; ping -q -c 1 -W 5 vm-001 >/dev/null && echo there'),
    ).toBe('tiny\nvm-201\nthere')
    expect(await run(cluster, 1, 'ls /who 2>/dev/null; hostname')).toBe('vm-001')
    await cluster.stop()
    rmSync(root, { recursive: true })
    await census.expectUnchanged()
  })

  test('is that of the routers when it is given for their role', async ({ census }) => {
    const root = tinyRoot()
    await using cluster = await startCluster({ ...small, rootfsRouter: root })
    const script = 'cat /who 2>/dev/null; hostname'
    expect(await run(cluster, 201, script)).toBe('tiny\nvm-201')
    expect(await run(cluster, 1, script)).toBe('vm-001')
    await cluster.stop()
    rmSync(root, { recursive: true })
    await census.expectUnchanged()
  })

  test('keeps file capabilities, with which an unprivileged user pings', async ({ census }) => {
    const root = tinyRoot()
    const capable = join(root, 'bin/busybox-capable')
    copyFileSync('/bin/busybox', capable)
    mkdirSync(join(root, 'etc'))
    writeFileSync(join(root, 'etc/passwd'), 'root::0:0::/:/bin/sh\njoe::1000:1000::/:/bin/sh\n')
    execFileSync('setcap', ['cap_net_raw,cap_setuid+ep', capable])
    const archive = `${root}.tar`
    execFileSync('tar', ['--xattrs', '--xattrs-include=security.*', '-C', root, '-cf', archive, '.'])
    await using cluster = await startCluster({ ...small, rootfs: archive })
    const asJoe = (command: string) => run(cluster, 1, `busybox su joe -c '${command} 2>&1'`)
    expect(await asJoe('busybox-capable grep CapEff /proc/self/status')).toBe('CapEff:\t0000000000002080')
    expect(await asJoe('busybox-capable ping -q -c 1 -W 5 192.168.1.201 >/dev/null && echo there')).toBe(
      'there',
    )
    expect(await asJoe('busybox ping -c 1 -W 5 192.168.1.201 || echo refused')).toContain('refused')
    await cluster.stop()
    rmSync(root, { recursive: true })
    rmSync(archive)
    await census.expectUnchanged()
  })

  test('gets overlays on top, whose scripts run as the node', async ({ census }) => {
    const ovl = mkdtempSync(join(tmpdir(), 'ovl-'))
    const tar = '#!/bin/sh\ncd "$(dirname "$0")/root" && tar c .\n'
    mkdirSync(join(ovl, 'root/etc/init.d'), { recursive: true })
    writeFileSync(join(ovl, 'tar'), tar, { mode: 0o755 })
    writeFileSync(join(ovl, 'root/etc/init.d/10me.rc'), '#!/bin/sh\nhostname >>/me\n', { mode: 0o755 })
    await using cluster = await startCluster({ nvm: 1, nrouters: 0, smp: 1, rootfs: debian, ovl: [ovl] })
    expect(await run(cluster, 1, 'cat /me')).toBe('vm-001')
    await cluster.stop()
    await census.expectUnchanged()
  })

  test('without an init of its own is refused when that is asked for, and nothing stays', async ({
    census,
  }) => {
    const start = (options: object) => startCluster({ nvm: 1, nrouters: 0, init: 'system', ...options })
    await expect(start({ rootfs: tinyRoot() })).rejects.toMatchObject({ code: 'INIT_MISSING', kind: 'usage' })
    await expect(start({ rootfs: debian, mem: 120 })).rejects.toMatchObject({
      code: 'GUEST_TOO_SMALL',
      reason: 'its init needs 128 MiB, and a guest has 120 MiB',
    })
    await expect(start({})).rejects.toThrow('only a root of your own has an init of its own')
    await census.expectUnchanged()
  })
})
