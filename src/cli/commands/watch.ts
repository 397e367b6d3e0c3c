import type { Command } from 'commander'
import { codeOf, printableJson, systemClock } from '../../base/index.ts'
import type { OwnerClient } from '../../client/index.ts'
import { CliError } from '../errors.ts'
import { nameOption } from '../options/shared.ts'
import { print, printRaw } from '../output.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'
import { type Reading, readingOf } from '../watch/reading.ts'
import { readingText } from '../watch/text.ts'

interface WatchOptions extends CommonOptions {
  readonly interval: string
  readonly count?: string
}

export function configure(command: Command, session: Session): void {
  command
    .option(...nameOption)
    .option('--interval <seconds>', 'time between two readings', '1')
    .option('--count <n>', 'how many tables or JSON values to print (default: 1, with --json: to the end)')
    .option('--json', 'print a JSON value for each reading, a line each (docs/json.md)')
    .addHelpText('after', help)
    .action(async (options: WatchOptions) => {
      const client = clientOf(session, options)
      const intervalMs = numberOf('--interval', options.interval, 0.1) * 1000
      const isScreen =
        process.stdin.isTTY && process.stdout.isTTY && !options.json && options.count === undefined
      const color = !session.env.NO_COLOR
      if (isScreen) {
        const { LiveWatch } = await import('../watch/live.ts')
        return await new LiveWatch({ client, intervalMs, color }).run()
      }
      const { count = options.json ? undefined : '1' } = options
      const left = count === undefined ? Number.POSITIVE_INFINITY : numberOf('--count', count, 1)
      for await (const reading of readings(client, { intervalMs, left })) {
        if (options.json) await printRaw(printableJson(`${JSON.stringify(reading)}\n`))
        else print(readingText(reading))
      }
    })
}

const help = `
On a terminal: a screen that follows the cluster. Arrows select a node, enter opens its console, p pauses, r resumes,
s stops, R resets it, q leaves. Elsewhere, and with --count: a table of the rates over --interval.`

/** Readings until the cluster ends or none are left. */
async function* readings(
  client: OwnerClient,
  { intervalMs, left }: { readonly intervalMs: number; readonly left: number },
): AsyncGenerator<Reading> {
  let before = await client.counters()
  for (let more = left; more > 0; more--) {
    await new Promise<void>(resolve => systemClock.after(intervalMs, resolve))
    try {
      const [status, after] = await Promise.all([client.status(), client.counters()])
      yield readingOf(status, before, after)
      before = after
    } catch (failure) {
      const ended = ['CLUSTER_MISSING', 'OWNER_GONE', 'CLUSTER_NOT_READY'].includes(codeOf(failure) ?? '')
      if (ended && left === Number.POSITIVE_INFINITY) return
      throw failure
    }
  }
}

function numberOf(target: string, typed: string, least: number): number {
  const value = /^\d+(\.\d+)?$/.test(typed) ? Number(typed) : 0
  if (value >= least && value <= 86_400) return value
  const reason = `'${typed}' is not a number from ${least} to 86400`
  throw new CliError({ code: 'BAD_NUMBER', kind: 'usage', target, reason })
}
