import { settingText, XclusterError } from '../base/index.ts'

/** This machine lacks something that a cluster needs, or has too little of it. */
export class HostError extends XclusterError {}

/** The error of a check of `xc doctor`. Checks that use another floor may throw that floor's errors instead. */
export function lack(reason: string, remedy: string): HostError {
  return new HostError({ code: 'MACHINE_LACKS', kind: 'prerequisite', reason, remedy })
}

/** The first process was to be that of a root which has none. */
export function initMissing(root: string): HostError {
  return new HostError({
    code: 'INIT_MISSING',
    kind: 'usage',
    op: 'start',
    target: root || 'a guest',
    reason: root ? 'its root has no /sbin/init' : 'only a root of your own has an init of its own',
    remedy: root
      ? `Install one in it (Debian: systemd-sysv), or omit ${settingText('init')}`
      : `Give one: ${settingText('rootfs')}`,
  })
}

/** The init of a root, such as systemd, needs more than xcluster's. */
export function tooSmallForInit(root: string, { mem, needed }: { mem: number; needed: number }): HostError {
  return new HostError({
    code: 'GUEST_TOO_SMALL',
    kind: 'usage',
    op: 'start',
    target: root,
    reason: `its init needs ${needed} MiB, and a guest has ${mem} MiB`,
    remedy: `Give it more: ${settingText('mem', `${needed}`)}`,
  })
}

/** A node starts from one or the other. */
export function imageAndRoot(root: string): HostError {
  return new HostError({
    code: 'IMAGE_AND_ROOT',
    kind: 'usage',
    op: 'start',
    target: root,
    reason: 'a node has either a root or a disk image',
    remedy: `Omit ${settingText('rootfs')} or ${settingText('image')}`,
  })
}

/** Nothing else has a boot loader. */
export function bootableWithout(): HostError {
  return new HostError({
    code: 'IMAGE_MISSING',
    kind: 'usage',
    op: 'start',
    target: 'a guest',
    reason: 'only a disk image has a boot loader of its own',
    remedy: `Give one: ${settingText('image')}`,
  })
}
