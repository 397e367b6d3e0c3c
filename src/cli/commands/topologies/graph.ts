import { type Command, Option } from 'commander'
import { planCluster } from '../../../plan/index.ts'
import { addSettings, settingsOf, withTopologyFile } from '../../options/settings.ts'
import { printRaw } from '../../output.ts'
import { type CommonOptions, clientOf, type Session } from '../../session.ts'

const formats = ['svg', 'mermaid', 'dot', 'drawio'] as const

export function configure(command: Command, session: Session): void {
  addSettings(command, session.argv)
  command
    .addOption(new Option('--format <format>', 'what to print').choices(formats).default('svg'))
    .option('--running', 'draw the cluster of that name that runs, with the nodes that it has now')
    .addHelpText('after', help)
    .action(async (options: GraphOptions) => {
      const { drawPlan } = await import('../../../topology/index.ts')
      const { running, format, ...given } = options
      const drawn = running
        ? await clientOf(session, options).status()
        : planCluster(settingsOf(session, await withTopologyFile(session, given)))
      await printRaw(drawPlan(drawn, format))
    })
}

interface GraphOptions extends CommonOptions, Record<string, unknown> {
  readonly format: (typeof formats)[number]
  readonly running?: true
}

const help = `
It draws what \`xc start\` with the same options would start; net 0, which is on every node, is left
out.

  xc graph --topology diamond > diamond.svg
  xc graph --topology lab.yaml --format mermaid
  xc graph --running --format drawio > default.drawio`
