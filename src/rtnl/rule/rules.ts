import { type Connection, type Message, request } from '../../netlink/index.ts'
import type { Sink } from '../operation.ts'
import { take } from '../takes.ts'
import * as wire from '../wire/index.ts'
import { addRule, type Rule, type RuleSpec, removeRule, ruleOf } from './rule.ts'

/** Changes of rules, each at once or in a batch. */
export class RuleChanges<Done> {
  readonly #sink: Sink<Done>

  constructor(sink: Sink<Done>) {
    this.#sink = sink
  }

  /** Adds a rule. Without a priority it goes before the existing ones. `ip [-4|-6] rule add … table <n>` */
  add(spec: RuleSpec): Done {
    return this.#sink(() => addRule(spec))
  }

  /** Removes the first rule that matches every given field. `ip [-4|-6] rule del …` */
  remove(spec: RuleSpec): Done {
    return this.#sink(() => removeRule(spec))
  }
}

/** Routing policy rules: which routing table is used for which packets. */
export class Rules extends RuleChanges<Promise<void>> {
  readonly #connection: Connection

  constructor(connection: Connection, sink: Sink<Promise<void>>) {
    super(sink)
    this.#connection = connection
  }

  /** The rules of both families or one, in the order of evaluation. `ip [-4|-6] rule show` */
  async list(filter: { readonly family?: 4 | 6 } = {}): Promise<Rule[]> {
    const { family } = take('list rules', filter, 'RuleFilter')
    const families = [wire.AF_INET, wire.AF_INET6].filter(
      number => family === undefined || (number === wire.AF_INET) === (family === 4),
    )
    const rules: Rule[] = []
    for (const family of families) {
      const about = { type: wire.RTM_GETRULE, op: 'list', target: 'rules' }
      for await (const rule of this.#connection.dump(request(wire.ruleMessage, { family }, about), readRule))
        if (rule) rules.push(rule)
    }
    return rules
  }
}

export function readRule({ body }: Message): Rule | undefined {
  return ruleOf(wire.ruleMessage.read(body))
}
