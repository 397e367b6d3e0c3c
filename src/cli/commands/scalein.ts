import { changeCommand } from './shared/change-nodes.ts'

export const configure = changeCommand({
  argument: '<nodes...>',
  help: 'The others are told first, so that no route leads to them.',
  change: (client, { nodes = [] }) => client.scaleIn(nodes),
  done: 'Taken away',
})
