import type { Command } from 'commander'
import { nameOption, timeoutOption } from '../../options/shared.ts'
import { print, printJson, tell } from '../../output.ts'
import { type CommonOptions, clientOf, type Session } from '../../session.ts'
import { changesText } from '../../view/changes.ts'

interface ApplyOptions extends CommonOptions {
  readonly dryRun?: boolean
}

export function configure(command: Command, session: Session): void {
  command
    .argument('<topology>', 'file with a topology, or the name of one')
    .option('--dry-run', 'print what differs, and change nothing')
    .option(...nameOption)
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .addHelpText('after', help)
    .action(async (asked: string, options: ApplyOptions) => {
      const topology = await topologyIn(asked)
      const { name } = topology.settings ?? {}
      const client = clientOf(session, { ...(typeof name === 'string' && { name }), ...options })
      const ask = (dryRun: boolean) => client.apply({ topology: { ...topology }, dryRun })
      if (options.json) return printJson(await ask(options.dryRun ?? false))
      const { changes, warnings: waiting = [] } = await ask(true)
      print(changesText({ changes }))
      if (options.dryRun || changes.length === 0) {
        if (waiting.length > 0) tell(waiting.map(text => `note: ${text}`).join('\n'))
        return
      }
      const { warnings = [] } = await ask(false)
      tell(['Applied.', ...warnings.map(text => `note: ${text}`)].join('\n'))
    })
}

const help = `
+ is added, - removed, ~ changed. Settings that the file does not give stay as the cluster has them.

  xc apply lab.yaml --dry-run
  xc apply lab.yaml`

async function topologyIn(asked: string) {
  const { isTopologyFile, topologyOf } = await import('../../../plan/index.ts')
  if (!isTopologyFile(asked)) return topologyOf(asked)
  const { readTopology } = await import('../../../topology/index.ts')
  return (await readTopology(asked)).topology
}
