import { rolesText } from '../../base/index.ts'
import { changeCommand } from './shared/change-nodes.ts'

export const configure = changeCommand({
  argument: '<nodes...>',
  help: `Ids: ${rolesText()}. When one of the nodes fails, none of them stays.`,
  waits: true,
  change: (client, { nodes = [], wait }) => client.scaleOut(nodes, { wait }),
  done: 'Added',
  begun: 'Being added',
})
