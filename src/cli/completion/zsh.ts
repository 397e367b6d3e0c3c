import { version } from '../../base/index.ts'
import type { CommandWords, Value } from './vocabulary.ts'

/** The completion of `xc` for zsh, with summaries, as specifications for `_arguments` (zshcompsys(1)). */
export function zshScript(program: CommandWords): string {
  return `#compdef xc
# zsh completion of xc, xcluster ${version}. Made by: xc completion zsh
${asking}
${withCommands(program, '_xc')}
if [[ $funcstack[1] == _xc ]]; then _xc "$@"; else compdef _xc xc; fi
`
}

/** A function for a command with subcommands, after the functions of those subcommands. */
function withCommands({ options, commands }: CommandWords, name: string): string {
  const functionOf = (sub: CommandWords) => `${name}_${sub.name}`
  const below = commands.filter(sub => sub.commands.length > 0)
  const described = commands.flatMap(({ name, alias, summary }) =>
    [name, alias].filter(spelling => spelling !== undefined).map(word => quoted(`${word}:${summary}`)),
  )
  const branches = commands.map(sub => {
    const specs = [...sub.options.map(optionSpec), ...argumentSpecs(sub)]
    const call = sub.commands.length > 0 ? functionOf(sub) : `_arguments -s ${specs.join(' ')}`
    return `      ${[sub.name, sub.alias].filter(Boolean).join('|')}) ${call} ;;`
  })
  return `${below.map(sub => withCommands(sub, functionOf(sub))).join('')}
${name}() {
  local curcontext=$curcontext state line
  local -A opt_args
  local -a commands=(
    ${described.join('\n    ')}
  )
  _arguments -C ${options.map(optionSpec).join(' ')} '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe -t commands command commands ;;
    argument) case $words[1] in
${branches.join('\n')}
    esac ;;
  esac
}
`
}

/** `'(-f --follow)'{-f,--follow}'[follow the output until the node stops]'` */
function optionSpec({ spellings, summary, value }: CommandWords['options'][number]): string {
  const words = spellings.length > 1 ? `'(${spellings.join(' ')})'{${spellings.join(',')}}` : spellings[0]
  return `${words}${quoted(`[${summary.replace(/[[\]\\]/g, '\\$&')}]${value ? valueSpec(value) : ''}`)}`
}

function valueSpec(value: Value): string {
  if (typeof value === 'object') return `:value:(${value.join(' ')})`
  return { cluster: ':cluster:_xc_clusters', path: ':file:_files', anything: ':value: ' }[value]
}

function argumentSpecs({ argument }: CommandWords): string[] {
  if (argument === 'nodes') return ["'*:node:_xc_nodes'"]
  if (argument === 'node') return ["'1:node:_xc_nodes'"]
  return argument ? [quoted(`1:what:(${argument.join(' ')})`)] : []
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

const asking = `
_xc_clusters() {
  local -a clusters=(\${(f)"$(xc completion clusters 2>/dev/null)"})
  compadd -a clusters
}

_xc_nodes() {
  local at=\${words[(I)--name]} cluster=\${\${words[(r)--name=*]}#--name=}
  (( at )) && cluster=\${(Q)words[at + 1]}
  local -a nodes=(\${(f)"$(xc completion nodes \${cluster:+--name} \${cluster:+$cluster} 2>/dev/null)"})
  [[ $PREFIX == v* ]] && compadd -- \${nodes#*:} || _describe -t nodes node nodes
}`
