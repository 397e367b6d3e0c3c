import { DecodeError } from '../../base/index.ts'
import { readElf, sectionBytes } from '../formats/elf.ts'

/** The information about a kernel module in its `.modinfo` section (kernel `include/linux/module.h`). */
export interface ModuleInfo {
  readonly name: string
  /** Modules whose symbols it uses. */
  readonly depends: readonly string[]
  /** Modules to load before it, where they exist. */
  readonly softDepends: readonly string[]
  /** Patterns by which the kernel may request it. */
  readonly aliases: readonly string[]
  /** The kernel that it was made for, as `uname -r` says it. Absent in a module that any may load. */
  readonly kernelVersion?: string
}

/** A module's name with `_`. Files, aliases and people also write `-`. */
export function moduleName(text: string): string {
  return text.replaceAll('-', '_')
}

export function readModuleInfo(bytes: Uint8Array): ModuleInfo {
  const section = sectionBytes(readElf(bytes), '.modinfo')
  if (!section) throw new DecodeError('kernel module', 0, 'it has no .modinfo section')
  const lines = new TextDecoder().decode(section).split('\0')
  const values = (key: string) =>
    lines.filter(line => line.startsWith(`${key}=`)).map(line => line.slice(key.length + 1))
  const [kernelVersion] = values('vermagic').flatMap(words(' '))
  return {
    ...(kernelVersion !== undefined && { kernelVersion }),
    name: moduleName(values('name')[0] ?? ''),
    depends: values('depends').flatMap(words(',')).map(moduleName),
    softDepends: values('softdep').flatMap(softPre).map(moduleName),
    aliases: values('alias'),
  }
}

const words = (separator: string) => (text: string) => text.split(separator).filter(Boolean)

/** `pre: a b post: c` → a, b. */
function softPre(text: string): string[] {
  return words(' ')(/\bpre:([^:]*?)(?:\bpost:|$)/.exec(text)?.[1] ?? '')
}
