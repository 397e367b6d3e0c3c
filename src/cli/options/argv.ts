/**
 * The command line for commander. `help start` becomes `start --help`. Options and commands with underscores, as the
 * original has them (`--nets_router`, `br_setup`), get hyphens. What follows `--` belongs to another program.
 */
export function normalized(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  const [command, ...others] = (end < 0 ? argv : argv.slice(0, end)).map(dashed)
  const ours = command === undefined ? [] : [named(command), ...others]
  const rest = end < 0 ? [] : argv.slice(end)
  if (ours[0] !== 'help') return [...ours, ...rest]
  return ours[1] === undefined ? ['--help'] : [named(ours[1]), '--help']
}

const named = (command: string): string => command.replaceAll('_', '-')

function dashed(argument: string): string {
  const [option] = /^--[A-Za-z][\w-]*/.exec(argument) ?? []
  return option ? option.replaceAll('_', '-') + argument.slice(option.length) : argument
}
