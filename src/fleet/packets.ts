import { request as httpRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import { unseenHeader, upgradeProtocol, verbs } from '../api/index.ts'
import {
  codeOf,
  errorFromJson,
  systemClock,
  version,
  versionHeader,
  type XclusterError,
} from '../base/index.ts'
import { PacketMerge } from './pcapng-merge.ts'
import { connectionTo, type Remote, unclear, unreachable } from './requests.ts'

/** The capture of one host: its socket, what has come with its head, and the links that it cannot see. */
interface Opened {
  readonly remote: Remote
  readonly socket: Duplex
  readonly first: Buffer
  readonly unseen: string
}

/** Milliseconds between two looks at what can be sent on. */
const everyMs = 100

/**
 * Captures on several hosts into one stream, in the order of time. A host without the nets that are asked for is left out.
 * Throws what a host refuses with before anything is sent.
 */
export async function joinPackets(
  asked: readonly (readonly [remote: Remote, path: string])[],
  peer: Duplex,
): Promise<void> {
  const all = await Promise.allSettled(asked.map(([remote, path]) => open(remote, path)))
  const opened = all.filter(each => each.status === 'fulfilled').map(({ value }) => value)
  const failed = all.filter(each => each.status === 'rejected').map(({ reason }) => reason as unknown)
  const fatal = failed.find(failure => codeOf(failure) !== 'NET_MISSING')
  if (fatal !== undefined || opened.length === 0) {
    for (const { socket } of opened) socket.destroy()
    throw fatal ?? failed[0]
  }
  const unseen = opened.map(each => each.unseen).filter(Boolean)
  peer.write(headOf(unseen.length > 0 ? [`${unseenHeader}: ${unseen.join()}`] : []))
  send(opened, peer)
}

/**
 * Until the reader ends its direction or leaves, or all captures have ended. The others go on without a host that has
 * gone; the end of the file names it.
 */
function send(opened: readonly Opened[], peer: Duplex): void {
  const merge = new PacketMerge(opened.length, () => systemClock.now())
  let running = opened.length
  let cancel = () => {}
  const write = (pieces: readonly Uint8Array[]) => {
    for (const piece of pieces) if (!peer.write(piece)) for (const { socket } of opened) socket.pause()
  }
  const look = () => {
    write(merge.due())
    cancel = systemClock.after(everyMs, look)
  }
  const leave = () => {
    cancel()
    for (const { socket } of opened) socket.destroy()
  }
  opened.forEach(({ socket, first }, at) => {
    const ended = () => {
      if (!merge.end(at)) return
      if (--running > 0) return
      cancel()
      write(merge.rest(at => reasonOf(opened[at]!.remote)))
      peer.end()
    }
    write(merge.push(at, first))
    socket.on('data', bytes => write(merge.push(at, bytes as Buffer)))
    socket.on('error', () => socket.destroy())
    socket.on('end', ended).on('close', ended)
  })
  peer.on('drain', () => {
    for (const { socket } of opened) socket.resume()
  })
  peer.on('end', () => {
    for (const { socket } of opened) socket.end()
  })
  peer.on('error', leave).on('close', leave)
  peer.resume()
  look()
}

/** Why a host's capture ended before its counts came. */
function reasonOf({ name, leaving }: Remote): string {
  return `${name}: ${leaving.aborted ? (leaving.reason as XclusterError).reason : 'its capture was cut off'}`
}

function open(remote: Remote, path: string): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const asking = httpRequest({
      path,
      headers: { connection: 'Upgrade', upgrade: upgradeProtocol(verbs.packets) },
      createConnection: () => connectionTo(remote),
    })
    asking.on('error', failure => reject(unreachable(remote, failure)))
    asking.on('upgrade', (answer, socket, first) =>
      resolve({ remote, socket, first, unseen: String(answer.headers[unseenHeader] ?? '') }),
    )
    asking.on('response', async answer => {
      const pieces: Buffer[] = []
      for await (const piece of answer) pieces.push(piece as Buffer)
      const text = Buffer.concat(pieces).toString()
      reject(errorFromJson((JSON.parse(text) as { error?: unknown }).error) ?? unclear(remote, text))
    })
    asking.end()
  })
}

function headOf(more: readonly string[]): string {
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    `Upgrade: ${upgradeProtocol(verbs.packets)}`,
    `${versionHeader}: ${version}`,
    ...more,
    '\r\n',
  ].join('\r\n')
}
