import { OwnerClient, type Status } from '../../client/index.ts'
import type { HookEvent } from '../hooks/types.ts'
import { print, printJson, tell } from '../output.ts'
import { ourName } from '../program-name.ts'
import type { Session } from '../session.ts'
import { clusterTable } from '../view/cluster.ts'
import { reachText } from '../view/reach.ts'

/** How a cluster that is ready is shown. */
interface Shown {
  readonly json?: boolean
  readonly check?: boolean
}

/** A terminal without a known size reports 0 columns: a list that changes in place would have one letter a line. */
export function isLive({ json }: Shown): boolean {
  return process.stdout.isTTY === true && process.stdout.columns >= 40 && !json
}

export async function listenerOf({ hook }: Session): Promise<(event: HookEvent) => void> {
  return hook?.config.onEvent ? (await import('../hooks/start.ts')).listenerOf(hook) : () => {}
}

/** The cluster keeps running even when the check fails, so that you can find out why. */
export async function tellReady(session: Session, status: Status, options: Shown): Promise<void> {
  const report = options.check ? await new OwnerClient(session.places, status.name).check() : undefined
  if (options.json) printJson({ ...status, ...(report && { check: report }) })
  else {
    print(clusterTable(status))
    if (report) print(reachText(report))
    tell(whatNext(status))
  }
  if (report?.ok !== false) return
  tell(
    `The cluster keeps running, so that you can inspect it. Stop it with: ${ourName()} stop${optionFor(status.name)}`,
  )
  process.exitCode = 1
}

/** The option that selects a cluster; the default one needs none. */
function optionFor(name: string): string {
  return name === 'default' ? '' : ` --name ${name}`
}

function whatNext({ name, nodes }: Status): string {
  const [xc, of] = [ourName(), optionFor(name)]
  const node = nodes[0]?.id
  const tries = [
    node !== undefined && [`${xc} exec ${node}${of} -- ip -br addr`, 'run a command on a node'],
    node !== undefined && [`${xc} vm ${node}${of}`, 'connect to its console; Ctrl-] leaves'],
    [`${xc} status${of}`, 'print this table'],
    [`${xc} stop${of}`, 'stop the cluster and remove all of it'],
  ].filter(line => line !== false)
  const width = Math.max(...tries.map(([command]) => command!.length))
  return ['Try:', ...tries.map(([command, about]) => `  ${command!.padEnd(width)}  ${about}`)].join('\n')
}
