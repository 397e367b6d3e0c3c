import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Status } from '../../../src/client/index.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { OrdinaryUser } from '../../support/ordinary-user.ts'
import { differences, internet, Outside } from '../../support/outside.ts'
import { Xc } from '../../support/xc.ts'

// The default cluster, with a tester, of somebody without any rights, on a host where only he is at work.
const user = new OrdinaryUser()
const why = user.whyNot()
let outside: Outside
let xc: Xc
let census: Census
let before: string[]
let status: Status & { check: { ok: boolean } }

beforeAll(async () => {
  if (why) return
  outside = await new Outside().connect()
  await inNamespace(outside.host, ['ip', 'route', 'add', 'default', 'via', internet.ipv4])
  xc = new Xc({ user, host: outside.host })
  census = await takeCensus({ directories: [xc.runtime] })
  before = await outside.looks()
  status = JSON.parse(await xc.good(['start', '--ntesters', '1', '--check', '--json']))
})
afterAll(() => outside?.[Symbol.asyncDispose]())

const asUser = (command: readonly string[]) => {
  const [file, ...args] = user.command(command)
  return execFileSync(file!, args, { env: user.env, encoding: 'utf8' })
}
const inside = (command: readonly string[]) =>
  asUser([
    'nsenter',
    `--user=${status.userns}`,
    `--net=${status.netns}`,
    '--preserve-credentials',
    ...command,
  ])

test('it is the cluster that root gets: all are ready and reach each other', ({ skip }) => {
  skip(why !== undefined, why)
  expect(status.nodes.map(({ id, state }) => `${id} ${state}`)).toEqual(
    [1, 2, 3, 4, 201, 202, 221].map(id => `${id} ready`),
  )
  expect(status.check).toMatchObject({ ok: true })
  expect(status).toMatchObject({ fabric: 'bridge' })
})

test('its nodes were cloned from templates that he has made', ({ skip }) => {
  skip(why !== undefined, why)
  for (const { milestones } of status.nodes) expect(milestones.kernel).toBeUndefined()
})

test('status names its namespaces, and nsenter finds links and nodes there', ({ skip }) => {
  skip(why !== undefined, why)
  const links = JSON.parse(inside(['ip', '-j', 'link'])) as { ifname: string }[]
  expect(links.map(({ ifname }) => ifname)).toEqual(
    expect.arrayContaining(['xcbr0', 'xcbr0_t1', 'xcbr2_t221']),
  )
  expect(inside(['ping', '-c1', '-W2', '192.168.0.1'])).toContain(' 0% packet loss')
})

test('its QEMUs are him, in there, and may do nothing', ({ skip }) => {
  skip(why !== undefined, why)
  for (const { pid } of status.nodes) {
    const said = readFileSync(`/proc/${pid}/status`, 'latin1')
    expect(said).toMatch(new RegExp(`^Uid:(\\t${user.uid}){4}$`, 'm'))
    for (const set of ['Inh', 'Prm', 'Eff', 'Amb']) expect(said).toMatch(new RegExp(`^Cap${set}:\\t0+$`, 'm'))
    expect(said).toMatch(/^NoNewPrivs:\t1$/m)
    for (const [kind, path] of [
      ['net', status.netns],
      ['user', status.userns],
    ] as const)
      expect(readlinkSync(`/proc/${pid}/ns/${kind}`)).toBe(readlinkSync(path!))
  }
})

test('the host is the same with it, and without it again', async ({ skip }) => {
  skip(why !== undefined, why)
  expect(differences(before, await outside.looks())).toEqual([])
  await xc.good(['stop'])
  expect(differences(before, await outside.looks())).toEqual([])
  await census.expectUnchanged()
})

test('with a way out, by pasta, a node gets to the internet, and the host is still the same', async ({
  skip,
}) => {
  skip(why !== undefined, why)
  skip(!existsSync('/usr/bin/pasta'), 'pasta is not installed (package passt)')
  const server = spawn('nsenter', [`--net=${outside.internet.path}`, process.execPath, '-e', greeting])
  const [port] = await once(server.stdout, 'data')
  try {
    await xc.good(['start', '--nvm', '1', '--nrouters', '1', '--uplink', 'on'])
    expect(differences(before, await outside.looks())).toEqual([])
    const url = `http://${internet.ipv4}:${String(port).trim()}/`
    expect(await xc.good(['exec', '1', '--', 'wget', '-qO-', url])).toBe('hello')
    await xc.good(['stop'])
  } finally {
    server.kill()
  }
  expect(differences(before, await outside.looks())).toEqual([])
  await census.expectUnchanged()
})

const greeting = `
  const server = require('http').createServer((_, answer) => answer.end('hello'))
  server.listen(0, () => console.log(server.address().port))`

test('without a tap device for him it is in user space, with a notice', async ({ skip }) => {
  skip(why !== undefined, why)
  const barred = new Xc({ user, host: outside.host, tunMode: '0600' })
  const { stdout, stderr } = await barred.run(['start', '--nvm', '1', '--nrouters', '0', '--json'])
  expect(stderr).toContain('chmod 0666 /dev/net/tun')
  expect(JSON.parse(stdout)).toMatchObject({ fabric: 'user', netns: '' })
  await barred.good(['stop'])
  await census.expectUnchanged()
})
