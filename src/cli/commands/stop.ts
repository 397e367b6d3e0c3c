import type { Command } from 'commander'
import { runningClusters } from '../../client/index.ts'
import { CliError } from '../errors.ts'
import { nameOption, timeoutOption } from '../options/shared.ts'
import { printJson, tell } from '../output.ts'
import { type CommonOptions, clientOf, clusterNameOf, type Session, trustedPlaces } from '../session.ts'

interface StopOptions extends CommonOptions {
  readonly all?: boolean
}

export function configure(command: Command, session: Session): void {
  command
    .option(...nameOption)
    .option('--all', 'stop all running clusters of this user')
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .action(async (options: StopOptions) => {
      if (options.all && options.name !== undefined) throw allAndOne(options.name)
      const names = options.all
        ? await runningClusters(trustedPlaces(session))
        : [clusterNameOf(session, options)]
      const outcomes = await Promise.allSettled(
        names.map(name => clientOf(session, { ...options, name }).stop()),
      )
      const stopped = names.filter((_, index) => outcomes[index]?.status === 'fulfilled')
      if (options.json) printJson({ v: 1, stopped })
      else for (const name of stopped) tell(`Stopped cluster '${name}'.`)
      if (names.length === 0 && !options.json) tell('No cluster is running.')
      const failed = outcomes.find(({ status }) => status === 'rejected')
      if (failed) throw (failed as PromiseRejectedResult).reason
    })
}

/** `--all` beside a name would stop clusters that were not named. */
function allAndOne(name: string): CliError {
  return new CliError({
    code: 'BAD_USAGE',
    kind: 'usage',
    target: '--all',
    reason: `it stops every cluster, and --name ${name} selects one`,
    remedy: 'Give one of the two',
  })
}
