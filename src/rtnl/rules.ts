import { NLM_F_CREATE, NLM_F_EXCL, request } from '../netlink/index.ts'
import type { Operation, Sink } from './operation.ts'
import { AF_INET, AF_INET6, FR_ACT_TO_TBL, RTM_NEWRULE, ruleMessage } from './wire/index.ts'

/** Which table is looked into, and for what. */
export interface RuleSpec {
  readonly family: 4 | 6
  /** Packets of sockets that are bound to this interface. */
  readonly outDev: string
  readonly table: number
}

/** What can be done to rules, at once or in a batch. */
export class RuleChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /** Adds a rule, before those there are. `ip [-4|-6] rule add oif <dev> table <n>` */
  add(spec: RuleSpec): Done {
    return this.#sink(() => addRule(spec))
  }
}

function addRule({ family, outDev, table }: RuleSpec): Operation {
  const value = {
    family: family === 4 ? AF_INET : AF_INET6,
    action: FR_ACT_TO_TBL,
    attributes: { outName: outDev, table },
  }
  const flags = NLM_F_CREATE | NLM_F_EXCL
  const about = { type: RTM_NEWRULE, flags, op: 'add rule', target: `oif ${outDev} table ${table}` }
  return { refers: [], requests: () => [request(ruleMessage, value, about)] }
}
