import { given } from '../link/given.ts'
import type { LinkRef, Names } from '../operation.ts'
import * as wire from '../wire/index.ts'
import { bitsOf, bytesIn, rate64, rateSpec, transmitTicks } from './units.ts'

/** TC_ACT_*: what becomes of a packet. `pipe` goes on with the next action, `continue` with the next filter. */
export const verdicts = { continue: -1, pass: 0, reclassify: 1, drop: 2, pipe: 3 } as const
export type Verdict = keyof typeof verdicts

/** Limits the rate of matching packets. Rates in bit/s, sizes in bytes. */
export interface Police {
  readonly rate: number
  readonly burst: number
  /** Larger packets exceed. Default: no limit. */
  readonly mtu?: number
  /** What becomes of packets beyond the rate, and within. Default: `drop` and `pass`. */
  readonly exceed?: Verdict
  readonly conform?: Verdict
}

/** What a filter does with matching packets, in this order. */
export interface Actions {
  readonly police?: Police
  /** Sends a copy of matching packets, or the packets themselves, to this interface, for instance an ifb that shapes them. */
  readonly mirror?: LinkRef
  readonly redirect?: LinkRef
  readonly verdict?: Verdict
}

export const actionLinks = ({ mirror, redirect }: Actions) =>
  [redirect, mirror].filter(one => one !== undefined)

/** The modules that the actions need. */
export const actionKinds = ({ police, mirror, redirect, verdict }: Actions) => [
  ...(police ? ['police'] : []),
  ...(mirror !== undefined || redirect !== undefined ? ['mirred'] : []),
  ...(verdict ? ['gact'] : []),
]

/** net/sched/act_mirred.c: a redirected packet leaves this interface's path, a mirrored one continues. */
export function actionsOf(spec: Actions, names: Names): { actions?: wire.ActionAttributes[] } {
  const { police, redirect, mirror, verdict } = spec
  const actions: wire.ActionAttributes[] = []
  if (police) actions.push(policeAction(police))
  if (mirror !== undefined)
    actions.push(mirred(wire.TC_ACT_PIPE, wire.TCA_EGRESS_MIRROR, names.indexOf(mirror)))
  if (redirect !== undefined)
    actions.push(mirred(wire.TC_ACT_STOLEN, wire.TCA_EGRESS_REDIR, names.indexOf(redirect)))
  if (verdict) actions.push({ kind: 'gact', gact: { parameters: { ...fresh, action: verdicts[verdict] } } })
  return actions.length > 0 ? { actions } : {}
}

const fresh = { index: 0, capabilities: 0, references: 0, bindings: 0 }

function mirred(action: number, direction: number, link: number): wire.ActionAttributes {
  return { kind: 'mirred', mirred: { parameters: { ...fresh, action, direction, link } } }
}

/** Sizes up to 2,048 bytes in 256 steps of 8, as tc has them. */
const cellLog = 3

function policeAction({ rate, burst, mtu = 0, exceed = 'drop', conform }: Police): wire.ActionAttributes {
  const spec = { ...rateSpec('police rate', rate, wire.TC_LINKLAYER_ETHERNET), cellLog, cellAlign: 0xffff }
  const parameters = {
    ...{ ...fresh, action: verdicts[exceed], limit: 0, burst: transmitTicks(burst, rate), mtu },
    ...{ rate: spec, peakRate: rateSpec('police', undefined, 0) },
  }
  const rateTable = rateTableOf(rate)
  const result = conform === undefined ? undefined : verdicts[conform]
  return { kind: 'police', police: { parameters, rateTable, rate64: rate64(rate), result } }
}

/** Only act_police still asks for it (qdisc_get_rtab): the ticks that each size takes. */
function rateTableOf(rate: number): Uint8Array {
  const table = new Uint32Array(256)
  for (let cell = 0; cell < 256; cell++)
    table[cell] = Math.min(transmitTicks((cell + 1) << cellLog, rate), 0xffffffff)
  return new Uint8Array(table.buffer)
}

/** Indexes of interfaces in a listing. */
export interface ListedActions extends Omit<Actions, 'mirror' | 'redirect'> {
  readonly mirror?: number
  readonly redirect?: number
}

export function actionsFrom(actions: readonly wire.ActionAttributes[] = []): ListedActions {
  const mirreds = actions.map(({ mirred }) => mirred?.parameters)
  const to = (direction: number) => mirreds.find(found => found?.direction === direction)?.link
  const police = actions.find(({ kind }) => kind === 'police')?.police
  const gact = actions.find(({ kind }) => kind === 'gact')?.gact?.parameters
  return given({
    police: police?.parameters && policeFrom(police, police.parameters),
    mirror: to(wire.TCA_EGRESS_MIRROR),
    redirect: to(wire.TCA_EGRESS_REDIR),
    verdict: gact && verdictOf(gact.action),
  })
}

const verdictOf = (number: number): Verdict | undefined =>
  (Object.keys(verdicts) as Verdict[]).find(word => verdicts[word] === number)

type PoliceOptions = NonNullable<wire.ActionAttributes['police']>

function policeFrom(options: PoliceOptions, found: NonNullable<PoliceOptions['parameters']>): Police {
  const rate = bitsOf(found.rate.rate, options.rate64)
  return {
    rate,
    burst: bytesIn(found.burst, rate),
    ...given({
      mtu: found.mtu || undefined,
      exceed: verdictOf(found.action),
      conform: options.result === undefined ? undefined : verdictOf(options.result),
    }),
  }
}
