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
  if (event.event === 'notice') return `notice ${event.text}`
  if (event.event === 'step') return `step ${event.step} ${event.state}`
  return event.event === 'node'
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

describe('a start', () => {
  test('ends with all nodes ready, and stop leaves nothing of it', async () => {
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

  test('tells the life of a clone in order: QEMU, wake-up, configuration, ready', async () => {
    const world = new FakeWorld()
    const { lines, onEvent } = recorder()
    await using _ = await world.start({ nvm: 1, nrouters: 0 }, { onEvent })
    expect(about(lines, 'vm-001')).toEqual([
      'node starting',
      'milestone spawned',
      'milestone qmp',
      'milestone agent',
      'node booting', // it executes, for the first time
      'node configuring',
      'milestone identity',
      'milestone ready',
      'node ready',
    ])
  })

  test('tells the life of a node that boots, with the kernel and init between', async () => {
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

  test('takes its steps in order, each begun before it is ended', async () => {
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

  test('opens one template for each shape of nodes, not for each node', async () => {
    const world = new FakeWorld()
    await using _ = await world.start({ nvm: 5, nrouters: 2, ntesters: 1, mem3: 256 })
    expect(world.templates.map(({ memoryMiB, nics }) => `${memoryMiB} MiB, ${nics.length} NICs`)).toEqual([
      '128 MiB, 2 NICs',
      '256 MiB, 2 NICs',
      '128 MiB, 3 NICs',
    ])
  })

  test('tells a clone its identity in one message, and a node that booted what init does not do', async () => {
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

  test('starts at first as many VMs as the processors have work for', async () => {
    const world = new FakeWorld()
    let most = 0
    world.vms.before = () => {
      most = Math.max(most, world.vms.alive.filter(vm => vm.guest.told.length === 0).length + 1)
    }
    await using _ = await world.start({ nvm: 40, nrouters: 0 })
    expect(world.vms.started).toHaveLength(40)
    expect(most).toBe(8 * world.processors) // clones (host/start-limit.ts)
  })

  test('gives the forwarder the names of its nodes', async () => {
    const world = new FakeWorld()
    await using cluster = await world.start()
    expect(world.names).toEqual([])
    expect(cluster.status().dns).toEqual({ address: '192.168.0.250', port: 53 })
  })

  test('empties the console files of an earlier cluster of its name, and no others', async () => {
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

  test('keeps consoles in a directory of its own that goes away with the cluster', async () => {
    const cluster = await new FakeWorld().start({ nvm: 1, nrouters: 0 })
    const { console } = cluster.status().nodes[0]!
    expect(existsSync(console)).toBe(true)
    await cluster.stop()
    expect(existsSync(console)).toBe(false)
  })
})

describe('a start that fails', () => {
  const points: readonly Point[] = ['host', 'network', 'dns', 'template']

  test.each(points)('at %s throws that reason and takes back all that was opened', async point => {
    const world = new FakeWorld()
    world.at = reached => {
      if (reached === point) throw broken(`${point} is broken`)
    }
    const start = world.start()
    // A template is no more than a faster way: without one, nodes boot.
    if (point === 'template') await (await start).stop()
    else await expect(start).rejects.toMatchObject({ reason: `${point} is broken` })
    nothingLeft(world)
  })

  test('for lack of memory refuses before it opens anything', async () => {
    const world = new FakeWorld()
    world.freeMiB = 100
    await expect(world.start()).rejects.toMatchObject({ code: 'NOT_ENOUGH_MEMORY' })
    expect(world.vms.started).toEqual([])
    nothingLeft(world)
  })

  test('because one guest panics names that node, and ends the others', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-002', { panics: true })
    const { lines, onEvent } = recorder()
    const start = world.start({ clone: 'off' }, { onEvent })
    await expect(start).rejects.toMatchObject({ code: 'GUEST_PANIC', target: 'vm-002' })
    expect(lines.filter(line => line.endsWith('failed'))).toEqual(['node vm-002 failed'])
    nothingLeft(world)
  })

  test('because QEMU refuses its options says it in the words of QEMU', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-001', { refuses: 'qemu-system-x86_64: invalid option' })
    const start = world.start({ clone: 'off', nvm: 1, nrouters: 0 })
    await expect(start).rejects.toMatchObject({ code: 'QEMU_DIED', target: 'vm-001' })
    await expect(start).rejects.toThrow('invalid option')
    nothingLeft(world)
  })

  test('because a guest cannot carry out its configuration names the step', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-201', { answers: ({ number }) => `${number} failed 0 28 \n` })
    const start = world.start()
    await expect(start).rejects.toMatchObject({ code: 'NODE_CONFIG', target: 'vm-201' })
    await expect(start).rejects.toThrow('No space left on device (ENOSPC)')
    nothingLeft(world)
  })

  test('because a node that was ready dies before the others are names that node', async () => {
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

  test('because it takes too long names the nodes that are not ready', async () => {
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

  test('because a guest is silent for 120 s names that guest', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-001', { hangs: true })
    const start = world.start({ nvm: 1, nrouters: 0, clone: 'off' })
    start.catch(() => {})
    await world.vms.start('vm-001')
    await world.turns()
    world.manual.pass(120_000)
    await expect(start).rejects.toMatchObject({ code: 'BOOT_TIMEOUT', target: 'vm-001' })
    nothingLeft(world)
  })
})

describe('a start without a template', () => {
  test('boots the nodes, with a notice that says why', async () => {
    const world = new FakeWorld()
    world.at = point => {
      if (point === 'template') throw new VmError({ code: 'TEMPLATE_FAILED', reason: 'no space left' })
    }
    const { lines, onEvent } = recorder()
    await using _ = await world.start({ nvm: 1, nrouters: 0 }, { onEvent })
    expect(lines).toContain('notice nodes like vm-001 have no template and are booted: no space left')
    expect(world.vms.get('vm-001').cloned).toBe(false)
  })

  test('fails at once where the guest never became ready: nodes that boot would take as long', async () => {
    const world = new FakeWorld()
    world.at = point => {
      const cause = new VmError({ code: 'BOOT_TIMEOUT', target: 'template', reason: 'not ready after 120 s' })
      if (point === 'template') throw new VmError({ code: 'TEMPLATE_FAILED', reason: 'silent', cause })
    }
    await expect(world.start()).rejects.toMatchObject({ code: 'TEMPLATE_FAILED' })
    expect(world.vms.started).toEqual([])
    nothingLeft(world)
  })

  test('boots a clone that does not wake up, and says so once for all of them', async () => {
    const world = new FakeWorld()
    for (const name of ['vm-001', 'vm-002']) world.vms.behave(name, { wakes: false }, {})
    const { lines, onEvent } = recorder()
    await using cluster = await world.start({ nrouters: 0 }, { onEvent })
    expect(lines.filter(line => line.startsWith('notice'))).toEqual([
      expect.stringMatching(
        /^notice a clone did not wake up and is booted instead \(.*Invalid argument.*\)$/,
      ),
    ])
    expect(world.vms.started.map(vm => vm.cloned)).toEqual([true, true, false, false])
    expect(cluster.status().nodes.map(({ state }) => state)).toEqual(['ready', 'ready'])
  })

  test('fails with the second reason where the node that boots in place of a clone fails too', async () => {
    const world = new FakeWorld()
    world.vms.behave('vm-001', { wakes: false }, { panics: true })
    await expect(world.start({ nvm: 1, nrouters: 0 })).rejects.toMatchObject({ code: 'GUEST_PANIC' })
    nothingLeft(world)
  })
})

describe('a start that is cancelled', () => {
  test('before it begins opens nothing', async () => {
    const world = new FakeWorld()
    const start = world.start({}, { signal: AbortSignal.abort() })
    await expect(start).rejects.toMatchObject({ code: 'START_CANCELLED' })
    expect(world.vms.started).toEqual([])
    nothingLeft(world)
  })

  const points: readonly Point[] = ['host', 'network', 'dns', 'template']
  test.each(points)('at %s says so and takes back all that was opened', async point => {
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
  test.each(moments)('at "%s" ends every VM, and says so', async moment => {
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

  test('while a VM is being spawned waits for that and ends it', async () => {
    const world = new FakeWorld()
    const abort = new AbortController()
    world.vms.before = () => abort.abort()
    const start = world.start({ nvm: 1, nrouters: 0 }, { signal: abort.signal })
    await expect(start).rejects.toMatchObject({ code: 'START_CANCELLED' })
    nothingLeft(world)
  })

  test('keeps the reason of whoever cancelled as the cause', async () => {
    const world = new FakeWorld()
    const abort = new AbortController()
    world.at = () => abort.abort(new Error('the user typed Ctrl-C'))
    const start = world.start({}, { signal: abort.signal })
    await expect(start).rejects.toMatchObject({ cause: { message: 'the user typed Ctrl-C' } })
  })

  test('after it is ready has no effect', async () => {
    const world = new FakeWorld()
    const abort = new AbortController()
    await using cluster = await world.start({}, { signal: abort.signal })
    abort.abort()
    await world.turns()
    expect(cluster.state).toBe('ready')
    expect(world.vms.alive).toHaveLength(3)
  })
})
