import { expect, test } from 'vitest'
import type { Port, PortReceiver } from '../../../src/base/index.ts'
import { StartPipe } from '../../../src/owner/start-pipe.ts'
import { resolveSettings } from '../../../src/plan/index.ts'

/** One end of a pipe. The test is the other end. */
class PlainPort implements Port {
  readonly sent: string[] = []
  receiver!: PortReceiver
  closed = false

  receive(receiver: PortReceiver): void {
    this.receiver = receiver
  }
  send(bytes: Uint8Array): void {
    this.sent.push(Buffer.from(bytes).toString())
  }
  async close(): Promise<void> {
    this.closed = true
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
  says(text: string): void {
    this.receiver.data(Buffer.from(text))
  }
}

const request = {
  settings: resolveSettings({}),
  places: { runtime: '/r', state: '/s', cache: '/c' },
}

test('messages of the start pipe arrive whole, wherever the stream is cut', async () => {
  const [here, there] = [new PlainPort(), new PlainPort()]
  const starter = StartPipe.starter(here)
  const owner = StartPipe.owner(there)
  starter.send({ type: 'start', request })
  starter.send({ type: 'keep' })
  for (const byte of here.sent.join('')) there.says(byte)
  expect((await owner.incoming.next()).value).toEqual({ type: 'start', request })
  expect((await owner.incoming.next()).value).toEqual({ type: 'keep' })
  owner.send({ type: 'node', id: 1, name: 'vm-001', state: 'ready', ms: 900 })
  owner.send({ type: 'milestone', id: 1, name: 'vm-001', milestone: 'identity', ms: 890.5 })
  here.says(there.sent.join(''))
  expect((await starter.incoming.next()).value).toMatchObject({ type: 'node', ms: 900 })
  expect((await starter.incoming.next()).value).toMatchObject({ milestone: 'identity', ms: 890.5 })
})

test.each(['not JSON', '[]', 'null', '{"type": "ready"}', '{"event":5}', '{}'])(
  'an owner that receives %s on the start pipe ends its incoming messages with an error',
  async garbage => {
    const port = new PlainPort()
    const owner = StartPipe.owner(port)
    port.says(`${garbage}\n`)
    await expect(owner.incoming.next()).rejects.toMatchObject({ code: 'START_PIPE_GARBAGE' })
    expect((await owner.incoming.next()).done).toBe(true)
  },
)

test('the start pipe ends when its peer has gone, and sends nothing more', async () => {
  const port = new PlainPort()
  const starter = StartPipe.starter(port)
  port.says('{"type": "notice","text":"half a li')
  port.receiver.end()
  expect((await starter.incoming.next()).done).toBe(true)
  starter.send({ type: 'cancel' })
  expect(port.sent).toEqual([])
  expect(port.closed).toBe(true)
})
