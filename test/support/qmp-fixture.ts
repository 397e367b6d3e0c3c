import { beforeEach } from 'vitest'
import { connectQmp, type QmpClient } from '../../src/qmp/index.ts'
import { ManualClock } from './manual-clock.ts'
import { FakeQemu, type MemoryPort, portPair } from './qmp-fake.ts'

/** A fake QEMU at the other end of a port, and a clock that stands still: new for each test of a file. */
export interface QmpFixture {
  port: MemoryPort
  qemu: FakeQemu
  clock: ManualClock
  /** A client that is ready. */
  connected(): Promise<QmpClient>
}

export function qmpFixture(): QmpFixture {
  const fixture = {
    async connected() {
      const { port, qemu, clock } = fixture
      const [client] = await Promise.all([connectQmp(port, { clock, timeoutMs: 1000 }), qemu.welcome()])
      return client
    },
  } as QmpFixture
  beforeEach(() => {
    const [ours, theirs] = portPair()
    Object.assign(fixture, { port: ours, qemu: new FakeQemu(theirs), clock: new ManualClock() })
  })
  return fixture
}
