import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, vi } from 'vitest'
import { type Cluster, prepareCluster, startCluster } from '../../../src/index.ts'
import { test } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'
import { nsenter } from '../cluster/nsenter.ts'

/** Fetches them into the cache, as `xc start` does. */
function fetchPackages(...names: string[]): void {
  const script = join(import.meta.dirname, '../../../scripts/setup/packages.js')
  const { status, stderr } = spawnSync(process.execPath, [script, ...names], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

const run = async (cluster: Cluster, id: number, script: string) => {
  const { stdout } = await cluster.exec(id, ['/bin/sh'], { input: script, encoding: 'utf8' })
  return stdout
}

/** Waits until a node's answer matches, and expects that it does: daemons need seconds to find each other. */
async function until(
  cluster: Cluster,
  [id, script]: readonly [number, string],
  answer: RegExp,
): Promise<void> {
  let said = ''
  await waitFor(async () => {
    said = await run(cluster, id, script)
    return answer.test(said)
  }, 60_000)
  expect(said).toMatch(answer)
}

describe('the overlays of this package', () => {
  test('bird and keepalived: routers spread an address over the nodes that announce it, and take over from each other', async ({
    census,
  }) => {
    fetchPackages('bird2', 'keepalived')
    await using cluster = await startCluster({
      nvm: 2,
      nrouters: 2,
      smp: 1,
      mem: 160,
      ovl: ['bird', 'keepalived'],
    })
    for (const id of [1, 2]) await run(cluster, id, 'ip address add 10.0.0.1/32 dev lo')
    await until(cluster, [201, 'ip route show 10.0.0.1'], /via 192\.168\.1\.1 [\s\S]*via 192\.168\.1\.2 /)
    await run(cluster, 1, 'ip address del 10.0.0.1/32 dev lo')
    await until(cluster, [202, 'ip route show 10.0.0.1'], /^10\.0\.0\.1 via 192\.168\.1\.2 /)

    const shared = 'ip -4 -br address show dev eth1'
    await until(cluster, [201, shared], /192\.168\.1\.200\/24/)
    await cluster.pause([201])
    await until(cluster, [202, shared], /192\.168\.1\.200\/24/)
    await until(cluster, [1, 'ping -c 1 -W 1 192.168.1.200'], / 0% packet loss/)
    await cluster.stop()
    await census.expectUnchanged()
  })

  test('bird and keepalived: sessions between nodes that are frozen go on in a fork', async ({ census }) => {
    fetchPackages('bird2', 'keepalived')
    const shared = 'ip -4 -br address show dev eth1'
    const protocols = 'birdc show protocols'
    const connections = "netstat -tn | awk '/:179 .*ESTABLISHED/ { print $4, $5 }' | sort"
    let before = ''
    await using lab = await prepareCluster(
      { nvm: 1, nrouters: 2, smp: 1, mem: 160, ovl: ['bird', 'keepalived'] },
      async cluster => {
        await run(cluster, 1, 'ip address add 10.0.0.1/32 dev lo')
        await until(cluster, [201, 'ip route show 10.0.0.1'], /via 192\.168\.1\.1 /)
        await until(cluster, [201, shared], /192\.168\.1\.200\/24/)
        await until(cluster, [1, protocols], /Established[\s\S]*Established/)
        before = await run(cluster, 1, connections)
      },
    )
    await using fork = await lab.fork()
    await run(fork, 1, 'sleep 5') // longer than VRRP waits for its master
    expect(await run(fork, 201, shared)).toContain('192.168.1.200/24')
    expect(await run(fork, 202, shared)).not.toContain('192.168.1.200/24')
    expect(await run(fork, 1, connections)).toBe(before) // with the ports that they had
    expect(await run(fork, 1, protocols)).toMatch(/Established[\s\S]*Established/)
    await run(fork, 1, 'ip address add 10.0.0.2/32 dev lo')
    await until(fork, [202, 'ip route show 10.0.0.2'], /via 192\.168\.1\.1 /)
    await lab.dispose()
    await census.expectUnchanged()
  })

  test('sftp: scp and sftp of OpenSSH copy files to and from a node', async ({ census }) => {
    fetchPackages('openssh-sftp-server')
    await using cluster = await startCluster({ nvm: 1, nrouters: 0, smp: 1, ovl: ['sftp'] })
    const { netns } = cluster.status()
    const folder = mkdtempSync(join(tmpdir(), 'sftp-'))
    writeFileSync(join(folder, 'sent'), 'hello\n')
    const quiet = [
      'BatchMode=yes',
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
    ]
    const options = quiet.flatMap(option => ['-o', option])
    await nsenter(netns, ['scp', ...options, join(folder, 'sent'), 'root@192.168.0.1:/tmp/there'])
    expect(await run(cluster, 1, 'cat /tmp/there')).toBe('hello\n')
    await nsenter(netns, ['sftp', ...options, 'root@192.168.0.1:/tmp/there', join(folder, 'back')])
    expect(readFileSync(join(folder, 'back'), 'utf8')).toBe('hello\n')
    await cluster.stop()
    await census.expectUnchanged()
  })

  test('dns, env, timezone, iperf, tcpdump and iptools do what their pages say', async ({ census }) => {
    fetchPackages('iperf3', 'tcpdump', 'iproute2', 'iputils-ping')
    const ovl = ['dns', 'env', 'timezone', 'iperf', 'tcpdump', 'iptools']
    vi.stubEnv('xcluster_PEER', "it's 192.168.1.201")
    vi.stubEnv('TZ', 'UTC')
    await using cluster = await startCluster({ nvm: 1, nrouters: 1, smp: 1, mem: 160, ovl })
    vi.unstubAllEnvs()
    expect(await run(cluster, 1, 'nslookup vm-201 192.168.1.201')).toMatch(/Address.*192\.168\.0\.201/)
    expect(await run(cluster, 1, "ash -lc 'echo $PEER'")).toBe("it's 192.168.1.201\n")
    expect(await run(cluster, 1, "ash -lc 'echo $TZ'")).toMatch(/^UTC/)
    expect(await run(cluster, 1, 'iperf3 -c 192.168.1.201 -n 100K')).toContain('iperf Done.')
    const capture = 'tcpdump -ni eth1 -c 1 icmp 2>/dev/null & ping -c 5 192.168.1.201 >/dev/null; wait'
    expect(await run(cluster, 1, capture)).toMatch(/IP 192\.168\.1\.1 > 192\.168\.1\.201: ICMP echo request/)
    const netem = 'tc qdisc add dev eth1 root netem delay 50ms && tc qdisc show dev eth1; ss -tln | head -1'
    expect(await run(cluster, 201, netem)).toMatch(/netem.*delay 50ms\nState/)
    await cluster.stop()
    await census.expectUnchanged()
  })
})
