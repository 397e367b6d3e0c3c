import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { startCluster } from '../../../src/index.ts'
import { planCluster, reachTargets, resolveSettings } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'
import { isAlive } from '../../support/processes.ts'
import { waitFor } from '../../support/wait.ts'

const netSetup = fileURLToPath(new URL('../../../examples/net-setup/ovs.sh', import.meta.url))
const installed = existsSync('/usr/sbin/ovs-vswitchd')

/** Ends the daemons that the script has started. Their pid files are in the directory. */
async function endDaemons(directory: string): Promise<void> {
  const files = (await readdir(directory)).filter(name => name.endsWith('.pid'))
  const pids = await Promise.all(
    files.map(async name => Number(await readFile(join(directory, name), 'utf8'))),
  )
  for (const pid of pids) process.kill(pid, 'SIGTERM')
  await waitFor(() => pids.every(pid => !isAlive(pid)), 10_000)
}

test('a cluster on Open vSwitch has the same reachability as one on bridges', async ({ skip }) => {
  if (!installed) skip('openvswitch-switch is not installed')
  const directory = await mkdtemp(join(tmpdir(), 'ovs-'))
  process.env.OVS_RUNDIR = directory
  const options = { nvm: 2, nrouters: 1, ntesters: 1, smp: 1 }
  try {
    await using cluster = await startCluster({ ...options, netSetup })
    const reach = await cluster.checkReach()
    expect(reach.filter(({ ok }) => !ok)).toEqual([])
    expect(reach.length).toBe(reachTargets(planCluster(resolveSettings({ options }))).length)
    // TCP, which fails when checksums are left to a device that does not exist.
    const { stdout } = await cluster.exec(2, 'nc -w 10 192.168.1.1 23 </dev/null | head -c 3 | wc -c')
    expect(Buffer.from(stdout).toString().trim()).toBe('3')
    await cluster.reset([2])
    await cluster.scaleOut([3])
    expect((await cluster.checkReach()).filter(({ ok }) => !ok)).toEqual([])
  } finally {
    delete process.env.OVS_RUNDIR
    await endDaemons(directory)
    await rm(directory, { recursive: true })
  }
})
