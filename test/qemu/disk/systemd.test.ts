import { beforeAll, expect } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { debianDisk } from '../../support/debian-root.ts'
import { sha256Of } from '../../support/disk-images.ts'
import { test } from '../../support/leaks.ts'

const run = async (cluster: Cluster, id: number, script: string) => {
  const { stdout } = await cluster.exec(id, ['/bin/sh'], { input: script })
  return Buffer.from(stdout).toString().trim()
}

let disk: string
beforeAll(async () => {
  disk = await debianDisk()
}, 300_000)

test('a disk image begins with its own init, systemd, when asked for: clones resume after its start, and write to their own layers', {
  timeout: 600_000,
}, async ({ census }) => {
  const before = sha256Of(disk)
  await using cluster = await startCluster(
    { nvm: 2, nrouters: 0, smp: 1, mem: 192, image: disk, init: 'system' },
    { timeoutMs: 500_000 },
  )
  for (const id of [1, 2]) {
    expect(
      await run(cluster, id, 'cat /proc/1/comm; hostname; grep -c "^/dev/vda / ext4 rw" /proc/mounts'),
    ).toBe(`systemd\nvm-00${id}\n1`)
    expect(await run(cluster, id, 'systemctl is-system-running')).toMatch(/^(running|degraded)$/)
    expect(await run(cluster, id, 'ip -4 -o addr show dev eth1')).toContain(`192.168.1.${id}/24`)
  }
  await run(cluster, 1, 'echo mine >/mine; systemctl stop systemd-journald.socket systemd-journald; sync')
  expect(await run(cluster, 2, 'ls /mine 2>&1')).toContain('No such file')
  await cluster.reset([1])
  expect(await run(cluster, 1, 'ls /mine 2>&1; systemctl is-active systemd-journald')).toMatch(
    /No such file.*\nactive$/,
  )
  await cluster.stop()
  expect(sha256Of(disk)).toBe(before)
  await census.expectUnchanged()
})
