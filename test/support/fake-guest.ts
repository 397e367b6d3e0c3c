import { LineSplitter } from '../../src/base/index.ts'
import { errorOutput, type Frame, FrameSplitter, frame, hostLimits, output } from '../../src/stream/frame.ts'
import { type CommandSpec, readOpening } from '../../src/stream/opening.ts'
import { exitPayload, opened, payloadOf, unknownStatus } from '../../src/stream/payloads.ts'
import type { MemoryPort, Received } from './qmp-fake.ts'

/** One step of a message to a guest (native/guest/main.c). */
export interface ToldStep {
  readonly kind: number
  readonly payload: Uint8Array
}

export interface ToldMessage {
  readonly number: number
  readonly steps: readonly ToldStep[]
}

function messageIn({ stream, payload }: Frame): ToldMessage {
  const bytes = Buffer.from(payload)
  const steps: ToldStep[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32LE(at)
    steps.push({ kind: bytes.readUInt16LE(at + 4), payload: bytes.subarray(at + 8, at + 8 + size) })
    at += 8 + ((size + 3) & ~3)
  }
  return { number: stream, steps }
}

/** The frame of an answer that is written as `NUMBER ok CLOCK-NS` or `NUMBER failed STEP ERRNO TEXT`. */
export function answerBytes(text: string): Uint8Array {
  const [, number, how, first, errno = '0', reason = ''] = /^(\d+) (ok|failed) (\d+)(?: (\d+) (.*))?/s.exec(
    text,
  )!
  const payload = Buffer.alloc(16)
  payload.writeInt32LE(Number(errno))
  if (how === 'ok') payload.writeBigUInt64LE(BigInt(first!), 8)
  else payload.writeUInt32LE(Number(first), 4)
  return frame('configure', Number(number), { payload: Buffer.concat([payload, Buffer.from(reason)]) })
}

/** Returns a guest's answer to a message (see {@link answerBytes}), other bytes, or undefined for no answer. */
export type Answering = (message: ToldMessage, count: number) => string | Uint8Array | undefined

/** Reports every message as carried out. */
export const obedient: Answering = ({ number }) => `${number} ok 1700000000000000000\n`

/** The program xcluster-guest at the guest's end of its port. It records messages, answers them, and runs programs. */
export class FakeGuestProgram {
  readonly told: ToldMessage[] = []
  readonly #port: MemoryPort
  readonly #inputs = new Map<number, { readonly spec: CommandSpec; input: Buffer }>()

  constructor(port: MemoryPort, answer: Answering, { endless = false } = {}) {
    this.#port = port
    const frames = new FrameSplitter(hostLimits)
    port.receive({
      data: bytes => {
        for (const each of frames.push(bytes)) {
          if (each.kind === 'configure') this.#configure(messageIn(each), answer)
          else this.#command(each, endless)
        }
      },
      end: () => {},
    })
  }

  #configure(message: ToldMessage, answer: Answering): void {
    this.told.push(message)
    const said = answer(message, this.told.length)
    if (said !== undefined) this.#port.send(typeof said === 'string' ? answerBytes(said) : said)
  }

  #command({ kind, stream, payload }: Frame, endless: boolean): void {
    const running = this.#inputs.get(stream)
    if (kind === 'open') {
      this.#inputs.set(stream, { spec: readOpening(payload), input: Buffer.alloc(0) })
      this.#port.send(
        frame('open', stream, { payload: payloadOf(opened, { error: 0, pid: 7, window: 1 << 20 }) }),
      )
    } else if (kind === 'data' && running) running.input = Buffer.concat([running.input, payload])
    else if (kind === 'close')
      this.#port.send(frame('exited', stream, { payload: exitPayload(unknownStatus) }))
    else if (kind === 'end' && running && !endless) this.#run(stream, running)
  }

  #run(stream: number, { spec, input }: { readonly spec: CommandSpec; readonly input: Buffer }): void {
    this.#inputs.delete(stream)
    const { status, stdout = '', stderr = '' } = run(spec.words as [string, ...string[]], input)
    for (const [which, text] of [
      [output, stdout],
      [errorOutput, stderr],
    ] as const)
      if (text.length > 0) this.#port.send(frame('data', stream, { which, payload: Buffer.from(text) }))
    this.#port.send(frame('exited', stream, { payload: exitPayload(status << 8) }))
  }
}

interface Output {
  readonly status: number
  readonly stdout?: string | Uint8Array
  readonly stderr?: string
}

/** The programs of a fake guest: `echo`, `cat`, `exit N`, and a shell for the ping script of checkReach. */
function run([path, ...args]: readonly [string, ...string[]], input: Buffer): Output {
  const name = path.split('/').at(-1)
  const stderr = `${name} was run\n`
  if (name === 'echo') return { status: 0, stdout: `${args.join(' ')}\n`, stderr }
  if (name === 'cat') return { status: 0, stdout: input, stderr }
  if (name === 'exit') return { status: Number(args[0]), stderr }
  const pinged = Array.from(input.toString().matchAll(/^p (\S+) &/gm), ([, address]) => `+${address}\n`)
  return { status: 0, stdout: pinged.join(''), stderr }
}

/** qemu-ga at the guest's end of its port: it synchronises, and runs programs (qemu `qga/qapi-schema.json`). */
export class FakeAgent {
  readonly #port: MemoryPort
  readonly #ended = new Map<number, Output>()
  /** Whether its programs never end. */
  readonly #endless: boolean

  constructor(port: MemoryPort, { endless = false } = {}) {
    this.#port = port
    this.#endless = endless
    const lines = new LineSplitter(64 << 20)
    port.receive({
      data: bytes => {
        for (const line of lines.push(bytes.filter(byte => byte !== 0xff)))
          if (line.trim() !== '') this.#received(JSON.parse(line))
      },
      end: () => {},
    })
  }

  #received(command: Received): void {
    if (command.execute === 'guest-sync-delimited') this.#port.send(Uint8Array.of(0xff))
    const value = this.#answer(command)
    this.#port.send(Buffer.from(`${JSON.stringify({ return: value, id: command.id })}\n`))
  }

  #answer({ execute, arguments: args = {} }: Received): unknown {
    if (execute === 'guest-sync-delimited') return args.id
    if (execute === 'guest-exec') return { pid: this.#begin(args) }
    if (execute !== 'guest-exec-status') return {}
    const ended = this.#ended.get(args.pid as number)
    if (!ended) return { exited: false }
    return {
      exited: true,
      exitcode: ended.status,
      'out-data': Buffer.from(ended.stdout ?? '').toString('base64'),
      'err-data': Buffer.from(ended.stderr ?? '').toString('base64'),
    }
  }

  #begin({ path, arg = [], ...rest }: Record<string, unknown>): number {
    const pid = 1000 + this.#ended.size
    const input = Buffer.from((rest['input-data'] as string | undefined) ?? '', 'base64')
    if (!this.#endless) this.#ended.set(pid, run([path as string, ...(arg as string[])], input))
    return pid
  }
}
