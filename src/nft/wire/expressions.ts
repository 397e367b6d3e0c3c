import type { ValueOf } from '../../base/index.ts'
import { expressionCodec } from './expression-codec.ts'
import { tables } from './expression-tables.ts'

export const expression = expressionCodec(tables)
/** One step of a rule: it loads a register, compares it, decides, counts. `kind` is the kernel's name. */
export type Expression = ValueOf<typeof expression>
