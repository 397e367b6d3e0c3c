import { version } from '../../base/index.ts'
import type { CommandWords, Value } from './vocabulary.ts'

/** The completion of `xc` for bash. It holds commands and options; it runs `xc` for names of clusters and nodes. */
export function bashScript(program: CommandWords): string {
  return `# bash completion of xc, xcluster ${version}. Made by: xc completion bash
_xc_command() {
  options= valued= paths= clusters= choices= commands= argument=
  case $1 in
${cases(program, '').join('\n')}
  esac
}
${machine}`
}

/** The words that can follow each command, as `'cache export') options='…' … ;;`. */
function cases(command: CommandWords, path: string): string[] {
  const names = [command.name, command.alias].filter(Boolean)
  const paths = path === '' ? ["''"] : names.map(name => quoted(path.replace(/\S+$/, name!)))
  const below = command.commands.flatMap(sub => cases(sub, `${path} ${sub.name}`.trim()))
  return [`    ${paths.join(' | ')}) ${assignments(command)} ;;`, ...below]
}

function assignments({ options, commands, argument }: CommandWords): string {
  const spelled = (wanted: (value: Value | undefined) => boolean) =>
    options.filter(({ value }) => wanted(value)).flatMap(({ spellings }) => spellings)
  const choices = options.flatMap(({ spellings, value }) =>
    Array.isArray(value) ? spellings.map(spelling => `${spelling}=${value.join(',')}`) : [],
  )
  const lists = {
    options: spelled(value => value === undefined),
    valued: spelled(value => value !== undefined),
    paths: spelled(value => value === 'path'),
    clusters: spelled(value => value === 'cluster'),
    choices,
    commands: commands.flatMap(({ name, alias }) => (alias ? [name, alias] : [name])),
    argument: typeof argument === 'object' ? argument : [argument ?? ''],
  }
  const given = Object.entries(lists).filter(([, words]) => words.some(Boolean))
  return given.map(([name, words]) => `${name}=${quoted(words.join(' '))}`).join(' ')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/**
 * Reads the line up to the cursor, then offers what can follow. To bash \`=\` is a word of its own (COMP_WORDBREAKS).
 * Words from xc are names of nodes and clusters, which hold nothing that compgen would expand.
 */
const machine = `
_xc_nodes() {
  local line
  while read -r line; do
    [[ $current == v* ]] && words+=" \${line#*:}" || words+=" \${line%%:*}"
  done < <(xc completion nodes \${cluster:+--name "$cluster"} 2>/dev/null)
}

_xc_value() {
  local choice
  if [[ " $clusters " == *" $1 "* ]]; then words=$(xc completion clusters 2>/dev/null)
  elif [[ " $paths " == *" $1 "* ]]; then compopt -o default; fi
  for choice in $choices; do
    if [[ $choice == "$1="* ]]; then words=\${choice#*=} words=\${words//,/ }; fi
  done
}

_xc() {
  local options valued paths clusters choices commands argument
  local current=\${COMP_WORDS[COMP_CWORD]} command= pending= cluster= count=0 words= word i
  _xc_command ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == -- ]]; then COMPREPLY=(); return
    elif [[ $word == '=' ]]; then pending=\${pending:-=}
    elif [[ $pending ]]; then
      [[ $pending == --name ]] && cluster=$word
      pending=
    elif [[ " $valued " == *" $word "* ]]; then pending=$word
    elif [[ $word == -* ]]; then :
    elif [[ " $commands " == *" $word "* ]]; then
      command=\${command:+$command }$word
      _xc_command "$command"
    else count=$((count + 1)); fi
  done
  if [[ $current == '=' ]]; then current= pending=\${pending:-=}; fi
  if [[ $pending ]]; then _xc_value "$pending"
  elif [[ $current == -* ]]; then words="$options $valued"
  elif [[ $commands ]]; then words=$commands
  elif [[ $argument == nodes || ($argument == node && $count == 0) ]]; then _xc_nodes
  elif [[ $argument != node && $count == 0 ]]; then words=$argument; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}

complete -F _xc xc
`
