import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_REPLACE, type Request, request } from '../../netlink/index.ts'
import { errorAbout } from '../errors.ts'
import { refText, type TableRef } from '../names.ts'
import { inFamily, type Make, type Sink } from '../operation.ts'
import { anonymousSet } from '../set/requests.ts'
import { take } from '../takes.ts'
import { commentData } from '../user-data.ts'
import * as wire from '../wire/index.ts'
import { Draft, type Statement } from './draft.ts'

export interface RuleSpec {
  readonly table: TableRef
  readonly chain: string
  /** Evaluated from first to last, as long as they match. */
  readonly statements: readonly Statement[]
  readonly comment?: string
  /**
   * The handle of a rule that this one follows or precedes. Without either it becomes the last rule, with
   * `first` the first.
   */
  readonly after?: bigint
  readonly before?: bigint
  readonly first?: boolean
}

export interface RuleRef {
  readonly table: TableRef
  readonly chain: string
  readonly handle: bigint
}

/** Changes of rules. */
export class RuleChanges {
  readonly #sink: Sink

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Adds a rule and the sets that belong to it. `nft add rule …`, `nft insert rule …` */
  add(spec: RuleSpec): void {
    take('add rule', spec, 'RuleSpec')
    const append = spec.before === undefined && !spec.first ? NLM_F_APPEND : 0
    const position = spec.after ?? spec.before
    this.#sink(newRule('add rule', spec, { flags: NLM_F_CREATE | append, attributes: { position } }))
  }

  /** Replaces a rule. `nft replace rule <family> <table> <chain> handle <n> …` */
  replace(spec: Pick<RuleSpec, 'statements' | 'comment'> & RuleRef): void {
    take('replace rule', spec, 'RuleSpec')
    take('replace rule', spec, 'RuleRef')
    const { handle } = spec
    this.#sink(newRule('replace rule', spec, { flags: NLM_F_REPLACE, attributes: { handle } }))
  }

  /** Removes a rule. `nft delete rule <family> <table> <chain> handle <n>` */
  remove(rule: RuleRef): void {
    const { table, chain, handle } = take('delete rule', rule, 'RuleRef')
    const target = `${refText(table)} ${chain} handle ${handle}`
    const about = { type: wire.NFT_MSG_DELRULE, op: 'delete rule', target }
    const value = inFamily(table.family, { table: table.name, chain, handle })
    this.#sink(() => [request(wire.ruleMessage, value, about)])
  }
}

interface Placement {
  readonly flags: number
  readonly attributes: { readonly position?: bigint | undefined; readonly handle?: bigint }
}

function newRule(op: string, spec: RuleSpec, { flags, attributes }: Placement): Make {
  const { table, chain, statements, comment } = spec
  const target = `${refText(table)} ${chain}: ${statements.map(({ text }) => text).join(' ')}`
  return building => {
    const find = (name: string) => building.find({ table, name })
    const around = { nextId: () => building.nextId(), find }
    const draft = written(new Draft(table.family, around), statements, { op, target })
    const sets = draft.sets.flatMap(set => anonymousSet(table, set, { op, target }))
    const value = inFamily(table.family, {
      table: table.name,
      chain,
      ...attributes,
      expressions: draft.expressions,
      ...(comment !== undefined && { userData: commentData(comment) }),
    })
    const rule: Request = request(wire.ruleMessage, value, { type: wire.NFT_MSG_NEWRULE, flags, op, target })
    return [...sets, rule]
  }
}

function written(
  draft: Draft,
  statements: readonly Statement[],
  doing: { op: string; target: string },
): Draft {
  for (const statement of statements) {
    try {
      statement.write(draft)
    } catch (failure) {
      throw errorAbout(doing, failure)
    }
  }
  return draft
}

/**
 * The expressions of some statements in a family of table. Sets that belong to the rule are named `__set%d`.
 * Pure.
 */
export function expressionsOf(
  family: TableRef['family'],
  statements: readonly Statement[],
): wire.Expression[] {
  take('build rule', family, ['FamilyName', 'family'])
  take('build rule', statements, ['statements', 'statements'])
  const target = statements.map(({ text }) => text).join(' ')
  let ids = 0
  const around = { nextId: () => ++ids, find: () => undefined }
  return written(new Draft(family, around), statements, { op: 'build rule', target }).expressions
}
