import { expect } from 'vitest'
import { i32, u8, u16, u32 } from '../../../src/base/index.ts'
import { attributes, connect, message, request } from '../../../src/netlink/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'

const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const linkHeader = { family: u8, pad: u8, hardware: u16, index: i32, flags: u32, change: u32 }
const link = message(
  linkHeader,
  attributes({
    mtu: [4, u32],
    tooShort: [13, u8],
    info: [18, attributes({ nothing: [77, u32] })],
    unheardOf: [999, u32],
  }),
)
const changing = (value: Parameters<typeof link.write>[1]) =>
  request(link, { index: 1, ...value }, { type: RTM_NEWLINK, op: 'change', target: 'lo' })

test("the kernel's refusal names the attribute as the library does", async () => {
  await using namespace = NetNamespace.create()
  await using connection = connect('route', { namespace })
  await expect(
    connection.request(changing({ attributes: { mtu: 1500, tooShort: 1 } })),
  ).rejects.toMatchObject({
    errnoName: 'ERANGE',
    offset: 40,
    attribute: 'tooShort',
    message: expect.stringMatching(/^change lo: .*: Attribute failed policy validation \(tooShort.*\)$/),
  })
})

test('strict checking is on: the kernel refuses a listing with a malformed header', async () => {
  await using namespace = NetNamespace.create()
  await using connection = connect('route', { namespace })
  const asking = request(link, { flags: 1 }, { type: RTM_GETLINK, op: 'list', target: 'links' })
  const dump = connection.dump(asking, ({ body }) => link.read(body))
  await expect(dump.next()).rejects.toMatchObject({
    errnoName: 'EINVAL',
    reason: expect.stringContaining('Invalid'),
  })
})

test('each of many simultaneous requests gets its own answer', async () => {
  await using namespace = NetNamespace.create()
  await using connection = connect('route', { namespace })
  const outcomes = await Promise.allSettled(
    Array.from({ length: 200 }, (_, n) =>
      connection.request(changing({ index: n % 2 === 0 ? 1 : 4000 + n })),
    ),
  )
  expect(outcomes.map(({ status }) => status)).toEqual(
    Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? 'fulfilled' : 'rejected')),
  )
  for (const [n, outcome] of outcomes.entries())
    if (outcome.status === 'rejected') expect(outcome.reason.errnoName, `request ${n}`).toBe('ENODEV')
})

test('closing a connection rejects its pending requests', async () => {
  await using namespace = NetNamespace.create()
  const connection = connect('route', { namespace })
  const many = Array.from({ length: 300 }, () => changing({})) // more than one datagram takes
  const pending = expect(connection.batch(many)).rejects.toMatchObject({ code: 'NETLINK_CLOSED' })
  await Promise.all([connection.close(), connection.close()])
  await pending
})

const RTM_DELLINK = 17
const RTM_GETROUTE = 26
const group = message(linkHeader, attributes({ group: [27, u32] }))
const routes = message(
  { family: u8, lengths: u16, tos: u8, table: u8, protocol: u8, scope: u8, type: u8, flags: u32 },
  attributes({ table: [15, u32] }),
)

test('a forbidden request is reported as a missing prerequisite, with a remedy', async () => {
  await using namespace = NetNamespace.create()
  await using connection = connect('route', { namespace })
  const value = { attributes: { group: 0 } } // rtnl_group_dellink() protects the default group so
  const removing = request(group, value, { type: RTM_DELLINK, op: 'remove group', target: '0' })
  await expect(connection.request(removing)).rejects.toMatchObject({
    code: 'NETLINK_NOT_PERMITTED',
    kind: 'prerequisite',
    errnoName: 'EPERM',
    message: expect.stringMatching(/^remove group 0: Operation not permitted\. Run it as root/),
  })
})

test("a dump that fails half-way in the kernel is rejected with the kernel's words", async () => {
  await using namespace = NetNamespace.create()
  await using connection = connect('route', { namespace })
  const value = { family: 2, attributes: { table: 12345 } }
  const asking = request(routes, value, { type: RTM_GETROUTE, op: 'list', target: 'routes' })
  await expect(connection.dump(asking, () => 1).next()).rejects.toMatchObject({
    code: 'NETLINK_NOT_FOUND',
    errnoName: 'ENOENT',
    message: 'list routes: No such file or directory: ipv4: FIB table does not exist',
  })
})
