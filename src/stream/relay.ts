import { codeOf, messageOf, type Port } from '../base/index.ts'
import { type Frame, FrameSplitter, frame, hostLimits, input, type Which } from './frame.ts'
import { readOpening } from './opening.ts'
import { exitPayload, numberOf, numberPayload, opened, payloadOf, unknownStatus } from './payloads.ts'
import type { CommandStream, CommandStreams, StreamReceiver } from './streams.ts'

/** The number of the one command of a connection. */
const relayedStream = 1
/** EAGAIN, as xcluster-guest answers when it has no place for a command. */
const busy = 11

/**
 * Runs the command that a client asks for over its own connection, in the same frames: credit goes from the client to
 * the guest and back, so nothing is kept here. A client that leaves, or breaks the rules, closes the command's pipes.
 */
export function relayCommand(streams: CommandStreams, client: Port): void {
  const relay = new Relay(streams, client)
  const splitter = new FrameSplitter(hostLimits)
  client.receive({
    data: bytes => {
      try {
        for (const each of splitter.push(bytes)) relay.take(each)
      } catch (failure) {
        relay.give(messageOf(failure))
      }
    },
    end: () => relay.leave(),
  })
}

class Relay {
  readonly #streams: CommandStreams
  readonly #client: Port
  #stream: CommandStream | undefined

  constructor(streams: CommandStreams, client: Port) {
    this.#streams = streams
    this.#client = client
  }

  take({ kind, which, payload }: Frame): void {
    const stream = this.#stream
    if (!stream) {
      if (kind !== 'open') throw new Error('the connection began without a command')
      this.#open(payload)
    } else if (kind === 'open') throw new Error('the connection has a command already')
    else if (kind === 'data') stream.data(payload)
    else if (kind === 'end') stream.end(which)
    else if (kind === 'credit' && which !== input) stream.grant(which, numberOf(payload))
    else if (kind === 'signal') stream.signal(numberOf(payload))
    else if (kind === 'size')
      stream.resize({ rows: numberOf(payload) & 0xffff, columns: numberOf(payload) >>> 16 })
    else if (kind === 'close') stream.close(numberOf(payload) === 1 ? 'detached' : 'closed')
    if (kind === 'close') void this.#client.close()
  }

  /** Ends the connection, with a reason that the client shows. */
  give(reason: string): void {
    this.leave()
    this.#say('exited', { payload: exitPayload(unknownStatus, reason) })
    void this.#client.close()
  }

  leave(): void {
    this.#stream?.close('closed')
  }

  #open(request: Uint8Array): void {
    const { output, errors } = readOpening(request).credit
    try {
      this.#stream = this.#streams.open(request, this.#receiver(), [output, errors])
    } catch (failure) {
      if (codeOf(failure) !== 'EXEC_TOO_MANY') throw failure
      this.#say('open', { payload: payloadOf(opened, { error: busy, pid: 0, window: 0 }) })
      void this.#client.close()
    }
  }

  #receiver(): StreamReceiver {
    return {
      opened: answer => this.#say('open', { payload: payloadOf(opened, answer) }),
      data: (which, bytes) => this.#say('data', { which, payload: bytes }),
      ended: which => this.#say('end', { which }),
      credit: bytes => this.#say('credit', { payload: numberPayload(bytes) }),
      exited: ({ status, reason }) => {
        this.#say('exited', { payload: exitPayload(status, reason) })
        void this.#client.close()
      },
      lost: reason => this.give(reason),
    }
  }

  #say(
    kind: Frame['kind'],
    more: { readonly which?: Which; readonly payload: Uint8Array } | { readonly which: Which },
  ): void {
    this.#client.send(frame(kind, relayedStream, more))
  }
}
