import { describe, expect, test } from 'vitest'
import { planCluster, reachTargets, resolveSettings } from '../../../src/plan/index.ts'
import { fromContainerlab, legendOf } from '../../../src/topology/convert/containerlab.ts'
import { parseYaml } from '../../../src/topology/document.ts'
import { fileText } from '../../../src/topology/print.ts'
import { labOf } from '../../../src/topology/read.ts'

const convert = (text: string) => fromContainerlab('lab.clab.yml', text)
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
      'leaf1: e1-1 is eth1 here, e1-49 is eth2 here',
      'leaf2: e1-1 is eth1 here, e1-2 is eth2 here, e1-49 is eth3 here',
      'spine1: e1-1 is eth1 here, e1-2 is eth2 here',
      'leaf1: without its image, startup-config',
      'leaf2: without its image',
      'spine1: without its image',
      'client1: without its image',
      'client2: without its image',
      'client3: without its image',
      'mgmt: the management net is net 0, 192.168.0.0/24',
    ])
  })

  test('gives a node what its defaults, kind and group have too, the nearest first', () => {
    const { given, remarks, file } = convert(`
topology:
  defaults: { env: { A: 1, B: 2 }, exec: [one], memory: 1Gb, cpu: 0.5, ports: ["80:80"] }
  kinds: { linux: { env: { B: 3 }, exec: [two], sysctls: { net.ipv4.ip_forward: 1 } } }
  groups: { g: { kind: linux, exec: [three], memory: 512MiB, binds: [a:/a] } }
  nodes:
    n1: { group: g, env: { C: no }, exec: ["echo 'x y' | z"], binds: [b:/b], sysctls: { net.core.x: 9 } }
    n2: { group: g, memory: 64m, cpu: 4, labels: { a: b }, sysctls: { net.ipv4.ip_forward: 0 } }
    n3: { memory: lots }
  links: [{ endpoints: ["n1:e7", "n2:eth1"] }]
`)
    expect(file.settings).toEqual({ hostNets: [0], mem201: 512, smp1: 4, smp2: 1, smp201: 1 })
    expect(file.setup).toEqual({ 201: { forwarding: true } })
    expect(given.find(({ name }) => name === 'n1')).toEqual({
      ...{ name: 'n1', id: 201, binds: ['a:/a', 'b:/b'] },
      env: new Map(Object.entries({ A: '1', B: '3', C: 'no' })),
      sysctls: new Map([['net.core.x', '9']]),
      commands: [['one'], ['two'], ['three'], ['echo', 'x y', '|', 'z']],
    })
    expect(remarks).toEqual([
      'n1: e7 is eth1 here',
      'n1: without its ports',
      'n2: without its ports, labels',
      'n3: without its memory, ports',
    ])
  })

  test('has commands with the names that interfaces have here', () => {
    const { given } = convert(`
topology:
  nodes:
    n: { exec: [ip link set dev eth2 mtu 1400, ip link add eth5.10 link eth5 type vlan id 10, sh -c "echo eth25 eth2", up ge-0/0/1 ge-0/0/10] }
    m:
    o:
  links: [{ endpoints: ["n:eth2", "m:eth1"] }, { endpoints: ["n:eth5", "o:eth1"] }, { endpoints: ["n:ge-0/0/1", "o:x"] }]
`)
    expect(given.find(({ name }) => name === 'n')!.commands.map(words => words.join(' '))).toEqual([
      'ip link set dev eth1 mtu 1400',
      'ip link add eth2.10 link eth2 type vlan id 10',
      'sh -c echo eth25 eth1',
      'up eth3 ge-0/0/10',
    ])
  })

  test('has bridges that links join as one net', () => {
    const { nets, remarks, file } = convert(`
topology:
  nodes: { br1: { kind: bridge }, br2: { kind: ovs-bridge }, br3: { kind: bridge }, a: , b: , c: , d: }
  links:
    - { endpoints: ["a:eth1", "br1:p1"], mtu: 1400 }
    - endpoints: ["br1:t1", "br2:t2"]
    - { endpoints: ["b:eth1", "br2:p2"], mtu: 9000 }
    - endpoints: ["c:eth1", "br3:p1"]
    - endpoints: ["d:eth1", "br3:p2"]
`)
    expect([...nets.values()]).toEqual([
      ['a:eth1', 'b:eth1'],
      ['c:eth1', 'd:eth1'],
    ])
    expect(file.settings).toEqual({ hostNets: [0], mtu1: 1400 })
    expect(remarks).toEqual(['br1, br2: the MTU of all links is 1400, not 9000'])
  })

  test('has merged maps, values as they were written, and names of interfaces in sysctls', () => {
    const { given, remarks, file } = convert(`
topology:
  nodes:
    n1: &n { kind: linux, cpu: 2, exec: [false], env: { V: 3.10, H: 0x10, B: 12345678901234567890, T: True, N: } }
    n2: { <<: *n, exec: ["echo \${X}"], sysctls: { net.ipv4.conf.eth7.rp_filter: 0 } }
  links: [{ endpoints: ["n1:eth1", "n2:eth7"] }]
`)
    const env = new Map(Object.entries({ V: '3.10', H: '0x10', B: '12345678901234567890', T: 'True', N: '' }))
    expect(given.map(each => each.env)).toEqual([env, env])
    expect(given.map(({ commands }) => commands)).toEqual([[['false']], [['echo', '$' + '{X}']]])
    expect(given[1]!.sysctls).toEqual(new Map([['net.ipv4.conf.eth1.rp_filter', '0']]))
    expect(file.settings).toEqual({ hostNets: [0], smp1: 2, smp2: 2 })
    expect(remarks).toEqual([
      'n2: eth7 is eth1 here',
      'variables of your shell, such as $NAME, stand for themselves here',
    ])
  })

  test('names what links have beside their ends', () => {
    const { remarks } = convert(`
topology:
  nodes: { a: , b: }
  links:
    - { type: dummy, vars: { x: 1 }, endpoints: [{ node: a, interface: eth1, mac: "02:00:00:00:00:01" }, "b:eth1"] }
`)
    expect(remarks).toEqual(['the link a:eth1 to b:eth1: without its type dummy, vars, mac'])
  })

  test('has a name of a node on one line of its head', () => {
    const plan = planOf('topology: { nodes: { "a\\nb: c": } }')
    expect(plan.nodes.length).toBe(1)
  })

  test('leaves out the machine itself, and a second interface on a bridge', () => {
    const { nodes, nets, remarks } = convert(`
topology:
  nodes: { h: { kind: host, exec: [reboot] }, b: { kind: bridge }, n: }
  links:
    - endpoints: ["h:eth0", "n:eth9"]
    - endpoints: ["n:eth1", "b:p1"]
    - endpoints: ["n:eth2", "b:p2"]
`)
    expect([...nodes]).toEqual([[1, 'n']])
    expect([...nets.values()]).toEqual([['n:eth1', 'n:eth2']])
    expect(remarks).toEqual([
      'the link h:eth0 to n:eth9: it leaves the lab',
      'n: without its eth2: a node has one interface on a net',
      'h: it is the machine itself',
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
      'topology: { defaults: { exec: ["echo ok", "echo \'"] }, nodes: { a: } }',
      'lab.clab.yml:1:43 (topology.defaults.exec.1)',
    ],
    ['topology: { nodes: { a: { env: { "A B": x } } } }', 'is not the name of a variable'],
    ['topology: { nodes: { a: } , links: [{ endpoints: ["a:eth1"] }] }', 'a link has two endpoints'],
    [
      'topology: { nodes: { a: , b: , c: }, links: [{ endpoints: ["a:e", "b:e"] }, { endpoints: ["a:e", "c:e"] }] }',
      'another link ends at a:e, too',
    ],
    [
      'topology: { nodes: { a: , b: }, links: [{ endpoints: ["a:e", "b:e"], mtu: 576 }] }',
      '(topology.links.0.mtu): an MTU here is from 1280 to 65521',
    ],
    ['topology: { nodes: { a: { binds: x } } }', 'lab.clab.yml:1:34 (topology.nodes.a.binds)'],
    [
      `topology: { nodes: { ${Array.from({ length: 201 }, (_, n) => `n${n}: `).join(', ')} } }`,
      'it has 201 nodes, and a cluster at most 200',
    ],
  ])('is refused with the place: %s', (text, error) => {
    expect(() => convert(text)).toThrow(error)
  })
})
