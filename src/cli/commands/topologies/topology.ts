import type { Command } from 'commander'
import { isTopologyFile, planCluster, resolveSettings, topologies, topologyOf } from '../../../plan/index.ts'
import { print, printJson, printRaw } from '../../output.ts'
import { table } from '../../view/table.ts'

export function configure(command: Command): void {
  command
    .argument('[topology]', 'name of a topology, or a file with one')
    .option('--json', 'print one JSON value (docs/json.md)')
    .addHelpText('after', help)
    .action(async (asked: string | undefined, options: { readonly json?: boolean }) => {
      if (asked === undefined) return options.json ? printJson({ v: 1, topologies }) : print(list())
      const { readTopology, topologyText } = await import('../../../topology/index.ts')
      const found = isTopologyFile(asked) ? (await readTopology(asked)).topology : topologyOf(asked)
      if (options.json) return printJson({ v: 1, topology: found })
      await printRaw(topologyText(found))
    })
}

const help = `
Without an argument it lists the named topologies. With one it prints a topology file, to begin your
own with:

  xc topology diamond > lab.yaml
  xc start --topology lab.yaml`

function list(): string {
  const rows = topologies.map(topology => {
    const { nodes } = planCluster(resolveSettings({ options: { topology } }))
    const count = (role: string) => `${nodes.filter(node => node.role === role).length}`
    return [topology.name, count('vm'), count('router'), count('tester'), topology.doc]
  })
  return table(['topology', 'nodes', 'routers', 'testers', 'what it is'], rows)
}
