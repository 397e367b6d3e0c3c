import { expect } from 'vitest'
import { bridge, type Lost, openRoute, type Route, type RouteEvent, veth } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'

test('events report added, changed and removed links, addresses and routes', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const events = route.monitor(['links', 'addresses', 'routes'])
  await route.links.add(bridge({ name: 'xcbr0', index: 100, up: true, addrGenMode: 'none' }))
  await route.addresses.add({ link: 100, address: '192.168.0.250', prefix: 24 })
  await route.routes.add({ destination: '10.0.0.0/8', via: '192.168.0.1' })
  await route.links.remove(100)
  const seen: string[] = []
  for await (const event of events) {
    seen.push(brief(event))
    if (event.type === 'link' && event.gone) break
  }
  const wanted = ['link xcbr0', 'address 192.168.0.250', 'route 10.0.0.0/8', 'link xcbr0 gone']
  expect(
    seen.filter(line => wanted.includes(line)).filter((line, at, all) => all.indexOf(line) === at),
  ).toEqual(wanted)
  expect(seen).toContain('address 192.168.0.250 gone')
})

function brief(event: RouteEvent | Lost): string {
  return `${event.type} ${nameOf(event)}${event.type !== 'lost' && event.gone ? ' gone' : ''}`
}

function nameOf(event: RouteEvent | Lost): string {
  switch (event.type) {
    case 'link':
      return event.link.name
    case 'address':
      return event.address.address
    case 'route':
      return event.route.destination
    case 'rule':
      return `${event.rule.priority}`
    case 'neighbour':
      return event.neighbour.address
    case 'fdb':
      return `${event.entry.mac} ${event.entry.table}`
    case 'qdisc':
      return `${event.qdisc.kind} ${event.qdisc.handle}`
    case 'class':
      return event.class.id
    case 'filter':
      return event.filter.classId ?? event.filter.kind
    default:
      return ''
  }
}

test('events report rules, neighbours, forwarding entries and traffic control', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const events = route.monitor(['rules', 'neighbours', 'traffic'])
  const [link, mac] = ['a', '00:00:00:01:01:09']
  await route.links.add(bridge({ name: 'xcbr0' }))
  await route.links.add(veth({ name: link, master: 'xcbr0', up: true, peer: { name: 'b' } }))
  await route.rules.add({ from: '10.0.0.0/8', table: 100, priority: 7 })
  await route.rules.remove({ from: '10.0.0.0/8', table: 100, priority: 7 })
  await route.neighbours.add({ link, address: '10.0.0.9', mac })
  await route.neighbours.remove({ link, address: '10.0.0.9' })
  await route.fdb.add({ link, mac, table: 'master', state: 'static' })
  await route.fdb.remove({ link, mac, table: 'master' })
  await route.qdiscs.add({ link, kind: 'htb', handle: '1:' })
  await route.classes.add({ link, id: '1:10', rate: 1e6 })
  await route.filters.add({ link, parent: '1:', from: '10.0.0.0/8', priority: 5, classId: '1:10' })
  await route.filters.remove({ link, parent: '1:', priority: 5, protocol: 'ip' })
  await route.classes.remove({ link, id: '1:10' })
  await route.qdiscs.remove({ link })
  const wanted = [
    ...['rule 7', 'rule 7 gone', 'neighbour 10.0.0.9', 'neighbour 10.0.0.9 gone'],
    ...[`fdb ${mac} master`, `fdb ${mac} master gone`, 'qdisc htb 1:', 'class 1:10', 'filter 1:10'],
    ...['class 1:10 gone', 'qdisc htb 1: gone'],
  ]
  const seen: string[] = []
  for await (const event of events) {
    const line = brief(event)
    if (wanted.includes(line) && !seen.includes(line)) seen.push(line)
    if (line === wanted.at(-1)) break
  }
  expect(seen).toEqual(wanted)
})

test('a listener that cannot keep up is told to list again, and receives later events', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  const events = route.monitor(['links'], { receiveBuffer: 2048 })
  await overflow(route)
  const types = new Set<string>()
  for await (const event of events) {
    types.add(event.type)
    if (event.type === 'lost') break
  }
  expect(types).toContain('lost')
  const again = route.monitor(['links'])
  await route.links.remove('br0')
  expect((await again.next()).value).toMatchObject({ type: 'link', link: { name: 'br0' } })
})

/** One datagram of 100 changes: the kernel processes all of it before the process can read an event. */
async function overflow(route: Route): Promise<void> {
  await route.batch(({ links }) => {
    for (let n = 0; n < 100; n++) links.add(bridge({ name: `br${n}` }))
  })
}

test('a dump while links come and go shows the links of one moment', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await using busy = openRoute({ namespace })
  await route.batch(({ links }) => {
    for (let n = 0; n < 60; n++) links.add(bridge({ name: `br${n}` }))
  })
  // Adds a link, then renames one: a listing of one moment has as many renamed links as added ones, or one
  // less.
  const changing = (async () => {
    for (let n = 0; n < 40; n++) {
      await busy.links.add(bridge({ name: `more${n}` }))
      await busy.links.change({ name: `br${n}`, newName: `renamed${n}` })
    }
  })()
  const lists: string[][] = []
  while (lists.at(-1)?.includes('renamed39') !== true)
    lists.push((await route.links.list()).map(({ name }) => name))
  await changing
  for (const names of lists) {
    expect(new Set(names).size).toBe(names.length)
    const renamed = names.filter(name => name.startsWith('renamed')).length
    const more = names.filter(name => name.startsWith('more')).length
    expect(names.length).toBe(61 + more)
    expect(more - renamed === 0 || more - renamed === 1).toBe(true)
  }
})
