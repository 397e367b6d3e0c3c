import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clusterPlaces, type Places } from '../../src/base/index.ts'
import { OwnerClient } from '../../src/client/index.ts'
import { isAlive } from '../../src/client/process.ts'
import { type Launch, launchOwner, type OwnerMessage } from '../../src/owner/index.ts'
import { resolveSettings, type SettingOptions } from '../../src/plan/index.ts'
import type { Scenario } from './fake-owner.ts'
import { packed } from './packed.ts'
import { waitFor } from './wait.ts'

/** The program of an owner process whose cluster has no VMs. */
export const fakeProgram = {
  script: await packed(fileURLToPath(new URL('./fake-owner.ts', import.meta.url))),
  nodeArgs: [],
}

/** A detached owner of a fake cluster, with its own directories. Closing kills it. */
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

  /** The next message of that kind. Throws when the messages end without one. */
  async until<T extends OwnerMessage['type']>(type: T): Promise<Extract<OwnerMessage, { type: T }>> {
    for await (const message of peeking(this.launch.messages)) {
      if (message.type === type) return message as Extract<OwnerMessage, { type: T }>
    }
    throw new Error(`no '${type}' from the owner; its log:\n${readFileSync(this.at.ownerLog, 'utf8')}`)
  }

  /** The outcome of the start. */
  async outcome(): Promise<Extract<OwnerMessage, { type: 'ready' | 'failed' }>> {
    for await (const message of peeking(this.launch.messages)) {
      if (message.type === 'ready' || message.type === 'failed') return message
    }
    throw new Error('the owner closed the start pipe')
  }

  /** Resolves when the owner has closed the start pipe. */
  async ended(): Promise<void> {
    for await (const _ of peeking(this.launch.messages));
  }

  /** Resolves when its API listens. */
  async listening(): Promise<void> {
    await waitFor(() => existsSync(this.at.socket), 10_000)
  }

  isAlive(): boolean {
    return isAlive(this.launch.pid)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isAlive()) process.kill(this.launch.pid, 'SIGKILL')
  }
}

export interface OwnerOptions {
  readonly places?: Places
  readonly options?: SettingOptions
  /** How its VMs behave. */
  readonly scenario?: Scenario
}

/** Starts an owner. The cluster's name is `default` unless `options` has another. */
export async function startOwner({
  places = privatePlaces(),
  options = {},
  scenario = {},
}: OwnerOptions = {}): Promise<OwnerProcess> {
  const settings = resolveSettings({ options })
  const env = { ...process.env, XCLUSTER_TEST_SCENARIO: JSON.stringify(scenario) }
  const launch = await launchOwner({ settings, places }, { env, ...fakeProgram })
  return new OwnerProcess(launch, places, settings.name)
}

/** New directories for one test. They are removed after all tests. */
export function privatePlaces(): Places {
  const root = mkdtempSync(join(tmpdir(), 'xc-'))
  return { runtime: `${root}/run`, state: `${root}/state`, cache: `${root}/cache` }
}

/** Iterates over the messages without ending their source when the loop is left. */
async function* peeking<T>(source: AsyncIterator<T>): AsyncGenerator<T> {
  for (;;) {
    const { value, done } = await source.next()
    if (done) return
    yield value
  }
}
