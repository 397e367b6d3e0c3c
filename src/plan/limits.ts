import { kernelLineLimit, kernelLineWith, memberWord, settingText, templateWord } from '../base/index.ts'
import { PlanError } from './errors.ts'
import { smallestMiB } from './settings/settings.ts'
import type { NodePlan } from './types.ts'

/** The slots of the PCI bus that the machine's own devices, virtio-serial, virtio-rng and a disk leave free: q35 and pc alike. */
const slots = 27

/** The kernel's own memory for each processor, beyond the two that `--mem` has as its lower bound. */
const perProcessorMiB = 1 / 2

/**
 * Throws for a node that no machine could run: KERNEL_LINE, NODE_NETS and NODE_MEMORY (usage). `added` is what the user appends; with
 * `clones` the node's template gets it too.
 */
export function requirePossible(
  { name, nets, append, memMiB, vcpus }: NodePlan,
  { added, clones }: { readonly added: string; readonly clones: boolean },
): void {
  if (nets.length > slots)
    throw new PlanError({
      code: 'NODE_NETS',
      kind: 'usage',
      op: 'plan node',
      target: name,
      reason: `it would have ${nets.length} interfaces, and a virtual machine has slots for ${slots}`,
      remedy: `Give it at most ${slots} nets`,
    })
  const leastMiB = smallestMiB + Math.ceil(Math.max(0, vcpus - 2) * perProcessorMiB)
  if (memMiB < leastMiB)
    throw new PlanError({
      code: 'NODE_MEMORY',
      kind: 'usage',
      op: 'plan node',
      target: name,
      reason: `its kernel cannot boot with ${memMiB} MiB and ${vcpus} processors`,
      remedy: `Give it at least ${leastMiB} MiB (${settingText('mem')}), or fewer processors (${settingText('smp')})`,
    })
  const lengthWith = (...words: string[]) => bytesOf(kernelLineWith(words, { emulated: true })) // the longer one
  const bytes = Math.max(lengthWith(memberWord, append), clones ? lengthWith(templateWord, added) : 0)
  if (bytes <= kernelLineLimit) return
  throw new PlanError({
    code: 'KERNEL_LINE',
    kind: 'usage',
    op: 'plan node',
    target: name,
    reason: `the command line of its kernel would have ${bytes} bytes, and Linux reads ${kernelLineLimit}`,
    remedy: `Use at most ${bytesOf(added) - (bytes - kernelLineLimit)} bytes of ${settingText('append')} for it`,
  })
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).length
