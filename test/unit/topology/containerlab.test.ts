import { describe, expect, test } from 'vitest'
import { planCluster, reachTargets, resolveSettings } from '../../../src/plan/index.ts'
import { fromContainerlab, legendOf } from '../../../src/topology/convert/containerlab.ts'
import { parseYaml } from '../../../src/topology/document.ts'
import { fileText } from '../../../src/topology/print.ts'
import { labOf } from '../../../src/topology/read.ts'

const convert = (text: string) => fromContainerlab(parseYaml('lab.clab.yml', text))
const planOf = (text: string) => {
  const converted = convert(text)
  const { topology, settings } = labOf(parseYaml('lab.yaml', fileText(converted.file, legendOf(converted))))
  return planCluster(resolveSettings({ options: { ...settings, topology } }))
}

const clos = `
name: small clos
mgmt: { network: custom, ipv4-subnet: 172.100.0.0/24 }
topology:
  defaults: { kind: linux }
  kinds: { nokia_srlinux: { image: srlinux }, linux: { image: alpine } }
  groups: { spines: { kind: nokia_srlinux } }
  nodes:
    leaf1: { kind: nokia_srlinux, startup-config: leaf1.cfg }
    leaf2: { kind: nokia_srlinux }
    spine1: { group: spines }
    client1: { exec: [ip addr add 10.0.0.1/24 dev eth1] }
    client2:
    client3: {}
    sw: { kind: bridge }
  links:
    - endpoints: ["leaf1:e1-49", "spine1:e1-1"]
    - endpoints: ["leaf2:e1-49", "spine1:e1-2"]
      mtu: 9000
    - endpoints: ["client1:eth1", "leaf1:e1-1"]
    - { type: veth, endpoints: [{ node: client2, interface: eth1 }, { node: leaf2, interface: e1-1 }] }
    - endpoints: ["client3:eth1", "sw:eth7"]
    - endpoints: ["leaf2:e1-2", "sw:eth8"]
    - endpoints: ["leaf1:e1-50", "host:leaf1"]
`

describe('a containerlab topology', () => {
  test('becomes nodes and routers, and a net for each link and bridge', () => {
    const { nodes, nets, file } = convert(clos)
    expect(Object.fromEntries(nodes)).toEqual({
      ...{ 1: 'client1', 2: 'client2', 3: 'client3' },
      ...{ 201: 'leaf1', 202: 'leaf2', 203: 'spine1' },
    })
    expect([...nets.values()]).toEqual([
      ['leaf1:e1-49', 'spine1:e1-1'],
      ['leaf2:e1-49', 'spine1:e1-2'],
      ['client1:eth1', 'leaf1:e1-1'],
      ['client2:eth1', 'leaf2:e1-1'],
      ['client3:eth1', 'leaf2:e1-2'],
    ])
    expect(file).toMatchObject({
      name: 'small-clos',
      nodes: 3,
      routers: 3,
      settings: { mtu2: 9000, hostNets: [0] },
    })
  })

  test('is a cluster: interfaces are in the order of their names, routers forward', () => {
    const plan = planOf(clos)
    expect(plan.nodes.map(({ id, nets }) => [id, ...nets.map(({ net }) => net)])).toEqual([
      [1, 0, 3],
      [2, 0, 4],
      [3, 0, 5],
      [201, 0, 3, 1],
      [202, 0, 4, 5, 2],
      [203, 0, 1, 2],
    ])
    expect(plan.nodes.map(({ setup }) => setup.forwarding)).toEqual([false, false, false, true, true, true])
    const reached = reachTargets(plan).filter(({ from }) => from === 201)
    expect(reached.map(({ address }) => address)).toContain('192.168.1.203')
  })

  test('says what differs', () => {
    expect(convert(clos).remarks).toEqual([
      'the link leaf1:e1-50 to host:leaf1: it leaves the lab',
      'leaf1: without its image, startup-config',
      'leaf2: without its image',
      'spine1: without its image',
      'client1: without its image, exec',
      'client2: without its image',
      'client3: without its image',
      'mgmt: the management net is net 0, 192.168.0.0/24',
      'leaf1: e1-1 is eth1 here, e1-49 is eth2 here',
      'leaf2: e1-1 is eth1 here, e1-2 is eth2 here, e1-49 is eth3 here',
      'spine1: e1-1 is eth1 here, e1-2 is eth2 here',
    ])
  })

  test.each([
    ['nodes: []', 'lab.clab.yml:1:1 (topology)'],
    ['topology: { nodes: { a: } }\nlinks: [', 'lab.clab.yml:2:'],
    [
      'topology: { nodes: { a: , b: }, links: [{ endpoints: ["a:eth1", "c:eth1"] }] }',
      "there is no node 'c'",
    ],
    [
      'topology: { nodes: { a: , b: }, links: [{ endpoints: ["a", "b:eth1"] }] }',
      "'a' is not NODE:INTERFACE",
    ],
    [
      `topology: { nodes: { ${Array.from({ length: 201 }, (_, n) => `n${n}: `).join(', ')} } }`,
      'it has 201 nodes, and a cluster at most 200',
    ],
  ])('is refused with the place: %s', (text, error) => {
    expect(() => convert(text)).toThrow(error)
  })
})
