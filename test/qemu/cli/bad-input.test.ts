import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { places } from '../../../src/base/index.ts'
import { kernelVersion } from '../../../src/image/formats/bzimage.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

// Input that is refused: one sentence on stderr, the right exit status, and nothing left behind.
const xc = new Xc()
const folder = `${xc.root}/input`
let census: Census

beforeAll(async () => {
  mkdirSync(folder)
  writeFileSync(`${folder}/no-kernel`, 'not a kernel')
  writeFileSync(`${folder}/no-qemu`, '#!/bin/sh\necho "not QEMU" >&2; exit 1\n')
  chmodSync(`${folder}/no-qemu`, 0o755)
  census = await takeCensus({ directories: [xc.runtime] })
})

afterAll(() => census.expectUnchanged())

test.each([
  { args: ['strat'], status: 2, words: 'Did you mean start?' },
  { args: ['start', '--nvms', '3'], status: 2, words: 'Did you mean --nvm?' },
  { args: ['start', '--nvm'], status: 2, words: 'argument missing' },
  { args: ['start', '--nvm', '201'], status: 2, words: 'from 0 to 200' },
  { args: ['start', '--nvm', 'many'], status: 2, words: "'many'" },
  { args: ['start', '--nrouters', '21'], status: 2, words: 'from 0 to 20' },
  { args: ['start', '--nvm', '0', '--nrouters', '0'], status: 2, words: 'nvm' },
  { args: ['start', '--nets-vm', '1,2'], status: 2, words: 'begins with 0' },
  { args: ['start', '--mem241', '128'], status: 2, words: 'mem241' },
  { args: ['start', '--topology', 'moebius'], status: 2, words: 'xnet' },
  { args: ['start', '--name', '../up'], status: 2, words: '../up' },
  { args: ['start', '--timeout', 'soon'], status: 2, words: '--timeout' },
  { args: ['start', '--mtu', '9'], status: 2, words: 'mtu' },
  { args: ['start', 'now'], status: 2, words: 'too many arguments' },
  { args: ['status', '--name', 'a/b'], status: 2, words: 'a/b' },
  { args: ['stop'], status: 3, words: "no cluster 'default' is running" },
  { args: ['start', '--mem', '1000000'], status: 4, words: 'MiB are free' },
  { args: ['start', '--kvm', '/nowhere/qemu'], status: 4, words: '/nowhere/qemu' },
  { args: ['start', '--kvm', `${folder}/no-qemu`], status: 4, words: 'no-qemu' },
  { args: ['start', '--kernel', '/nowhere/vmlinuz'], status: 2, words: '/nowhere/vmlinuz' },
])('xc $args is refused with one sentence and status $status', async ({ args, status, words }) => {
  const result = await xc.run(args)
  const errors = result.stderr.split('\n').filter(line => line.startsWith('xc: '))
  expect(errors.join('\n')).toContain(words)
  expect(`${errors.join('\n')}\n`).toMatch(oneSentence)
  expect(result).toMatchObject({ status, stdout: '' })
  expect(result.stderr).not.toMatch(/\n +at /)
  await census.expectUnchanged()
})

test('xc start refuses a file that is not a kernel, and names it', async () => {
  const result = await xc.run(['start', '--kernel', `${folder}/no-kernel`])
  expect(result.status).toBeGreaterThan(0)
  expect(result.stderr).toContain(`${folder}/no-kernel`)
})

test('xc start refuses a kernel that needs modules and has none, with their names', async () => {
  const boot = `${places(process.env, 0).cache}/fetched/root/boot`
  const real = readFileSync(`${boot}/${readdirSync(boot).find(name => name.startsWith('vmlinuz-'))}`)
  const at = real.indexOf(kernelVersion(real))
  writeFileSync(`${folder}/vmlinuz`, real.fill('9', at, at + 1))
  const result = await xc.run(['start', '--kernel', `${folder}/vmlinuz`])
  expect(result).toMatchObject({ status: 4, stdout: '' })
  expect(result.stderr).toMatch(
    /^xc: use kernel \S+\/vmlinuz: it has no virtio_pci, .* and its modules, lib\/modules\/9\.\S+, are nowhere\..*\.$/m,
  )
  await census.expectUnchanged()
})

test("a guest that panics fails xc start at once, with the console's last lines", async () => {
  const result = await xc.run(['start', '--nvm', '1', '--nrouters', '0', '--append', 'rdinit=/nowhere'])
  expect(result.status).toBe(1)
  expect(result.stderr).toMatch(/panic/i)
  expect(result.stderr).not.toMatch(/\n +at /)
  expect(existsSync(`${xc.runtime}/default`)).toBe(false)
  await census.expectUnchanged()
})

test('a guest that is not ready in time fails xc start, which removes everything it had started', async () => {
  const result = await xc.run(['start', '--nvm', '1', '--nrouters', '0', '--no-clone', '--timeout', '0.5'])
  expect(result).toMatchObject({ status: 1, stdout: '' })
  expect(existsSync(`${xc.runtime}/default`)).toBe(false)
  await census.expectUnchanged()
})

test('xc start tells a user without a state directory to set one, and commands that need none work', async () => {
  const withoutHome = (command: string) =>
    xc.inShell(
      `setpriv --reuid 65534 --regid 65534 --clear-groups env -u XDG_RUNTIME_DIR HOME=/nowhere ${command}`,
    )
  const result = await withoutHome('xc start ').result
  expect(result).toMatchObject({ status: 4, stdout: '', stderr: expect.stringContaining('XDG_STATE_HOME') })
  expect(result.stderr).toMatch(oneSentence)
  expect(await withoutHome('xc start --dry-run').result).toMatchObject({ status: 0, stderr: '' })
  expect((await withoutHome('xc status ').result).status).toBe(3)
})

test('xc start and xc doctor report that /dev/net/tun is missing', async () => {
  const without = (command: string) =>
    xc.inShell(`unshare --mount sh -c 'mount -t tmpfs none /dev/net && exec ${command}'`)
  const result = await without('xc start --fabric bridge').result
  expect(result).toMatchObject({ status: 4, stdout: '', stderr: expect.stringContaining('no /dev/net/tun') })
  await census.expectUnchanged()
  expect((await without('xc doctor').result).stdout).toMatch(/^note {2}network: .*no \/dev\/net\/tun/m)
  const doctor = await without('xc doctor --fabric bridge --json').result
  expect(doctor.status).toBe(4)
  const { ok, checks } = JSON.parse(doctor.stdout)
  expect(ok).toBe(false)
  expect(checks.find(({ name }: { name: string }) => name === 'network')).toMatchObject({
    ok: false,
    found: expect.stringContaining('no /dev/net/tun'),
    remedy: expect.stringContaining('modprobe tun'),
  })
})

test.each([[['help', 'nope']], [['nope', '--help']], [['nope']]])(
  'xc %j names the unknown command, with status 2',
  async args => {
    const { status, stdout, stderr } = await xc.run(args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(oneSentence)
    expect(stderr).toContain("unknown command 'nope'")
  },
)

test('xc --debug shows the stack of an error', async () => {
  const result = await xc.run(['start', '--debug', '--topology', 'moebius'])
  expect(result.status).toBe(2)
  expect(result.stderr).toMatch(/\n +at /)
})

test('xc prints help and its version with status 0, and help with status 2 when no command is given', async () => {
  for (const args of [['--help'], ['help'], ['help', 'start'], ['start', '--help']])
    expect(await xc.run(args)).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining('Usage: xc'),
    })
  expect(await xc.run(['--version'])).toMatchObject({ status: 0, stdout: '0.1.0\n' })
  expect(await xc.run([])).toMatchObject({
    status: 2,
    stdout: '',
    stderr: expect.stringContaining('Usage: xc'),
  })
})

// Each is reached in another part of a start: the owner, taps, sysctls, DNS, console logs, sockets, QEMU.
test.each([22, 30, 50, 57, 60, 66, 72, 80, 88, 96, 110])(
  'xc start says what to raise when it may open only %i files, boots no clones in vain, and leaves nothing',
  async files => {
    const { result } = xc.inShell(`ulimit -n ${files}; xc start --nvm 12`)
    const { status, stdout, stderr } = await result
    expect([status, stdout], stderr).toEqual([4, ''])
    expect(stderr).toMatch(/^xc: .*\(ulimit -n.*$/m)
    expect(stderr).not.toMatch(/had to boot|are booted/)
    await census.expectUnchanged()
  },
)
