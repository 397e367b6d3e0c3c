import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  planCluster,
  resolveSettings,
  type SettingOptions,
  type Topology,
  topologies,
} from '../../../src/plan/index.ts'
import { moduleDocument, parseYaml } from '../../../src/topology/document.ts'
import { fileOfTopology } from '../../../src/topology/form.ts'
import { withTopology } from '../../../src/topology/given.ts'
import { readTopology, topologyText } from '../../../src/topology/index.ts'
import { labOf } from '../../../src/topology/read.ts'

const read = (text: string) => labOf(parseYaml('lab.yaml', text))
const plan = (options: SettingOptions) => planCluster(resolveSettings({ options }))
const node = (options: SettingOptions, id: number) => plan(options).nodes.find(each => each.id === id)!
const directory = mkdtempSync(join(tmpdir(), 'topology-'))

function inFile(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

const small = `
name: small
nets:
  vm: [0, 1]
  router: [0, 1, 2]
setup:
  vm:
    routes:
      - { to: default, via: { net: 1, node: routers } }
`

describe('a topology file', () => {
  test.each(topologies.map(topology => [topology.name, topology] as const))(
    'can say what %s says: its plan is the same',
    (_, topology) => {
      const again = read(topologyText(topology)).topology
      for (const options of [{}, { nvm: 2, ntesters: 2, xlanTemplate: '169.254.0.0/20/24' }])
        expect(plan({ ...options, topology: again })).toEqual(plan({ ...options, topology }))
    },
  )

  test('gives counts, nets by role, number and range, and settings', () => {
    const { topology, settings } = read(`${small}
nodes: 2
routers: { usual: 1, atLeast: 1 }
more: [10, 15]
settings: { mem: 256, mem201: 512, mtu1: 9000, with: [tcpdump, iperf3], disableMasquerade: true }
`)
    expect(plan({ ...settings, topology }).nodes.map(({ id }) => id)).toEqual([1, 2, 10, 15, 201])
    expect(node({ ...settings, topology }, 201).memMiB).toBe(512)
    expect(settings).toMatchObject({
      nvm: 2,
      mem: 256,
      with: ['tcpdump', 'iperf3'],
      disableMasquerade: 'yes',
    })
    expect(() => plan({ ...settings, topology, nrouters: 0 })).toThrow(
      'topology small needs at least 1 routers',
    )
  })

  test('gives impairments of links, which it prints and reads again', () => {
    const { topology } = read(`${small}
nodes: 2
routers: 1
links:
  vm: { 1: { delayMs: 20, jitterMs: 5, loss: 0.01 } }
  2: { 1: [{ rate: 1000000 }, { direction: received, loss: 0.1 }] }
  router: { 2: { partition: true }, 1: { down: true } }
`)
    expect(node({ topology }, 1).impairments).toEqual({ eth1: { delayMs: 20, jitterMs: 5, loss: 0.01 } })
    expect(node({ topology }, 2).impairments).toEqual({ eth1: { rate: 1_000_000, received: { loss: 0.1 } } })
    expect(node({ topology }, 201).impairments).toEqual({ eth1: { down: true }, eth2: { partition: true } })
    const text = topologyText(topology)
    expect(text).toContain('  vm: { 1: { delayMs: 20, jitterMs: 5, loss: 0.01 } }')
    expect(topologyText(read(text).topology)).toBe(text)
  })

  test.each([
    ['{ vm: { 1: { delay: 5 } } }', 'lab.yaml:10:28 (links.vm.1.delay): there is no such key'],
    ['{ vm: { 1: { loss: 2 } } }', '(links.vm.1.loss)'],
    ['{ vm: { 2: { loss: 0.1 } } }', '(links.vm.2): none of these nodes is on net 2'],
    ['{ vm: { 1: [{ loss: 1 }, { direction: both, loss: 1 }] } }', 'gives one direction twice'],
    ['{ vm: { 1: { direction: in, loss: 1 } } }', '(links.vm.1.direction)'],
    ['{ vm: { 1: { direction: received, down: true } } }', 'down concerns both directions'],
    ['{ 1: { 1: { jitterMs: 5 } } }', '(links.1.1): jitterMs is 5, and delayMs only 0'],
    ['{ 241: { 1: { loss: 1 } } }', '(links.241): no node can have the number 241'],
    ['{ vms: { 1: { loss: 1 } } }', '(links.vms): is not a set of nodes'],
  ])('is refused with links %s, with the place', (links, message) => {
    expect(() =>
      read(`${small}links: ${links}
`),
    ).toThrow(message)
  })

  test('lets the smallest set that contains a node win, wherever it is in the file', () => {
    const { topology } = read(`
name: sets
nodes: 12
nets: { 11: [0, 5], 10-19: [0, 4], vm: [0, 1] }
setup:
  11: { masquerade: [5] }
  10-19: { masquerade: [4] }
  vm: { masquerade: [1] }
`)
    const all = plan({ topology, nvm: 12 })
    const of = (id: number) => all.nodes.find(each => each.id === id)!
    expect([1, 10, 11].map(id => of(id).nets[1]!.net)).toEqual([1, 4, 5])
    expect([1, 10, 11].map(id => of(id).setup.masquerade[0]!.ipv4)).toEqual([
      '192.168.1.0/24',
      '192.168.4.0/24',
      '192.168.5.0/24',
    ])
  })

  test('may begin from a named topology, and replaces parts of it', () => {
    const { topology } = read('name: mine\nbase: diamond\nnets: { tester: [0, 2, 9] }\n')
    expect(node({ topology }, 221).nets.map(({ net }) => net)).toEqual([0, 2, 9])
    expect(node({ topology }, 201).setup.routes).toEqual(node({ topology: 'diamond' }, 201).setup.routes)
  })

  test('has one table for both families, or one for each', () => {
    const table = (text: string) =>
      node({ topology: read(`${small}    rules: [{ net: 1, table: ${text} }]\n`).topology, nvm: 1 }, 1).setup
        .rules
    expect(table('7')).toEqual([{ dev: 'eth1', ipv4: 7, ipv6: 7 }])
    expect(table('{ ipv4: 7, ipv6: 8 }')).toEqual([{ dev: 'eth1', ipv4: 7, ipv6: 8 }])
  })

  test('has addresses by a template', () => {
    const { topology } = read(`${small}    addresses: { 1: 10.7.0.0/16/24 }\n`.replace(/routes:\n.*\n/, ''))
    expect(node({ topology }, 1).nets[1]).toMatchObject({ ipv4: '10.7.1.1', ipv6: 'fd00::a07:101' })
  })

  test('may be JSON, or a module', async () => {
    const file = fileOfTopology(topologies[0]!)
    for (const [name, text] of [
      ['lab.json', JSON.stringify(file)],
      ['lab.mjs', `export default ${JSON.stringify(file)}`],
      ['lab.ts', `const lab: object = ${JSON.stringify(file)}\nexport default lab`],
    ] as const) {
      const { topology } = await readTopology(inFile(name, text))
      expect(plan({ topology }), name).toEqual(plan({}))
    }
  })

  test('names files beside itself', async () => {
    const path = inFile('paths.yaml', `${small}settings: { kernel: vmlinuz, ovl: [./mine, tcpdump] }\n`)
    const { settings } = await readTopology(path)
    expect(settings).toMatchObject({
      kernel: join(directory, 'vmlinuz'),
      ovl: [join(directory, 'mine'), 'tcpdump'],
    })
  })
})

describe('options with a topology', () => {
  test('win over the settings of its file', async () => {
    const topology = inFile('options.yaml', `${small}settings: { mem: 256, smp: 1 }\n`)
    const options = await withTopology({ topology, mem: 512 })
    expect(options).toMatchObject({ mem: 512, smp: 1 })
    expect(plan(options).topology).toBe('small')
  })

  test('with a name are left as they are', async () => {
    const options = { topology: 'diamond' }
    expect(await withTopology(options)).toBe(options)
  })

  test('check a topology that is given as a value', async () => {
    const stray: Topology = { ...topologies[0]!, setup: [{ of: 'vm', masquerade: [77] }] }
    await expect(withTopology({ topology: stray })).rejects.toMatchObject({
      code: 'BAD_TOPOLOGY',
      message: expect.stringContaining('topology (setup.vm.masquerade.0): no node is on net 77'),
    })
  })
})

/** A file, and the place and words of the error. */
const wrong: Readonly<Record<string, readonly [file: string, error: string]>> = {
  'YAML that does not parse': ['name: x\nnets: [0, 1\n', 'lab.yaml:3:1: '],
  'a key twice': ['name: x\nname: y\n', 'lab.yaml:2:1: Map keys must be unique'],
  'no name': ['nets: { vm: [0] }\n', 'lab.yaml:1:1 (name): '],
  'nothing at all': ['', 'lab.yaml:1:1: '],
  'an unknown key': ['name: x\nnetz: {}\n', 'lab.yaml:2:7 (netz): there is no such key'],
  'an unknown key further down': [
    `${small}      - { to: default, via: { net: 1, hop: 201 } }\n`,
    'lab.yaml:10:44 (setup.vm.routes.1.via.hop): there is no such key',
  ],
  'text where a number must be': ['name: x\nnodes: many\n', 'lab.yaml:2:8 (nodes): '],
  'a set that is none': [
    'name: x\nnets: { vms: [0, 1] }\n',
    'lab.yaml:2:14 (nets.vms): is not a set of nodes',
  ],
  'a number that no node has': [
    'name: x\nnets: { 250: [0, 1] }\n',
    '(nets.250): no node can have the number 250',
  ],
  'a range that goes down': ['name: x\nnets: { 19-10: [0, 1] }\n', '(nets.19-10): a range goes up'],
  'a range over two roles': ['name: x\nnets: { 190-210: [0, 1] }\n', 'and has nodes of one role'],
  'a node in no net': ['name: x\nnets: { vm: [] }\n', 'lab.yaml:2:13 (nets.vm): '],
  'a first net that is not 0': [
    'name: x\nnets: { vm: [1, 0] }\n',
    'lab.yaml:2:13 (nets.vm): the first net must be 0',
  ],
  'a net twice': ['name: x\nnets: { vm: [0, 1, 1] }\n', '(nets.vm): a net is in the list twice'],
  'a route to a net without nodes': [
    small.replace('to: default', 'to: 7'),
    'lab.yaml:9:15 (setup.vm.routes.0.to): no node is on net 7',
  ],
  'a next hop over a net that the nodes are not on': [
    small.replace('net: 1', 'net: 2'),
    'lab.yaml:9:29 (setup.vm.routes.0.via): none of these nodes is on net 2',
  ],
  'a next hop that is not on the net': [
    small.replace('node: routers', 'node: 221'),
    'lab.yaml:9:29 (setup.vm.routes.0.via): node 221 has no address on net 1',
  ],
  'routers as next hops, and none on the net': [
    small.replace('router: [0, 1, 2]', 'router: [0]'),
    '(setup.vm.routes.0.via): no router is on net 1',
  ],
  'a next hop that has no address there': [
    `${small.replace('node: routers', 'node: 201')}  router: { addresses: { 1: none } }\n`,
    '(setup.vm.routes.0.via): node 201 has no address on net 1',
  ],
  'an address twice': [
    `${small.replace('vm: [0, 1]', 'vm: [0, 1, 2]')}    addresses: { 2: 1 }\n`,
    '(setup.vm.addresses): node 1 would have 192.168.1.1 twice',
  ],
  'an address on a net that the nodes are not on': [
    `${small}    addresses: { 9: none }\n`,
    '(setup.vm.addresses.9): none of these nodes is on net 9',
  ],
  'masquerade of a net without nodes': [
    `${small}  201: { masquerade: [1, 9] }\n`,
    'lab.yaml:10:26 (setup.201.masquerade.1): no node is on net 9',
  ],
  'a rule for a net that the nodes are not on': [
    `${small}    rules: [{ net: 3, table: 9 }]\n`,
    '(setup.vm.rules.0): none of these nodes is on net 3',
  ],
  'an MTU of a net without nodes': [
    `${small}settings: { mtu9: 1400 }\n`,
    'lab.yaml:10:19 (settings.mtu9): no node is on net 9',
  ],
  'an unknown setting': [
    `${small}settings: { memory: 256 }\n`,
    "lab.yaml:10:21 (settings.memory): there is no setting 'memory'",
  ],
  'a setting out of its range': [`${small}settings: { mem: 3 }\n`, "'3' is not a whole number from"],
  'a topology in a topology': [`${small}settings: { topology: xnet }\n`, 'a topology file is one'],
  'a setting with a wrong value': [
    `${small}settings: { mem: lots }\n`,
    "read topology lab.yaml:10:18 (settings.mem): 'lots' is not a whole number from 100 to 1048576",
  ],
  'a key that sets a prototype': [
    'name: x\nnets:\n  vm: [0]\n  __proto__: [0, 1]\n',
    'lab.yaml:4:14 (nets.__proto__): no key can have this name',
  ],
  'such a key deep inside': [`${small}settings: { mem1: { __proto__: 5 } }\n`, 'settings.mem1.__proto__'],
  'an unknown base': ['name: x\nbase: nonet\n', "lab.yaml:2:7 (base): there is no topology 'nonet'"],
  'more interfaces than a node can have': [
    `name: x\nnets: { vm: [${Array.from({ length: 40 }, (_, net) => net).join()}] }\n`,
    'vm-001',
  ],
  'a template that is none': [`${small}    addresses: { 1: 10.7.3.0/16/24 }\n`, '(setup.vm.addresses.1): '],
}

describe('a file that cannot be used is refused with the place:', () => {
  test.each(Object.entries(wrong))('%s', (_, [text, error]) => {
    expect(() => read(text)).toThrow(error)
  })

  test('an alias of itself, or aliases without end', () => {
    expect(() => read('name: &a [*a]\n')).toThrow('lab.yaml')
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x]']
    for (let n = 1; n < 12; n++)
      lines.push(
        `a${n}: &a${n} [${Array(8)
          .fill(`*a${n - 1}`)
          .join()}]`,
      )
    expect(() => read(`name: x\n${lines.join('\n')}\n`)).toThrow('lab.yaml')
  })

  test('more than any lab has', () => {
    expect(() => read(`name: x\n#${'x'.repeat(10_000_000)}\n`)).toThrow('and a topology at most 1048576')
  })

  test('a file that is absent, a directory, or a module that throws', async () => {
    await expect(readTopology(join(directory, 'absent.yaml'))).rejects.toThrow(
      'absent.yaml: No such file or directory',
    )
    await expect(readTopology(directory)).rejects.toThrow('it is not a file')
    await expect(readTopology(inFile('bad.mjs', 'throw new Error("I throw")'))).rejects.toThrow('I throw')
    await expect(readTopology(inFile('empty.mjs', ''))).rejects.toThrow('empty.mjs')
    await expect(readTopology(inFile('null.mjs', 'throw null'))).rejects.toThrow('it throws null')
  })

  test.each([
    ['null.ts', 'export default null', 'null.ts: its default export is null, not a topology'],
    ['five.mjs', 'export default 5', 'its default export is the number 5, not a topology'],
    ['none.ts', 'export const a: number = 5', 'its default export is absent, not a topology'],
  ])('a module without a topology: %s', async (name, text, message) => {
    await expect(readTopology(inFile(name, text))).rejects.toThrow(message)
  })

  test('a part of a module is named, as it has no line', () => {
    const value = { name: 'x', setup: { vm: { forwarding: 'yes' } } }
    expect(() => labOf(moduleDocument('lab.ts', value))).toThrow('lab.ts (setup.vm.forwarding): ')
  })
})
