import type { ArchiveEntry } from '../image/index.ts'
import type { LinkPlace } from '../rtnl/index.ts'

/** One step that xcluster-guest carries out in the guest (native/guest/steps.c). Only `run` starts a program. */
export type GuestStep = {
  /** What it does, for its error: `add address 192.168.1.1/24 (eth1)`. */
  readonly about: string
} & (
  | { readonly kind: 'write'; readonly path: string; readonly content: string }
  | { readonly kind: 'append'; readonly path: string; readonly content: string | Uint8Array }
  | { readonly kind: 'put'; readonly entry: ArchiveEntry }
  | {
      readonly kind: 'route' | 'netfilter'
      readonly bytes: Uint8Array
      readonly places?: readonly LinkPlace[]
    }
  | { readonly kind: 'run'; readonly path: string }
  | { readonly kind: 'clock'; readonly ns: bigint }
  | { readonly kind: 'random'; readonly bytes: Uint8Array }
)

export function write(path: string, content: string): GuestStep {
  return { kind: 'write', path, content, about: `write ${path}` }
}

export function append(path: string, content: string): GuestStep {
  return { kind: 'append', path, content, about: `append to ${path}` }
}
