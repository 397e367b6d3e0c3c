import type { Body, Message, MessageDecoder } from '../netlink/index.ts'
import { type Family, familyOf, hookOf } from './names.ts'
import { expressionText } from './text/expression.ts'
import { commentOf } from './user-data.ts'
import * as wire from './wire/index.ts'

const names = new Map(
  Object.entries(wire).flatMap(([name, value]) =>
    /^(NFT|NFNL)_MSG_/.test(name) ? [[value as number, name] as const] : [],
  ),
)

/** By what each type's name ends with. */
const bodies: readonly (readonly [types: RegExp, body: Body<unknown, never>])[] = [
  [/BATCH/, wire.batchMessage],
  [/MSG_(...|DESTROY)TABLE$/, wire.tableMessage],
  [/CHAIN$/, wire.chainMessage],
  [/RULE(_RESET)?$/, wire.ruleMessage],
  [/MSG_(...|DESTROY)SET$/, wire.setMessage],
  [/SETELEM(_RESET)?$/, wire.elementsMessage],
  [/OBJ(_RESET)?$/, wire.objectMessage],
  [/FLOWTABLE$/, wire.flowtableMessage],
  [/GEN$/, wire.generationMessage],
  [/TRACE$/, wire.packetTraceMessage],
]

/** What traces know of nf_tables: names, and the objects of a batch with the words of `nft --debug=netlink`. */
export const nftDecoder: MessageDecoder = {
  area: 'nft',
  family: 'netfilter',
  nameOf: type => names.get(type),
  read({ type, body }: Message) {
    const name = names.get(type) ?? ''
    const [, known] = bodies.find(([types]) => types.test(name)) ?? []
    return known ? objectOf(name, known.read(body) as Raw) : body.take(body.left)
  },
}

interface Raw {
  readonly family: number
  readonly attributes: Readonly<Record<string, unknown>>
}

/** Undefined for a frame of a batch, and a question for everything. */
function objectOf(type: string, { family: number, attributes }: Raw): object | undefined {
  const family = familyOf(number)
  if (number === 0 && Object.keys(attributes).length === 0) return undefined
  const { expressions, userData, hook, policy, ...rest } = attributes
  // What nft leaves with sets has other types by the same numbers.
  const comment = userData && /RULE$/.test(type) ? commentOf(userData as Uint8Array) : undefined
  return {
    ...(number !== 0 && { family }),
    ...rest,
    ...(hook !== undefined && { hook: hookText(family, hook as Hook) }),
    ...(policy !== undefined && { policy: policy === 0 ? 'drop' : 'accept' }),
    ...(expressions !== undefined && {
      expressions: (expressions as readonly wire.Expression[]).map(expressionText),
    }),
    ...(comment !== undefined && { comment }),
  }
}

interface Hook {
  readonly number?: number
}

function hookText(family: Family, { number, ...rest }: Hook): object {
  return { ...(number !== undefined && { name: hookOf(family, number) }), ...rest }
}
