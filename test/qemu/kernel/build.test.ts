import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { type Cluster, startCluster } from '../../../src/index.ts'
import { inProject } from '../../house/project.ts'
import { test } from '../../support/leaks.ts'

const asked = process.env.XCLUSTER_TEST_KERNEL_BUILD === '1'
const minutes = 60

async function run(cluster: Cluster, id: number, script: string): Promise<string> {
  const { stdout, stderr } = await cluster.exec(id, script)
  return `${Buffer.from(stdout)}${Buffer.from(stderr)}`.trim()
}

/** In the kernel itself and as modules: what testers of network functions use. */
const uses = `
uname -r
modprobe -a ip_vs sctp wireguard vrf bonding sch_netem mpls_router openvswitch ip6table_nat xfrm_user && echo modules
ip link add br7 type bridge && ip link add v7 type veth peer name w7 && ip link add link v7 name v7.9 type vlan id 9 && echo links
nft add table inet t '{ chain c { type nat hook postrouting priority 100; masquerade; }; }' && echo nft
test -c /dev/net/tun && echo tun
ping -q -c 1 -W 5 192.168.2.221 >/dev/null && echo ping
`

test('a kernel from `xc kernel build` boots and is cloned, and has what network functions need', {
  timeout: minutes * 60_000,
}, async ({ census, skip }) => {
  skip(!asked, `it takes ${minutes / 2} minutes: XCLUSTER_TEST_KERNEL_BUILD=1 asks for it`)
  const { stdout } = await promisify(execFile)(process.execPath, [inProject('bin/xc.js'), 'kernel', 'build'])
  const kernel = stdout.trim()
  expect(kernel).toMatch(/\/kernels\/linux-[\w.-]+$/)
  for (const clone of ['always', 'off'] as const) {
    await using cluster = await startCluster({ nvm: 1, nrouters: 1, ntesters: 1, smp: 1, clone, kernel })
    expect(await run(cluster, 1, uses)).toMatch(
      /^\d[\w.-]+-xcluster-[0-9a-f]{8}\nmodules\nlinks\nnft\ntun\nping$/,
    )
    await cluster.stop()
  }
  await census.expectUnchanged()
})
