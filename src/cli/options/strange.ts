import { type Environment, narrowKeyOf, settings } from '../../plan/index.ts'

/** Variables of the original xcluster that are not settings here, and what to do instead. */
const instead: Readonly<Record<string, string>> = {
  __hd: 'name the image: __image; each node writes to a layer of its own',
  __kver: 'name the kernel file: __kernel',
  __kbin: 'name the kernel file: __kernel',
  __kdir: 'name the kernel file: __kernel',
  __kobj: 'name the kernel file: __kernel',
  __kcfg: 'name the kernel file: __kernel',
  __ipver: 'both families are always there',
  __nets: 'name the nets of a role: __nets_vm, __nets_router, __nets_tester',
  __use_multi_queue: 'take a script: __net_setup',
  __xterm: 'give the option: xc start --xterm',
  __xtermopt: 'set the resources of xterm: ~/.Xresources',
}

/**
 * Variables in the manner of settings (`__foo`) that are none, each with what to do. Other programs have variables with
 * two underscores and capitals.
 */
export function strangeVariables(env: Environment): string[] {
  const known = new Set(Object.values(settings).map(({ variable }) => variable as string))
  return Object.entries(env)
    .filter(([name, value]) => value && /^__[a-z]/.test(name) && !known.has(name) && !narrowKeyOf(name))
    .map(([name]) => `${name} has no effect: ${instead[name] ?? 'xc env --explain has all settings'}`)
    .sort()
}
