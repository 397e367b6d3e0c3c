import { once } from 'node:events'
import type { Command } from 'commander'
import { verbs } from '../../api/index.ts'
import { nameOption } from '../options/shared.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'

interface LogOptions extends CommonOptions {
  readonly follow?: boolean
}

export function configure(command: Command, session: Session): void {
  command
    .argument('<node>', verbs.log.asks.node.doc)
    .option(...nameOption)
    .option('-f, --follow', `${verbs.log.asks.follow.doc} or Ctrl-C`)
    .action(async (node: string, options: LogOptions) => {
      const leaving = new AbortController()
      process.once('SIGINT', () => leaving.abort())
      for await (const bytes of clientOf(session, options).log(node, {
        follow: options.follow,
        signal: leaving.signal,
      })) {
        if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
      }
    })
}
