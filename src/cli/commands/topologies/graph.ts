import { type Command, Option } from 'commander'
import { planCluster } from '../../../plan/index.ts'
import { addSettings, settingsOf, withTopologyFile } from '../../options/settings.ts'
import { printRaw } from '../../output.ts'
import type { Session } from '../../session.ts'

const formats = ['svg', 'mermaid', 'dot'] as const

export function configure(command: Command, session: Session): void {
  addSettings(command, session.argv)
  command
    .addOption(new Option('--format <format>', 'what to print').choices(formats).default('svg'))
    .addHelpText('after', help)
    .action(async (options: Record<string, unknown> & { readonly format: (typeof formats)[number] }) => {
      const { drawPlan } = await import('../../../topology/index.ts')
      const settings = settingsOf(session, await withTopologyFile(session, options))
      await printRaw(drawPlan(planCluster(settings), options.format))
    })
}

const help = `
It draws what \`xc start\` with the same options would start; net 0, which is on every node, is left
out.

  xc graph --topology diamond > diamond.svg
  xc graph --topology lab.yaml --format mermaid`
