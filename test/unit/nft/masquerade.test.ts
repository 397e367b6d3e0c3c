import { expect, test } from 'vitest'
import { messages, NLM_F_ACK } from '../../../src/netlink/index.ts'
import { masqueradeBatch } from '../../../src/nft/index.ts'
import { readVector } from '../../support/vectors.ts'

test('masqueradeBatch() gives the bytes that nft sends, with an acknowledgement requested for its last rule', () => {
  const [sent] = readVector('nft/masquerade').datagrams
  const sources = ['192.168.1.0/24', 'fd00::c0a8:100/120']
  const batch = masqueradeBatch({ table: 'xcluster', outDev: 'eth0', sources })
  const all = [...messages(batch)]
  expect(all.map(({ flags }) => flags & NLM_F_ACK)).toEqual([0, 0, 0, 0, NLM_F_ACK, 0])

  const silent = Buffer.from(batch)
  silent[0x1f6]! &= ~NLM_F_ACK
  expect(silent.toString('hex')).toBe(Buffer.from(sent!).toString('hex'))
})
