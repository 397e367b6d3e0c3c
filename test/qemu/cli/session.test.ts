import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Status } from '../../../src/client/index.ts'
import { differences } from '../../support/json-doc.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

// One cluster, as you use it: started, inspected, used, stopped.
const xc = new Xc()
let census: Census
let status: Status & { check: { ok: boolean } }

beforeAll(async () => {
  census = await takeCensus({ directories: [xc.runtime] })
  const args = ['start', '--nvm', '1', '--nrouters', '1', '--ntesters', '1', '--json', '--check']
  status = JSON.parse(await xc.good(args))
})

afterAll(async () => {
  const stopped = await xc.run(['stop', '--json'])
  expect(stopped).toMatchObject({ status: 0, stdout: '{"v":1,"stopped":["default"]}\n', stderr: '' })
  await census.expectUnchanged()
})

test('xc start --json reports that every node is ready and reaches the others', () => {
  expect(differences('xc start', status)).toEqual([])
  expect(status).toMatchObject({
    v: 1,
    name: 'default',
    topology: 'xnet',
    state: 'ready',
    check: { ok: true },
  })
  expect(status.nodes.map(({ id, role, state }) => [id, role, state])).toEqual([
    [1, 'vm', 'ready'],
    [201, 'router', 'ready'],
    [221, 'tester', 'ready'],
  ])
})

test('xc status reports the same as xc start, as JSON and as a table', async () => {
  const { check: _, ...started } = status
  const { stdout, stderr } = await xc.run(['status', '--json'])
  expect(JSON.parse(stdout)).toEqual(started)
  expect(stderr).toBe('')
  const table = await xc.good(['status'])
  expect(table).toContain('cluster default: ready in ')
  expect(table).toMatch(/^221 +vm-221 +tester +ready +\d.*192\.168\.0\.221 +fd00::c0a8:dd$/m)
})

test('xc ls, check, env and doctor print JSON as docs/json.md documents it', async () => {
  const values = await Promise.all(['ls', 'check', 'doctor', 'env'].map(name => xc.good([name, '--json'])))
  const [ls, check, doctor, env] = values.map(text => JSON.parse(text))
  expect(differences('xc ls', ls)).toEqual([])
  expect(ls.clusters).toMatchObject([{ name: 'default', state: 'ready', nodes: 3 }])
  expect(differences('xc check', check)).toEqual([])
  expect(check.pairs.length).toBeGreaterThan(6)
  expect(differences('xc doctor', doctor)).toEqual([])
  expect(differences('xc env', env)).toEqual([])
  expect(await xc.good(['check'])).toMatch(/^reached: IPv4 (\d+) of \1, IPv6 (\d+) of \2\n$/)
})

test('xc exec passes on the exit status, both outputs and piped input', async () => {
  expect(await xc.run(['exec', '1', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'])).toMatchObject({
    status: 7,
    stdout: 'out\n',
    stderr: 'err\n',
  })
  expect(await xc.good(['exec', 'vm-221', '-i', '--', 'wc', '-c'], 'x'.repeat(100_000))).toContain('100000')
  const json = await xc.run(['exec', '1', '--json', '--', 'sh', '-c', 'exit 3'])
  expect(json.status).toBe(3)
  expect(differences('xc exec', JSON.parse(json.stdout))).toEqual([])
  expect((await xc.good(['exec', '201', '--', 'hostname'])).trim()).toBe('vm-201')
})

test.each([
  ['stdout', ''],
  ['stderr', ' >&2'],
])('xc exec passes on a whole megabyte of %s', async (_, to) => {
  const result = await xc.run(['exec', '1', '--', 'sh', '-c', `head -c 1000000 /dev/zero${to}`])
  expect((to ? result.stderr : result.stdout).length).toBe(1_000_000)
  expect(result.status).toBe(0)
})

test('xc exec without -i does not wait for the end of its stdin', async () => {
  const begun = xc.begin(['exec', '1', '--', 'echo', 'done'], 'pipe')
  expect((await begun.result).stdout).toBe('done\n')
})

test.each([
  'status',
  'ls',
  'logs 1',
  'check',
  'doctor --json',
  'exec 1 -- seq 100000',
  'exec 1 --json -- seq 100000',
])(
  'xc %s on a full disk is one sentence with status 1, and silent when its reader has left',
  async command => {
    await xc.good(['exec', '1', '--', 'sh', '-c', 'echo for the log > /dev/console'])
    const full = await xc.inShell(`xc ${command} >/dev/full`).result
    expect(full.stderr).toMatch(/^xc: write standard output: No space left on device\. [^\n]+\.\n$/)
    expect(full.status).toBe(1)
    const left = await xc.inShell(`xc ${command} | true`).result
    expect(left).toMatchObject({ status: 0, stderr: '' })
  },
)

test('all output of xc exec arrives in a pipe whose reader is slow', async () => {
  const slow = xc.inShell('xc exec 1 -- seq 100000 | { sleep 1; md5sum; }; seq 100000 | md5sum')
  const sums = (await slow.result).stdout.split('\n')
  expect(sums[0]).toBe(sums[1])
})

test("xc exec -i reads its input from a shell's pipe", async () => {
  const begun = xc.onTerminal('echo through | xc exec -i 1 -- cat')
  expect((await begun.result).stdout).toContain('through')
})

test('xc exec leaves the rest of a list, or of a script, to the loop or shell that reads it', async () => {
  const loop = 'printf "%s\\n" 1 201 221 | while read -r n; do xc exec "$n" -- hostname; done'
  expect(await xc.inShell(loop).result).toMatchObject({ status: 0, stdout: 'vm-001\nvm-201\nvm-221\n' })
  const script = xc.inShell("sh -s <<'END'\nxc exec 1 -- hostname\necho the rest\nEND\n")
  expect(await script.result).toMatchObject({ status: 0, stdout: 'vm-001\nthe rest\n' })
})

test('xc exec returns when its command has ended, also when that left a program in the background', async () => {
  const { status, stdout } = await xc.run(['exec', '1', '--', 'sh', '-c', 'sleep 1000 & echo left'])
  expect([status, stdout]).toEqual([0, 'left\n'])
})

test('12 MB out of and 8 MB into a guest of 128 MiB arrive whole, and the next xc exec runs', async () => {
  const out = xc.inShell(
    'xc exec 1 -- head -c 12000000 /dev/zero | md5sum; head -c 12000000 /dev/zero | md5sum',
  )
  const sums = (await out.result).stdout.split('\n')
  expect(sums[0]).toBe(sums[1])
  const into = xc.inShell(
    'head -c 8000000 /dev/zero | xc exec -i 1 -- md5sum; head -c 8000000 /dev/zero | md5sum',
  )
  const others = (await into.result).stdout.split('\n')
  expect(others[0]).toBe(others[1])
  expect(await xc.good(['exec', '1', '--', 'echo', 'alive'])).toBe('alive\n')
})

test('four commands at once on one node, with 2 MB of input each, all get it and all are answered', async () => {
  const one = 'head -c 2000000 /dev/zero | xc exec -i 1 --timeout 60 -- wc -c'
  const all = await Promise.all([1, 2, 3, 4].map(() => xc.inShell(one).result))
  expect(all.map(({ stdout, stderr }) => stdout.trim() + stderr)).toEqual(new Array(4).fill('2000000'))
})

test('xc exec --json refuses input over 32 MiB without running its command, and the next one runs', async () => {
  const endless = await xc.inShell('yes | xc exec -i 1 --json -- touch /run/was-run').result
  expect(endless.status).toBe(2)
  expect(endless.stderr).toMatch(/32 MiB.*was not run.*without --json/)
  expect((await xc.run(['exec', '1', '--', 'test', '-e', '/run/was-run'])).status).toBe(1)
})

test('xc start refuses a second cluster of the same name, and the first one keeps running', async () => {
  const second = await xc.run(['start', '--nvm', '1', '--nrouters', '0'])
  expect(second.status).toBe(1)
  expect(second.stderr).toContain('it is already running')
  expect((await xc.run(['status'])).status).toBe(0)
})

test.each([
  { args: ['exec', '9', '--', 'true'], status: 3, words: "no node '9'" },
  { args: ['logs', 'vm-009'], status: 3, words: "no node 'vm-009'" },
  { args: ['vm', 'x'], status: 3, words: "no node 'x'" },
  { args: ['exec', '1'], status: 2, words: 'missing required argument' },
  { args: ['exec', '1', 'ls', '-l'], status: 2, words: 'comes after --' },
  { args: ['stop', '--all', '--name', 'other'], status: 2, words: 'it stops every cluster' },
  { args: ['status', '--name', 'other'], status: 3, words: "no cluster 'other' is running" },
  { args: ['exec', '1', '--timeout', '0.3', '--', 'sleep', '9'], status: 1, words: 'vm-001' },
  { args: ['exec', '1', '-i', '-n', '--', 'true'], status: 2, words: "cannot be used with option '-i" },
  { args: ['exec', '1', '--', 'nope'], status: 127, words: 'run nope on vm-001: No such file' },
  { args: ['exec', '1', '--', '/etc/passwd'], status: 126, words: 'Permission denied' },
])('xc $args is refused with one sentence and status $status', async ({ args, status, words }) => {
  const result = await xc.run(args)
  expect(result).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(words) })
  expect(result.stderr).toMatch(oneSentence)
})

test('xc logs prints the output of a console, and follows it', async () => {
  // The log of a clone is empty at first: it does not have the output of its template.
  await xc.good(['exec', '1', '--', 'sh', '-c', 'echo said first > /dev/console'])
  expect(await xc.good(['logs', '1'])).toContain('said first')
  const follow = xc.begin(['logs', '1', '-f'])
  await follow.says(/said first/)
  await xc.good(['exec', '1', '--', 'sh', '-c', 'echo seen by all > /dev/console'])
  await follow.says(/seen by all/)
  follow.child.kill('SIGINT')
  expect(await follow.result).toMatchObject({ status: 0, stderr: '' })
})

test('xc ends without an error when the reader of its output has closed the pipe', async () => {
  const begun = xc.onTerminal('xc logs 1 | head -1; echo left')
  const { stdout } = await begun.result
  expect(stdout).not.toContain('EPIPE')
  expect(stdout).toContain('left')
})

test('xc vm connects to a console until Ctrl-], and restores the terminal', async () => {
  const session = xc.onTerminal('xc vm 1; echo status $?; stty -a')
  await session.says(/Ctrl-\] leaves/)
  session.child.stdin?.write('\r')
  await session.says(/vm-001:/)
  session.child.stdin?.write('echo $((6 * 7)) $(hostname)\r')
  await session.says(/42 vm-001/)
  session.child.stdin?.write("echo sle''eping; sleep 1000\r")
  await session.says(/sleeping/)
  session.child.stdin?.write('\x03') // Ctrl-C goes to the guest
  await session.says(/\^C.*vm-001:/s)
  session.child.stdin?.write('echo interrupted $((2 + 3))\r')
  await session.says(/interrupted 5/)
  session.child.stdin?.write('\x1d')
  const { stdout } = await session.result
  expect(stdout).toContain('status 0')
  expect(stdout).toMatch(/ icanon/)
  expect(stdout).toMatch(/ echo /)
})

test('xc vm restores the terminal when it is killed by SIGTERM', async () => {
  const session = xc.onTerminal(`sh -c 'echo $$ > ${xc.root}/pid; exec xc vm 1'; stty -a`)
  await session.says(/Ctrl-\] leaves/)
  session.child.stdin?.write('\r')
  await session.says(/vm-001:/)
  process.kill(Number(readFileSync(`${xc.root}/pid`, 'utf8')), 'SIGTERM')
  const { stdout } = await session.result
  expect(stdout).toMatch(/ icanon/)
})
