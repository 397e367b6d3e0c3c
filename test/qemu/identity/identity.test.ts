import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { writeIso } from '../../../src/image/formats/iso9660.ts'
import { type Cluster, startCluster } from '../../../src/index.ts'
import type { SettingOptions } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'

/** Prints a guest's configuration with the guest's own tools. It is compared byte by byte. */
const shown = `
export PATH=/sbin:/usr/sbin:/bin:/usr/bin
hostname
cat /etc/hostname /etc/hosts /etc/resolv.conf /etc/profile
for family in -4 -6; do
  /sbin/ip -j $family addr; echo; /sbin/ip -j $family rule; echo; /sbin/ip -j $family route show table all; echo
done
for name in ipv4/ip_forward ipv6/conf/all/forwarding ipv4/fib_multipath_hash_policy ipv6/fib_multipath_hash_policy; do
  echo $name $(cat /proc/sys/net/$name)
done
for dir in /proc/sys/net/ipv4/conf/eth* /proc/sys/net/ipv6/conf/eth*; do
  cd $dir && grep -s . *
done
nft list ruleset
`

async function said(cluster: Cluster, id: number, script: string): Promise<string> {
  const { status, stdout, stderr } = await cluster.exec(id, ['/bin/sh'], { input: script })
  if (status !== 0) throw new Error(Buffer.from(stderr).toString())
  return Buffer.from(stdout).toString()
}

/** Link-local routes appear with the carrier of their link, so their order varies. */
function sorted(routes: string): string {
  const each = (JSON.parse(routes) as unknown[]).map(route => JSON.stringify(route))
  return each.sort().join('\n')
}

/** The configuration of all nodes, once their links report a carrier (the kernel does so at most once a second). */
async function shownBy(cluster: Cluster): Promise<Record<number, string[]>> {
  const settled = 'while /sbin/ip -o link | grep -q "state DOWN"; do sleep 0.2; done\n'
  const all = cluster.plan.nodes.map(async ({ id }) => {
    const text = await said(cluster, id, settled + shown)
    // The permanent MAC of a clone's NIC remains that of the template (dev->perm_addr).
    const lines = text.replace(/"permaddr":"[^"]*",/g, '').split('\n')
    return [id, lines.map(line => (line.includes('"dst":"fe80::') ? sorted(line) : line))] as const
  })
  return Object.fromEntries(await Promise.all(all))
}

const settings: [string, SettingOptions][] = [
  ['the default settings', { nvm: 2, nrouters: 2, ntesters: 1 }],
  [
    'another prefix and MTU, and variables for login shells',
    { nvm: 1, nrouters: 1, prefix: 'fd07:', mtu: 1400, append: 'xcluster_A=b' },
  ],
]

test.for(settings)(
  'a clone has the same configuration as a node that boots, with %s',
  async ([, options], { census }) => {
    await using booted = await startCluster({ smp: 1, ...options, clone: 'off' })
    const wanted = await shownBy(booted)
    await booted.stop()
    await using cloned = await startCluster({ smp: 1, ...options })
    expect(await shownBy(cloned)).toEqual(wanted)
    await cloned.stop()
    await census.expectUnchanged()
  },
)

describe('clones of one template', () => {
  test('clones of one template differ in machine-id, boot id, random numbers and MACs, and have the right time', async ({
    census,
  }) => {
    await using cluster = await startCluster({ nvm: 4, nrouters: 0, smp: 1 })
    const each = (script: string) => Promise.all([1, 2, 3, 4].map(id => said(cluster, id, script)))
    for (const own of [
      'cat /etc/machine-id',
      'cat /proc/sys/kernel/random/boot_id',
      'head -c 32 /dev/urandom | base64',
      'cat /sys/class/net/eth*/address',
    ])
      expect(new Set(await each(own)).size, own).toBe(4)
    const before = Date.now()
    const clocks = await each('adjtimex 2>/dev/null | grep tv_')
    for (const clock of clocks) {
      const [seconds, fraction] = Array.from(clock.matchAll(/time\.tv_\w+: +(\d+)/g), ([, n]) => Number(n))
      const ms = seconds! * 1000 + fraction! / (fraction! > 1e6 ? 1e6 : 1e3)
      expect(ms).toBeGreaterThan(before - 100)
      expect(ms).toBeLessThan(Date.now() + 100)
    }
    await cluster.stop()
    await census.expectUnchanged()
  })

  test('all programs of a clone may use all of its processors, except xcluster-guest', async ({ census }) => {
    const disk = overlayDisk('grep Cpus_allowed_list: /proc/$$/status >/tmp/overlay')
    const kvmOpt = `-drive file=${disk},format=raw,if=virtio,readonly=on`
    await using cluster = await startCluster({ nvm: 1, nrouters: 0, smp: 2, kvmOpt })
    expect(await said(cluster, 1, 'cat /tmp/overlay')).toBe('Cpus_allowed_list:\t0-1\n')
    const programs = await said(
      cluster,
      1,
      'grep -h -e Name: -e VmRSS: -e Cpus_allowed_list: /proc/[0-9]*/status',
    )
    const kept = programs.matchAll(/Name:\t(.+)\nVmRSS:.*\nCpus_allowed_list:\t0\n/g)
    expect(Array.from(kept, ([, name]) => name)).toEqual(['xcluster-guest'])
    await cluster.stop()
    await census.expectUnchanged()
  })
})

/** A disk image with one overlay, which has a script for /etc/init.d. */
function overlayDisk(script: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'overlay-'))
  const files = join(dir, 'overlay')
  mkdirSync(join(files, 'etc/init.d'), { recursive: true })
  writeFileSync(join(files, 'etc/init.d/10own.rc'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  const path = join(dir, 'overlay.iso')
  const content = execFileSync('tar', ['-C', files, '-c', '.'])
  writeFileSync(path, writeIso([{ path: '01own.tar', kind: 'file', mode: 0o644, content }], { label: 'OVL' }))
  chmodSync(dir, 0o755) // QEMU is another user
  return path
}
