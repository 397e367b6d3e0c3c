import {
  type Connection,
  type Message,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  request,
} from '../../netlink/index.ts'
import { missingQdisc } from '../missing.ts'
import { resolve } from '../names.ts'
import type { LinkRef, Operation, Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { type Handle, handleNumber, handleText } from './handle.ts'
import { settingsOf, statisticsOf } from './options-read.ts'
import { optionsOf } from './options-write.ts'
import type { Qdisc, QdiscSpec } from './qdisc-spec.ts'

/** The place of a qdisc. Default: the root. */
export interface QdiscPlace {
  readonly link: LinkRef
  /** `root`, `ingress` (or a clsact), or a class. */
  readonly parent?: Handle
  readonly handle?: Handle
}

const verbs = {
  add: NLM_F_CREATE | NLM_F_EXCL,
  replace: NLM_F_CREATE | NLM_F_REPLACE,
  change: 0,
} as const

/** Ingress and clsact share one place and one handle, ffff: (net/sched/sch_ingress.c). */
const own = { parent: wire.TC_H_INGRESS, handle: 0xffff0000 }

function setQdisc(spec: QdiscSpec, verb: keyof typeof verbs): Operation {
  take(`${verb} qdisc`, spec, 'QdiscSpec')
  const { kind, link, handle, parent = 'root' } = spec
  const place =
    kind === 'ingress' || kind === 'clsact'
      ? own
      : { parent: handleNumber(parent), handle: handle === undefined ? 0 : handleNumber(handle) }
  const attributes = { kind, ...optionsOf(spec) }
  const about = {
    type: wire.RTM_NEWQDISC,
    flags: verbs[verb],
    op: `${verb} ${kind}`,
    target: `${link} ${parent}`,
  }
  return {
    refers: [link],
    lacks: [missingQdisc(kind)],
    requests: names => [
      request(wire.trafficMessage, { index: names.indexOf(link), ...place, attributes }, about),
    ],
  }
}

function removeQdisc(which: QdiscPlace): Operation {
  const { link, parent = 'root', handle } = take('remove qdisc', which, 'QdiscPlace')
  const place =
    parent === 'ingress'
      ? own
      : { parent: handleNumber(parent), handle: handle === undefined ? 0 : handleNumber(handle) }
  const about = { type: wire.RTM_DELQDISC, op: 'remove qdisc', target: `${link} ${parent}` }
  return {
    refers: [link],
    requests: names => [request(wire.trafficMessage, { index: names.indexOf(link), ...place }, about)],
  }
}

/** Changes of queueing disciplines, each at once or in a batch. */
export class QdiscChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /**
   * Adds a qdisc where none was added before. `tc qdisc add dev <link> root|parent <parent> [handle <handle>]
   * <kind> …`
   */
  add(spec: QdiscSpec): Done {
    return this.#sink(() => setQdisc(spec, 'add'))
  }

  /** Adds a qdisc in place of the existing one. `tc qdisc replace …` */
  replace(spec: QdiscSpec): Done {
    return this.#sink(() => setQdisc(spec, 'replace'))
  }

  /** Changes the settings of a qdisc; waiting packets stay. `tc qdisc change …` */
  change(spec: QdiscSpec): Done {
    return this.#sink(() => setQdisc(spec, 'change'))
  }

  /**
   * Restores the default qdisc, and removes classes and filters. `tc qdisc del dev <link> root|parent
   * <parent>`
   */
  remove(place: QdiscPlace): Done {
    return this.#sink(() => removeQdisc(place))
  }
}

/** Queueing disciplines: they shape, delay and drop the packets that interfaces send. */
export class Qdiscs extends QdiscChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** All qdiscs, or those of one interface, with statistics. `tc -s qdisc show [dev <link>]` */
  async list(filter: { readonly link?: LinkRef } = {}): Promise<Qdisc[]> {
    const { link } = take('list qdiscs', filter, 'QdiscFilter')
    const refers = link === undefined ? [] : [link]
    const names = await resolve(this.#connection, [{ refers, requests: () => [] }])
    const index = link === undefined ? 0 : names.indexOf(link)
    const about = { type: wire.RTM_GETQDISC, op: 'list', target: 'qdiscs' }
    const qdiscs: Qdisc[] = []
    for await (const qdisc of this.#connection.dump(request(wire.trafficMessage, {}, about), readQdisc))
      if (index === 0 || qdisc.link === index) qdiscs.push(qdisc)
    return qdiscs
  }
}

export function readQdisc({ body }: Message): Qdisc {
  const { index, handle, parent, attributes } = wire.trafficMessage.read(body)
  const settings = settingsOf(attributes)
  return {
    link: index,
    kind: attributes.kind ?? '',
    handle: handleText(handle),
    parent: handleText(parent),
    ...(settings && { settings }),
    ...(attributes.statistics && { statistics: statisticsOf(attributes.statistics) }),
  }
}
