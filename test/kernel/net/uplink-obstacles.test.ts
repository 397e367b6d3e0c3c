import { expect } from 'vitest'
import { forwardingObstacles, openUplink } from '../../../src/net/index.ts'
import { openRoute } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'
import { internet, Outside } from '../../support/outside.ts'

const rulesets = [
  [
    'a chain of the user',
    'table inet mine { chain pass { type filter hook forward priority 0; policy drop; }; }',
  ],
  [
    "Docker's",
    `table ip filter {
       chain DOCKER-USER { counter return; }
       chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; }
     }`,
  ],
] as const

test.for(rulesets)(
  'a chain that drops forwarded packets is found, and its remedy works: %s',
  async ([, rules]) => {
    await using outside = await new Outside().connect()
    const { host } = outside
    expect(await forwardingObstacles(host)).toEqual([])
    await inNamespace(host, ['nft', rules])
    const [obstacle, ...more] = await forwardingObstacles(host)
    expect(more).toEqual([])
    await using inside = NetNamespace.create()
    await using route = openRoute({ namespace: inside })
    await route.links.change({ name: 'lo', up: true })
    await using _ = await openUplink(
      { ipv4Base: '172.30.0.0/24', ipv6Prefix: 'fd00:1723::' },
      {
        ...{ owner: 'it', inside, outside: host, records: outside.records },
        sources: { ipv4: '192.168.0.0/24', ipv6: 'fd00::c0a8:0/120' },
      },
    )
    const ping = () => inNamespace(inside, ['ping', '-c1', '-W1', internet.ipv4])
    await expect(ping()).rejects.toThrow()
    const commands = obstacle!.remedy.replace(/^.*?: /, '').split('; ')
    expect(commands).toHaveLength(2)
    for (const command of commands) await inNamespace(host, ['nft', command.replace(/^nft /, '')])
    await ping()
  },
)
