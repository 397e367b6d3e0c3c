import { watch } from 'node:fs'
import { open } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { type Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { consoleHeader, upgradeProtocol, type Verb, verbs } from '../../api/index.ts'
import { isSystemError, Queue, version, versionHeader } from '../../base/index.ts'
import type { EventOptions } from '../../cluster/index.ts'
import { SocketPort } from '../../stream/index.ts'
import { OwnerError } from '../errors.ts'
import type { Owner } from '../owner.ts'
import type { JoinOptions } from '../terminals.ts'

/** Streamed answers. Each writes no faster than its reader reads. Events for which a reader is too slow are dropped. */

/** Sends events as text/event-stream (WHATWG HTML §9.2). `event: lost` has the number that a slow reader missed. */
export async function sendEvents(owner: Owner, options: EventOptions, raw: ServerResponse): Promise<void> {
  const queue = owner.events(options)
  await stream(raw, { type: 'text/event-stream', pieces: eventLines(queue), close: () => queue.end() })
}

/** Sends metrics in the format that Prometheus reads. */
export async function sendMetrics(owner: Owner, raw: ServerResponse): Promise<void> {
  const text = await owner.cluster().metrics()
  await stream(raw, {
    type: 'text/plain; version=0.0.4; charset=utf-8',
    pieces: Readable.from([text]),
    close: () => {},
  })
}

async function* eventLines(queue: ReturnType<Owner['events']>): AsyncGenerator<string> {
  let told = 0
  yield ': events of this cluster\n\n'
  for await (const event of queue) {
    if (queue.lost > told) yield `event: lost\ndata: {"type":"lost","count":${queue.lost - told}}\n\n`
    told = queue.lost
    yield `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
  }
}

/** Sends a node's console file from its first byte; with `follow`, also what is added until the node stops. */
export async function followLog(
  owner: Owner,
  { id, follow }: { readonly id: string; readonly follow: boolean },
  raw: ServerResponse,
): Promise<void> {
  const node = owner.nodeId(id)
  const path = owner.status().nodes.find(found => found.id === node)?.console
  if (!path) throw noLog(id)
  const grown = new Queue<true>({ limit: 1 })
  grown.push(true)
  const ended = owner.events()
  const watcher = follow ? watchFile(path, grown) : undefined
  if (follow) void untilStopped(ended, node).then(() => grown.end())
  else grown.end()
  const close = () => {
    watcher?.close()
    ended.end()
    grown.end()
  }
  await stream(raw, { type: 'text/plain; charset=utf-8', pieces: fileFrom(path, grown), close })
}

/** Reads the file to its end for each value of `grown`. */
async function* fileFrom(path: string, grown: Queue<true>): AsyncGenerator<Uint8Array> {
  await using file = await open(path)
  let at = 0
  for await (const _ of grown) {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(65536), 0, 65536, at)
      if (bytesRead === 0) break
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }
}

function watchFile(path: string, grown: Queue<true>): { close(): void } {
  const watcher = watch(path, () => grown.push(true))
  watcher.on('error', failure => grown.end(failure))
  return watcher
}

async function untilStopped(events: ReturnType<Owner['events']>, node: number): Promise<void> {
  for await (const event of events) {
    if (event.type === 'node' && event.id === node && ['stopped', 'failed'].includes(event.state)) return
  }
}

interface Source {
  readonly type: string
  readonly pieces: AsyncIterable<string | Uint8Array>
  /** Called when the reader has left or has everything. Must allow more than one call. */
  close(): void
}

async function stream(raw: ServerResponse, { type, pieces, close }: Source): Promise<void> {
  raw.on('close', close)
  raw.writeHead(200, { 'content-type': type, [versionHeader]: version, connection: 'close' })
  raw.flushHeaders()
  try {
    await pipeline(Readable.from(pieces, { objectMode: true, highWaterMark: 1 }), raw)
  } catch (failure) {
    if (!isSystemError(failure, 'ERR_STREAM_PREMATURE_CLOSE', 'EPIPE', 'ECONNRESET')) throw failure
  } finally {
    close()
  }
}

/** A terminal that joins a console. */
interface Joining extends JoinOptions {
  readonly node: number
}

/** Connects the socket of an upgraded request to a node's console: raw bytes, in both directions for the writer. */
export function joinConsole(owner: Owner, { node, ...how }: Joining, socket: Duplex): void {
  const console = owner.cluster().console(node)
  const output = console.attach()
  const role = owner.terminals.join(node, socket, how)
  socket.write(upgradeAnswer(verbs.console, [`${consoleHeader}: ${role}`]))
  socket.write(console.lastLines(12))
  socket.on('data', bytes => {
    if (owner.terminals.mayWrite(node, socket)) console.write(bytes as Uint8Array)
  })
  socket.on('error', () => socket.destroy())
  // One that has gone is seen here; it closes when it cannot be written to any more.
  socket.on('end', () => owner.terminals.leave(node, socket))
  socket.on('close', () => {
    owner.terminals.leave(node, socket)
    output.end()
  })
  pipeline(Readable.from(output, { objectMode: true, highWaterMark: 1 }), socket).catch(() =>
    socket.destroy(),
  )
}

/** Connects the socket of an upgraded request to a command on a node, which it asks for in its first frame. */
export function joinCommand(owner: Owner, node: number, socket: Duplex): void {
  const port = new SocketPort(socket)
  owner.cluster().relayCommand(node, port)
  socket.write(upgradeAnswer(verbs.spawn))
}

export function upgradeAnswer(verb: Pick<Verb, 'name'>, more: readonly string[] = []): string {
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Connection: Upgrade',
    `Upgrade: ${upgradeProtocol(verb)}`,
    `${versionHeader}: ${version}`,
    ...more,
    '\r\n',
  ].join('\r\n')
}

function noLog(id: string): OwnerError {
  const reason = 'its console has no file yet'
  return new OwnerError({ code: 'LOG_MISSING', kind: 'missing', op: 'read console of', target: id, reason })
}
