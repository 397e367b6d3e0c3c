import type { SetupRule, Topology } from '../topology.ts'
import { multilan } from './multilan.ts'
import { xnet } from './xnet.ts'

const addresses = { 3: 'template', 4: 'template', 5: 'template' } as const satisfies SetupRule['addresses']
const [node, router, tester] = xnet.setup

/** As multilan, with router 202 on all nets. The additional nets have addresses by the cluster's template. */
export const multilanRouter: Topology = {
  ...xnet,
  name: 'multilan-router',
  doc: 'as multilan; vm-202 is on all nets, which have addresses by XLAN_TEMPLATE',
  routers: { usual: 2, atLeast: 2 },
  nets: [...multilan.nets, { of: 202, nets: [0, 1, 2, 3, 4, 5] }],
  setup: [{ ...node!, addresses }, { ...router!, of: 202, addresses }, router!, tester!],
}
