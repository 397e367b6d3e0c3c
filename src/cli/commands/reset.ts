import { changeCommand } from './shared/change-nodes.ts'

export const configure = changeCommand({
  argument: '[nodes...]',
  help: 'Without nodes: all, the failed and the paused too. Nothing that they held is kept.',
  waits: true,
  change: (client, { nodes, wait }) => client.reset(nodes, { wait }),
  done: 'Ready again',
  begun: 'Being reset',
})
