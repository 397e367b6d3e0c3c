import { once } from 'node:events'
import type { Command } from 'commander'
import { nameOption } from '../options/shared.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'

interface LogOptions extends CommonOptions {
  readonly follow?: boolean
}

export function configure(command: Command, session: Session): void {
  command
    .argument('<node>', '1 or vm-001')
    .option(...nameOption)
    .option('-f, --follow', 'go on as the console prints, until the node stops or Ctrl-C')
    .action(async (node: string, options: LogOptions) => {
      const leaving = new AbortController()
      process.once('SIGINT', () => leaving.abort())
      const follow = options.follow ?? false
      for await (const bytes of clientOf(session, options).log(node, { follow, signal: leaving.signal })) {
        if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
      }
    })
}
