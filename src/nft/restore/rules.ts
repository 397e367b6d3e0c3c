import { NLM_F_APPEND, NLM_F_CREATE, type Request, request } from '../../netlink/index.ts'
import type { Chain, Rule, Table } from '../listing/model.ts'
import { inFamily } from '../operation.ts'
import type { Doing } from '../set/requests.ts'
import { attachment } from '../user-data.ts'
import * as wire from '../wire/index.ts'
import { madeName, restoredSet } from './sets.ts'

/** The numbers by which rules refer to what has no lasting name: sets and chains that belong to one rule. */
export interface Numbers {
  nextId(): number
  chainId(name: string): number | undefined
}

/** A listed rule, after the sets that belong to it. */
export function restoredRule(table: Table, rule: Rule, numbers: Numbers): Request[] {
  const target = `${table.family} ${table.name} ${rule.chain} handle ${rule.handle}`
  const doing = { op: 'restore rule', target }
  const sets: Request[] = []
  const expressions = rule.expressions.map(listed => {
    const expression = accepted(listed)
    const own = table.sets.find(({ anonymous, name }) => anonymous && name === setOf(expression))
    if (!own) return jumping(expression, numbers)
    const id = numbers.nextId()
    sets.push(...restoredSet(table, own, { ...doing, id }))
    return { ...expression, set: madeName(own), setId: id } as wire.Expression
  })
  return [...sets, ruleRequest(table, { ...rule, expressions }, { ...doing, ...numbers })]
}

function ruleRequest(table: Table, rule: Rule, { op, target, chainId }: Doing & Numbers): Request {
  const { chain, expressions, compat } = rule
  const id = chainId(chain)
  const attributes = {
    table: table.name,
    ...(id === undefined ? { chain } : { chainId: id }),
    expressions: [...expressions],
    ...(compat && { compat }),
    ...attachment(rule),
  }
  const about = { type: wire.NFT_MSG_NEWRULE, flags: NLM_F_CREATE | NLM_F_APPEND, op, target }
  return request(wire.ruleMessage, inFamily(table.family, attributes), about)
}

/**
 * Leaves out what the kernel lists and refuses: a timeout of 0 (`nft_dynset_init()`), flags of a TCP option that is
 * written (`nft_exthdr_tcp_set_init()`), and those of an operating system's fingerprint when none is set.
 */
function accepted(expression: wire.Expression): wire.Expression {
  if (expression.kind === 'dynset' && expression.timeout === 0n) return { ...expression, timeout: undefined }
  if (expression.kind === 'exthdr' && expression.source !== undefined)
    return { ...expression, flags: undefined }
  if (expression.kind === 'osf' && expression.flags === 0) return { ...expression, flags: undefined }
  return expression
}

const setOf = (expression: wire.Expression): string | undefined =>
  'set' in expression && typeof expression.set === 'string' ? expression.set : undefined

/** A jump to a chain that belongs to the rule names it by its number. */
function jumping(expression: wire.Expression, { chainId }: Numbers): wire.Expression {
  if (expression.kind !== 'immediate') return expression
  const verdict = expression.data?.verdict
  const id = verdict?.chain === undefined ? undefined : chainId(verdict.chain)
  if (id === undefined) return expression
  return { ...expression, data: { verdict: { code: verdict?.code, chainId: id } } }
}

/** Chains in an order in which those that belong to a rule come before the chain of that rule. */
export function innerFirst(chains: readonly Chain[]): Chain[] {
  const inner = chains.filter(({ anonymous }) => anonymous)
  const reaches = (chain: Chain): Chain[] =>
    inner.filter(({ name }) =>
      chain.rules.some(({ expressions }) => expressions.some(each => targetOf(each) === name)),
    )
  const depth = (chain: Chain): number => Math.max(0, ...reaches(chain).map(each => 1 + depth(each)))
  return chains.toSorted(
    (a, b) => Number(b.anonymous ?? false) - Number(a.anonymous ?? false) || depth(a) - depth(b),
  )
}

const targetOf = (expression: wire.Expression): string | undefined =>
  expression.kind === 'immediate' ? expression.data?.verdict?.chain : undefined
