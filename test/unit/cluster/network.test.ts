import { expect, test } from 'vitest'
import { openNetwork } from '../../../src/cluster/network/open.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings } from '../../../src/plan/index.ts'

test('a user-space network refuses guests that bridge their nets, because frames would loop', async () => {
  const settings = resolveSettings({ options: { nvm: 1, nrouters: 1, fabric: 'user' } })
  const plan = planCluster(settings)
  const bridge = { name: 'br1', mac: '00:00:01:01:01:c9', ports: ['eth1', 'eth2'] }
  const bridges = [{ ...bridge, ipv4: '192.168.1.201', ipv6: 'fd00::c0a8:1c9' }]
  const nodes = plan.nodes.map(node =>
    node.id === 201 ? { ...node, setup: { ...node.setup, bridges } } : node,
  )
  const opening = openNetwork(
    { ...plan, nodes },
    { settings, notice: () => {}, records: '/nowhere', searchPath: '' },
  )
  await expect(opening).rejects.toMatchObject({
    code: 'BRIDGES_ON_SEGMENTS',
    reason: expect.stringContaining('vm-201 bridges its nets'),
  })
})
