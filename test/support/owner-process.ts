import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clusterPlaces, type Places, pause, systemClock } from '../../src/base/index.ts'
import { OwnerClient } from '../../src/client/index.ts'
import { isAlive } from '../../src/client/process.ts'
import { type Launch, launchOwner, type OwnerMessage } from '../../src/owner/index.ts'
import { resolveSettings, type SettingOptions } from '../../src/plan/index.ts'

/** The owner process of a cluster without VMs. */
export const fakeProgram = {
  script: fileURLToPath(new URL('./fake-owner.ts', import.meta.url)),
  // The addon, compiled TypeScript and all else is found from the repository, wherever the test runs.
  nodeArgs: ['--import', fileURLToPath(import.meta.resolve('jiti/register'))],
}

/** A detached owner, whose cluster is a fake, in directories of its own. Closing kills it. */
export class OwnerProcess implements AsyncDisposable {
  readonly launch: Launch
  readonly places: Places
  readonly name: string

  constructor(launch: Launch, places: Places, name: string) {
    this.launch = launch
    this.places = places
    this.name = name
  }

  get at() {
    return clusterPlaces(this.places, this.name)
  }

  get client(): OwnerClient {
    return new OwnerClient(this.places, this.name)
  }

  /** The next message of that kind; throws when it ends without one. */
  async until<E extends OwnerMessage['event']>(event: E): Promise<Extract<OwnerMessage, { event: E }>> {
    for await (const message of looking(this.launch.messages)) {
      if (message.event === event) return message as Extract<OwnerMessage, { event: E }>
    }
    throw new Error(`no '${event}' from the owner; its log:\n${readFileSync(this.at.ownerLog, 'utf8')}`)
  }

  /** What came of the start. */
  async outcome(): Promise<Extract<OwnerMessage, { event: 'ready' | 'failed' }>> {
    for await (const message of looking(this.launch.messages)) {
      if (message.event === 'ready' || message.event === 'failed') return message
    }
    throw new Error('the owner hung up')
  }

  /** Resolves when the owner has hung up. */
  async ended(): Promise<void> {
    for await (const _ of looking(this.launch.messages));
  }

  /** Resolves when its API can be asked. */
  async listening(): Promise<void> {
    const deadline = Date.now() + 10_000
    while (Date.now() < deadline && !existsSync(this.at.socket)) await pause(systemClock, 10)
  }

  isAlive(): boolean {
    return isAlive(this.launch.pid)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isAlive()) process.kill(this.launch.pid, 'SIGKILL')
  }
}

export interface OwnerWish {
  readonly places?: Places
  readonly options?: SettingOptions
}

/** Starts one; `name` is always given by `options` or is `default`. */
export async function startOwner({
  places = privatePlaces(),
  options = {},
}: OwnerWish = {}): Promise<OwnerProcess> {
  const settings = resolveSettings({ options })
  const launch = await launchOwner({ settings, places }, { env: process.env, ...fakeProgram })
  return new OwnerProcess(launch, places, settings.name)
}

/** Directories that nobody else uses, removed when all tests are over. */
export function privatePlaces(): Places {
  const root = mkdtempSync(join(tmpdir(), 'xc-'))
  return { runtime: `${root}/run`, state: `${root}/state`, cache: `${root}/cache` }
}

/** The same messages, but leaving the loop does not end their source. */
async function* looking<T>(source: AsyncIterator<T>): AsyncGenerator<T> {
  for (;;) {
    const { value, done } = await source.next()
    if (done) return
    yield value
  }
}
