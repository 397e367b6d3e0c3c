import { rmSync, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { finished } from 'node:stream/promises'
import { type Command, Option } from 'commander'
import { verbs } from '../../../api/index.ts'
import { defer, isSystemError, reasonOf, systemClock } from '../../../base/index.ts'
import { CliError } from '../../errors.ts'
import { nameOption } from '../../options/shared.ts'
import { print, printJson, printRaw, tell } from '../../output.ts'
import { PcapngCounter, type PcapngTally } from '../../pcapng-counter.ts'
import { type CommonOptions, clientOf, clusterNameOf, type Session } from '../../session.ts'

export interface CaptureOptions extends CommonOptions {
  readonly node?: readonly string[]
  readonly net?: readonly string[]
  readonly filter?: string
  readonly write?: string
  readonly snaplen?: string
  readonly for?: string
}

export function configure(command: Command, session: Session): void {
  const { filter, snapLength } = verbs.packets.asks
  command
    .addOption(new Option('--node <nodes...>', 'only their links: 1 or vm-001').argParser(listed))
    .addOption(new Option('--net <nets...>', 'only links on these nets').argParser(listed))
    .option('--filter <expression>', filter.doc)
    .option('-s, --snaplen <bytes>', `${snapLength.doc} (default: all)`)
    .option('-w, --write <file>', 'the file, - for standard output (default: CLUSTER.pcapng)')
    .option('--for <seconds>', 'how long (default: until Ctrl-C, or until the links have gone)')
    .option('--install-extcap [directory]', 'let Wireshark list running clusters, and capture them')
    .option(...nameOption)
    .option('--json', 'print one JSON value at the end (docs/json.md)')
    .addHelpText('after', help)
    .action(
      async ({ installExtcap: folder, ...options }: CaptureOptions & { installExtcap?: string | true }) => {
        if (folder === undefined) return await capture(session, options)
        const { installExtcap } = await import('./extcap-script.ts')
        await installExtcap(session, folder)
      },
    )
}

const help = `
The host captures, on taps or segments, with no program in a guest. The file has the links as interfaces, vm-001/eth1,
and all packets in the order of time. What could not be captured in time is counted, here and in the file.
  xc capture --net 1 --filter 'tcp port 80' -w web.pcapng
  xc capture -w - | tshark -r -
Wireshark captures by itself after --install-extcap, by default for you: ~/.local/lib/wireshark/extcap. Versions before
4.2 know one folder for all users only, which \`tshark -G folders\` prints.`

/** `--net 1 2`, `--net 1,2` and `--net 1 --net 2`. */
function listed(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').filter(Boolean)]
}

/** Captures until it is ended by a signal, its time, its reader, or the end of the links. `tells`: on stderr. */
export async function capture(session: Session, options: CaptureOptions, tells = tell): Promise<void> {
  const { node: nodes, net: nets, filter, write, json } = options
  const file = write ?? `${clusterNameOf(session, options)}.pcapng`
  if (file === '-' && (process.stdout.isTTY || json)) throw notForText(json ? '--json' : 'a terminal')
  const [forMs, snapLength] = [millisecondsOf(options), snapLengthOf(options)]
  const { socket, unseen } = await clientOf(session, options).packets({
    nodes,
    nets,
    filter: filter || undefined,
    snapLength,
  })
  try {
    await using target = file === '-' ? standardOutput : await openFile(file)
    if (unseen.length > 0) tells(`Not captured, because the host cannot see it: ${unseen.join(', ')}.`)
    tells(`Capturing${forMs === undefined ? ' until Ctrl-C' : ''}.`)
    const { tally, comments } = await received(socket, { target, forMs })
    if (json) printJson({ v: 1, file, ...tally })
    else said(tally, file, tells)
    if (comments.length > 0) throw cutOff(target.name, comments.join('; '))
  } finally {
    socket.destroy()
  }
}

/** Reads the capture to its end, which Ctrl-C and the time limit bring about. */
async function received(
  socket: Socket,
  { target, forMs }: { readonly target: Target; readonly forMs: number | undefined },
): Promise<PcapngCounter> {
  const end = () => socket.end()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, end) // a second one ends this process
  const cancel = systemClock.after(forMs ?? Number.POSITIVE_INFINITY, end)
  const counter = new PcapngCounter()
  try {
    const hasReader = await passOn(socket, piece => {
      counter.push(piece)
      return target.write(piece)
    })
    if (!hasReader) return counter
  } catch (failure) {
    if (!isSystemError(failure, 'ECONNRESET', 'EPIPE')) throw failure
  } finally {
    cancel()
    for (const signal of signals) process.off(signal, end)
  }
  if (!counter.complete) throw cutOff(target.name, "the cluster's owner ended before the capture did")
  return counter
}

/**
 * Takes what comes until the end. False: `take` said that it wants no more. It is called at once with each piece, because
 * the promises of an iteration take longer than a piece of a fast capture; a promise of its own lets the sender wait.
 */
async function passOn(socket: Socket, take: (piece: Buffer) => boolean | Promise<boolean>): Promise<boolean> {
  const passed = defer<boolean>()
  const went = (isWanted: boolean) => (isWanted ? socket.resume() : passed.resolve(false))
  socket.on('data', (piece: Buffer) => {
    try {
      const taken = take(piece)
      if (taken === true) return
      socket.pause()
      Promise.resolve(taken).then(went).catch(passed.reject)
    } catch (failure) {
      passed.reject(failure)
    }
  })
  finished(socket, { writable: false }).then(() => passed.resolve(true), passed.reject)
  return await passed.promise
}

/** What a capture is written to. */
interface Target extends AsyncDisposable {
  readonly name: string
  /** False: its reader has left. */
  write(piece: Buffer): boolean | Promise<boolean>
}

const standardOutput: Target = {
  name: 'standard output',
  write: piece => printRaw(piece).then(() => true),
  [Symbol.asyncDispose]: async () => {},
}

async function openFile(name: string): Promise<Target> {
  const handle = await open(name, 'w', 0o600).catch(cause => {
    throw notWritten(name, reasonOf(cause), cause)
  })
  const isFile = (await handle.stat()).isFile()
  return {
    name,
    write: isFile ? piece => writeFile(handle, name, piece) : piece => writeDevice(handle, name, piece),
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

/** At once: a thread's turn for each piece takes longer on a busy machine. The file is removed when it cannot be written. */
function writeFile({ fd }: FileHandle, name: string, piece: Buffer): true {
  try {
    for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at)
    return true
  } catch (cause) {
    rmSync(name, { force: true })
    throw notWritten(name, `${reasonOf(cause)}; the file has been removed`, cause)
  }
}

/** False: its reader has left. */
async function writeDevice(handle: FileHandle, name: string, piece: Buffer): Promise<boolean> {
  try {
    for (let at = 0; at < piece.length; ) at += (await handle.write(piece, at)).bytesWritten
    return true
  } catch (cause) {
    if (isSystemError(cause, 'EPIPE')) return false
    throw notWritten(name, reasonOf(cause), cause)
  }
}

function said({ frames, bytes, lost }: PcapngTally, file: string, tells: typeof tell): void {
  tells(`${frames} frames, ${bytes} bytes${lost > 0 ? `; ${lost} frames were lost` : ''}`)
  if (file !== '-') print(`${file}\n`)
}

function millisecondsOf({ for: seconds }: CaptureOptions): number | undefined {
  if (seconds === undefined) return undefined
  const given = /^\d+(\.\d+)?$/.test(seconds) ? Number(seconds) : 0
  if (given > 0 && given <= 86_400) return given * 1000
  throw new CliError({
    code: 'BAD_TIMEOUT',
    kind: 'usage',
    target: '--for',
    reason: `'${seconds}' is not a number of seconds above 0 and up to 86400`,
  })
}

function snapLengthOf({ snaplen }: CaptureOptions): number | undefined {
  if (snaplen === undefined) return undefined
  const bytes = /^\d{1,6}$/.test(snaplen) ? Number(snaplen) : 0
  if (bytes >= 14 && bytes <= 262_144) return bytes
  const reason = `'${snaplen}' is not a whole number from 14 to 262144`
  throw new CliError({ code: 'BAD_USAGE', kind: 'usage', target: '--snaplen', reason })
}

function notForText(what: string): CliError {
  const reason = `a pcapng file on standard output does not go with ${what}`
  const remedy = 'xc capture -w - | tshark -r -'
  return new CliError({ code: 'BAD_USAGE', kind: 'usage', target: 'capture', reason, remedy })
}

function notWritten(target: string, reason: string, cause: unknown): CliError {
  return new CliError({ code: 'CAPTURE_NOT_WRITTEN', op: 'write capture to', target, reason, cause })
}

function cutOff(target: string, reason: string): CliError {
  return new CliError({
    code: 'CAPTURE_CUT_OFF',
    op: 'complete capture in',
    target,
    reason,
    remedy: 'It has what had come until then, without the counts of lost frames',
  })
}
