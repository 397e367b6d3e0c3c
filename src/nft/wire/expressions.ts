import { bytes, text, type ValueOf } from '../../base/index.ts'
import { type AttributeCodec, type AttributeTable, attributes, nested, when } from '../../netlink/index.ts'
import { tables } from './expression-tables.ts'

type Tables = typeof tables
type Kind = keyof Tables
type Known = { [K in Kind]: { readonly kind: K } & Readonly<ValueOf<Tables[K]>> }[Kind]

/** An expression without a table here, unchanged. */
interface Other {
  readonly kind: 'other'
  /** The kernel's name for it. */
  readonly name: string
  readonly data?: Uint8Array
}

/** One step of a rule: it loads a register, compares it, decides, counts. `kind` is the kernel's name. */
export type Expression = Known | Other

const kinds = Object.keys(tables) as Kind[]

/** NFTA_EXPR_*. The name decides how the data are read. */
const shell = attributes<AttributeTable>({
  name: [1, text],
  ...Object.fromEntries(kinds.map(kind => [kind, [2, when('name', kind, nested(tables[kind]))]])),
  other: [2, nested(bytes)],
})

export const expression: AttributeCodec<Expression> = {
  flagged: true,
  write(out, value) {
    if (value.kind === 'other') return shell.write(out, { name: value.name, other: value.data })
    const { kind, ...rest } = value
    shell.write(out, { name: kind, [kind]: rest })
  },
  read(from) {
    const { name, other, ...known } = shell.read(from) as { name?: string; other?: Uint8Array }
    if (name !== undefined && name in tables)
      return { kind: name, ...(known as Record<string, object>)[name] } as Known
    return { kind: 'other', name: name ?? '', ...(other && { data: other }) }
  },
  locate: (from, offset) => shell.locate?.(from, offset),
}
