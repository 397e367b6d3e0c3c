import type { ArchiveEntry } from '../formats/cpio.ts'
import { readElf, sectionBytes } from '../formats/elf.ts'
import type { KernelModule } from './modules.ts'

/**
 * The lists from which `modprobe` and the kernel's own requests find modules, as depmod(8) writes them: `modules.dep`,
 * `modules.alias`, `modules.symbols`, `modules.softdep`, `modules.devname`, `modules.builtin` and `modules.order`.
 */
export function moduleLists(modules: readonly KernelModule[], builtin: readonly string[]): ArchiveEntry[] {
  const texts = {
    'modules.dep': modulesDep(modules),
    'modules.alias': modulesAlias(modules),
    'modules.symbols': modulesSymbols(modules),
    'modules.softdep': modulesSoftdep(modules),
    'modules.devname': modulesDevname(modules),
    // Without it `modprobe` of one that is built in is an error.
    'modules.builtin': lines(builtin),
    'modules.order': lines(modules.map(({ file }) => file)),
  }
  return Object.entries(texts).map(([path, text]) => ({
    path,
    kind: 'file',
    mode: 0o644,
    content: Buffer.from(text),
  }))
}

/** Each module with all those that it needs, the first to load last. */
export function modulesDep(modules: readonly KernelModule[]): string {
  const byNames = new Map(modules.map(module => [module.name, module]))
  const needs = (module: KernelModule, seen = new Set<KernelModule>()): Set<KernelModule> => {
    for (const name of [...module.depends, ...module.softDepends]) {
      const need = byNames.get(name)
      if (!need || seen.has(need)) continue
      needs(need, seen)
      seen.add(need)
    }
    return seen
  }
  return lines(
    modules.map(module =>
      [`${module.file}:`, ...[...needs(module)].reverse().map(({ file }) => file)].join(' '),
    ),
  )
}

/** For the kernel's own requests, such as `nft-chain-2-nat`. */
export function modulesAlias(modules: readonly KernelModule[]): string {
  return lines(modules.flatMap(({ name, aliases }) => aliases.map(alias => `alias ${alias} ${name}`)))
}

/** For `symbol_get` of the kernel, which requests `symbol:NAME` (kernel `kernel/module/main.c`). */
function modulesSymbols(modules: readonly KernelModule[]): string {
  return lines(
    modules.flatMap(({ name, bytes }) => exportedBy(bytes).map(symbol => `alias symbol:${symbol} ${name}`)),
  )
}

function exportedBy(module: Uint8Array): string[] {
  const strings = sectionBytes(readElf(module), '__ksymtab_strings')
  return strings ? new TextDecoder().decode(strings).split('\0').filter(Boolean) : []
}

function modulesSoftdep(modules: readonly KernelModule[]): string {
  const needing = modules.filter(({ softDepends }) => softDepends.length > 0)
  return lines(needing.map(({ name, softDepends }) => `softdep ${name} pre: ${softDepends.join(' ')}`))
}

/** Devices that can exist before their module is loaded, which opening them does: `tun net/tun c10:200`. */
function modulesDevname(modules: readonly KernelModule[]): string {
  const devices = modules.flatMap(({ name, aliases }) => {
    const path = aliases.find(alias => alias.startsWith('devname:'))?.slice('devname:'.length)
    const [, type, major, minor] =
      aliases.map(alias => /^(char|block)-major-(\d+)-(\d+)$/.exec(alias)).find(Boolean) ?? []
    return path && type ? [`${name} ${path} ${type[0]}${major}:${minor}`] : []
  })
  return lines(devices)
}

const lines = (all: readonly string[]) => all.map(line => `${line}\n`).join('')
