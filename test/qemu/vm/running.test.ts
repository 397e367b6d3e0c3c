import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Machine } from '../../../src/vm/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { openFds } from '../../support/processes.ts'
import { logDirectory, ownUser, printed, readyVm, textOf } from './guest.ts'

let census: Census
let machine: Machine
const logs = logDirectory()
const nic = {
  args: [
    ...['-netdev', 'user,id=net0,restrict=on'],
    ...['-device', 'virtio-net-pci,netdev=net0,id=nic0,mac=00:00:00:01:00:07,romfile='],
  ],
  fds: [],
}

beforeAll(async () => {
  census = await takeCensus()
  machine = await readyVm(logs.path, { nics: [nic] })
})
afterAll(async () => {
  await machine?.kill()
  logs.remove()
  await census.expectUnchanged()
})

test('a VM passes its milestones in order, each with a time', () => {
  const passed = Object.entries(machine.milestones)
  expect(passed.map(([name]) => name)).toEqual(['spawned', 'qmp', 'kernel', 'init', 'agent', 'ready'])
  const times = passed.map(([, at]) => at)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(machine.state).toBe('ready')
})

describe('exec', () => {
  test('exec passes all bytes unchanged, as input and on both outputs', async () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const { status, stdout, stderr } = await machine.exec('cat; printf "\\377\\000x" >&2', { input: all })
    expect(status).toBe(0)
    expect(Buffer.from(stdout)).toEqual(Buffer.from(all))
    expect([...stderr]).toEqual([255, 0, 120])
  })

  test('exec returns the exit status of a program, or the signal that ended it', async () => {
    expect(await machine.exec(['sh', '-c', 'exit 37'])).toMatchObject({ status: 37 })
    expect(await machine.exec('kill -TERM $$')).toMatchObject({ status: 143, signal: 15 })
  })

  test('two simultaneous calls of exec each get the output of their own program', async () => {
    const [first, second] = await Promise.all([
      machine.exec('while [ ! -e /tmp/go ]; do sleep 0.01; done; echo first'),
      machine.exec('touch /tmp/go; echo second'),
    ])
    expect([textOf(first.stdout), textOf(second.stdout)]).toEqual(['first\n', 'second\n'])
  })

  test('exec fails with QMP_TIMEOUT for a program that takes too long, and the next exec works', async () => {
    await expect(machine.exec('sleep 1000', { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'QMP_TIMEOUT',
    })
    expect(await machine.exec('kill $(pidof sleep)')).toMatchObject({ status: 0 })
  })

  test("exec of a missing program fails with the guest's own words", async () => {
    await expect(machine.exec(['/no/such/program'])).rejects.toThrow(/No such file or directory/)
  })
})

test('exec fails at once when the agent dies, and works again when the agent is back', async () => {
  await expect(machine.exec('kill $(pidof qemu-ga); sleep 1000')).rejects.toMatchObject({
    code: 'AGENT_LOST',
  })
  expect(textOf((await machine.exec('echo back')).stdout)).toBe('back\n')
})

test('a console takes input and shows output, which is also in its log', async () => {
  const answer = printed(machine, /a-42/)
  machine.console.write('echo a-$((6 * 7))\n')
  await answer
  expect(machine.console.lastLines()).toContain('a-42')
  expect(readFileSync(`${logs.path}/vm-001.log`, 'latin1')).toContain('a-42')
})

test('setLink takes the carrier of a NIC away and gives it back', async () => {
  const carrier = async () => textOf((await machine.exec('cat /sys/class/net/eth0/carrier')).stdout).trim()
  expect(await carrier()).toBe('1')
  await machine.setLink(0, false)
  expect(await carrier()).toBe('0')
  await machine.setLink(0, true)
  expect(await carrier()).toBe('1')
  await expect(machine.setLink(1, true)).rejects.toMatchObject({ code: 'NO_SUCH_NIC' })
})

test('QEMU runs as its own user, without capabilities, with no_new_privs and a seccomp filter', () => {
  const status = readFileSync(`/proc/${machine.pid}/status`, 'utf8')
  const field = (name: string) => status.match(new RegExp(`^${name}:[ \\t]*(.*?) *$`, 'm'))?.[1]?.split(/\s+/)
  expect(field('Uid')).toEqual(Array(4).fill(String(ownUser.uid)))
  expect(field('Gid')).toEqual(Array(4).fill(String(ownUser.gid)))
  expect(field('Groups')).toEqual([''])
  expect(field('CapEff')).toEqual(['0000000000000000'])
  expect(field('CapPrm')).toEqual(['0000000000000000'])
  expect(field('NoNewPrivs')).toEqual(['1'])
  expect(field('Seccomp')).toEqual(['2'])
})

test('QEMU puts off giving memory back, and has nothing else in its environment', () => {
  expect(readFileSync(`/proc/${machine.pid}/environ`, 'utf8')).toBe('LD_PRELOAD=/proc/self/fd/9\0')
  expect(readFileSync(`/proc/${machine.pid}/maps`, 'utf8')).toContain('xcluster-qemu.so')
})

test('QEMU inherits no file descriptors except its four sockets, two boot files and what it loads first', () => {
  const fds = [...openFds(machine.pid)]
  const ours = fds.filter(([fd]) => fd > 2 && fd < 10).map(([, what]) => what.replace(/\d+/g, 'N'))
  expect(ours.slice(0, 4)).toEqual(Array(4).fill('socket:[N]'))
  expect(ours.slice(4)).toEqual([
    expect.stringMatching(/vmlinux$/),
    expect.stringMatching(/initramfs$/),
    expect.stringMatching(/xcluster-qemu\.so$/),
  ])
  const rest = fds.filter(([fd]) => fd >= 10).map(([, what]) => what)
  expect(rest.filter(what => !what.startsWith('anon_inode:'))).toEqual([])
})

test('a VM that is stopped reports stopping and stopped, and refuses further commands', async () => {
  const events = machine.events()
  await machine.stop()
  await machine.stop()
  expect(machine.state).toBe('stopped')
  expect(await machine.died).toBeUndefined()
  const seen: unknown[] = []
  for await (const event of events) seen.push(event.type === 'state' && event.state)
  expect(seen).toEqual(['stopping', 'stopped'])
  await expect(machine.exec('true')).rejects.toMatchObject({ code: 'VM_GONE' })
})
