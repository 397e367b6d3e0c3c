import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, codeOf, reasonOf, Scope, systemClock } from '../../base/index.ts'
import { makeDirectory } from '../../sys/index.ts'
import { VmError } from '../errors.ts'
import type { Template } from '../shape.ts'
import { loadHeld } from '../snapshot/held.ts'
import { closeLoaded, type Loaded, loadedFrom, saveTemplate, templatesIn } from '../snapshot/store.ts'
import { type Build, bootTemplate, deriveTemplate, type Remainder } from './build.ts'
import { buildFailed } from './errors.ts'
import { factsOf, type TemplateFacts, templateKey } from './facts.ts'
import { withLock } from './lock.ts'
import type { TemplateOptions, TemplateSpec } from './types.ts'

/**
 * The template for VMs of this shape. It comes from the cache, with each byte checked, or is made by booting
 * one, for which other processes wait. A damaged one is made again, with a notice, and never loaded. When its
 * VM dies, that error is thrown (GUEST_PANIC with the console's last lines). TEMPLATE_FAILED says why it
 * could not be stored.
 */
export async function openTemplate(spec: TemplateSpec, options: TemplateOptions): Promise<Template> {
  const { cacheDir, clock = systemClock, notice, onStep, signal } = options
  const during: Build['during'] = async (step, work) => {
    onStep?.(step, 'begin')
    const result = await work()
    onStep?.(step, 'end')
    return result
  }
  const facts = await factsOf(spec)
  const key = templateKey(facts)
  const place = { directory: join(templatesIn(cacheDir), key), key, facts }
  const find = () => during('check', () => found(place, clock, notice))
  const there = await find()
  if (there) return templateOf(key, there)

  makeDirectory(templatesIn(cacheDir), 0o700)
  const build = async () => {
    const { added, ...rest } = spec
    await using base = added && (await openTemplate(rest, options))
    return await make(spec, place, { clock, signal, during, base, notice })
  }
  const loaded = await withLock(
    place.directory,
    async waited => (waited && (await find())) || (await during('build', build)),
    { clock, signal, waiting: state => onStep?.('wait', state) },
  )
  return templateOf(key, loaded)
}

type Notice = TemplateOptions['notice']

interface Place {
  readonly directory: string
  readonly key: string
  readonly facts: TemplateFacts
}

async function found(
  { directory, key }: Place,
  clock: Clock,
  notice: (text: string) => void,
): Promise<Loaded | undefined> {
  try {
    return await loadHeld(directory, key, clock)
  } catch (failure) {
    if (!(failure instanceof VmError) || failure.code !== 'TEMPLATE_DAMAGED') throw failure
    notice(`The template in ${directory} is damaged, and is made again: ${failure.reason}`)
    return undefined
  }
}

async function make(
  spec: TemplateSpec,
  { directory, key, facts }: Place,
  { base, notice, ...build }: Build & { readonly base: Template | undefined; readonly notice: Notice },
): Promise<Loaded> {
  try {
    await rm(directory, { recursive: true, force: true })
    await using scope = new Scope()
    const remainder = scope.add(
      await (base ? deriveTemplate(spec, base, build) : booted(spec, build, notice)),
    )
    const { memoryMiB, nics } = spec
    const { ram, state, layer, transport } = remainder
    const frozen = { facts, memoryMiB, nicCount: nics.length, ram, state, layer, transport }
    const manifest = await build.during('save', () => saveTemplate(directory, frozen))
    if (base) {
      const own = await loadedFrom(directory, frozen, manifest)
      scope.move()
      await layer?.close()
      return own
    }
    // Its memory was written all over, zeros included: read back it takes half.
    const loaded = await loadHeld(directory, key, build.clock)
    if (loaded) return loaded
    throw new Error('another process removed it at once')
  } catch (failure) {
    throw buildFailed(key, failure)
  }
}

/** An emulated guest that broke through no fault of its own (docs/decisions/vm.md) is booted once more. */
async function booted(spec: TemplateSpec, build: Build, notice: Notice): Promise<Remainder> {
  try {
    return await bootTemplate(spec, build)
  } catch (failure) {
    const isOwn = spec.kernel === undefined // it may restart as it likes
    if (codeOf(failure) !== 'BOOT_BROKEN' || spec.accel !== 'tcg' || isOwn) throw failure
    notice(`A template is booted a second time: ${reasonOf(failure).split('\n')[0]}`)
    return await bootTemplate(spec, build)
  }
}

function templateOf(key: string, { manifest, ram, state, layer, lock }: Loaded): Template {
  const close = () => closeLoaded({ ram, state, layer, lock })
  const { memoryMiB, nicCount, transport } = manifest
  const disk = layer && { layer }
  return { key, memoryMiB, nicCount, ram, state, transport, ...disk, close, [Symbol.asyncDispose]: close }
}
