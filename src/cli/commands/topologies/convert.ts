import type { Command } from 'commander'
import type { OverlayContent } from '../../../host/index.ts'
import { printRaw, tell } from '../../output.ts'

export function configure(command: Command): void {
  command
    .argument('<file>', 'topology file of containerlab')
    .option('--overlay <directory>', 'make an overlay of what nodes have beside their links')
    .addHelpText('after', help)
    .action(async (file: string, { overlay }: { overlay?: string }) => {
      const { convertFile } = await import('../../../topology/index.ts')
      const { text, remarks, overlay: content, left } = await convertFile(file, { overlay })
      const missing = content ? await made(overlay!, content) : []
      for (const remark of [...remarks, ...missing]) tell(`note: ${remark}`)
      if (left.length > 0) tell(`note: guests get ${left.join(', ')} with --overlay DIRECTORY`)
      await printRaw(text)
    })
}

async function made(directory: string, content: OverlayContent): Promise<string[]> {
  const { makeOverlay } = await import('../../../host/index.ts')
  return await makeOverlay(directory, content)
}

const help = `
  xc convert lab.clab.yml --overlay lab.ovl > lab.yaml
  xc start --topology lab.yaml

Each link is a net of two nodes. Nodes that have several links, or another kind than linux, forward.
The overlay has copies of what is bound, variables, and a script with the commands of exec and sysctls.
What guests do not get, such as images of containers, is said in notes.`
