import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { messageOf, places, type Scope } from '../src/base/index.ts'
import type { Template, TemplateSpec, VmSpec } from '../src/vm/index.ts'
import { takeCensus } from '../test/support/census.ts'
import { type Benchmark, type Result, resultOf, type Sample } from './benchmark.ts'
import { nowMs } from './boot/prober.ts'
import { built } from './built.ts'

/** The clones of a round, and how many of them start at once. */
const clones = 50
const atOnce = 4

/**
 * Clones of one template, one after another, without a cluster around them: each resumes, its agent answers,
 * and it is killed. 20,000 of them show whether QEMU dies in between.
 */
const resume: Benchmark = {
  rounds: { usual: 400, quick: 2 },
  needs: ['ip', 'nft', 'nsenter'],
  async prepare(scope) {
    const starts = new Starts(await templateOf(scope))
    return {
      cases: [{ n: clones, units: { 'a clone': 'ms' }, variants: { clone: () => starts.round() } }],
      accel: 'tcg',
      results: () => starts.results(),
      failures: () => starts.failures,
    }
  },
}
export default resume

interface Cloned {
  readonly template: Template
  readonly spec: VmSpec
}

async function templateOf(scope: Scope): Promise<Cloned> {
  const [{ buildImage }, { findQemu, openTemplate }] = [await built('image'), await built('vm')]
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  const cacheDir = places({ HOME: homedir(), ...process.env }, process.getuid!()).cache
  const image = await buildImage({ cacheDir, guestDir: resolve('guest') })
  const qemu = await findQemu({ searchPath: process.env.PATH!, given: process.env.XCLUSTER_KVM })
  const shape: TemplateSpec = {
    ...{
      kernel: image.vmlinux,
      initramfs: image.initramfs,
      memoryMiB: 128,
      vcpus: 1,
      accel: 'tcg',
      nics: [],
    },
    ...{ qemu, image: image.key },
  }
  const notice = (text: string) => void process.stderr.write(`${text}\n`)
  const template = scope.add(await openTemplate(shape, { cacheDir: directory, notice }))
  const consoleLog = join(directory, 'console.log')
  return { template, spec: { ...shape, qemu: qemu.path, name: 'clone', consoleLog, template } }
}

class Starts {
  readonly failures: string[] = []
  readonly #cloned: Cloned
  #count = 0
  #leaked = 0

  constructor(cloned: Cloned) {
    this.#cloned = cloned
  }

  async round(): Promise<Sample> {
    const census = await takeCensus()
    const began = nowMs()
    const each = Array.from({ length: atOnce }, async (_, first) => {
      for (let at = first; at < clones; at += atOnce) await this.#one(this.#count++)
    })
    await Promise.all(each)
    const ms = (nowMs() - began) / clones
    // What the first clones load stays open.
    if (this.#count > clones)
      await census.expectUnchanged().catch(left => {
        this.#leaked++
        this.failures.push(messageOf(left))
      })
    return { 'a clone': ms }
  }

  results(): Result[] {
    const total = (name: string, count: number) =>
      resultOf({ name, variant: 'clone', n: this.#count, unit: 'count' }, [count])
    return [total('failures', this.failures.length - this.#leaked), total('leaks', this.#leaked)]
  }

  async #one(index: number): Promise<void> {
    const { startVm } = await built('vm')
    try {
      await using machine = await startVm(this.#cloned.spec)
      await machine.ready
    } catch (failure) {
      this.failures.push(`clone ${index}: ${messageOf(failure)}`)
    }
  }
}
