import { expect } from 'vitest'
import { openGeneric } from '../../../src/genl/index.ts'
import { attributes, connect, nested, noBody, request, text, u8, u32 } from '../../../src/netlink/index.ts'
import { bridge, openRoute } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'

const header = attributes({ index: [1, u32], name: [2, text], flags: [3, u32] })
/** ETHTOOL_MSG_LINKSTATE_GET (linux/ethtool_netlink.h). */
const linkState = attributes({ header: [1, nested(header)], link: [2, u8] })
const linkStateGet = 4

test('the families of the kernel are those that genl lists, with their numbers', async () => {
  await using namespace = NetNamespace.create()
  await using generic = openGeneric({ namespace })
  const families = await generic.families()
  const { stdout: shown } = await inNamespace(namespace, ['genl', 'ctrl', 'list'])
  const theirs = Array.from(shown.matchAll(/^Name: (\S+)\n\s+ID: (0x[\da-f]+) +Version: (0x[\da-f]+)/gm))
  expect(families.map(({ name, id, version }) => [name, id, version])).toEqual(
    theirs.map(([, name, id, version]) => [name, Number(id), Number(version)]),
  )
  expect(await generic.family('nlctrl')).toMatchObject({
    ...{ id: 0x10, groups: [{ name: 'notify', id: 0x10 }] },
    operations: [{ command: 3 }, { command: 10 }],
  })
})

test('a command of a family is answered, and its refusal names the operation and the attribute', async () => {
  await using namespace = NetNamespace.create()
  await using route = openRoute({ namespace })
  await using generic = openGeneric({ namespace })
  await route.links.add(bridge({ name: 'br0', index: 100 }))
  const ethtool = await generic.use('ethtool', linkState)
  const about = { command: linkStateGet, op: 'read link state', target: 'br0' }
  const [answer] = await ethtool.ask({ ...about, attributes: { header: { name: 'br0' } } })
  expect(answer?.attributes).toMatchObject({ header: { index: 100, name: 'br0' }, link: 0 })
  const listed: (string | undefined)[] = []
  for await (const { attributes } of ethtool.dump({ ...about, attributes: { header: {} } }))
    listed.push(attributes.header?.name)
  expect(listed).toEqual(['br0'])
  const refused = ethtool.ask({ ...about, target: 'gone', attributes: { header: { name: 'gone' } } })
  await expect(refused).rejects.toMatchObject({
    message: expect.stringMatching(/^read link state gone: No such device/),
    attribute: 'header.name',
  })
})

test('a family that the kernel lacks is a missing prerequisite, and is asked for again', async () => {
  await using namespace = NetNamespace.create()
  await using generic = openGeneric({ namespace })
  for (const _ of [1, 2]) {
    const absent = generic.family('nosuch')
    await expect(absent).rejects.toMatchObject({ code: 'GENERIC_FAMILY_MISSING', kind: 'prerequisite' })
  }
  const group = generic.subscribe('nlctrl', 'nosuch', () => undefined)
  await expect(group).rejects.toThrow(
    'find generic netlink family nlctrl nosuch: the family nlctrl has no group nosuch',
  )
})

/** XFRM_MSG_GETPOLICY. The answer begins with a struct xfrm_selector, and that with the destination. */
const policies = request(noBody, undefined, { type: 21, op: 'list', target: 'xfrm policies' })

test('any other protocol can be spoken: xfrm lists the policies that ip made', async () => {
  await using namespace = NetNamespace.create()
  await using xfrm = connect('xfrm', { namespace })
  await using byNumber = connect(6, { namespace })
  const destinations = async (connection: typeof xfrm) => {
    const found: string[] = []
    for await (const body of connection.dump(policies, ({ body }) => body.take(body.left)))
      found.push(body.subarray(0, 4).join('.'))
    return found
  }
  expect(await destinations(xfrm)).toEqual([])
  for (const dst of ['10.1.0.0', '10.2.0.0'])
    await inNamespace(namespace, [
      'ip',
      'xfrm',
      'policy',
      'add',
      'dir',
      'out',
      'src',
      '0.0.0.0/0',
      'dst',
      `${dst}/16`,
    ])
  expect((await destinations(xfrm)).sort()).toEqual(['10.1.0.0', '10.2.0.0'])
  expect((await destinations(byNumber)).sort()).toEqual(['10.1.0.0', '10.2.0.0'])
})
