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

// The default cluster with a tester, of a user without any privileges, on a host that no other program uses.
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

test('an unprivileged user gets the same cluster as root: all nodes are ready and reach each other', ({
  skip,
}) => {
  skip(why !== undefined, why)
  expect(status.nodes.map(({ id, state }) => `${id} ${state}`)).toEqual(
    [1, 2, 3, 4, 201, 202, 221].map(id => `${id} ready`),
  )
  expect(status.check).toMatchObject({ ok: true })
  expect(status).toMatchObject({ fabric: 'bridge' })
})

test('the nodes of an unprivileged user are clones of templates that this user has made', ({ skip }) => {
  skip(why !== undefined, why)
  for (const { milestones } of status.nodes) expect(milestones.kernel).toBeUndefined()
})

test('the status of a rootless cluster names its namespaces, which nsenter can enter', ({ skip }) => {
  skip(why !== undefined, why)
  const links = JSON.parse(inside(['ip', '-j', 'link'])) as { ifname: string }[]
  expect(links.map(({ ifname }) => ifname)).toEqual(
    expect.arrayContaining(['xcbr0', 'xcbr0_t1', 'xcbr2_t221']),
  )
  expect(inside(['ping', '-c1', '-W2', '192.168.0.1'])).toContain(' 0% packet loss')
})

test('QEMUs of a rootless cluster run as the user, in its namespaces, without capabilities', ({ skip }) => {
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

test('a rootless cluster does not change the host, and leaves nothing behind', async ({ skip }) => {
  skip(why !== undefined, why)
  expect(differences(before, await outside.looks())).toEqual([])
  await xc.good(['stop'])
  expect(differences(before, await outside.looks())).toEqual([])
  await census.expectUnchanged()
})

test('a rootless cluster with an uplink by pasta reaches the internet, and does not change the host', async ({
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

test('an unprivileged user without access to /dev/net/tun gets a user-space cluster, with a notice', async ({
  skip,
}) => {
  skip(why !== undefined, why)
  const barred = new Xc({ user, host: outside.host, tunMode: '0600' })
  const { stdout, stderr } = await barred.run(['start', '--nvm', '1', '--nrouters', '0', '--json'])
  expect(stderr).toContain('chmod 0666 /dev/net/tun')
  expect(JSON.parse(stdout)).toMatchObject({ fabric: 'user', netns: '' })
  await barred.good(['stop'])
  await census.expectUnchanged()
})
