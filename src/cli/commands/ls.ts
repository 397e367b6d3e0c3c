import type { Command } from 'commander'
import { clusterNames, OwnerClient, type Status } from '../../client/index.ts'
import { timeoutOption } from '../options/shared.ts'
import { print, printJson, report, tell } from '../output.ts'
import { asTyped } from '../program-name.ts'
import { type CommonOptions, type Session, timeoutOf, trustedPlaces } from '../session.ts'
import { seconds } from '../view/cluster.ts'
import { table } from '../view/table.ts'

export function configure(command: Command, session: Session): void {
  command
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .action(async (options: CommonOptions) => {
      const clusters = await running(session, timeoutOf(options) ?? 5000)
      if (options.json) printJson({ v: 1, clusters: clusters.map(summary) })
      else if (clusters.length === 0) tell(asTyped('No cluster is running. Start one with: xc start'))
      else print(table(['name', 'state', 'topology', 'nodes', 'ready in', 'pid'], clusters.map(row)))
    })
}

/** The clusters that answer. An owner's failure is printed, and the others are still listed. */
async function running(session: Session, timeoutMs: number): Promise<Status[]> {
  const places = trustedPlaces(session)
  const names = await clusterNames(places)
  const asked = names.map(async name => {
    try {
      return await new OwnerClient(places, name, { timeoutMs }).status()
    } catch (failure) {
      if ((failure as { code?: string }).code !== 'CLUSTER_MISSING') report(failure)
      return undefined
    }
  })
  return (await Promise.all(asked)).filter(status => status !== undefined)
}

function summary({ name, state, topology, nodes, owner }: Status): object {
  return { name, state, topology, nodes: nodes.length, owner }
}

function row({ name, state, topology, nodes, readyMs, owner }: Status): string[] {
  const ready = readyMs === undefined ? '' : seconds(readyMs)
  return [name, state, topology, String(nodes.length), ready, String(owner.pid)]
}
