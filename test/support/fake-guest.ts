import { LineSplitter } from '../../src/base/index.ts'
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

/** The message at the beginning of these bytes, and its length. Undefined while the message is incomplete. */
function messageIn(bytes: Buffer): { message: ToldMessage; length: number } | undefined {
  if (bytes.length < 8) return undefined
  const length = 8 + bytes.readUInt32LE(0)
  if (bytes.length < length) return undefined
  const steps: ToldStep[] = []
  for (let at = 8; at < length; ) {
    const size = bytes.readUInt32LE(at)
    steps.push({ kind: bytes.readUInt16LE(at + 4), payload: bytes.subarray(at + 8, at + 8 + size) })
    at += 8 + ((size + 3) & ~3)
  }
  return { message: { number: bytes.readUInt32LE(4), steps }, length }
}

/** Returns a guest's answer to a message, or undefined for no answer. */
export type Answering = (message: ToldMessage, count: number) => string | undefined

/** Reports every message as carried out. */
export const obedient: Answering = ({ number }) => `${number} ok 1700000000000000000\n`

/** The program xcluster-guest at the guest's end of its port. It records messages and answers them. */
export class FakeGuestProgram {
  readonly told: ToldMessage[] = []

  constructor(port: MemoryPort, answer: Answering) {
    let held = Buffer.alloc(0)
    port.receive({
      data: bytes => {
        held = Buffer.concat([held, bytes])
        for (let found = messageIn(held); found; found = messageIn(held)) {
          held = held.subarray(found.length)
          this.told.push(found.message)
          const line = answer(found.message, this.told.length)
          if (line !== undefined) port.send(Buffer.from(line))
        }
      },
      end: () => {},
    })
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
