import { type Clock, codeOf, durationText } from '../../base/index.ts'
import { configure, type GuestChannel, setClock, unpackInto } from '../../guest/index.ts'
import type { NodeAdditions } from '../../host/index.ts'
import type { NodePlan } from '../../plan/index.ts'
import type { AccelKind, Machine } from '../../vm/index.ts'

/** How long a guest may take from its boot loader to its first sign of life. Emulated, a Debian takes 90 s to 5 minutes. */
const bootMs = { kvm: 300_000, tcg: 900_000 } as const

export function cloudBootMs(accel: AccelKind): number {
  return bootMs[accel]
}
/** How long xcluster-guest may begin after such a sign: cloud-init starts it last. */
const graceMs = 60_000

type Additions = NonNullable<ReturnType<NodeAdditions['of']>>

interface Seeded {
  readonly additions: Additions | undefined
  readonly dnsPort: number | undefined
  /** For its boot. */
  readonly limitMs: number
}

/** Gives a guest what its cloud-init could not: overlays, routes and rules. */
export async function configureSeeded(channel: GuestChannel, plan: NodePlan, how: Seeded): Promise<void> {
  const { additions, dnsPort, limitMs } = how
  await setClock(channel, () => limitMs)
  if (additions) await unpackInto(channel, additions)
  await configure(channel, plan, { clone: false, seeded: true, scripts: true, dnsPort })
}

/**
 * Waits until a guest that its own boot loader starts can be used: until it is configured, or, when it has no cloud-init
 * that would start xcluster-guest, some time after its agent or a login prompt has shown up. Returns what it lacks, as a
 * sentence; undefined when it is configured. Throws what `configured` throws, but for the guest's silence.
 */
export async function awaitCloudGuest(
  machine: Pick<Machine, 'console' | 'events' | 'milestones'>,
  configured: Promise<void>,
  { clock, limitMs }: { readonly clock: Clock; readonly limitMs: number },
): Promise<string | undefined> {
  const done = configured.then(
    () => undefined,
    failure => {
      if (codeOf(failure) !== 'GUEST_SILENT') throw failure
      return `it has given no sign of life within ${durationText(limitMs)}`
    },
  )
  const signs = [agentSign(machine), loginSign(machine)]
  try {
    const late = Promise.race(signs.map(({ seen }) => seen)).then(async sign => {
      await new Promise<void>(resolve => void clock.after(graceMs, resolve))
      return sign
    })
    return await Promise.race([done, late])
  } finally {
    for (const { end } of signs) end()
  }
}

interface Sign {
  readonly seen: Promise<string>
  end(): void
}

const lacks = 'no xcluster-guest has begun in it'

/** Never resolves when the machine ends first. */
function agentSign(machine: Pick<Machine, 'events' | 'milestones'>): Sign {
  const queue = machine.events()
  const seen = new Promise<string>(resolve => {
    const tell = () => resolve(`${lacks}: commands go through its QEMU guest agent`)
    if (machine.milestones.agent !== undefined) tell()
    void (async () => {
      for await (const event of queue) if (event.type === 'milestone' && event.milestone === 'agent') tell()
    })()
  })
  return { seen, end: () => queue.end() }
}

/** getty(8) has written its prompt on the console. */
function loginSign({ console }: Pick<Machine, 'console'>): Sign {
  const output = console.attach()
  const seen = new Promise<string>(resolve => {
    void (async () => {
      let line = ''
      for await (const bytes of output) {
        line = `${line}${Buffer.from(bytes).toString('latin1')}`.slice(-200)
        if (/login: ?$/.test(line)) resolve(`${lacks}, and no agent: use its console, or ssh`)
      }
    })()
  })
  return { seen, end: () => output.end() }
}
