import type { Command } from 'commander'
import { printRaw, tell } from '../../output.ts'

export function configure(command: Command): void {
  command
    .argument('<file>', 'topology file of containerlab')
    .addHelpText('after', help)
    .action(async (file: string) => {
      const { convertFile } = await import('../../../topology/index.ts')
      const { text, remarks } = await convertFile(file)
      for (const remark of remarks) tell(`note: ${remark}`)
      await printRaw(text)
    })
}

const help = `
  xc convert lab.clab.yml > lab.yaml
  xc start --topology lab.yaml

Each link is a net of two nodes. Nodes that have several links, or another kind than linux, forward.
What guests do not get, such as images of containers, is said in notes.`
