import { expect } from 'vitest'
import { i32, u8, u16, u32 } from '../../../src/base/index.ts'
import { attributes, connect, message, request } from '../../../src/netlink/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'

const RTM_NEWLINK = 16
const RTM_GETLINK = 18
const link = message(
  { family: u8, pad: u8, hardware: u16, index: i32, flags: u32, change: u32 },
  attributes({
    mtu: [4, u32],
    tooShort: [13, u8],
    info: [18, attributes({ nothing: [77, u32] })],
    unheardOf: [999, u32],
  }),
)
const changing = (value: Parameters<typeof link.write>[1]) =>
  request(link, { index: 1, ...value }, { type: RTM_NEWLINK, op: 'change', target: 'lo' })

test('the kernel’s complaint names our attribute', async () => {
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

test('strict checking is on: a listing asked for with junk is refused, not answered at length', async () => {
  await using namespace = NetNamespace.create()
  await using connection = connect('route', { namespace })
  const asking = request(link, { flags: 1 }, { type: RTM_GETLINK, op: 'list', target: 'links' })
  const dump = connection.dump(asking, ({ body }) => link.read(body))
  await expect(dump.next()).rejects.toMatchObject({
    errnoName: 'EINVAL',
    reason: expect.stringContaining('Invalid'),
  })
})

test('requests at the same time get each its own answer', async () => {
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

test('a closed connection rejects what was under way', async () => {
  await using namespace = NetNamespace.create()
  const connection = connect('route', { namespace })
  const pending = expect(connection.request(changing({}))).rejects.toMatchObject({ code: 'NETLINK_CLOSED' })
  await Promise.all([connection.close(), connection.close()])
  await pending
})
