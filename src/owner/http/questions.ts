import { z } from 'zod'
import {
  nodeIn,
  type Parameter,
  type ParameterKind,
  type ParameterValues,
  type Verb,
} from '../../api/index.ts'

const oneNode = z.union([z.number().int().nonnegative(), z.string()]).describe('1, "1" or "vm-001"')
const nodes = z.array(oneNode).min(1)

/** The schema of each kind of parameter in a body. */
const inBody = {
  nodes,
  newNodes: nodes,
  flag: z.boolean(),
  words: z.array(z.string()).min(1),
  base64: z.base64(),
  milliseconds: z.number().int().positive(),
} satisfies { readonly [Kind in Exclude<ParameterKind, 'node'>]: z.ZodType<ParameterValues[Kind]> }

/**
 * The schema of a verb's parameters, apart from the node in its path: for the body, or for the query of a GET. Without
 * parameters undefined: body and query are then ignored.
 */
export function questionOf({ asks, method }: Pick<Verb, 'asks' | 'method'>): z.ZodType | undefined {
  const parameters = Object.entries(asks).filter(([name]) => name !== nodeIn(asks))
  if (parameters.length === 0) return undefined
  const schemaOf = method === 'GET' ? inQuery : bodySchema
  return z.strictObject(
    Object.fromEntries(
      parameters.map(([name, parameter]) => {
        const schema = schemaOf(parameter)
        return [name, parameter.optional ? schema.optional() : schema]
      }),
    ),
  )
}

function bodySchema(parameter: Parameter): z.ZodType {
  const schema: z.ZodType = inBody[parameter.kind as keyof typeof inBody]
  return schema.describe(docOf(parameter, ['false', 'true']))
}

/** A query has only flags, as 0 and 1. */
function inQuery(parameter: Parameter): z.ZodType {
  return z
    .enum(['0', '1'])
    .describe(docOf(parameter, ['0', '1']))
    .transform(digit => digit === '1')
}

/** The text of a flag describes the value that is not the usual one, then names the usual one. */
function docOf(parameter: Parameter, [no, yes]: readonly [string, string]): string {
  if (parameter.kind !== 'flag') return parameter.doc
  const [usual, other] = parameter.usually ? [yes, no] : [no, yes]
  return `${other}: ${parameter.doc}; ${usual} when left out`
}
