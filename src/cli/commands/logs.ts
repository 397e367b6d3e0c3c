import type { Command } from 'commander'
import { verbs } from '../../api/index.ts'
import { nameOption } from '../options/shared.ts'
import { printRaw } from '../output.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'
import { LogText } from '../view/log-text.ts'

interface LogOptions extends CommonOptions {
  readonly follow?: boolean
  readonly raw?: boolean
}

export function configure(command: Command, session: Session): void {
  command
    .argument('<node>', verbs.log.asks.node.doc)
    .option(...nameOption)
    .option('-f, --follow', `${verbs.log.asks.follow.doc} or Ctrl-C`)
    .option('--raw', 'print the bytes as they are; by default control characters are shown as escapes')
    .action(async (node: string, options: LogOptions) => {
      const leaving = new AbortController()
      process.once('SIGINT', () => leaving.abort())
      const text = options.raw ? undefined : new LogText()
      for await (const bytes of clientOf(session, options).log(node, {
        follow: options.follow,
        signal: leaving.signal,
      })) {
        await printRaw(text ? text.push(bytes) : bytes)
      }
      if (text) await printRaw(text.end())
    })
}
