import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { cloudDisk } from '../../support/cloud-disk.ts'
import { sha256Of } from '../../support/disk-images.ts'
import { test } from '../../support/leaks.ts'

const run = async (cluster: Cluster, id: number, script: string) => {
  const { stdout } = await cluster.exec(id, ['/bin/sh'], { input: script })
  return Buffer.from(stdout).toString().trim()
}
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKiNg0Vb1tn6Xx9yqzdkbaCVtuV4x3nVHkCu6Z1hGk0D me@here'
const dir = mkdtempSync(join(tmpdir(), 'cloud-'))

/** An emulated guest on a busy machine boots for minutes. */
const slow = { timeout: 900_000 }

let disk: string
beforeAll(async () => {
  disk = await cloudDisk()
}, 300_000)

describe('an image with a boot loader and cloud-init', () => {
  test(
    'becomes the node of its plan: name, keys, addresses, routes, and commands',
    slow,
    async ({ census }) => {
      const before = sha256Of(disk)
      const sshKey = join(dir, 'key.pub')
      writeFileSync(sshKey, `${key}\n`)
      const cidata = join(dir, 'cidata')
      mkdirSync(cidata)
      writeFileSync(
        join(cidata, 'user-data'),
        '#cloud-config\nwrite_files:\n- path: /mine\n  content: given\n',
      )
      const notices: string[] = []
      await using cluster = await startCluster(
        { nvm: 1, nrouters: 2, smp: 1, image1: disk, bootable1: 'yes', mem1: 384, sshKey, cidata1: cidata },
        {
          timeoutMs: 800_000,
          onEvent: event => {
            if (event.type === 'notice') notices.push(event.text)
          },
        },
      )
      expect(notices.join('\n')).toContain(
        'booted, and not cloned, because cloud-init gives each its identity: vm-001',
      )
      expect(await run(cluster, 1, '. /etc/os-release; echo $ID; hostname; cat /proc/1/comm')).toBe(
        'debian\nvm-001\nsystemd',
      )
      expect(await run(cluster, 1, 'timeout 200 cloud-init status --wait --long')).toMatch(
        /status: done[\s\S]*DataSourceNoCloud/,
      )
      expect(await run(cluster, 1, 'cloud-init schema --system 2>&1')).toMatch(/Valid/)
      expect(await run(cluster, 1, 'blkid -s TYPE -s LABEL -o value /dev/vdb | sort')).toBe('cidata\niso9660')
      const addresses = await run(cluster, 1, 'ip -o addr show scope global')
      for (const address of [
        'eth0    inet 192.168.0.1/24',
        'eth1    inet 192.168.1.1/24',
        'inet6 fd00::c0a8:101/120',
      ])
        expect(addresses).toContain(address)
      const route = await run(cluster, 1, 'ip route show default')
      expect(route).toMatch(/nexthop via 192\.168\.1\.201[\s\S]*nexthop via 192\.168\.1\.202/)
      expect(await run(cluster, 1, 'cat /mine; echo; cat /root/.ssh/authorized_keys')).toBe(`given\n${key}`)
      expect(await run(cluster, 201, 'ping -q -c 1 -W 5 192.168.1.1 >/dev/null && echo there')).toBe('there')
      await cluster.put(1, { text: 'put' }, '/put')
      expect((await cluster.get(1, '/put')).toString()).toBe('put')
      await cluster.stop()
      expect(sha256Of(disk)).toBe(before)
      await census.expectUnchanged()
    },
  )
})
