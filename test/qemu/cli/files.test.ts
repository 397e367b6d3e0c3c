import { mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { waitFor } from '../../support/wait.ts'
import { oneSentence, Xc } from '../../support/xc.ts'

// Commands with streams, and files, on real nodes.
const xc = new Xc()
const here = (name: string) => join(xc.root, name)
let census: Census

beforeAll(async () => {
  census = await takeCensus({ directories: [xc.runtime] })
  await xc.good(['start', '--nvm', '2', '--nrouters', '0', '--mem', '128'])
  mkdirSync(here('dir/sub'), { recursive: true })
  writeFileSync(here('dir/run'), '#!/bin/sh\necho it runs\n', { mode: 0o750 })
  symlinkSync('../run', here('dir/sub/link'))
  utimesSync(here('dir/run'), 1e9, 1e9)
})

afterAll(async () => {
  await xc.good(['stop'])
  await census.expectUnchanged()
})

const onNode = (script: string, node = '1') => xc.good(['exec', node, '--', 'sh', '-c', script])

test('xc exec prints output while the command runs, and Ctrl-C ends the command', async () => {
  const begun = xc.begin([
    'exec',
    '1',
    '--',
    'sh',
    '-c',
    'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.1; done',
  ])
  await begun.says(/ready/)
  begun.child.kill('SIGINT')
  expect(await begun.result).toMatchObject({ status: 5, stdout: 'ready\ncaught\n', stderr: '' })
})

test('a third Ctrl-C ends xc exec when its command takes no notice', async () => {
  const begun = xc.begin([
    'exec',
    '1',
    '--',
    'sh',
    '-c',
    'trap "echo no" INT; echo ready; while :; do sleep 0.1; done',
  ])
  await begun.says(/ready/)
  begun.child.kill('SIGINT')
  await begun.says(/no\n/)
  begun.child.kill('SIGINT')
  await begun.says(/no\nno\n/)
  begun.child.kill('SIGINT')
  expect(await begun.result).toMatchObject({ status: 130 })
})

test('a command whose xc is killed loses its pipes, and its node goes on', async () => {
  const begun = xc.begin(['exec', '1', '--', 'sh', '-c', 'echo ready; exec yes'])
  await begun.says(/ready/)
  begun.child.kill('SIGKILL')
  await begun.result
  expect(
    await waitFor(async () => (await xc.run(['exec', '1', '--', 'pidof', 'yes'])).status === 1, 10_000),
  ).toBe(true)
})

test('more input than a guest has memory passes through xc exec -i', async () => {
  const through = xc.inShell('head -c 100000000 /dev/zero | xc exec -i 1 -- wc -c')
  expect(await through.result).toMatchObject({ status: 0, stdout: '100000000\n' })
})

test('a reader that leaves early, and input that is not wanted, are silent', async () => {
  const head = xc.inShell('xc exec 1 -- yes | head -1')
  expect(await head.result).toMatchObject({ stdout: 'y\n', stderr: '' })
  const unwanted = xc.inShell('yes | xc exec -i 1 -- true')
  expect(await unwanted.result).toMatchObject({ status: 0, stdout: '', stderr: '' })
})

test('xc exec -t gives a command a terminal of the size of this one', async () => {
  const begun = xc.onTerminal(
    `xc exec -t 1 -- sh -c 'tty; stty size; read -r line; echo "got $line"'; echo "status $?"`,
  )
  await begun.says(/40 100/)
  begun.child.stdin!.write('typed\r')
  await begun.says(/status 0/)
  expect(begun.stdout).toMatch(/\/dev\/pts\/\d+\r+\n40 100\r+\ntyped\r+\ngot typed\r+\n/)
  await begun.result
})

test('xc rsh runs a line of shell, and with --bg returns while that runs', async () => {
  expect(await xc.good(['rsh', '1', 'echo', '$(hostname)', '&&', 'exit', '0'])).toBe('vm-001\n')
  expect(await xc.run(['rsh', '1', 'exit', '4'])).toMatchObject({ status: 4 })
  expect(await xc.good(['rsh', '--bg', '1', 'sleep', '1000'])).toBe('')
  expect(await onNode('kill $(pidof sleep) && echo it ran')).toBe('it ran\n')
})

test('a directory goes to a node and comes back, with modes, times and links', async () => {
  expect(await xc.good(['put', '1', here('dir'), '/root'])).toBe('')
  expect(await onNode('stat -c "%a %Y" /root/dir/run; readlink /root/dir/sub/link; /root/dir/run')).toBe(
    '750 1000000000\n../run\nit runs\n',
  )
  await xc.good(['get', '1', '/root/dir', here('back')])
  expect(statSync(here('back/run')).mtimeMs).toBe(1e12)
  expect(readFileSync(here('back/sub/link'), 'utf8')).toContain('it runs')
  await xc.good(['rcp', '1', '/root/dir/run', here('fetched')])
  expect(readFileSync(here('fetched'), 'utf8')).toContain('it runs')
})

test('standard input goes to a file, and a file to standard output', async () => {
  await xc.good(['put', '2', '-', '/tmp/in'], 'piped\n')
  expect(await xc.good(['get', '2', '/tmp/in', '-'])).toBe('piped\n')
  expect(await xc.good(['get', '2', '/proc/sys/kernel/hostname', '-'])).toBe('vm-002\n')
})

test('a put to a full disk is one sentence, leaves what was there, and the node goes on', async () => {
  await xc.good(['put', '1', '-', '/root/kept'], 'kept')
  const full = await xc.inShell('head -c 200000000 /dev/zero | xc put 1 - /root/kept').result
  expect(full.status).toBe(1)
  expect(full.stderr).toMatch(oneSentence)
  expect(full.stderr).toBe('xc: copy files to vm-001: /root/kept: No space left on device.\n')
  expect(await onNode('cat /root/kept; ls -d /root/.xcluster-put* 2>/dev/null || true')).toBe('kept')
}, 120_000)

test.each([
  { args: ['put', '1', here('dir/run'), '/root/dir/sub/'], status: 0, words: '' },
  { args: ['put', '1', '-', '/root'], status: 1, words: 'xc: copy files to vm-001: /root: Is a directory.' },
  { args: ['put', '1', here('nope'), '/root'], status: 1, words: 'No such file or directory' },
  { args: ['put', '1', here('dir')], status: 2, words: 'only one path is given' },
  { args: ['put', '9', here('dir'), '/root'], status: 3, words: "no node '9'" },
  {
    args: ['get', '1', '/nope', here('x')],
    status: 1,
    words: 'xc: copy files from vm-001: /nope: No such file',
  },
  { args: ['get', '1', '/root', '-'], status: 1, words: '/root: Is a directory' },
  { args: ['get', '1', '/etc', '/etc', '-'], status: 2, words: 'standard output takes one file' },
  { args: ['get', '1', '/etc/hosts', here('nope/x')], status: 1, words: 'xc: write ' },
])('xc $args ends with status $status and a sentence', async ({ args, status, words }) => {
  const result = await xc.run(args, args.includes('-') ? 'x' : undefined)
  expect(result).toMatchObject({ status, stderr: expect.stringContaining(words) })
  if (status !== 0) expect(result.stderr).toMatch(oneSentence)
})

test('a node that is reset in the middle of a put ends it with a sentence, and is used again', async () => {
  const begun = xc.begin(['put', '2', '-', '/tmp/half'], 'pipe')
  begun.child.stdin!.write(Buffer.alloc(1_000_000))
  const halfway = async () =>
    (await onNode('ls /tmp/.xcluster-put-*/half 2>/dev/null | wc -l', '2')) === '1\n'
  expect(await waitFor(halfway, 20_000)).toBe(true)
  await xc.good(['reset', '2'])
  const { status, stderr } = await begun.result
  expect(status).toBe(1)
  expect(stderr).toMatch(/^xc: run a command on vm-002: [^\n]+\n$/)
  expect(await onNode('ls -A /tmp', '2')).toBe('')
})

test('a guest whose xcluster-guest is killed restarts it, and commands work again', async () => {
  const lost = xc.begin(['exec', '2', '--', 'sleep', '1000'])
  await onNode('until pidof sleep; do sleep 0.1; done', '2')
  const killed = await xc.run(['exec', '2', '--', 'sh', '-c', 'kill -9 $(pidof xcluster-guest)'])
  expect(killed.stderr).toMatch(/xcluster-guest was restarted in the guest/)
  expect(await lost.result).toMatchObject({ status: 1, stderr: expect.stringMatching(oneSentence) })
  expect(await xc.good(['exec', '2', '--', 'echo', 'again'])).toBe('again\n')
  await xc.good(['pause', '2'])
  await xc.good(['resume', '2']) // its clock is set over the same channel
  expect(await xc.run(['status'])).toMatchObject({ stdout: expect.not.stringContaining('late') })
})
