import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { expect } from 'vitest'
import { adoptStream, launch, NetNamespace, sealedMemfd, socketPair } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { isAlive, openFds } from '../../support/processes.ts'
import { unprivileged } from '../../support/rights.ts'
import { waitFor } from '../../support/wait.ts'

const sh = (script: string) => ({ file: '/bin/sh', args: ['-c', script] })
const launchingParent = fileURLToPath(new URL('./launching-parent.ts', import.meta.url))
const launcherFile = fileURLToPath(new URL('../../../build/Release/xcluster-launcher', import.meta.url))

test('a launched program has no privileges and cannot regain them', async () => {
  const child = launch({ ...sh('cat /proc/self/status'), identity: unprivileged })
  expect(await child.exited).toEqual({ code: 0 })
  const status = new Map(
    child
      .stdout()
      .split('\n')
      .map(line => line.split(/:\s*/, 2) as [string, string]),
  )
  const { uid, gid, groups } = unprivileged
  expect(status.get('Uid')).toBe(`${uid}\t${uid}\t${uid}\t${uid}`)
  expect(status.get('Gid')).toBe(`${gid}\t${gid}\t${gid}\t${gid}`)
  expect(status.get('Groups')!.trim()).toBe(groups!.join(' '))
  expect(status.get('NoNewPrivs')).toBe('1')
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) expect(status.get(set)).toBe('0000000000000000')
})

test('a launched program has the given fds from 3 on, no other fd, and no environment', async () => {
  await using memfd = await sealedMemfd('given', () => {})
  const [ours, theirs] = socketPair()
  await using port = adoptStream(ours)
  await using left = adoptStream(theirs)
  expect(openFds().size).toBeGreaterThan(8)
  const child = launch({
    ...sh('ls -l /proc/$$/fd; env'),
    fds: [left.fd, memfd.fd],
  })
  expect(await child.exited).toEqual({ code: 0 })
  const lines = child.stdout().trim().split('\n')
  const fds = lines.flatMap(
    line =>
      line
        .match(/(\d+) -> (.*)/)
        ?.slice(1, 3)
        .join(' ') ?? [],
  )
  expect(fds.map(line => line.replace(/\d+\]/, ']'))).toEqual([
    '0 /dev/null',
    '1 socket:[]',
    '2 socket:[]',
    '3 socket:[]',
    '4 /memfd:given (deleted)',
  ])
  expect(lines.slice(6)).toEqual([`PWD=${process.cwd()}`]) // the shell's own
  expect(port.fd).toBe(ours)
})

test('a launched program runs in its namespace, and has no fd of it', async () => {
  await using namespace = NetNamespace.create()
  const child = launch({
    ...sh('readlink /proc/self/ns/net; ls /proc/$$/fd'),
    namespace,
    identity: unprivileged,
  })
  await child.exited
  expect(child.stdout()).toBe(`net:[${namespace.inode}]\n0\n1\n2\n`)
})

test('a program launched without an identity has all privileges in its namespace, and with one it has none', async () => {
  await using namespace = NetNamespace.create()
  const making = (name: string) => ({ ...sh(`ip link add ${name} type bridge`), namespace })
  expect(await launch(making('b0')).exited).toEqual({ code: 0 })
  const barred = launch({ ...making('b1'), identity: unprivileged })
  expect(await barred.exited).toEqual({ code: 2 })
  expect(barred.stderr()).toContain('Operation not permitted')
})

test('the exit of a launched program and the end of its output are reported', async () => {
  const child = launch({
    ...sh('yes 0123456789 | head -c 200000 >&2; echo last >&2; kill -TERM $$'),
    keepOutput: 1000,
  })
  expect(await child.exited).toEqual({ signal: 'SIGTERM' })
  expect(child.stderr()).toHaveLength(1000)
  expect(child.stderr()).toMatch(/last\n$/)
  const killed = launch({ file: '/bin/sleep', args: ['60'] })
  killed.kill('SIGKILL')
  expect(await killed.exited).toEqual({ signal: 'SIGKILL' })
})

test('a step that fails in the launcher is reported in one line', async () => {
  const missing = launch({ file: '/no/such/program' })
  expect(await missing.exited).toEqual({ code: 127 })
  expect(missing.stderr()).toBe('xcluster-launcher: /no/such/program: No such file or directory\n')
  const barred = launch({ file: '/etc' })
  expect(await barred.exited).toEqual({ code: 126 })
  expect(barred.stderr()).toBe('xcluster-launcher: /etc: Permission denied\n')
})

test('Ctrl-C at the terminal does not reach a launched program, which has a session of its own', async () => {
  const child = launch(sh('cut -d" " -f6 /proc/self/stat'))
  await child.exited
  expect(Number(child.stdout())).toBe(child.pid)
})

test('a launched program dies with its parent, even when that is killed', async () => {
  const parent = spawn(process.execPath, ['--import', 'jiti/register', launchingParent], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface(parent.stdout), 'line')
  const pids: number[] = JSON.parse(line)
  expect(pids.map(isAlive)).toEqual([true, true])
  parent.kill('SIGKILL')
  expect(await waitFor(() => !pids.some(isAlive))).toBe(true)
})

test('the launcher notices a parent that died before the death signal was armed', async () => {
  const launcher = spawn(launcherFile, ['--parent=1', '--', '/bin/sleep', '60'])
  let said = ''
  launcher.stderr.on('data', data => {
    said += data
  })
  expect(await once(launcher, 'close')).toEqual([126, null])
  expect(said).toBe('xcluster-launcher: parent: died during the start\n')
})

test('launching from a worker thread is refused, and the error gives the remedy', async () => {
  const worker = new Worker(new URL('./launching.worker.ts', import.meta.url), {
    execArgv: ['--import', 'jiti/register'],
  })
  const [message] = await once(worker, 'message')
  expect(message).toContain("vitest: set pool: 'forks'")
  await worker.terminate()
})

test('the launcher refuses unknown options', async () => {
  for (const options of [
    ['--uid=x'],
    ['--uid=5'],
    ['--parent=1', '--groups=1;2'],
    ['--no-such=1'],
    ['--parent=1'],
  ]) {
    const launcher = spawn(launcherFile, options, { stdio: 'ignore' })
    expect(await once(launcher, 'close')).toEqual([126, null])
  }
})
