import { XclusterError } from '../base/index.ts'
import type { Settings } from '../plan/index.ts'

/**
 * This machine lets us have no namespace, or no taps in it; not that something is wrong with the plan. And nobody has
 * asked for what only bridges have.
 */
export function mayFallBack({ fabric, netns, uplink }: Settings, failure: unknown): boolean {
  const asked = fabric === 'bridge' || netns !== '' || uplink !== 'off'
  return !asked && failure instanceof XclusterError && forbidden.includes(failure.code)
}

const forbidden = [
  ...['NOT_PERMITTED', 'NETLINK_NOT_PERMITTED', 'USER_NAMESPACES_DENIED'],
  ...['TUN_MISSING', 'TUN_DENIED'],
]
