import { type Command, Option } from 'commander'
import { verbs } from '../../api/index.ts'
import { visit } from '../console.ts'
import { nameOption } from '../options/shared.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'

interface VmOptions extends CommonOptions {
  readonly view?: boolean
  readonly take?: boolean
}

export function configure(command: Command, session: Session): void {
  command
    .argument('<node>', verbs.console.asks.node.doc)
    .option(...nameOption)
    .option('--view', verbs.console.asks.view.doc)
    .addOption(new Option('--take', verbs.console.asks.take.doc).conflicts('view'))
    .addHelpText('after', help)
    .action(async (node: string, options: VmOptions) => {
      const client = clientOf(session, options)
      const { view = false, take = false } = options
      await visit({ client, node }, await client.console(node, { view, take }))
    })
}

const help = `
One terminal types on a console, the first. Others view it. The guest's console gets the size of the window that types.`
