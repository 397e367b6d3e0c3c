import type { Applied } from '../../api/index.ts'

const signs = { add: '+', remove: '-', change: '~', restart: '~' } as const

/** A difference as text: a line for each change, in columns, then the count. */
export function changesText({ changes }: Pick<Applied, 'changes'>): string {
  if (changes.length === 0) return 'nothing to do: the cluster is as the topology says\n'
  const rows = changes.map(({ how, of, what, before, after }) => {
    const anew = how === 'restart' ? ' (started anew)' : ''
    const values =
      how === 'add' || how === 'remove' ? (after ?? '') : `${before ?? 'none'} → ${after ?? 'none'}`
    return [`${signs[how]} ${of}`, what, `${values}${anew}`]
  })
  const widths = [0, 1].map(column => Math.max(...rows.map(row => row[column]!.length)))
  const lines = rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return `${[...lines, countsOf(changes)].join('\n')}\n`
}

function countsOf(changes: Applied['changes']): string {
  const nodes = (how: string) =>
    new Set(changes.filter(each => each.how === how && each.what !== 'net').map(({ of }) => of)).size
  const counts = [
    [nodes('add'), 'added'],
    [nodes('remove'), 'removed'],
    [nodes('restart'), 'started anew'],
  ] as const
  const said = counts
    .filter(([count]) => count > 0)
    .map(([count, done]) => `${count} ${count === 1 ? 'node' : 'nodes'} ${done}`)
  return [`${changes.length} ${changes.length === 1 ? 'change' : 'changes'}`, ...said].join('; ')
}
