import { changeCommand } from './shared/change-nodes.ts'

export const configure = changeCommand({
  argument: '[nodes...]',
  help: 'Without nodes: all that run. A paused node keeps its memory and takes no time of a processor.',
  change: (client, { nodes }) => client.pause(nodes),
  done: 'Paused',
})
