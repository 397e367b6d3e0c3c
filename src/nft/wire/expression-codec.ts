import { bytes, EncodeError, printable, text, type ValueOf } from '../../base/index.ts'
import { type AttributeCodec, type AttributeTable, attributes, nested, when } from '../../netlink/index.ts'

/** An expression without a table here, unchanged. */
export interface OtherExpression {
  readonly kind: 'other'
  /** The kernel's name for it. */
  readonly name: string
  readonly data?: Uint8Array
}

type Tables = Readonly<Record<string, AttributeCodec<object>>>
/** The expressions of some tables, by the kernel's names. */
export type ExpressionOf<T extends Tables> = {
  [K in keyof T & string]: { readonly kind: K } & Readonly<ValueOf<T[K]>>
}[keyof T & string]

/** The table of an expression that is sent by its name alone, as libnftnl does it. */
export const nothing = attributes({})

/** NFTA_EXPR_*. The name decides how the data are read. */
export function expressionCodec<T extends Tables>(
  tables: T,
): AttributeCodec<ExpressionOf<T> | OtherExpression> {
  const shell = attributes<AttributeTable>({
    name: [1, text],
    ...Object.fromEntries(
      Object.entries(tables).map(([kind, table]) => [kind, [2, when('name', kind, nested(table))]]),
    ),
    other: [2, nested(bytes)],
  })
  const known = Object.keys(tables).join(', ')
  return {
    flagged: true,
    write(out, value) {
      if (value.kind === 'other') {
        const { name, data } = value as OtherExpression
        return shell.write(out, { name, other: data })
      }
      const { kind, ...rest } = value
      if (!Object.hasOwn(tables, kind))
        throw new EncodeError('kind', `'${printable(kind, 40)}' is not one of ${known}, other`)
      shell.write(out, { name: kind, ...(tables[kind] !== nothing && { [kind]: rest }) })
    },
    read(from) {
      const { name, other, ...known } = shell.read(from) as { name?: string; other?: Uint8Array }
      if (name !== undefined && Object.hasOwn(tables, name))
        return { kind: name, ...(known as Record<string, object>)[name] } as ExpressionOf<T>
      return { kind: 'other', name: name ?? '', ...(other && { data: other }) }
    },
    locate: (from, offset) => shell.locate?.(from, offset),
  }
}
