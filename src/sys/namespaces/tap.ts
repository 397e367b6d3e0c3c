import { existsSync } from 'node:fs'
import { isLinkName, linkNameRule, settingText } from '../../base/index.ts'
import { binding } from '../binding.ts'
import { IFF_NO_PI, IFF_TAP, IFF_TUN_EXCL, IFF_VNET_HDR } from '../constants.ts'
import { closeFd } from '../descriptor.ts'
import { closed, isSyscallFailure, refused, type SyscallFailure, SysError } from '../errors.ts'
import { indexOf, type NetNamespace, namespaceFd } from './namespace.ts'

export interface TapOptions {
  readonly namespace?: NetNamespace
  /** Frames carry a virtio-net header, which QEMU needs for offloads. */
  readonly vnetHdr?: boolean
  /** Taps that exist already are opened too, unless another process has them open. */
  readonly existing?: boolean
}

/**
 * An Ethernet interface whose other end is a file descriptor. It is gone when every copy of that fd is
 * closed.
 */
export class Tap implements AsyncDisposable {
  readonly name: string
  #fd: number | undefined

  constructor(name: string, fd: number) {
    this.name = name
    this.#fd = fd
  }

  get fd(): number {
    if (this.#fd === undefined) throw closed(`tap ${this.name}`)
    return this.#fd
  }

  /** Closes in libuv's thread pool, because the kernel may take 20 ms to remove a bridged tap. */
  async close(): Promise<void> {
    const fd = this.#take()
    if (fd !== undefined) await binding().closeInPool(fd)
  }

  /** Closes at once, in 3 µs, a tap whose interface is gone already. The pool would take 20 µs. */
  closeGone(): void {
    const fd = this.#take()
    if (fd !== undefined) closeFd(fd)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #take(): number | undefined {
    const fd = this.#fd
    this.#fd = undefined
    return fd
  }
}

/**
 * Creates taps, all or none, in a thread: the kernel takes 0.1 ms for each. Equivalent: `ip tuntap add <name> mode
 * tap`, for as long as the fd is open. A persistent tap that existed before stays after that.
 */
export async function openTaps(names: readonly string[], options: TapOptions = {}): Promise<Tap[]> {
  for (const name of names) if (!isLinkName(name)) throw badName(name)
  const exclusive = options.existing ? 0 : IFF_TUN_EXCL
  const flags = IFF_TAP | IFF_NO_PI | exclusive | (options.vnetHdr ? IFF_VNET_HDR : 0)
  try {
    const fds = await binding().openTaps(namespaceFd(options.namespace), names, flags)
    return fds.map((fd, at) => new Tap(names[at]!, fd))
  } catch (thrown) {
    throw isSyscallFailure(thrown) ? explain(thrown, names) : thrown
  }
}

function badName(name: string): SysError {
  return new SysError({
    code: 'BAD_NAME',
    kind: 'usage',
    op: 'create tap',
    target: name,
    reason: linkNameRule,
  })
}

function explain(failure: SyscallFailure, names: readonly string[]): SysError {
  const target = names[indexOf(failure)]
  const known = refused('create tap', target, failure)
  const about = { op: 'create tap', errno: failure.errno, syscall: failure.syscall, cause: failure }
  if (known.errnoName === 'EBUSY' || known.errnoName === 'EINVAL')
    return new SysError({
      ...about,
      code: 'TAP_EXISTS',
      target: target!,
      reason: 'an interface has this name already',
    })
  if (known.errnoName === 'EACCES')
    return new SysError({
      ...about,
      code: 'TUN_DENIED',
      kind: 'prerequisite',
      target: target!,
      reason: 'this user cannot open /dev/net/tun',
      remedy: `Allow all users (chmod 0666 /dev/net/tun), or run as root, or use ${settingText('fabric', 'user')}`,
    })
  if (known.errnoName !== 'ENOENT' && existsSync('/dev/net/tun')) return known
  const remedy = 'Load the kernel module (modprobe tun), or pass /dev/net/tun into the container'
  const reason = 'this machine has no /dev/net/tun'
  return new SysError({
    ...about,
    code: 'TUN_MISSING',
    kind: 'prerequisite',
    target: target!,
    reason,
    remedy,
  })
}
