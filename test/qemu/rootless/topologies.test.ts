import { describe, expect } from 'vitest'
import { test } from '../../support/leaks.ts'
import { OrdinaryUser } from '../../support/ordinary-user.ts'
import { chosen } from '../../support/rounds.ts'
import { Xc } from '../../support/xc.ts'

// One user, so that the templates are made once.
const user = new OrdinaryUser()
const why = user.whyNot()

describe('an unprivileged user gets what the plan says with the topology', () => {
  // xnet: session.test.ts. diamond has several hops too.
  test.for(chosen(['xnet', 'multihop', 'diamond'], ['diamond']))('%s', async (topology, { census, skip }) => {
    skip(why !== undefined, why)
    const xc = new Xc({ user })
    const size = ['--nvm', '2', '--ntesters', '1', '--smp', '1', '--mem', '112']
    await xc.good(['start', '--topology', topology, '--fabric', 'bridge', ...size])
    expect(JSON.parse(await xc.good(['verify', '--json']))).toMatchObject({
      ...{ ok: true, differences: [], unverified: [], paths: { broken: 0 } },
    })
    const { ok, pairs } = JSON.parse(await xc.good(['check', '--json']))
    expect({ ok, some: pairs.length > 0 }).toEqual({ ok: true, some: true })
    await xc.good(['stop'])
    await census.expectUnchanged()
  })
})
