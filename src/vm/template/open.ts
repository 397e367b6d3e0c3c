import { mkdir, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pause, systemClock } from '../../base/index.ts'
import { type FileLock, lockFile, SysError } from '../../sys/index.ts'
import { startAborted, VmError } from '../errors.ts'
import { type Build, bootTemplate } from './build.ts'
import { buildFailed } from './errors.ts'
import { factsOf, type TemplateFacts, templateKey } from './facts.ts'
import { type Loaded, loadTemplate, saveTemplate } from './store.ts'
import type { Template, TemplateOptions, TemplateSpec } from './types.ts'

/** Where templates are, below the cache directory. */
export function templatesIn(cacheDir: string): string {
  return join(cacheDir, 'templates')
}

/** Held by whoever makes or removes the template. */
export function lockOf(directory: string): string {
  return `${directory}.lock`
}

/**
 * The template for VMs of this shape: from the cache, each byte checked, else made by booting one, which other
 * processes wait for. One that is damaged is made again, with a notice, and never loaded. TEMPLATE_FAILED says why
 * it cannot be made: the guest's panic with the console's last lines, a full disk.
 */
export async function openTemplate(spec: TemplateSpec, options: TemplateOptions): Promise<Template> {
  const { clock = systemClock, signal, notice } = options
  const { during } = progress(options)
  const facts = await factsOf(spec)
  const key = templateKey(facts)
  const directory = join(templatesIn(options.cacheDir), key)
  const find = () => during('check', () => found(directory, key, notice))
  const there = await find()
  if (there) return templateOf(key, there)

  await mkdir(templatesIn(options.cacheDir), { recursive: true, mode: 0o700 })
  const { lock, waited } = await lockWhenFree(directory, { clock, signal, during })
  try {
    const since = waited ? await find() : undefined
    if (since) return templateOf(key, since)
    return templateOf(key, await make(spec, { directory, key, facts }, { clock, signal, during }))
  } finally {
    await unlink(lockOf(directory)).catch(() => {}) // while it is ours: who waits then locks a new one
    await lock.close()
  }
}

function progress({ onStep }: TemplateOptions): Pick<Build, 'during'> {
  return {
    async during(step, work) {
      onStep?.(step, 'begin')
      const result = await work()
      onStep?.(step, 'end')
      return result
    },
  }
}

async function found(
  directory: string,
  key: string,
  notice: (text: string) => void,
): Promise<Loaded | undefined> {
  try {
    return await loadTemplate(directory, key)
  } catch (failure) {
    if (!(failure instanceof VmError) || failure.code !== 'TEMPLATE_DAMAGED') throw failure
    notice(`The template in ${directory} is not used and made again: ${failure.reason}`)
    return undefined
  }
}

async function lockWhenFree(directory: string, { clock, signal, during }: Build) {
  const path = lockOf(directory)
  const free = lockFile(path)
  if (free) return { lock: free, waited: false }
  const lock = await during('wait', async () => {
    for (let lock: FileLock | undefined; ; lock = lockFile(path)) {
      if (lock) return lock
      if (signal?.aborted) throw startAborted('template', signal.reason)
      await pause(clock, 50)
    }
  })
  return { lock, waited: true }
}

interface Place {
  readonly directory: string
  readonly key: string
  readonly facts: TemplateFacts
}

async function make(spec: TemplateSpec, { directory, key, facts }: Place, build: Build): Promise<Loaded> {
  try {
    await rm(directory, { recursive: true, force: true })
    await using remainder = await bootTemplate(spec, build)
    const { memoryMiB, nics } = spec
    const { ram, state } = remainder
    const frozen = { facts, memoryMiB, nicCount: nics.length, ram, state }
    await build.during('save', () => saveTemplate(directory, frozen))
    const loaded = await loadTemplate(directory, key)
    if (loaded) return loaded
    throw new Error('it is gone again')
  } catch (failure) {
    if (failure instanceof SysError && failure.kind === 'prerequisite') throw failure
    throw buildFailed(key, failure)
  }
}

function templateOf(key: string, { manifest, ram, state }: Loaded): Template {
  const close = async () => {
    await Promise.all([ram.close(), state.close()])
  }
  const { memoryMiB, nicCount } = manifest
  return { key, memoryMiB, nicCount, ram, state, close, [Symbol.asyncDispose]: close }
}
