import type { Command, Option } from 'commander'

/** The command line that has been parsed, without these options: `--nvm=2 -- 1 ls -l`. Options come first. */
export function wordsOf(command: Command, without: readonly Option[]): string[] {
  const left = new Set(without)
  const options = command.options
    .filter(option => !left.has(option))
    .flatMap(option => optionWords(command, option))
  const { args } = command
  return [...options, ...(args.some(arg => arg.startsWith('-')) ? ['--'] : []), ...args]
}

function optionWords(command: Command, option: Option): string[] {
  const name = option.attributeName()
  const value: unknown = command.getOptionValue(name)
  // `--clone off` and `--no-clone` share a name.
  if (command.getOptionValueSource(name) !== 'cli' || option.negate !== (value === false)) return []
  const spelled = option.long ?? option.short!
  return [typeof value === 'string' ? `${spelled}=${value}` : spelled]
}
