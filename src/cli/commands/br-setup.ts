import type { Command } from 'commander'
import { settingOption, settingsOf } from '../options/settings.ts'
import { printJson, tell } from '../output.ts'
import type { Session } from '../session.ts'
import { numberOf } from './shared/add-namespace.ts'

export function configure(command: Command, session: Session): void {
  command.argument('<net>', 'the number of the net')
  for (const key of ['netns', 'mtu', 'hostNets', 'prefix'] as const) command.addOption(settingOption(key))
  command
    .option('--json', 'print one JSON value (docs/json.md)')
    .addHelpText(
      'after',
      '\nWithout --netns it uses the named namespace that it runs in (`xc nsenter INDEX`).',
    )
    .action(async (typed: string, options: Readonly<Record<string, unknown>>) => {
      const net = numberOf(typed, 'net')
      const { addNamedBridge } = await import('../../host/index.ts')
      const added = await addNamedBridge(net, settingsOf(session, options))
      if (options.json) return printJson({ v: 1, ...added })
      const { bridge, netns, made } = added
      tell(made ? `Made ${bridge} in ${netns}.` : `${bridge} is in ${netns} already, with the same settings.`)
    })
}
