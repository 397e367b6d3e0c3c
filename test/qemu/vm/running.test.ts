import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Machine } from '../../../src/vm/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { openFds } from '../../support/processes.ts'
import { logDirectory, printed, readyVm, someone, textOf } from './guest.ts'

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

test('passes its milestones in order, each with a time', () => {
  const passed = Object.entries(machine.milestones)
  expect(passed.map(([name]) => name)).toEqual(['spawned', 'qmp', 'kernel', 'init', 'agent', 'ready'])
  const times = passed.map(([, at]) => at)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(machine.state).toBe('ready')
})

describe('exec', () => {
  test('bytes go in and come out as they are, on both outputs', async () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i)
    const { status, stdout, stderr } = await machine.exec('cat; printf "\\377\\000x" >&2', { input: all })
    expect(status).toBe(0)
    expect(Buffer.from(stdout)).toEqual(Buffer.from(all))
    expect([...stderr]).toEqual([255, 0, 120])
  })

  test('gives the status, or the signal that ended it', async () => {
    expect(await machine.exec(['sh', '-c', 'exit 37'])).toMatchObject({ status: 37 })
    expect(await machine.exec('kill -TERM $$')).toMatchObject({ status: 143, signal: 15 })
  })

  test('two at once: each waits for its own', async () => {
    const [first, second] = await Promise.all([
      machine.exec('while [ ! -e /tmp/go ]; do sleep 0.01; done; echo first'),
      machine.exec('touch /tmp/go; echo second'),
    ])
    expect([textOf(first.stdout), textOf(second.stdout)]).toEqual(['first\n', 'second\n'])
  })

  test('a command that takes too long is given up, and the next one works', async () => {
    await expect(machine.exec('sleep 1000', { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'QMP_TIMEOUT',
    })
    expect(await machine.exec('kill $(pidof sleep)')).toMatchObject({ status: 0 })
  })

  test('a program that is not there is refused in the words of the guest', async () => {
    await expect(machine.exec(['/no/such/program'])).rejects.toThrow(/No such file or directory/)
  })
})

test('an agent that dies is missed at once, and used again when it is back', async () => {
  await expect(machine.exec('kill $(pidof qemu-ga); sleep 1000')).rejects.toMatchObject({
    code: 'AGENT_LOST',
  })
  expect(textOf((await machine.exec('echo back')).stdout)).toBe('back\n')
})

test('the console can be typed on, read, and is in the log', async () => {
  const answer = printed(machine, /a-42/)
  machine.console.write('echo a-$((6 * 7))\n')
  await answer
  expect(machine.console.lastLines()).toContain('a-42')
  expect(readFileSync(`${logs.path}/vm-001.log`, 'latin1')).toContain('a-42')
})

test('a cable can be pulled and plugged', async () => {
  const carrier = async () => textOf((await machine.exec('cat /sys/class/net/eth0/carrier')).stdout).trim()
  expect(await carrier()).toBe('1')
  await machine.setLink(0, false)
  expect(await carrier()).toBe('0')
  await machine.setLink(0, true)
  expect(await carrier()).toBe('1')
  await expect(machine.setLink(1, true)).rejects.toMatchObject({ code: 'NO_SUCH_NIC' })
})

test('QEMU is nobody: its own user, no capabilities, no way back, sandboxed', () => {
  const status = readFileSync(`/proc/${machine.pid}/status`, 'utf8')
  const field = (name: string) => status.match(new RegExp(`^${name}:[ \\t]*(.*?) *$`, 'm'))?.[1]?.split(/\s+/)
  expect(field('Uid')).toEqual(Array(4).fill(String(someone.uid)))
  expect(field('Gid')).toEqual(Array(4).fill(String(someone.gid)))
  expect(field('Groups')).toEqual([''])
  expect(field('CapEff')).toEqual(['0000000000000000'])
  expect(field('CapPrm')).toEqual(['0000000000000000'])
  expect(field('NoNewPrivs')).toEqual(['1'])
  expect(field('Seccomp')).toEqual(['2'])
  expect(readFileSync(`/proc/${machine.pid}/environ`, 'utf8')).toBe('')
})

test('QEMU has nothing of ours but its four wires and its two boot files', () => {
  const fds = [...openFds(machine.pid)]
  const ours = fds.filter(([fd]) => fd > 2 && fd < 9).map(([, what]) => what.replace(/\d+/g, 'N'))
  expect(ours.slice(0, 4)).toEqual(Array(4).fill('socket:[N]'))
  expect(ours.slice(4)).toEqual([expect.stringMatching(/vmlinux$/), expect.stringMatching(/initramfs$/)])
  const rest = fds.filter(([fd]) => fd >= 9).map(([, what]) => what)
  expect(rest.filter(what => !what.startsWith('anon_inode:'))).toEqual([])
})

test('stops when asked, and then says so', async () => {
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
