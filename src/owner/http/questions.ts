import { z } from 'zod'
import {
  nodeIn,
  type Parameter,
  type ParameterKind,
  type ParameterValues,
  type Verb,
} from '../../api/index.ts'

/** What a parameter must be, in an error. */
const expects = {
  nodes: 'a list of nodes, such as [1, "vm-002"]',
  flag: 'true or false',
  digit: '0 or 1',
  words: 'a list of one or more words',
  base64: 'bytes in base64',
  milliseconds: 'a whole number of milliseconds above 0',
  text: 'text on one line',
  count: 'a whole number from 0 on',
  share: 'a number above 0 and up to 1',
  topology: 'a topology, as an object',
} as const

const oneNode = z
  .union([z.number().int().nonnegative(), z.string()], expects.nodes)
  .describe('1, "1" or "vm-001"')
const nodes = z.array(oneNode, expects.nodes).min(1, expects.nodes)

/** The schema of each kind of parameter in a body. */
const inBody = {
  nodes,
  newNodes: nodes,
  flag: z.boolean(expects.flag),
  words: z.array(z.string(expects.words), expects.words).min(1, expects.words),
  base64: z.base64(expects.base64),
  milliseconds: z.number(expects.milliseconds).int(expects.milliseconds).positive(expects.milliseconds),
  text: z.string(expects.text).regex(/^[^\n\0]+$/, expects.text),
  count: z.number(expects.count).int(expects.count).nonnegative(expects.count),
  topology: z.record(z.string(), z.unknown(), expects.topology),
  share: z.number(expects.share).positive(expects.share).max(1, expects.share),
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
    { error: issue => (issue.code === 'unrecognized_keys' ? undefined : 'its body must be a JSON object') },
  )
}

function bodySchema(parameter: Parameter): z.ZodType {
  const schema: z.ZodType = inBody[parameter.kind as keyof typeof inBody]
  return schema.describe(docOf(parameter, ['false', 'true']))
}

const digitsOf = { milliseconds: /^[1-9]\d{0,8}$/, count: /^(0|[1-9]\d{0,8})$/ } as const

/** A query has flags, as 0 and 1, text, times and other numbers, and lists of words with commas. */
function inQuery(parameter: Parameter): z.ZodType {
  if (parameter.kind === 'milliseconds' || parameter.kind === 'count') {
    const [expected, form] = [expects[parameter.kind], digitsOf[parameter.kind]]
    return z.string(expected).regex(form, expected).describe(parameter.doc).transform(Number)
  }
  if (parameter.kind === 'text') return inBody.text.describe(parameter.doc)
  if (parameter.kind === 'words' || parameter.kind === 'nodes') {
    const words = z.string(expects.words).regex(/^[^,]+(,[^,]+)*$/, expects.words)
    return words.describe(`${parameter.doc}; with commas`).transform(text => text.split(','))
  }
  return z
    .enum(['0', '1'], expects.digit)
    .describe(docOf(parameter, ['0', '1']))
    .transform(digit => digit === '1')
}

/** The text of a flag describes the value that is not the usual one, then names the usual one. */
function docOf(parameter: Parameter, [no, yes]: readonly [string, string]): string {
  if (parameter.kind !== 'flag') return parameter.doc
  const [usual, other] = parameter.usually ? [yes, no] : [no, yes]
  return `${other}: ${parameter.doc}; ${usual} when left out`
}
