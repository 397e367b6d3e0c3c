import { Duplex, PassThrough } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { checkHello } from '../../../src/fleet/facts.ts'
import type { Hello } from '../../../src/fleet/link.ts'
import { Members } from '../../../src/fleet/members.ts'

const leader: Hello = {
  ...{ type: 'hello', rank: 0, version: '0.1.0', qemu: '7.2.9', lab: 'abcdefgh01', port: 4789 },
  ...{ hosts: ['10.0.0.1', '10.0.0.2'], clock: Date.now(), freeMiB: 1024, processors: 2 },
  ...{ underlayMtu: 1500, cpu: { model: 'one', key: 'one' } },
}
const name = 'host 1 (10.0.0.2)'
const other = (differs: Partial<Hello>): Hello => ({ ...leader, rank: 1, clock: Date.now(), ...differs })

test.each([
  ['version of xcluster', { version: '0.2.0' }, 'its xcluster is 0.2.0, and that of host 0 0.1.0. Install'],
  ['version of QEMU', { qemu: '10.0.2' }, 'its QEMU is 10.0.2, and that of host 0 7.2.9. Install'],
  ['lab', { lab: 'zyxwvuts99' }, 'its lab is zyxwvuts, and that of host 0 abcdefgh. Give'],
  ['port', { port: 4790 }, 'its port of VXLAN is 4790, and that of host 0 4789. Give'],
  ['list of hosts', { hosts: ['10.0.0.1'] }, 'its list of hosts is 10.0.0.1, and that of host 0 10.0'],
  ['WireGuard', { lacks: 'its kernel has none' }, 'its kernel has none. Load the module'],
] as const)('a host with another %s is refused by its name', (_, differs, reason) => {
  expect(() => checkHello(leader, other(differs), name)).toThrow(`${name}: ${reason}`)
  expect(() => checkHello(leader, other({}), name)).not.toThrow()
})

test('a host whose clock differs by more than 5 s, either way, is refused by its name', () => {
  for (const ms of [-60_000, 60_000])
    expect(() => checkHello(leader, other({ clock: Date.now() + ms }), name)).toThrow(
      /^take in host 1 \(10\.0\.0\.2\): its clock differs by (60|59\.\d|60\.\d|1)[^.]*.*Set the clocks of all hosts \(NTP\)/,
    )
  expect(() => checkHello(leader, other({ clock: Date.now() - 3000 }), name)).not.toThrow()
})

test('a host with the number of one that is there already is turned away, and the lab goes on', async () => {
  const values = {
    ...{ rank: 0, count: 2, peers: ['10.0.0.1', '10.0.0.2'], ports: [7766, 4789], job: 'lab' },
    secret: Buffer.alloc(32),
  } as const
  const lost: number[] = []
  const members = new Members({
    ...{ values, lab: 'default', mine: leader, event() {}, lost: rank => lost.push(rank) },
  })
  const said = [0, 1].map(() => {
    const [there, here] = [new PassThrough(), new PassThrough()]
    members.accept(Duplex.from({ readable: there, writable: here }) as unknown as TLSSocket)
    there.write(`${JSON.stringify(other({}))}\n`)
    return here
  })
  const hellos = await members.gather(5000)
  expect(hellos.map(({ rank }) => rank)).toEqual([0, 1])
  const refused = new Promise<string>(resolve => {
    said[1]!.on('data', (text: Buffer) => `${text}`.includes('refused') && resolve(`${text}`))
  })
  expect(await refused).toContain('take in host 1 (10.0.0.2): the lab has no such host, or has it already')
  expect(lost).toEqual([])
  for (const link of said) link.destroy()
  members.stop()
})
