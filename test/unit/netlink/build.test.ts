import { expect, test } from 'vitest'
import { planOf } from '../../../src/nft/transaction.ts'
import { operationsOf } from '../../../src/rtnl/open.ts'

const late: () => unknown = async () => {
  await null
  throw new Error('this rejection has no other listener')
}

test('an asynchronous function for a batch or a transaction is refused before anything is sent', () => {
  const refused = { code: 'NETLINK_ASYNC_BUILD', kind: 'usage' }
  expect(() => operationsOf(late)).toThrow(expect.objectContaining({ ...refused, op: 'batch' }))
  expect(() => planOf(late)).toThrow(expect.objectContaining({ ...refused, op: 'nft transaction' }))
})
