import { printable } from '../../base/index.ts'
import { table } from '../view/table.ts'
import type { Reading } from './reading.ts'
import { headline, netTable, nodeCells } from './text.ts'

/** What is on the screen besides the reading. */
export interface Shown {
  /** The id of the selected node. */
  readonly selected: number
  /** The result of the last key, or a question. */
  readonly message: string
  readonly color: boolean
  readonly size: { readonly columns: number; readonly rows: number }
}

const keys = '↑ ↓ select   enter console   p pause   r resume   s stop   R reset   q quit'
const [bold, inverse, dim, plain] = ['1', '7', '2', '0'].map(code => `\u001b[${code}m`)
const colors: Readonly<Record<string, string>> = { ready: '32', paused: '33', failed: '31' }

/** The lines of the screen: as many as it has rows, none longer than it is wide. Pure. */
export function screenLines(reading: Reading, { selected, message, color, size }: Shown): string[] {
  const cut = (line: string) => [...line].slice(0, size.columns).join('')
  const styled = (line: string, sgr: string | undefined) => (color && sgr ? `${sgr}${line}${plain}` : line)
  const { header, rows } = nodeCells(reading)
  const [head = '', ...nodes] = linesOf(table(header, rows))
  const at = Math.max(
    0,
    reading.nodes.findIndex(({ id }) => id === selected),
  )
  const nets = linesOf(netTable(reading))
  const above = [styled(cut(headline(reading)), bold), '', ...nets.slice(0, fitting(size.rows)).map(cut), '']
  const room = Math.max(1, size.rows - above.length - 3)
  const first = Math.min(Math.max(0, at - room + 1), Math.max(0, nodes.length - room))
  const shown = nodes.slice(first, first + room).map((line, index) => {
    const position = first + index
    const text = cut(color ? line : `${position === at ? '>' : ' '}${line}`)
    if (position === at) return styled(text.padEnd(size.columns), inverse)
    const code = colors[reading.nodes[position]!.state]
    return styled(text, code && `\u001b[${code}m`)
  })
  const body = [...above, styled(cut(color ? head : ` ${head}`), dim), ...shown]
  const blank = Array<string>(Math.max(0, size.rows - body.length - 2)).fill('')
  const said = message || troubleOf(reading, at)
  return [...body, ...blank, cut(printable(said, 500)), styled(cut(keys), dim)].slice(0, size.rows)
}

/** Half of a low screen is for nodes. */
function fitting(rows: number): number {
  return Math.max(2, Math.floor(rows / 2) - 3)
}

function troubleOf({ nodes }: Reading, at: number): string {
  const { name, reason, warning } = nodes[at] ?? {}
  return (reason ?? warning) === undefined ? '' : `${name}: ${reason ?? warning}`
}

function linesOf(text: string): string[] {
  return text.split('\n').slice(0, -1)
}
