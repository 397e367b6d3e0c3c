import { expect, test } from 'vitest'
import { type Abilities, backendFor, type Shaping } from '../../../src/plan/index.ts'

const guest: Abilities = { guest: true, tap: true, netem: false }
const host: Abilities = { guest: false, tap: true, netem: true }
const bare: Abilities = { guest: false, tap: true, netem: false }
const none: Abilities = { guest: false, tap: false, netem: false }

/** What is asked for, of a link with these abilities, in this direction, and what comes of it. */
type Case = readonly [Shaping, Abilities, 'sent' | 'received', string]

test.each<Case>([
  [{ delayMs: 5 }, guest, 'sent', 'netem in the guest'],
  [{ loss: 0.1 }, { ...guest, netem: true }, 'received', 'netem in the guest'],
  [{ delayMs: 5, loss: 0.1 }, host, 'sent', 'netem on the tap'],
  [{ rate: 8000 }, host, 'received', 'netem on the tap'],
  [{ loss: 0.1 }, bare, 'sent', 'nftables on the tap'],
  [{ loss: 0.1 }, bare, 'received', 'nftables on the tap'],
  [{ rate: 8000 }, bare, 'received', 'tbf on the tap'],
  [{ rate: 8000, loss: 1 }, bare, 'received', 'nftables and tbf on the tap'],
])('%j with %j, %s, is made by %s', (...[shaping, abilities, direction, by]) => {
  expect(backendFor(direction, shaping, abilities)).toEqual({ by })
})

test.each<Case>([
  [
    { delayMs: 5, jitterMs: 1, loss: 0.1 },
    bare,
    'received',
    "delayMs, jitterMs on the host's tap need sch_netem",
  ],
  [{ loss: 0.1, seed: 7 }, bare, 'sent', "seed on the host's tap need sch_netem"],
  [{ rate: 8000 }, bare, 'sent', 'a rate of what it sends needs sch_netem'],
  [{ loss: 0.1 }, none, 'sent', 'no xcluster-guest answers in its guest, and the host has no tap for it'],
])('%j with %j, %s, is refused: %s', (...[shaping, abilities, direction, reason]) => {
  const choice = backendFor(direction, shaping, abilities)
  expect('lacks' in choice && choice.lacks).toContain(reason)
})
