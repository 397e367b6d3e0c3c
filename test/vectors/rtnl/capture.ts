/**
 * Captures what the real `ip`, `bridge` and `tc` say to the kernel, and what it answers, into the files beside this one.
 * Each command runs in a network namespace of its own. Needs root, iproute2 and strace:
 *
 *     node --import jiti/register test/vectors/rtnl/capture.ts [NAME…]
 *
 * Sequence numbers (the time of day, in iproute2) are written as 0, so that a second run gives the same files, but for
 * times and counters in what the kernel answers.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { datagrams } from '../../support/strace.ts'
import { answers, type Captured, commands } from './commands.ts'
import { flowerCommands } from './commands-flower.ts'
import { linkAnswers, linkCommands } from './commands-links.ts'
import { objectAnswers, objectCommands } from './commands-objects.ts'
import { tableAnswers, tableCommands } from './commands-tables.ts'
import { trafficAnswers, trafficCommands } from './commands-traffic.ts'
import { tunnelCommands } from './commands-tunnels.ts'

const here = dirname(fileURLToPath(import.meta.url))
const kernel = execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim()

function trace(direction: 'write' | 'read', [, command, ...before]: Captured): string {
  const directory = mkdtempSync(join(tmpdir(), 'capture-'))
  const file = join(directory, 'trace')
  try {
    const calls = direction === 'write' ? 'sendmsg' : 'recvmsg'
    const traced = `strace -e trace=${calls} -e ${direction}=all -o '${file}' ${command} >&2`
    const script = [...before, `(${traced} || true)`].join(' && ')
    execFileSync('unshare', ['--net', '--mount', 'sh', '-c', script], {
      stdio: ['ignore', 'ignore', 'ignore'],
    })
    return readFileSync(file, 'utf8')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Zeroes nlmsg_seq and nlmsg_pid of each message. */
function anonymous(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer)
  for (let at = 0; at + 16 <= bytes.length; at += Math.max(16, (view.getUint32(at, true) + 3) & ~3))
    bytes.fill(0, at + 8, at + 16)
  return bytes
}

function save([name, command, ...before]: Captured, messages: readonly Uint8Array[]): void {
  const tool = execFileSync(command.split(' ')[0] as string, ['-V'], { encoding: 'utf8' }).trim()
  const head = [
    `# command: ${command}`,
    ...before.map(line => `# after: ${line}`),
    `# tool: ${tool}`,
    `# kernel: ${kernel}`,
  ]
  const body = messages.map(bytes =>
    Buffer.from(anonymous(bytes))
      .toString('hex')
      .replace(/(.{64})(?=.)/g, '$1\n'),
  )
  writeFileSync(join(here, `${name}.hex`), `${[...head, ...body].join('\n\n').replaceAll('\n\n#', '\n#')}\n`)
}

const wanted = process.argv.slice(2)
const all = (lists: readonly (readonly Captured[])[]) =>
  lists.flat().filter(([name]) => wanted.length === 0 || wanted.includes(name))

// The change itself is the last thing a command sends; before it come look-ups.
for (const command of all([
  commands,
  linkCommands,
  tableCommands,
  trafficCommands,
  objectCommands,
  tunnelCommands,
  flowerCommands,
]))
  save(command, datagrams(trace('write', command)).slice(-1))
for (const command of all([answers, linkAnswers, tableAnswers, trafficAnswers, objectAnswers]))
  save(command, datagrams(trace('read', command)))
