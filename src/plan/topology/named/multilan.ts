import type { Topology } from '../topology.ts'
import { xnet } from './xnet.ts'

/** As xnet, with three more interfaces in each node, which have no address. */
export const multilan: Topology = {
  ...xnet,
  name: 'multilan',
  doc: 'as xnet; nodes have three more nets, without addresses',
  nets: [{ of: 'vm', nets: [0, 1, 3, 4, 5] }, ...xnet.nets.slice(1)],
  setup: [{ ...xnet.setup[0]!, addresses: { 3: 'none', 4: 'none', 5: 'none' } }, ...xnet.setup.slice(1)],
}
