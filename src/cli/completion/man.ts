import type { Command } from 'commander'
import { optionOf, version } from '../../base/index.ts'
import { settings } from '../../plan/index.ts'

/** The page xc(1), in the macros of man(7). Commands must have been configured. */
export function manPage(program: Command): string {
  const help = program.createHelp()
  const isSetting = new Set(Object.keys(settings).map(optionOf))
  const own = (command: Command) =>
    help.visibleOptions(command).filter(({ long }) => !isSetting.has(long ?? '') && long !== '--help')
  const takesSettings = (command: Command) => command.options.some(({ long }) => long === '--nvm')
  const section = (command: Command, prefix: string): string[] => [
    `.SS "${escaped(`${prefix} ${help.subcommandTerm(command).replace('|', ', ')}`)}"`,
    `${text(command.summary() || command.description())}.`,
    ...(takesSettings(command) ? ['It takes all options of SETTINGS.'] : []),
    ...own(command).flatMap(option => item(help.optionTerm(option), help.optionDescription(option))),
    ...command.commands.flatMap(sub => section(sub, `${prefix} ${command.name()}`)),
  ]
  const withSettings = program.commands.find(takesSettings)!
  const shared = help.visibleOptions(withSettings).filter(({ long }) => isSetting.has(long ?? ''))
  return `${[
    `.TH XC 1 "" "xcluster ${version}" "User Commands"`,
    '.SH NAME',
    'xc \\- clusters of QEMU virtual machines for developing and testing network functions',
    '.SH SYNOPSIS',
    '.B xc',
    '.I COMMAND',
    '[options]',
    '.SH DESCRIPTION',
    text(program.description()),
    'A node is given as 1, 201 or vm-001.',
    '.SH COMMANDS',
    ...program.commands.flatMap(command => section(command, 'xc')),
    '.SH SETTINGS',
    'The variable of each is in brackets. The option wins. Options may be spelled with underscores.',
    ...shared.flatMap(option => item(help.optionTerm(option), help.optionDescription(option))),
    ...ending,
  ].join('\n')}\n`
}

const item = (term: string, doc: string): string[] => ['.TP', `.B ${escaped(term)}`, text(doc)]

const ending = [
  '.SH ENVIRONMENT',
  ...item('XCLUSTER_HOOK', 'a module that adds and replaces commands; off for none'),
  ...item(
    'XCLUSTER_TRACE',
    'the areas whose messages are printed: netlink, nft, qmp, guest, dns, vm, or all',
  ),
  ...item(
    'XDG_RUNTIME_DIR, XDG_STATE_HOME, XDG_CACHE_HOME',
    'where sockets, logs, and images and templates are',
  ),
  '.SH EXIT STATUS',
  ...[
    '0 done',
    '1 failed',
    '2 bad usage',
    '3 no such cluster or node',
    '4 this machine lacks something',
  ].flatMap(line => item(line.slice(0, 1), line.slice(2))),
  '.SH SEE ALSO',
  'The pages in docs/ of the package.',
]

/** A line of text. One that begins with a dot or an apostrophe would be a request (groff(7)). */
function text(line: string): string {
  return escaped(line).replace(/^(?=[.'])/, '\\&')
}

function escaped(line: string): string {
  return line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll('…', '\\&...')
    .replaceAll('–', '\\(en')
}
