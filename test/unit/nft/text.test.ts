import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { messages } from '../../../src/netlink/index.ts'
import { type Expression, expressionText } from '../../../src/nft/index.ts'
import * as wire from '../../../src/nft/wire/index.ts'
import { readVector } from '../../support/vectors.ts'
import { commands } from '../../vectors/nft/rulesets.ts'

/** nft's own text for the expressions that it sends. */
function debugLines(vector: string): string[] {
  const file = join(import.meta.dirname, '../../vectors/nft', `${vector}.hex`)
  return Array.from(readFileSync(file, 'utf8').matchAll(/^# debug: +\[ (.*?) *\]$/gm), ([, line]) => line!)
}

const rules = Object.keys(commands).filter(name => debugLines(name).length > 0)

test.each(rules)('%s: expressions that nft sent are printed as nft prints them', vector => {
  const [sent] = readVector(`nft/${vector}`).datagrams
  const expressions = [...messages(sent!)].flatMap(({ type, body }) =>
    type === wire.NFT_MSG_NEWRULE ? (wire.ruleMessage.read(body).attributes.expressions ?? []) : [],
  )
  expect(expressions.map(one => expressionText(one).trimEnd())).toEqual(debugLines(vector))
})

test('most vectors are rules, and an expression without a text shows its name', () => {
  expect(rules.length).toBeGreaterThan(50)
  const quota: Expression = { kind: 'other', name: 'quota', data: Uint8Array.of(1) }
  expect([quota, { kind: 'dup' } as const].map(expressionText)).toEqual(['quota', 'dup'])
})
