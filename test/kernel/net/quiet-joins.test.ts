import { readSync, writeSync } from 'node:fs'
import { expect } from 'vitest'
import { addressBytes } from '../../../src/base/index.ts'
import { openBridgeFabric, suppressMldReports } from '../../../src/net/index.ts'
import { planBridges } from '../../../src/plan/index.ts'
import { test } from '../../support/leaks.ts'
import { inNamespace } from '../../support/namespace.ts'

const [node, routers] = [addressBytes('fe80::200:ff:fe01:101'), addressBytes('ff02::16')]

/** RFC 1071, over the pseudo header of RFC 8200 §8.1. */
function checksum(body: Buffer): number {
  const all = Buffer.concat([node, routers, Uint8Array.of(0, 0, 0, body.length, 0, 0, 0, 58), body])
  let sum = 0
  for (let at = 0; at < all.length; at += 2) sum += all.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}

/** An ICMPv6 message after a router alert, as Linux sends its reports, with an empty vnet header before it. */
function frame(type: number): Buffer {
  const body = Buffer.from([type, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, ...addressBytes('ff02::1:ff00:1')])
  body.writeUInt16BE(checksum(body), 2)
  const head = [0x60, 0, 0, 0, 0, body.length + 8, 0, 1, ...node, ...routers]
  const hopByHop = [58, 0, 5, 2, 0, 0, 1, 0]
  const ethernet = [0x33, 0x33, 0, 0, 0, 0x16, 0, 0, 0, 1, 1, 1, 0x86, 0xdd]
  return Buffer.from([...new Array(10).fill(0), ...ethernet, ...head, ...hopByHop, ...body])
}

/** All frames that wait at a tap. */
function waiting(tap: number): Buffer[] {
  const got = Buffer.alloc(2048)
  try {
    return [Buffer.from(got.subarray(0, readSync(tap, got))), ...waiting(tap)]
  } catch {
    return [] // EAGAIN
  }
}

test('multicast reports are not forwarded until it is closed, other frames are, and nothing stays behind', async () => {
  const nodes = [1, 2].map(id => ({ id, nets: [1] }))
  await using fabric = await openBridgeFabric(planBridges({ mtu: 1500, nodes, host: new Map() }))
  const [from, to] = [(await fabric.nics(1))[0]!.fds[0]!, (await fabric.nics(2))[0]!.fds[0]!]
  const [report, other] = [frame(143), frame(128)]
  // A bridge has forwarded a frame before `write` returns, or never will. It may also send frames of its own.
  const passes = (sent: Buffer) => {
    writeSync(from, sent)
    return waiting(to).some(got => got.subarray(10).equals(sent.subarray(10)))
  }
  expect([passes(report), passes(other)]).toEqual([true, true])
  const quiet = await suppressMldReports(fabric.namespace)
  expect([passes(report), passes(other)]).toEqual([false, true])
  await quiet[Symbol.asyncDispose]()
  expect([passes(report), passes(other)]).toEqual([true, true])
  expect((await inNamespace(fabric.namespace, ['nft', 'list', 'ruleset'])).stdout).toBe('')
})
