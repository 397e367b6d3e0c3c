import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ProgressEvent } from '../../../src/api/index.ts'
import { VmError } from '../../../src/vm/errors.ts'
import { broken, FakeWorld, type Point } from '../../support/fake-world.ts'
import { nothingLeft } from '../../support/nothing-left.ts'

/** An event as one line: `node vm-001 ready`, `step network begin`. */
function line(event: ProgressEvent): string {
  if (event.type === 'notice') return `notice ${event.text}`
  if (event.type === 'step') return `step ${event.step} ${event.state}`
  return event.type === 'node'
    ? `node ${event.name} ${event.state}`
    : `milestone ${event.name} ${event.milestone}`
}

/** Collects a start's events as lines. */
function recorder() {
  const lines: string[] = []
  return { lines, onEvent: (event: ProgressEvent) => void lines.push(line(event)) }
}

const about = (lines: readonly string[], name: string) =>
  lines.filter(line => line.includes(name)).map(line => line.replace(`${name} `, ''))

describe('start', () => {
  test('a start ends with all nodes ready, and a stop leaves nothing behind', async () => {
    const world = new FakeWorld()
    const cluster = await world.start()
    expect(cluster.status().nodes.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'vm-001 ready',
      'vm-002 ready',
      'vm-201 ready',
    ])
    expect(world.open).toEqual(['network', 'dns', 'template of 2 NICs', 'template of 3 NICs'])
    await cluster.stop()
    nothingLeft(world)
  })

  test('the events of a clone come in order: QEMU, resume, configuration, ready', async () => {
    const world = new FakeWorld()
    const { lines, onEvent } = recorder()
    await using _ = await world.start({ nvm: 1, nrouters: 0 }, { onEvent })
    expect(about(lines, 'vm-001')).toEqual([
      'node starting',
      'milestone spawned',
      'milestone qmp',
      'milestone agent',
      'node booting', // the guest executes now
      'node configuring',
      'milestone identity',
      'milestone ready',
      'node ready',
    ])
  })

  test('a node that boots has milestones of its kernel and init', async () => {
    const world = new FakeWorld()
    const { lines, onEvent } = recorder()
    await using _ = await world.start({ nvm: 1, nrouters: 0, clone: 'off' }, { onEvent })
    const milestones = about(lines, 'vm-001').filter(line => line.startsWith('milestone'))
    expect(milestones).toEqual([
      'milestone spawned',
      'milestone qmp',
      'milestone kernel',
      'milestone init',
      'milestone agent',
      'milestone identity',
      'milestone ready',
    ])
    expect(world.templates).toEqual([])
  })

  test('the steps of a start begin and end in order', async () => {
    const world = new FakeWorld()
    const { lines, onEvent } = recorder()
    await using _ = await world.start({}, { onEvent })
    const steps = lines.filter(line => line.startsWith('step'))
    expect(steps.slice(0, 2)).toEqual(['step image begin', 'step network begin'])
    expect(steps.slice(-4)).toEqual([
      'step vms begin',
      'step configure begin',
      'step vms end',
      'step configure end',
    ])
  })

  test('a start opens one template for each shape of nodes, not for each node', async () => {
    const world = new FakeWorld()
    await using _ = await world.start({ nvm: 5, nrouters: 2, ntesters: 1, mem3: 256 })
    expect(world.templates.map(({ memoryMiB, nics }) => `${memoryMiB} MiB, ${nics.length} NICs`)).toEqual([
      '128 MiB, 2 NICs',
      '256 MiB, 2 NICs',
      '128 MiB, 3 NICs',
    ])
  })

  test('a clone is configured by one message, and a node that booted gets fewer steps', async () => {
    const world = new FakeWorld()
    await using _cloned = await world.start({ nvm: 1, nrouters: 0 })
    const clone = world.vms.get('vm-001').guest.told
    expect(clone).toHaveLength(1)
    const text = Buffer.concat(clone[0]!.steps.map(({ payload }) => payload)).toString('latin1')
    expect(text).toContain('/etc/hostname\0vm-001\n')
    const other = new FakeWorld()
    await using _booted = await other.start({ nvm: 1, nrouters: 0, clone: 'off' })
    const [booted] = other.vms.get('vm-001').guest.told
    expect(booted!.steps.length).toBeLessThan(clone[0]!.steps.length)
  })

  test('a start begins with as many VMs as the processors have capacity for', async () => {
    const world = new FakeWorld()
    let most = 0
    world.vms.before = () => {
      most = Math.max(most, world.vms.alive.filter(vm => vm.guest.told.length === 0).length + 1)
    }
    await using _ = await world.start({ nvm: 40, nrouters: 0 })
    expect(world.vms.started).toHaveLength(40)
    expect(most).toBe(8 * world.processors) // clones (host/start-limit.ts)
  })

  test('the DNS forwarder is in the status, and its names need no update after a start', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start()
    expect(world.names).toEqual([])
    expect(cluster.status().dns).toEqual({ address: '192.168.0.250', port: 53 })
  })

  test('a start removes the console logs of an earlier cluster with its name, and no others', async () => {
    const logs = mkdtempSync(join(tmpdir(), 'xcluster-unit-'))
    try {
      for (const name of ['vm-001', 'vm-099']) writeFileSync(join(logs, `${name}.log`), 'earlier\n')
      const world = new FakeWorld()
      await using _ = await world.start({ nvm: 1, nrouters: 0 }, { logs })
      expect(readFileSync(join(logs, 'vm-001.log'), 'utf8')).not.toContain('earlier')
      expect(readFileSync(join(logs, 'vm-099.log'), 'utf8')).toBe('earlier\n')
    } finally {
      rmSync(logs, { recursive: true })
    }
  })

  test('console logs are by default in a temporary directory that stop removes', async () => {
    const cluster = await new FakeWorld().start({ nvm: 1, nrouters: 0 })
    const { console } = cluster.status().nodes[0]!
    expect(existsSync(console)).toBe(true)
    await cluster.stop()
    expect(existsSync(console)).toBe(false)
  })
})

describe('failing start', () => {
  const points: readonly Point[] = ['host', 'network', 'dns', 'template']

  test.each(points)('a failure at %s leaves nothing open, and is the reason of the start', async point => {
    const world = new FakeWorld()
    world.at = reached => {
      if (reached === point) throw broken(`${point} is broken`)
    }
    const start = world.start()
    // Templates only make a start faster: without one, nodes boot.
    if (point === 'template') await (await start).stop()
    else await expect(start).rejects.toMatchObject({ reason: `${point} is broken` })
    nothingLeft(world)
  })

  test('a start that lacks memory is refused before it opens anything', async () => {
    const world = new FakeWorld()
    world.freeMiB = 100
    await expect(world.start()).rejects.toMatchObject({ code: 'NOT_ENOUGH_MEMORY' })
    expect(world.vms.started).toEqual([])
    nothingLeft(world)
  })

  test('a guest that panics fails the start with its name, and the other nodes end', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-002', { panics: true })
    const { lines, onEvent } = recorder()
    const start = world.start({ clone: 'off' }, { onEvent })
    await expect(start).rejects.toMatchObject({ code: 'GUEST_PANIC', target: 'vm-002' })
    expect(lines.filter(line => line.endsWith('failed'))).toEqual(['node vm-002 failed'])
    nothingLeft(world)
  })

  test('an emulated guest that breaks while its kernel boots is booted a second time, and not a third', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-002', { breaks: true }, {})
    const { lines, onEvent } = recorder()
    const cluster = await world.start({ clone: 'off' }, { onEvent })
    expect(cluster.status().nodes.every(({ state }) => state === 'ready')).toBe(true)
    expect(world.vms.started.filter(({ spec }) => spec.name === 'vm-002')).toHaveLength(2)
    const notice = 'vm-002 is booted a second time: the guest reset while its kernel booted, without a word'
    expect(lines.filter(line => line.includes('second time'))).toEqual([expect.stringContaining(notice)])
    await cluster.stop()
    nothingLeft(world)

    const again = new FakeWorld()
    again.vms.behave('vm-002', { breaks: true })
    await expect(again.start({ clone: 'off' })).rejects.toMatchObject({
      code: 'BOOT_BROKEN',
      target: 'vm-002',
    })
    expect(again.vms.started.filter(({ spec }) => spec.name === 'vm-002')).toHaveLength(2)
    nothingLeft(again)
  })

  test("a QEMU that refuses its options fails the start with QEMU's own words", async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-001', { refuses: 'qemu-system-x86_64: invalid option' })
    const start = world.start({ clone: 'off', nvm: 1, nrouters: 0 })
    await expect(start).rejects.toMatchObject({ code: 'QEMU_DIED', target: 'vm-001' })
    await expect(start).rejects.toThrow('invalid option')
    nothingLeft(world)
  })

  test('a node whose QEMU is killed while it is configured fails with that death', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-201', { answers: () => undefined })
    const start = world.start()
    start.catch(() => {})
    const router = await world.vms.start('vm-201')
    while (router.guest.told.length === 0) await new Promise(setImmediate)
    await router.hangUp()
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    router.end({ signal: 'SIGKILL' })
    await expect(start).rejects.toMatchObject({
      code: 'QEMU_DIED',
      message: expect.stringContaining('QEMU was killed by SIGKILL'),
    })
    nothingLeft(world)
  })

  test("a guest that cannot carry out its configuration fails the start with the kernel's reason", async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-201', { answers: ({ number }) => `${number} failed 0 28 \n` })
    const start = world.start()
    await expect(start).rejects.toMatchObject({ code: 'NODE_CONFIG', target: 'vm-201' })
    await expect(start).rejects.toThrow('No space left on device (ENOSPC)')
    nothingLeft(world)
  })

  test('a ready node that dies before the others are ready fails the start with its name', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-002', { hangs: true })
    const onEvent = (event: ProgressEvent) => {
      if (line(event) === 'node vm-001 ready') world.vms.get('vm-001').end({ signal: 'SIGSEGV' })
    }
    const start = world.start({ nrouters: 0, clone: 'off' }, { onEvent })
    await expect(start).rejects.toMatchObject({ code: 'QEMU_DIED', target: 'vm-001' })
    await expect(start).rejects.toThrow('SIGSEGV')
    nothingLeft(world)
  })

  test('a start that exceeds its time limit names the nodes that are not ready', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-002', { hangs: true })
    const onEvent = (event: ProgressEvent) => {
      if (line(event) === 'node vm-001 ready') setImmediate(() => world.manual.pass(5000))
    }
    const start = world.start({ nrouters: 0, clone: 'off' }, { timeoutMs: 5000, onEvent })
    await expect(start).rejects.toMatchObject({
      code: 'START_TIMEOUT',
      reason: 'not ready after 5 s: vm-002 is booting',
    })
    nothingLeft(world)
  })

  test('a guest that does not answer in time fails the start with its name', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-001', { hangs: true })
    const start = world.start({ nvm: 1, nrouters: 0, clone: 'off' })
    start.catch(() => {})
    await world.vms.start('vm-001')
    await world.turns()
    world.manual.pass(132_000) // 120 s, and 6 s for each of two emulated processors
    await expect(start).rejects.toMatchObject({ code: 'BOOT_TIMEOUT', target: 'vm-001' })
    nothingLeft(world)
  })
})

describe('start without a template', () => {
  test('nodes boot when their template cannot be made, with a notice of the reason', async () => {
    const world = new FakeWorld()
    world.at = point => {
      if (point === 'template') throw new VmError({ code: 'TEMPLATE_FAILED', reason: 'no space left' })
    }
    const { lines, onEvent } = recorder()
    await using _ = await world.start({ nvm: 1, nrouters: 0 }, { onEvent })
    expect(lines).toContain(
      'notice nodes like vm-001 are booted, because they have no template: no space left',
    )
    expect(world.vms.get('vm-001').cloned).toBe(false)
  })

  test('a start fails at once when the guest of its template never became ready', async () => {
    const world = new FakeWorld()
    world.at = point => {
      const cause = new VmError({ code: 'BOOT_TIMEOUT', target: 'template', reason: 'not ready after 120 s' })
      if (point === 'template') throw new VmError({ code: 'TEMPLATE_FAILED', reason: 'silent', cause })
    }
    await expect(world.start()).rejects.toMatchObject({ code: 'TEMPLATE_FAILED' })
    expect(world.vms.started).toEqual([])
    nothingLeft(world)
  })

  test('clones that cannot resume are booted, and one notice says how many of how many, and why each', async () => {
    const world = new FakeWorld()
    for (const name of ['vm-001', 'vm-002']) world.vms.behave(name, { wakes: 'refused' }, {})
    world.vms.behave('vm-003', { wakes: 'killed' }, {})
    const { lines, onEvent } = recorder()
    await using cluster = await world.start({ nvm: 3 }, { onEvent })
    expect(lines.filter(line => line.startsWith('notice'))).toEqual([
      [
        'notice 3 of 4 clones could not resume and had to boot',
        '  vm-001, vm-002: Invalid argument',
        "  vm-003: QEMU was killed by SIGSEGV (after 'qmp'; its monitor: migrate-incoming without answer)",
      ].join('\n'),
    ])
    expect(world.vms.started.map(vm => vm.cloned)).toEqual([true, true, true, true, false, false, false])
    expect(cluster.status().nodes.map(({ state }) => state)).toEqual(['ready', 'ready', 'ready', 'ready'])
  })

  test('a start fails with the reason of the boot when a clone can neither resume nor boot', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-001', { wakes: 'refused' }, { panics: true })
    await expect(world.start({ nvm: 1, nrouters: 0 })).rejects.toMatchObject({ code: 'GUEST_PANIC' })
    nothingLeft(world)
  })
})

describe('cancelled start', () => {
  test('a start that is cancelled before it begins opens nothing', async () => {
    const world = new FakeWorld()
    const start = world.start({}, { signal: AbortSignal.abort() })
    await expect(start).rejects.toMatchObject({ code: 'START_CANCELLED' })
    expect(world.vms.started).toEqual([])
    nothingLeft(world)
  })

  const points: readonly Point[] = ['host', 'network', 'dns', 'template']
  test.each(points)('a start that is cancelled at %s leaves nothing open', async point => {
    const world = new FakeWorld()
    const abort = new AbortController()
    world.at = reached => {
      if (reached === point) abort.abort()
    }
    const start = world.start({}, { signal: abort.signal })
    await expect(start).rejects.toMatchObject({ code: 'START_CANCELLED', target: 'default' })
    nothingLeft(world)
  })

  const moments = [
    ...['node vm-001 starting', 'milestone vm-001 spawned', 'milestone vm-001 qmp'],
    ...['node vm-001 booting', 'milestone vm-001 agent', 'node vm-001 configuring'],
    ...['milestone vm-001 identity', 'milestone vm-001 ready', 'node vm-001 ready'],
    ...['step vms begin', 'step vms end'],
  ]
  test.each(moments)('a start that is cancelled at "%s" ends every VM', async moment => {
    const world = new FakeWorld()
    const abort = new AbortController()
    const onEvent = (event: ProgressEvent) => {
      if (line(event) === moment) abort.abort()
    }
    // Another one never becomes ready, so the start does not end before it is cancelled.
    if (moment !== 'step vms end') world.vms.behave('vm-002', { hangs: true })
    const start = world.start({}, { signal: abort.signal, onEvent })
    await expect(start).rejects.toMatchObject({ code: 'START_CANCELLED' })
    nothingLeft(world)
  })

  test('a start that is cancelled while a VM is being spawned waits for the VM and ends it', async () => {
    const world = new FakeWorld()
    const abort = new AbortController()
    world.vms.before = () => abort.abort()
    const start = world.start({ nvm: 1, nrouters: 0 }, { signal: abort.signal })
    await expect(start).rejects.toMatchObject({ code: 'START_CANCELLED' })
    nothingLeft(world)
  })

  test('the error of a cancelled start has the reason of the abort as its cause', async () => {
    const world = new FakeWorld()
    const abort = new AbortController()
    world.at = () => abort.abort(new Error('the user typed Ctrl-C'))
    const start = world.start({}, { signal: abort.signal })
    await expect(start).rejects.toMatchObject({ cause: { message: 'the user typed Ctrl-C' } })
  })

  test('an abort after the start has no effect', async () => {
    const world = new FakeWorld()
    const abort = new AbortController()
    await using cluster = await world.start({}, { signal: abort.signal })
    abort.abort()
    await world.turns()
    expect(cluster.state).toBe('ready')
    expect(world.vms.alive).toHaveLength(3)
  })
})
