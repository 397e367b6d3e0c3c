import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect } from 'vitest'
import type { Status } from '../../../src/client/index.ts'
import { openLab } from '../../../src/index.ts'
import { test } from '../../support/leaks.ts'
import { OrdinaryUser } from '../../support/ordinary-user.ts'
import { waitFor } from '../../support/wait.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

/** Kills of each process in a freeze. */
const rounds = Number(process.env.KILLS ?? 2)
const small = ['--nvm', '2', '--nrouters', '1', '--smp', '1']
const one = ['--nvm', '1', '--nrouters', '0', '--smp', '1']
const lines = 100

const placesOf = (xc: Xc) => ({
  runtime: xc.runtime,
  state: `${xc.root}/state/xcluster`,
  cache: `${process.env.XDG_CACHE_HOME ?? `${process.env.HOME}/.cache`}/xcluster`,
})
const directoryOf = (xc: Xc) => join(placesOf(xc).state, '.snapshots')
/** What there is of snapshots, remains too. */
const entries = (xc: Xc) => {
  try {
    return readdirSync(directoryOf(xc))
  } catch {
    return []
  }
}

/** Node 2 sends numbers to node 1 over one TCP connection, for ten seconds. */
async function beginTransfer(xc: Xc): Promise<void> {
  // Its standard input stays open: it would close its side of the connection at the end of that.
  const server = 'exec 3<>/tmp/open; nc -l -p 5000 <&3 >/tmp/received; touch /tmp/over'
  await xc.good(['rsh', '1', `mkfifo /tmp/open; (${server}) >/dev/null 2>&1 &`])
  const numbers = `for i in $(seq ${lines}); do echo $i; sleep 0.1; done`
  await xc.good(['rsh', '2', `(${numbers} | nc 192.168.1.1 5000) >/dev/null 2>&1 &`])
  const begun = async () => (await xc.run(['rsh', '1', 'test -s /tmp/received'])).status === 0
  expect(await waitFor(begun, 20_000)).toBe(true)
}

/** An owner ends by itself when its cluster has been frozen, perhaps before it is killed. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Mounts a disk of 8 MiB there meanwhile. */
async function onFullDisk(directory: string, work: () => Promise<void>): Promise<void> {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=700', 'tmpfs', directory])
  try {
    await work()
  } finally {
    execFileSync('umount', [directory])
  }
}

/** The transfer ends in that cluster, and nothing of it is lost. */
async function transferEnds(xc: Xc, name: string): Promise<void> {
  const of = ['--name', name]
  const over = async () => (await xc.run(['rsh', ...of, '1', 'test -e /tmp/over'])).status === 0
  expect(await waitFor(over, 60_000)).toBe(true)
  const numbers = Array.from({ length: lines }, (_, index) => `${index + 1}`)
  expect((await xc.good(['rsh', ...of, '1', 'cat /tmp/received'])).trim().split('\n')).toEqual(numbers)
}

test('a frozen cluster goes on in forks of other processes, with its TCP connection, and goes on itself', async ({
  census,
}) => {
  const xc = new Xc()
  await xc.good(['start', '--freezable', ...small])
  await beginTransfer(xc)
  const frozen = JSON.parse(await xc.good(['freeze', 'warm', '--keep', '--json']))
  expect(frozen).toMatchObject({ v: 1, snapshot: 'warm', nodes: 3, kept: true })
  const { nodes } = JSON.parse(await xc.good(['status', '--json'])) as Status
  expect(nodes.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready'])
  const { clusters } = JSON.parse(
    await xc.good(['fork', 'warm', '--name', 'many', '--count', '2', '--json']),
  ) as {
    clusters: Status[]
  }
  expect(clusters.map(({ name, nodes: { length } }) => `${name} ${length}`)).toEqual(['many-1 3', 'many-2 3'])
  for (const name of ['default', 'many-1', 'many-2']) await transferEnds(xc, name)
  expect(JSON.parse(await xc.good(['check', '--name', 'many-2', '--json']))).toMatchObject({ ok: true })
  await xc.good(['reset', '1', '--name', 'many-1'])
  expect((await xc.run(['rsh', '--name', 'many-1', '1', 'test -e /tmp/over'])).status).toBe(1)

  const random = ['many-1', 'many-2'].map(name =>
    xc.good(['rsh', '--name', name, '2', 'head -c 9 /dev/urandom | base64']),
  )
  expect(new Set(await Promise.all(random)).size).toBe(2)
  await using lab = await openLab('warm', { places: placesOf(xc) })
  const fork = await lab.fork()
  expect((await fork.exec(2, ['hostname'], { encoding: 'utf8' })).stdout.trim()).toBe('vm-002')
  await lab.dispose()
  await xc.good(['stop', '--all'])
  await census.expectUnchanged()
})

test('a cluster ends when it is frozen, and its snapshot can be exported, removed, imported and forked', async ({
  census,
}) => {
  const xc = new Xc()
  expect((await xc.run(['snapshots'])).stderr).toMatch(/^There are no snapshots\./)
  await xc.good(['start', '--freezable', ...one])
  expect(await xc.good(['freeze', 'warm'])).toMatch(
    /^snapshot warm: 1 node, \d+ MiB, paused within [\d.]+ ms\. The/,
  )
  expect(readdirSync(xc.runtime)).toEqual([])
  const listed = JSON.parse(await xc.good(['snapshots', '--json']))
  expect(listed.snapshots).toMatchObject([{ name: 'warm', usable: true, nodes: 1, topology: 'xnet' }])
  expect(await xc.good(['snapshots'])).toMatch(/^NAME .*\nwarm +1 +xnet +\d+ MiB +.* yes\n$/)
  const file = join(xc.root, 'warm.xc')
  await xc.good(['snapshot', 'export', 'warm', file])
  await xc.good(['snapshot', 'rm', 'warm'])
  expect(entries(xc)).toEqual([])
  await xc.good(['snapshot', 'import', file, 'again'])
  await xc.good(['fork', 'again'])
  expect(await xc.good(['rsh', '1', 'hostname'])).toBe('vm-001\n')
  await xc.good(['stop'])
  await census.expectUnchanged()
})

test('an unprivileged user freezes a cluster and forks it twice', async ({ census, skip }) => {
  const user = new OrdinaryUser()
  const why = user.whyNot()
  skip(why !== undefined, why)
  const xc = new Xc({ user })
  await xc.good(['start', '--freezable', '--fabric', 'bridge', ...small])
  await xc.good(['rsh', '2', 'echo warm >/root/mark'])
  await xc.good(['freeze', 'warm'])
  await xc.good(['fork', 'warm', '--count', '2'])
  expect(await xc.good(['rsh', '--name', 'default-2', '2', 'cat /root/mark'])).toBe('warm\n')
  expect(JSON.parse(await xc.good(['check', '--name', 'default-1', '--json']))).toMatchObject({ ok: true })
  await xc.good(['stop', '--all'])
  await xc.good(['snapshot', 'rm', 'warm'])
  await census.expectUnchanged()
})

describe('is refused with one sentence, and nothing is left or lost:', () => {
  test('a freeze of what cannot be frozen, a fork of what cannot be forked', async ({ census }) => {
    const xc = new Xc()
    const refused = async (args: string[], status: number, words: RegExp) => {
      const result = await xc.run(args)
      expect(result.stderr).toMatch(words)
      expect(result.stderr).toMatch(oneSentence)
      expect(result.status).toBe(status)
    }
    await refused(['freeze', 'warm'], 3, /no cluster/)
    await refused(['fork', 'warm'], 3, /snapshot warm: there is none of that name/)
    await refused(['fork', '../warm'], 2, /not a valid name for a snapshot/)
    await refused(['snapshot', 'rm', 'warm'], 3, /There are none yet/)
    await refused(['snapshot', 'import', '/nowhere/file'], 2, /No such file/)
    await refused(['start', '--freezable', '--fabric', 'user', ...one], 2, /in user space/)
    expect(readdirSync(xc.runtime)).toEqual([])

    await xc.good(['start', ...one, '--name', 'plain'])
    await refused(['freeze', 'warm', '--name', 'plain'], 2, /was not started to be frozen.*--freezable/)
    const starting = xc.begin(['start', '--freezable', '--no-clone', ...one])
    await starting.says(/vms: /)
    await refused(['freeze', 'warm'], 1, /it is starting/)
    expect((await starting.result).status).toBe(0)
    await refused(['freeze', 'a/b'], 2, /not a valid name/)
    await xc.good(['pause', '1'])
    await refused(['freeze', 'warm'], 1, /it is paused/)
    await xc.good(['resume'])
    const running = xc.begin(['exec', '1', '--', 'sh', '-c', 'echo up; sleep 60'])
    await running.says(/up/)
    await refused(['freeze', 'warm'], 1, /1 command runs there/)
    running.child.kill('SIGKILL')
    await running.result
    expect(entries(xc)).toEqual([])
    await onFullDisk(directoryOf(xc), async () => {
      await running.result
      const full = async () => /space/i.test((await xc.run(['freeze', 'warm'])).stderr)
      expect(await waitFor(full, 20_000)).toBe(true)
      await refused(['freeze', 'warm'], 1, /save snapshot warm: .*space.*Make room/i)
      expect(entries(xc)).toEqual([])
      expect(await xc.good(['rsh', '1', 'hostname'])).toBe('vm-001\n')
    })
    const idle = async () => (await xc.run(['freeze', 'warm', '--keep'])).status === 0
    expect(await waitFor(idle, 20_000)).toBe(true)

    await refused(['freeze', 'warm'], 2, /there is one of that name/)
    await refused(['fork', 'warm', '--name', 'plain'], 1, /already running/)
    await refused(['fork', 'warm', '--count', '0'], 2, /not a number of clusters/)
    await xc.good(['fork', 'warm', '--name', 'two-2'])
    await refused(['fork', 'warm', '--name', 'two', '--count', '2'], 1, /two-2.*already running/)
    expect(readdirSync(xc.runtime).sort()).toEqual(['default', 'plain', 'two-2'])
    const path = join(directoryOf(xc), 'warm', 'ram-1')
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(path, bytes)
    await refused(
      ['fork', 'warm', '--name', 'damaged'],
      1,
      /ram-1: its contents at \d+ are not what was written/,
    )
    expect(readdirSync(xc.runtime).sort()).toEqual(['default', 'plain', 'two-2'])

    const { nodes } = JSON.parse(await xc.good(['status', '--json'])) as Status
    process.kill(nodes[0]!.pid!, 'SIGKILL')
    const failed = async () => JSON.parse(await xc.good(['status', '--json'])).nodes[0].state === 'failed'
    expect(await waitFor(failed, 10_000)).toBe(true)
    const dead = await xc.run(['freeze', 'dead']) // it has what QEMU said last, in lines of its own
    expect(dead).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^xc: use node vm-001: .*SIGKILL/),
    })
    expect(entries(xc)).toEqual(['warm'])
    await xc.good(['stop', '--all'])
    await census.expectUnchanged()
  })
})

test('Ctrl-C while two clusters are forked removes both, and says so once', async ({ census }) => {
  const xc = new Xc()
  await xc.good(['start', '--freezable', ...small])
  await xc.good(['freeze', 'warm'])
  const forking = xc.begin(['fork', 'warm', '--count', '2'])
  expect(await waitFor(() => readdirSync(xc.runtime).length === 2, 20_000)).toBe(true)
  forking.child.kill('SIGINT')
  expect(await forking.result).toMatchObject({
    ...{ status: 130, stdout: '' },
    stderr: 'Start cancelled; everything it had started has been removed.\n',
  })
  expect(readdirSync(xc.runtime)).toEqual([])
  await census.expectUnchanged()
})

describe.for(['owner', 'xc'] as const)('kill -9 of the %s in a freeze', victim => {
  test(`${rounds} times leaves a whole snapshot or none`, { timeout: (rounds + 1) * 90_000 }, async ({
    census,
  }) => {
    const xc = new Xc()
    const outcomes: string[] = []
    for (let round = 0; round < rounds; round++) {
      await xc.good(['start', '--freezable', ...one])
      const { owner } = JSON.parse(await xc.good(['status', '--json'])) as Status
      const freezing = xc.begin(['freeze', 'warm'])
      // The first time while all of it begins, then from when its name is taken: how long that takes depends on the load.
      if (round > 0) await waitFor(() => entries(xc).length > 0, 20_000)
      await pause(round === 0 ? 150 + Math.random() * 700 : Math.random() * 1000)
      if (victim === 'xc') freezing.child.kill('SIGKILL')
      else killIfThere(owner.pid)
      await freezing.result
      // The owner carries out what it has been asked. It was perhaps not asked yet.
      if (victim === 'xc') await waitFor(() => readdirSync(xc.runtime).length === 0, 10_000)
      await xc.run(['stop'])
      const { snapshots } = JSON.parse(await xc.good(['snapshots', '--json']))
      expect(entries(xc).filter(name => name.startsWith('.'))).toEqual([])
      outcomes.push(snapshots.length === 0 ? 'none' : 'whole')
      if (snapshots.length === 0) continue
      expect(snapshots).toMatchObject([{ name: 'warm', usable: true }])
      await xc.good(['fork', 'warm'])
      await xc.good(['stop'])
      await xc.good(['snapshot', 'rm', 'warm'])
    }
    console.log(`${victim}: ${outcomes.join(', ')}`)
    expect(readdirSync(xc.runtime)).toEqual([])
    await census.expectUnchanged()
  })
})
