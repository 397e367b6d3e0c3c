import { copyFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NetNamespace, openTaps } from '../../../src/sys/index.ts'
import {
  findQemu,
  type Machine,
  openTemplate,
  startVm,
  type Template,
  type TemplateOptions,
  type TemplateSpec,
  type TemplateStep,
  type VmSpec,
} from '../../../src/vm/index.ts'
import { fileNames, templatesIn } from '../../../src/vm/snapshot/store.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { guestSpec, logDirectory, ownUser, textOf } from './guest.ts'
import { nicOn } from './nic.ts'

let census: Census
let namespace: NetNamespace
let shape: TemplateSpec
let template: Template
const cache = logDirectory()
const steps: string[] = []

const options = (more: Partial<TemplateOptions> = {}): TemplateOptions => ({
  cacheDir: cache.path,
  notice: text => expect.unreachable(text),
  ...more,
})

beforeAll(async () => {
  census = await takeCensus()
  namespace = NetNamespace.create()
  const { kernel, initramfs, memoryMiB, vcpus, accel } = await guestSpec(cache.path)
  shape = {
    ...{ kernel, initramfs, memoryMiB, vcpus, accel, identity: ownUser },
    qemu: await findQemu({ searchPath: process.env.PATH! }),
    image: 'the image of this test',
    nics: [nicOn(0), nicOn(1)],
  }
  const record = (name: string) => (step: TemplateStep, state: string) =>
    steps.push(`${name} ${step} ${state}`)
  // Two simultaneous calls: one of them makes it.
  const [first, second] = await Promise.all([
    openTemplate(shape, options({ onStep: record('a') })),
    openTemplate(shape, options({ onStep: record('b') })),
  ])
  await second.close()
  template = first
})
afterAll(async () => {
  await template?.close()
  await namespace.close()
  cache.remove()
  await census.expectUnchanged()
})

async function clone(
  name: string,
  more: Partial<VmSpec> = {},
): Promise<AsyncDisposable & { machine: Machine }> {
  const taps = await openTaps([`${name}t0`, `${name}t1`], { namespace, vnetHdr: true })
  const nics = taps.map((tap, index) => nicOn(index, tap))
  const machine = await startVm(await guestSpec(cache.path, { name, nics, template, ...more }))
  const close = async () => {
    await machine.kill()
    for (const tap of taps) await tap.close()
  }
  return { machine, [Symbol.asyncDispose]: close }
}

const say = async (machine: Machine, command: string) => textOf((await machine.exec(command)).stdout).trim()

test('of two simultaneous calls of openTemplate one makes the template, and the other waits for it', () => {
  const made = steps.filter(step => step.includes('build begin'))
  const waited = steps.filter(step => step.includes('wait end'))
  expect([made.length, waited.length]).toEqual([1, 1])
  expect(made[0]![0]).not.toBe(waited[0]![0])
  const builder = steps.filter(step => step[0] === made[0]![0]).map(step => step.slice(2))
  expect(builder).toEqual([
    ...['check begin', 'check end', 'build begin', 'boot begin', 'boot end', 'warm begin', 'warm end'],
    ...['save begin', 'save end', 'build end'],
  ])
})

test('two simultaneous clones answer, do not share state, and have a carrier on their NICs', async () => {
  await using first = await clone('vm-001')
  await using second = await clone('vm-002')
  const both = [first.machine, second.machine]
  for (const { milestones, ready } of both) {
    await ready
    expect(Object.keys(milestones)).toEqual(['spawned', 'qmp', 'agent', 'ready'])
  }
  const written = await Promise.all(both.map((vm, i) => say(vm, `echo ${i} > /tmp/who; cat /tmp/who`)))
  expect(written).toEqual(['0', '1'])
  expect(await say(first.machine, 'cat /tmp/who; cat /sys/class/net/eth*/flags')).toBe('0\n0x1002\n0x1002')

  await first.machine.exec('ip link set eth0 address 02:00:00:00:00:01 up; ip addr add 10.1.1.2/24 dev eth0')
  await inNamespace(namespace, ['ip', 'addr', 'add', '10.1.1.1/24', 'dev', 'vm-001t0'])
  await inNamespace(namespace, ['ip', 'link', 'set', 'vm-001t0', 'up'])
  const { stdout } = await inNamespace(namespace, ['ping', '-c', '1', '-W', '5', '10.1.1.2'])
  expect(stdout).toContain('1 received')
  await first.machine.setLink(0, false)
  expect(await say(first.machine, 'cat /sys/class/net/eth0/carrier')).toBe('0')

  await first.machine.stop()
  expect(await first.machine.died).toBeUndefined()
  expect(second.machine.state).toBe('ready')
})

test("a clone with readyWith 'wake' is ready when its guest executes, before its agent has answered", async () => {
  await using early = await clone('vm-001', { readyWith: 'wake' })
  const { machine } = early
  expect(machine.state).toBe('ready')
  expect(machine.milestones.ready).toBeDefined()
  expect(await say(machine, 'echo here')).toBe('here')
  expect(machine.milestones.agent).toBeDefined()
})

test('a clone that panics fails with GUEST_PANIC', async () => {
  await using dying = await clone('vm-001')
  await dying.machine.ready
  const pending = dying.machine.exec('echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger')
  await expect(pending).rejects.toMatchObject({ code: 'GUEST_PANIC' })
})

describe('failing clone', () => {
  test('a clone of a template of another shape is refused before QEMU starts', async () => {
    const [small, alone] = [{ memoryMiB: 64 }, { nics: [] }]
    for (const change of [small, alone]) {
      const started = guestSpec(cache.path, { nics: [nicOn(0), nicOn(1)], ...change, template })
      await expect(started.then(spec => startVm(spec))).rejects.toMatchObject({ code: 'TEMPLATE_MISMATCH' })
    }
  })

  test("a template state that QEMU cannot load fails the clone with CLONE_FAILED and QEMU's own words", async () => {
    const other = { ...template, state: template.ram, close: template.close }
    const taps = await openTaps(['x0', 'x1'], { namespace, vnetHdr: true })
    const nics = taps.map((tap, index) => nicOn(index, tap))
    const spec = await guestSpec(cache.path, {
      nics,
      template: { ...other, [Symbol.asyncDispose]: template.close },
    })
    await expect(startVm(spec)).rejects.toMatchObject({
      code: 'CLONE_FAILED',
      reason: expect.stringMatching(/QEMU said:[\s\S]*migration/),
    })
    for (const tap of taps) await tap.close()
  })
})

test('a damaged template is made again with one notice, and an aborted attempt leaves nothing behind', async () => {
  const directory = join(templatesIn(cache.path), template.key)
  truncateSync(join(directory, fileNames.ram), 1 << 20)
  // One that is open here is not read again: a copy of its manifest is a file that no process holds.
  const held = await openTemplate(shape, options())
  await held.close()
  const manifest = join(directory, fileNames.manifest)
  copyFileSync(manifest, `${manifest}.copy`)
  renameSync(`${manifest}.copy`, manifest)
  const notices: string[] = []
  const controller = new AbortController()
  const abort = (step: TemplateStep) => step === 'warm' && controller.abort()
  const aborted = openTemplate(
    shape,
    options({ notice: text => notices.push(text), signal: controller.signal, onStep: abort }),
  )
  await expect(aborted).rejects.toMatchObject({ code: 'START_ABORTED' })
  expect(notices).toEqual([expect.stringMatching(/is damaged, and is made again: ram: it has 1048576 bytes/)])

  const again = await openTemplate(shape, options())
  expect(again.key).toBe(template.key)
  await again.close()
  const state = readFileSync(join(directory, fileNames.state))
  state[1000]! ^= 1
  writeFileSync(join(directory, fileNames.state), state)
  await using clean = await openTemplate(shape, options({ notice: text => notices.push(text) }))
  expect(notices).toHaveLength(2)
  expect(clean.key).toBe(template.key)
})

test("a template whose guest panics fails with the console's last lines", async () => {
  const bad = { ...shape, append: 'rdinit=/nope init=/nope', image: 'without an init' }
  const opened = openTemplate(bad, options())
  await expect(opened).rejects.toMatchObject({
    code: 'GUEST_PANIC',
    message: expect.stringMatching(/^run template: Kernel panic[\s\S]*the console's last lines:/),
  })
})

test('a template whose emulated guest resets without a word is booted a second time, with a notice', async () => {
  const notices: string[] = []
  const append = 'printk.time=0 rdinit=/nope init=/nope' // without its time a panic is none of the kernel's words
  const bad = { ...shape, append, image: 'one that resets' }
  const opened = openTemplate(bad, options({ notice: text => notices.push(text) }))
  await expect(opened).rejects.toMatchObject({ code: 'BOOT_BROKEN' })
  expect(notices).toEqual([
    'A template is booted a second time: the guest reset while its kernel booted, without a word',
  ])
})
