import { changeCommand } from './shared/change-nodes.ts'

export const configure = changeCommand({
  argument: '[nodes...]',
  help: 'Without nodes: all that are paused. Their clocks are set right.',
  change: (client, { nodes }) => client.resume(nodes),
  done: 'Running again',
})
