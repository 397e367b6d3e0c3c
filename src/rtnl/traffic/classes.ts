import { type Connection, type Message, NLM_F_CREATE, NLM_F_EXCL, request } from '../../netlink/index.ts'
import { missingQdisc } from '../missing.ts'
import { resolve } from '../names.ts'
import type { LinkRef, Operation, Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { handleNumber } from './handle.ts'
import { classOf } from './options-read.ts'
import { htbClassOptions } from './options-write.ts'
import type { ClassSpec, TrafficClass } from './qdisc-spec.ts'

const verbs = { add: NLM_F_CREATE | NLM_F_EXCL, replace: NLM_F_CREATE, change: 0 } as const

function setClass(spec: ClassSpec, verb: keyof typeof verbs): Operation {
  const { link, id, parent } = take(`${verb} class`, spec, 'ClassSpec')
  const handle = handleNumber(id)
  const value = {
    handle,
    parent: parent === undefined ? handle - (handle & 0xffff) : handleNumber(parent),
    attributes: { kind: 'htb', htb: htbClassOptions(spec) },
  }
  const about = {
    type: wire.RTM_NEWTCLASS,
    flags: verbs[verb],
    op: `${verb} class`,
    target: `${id} (${link})`,
  }
  return {
    refers: [link],
    lacks: [missingQdisc('htb')],
    requests: names => [request(wire.trafficMessage, { ...value, index: names.indexOf(link) }, about)],
  }
}

function removeClass(which: Pick<ClassSpec, 'link' | 'id'>): Operation {
  const { link, id } = take('remove class', which, 'ClassPlace')
  const handle = handleNumber(id)
  const about = { type: wire.RTM_DELTCLASS, op: 'remove class', target: `${id} (${link})` }
  return {
    refers: [link],
    requests: names => [request(wire.trafficMessage, { handle, index: names.indexOf(link) }, about)],
  }
}

/** Changes of classes, each at once or in a batch. */
export class ClassChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /** Adds a class to an htb. `tc class add dev <link> parent <parent> classid <id> htb rate … ceil …` */
  add(spec: ClassSpec): Done {
    return this.#sink(() => setClass(spec, 'add'))
  }

  /** Adds a class, or changes the existing one. `tc class replace …` */
  replace(spec: ClassSpec): Done {
    return this.#sink(() => setClass(spec, 'replace'))
  }

  /** Changes an existing class. `tc class change …` */
  change(spec: ClassSpec): Done {
    return this.#sink(() => setClass(spec, 'change'))
  }

  /** Removes a class that no filter uses. `tc class del dev <link> classid <id>` */
  remove(which: Pick<ClassSpec, 'link' | 'id'>): Done {
    return this.#sink(() => removeClass(which))
  }
}

/** The classes of htb queueing disciplines. */
export class Classes extends ClassChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** The classes of an interface, with statistics. `tc -s class show dev <link>` */
  async list(link: LinkRef): Promise<TrafficClass[]> {
    take('list classes', link, ['link', 'link'])
    const names = await resolve(this.#connection, [{ refers: [link], requests: () => [] }])
    const about = { type: wire.RTM_GETTCLASS, op: 'list', target: `classes of ${link}` }
    const asking = request(wire.trafficMessage, { index: names.indexOf(link) }, about)
    const classes: TrafficClass[] = []
    for await (const found of this.#connection.dump(asking, readClass)) if (found) classes.push(found)
    return classes
  }
}

export function readClass({ body }: Message): TrafficClass | undefined {
  return classOf(wire.trafficMessage.read(body))
}
