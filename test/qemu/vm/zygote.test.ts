import { readFileSync, readlinkSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Scope } from '../../../src/base/index.ts'
import { adoptStream, closeFd, NetNamespace, openTaps, socketPair } from '../../../src/sys/index.ts'
import {
  findQemu,
  type Machine,
  openTemplate,
  startVm,
  type Template,
  type VmSpec,
  type VmTraceValue,
} from '../../../src/vm/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { Traces } from '../../support/traces.ts'
import { waitFor } from '../../support/wait.ts'
import { guestSpec, logDirectory, ownUser, textOf } from './guest.ts'
import { nicOn } from './nic.ts'

let census: Census
let namespace: NetNamespace
let template: Template
let standing: Machine
const cache = logDirectory()
const scope = new Scope()
let count = 0

beforeAll(async () => {
  census = await takeCensus()
  namespace = NetNamespace.create()
  const { kernel, initramfs, memoryMiB, vcpus, accel } = await guestSpec(cache.path)
  const shape = {
    ...{ kernel, initramfs, memoryMiB, vcpus, accel, identity: ownUser },
    qemu: await findQemu({ searchPath: process.env.PATH! }),
    image: 'the image of this test',
    nics: [nicOn(0)],
  }
  template = await openTemplate(shape, { cacheDir: cache.path, notice: text => expect.unreachable(text) })
})
afterAll(async () => {
  await scope.close()
  await template?.close()
  await namespace.close()
  cache.remove()
  await census.expectUnchanged()
})

/** A clone of the template, or a fork of another VM, with a tap of its own. */
async function started(more: Partial<VmSpec>): Promise<Machine> {
  const name = `v${++count}`
  const taps = await openTaps([`${name}t0`], { namespace, vnetHdr: true })
  for (const tap of taps) scope.add(tap)
  const nics = taps.map((tap, index) => nicOn(index, tap))
  const machine = scope.add(await startVm(await guestSpec(cache.path, { name, nics, template, ...more })))
  await machine.ready
  return machine
}

beforeEach(async () => {
  standing = await started({ forkable: true })
  await standing.exec('echo standing >/root/mark')
  await standing.qmp.execute('stop')
})

async function forked(): Promise<Machine> {
  const machine = await started({ forkOf: standing.zygote!, readyWith: 'wake' })
  await machine.qmp.execute('cont')
  return machine
}

const parentOf = (pid: number) =>
  Number(/^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
const kibOf = (pid: number, what: string) =>
  Number(new RegExp(`^${what}: +(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1])
const said = async (machine: Machine, command: string) => textOf((await machine.exec(command)).stdout).trim()

test('forks go on from where a VM stands, each by itself, and share its memory', async () => {
  const forks = await Promise.all([forked(), forked()])
  for (const { pid } of forks) expect(parentOf(pid)).toBe(standing.pid)
  await forks[0]!.exec('echo first >/root/mark')
  expect(await Promise.all(forks.map(fork => said(fork, 'cat /root/mark')))).toEqual(['first', 'standing'])
  for (const { pid } of forks) expect(kibOf(pid, 'Private_Dirty')).toBeLessThan(kibOf(pid, 'Anonymous') / 2)
  expect((await standing.qmp.execute('query-status')).status).toBe('paused')
  await Promise.all(forks.map(fork => fork.stop({ graceMs: 0 })))
  expect(forks.map(({ state }) => state)).toEqual(['stopped', 'stopped'])

  await standing.qmp.execute('cont')
  expect(await said(standing, 'cat /root/mark')).toBe('standing')
})

test('a fork has no more rights than any VM: no programs, no processes, no privileges', async () => {
  const [fork, clone] = [await forked(), await started({})]
  const lineOf = (pid: number, name: string) =>
    new RegExp(`^${name}:[ \\t]*(.*)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]
  for (const name of ['Uid', 'Gid', 'Groups', 'NoNewPrivs', 'Seccomp', 'CapEff', 'CapPrm', 'CapBnd'])
    expect(lineOf(fork.pid, name), name).toBe(lineOf(clone.pid, name))
  // QEMU's own sandbox, that of the VM that it was forked from, and its own
  expect(Number(lineOf(fork.pid, 'Seccomp_filters'))).toBe(3)
  expect(Number(lineOf(standing.pid, 'Seccomp_filters'))).toBe(2)
})

test('no socket, tap or eventfd of a fork is that of the VM that it was forked from', async () => {
  const fork = await forked()
  const socketsOf = (pid: number) => [1, 2, 3, 4, 5, 6].map(fd => readlinkSync(`/proc/${pid}/fd/${fd}`))
  for (const socket of socketsOf(fork.pid)) expect(socketsOf(standing.pid)).not.toContain(socket)
  const about = (pid: number, fd: number) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')
  expect(about(fork.pid, 9)).toMatch(new RegExp(`^iff:\t${fork.name}t0$`, 'm'))
  const eventfds = Array.from({ length: 64 }, (_, fd) => fd).filter(fd => isEventfd(standing.pid, fd))
  expect(eventfds.length).toBeGreaterThan(3)
  const idOf = (pid: number, fd: number) => /eventfd-id:\s*(\d+)/.exec(about(pid, fd))?.[1]
  for (const fd of eventfds) expect(idOf(fork.pid, fd)).not.toBe(idOf(standing.pid, fd))
})

function isEventfd(pid: number, fd: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`) === 'anon_inode:[eventfd]'
  } catch {
    return false
  }
}

test('the end of a fork is told: by itself, killed, and with the VM that it was forked from', async () => {
  const [quits, killed, orphan] = [await forked(), await forked(), await forked()]
  const reasons = [quits, killed, orphan].map(({ died }) => died.then(failure => failure?.message))
  await quits.qmp.execute('quit')
  process.kill(killed.pid, 'SIGKILL')
  expect(await reasons[0]).toContain('QEMU exited with status 0')
  expect(await reasons[1]).toContain('QEMU was killed by SIGKILL')
  process.kill(standing.pid, 'SIGKILL')
  expect(await reasons[2]).toContain('the QEMU that it was forked from: it has ended')
})

test('a process with a descriptor that it may not share ends at once, and says which', async () => {
  const [ours, theirs] = socketPair()
  await using output = adoptStream(ours)
  let said = ''
  output.receive({ data: bytes => (said += textOf(bytes)), end: () => {} })
  const { exited } = await standing.zygote!.fork(new Map([[2, theirs]]))
  closeFd(theirs)
  expect(await exited).toEqual({ code: 126 })
  const whole = /^xcluster: fork of QEMU: socket:\[\d+\]: Operation not supported\n$/
  expect(await waitFor(async () => whole.test(said), 5000)).toBe(true)
})

test('forks and their ends are traced', async () => {
  using traces = new Traces<VmTraceValue>('vm')
  const fork = await forked()
  await fork.kill()
  const { name, pid } = fork
  const told = traces.messages
    .filter(({ peer }) => peer === name)
    .map(({ what, value }) => [what, value?.pid])
  expect(told).toContainEqual(['fork QEMU', pid])
  expect(told).toContainEqual(['QEMU exits, killed by SIGKILL', pid])
})

test('a VM that cannot be forked is cloned from the template', async () => {
  standing.zygote!.spoil()
  const clone = await started({ forkOf: standing.zygote! })
  expect(parentOf(clone.pid)).toBe(process.pid)
})
