import type { Command } from 'commander'
import { nodeName } from '../../../base/index.ts'
import type { OwnerClient, Status } from '../../../client/index.ts'
import { nameOption, timeoutOption } from '../../options/shared.ts'
import { printJson, tell } from '../../output.ts'
import { type CommonOptions, clientOf, type Session } from '../../session.ts'

interface Asked {
  /** As they were typed; absent: all. */
  readonly nodes: readonly string[] | undefined
  /** False: come back when it has begun. */
  readonly wait: boolean
}

interface NodeChange {
  readonly argument: '[nodes...]' | '<nodes...>'
  readonly help: string
  /** Whether nodes boot, which can be left to themselves. */
  readonly waits?: boolean
  change(client: OwnerClient, asked: Asked): Promise<Status>
  /** Tells what has been done, before the names of the nodes. */
  readonly done: string
  readonly begun?: string
}

type ChangeOptions = CommonOptions & { readonly wait?: boolean }

/** A command that changes nodes of a running cluster: they differ in what they ask and in their words. */
export function changeCommand({ argument, help, waits, change, done, begun = done }: NodeChange) {
  return (command: Command, session: Session): void => {
    command
      .argument(argument, '1 or vm-001, as many as wanted')
      .option(...nameOption)
      .option('--json', 'print the cluster as it is then, as `xc status --json`')
      .option(...timeoutOption)
      .addHelpText('after', `\n${help}`)
      .action(async (typed: string[], options: ChangeOptions) => {
        const asked = { nodes: typed.length === 0 ? undefined : typed, wait: options.wait ?? true }
        const status = await change(clientOf(session, options), asked)
        if (options.json) printJson(status)
        else tell(`${asked.wait ? done : begun}: ${asked.nodes?.map(named).join(', ') ?? 'all nodes'}.`)
      })
    if (waits) command.option('--no-wait', 'come back when it has begun; `xc status` shows the rest')
  }
}

/** `3` is vm-003. */
function named(node: string): string {
  return /^\d+$/.test(node) ? nodeName(Number(node)) : node
}
