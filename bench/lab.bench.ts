import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Scope } from '../src/base/index.ts'
import { TestHosts } from '../test/support/hosts.ts'
import { Slurm, whyNoSlurm } from '../test/support/slurm.ts'
import { Xc } from '../test/support/xc.ts'
import type { Benchmark, Case, Sample } from './benchmark.ts'

const perTransfer = 256 << 20

/** Twelve nodes on one net, four on each of three hosts. */
const twelve = `
name: lab
nodes: 12
routers: 0
nets: { vm: [0, 1] }
host: { 1-4: 0, 5-8: 1, 9-12: 2 }
settings: { name: lab, mem: 128 }
`
const two = `
name: lab
nodes: 2
routers: 0
nets: { vm: [0, 1] }
host: { 1: 0, 2: 1 }
settings: { name: lab, mem: 128, with: [iperf3], mtu: 1450 }
`

/**
 * One lab over several hosts: from the command until all nodes have reached each other, as a job of a real Slurm with
 * three hosts on this machine and as a cluster on one host; and iperf3 between two guests, on two hosts of root and of users
 * without root, and on one.
 */
const lab: Benchmark = {
  rounds: { usual: 9, quick: 2 },
  needs: ['iperf3'],
  async prepare(scope) {
    const why = await whyNoSlurm()
    if (why !== undefined) throw new Error(why)
    const slurm = await Slurm.start()
    scope.defer(() => slurm.close())
    const xc = new Xc()
    const { PATH, SLURM_CONF, LD_LIBRARY_PATH } = slurm.env
    Object.assign(xc.env, { PATH, SLURM_CONF, LD_LIBRARY_PATH })
    scope.defer(() => rmSync(xc.root, { recursive: true, force: true }))
    scope.defer(() => xc.run(['stop', '--all']).then(() => {}))
    const file = (name: string, text: string) => {
      writeFileSync(join(slurm.folder, name), text)
      return join(slurm.folder, name)
    }
    const whole = file('twelve.yaml', twelve)
    process.chdir(slurm.folder) // from where jobs are submitted
    return {
      cases: [
        {
          n: 12,
          units: { reached: 'ms' },
          variants: starts(slurm, xc, whole),
          ratios: [['a job on three hosts', 'one host']],
        },
        {
          n: 2,
          units: { transfer: 'ms' },
          variants: transfers(xc, await withUsers(scope)),
          ratios: [
            ['two hosts', 'one host'],
            ['two hosts without root', 'one host'],
            ['two hosts without root', 'two hosts'],
          ],
        },
      ],
      accel: 'tcg',
    }
  },
}
export default lab

function starts(slurm: Slurm, xc: Xc, whole: string): Case['variants'] {
  const leader = new Xc()
  Object.assign(leader.env, { XDG_RUNTIME_DIR: slurm.runtimeOf(0) })
  return {
    'one host': async () => {
      const sample = await timed(() => xc.good(['start', '--topology', whole, '--check']))
      await xc.good(['stop', '--name', 'lab'])
      return sample
    },
    'a job on three hosts': async () => {
      const sample = await timed(async () => {
        await xc.good(['submit', whole, '--name', 'lab', '--hosts', '3', '--timeout', '120'])
        await leader.good(['check', '--name', 'lab'])
      })
      await xc.good(['cancel', '--name', 'lab'])
      return sample
    },
  }
}

/** Two hosts of users who have the image and the template already, and the lab in a file that all can read. */
async function withUsers(scope: Scope): Promise<{ readonly users: TestHosts; readonly pair: string }> {
  const users = await TestHosts.open(2, { rootless: [0, 1] })
  scope.add(users)
  const pair = join(users.folder, 'two.yaml')
  writeFileSync(pair, two)
  const { xc } = users.hosts[0]!
  await xc.good(['start', '--topology', pair])
  await xc.good(['stop', '--name', 'lab'])
  return { users, pair }
}

async function between(hosts: TestHosts, pair: string): Promise<Sample> {
  const running = hosts.begin(pair)
  await running[0]!.says(/vm-002 {2}vm {4}ready/, 120_000)
  const { xc } = hosts.hosts[0]!
  const sample = await transfer(xc)
  await xc.good(['stop', '--name', 'lab'])
  await Promise.all(running.map(({ result }) => result))
  return sample
}

function transfers(
  xc: Xc,
  { users, pair }: { readonly users: TestHosts; readonly pair: string },
): Case['variants'] {
  return {
    'one host': async () => {
      await xc.good(['start', '--topology', pair])
      const sample = await transfer(xc)
      await xc.good(['stop', '--name', 'lab'])
      return sample
    },
    'two hosts': async () => {
      await using hosts = await TestHosts.open(2)
      return await between(hosts, pair)
    },
    'two hosts without root': () => between(users, pair),
  }
}

async function timed(work: () => Promise<unknown>): Promise<Sample> {
  const began = performance.now()
  await work()
  return { reached: performance.now() - began }
}

/** Milliseconds that iperf3 took for 256 MiB from node 2 to node 1, by its own clock. */
async function transfer(xc: Xc): Promise<Sample> {
  const exec = (id: string, ...words: string[]) => xc.good(['exec', '--name', 'lab', id, '--', ...words])
  await exec('1', 'iperf3', '-s', '-D')
  const report = JSON.parse(await exec('2', 'iperf3', '-J', '-c', '192.168.1.1', '-n', `${perTransfer}`))
  return { transfer: 1000 * report.end.sum_received.seconds }
}
