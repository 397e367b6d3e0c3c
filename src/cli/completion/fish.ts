import { version } from '../../base/index.ts'
import type { CommandWords, Value } from './vocabulary.ts'

/** The completion of `xc` for fish(1), with summaries. It runs `xc` for names of clusters and nodes. */
export function fishScript(program: CommandWords): string {
  const all = commandsBelow(program, '')
  const valued = new Set(
    all.flatMap(({ words }) =>
      words.options.filter(({ value }) => value).flatMap(({ spellings }) => spellings),
    ),
  )
  const groups = program.commands.filter(({ commands }) => commands.length > 0).map(({ name }) => name)
  return `# fish completion of xc, xcluster ${version}. Made by: xc completion fish
set -g __xc_valued ${[...valued].join(' ')}
set -g __xc_groups ${groups.join(' ')}
${machine}
complete -c xc -f
${all.flatMap(linesOf).join('\n')}
`
}

interface At {
  /** The command's names as they are typed: `cache export`; empty for `xc` itself. */
  readonly paths: readonly string[]
  readonly words: CommandWords
}

function commandsBelow(words: CommandWords, above: string): At[] {
  return [
    ...(above === '' ? [{ paths: [''], words }] : []),
    ...words.commands.flatMap(sub => {
      const prefix = above && `${above} `
      const paths = [sub.name, sub.alias].filter(Boolean).map(name => `${prefix}${name}`)
      return [
        { paths, words: sub },
        ...commandsBelow(sub, `${prefix}${sub.name}`).slice(above === '' ? 1 : 0),
      ]
    }),
  ]
}

function linesOf({ paths, words: { options, commands, argument } }: At): string[] {
  const at = `-n ${quoted(`__xc_at ${paths.map(path => quoted(path)).join(' ')}`)}`
  const names = commands.flatMap(({ name, alias, summary }) =>
    [name, alias]
      .filter(spelling => spelling !== undefined)
      .map(word => `${at} -a ${word} -d ${quoted(summary)}`),
  )
  const flags = options.map(({ spellings, summary, value }) => {
    const spelled = spellings.map(word =>
      word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`,
    )
    return [at, ...spelled, ...(value ? [valueWords(value)] : []), '-d', quoted(summary)].join(' ')
  })
  return [...names, ...flags, ...argumentWords(paths, argument)].map(line => `complete -c xc ${line}`)
}

function valueWords(value: Value): string {
  if (typeof value === 'object') return `-x -a ${quoted(value.join(' '))}`
  return { cluster: "-x -a '(xc completion clusters 2>/dev/null)'", path: '-r -F', anything: '-x' }[value]
}

function argumentWords(paths: readonly string[], argument: CommandWords['argument']): string[] {
  if (argument === undefined) return []
  const test = argument === 'nodes' ? '__xc_at' : '__xc_first'
  const words = typeof argument === 'object' ? argument.join(' ') : '(__xc_nodes)'
  return [`-n ${quoted(`${test} ${paths.map(path => quoted(path)).join(' ')}`)} -a ${quoted(words)}`]
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}

/** `__xc_line` prints the command and then its arguments, one a line, without options and their values. */
const machine = `
function __xc_line
    set -l words
    set -l pending
    for word in (commandline -opc)[2..-1]
        if test -n "$pending"
            set pending
        else if test "$word" = --
            set words -- $words
            break
        else if contains -- $word $__xc_valued
            set pending yes
        else if not string match -q -- '-*' $word
            set -a words $word
        end
    end
    if test (count $words) -gt 1; and contains -- $words[1] $__xc_groups
        set words "$words[1] $words[2]" $words[3..-1]
    end
    string join \\n -- $words
end

function __xc_at
    set -l line (__xc_line)
    set -q line[1]; or set line ''
    contains -- $line[1] $argv
end

function __xc_first
    test (count (__xc_line)) -eq 1; and __xc_at $argv
end

function __xc_nodes
    set -l words (commandline -opc)
    set -l cluster (string replace -rf -- '^--name=' '' $words)
    set -l at (contains -i -- --name $words); and set cluster $words[(math $at + 1)]
    set -l nodes (xc completion nodes --name=$cluster[1] 2>/dev/null; or xc completion nodes 2>/dev/null)
    if string match -q 'v*' -- (commandline -ct)
        string replace -r '^[^:]*:' '' $nodes
    else
        string replace : \\t $nodes
    end
end
`
