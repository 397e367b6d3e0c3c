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

/** What a parameter of each kind may be in a body. */
const inBody = {
  nodes,
  newNodes: nodes,
  flag: z.boolean(),
  words: z.array(z.string()).min(1),
  base64: z.base64(),
  milliseconds: z.number().int().positive(),
} satisfies { readonly [Kind in Exclude<ParameterKind, 'node'>]: z.ZodType<ParameterValues[Kind]> }

/**
 * The schema of what a verb is asked, apart from the node in its path: a body, or the query of a GET. Undefined for
 * one that is asked nothing: what comes is then not looked at.
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

/** Flags alone fit into a query, as 0 and 1. */
function inQuery(parameter: Parameter): z.ZodType {
  return z
    .enum(['0', '1'])
    .describe(docOf(parameter, ['0', '1']))
    .transform(digit => digit === '1')
}

/** A flag's says what comes of the value that it usually has not. */
function docOf(parameter: Parameter, [no, yes]: readonly [string, string]): string {
  if (parameter.kind !== 'flag') return parameter.doc
  const [usual, other] = parameter.usually ? [yes, no] : [no, yes]
  return `${other}: ${parameter.doc}; ${usual} when left out`
}
