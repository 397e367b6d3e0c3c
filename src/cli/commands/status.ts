import type { Command } from 'commander'
import { verbs } from '../../api/index.ts'
import type { CommonOptions, Session } from '../session.ts'
import { configureVerb, runVerb } from '../verb-command.ts'

export function configure(command: Command, session: Session): void {
  configureVerb(command, session, verbs.status)
  command
    .option('--stats', 'print the traffic of each link and net instead, with the rates over one second')
    .action(async (options: CommonOptions & { readonly stats?: true }) => {
      if (!options.stats) return await runVerb(command, session, verbs.status)
      const { printStats } = await import('../view/stats.ts')
      await printStats(session, options)
    })
}
