import { once } from 'node:events'
import { defer, durationText, errorFromJson, systemClock, until, within } from '../base/index.ts'
import type { EngineValues } from './engine.ts'
import { FleetError } from './errors.ts'
import { hostName } from './facts.ts'
import { type Go, type Hello, Link, type LinkMessage } from './link.ts'
import { hostLost } from './members.ts'
import { dial, mayStillCome } from './secure.ts'

export interface LeaderOptions {
  readonly values: EngineValues
  readonly address: string
  /** Milliseconds until the leader must be there, and all other hosts. */
  readonly joinMs: number
  /** The leader wants an end: with a failure if the lab has failed, or because it has gone itself. */
  end(failure?: unknown): void
}

const betweenTriesMs = 200

/** A member's link with its leader. */
export class LeaderLink {
  readonly #options: LeaderOptions
  readonly #go = defer<Go>()
  readonly #link: Link

  /** Connects, as soon as the leader listens. Throws HOST_ABSENT and HOST_SECRET. */
  static async open(options: LeaderOptions): Promise<LeaderLink> {
    const { values, address, joinMs } = options
    const leader = hostName(values, 0)
    const destination = { ...values, address, port: values.ports[0]!, purpose: 'link' } as const
    const socket = await until(
      systemClock,
      async () => {
        const tried = dial(destination)
        try {
          await once(tried, 'secureConnect')
          return tried
        } catch (failure) {
          tried.destroy()
          if (mayStillCome(failure)) return undefined
          throw wrongSecret(leader, failure)
        }
      },
      { everyMs: betweenTriesMs, withinMs: joinMs, why: 'listener' },
    )
    if (!socket) throw absent(leader, joinMs)
    return new LeaderLink(socket, options)
  }

  private constructor(socket: ReturnType<typeof dial>, options: LeaderOptions) {
    this.#options = options
    this.#go.promise.catch(() => {})
    this.#link = new Link(socket, {
      message: message => this.#hear(message),
      lost: reason => this.#end(hostLost(hostName(options.values, 0), reason)),
    })
  }

  /** Says what this host is and waits for its part. Throws what the leader refuses with. */
  join(hello: Hello): Promise<Go> {
    this.#link.send({ ...hello, clock: Date.now() })
    const { values, joinMs } = this.#options
    const late = () => absent(hostName(values, 0), joinMs)
    // The leader itself says which host is absent: a little earlier.
    return within(this.#go.promise, { clock: systemClock, ms: joinMs + 10_000, late })
  }

  send(message: LinkMessage): void {
    this.#link.send(message)
  }

  close(): Promise<void> {
    return this.#link.close()
  }

  #hear(message: LinkMessage): void {
    if (message.type === 'go') this.#go.resolve(message)
    else if (message.type === 'ready') this.#link.started()
    else if (message.type === 'stop') this.#end()
    else if (message.type === 'refused')
      this.#end(errorFromJson(message.error) ?? new Error('the leader refuses'))
  }

  #end(failure?: unknown): void {
    this.#go.reject(failure ?? hostLost(hostName(this.#options.values, 0), 'it is being stopped'))
    this.#options.end(failure)
  }
}

function absent(target: string, ms: number): FleetError {
  return new FleetError({
    code: 'HOST_ABSENT',
    op: 'wait for',
    target,
    reason: `no answer within ${durationText(ms)}`,
    remedy: 'See what its process says; the control port must be open between the hosts',
  })
}

function wrongSecret(target: string, cause: unknown): FleetError {
  return new FleetError({
    code: 'HOST_SECRET',
    kind: 'usage',
    op: 'join',
    target,
    reason: 'it does not have the same secret and job, or another program listens there',
    remedy: 'Give all hosts the same file and the same job',
    cause,
  })
}
