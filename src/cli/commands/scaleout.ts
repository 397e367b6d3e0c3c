import { changeCommand } from '../node-changes.ts'

export const configure = changeCommand({
  argument: '<nodes...>',
  help: 'Nodes 1–200, routers 201–220, testers 221–240. When one of them fails, none of them stays.',
  waits: true,
  change: (client, { nodes = [], wait }) => client.scaleOut(nodes, { wait }),
  done: 'Added',
  begun: 'Being added',
})
