import { describe, expect, test } from 'vitest'
import {
  effective,
  impaired,
  impairmentOf,
  impairmentProblem,
  impairmentText,
  isWhole,
  joined,
  netemOf,
  partsOf,
  planCluster,
  resolveSettings,
  type Topology,
  topologyOf,
} from '../../../src/plan/index.ts'

describe('an impairment', () => {
  test('is refused when it is out of range, or needs a delay that it lacks', () => {
    expect(impairmentProblem({ delayMs: 20, jitterMs: 5, loss: 1, rate: 8 })).toBeUndefined()
    expect(impairmentProblem({ delayMs: 60_001 })).toContain('delayMs is 60001')
    expect(impairmentProblem({ loss: 1.5 })).toContain('loss is 1.5')
    expect(impairmentProblem({ rate: 7 })).toContain('at least 8')
    expect(impairmentProblem({ jitterMs: 5 })).toContain('delayMs only 0')
    expect(impairmentProblem({ reorder: 0.1 })).toContain('reorder needs delayMs')
    expect(impairmentProblem({ seed: 7, loss: 0.1 })).toBeUndefined()
    expect(impairmentProblem({ seed: 7, delayMs: 5 })).toContain('seed needs jitterMs')
    for (const seed of [1.5, -1, 2 ** 53, Number.NaN])
      expect(impairmentProblem({ seed, loss: 0.1 })).toContain(`seed is ${seed}`)
    expect(impairmentProblem({ los: 0.1 } as object)).toContain("there is no 'los'")
    expect(impairmentProblem({ down: 'yes' } as object)).toContain('neither true nor false')
    expect(impairmentProblem({ loss: '0.1' } as object)).toContain('loss is 0.1')
  })

  test('has one text, whichever order it was written in, and as netem has it', () => {
    const asked = { partition: true, rate: 12, loss: 0.01, delayMs: 20, corrupt: 0, down: false }
    expect(Object.keys(effective(asked))).toEqual(['delayMs', 'loss', 'rate', 'partition'])
    expect(impairmentText(asked)).toBe('delay 20 ms, loss 1 %, rate 12 bit/s, partition')
    expect(impairmentText({ loss: 0.1, seed: 7 })).toBe('loss 10 %, seed 7')
    expect(impairmentText({})).toBe('')
    const ofKernel = { ...netemOf(asked), loss: 42_949_673 / 0xffff_ffff, rate: 8 }
    expect(impairmentText(impairmentOf(ofKernel))).toBe('delay 20 ms, loss 1 %, rate 8 bit/s')
  })
})

describe('the two directions of a link', () => {
  test('are impaired independently; without a direction and an impairment the link is whole', () => {
    const sent = impaired({}, { delayMs: 20, down: true })
    const both = impaired(sent, { direction: 'received', loss: 0.1 })
    expect(both).toEqual({ delayMs: 20, down: true, received: { loss: 0.1 } })
    expect(impaired(both, { rate: 8000 })).toEqual({ rate: 8000, received: { loss: 0.1 } })
    expect(impaired(both, { direction: 'sent' })).toEqual({ received: { loss: 0.1 } })
    expect(impaired(both, { direction: 'received' })).toEqual({ delayMs: 20, down: true })
    expect(impaired(both, { direction: 'both', loss: 0.5, partition: true })).toEqual({
      ...{ loss: 0.5, partition: true, received: { loss: 0.5 } },
    })
    for (const whole of [{}, { direction: 'both' as const }, { loss: 0 }])
      expect(isWhole(impaired(both, whole))).toBe(true)
  })

  test('are listed apart, and what cuts off the link as both; the list gives the same again', () => {
    const link = { delayMs: 20, down: true, partition: true, received: { loss: 0.1 } }
    const parts = partsOf(link)
    expect(parts).toEqual([
      { direction: 'sent', delayMs: 20 },
      { direction: 'received', loss: 0.1 },
      { direction: 'both', down: true },
      { direction: 'both', partition: true },
    ])
    expect(joined(parts)).toEqual(link)
    expect(joined([{ delayMs: 20, down: true }])).toEqual({ delayMs: 20, down: true }) // of earlier versions
  })

  test('are refused by another name, and as one that is cut off', () => {
    expect(impairmentProblem({ direction: 'in' as 'sent' })).toContain('can be sent, received, both')
    expect(impairmentProblem({ direction: 'received', partition: true })).toContain('both directions')
    expect(impairmentProblem({ direction: 'both', down: true })).toBeUndefined()
  })
})

test('a plan has the impairments of its topology, by interface: those of the smallest set of nodes', () => {
  const links = [
    { of: 1, net: 1, delayMs: 50 },
    { of: 'vm', net: 1, loss: 0.01 },
    { of: 'vm', net: 1, direction: 'both', rate: 8000 },
    { of: 'router', net: 2, down: true },
  ] as const
  const topology: Topology = { ...topologyOf('xnet'), links }
  const { nodes } = planCluster(
    resolveSettings({ options: { topology, nvm: 2, nrouters: 1, nets201: '0,2,1' } }),
  )
  expect(nodes.map(({ impairments }) => impairments)).toEqual([
    { eth1: { delayMs: 50, received: { rate: 8000 } } },
    { eth1: { loss: 0.01, received: { rate: 8000 } } },
    { eth1: { down: true } },
  ])
  const plain = planCluster(resolveSettings({ options: { nvm: 1 } }))
  expect(plain.nodes[0]).not.toHaveProperty('impairments')
})
