import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { test } from '../../support/leaks.ts'
import { said } from '../cluster/guest-state.ts'

// Scripts as the original xcluster's users have them.
const userspace = fileURLToPath(new URL('../../../examples/net-setup/userspace.sh', import.meta.url))

/** Attaches taps to bridges that it expects to exist, and writes its environment down. */
const emulator = (environment: string) => `#!/bin/sh -e
node=$1 net=$2 tap=xcbr\${2}_t$1
env >${environment}
ip link show xcbr$net >/dev/null
ip tuntap add $tap mode tap
ip link set $tap mtu $__mtu master xcbr$net up
echo "-netdev tap,id=net$net,ifname=$tap,script=no,downscript=no"
echo "-device virtio-net-pci,netdev=net$net,mac=$(printf 00:00:00:01:%02x:%02x $net $node)"
`

/** The lines of output that show success, of pings between nodes and of name lookups. */
async function works(cluster: Cluster, hasForwarder = true): Promise<string[]> {
  const pings = [
    'ping -c1 -W5 192.168.1.2 | grep -o "1 packets received"',
    'ping -c1 -W5 fd00::192.168.1.2 | grep -o "1 packets received"',
  ]
  const lookups = [
    'nslookup vm-002 192.168.0.250 | grep -o "192.168.0.2$"',
    'getent ahostsv4 vm-002.1 | grep -o -m1 ^192.168.1.2',
  ]
  const lines = await Promise.all(
    [...pings, ...(hasForwarder ? lookups : [])].map(command => said(cluster, 1, command)),
  )
  return lines.map(line => line.trim())
}

const success = ['1 packets received', '1 packets received', '192.168.0.2', '192.168.1.2']
const small = { nvm: 2, nrouters: 0, smp: 1 }

describe('a network script of the original', () => {
  test('with QEMU’s user network and segments works in a namespace, where nothing leaves it', async () => {
    await using cluster = await startCluster({
      ...small,
      netSetup: userspace,
      mcastBase: 61,
      fabric: 'bridge',
    })
    expect(await works(cluster)).toEqual(success)
    for (const { pid } of cluster.status().nodes)
      expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).toContain('mcast=224.0.0.62:27030')
  })

  test('with QEMU’s user network and segments works in user space', async () => {
    const ports = { telnetBase: 23_000, sshBase: 23_300, k8sPort: 0, k8sApiPort: 0 }
    await using cluster = await startCluster({
      ...small,
      ...ports,
      netSetup: userspace,
      mcastBase: 62,
      fabric: 'user',
    })
    expect(await works(cluster)).toEqual(success)
    const { pid } = cluster.status().nodes[1]!
    expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).toContain('hostfwd=tcp:127.0.0.1:23002-:23')
  })

  test('finds all bridges, and settings in its environment; and so do nodes that are added', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'emulator-'))
    const netSetup = join(directory, 'pci.sh')
    writeFileSync(netSetup, emulator(join(directory, 'env')))
    chmodSync(netSetup, 0o755)
    await using cluster = await startCluster({
      ...small,
      netSetup,
      hostNets: 'none',
      mtu1: 9000,
      telnetBase: 4000,
    })
    expect(await works(cluster, false)).toEqual(success.slice(0, 2))
    const environment = readFileSync(join(directory, 'env'), 'utf8')
    for (const line of ['XCLUSTER_TELNET_BASE=4000', '__mtu=9000', '__mtu1=9000', '__nvm=2'])
      expect(environment.split('\n')).toContain(line)
    await cluster.scaleOut([221])
    expect(await said(cluster, 221, 'ip -br link')).toMatch(/^eth1 +UP/m)
    const netns = cluster.status().netns
    expect(netns).toMatch(/^\/proc\/\d+\/fd\/\d+$/)
  })
})
